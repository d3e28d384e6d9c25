//! D-optimal designs by exchange (Fedorov, *Theory of Optimal Experiments*, 1972): from candidates the runs that make
//! the volume of the confidence region of a model's coefficients smallest. For spaces with forbidden corners, with
//! options, or with a number of runs that no table has.

use crate::campaign::space::{Kind, Space};
use crate::linear::{Cholesky, Matrix, dot};
use libm::exp;
use serde::{Deserialize, Serialize};
use toji_core::chance::Chance;
use toji_core::{Category, Error, Place, Result};

/// Random starts.
const STARTS: usize = 8;
/// Passes over the runs of a design.
const PASSES: usize = 50;
/// Share of the identity that keeps the first designs from being singular.
const RIDGE: f64 = 1e-6;

/// What the runs should tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// A constant and main effects.
    Linear,
    /// And interactions of two factors.
    Interactions,
    /// And curvature.
    Quadratic,
}

/// A D-optimal design.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimal {
    /// Runs, as indices of candidates; one may stand more than once.
    pub runs: Vec<usize>,
    /// Coefficients of the model.
    pub terms: usize,
    /// |XᵀX|^(1/terms) / runs in coded levels: 1 for an orthogonal two-level design.
    pub efficiency: f64,
}

/// Chooses runs from candidates, which are places in the cube of the space.
///
/// # Errors
/// Fewer runs than the model has coefficients, or candidates that cannot tell them apart.
pub fn d_optimal(space: &Space, candidates: &[Vec<f64>], model: Model, runs: usize, seed: u64) -> Result<Optimal> {
    let rows = Matrix::from_rows(&candidates.iter().map(|c| terms(space, c, model)).collect::<Vec<_>>());
    let p = rows.columns();
    if runs < p || candidates.is_empty() {
        return Err(Error::input(
            "E-CAMPAIGN-043",
            format!("このモデルには係数が {p} 個あり、{runs} 回では推定できません（候補 {} 点）", candidates.len()),
            format!("the model has {p} coefficients, which {runs} runs cannot tell ({} candidates)", candidates.len()),
        )
        .at(Place::field("runs"))
        .hint("回数を増やすか、項の少ないモデルにしてください", "take more runs, or a model with fewer terms"));
    }
    let mut chance = Chance::new(seed);
    let mut best: Option<(f64, Vec<usize>)> = None;
    for _ in 0..STARTS {
        let mut chosen: Vec<usize> = (0..runs).map(|_| chance.below(candidates.len())).collect();
        exchange(&rows, &mut chosen)?;
        let volume = Cholesky::exact(&information(&rows, &chosen, 0.0)).map_or(f64::NEG_INFINITY, |f| f.ln_determinant());
        if best.as_ref().is_none_or(|(most, _)| volume > *most + 1e-9) {
            best = Some((volume, chosen));
        }
    }
    let (volume, mut runs_chosen) = best.unwrap_or((f64::NEG_INFINITY, Vec::new()));
    if !volume.is_finite() {
        return Err(Error::new(
            Category::Model,
            "E-CAMPAIGN-044",
            "候補の点ではモデルの係数を互いに区別できません",
            "the candidates cannot tell the coefficients of the model apart",
        )
        .at(Place::field("candidates"))
        .hint("候補を広げるか、項の少ないモデルにしてください", "widen the candidates, or take a model with fewer terms"));
    }
    runs_chosen.sort_unstable();
    Ok(Optimal { runs: runs_chosen, terms: p, efficiency: exp(volume / p as f64) / runs as f64 })
}

/// Terms of a model at a place: coded levels, and for options their difference from the last one.
fn terms(space: &Space, cube: &[f64], model: Model) -> Vec<f64> {
    let mut main: Vec<(usize, f64, bool)> = Vec::new();
    for (f, (factor, columns)) in space.factors().iter().zip(space.columns()).enumerate() {
        let part = &cube[columns.clone()];
        match &factor.kind {
            Kind::Choice { .. } => {
                let last = part[part.len() - 1];
                main.extend(part[..part.len() - 1].iter().map(|c| (f, c - last, false)));
            }
            _ => main.push((f, 2.0 * part[0] - 1.0, true)),
        }
    }
    let mut row = vec![1.0];
    row.extend(main.iter().map(|(_, v, _)| *v));
    if model != Model::Linear {
        for (i, (f, a, _)) in main.iter().enumerate() {
            row.extend(main[..i].iter().filter(|(g, _, _)| g != f).map(|(_, b, _)| a * b));
        }
    }
    if model == Model::Quadratic {
        row.extend(main.iter().filter(|(_, _, bends)| *bends).map(|(_, v, _)| v * v));
    }
    row
}

