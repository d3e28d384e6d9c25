//! What the camera and the lamp did to colour, undone: a map fitted on the patches of the card.
//!
//! Three maps are tried on linear light and judged on patches they have not seen (leave one out), in ΔE2000:
//! a 3×3 matrix, an affine map, and the root polynomial of second degree of G. D. Finlayson, M. Mackiewicz
//! and A. Hurlbert (IEEE Trans. Image Process. 24, 2015, 1460-1470), which does not change with exposure.

use super::difference::delta_e_2000;
use super::lab::{Lab, Linear};
use serde::{Deserialize, Serialize};

/// The shape of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// 3×3 matrix.
    Matrix,
    /// 3×3 matrix and an offset.
    Affine,
    /// Root polynomial of second degree.
    RootPolynomial,
}

const SHAPES: [Shape; 3] = [Shape::Matrix, Shape::Affine, Shape::RootPolynomial];

impl Shape {
    fn terms(self, rgb: Linear) -> Vec<f64> {
        let [r, g, b] = rgb;
        let root = |product: f64| product.max(0.0).sqrt();
        match self {
            Self::Matrix => vec![r, g, b],
            Self::Affine => vec![r, g, b, 1.0],
            Self::RootPolynomial => vec![r, g, b, root(r * g), root(g * b), root(r * b)],
        }
    }
}

/// A fitted map from a camera's linear light to that of the card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Correction {
    /// Shape of the map.
    pub shape: Shape,
    /// One row of weights for red, green and blue.
    pub weights: [Vec<f64>; 3],
    /// ΔE2000 of every patch when it was left out of the fit.
    pub left_out: Vec<f64>,
    /// Root mean square of those: the uncertainty of a colour measured with this map.
    pub error: f64,
}

impl Correction {
    /// Fits a map from what was seen to what is declared, patch by patch. `None` when there are too few
    /// patches, or they do not span colour.
    #[must_use]
    pub fn fit(seen: &[Linear], declared: &[Linear]) -> Option<Self> {
        SHAPES.into_iter().filter_map(|shape| Self::fit_shape(shape, seen, declared)).min_by(|a, b| a.error.total_cmp(&b.error))
    }

    fn fit_shape(shape: Shape, seen: &[Linear], declared: &[Linear]) -> Option<Self> {
        let n = seen.len().min(declared.len());
        let unknowns = shape.terms([0.0; 3]).len();
        if n < unknowns + 4 {
            return None;
        }
        let weights = solve(shape, seen, declared, None)?;
        let mut left_out = Vec::with_capacity(n);
        for skip in 0..n {
            let without = solve(shape, seen, declared, Some(skip))?;
            let found = apply(shape, &without, *seen.get(skip)?);
            left_out.push(delta_e_2000(Lab::from_linear(found), Lab::from_linear(*declared.get(skip)?)));
        }
        let error = (left_out.iter().map(|d| d * d).sum::<f64>() / n as f64).sqrt();
        error.is_finite().then_some(Self { shape, weights, left_out, error })
    }

    /// The colour of light the camera saw.
    #[must_use]
    pub fn lab(&self, seen: Linear) -> Lab {
        Lab::from_linear(apply(self.shape, &self.weights, seen))
    }
}

fn apply(shape: Shape, weights: &[Vec<f64>; 3], rgb: Linear) -> Linear {
    let terms = shape.terms(rgb);
    std::array::from_fn(|c| weights.get(c).map_or(0.0, |row| row.iter().zip(&terms).map(|(w, t)| w * t).sum::<f64>()).max(0.0))
}

/// Weighted least squares for the three channels at once. Dark patches weigh more, as they do for the eye.
fn solve(shape: Shape, seen: &[Linear], declared: &[Linear], skip: Option<usize>) -> Option<[Vec<f64>; 3]> {
    let m = shape.terms([0.0; 3]).len();
    let mut normal = vec![vec![0.0; m + 3]; m];
    for (i, (rgb, wanted)) in seen.iter().zip(declared).enumerate() {
        if Some(i) == skip {
            continue;
        }
        let terms = shape.terms(*rgb);
        let weight = 1.0 / (0.05 + wanted.iter().sum::<f64>() / 3.0).powi(2);
        for (row, t) in normal.iter_mut().zip(&terms) {
            for (cell, other) in row.iter_mut().zip(terms.iter().chain(wanted)) {
                *cell += weight * t * other;
            }
        }
    }
    eliminate(&mut normal)?;
    Some(std::array::from_fn(|c| normal.iter().filter_map(|row| row.get(m + c).copied()).collect()))
}

/// Gauss-Jordan with pivots on the rows of `[A | B]`; leaves the solution in place of B.
fn eliminate(rows: &mut [Vec<f64>]) -> Option<()> {
    let m = rows.len();
    let scale = (0..m).map(|i| rows[i][i].abs()).fold(0.0, f64::max);
    for column in 0..m {
        let pivot = (column..m).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, pivot);
        let lead = rows[column][column];
        if lead.abs() <= 1e-12 * scale || !lead.is_finite() {
            return None;
        }
        rows[column].iter_mut().for_each(|cell| *cell /= lead);
        let top = rows[column].clone();
        for (i, row) in rows.iter_mut().enumerate() {
            let factor = row[column];
            if i != column {
                row.iter_mut().zip(&top).for_each(|(cell, t)| *cell -= factor * t);
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::card;

    #[test]
    fn a_camera_that_is_a_matrix_is_undone_exactly() {
        let card = card::get("toji-24").unwrap();
        let declared: Vec<Linear> = card.patches.iter().map(card::Patch::linear).collect();
        // A warm lamp, crosstalk between the channels and half the light.
        let camera = [[0.55, 0.08, 0.02], [0.05, 0.42, 0.04], [0.01, 0.06, 0.30]];
        let seen: Vec<Linear> = declared.iter().map(|l| super::super::lab::times(&camera, *l)).collect();
        let fit = Correction::fit(&seen, &declared).unwrap();
        assert!(fit.error < 1e-6, "{fit:?}");
        let wanted = Lab { l: 71.0, a: 4.0, b: 38.0 };
        let found = fit.lab(super::super::lab::times(&camera, wanted.to_linear()));
        // As far as the seven digits of the matrices of sRGB go.
        assert!(delta_e_2000(found, wanted) < 1e-4, "{found:?}");
    }

    #[test]
    fn patches_of_one_colour_give_no_map() {
        assert_eq!(Correction::fit(&[[0.5; 3]; 24], &[[0.4; 3]; 24]), None);
        assert_eq!(Correction::fit(&[], &[]), None);
    }
}
