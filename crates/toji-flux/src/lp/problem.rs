//! A linear programme as it is asked.

use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use toji_core::{Error, Result};

/// Optimise `cost · x` over `row_lower ≤ A x ≤ row_upper`, `lower ≤ x ≤ upper`.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The coefficients `A`.
    pub matrix: Matrix,
    /// Lower bounds of the variables, `-∞` allowed.
    pub lower: Vec<f64>,
    /// Upper bounds of the variables, `+∞` allowed.
    pub upper: Vec<f64>,
    /// Objective coefficients.
    pub cost: Vec<f64>,
    /// Direction of the objective.
    pub sense: Sense,
    /// Lower sides of the rows, `-∞` allowed.
    pub row_lower: Vec<f64>,
    /// Upper sides of the rows, `+∞` allowed.
    pub row_upper: Vec<f64>,
}

impl Problem {
    /// Checks the shapes and that every number is one.
    ///
    /// # Errors
    /// `E-FLUX-010` when a vector has the wrong length, `E-FLUX-011` when a coefficient is not finite or a bound is NaN or
    /// infinite on the wrong side.
    pub fn check(&self) -> Result<()> {
        let (m, n) = (self.matrix.rows(), self.matrix.columns());
        let shapes = [
            (self.lower.len(), n),
            (self.upper.len(), n),
            (self.cost.len(), n),
            (self.row_lower.len(), m),
            (self.row_upper.len(), m),
        ];
        if shapes.iter().any(|(have, want)| have != want) {
            return Err(Error::input(
                "E-FLUX-010",
                format!("ベクトルの長さが行列({m} 行 {n} 列)に合いません"),
                format!("a vector does not have the length that the matrix ({m} rows, {n} columns) asks for"),
            ));
        }
        let finite =
            self.cost.iter().all(|c| c.is_finite()) && (0..n).all(|j| self.matrix.column(j).1.iter().all(|v| v.is_finite()));
        let low = |v: &f64| !v.is_nan() && *v != f64::INFINITY;
        let high = |v: &f64| !v.is_nan() && *v != f64::NEG_INFINITY;
        let bounds = self.lower.iter().chain(&self.row_lower).all(low) && self.upper.iter().chain(&self.row_upper).all(high);
        if finite && bounds {
            return Ok(());
        }
        Err(Error::input(
            "E-FLUX-011",
            "係数または境界が数ではありません",
            "a coefficient is not finite, or a bound is not a number or infinite on the wrong side",
        )
        .hint(
            "係数は有限、下限は +∞ 以外、上限は −∞ 以外にしてください",
            "use finite coefficients, lower bounds below +infinity, upper bounds above -infinity",
        ))
    }
}

impl From<&Network> for Problem {
    fn from(network: &Network) -> Self {
        Self {
            matrix: network.stoichiometry.clone(),
            lower: network.lower.clone(),
            upper: network.upper.clone(),
            cost: network.objective.clone(),
            sense: network.sense,
            row_lower: network.row_lower.clone(),
            row_upper: network.row_upper.clone(),
        }
    }
}