fn information(rows: &Matrix, chosen: &[usize], ridge: f64) -> Matrix {
    let mut information = Matrix::from_rows(&chosen.iter().map(|i| rows.row(*i)).collect::<Vec<_>>()).gram();
    for i in 0..information.rows() {
        information[(i, i)] += ridge;
    }
    information
}

/// Exchanges runs for candidates as long as the determinant grows.
fn exchange(rows: &Matrix, chosen: &mut [usize]) -> Result<()> {
    let mut inverse = Cholesky::new(&information(rows, chosen, RIDGE))?.inverse();
    for _ in 0..PASSES {
        let mut moved = false;
        for k in 0..chosen.len() {
            let now = rows.row(chosen[k]);
            let image = inverse.times(now);
            let own = dot(now, &image);
            // The determinant grows by the factor 1 + d(x) − d(now) − d(x)·d(now) + d(x, now)².
            let grows = |i: usize| {
                let row = rows.row(i);
                let (d, across) = (dot(row, &inverse.times(row)), dot(row, &image));
                d - own - d * own + across * across
            };
            let best = (0..rows.rows()).map(|i| (grows(i), i)).reduce(|a, b| if b.0 > a.0 { b } else { a });
            if let Some((gain, candidate)) = best
                && gain > 1e-8
                && candidate != chosen[k]
            {
                chosen[k] = candidate;
                inverse = Cholesky::new(&information(rows, chosen, RIDGE))?.inverse();
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Factor;
    use toji_core::unit::Unit;

    fn space(factors: usize) -> Space {
        let one = Unit::parse("1").unwrap();
        Space::new((0..factors).map(|k| Factor::continuous(&format!("x{k}"), one.clone(), -1.0, 1.0)).collect()).unwrap()
    }

    fn grid(factors: usize, levels: usize) -> Vec<Vec<f64>> {
        (0..levels.pow(factors as u32))
            .map(|i| (0..factors).map(|k| (i / levels.pow(k as u32) % levels) as f64 / (levels as f64 - 1.0)).collect())
            .collect()
    }

    #[test]
    fn the_known_optima_are_found() {
        // Main effects of three factors in four runs: the half fraction, orthogonal.
        let found = d_optimal(&space(3), &grid(3, 3), Model::Linear, 4, 1).unwrap();
        assert!((found.efficiency - 1.0).abs() < 1e-12, "{found:?}");
        // A parabola in six runs: both ends and the middle, twice each; |XᵀX| = 2³·4 = 32.
        let found = d_optimal(&space(1), &grid(1, 21), Model::Quadratic, 6, 1).unwrap();
        assert_eq!(found.runs, [0, 0, 10, 10, 20, 20]);
        assert!((found.efficiency - 32_f64.powf(1.0 / 3.0) / 6.0).abs() < 1e-12);
        // Seven factors in eight runs: orthogonal again.
        let found = d_optimal(&space(7), &grid(7, 2), Model::Linear, 8, 1).unwrap();
        assert!((found.efficiency - 1.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn forbidden_corners_are_left_out_and_what_cannot_be_told_is_said() {
        let allowed: Vec<Vec<f64>> = grid(2, 11).into_iter().filter(|p| p[0] + p[1] < 1.55).collect();
        let found = d_optimal(&space(2), &allowed, Model::Quadratic, 9, 3).unwrap();
        assert_eq!(found, d_optimal(&space(2), &allowed, Model::Quadratic, 9, 3).unwrap());
        assert!(found.efficiency > 0.25 && found.runs.len() == 9, "{found:?}");
        assert_eq!(d_optimal(&space(2), &allowed, Model::Quadratic, 5, 3).unwrap_err().code(), "E-CAMPAIGN-043");
        let line: Vec<Vec<f64>> = (0..9).map(|i| vec![f64::from(i) / 8.0; 2]).collect();
        assert_eq!(d_optimal(&space(2), &line, Model::Linear, 5, 3).unwrap_err().code(), "E-CAMPAIGN-044");
    }
}
