//! One descent from what is known beforehand: the most probable parameters and the curvature there, for estimates that
//! are needed while a culture runs. No search from many starts and no profiles: the priors bound it.

use super::descend::descend;
use super::landscape::Landscape;
use super::problem::Problem;
use crate::linear::{Cholesky, Matrix};
use toji_core::{Category, Error, Result};

/// Where a descent settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// Parameters in the order of the unknowns.
    pub values: Vec<f64>,
    /// The same on the scale of the search: logarithms where that is logarithmic.
    pub at: Vec<f64>,
    /// Covariance on that scale, by the curvature.
    pub covariance: Matrix,
    /// Did it end because nothing fell any more?
    pub converged: bool,
}

impl Problem<'_> {
    /// Descends from the means of the priors; from the middle of the bounds where there is none.
    ///
    /// # Errors
    /// The model cannot be simulated there, or the data and priors do not bound every parameter.
    pub fn settle(&self) -> Result<Settled> {
        let from: Vec<f64> = self
            .unknowns
            .iter()
            .map(|u| {
                let (low, high) = u.unknown.bounds();
                u.prior.map_or(0.5 * (low + high), |p| p.mean.clamp(low, high))
            })
            .collect();
        let found = descend(self, &from, &[])?;
        let n = self.unknowns.len();
        let matrix = Matrix::from_fn(n, n, |i, j| found.local.curvature[i * n + j]);
        let factor = Cholesky::exact(&matrix).ok_or_else(|| {
            Error::new(
                Category::Model,
                "E-FIT-003",
                "測定値と事前分布がすべてのパラメーターを決めるには足りません",
                "measurements and priors do not bound every parameter",
            )
            .hint("すべてのパラメーターに事前分布を与えてください", "give every parameter a prior")
        })?;
        Ok(Settled {
            values: self.unknowns().iter().zip(&found.at).map(|(u, a)| u.outward(*a)).collect(),
            at: found.at,
            covariance: factor.inverse(),
            converged: found.converged,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::fit::{Measured, Noise, Parameter, Prior, Problem, Reading, Run, Scale};
    use crate::kernel::{Definition, Expression, Options, Quantity, Role, System};

    /// y = a at one instant, measured twice: the normal posterior by hand.
    #[test]
    fn a_normal_prior_and_normal_readings_give_their_weighted_mean() {
        let quantities = vec![
            Quantity { name: "a".into(), role: Role::Constant(Expression::Number(1.0)) },
            Quantity { name: "y".into(), role: Role::State { initial: Expression::name("a"), rate: Expression::Number(0.0) } },
        ];
        let system = System::compile(&Definition { quantities, events: vec![] }).unwrap();
        let prior = Some(Prior { mean: 1.0, sd: 0.5 });
        let parameter = Parameter { name: "a".into(), scale: Scale::Linear, low: -9.0, high: 9.0, prior, by_group: false };
        let read = |value: f64, sd: f64| Measured {
            quantity: "y".into(),
            time: 1.0,
            reading: Reading::Value(value),
            noise: Noise::Known(sd),
        };
        let run = Run {
            system: None,
            name: "r".into(),
            group: String::new(),
            set: vec![],
            measured: vec![read(2.0, 0.5), read(3.0, 0.25)],
        };
        let problem = Problem::new(&system, &[parameter], &[run], 0.0, Options::default()).unwrap();
        let settled = problem.settle().unwrap();
        // Precisions 4, 4 and 16: (4·1 + 4·2 + 16·3)/24 = 2.5, variance 1/24.
        assert!((settled.values[0] - 2.5).abs() < 1e-8, "{settled:?}");
        assert!((settled.covariance[(0, 0)] - 1.0 / 24.0).abs() < 1e-9 && settled.converged, "{settled:?}");
    }
}
