//! Principal components.

use super::cross::{choose, folds, leave_out, q2_pca, without};
use super::latent::{Components, Latent, Settings, fit_for};
use super::matrix::Matrix;
use super::nipals;
use super::scale::Scale;
use super::space::Space;
use toji_core::Result;

/// A model of principal components.
#[derive(Debug, Clone)]
pub struct Pca {
    /// Scores, limits, checks.
    pub latent: Latent,
    /// Q² of 1, 2 … components with whole batches left out; empty with fewer than three batches.
    pub q2: Vec<f64>,
}

impl Pca {
    /// Fits a model.
    ///
    /// # Errors
    /// Too few rows for the components asked for, a row without any value, or batches that do not match the rows.
    pub fn fit(x: &Matrix, settings: &Settings) -> Result<Self> {
        let batches = fit_for(x, settings)?;
        let (Components::Fixed(most) | Components::Chosen(most)) = settings.components;
        let folds = folds(&batches);
        // A fold has fewer rows, and cannot carry more components than rows less one.
        let least = folds.iter().map(|out| x.rows() - out.len()).min().unwrap_or(x.rows());
        let tried = most.min(least.saturating_sub(1)).max(1);
        let whole = without(x, &[], settings.scaling, most, &[]);
        let q2 =
            if folds.is_empty() { Vec::new() } else { q2_pca(x, &batches, settings.scaling, tried, &whole.1.parts.loadings) };
        let components = match settings.components {
            Components::Chosen(_) if !q2.is_empty() => choose(&q2),
            _ => most,
        };
        let (scale, space) = if components < whole.1.components() { fitted(x, settings, components) } else { whole };
        let near = space.parts.loadings.clone();
        let left_out = leave_out(x, &batches, |out| without(x, out, settings.scaling, near.len(), &near));
        Ok(Self { latent: Latent::new(scale, space, left_out, &batches), q2 })
    }
}

fn fitted(x: &Matrix, settings: &Settings, components: usize) -> (Scale, Space) {
    let scale = Scale::of(x, settings.scaling);
    let train = scale.cells(x);
    let mut residual = train.clone();
    let parts = nipals::pca(&mut residual, components, None);
    let speaking = scale.speaking();
    (scale, Space::new(train, residual, parts, speaking))
}
