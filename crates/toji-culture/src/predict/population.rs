//! What differs from run to run: the mean and the spread of parameters among runs, from what is known of each run.
//!
//! Global two-stage estimation (Steimer, Mallet, Golmard and Boisvieux, "Alternative approaches to estimation of
//! population pharmacokinetic parameters", Drug Metab Rev 15:265–292, 1984): each run's estimate counts by its own
//! covariance and the spread among runs together, so that a spread which is only the error of the estimates is not
//! taken for a difference between the runs.

use crate::fit::Posterior;
use crate::linear::{Cholesky, Matrix};
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result};

/// Runs without which a spread among runs is not told.
pub(super) const RUNS_MIN: usize = 3;
/// Rounds of the estimation.
const ROUNDS: usize = 500;

/// What is known of the parameters of one run, on the scale of the search.
#[derive(Debug, Clone, PartialEq)]
pub struct Individual {
    /// Estimates.
    pub at: Vec<f64>,
    /// Their covariance.
    pub covariance: Matrix,
}

impl Individual {
    /// Those of each group of a fit, by name of the group, over the parameters that have a value in each group.
    #[must_use]
    pub fn of_groups(posterior: &Posterior) -> Vec<(String, Self)> {
        let mut groups: Vec<&String> = posterior.unknowns.iter().filter_map(|u| u.group.as_ref()).collect();
        groups.sort();
        groups.dedup();
        let of = |group: &String| {
            let places: Vec<usize> =
                (0..posterior.unknowns.len()).filter(|i| posterior.unknowns[*i].group.as_ref() == Some(group)).collect();
            Self {
                at: places.iter().map(|i| posterior.at[*i]).collect(),
                covariance: Matrix::from_fn(places.len(), places.len(), |i, j| posterior.covariance[(places[i], places[j])]),
            }
        };
        groups.into_iter().map(|group| (group.clone(), of(group))).collect()
    }
}

/// The runs as a population.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    /// Mean.
    pub mean: Vec<f64>,
    /// Covariance among runs.
    pub between: Matrix,
    /// Covariance of the mean.
    pub of_mean: Matrix,
    /// Runs it was told from.
    pub runs: usize,
}

impl Population {
    /// From runs.
    ///
    /// # Errors
    /// Fewer than three runs, or runs with different parameters.
    pub fn of(individuals: &[&Individual]) -> Result<Self> {
        let n = individuals.len();
        let p = individuals.first().map_or(0, |i| i.at.len());
        let alike = individuals.iter().all(|i| i.at.len() == p && i.covariance.rows() == p && i.covariance.columns() == p);
        if n < RUNS_MIN || p == 0 || !alike {
            return Err(Error::input(
                "E-PREDICT-001",
                format!("培養間のばらつきには同じパラメーターを持つ培養が {RUNS_MIN} 回以上必要です（{n} 回）"),
                format!("a spread among runs takes at least {RUNS_MIN} runs with the same parameters, not {n}"),
            )
            .at(Place::field("runs"))
            .hint(
                "培養を増やすか、ばらつきなしの予測にしてください。その場合は新しい培養への予測区間は約束できません",
                "add runs, or forecast without the spread; then nothing is promised for a new run",
            ));
        }
        let mut mean: Vec<f64> = (0..p).map(|k| individuals.iter().map(|i| i.at[k]).sum::<f64>() / n as f64).collect();
        let mut between = Matrix::zeros(p, p);
        for individual in individuals {
            for a in 0..p {
                for b in 0..p {
                    between[(a, b)] += (individual.at[a] - mean[a]) * (individual.at[b] - mean[b]) / (n - 1) as f64;
                }
            }
        }
        let mut of_mean = Matrix::zeros(p, p);
        for _ in 0..ROUNDS {
            let weights = individuals
                .iter()
                .map(|i| Ok(Cholesky::new(&sum(&i.covariance, &between))?.inverse()))
                .collect::<Result<Vec<_>>>()?;
            let mut total = Matrix::zeros(p, p);
            let mut weighted = vec![0.0; p];
            for (individual, weight) in individuals.iter().zip(&weights) {
                total = sum(&total, weight);
                for (sum, part) in weighted.iter_mut().zip(weight.times(&individual.at)) {
                    *sum += part;
                }
            }
            let factor = Cholesky::new(&total)?;
            mean = factor.solve(&weighted);
            of_mean = factor.inverse();
            let mut next = Matrix::zeros(p, p);
            for (individual, weight) in individuals.iter().zip(&weights) {
                let off: Vec<f64> = individual.at.iter().zip(&mean).map(|(a, m)| a - m).collect();
                // What is expected of the run once both are known, and what stays open.
                let pulled = between.times(&weight.times(&off));
                let taken = between.product(weight).product(&between);
                for a in 0..p {
                    for b in 0..p {
                        next[(a, b)] += pulled[a] * pulled[b] / (n - 1) as f64 + (between[(a, b)] - taken[(a, b)]) / n as f64;
                    }
                }
            }
            let moved = (0..p).map(|a| (next[(a, a)] - between[(a, a)]).abs() / (between[(a, a)] + 1e-12)).fold(0.0, f64::max);
            between = next;
            if moved < 1e-6 {
                break;
            }
        }
        Ok(Self { mean, between, of_mean, runs: n })
    }

    /// Parameters of a run that is not among them: the mean as far as it is known, and the spread as far as so few runs
    /// tell it (a multivariate t of `runs − 1` degrees of freedom).
    ///
    /// # Errors
    /// A covariance that cannot be factored.
    pub fn draws(&self, n: usize, chance: &mut Chance) -> Result<Vec<Vec<f64>>> {
        let (between, of_mean) = (root(&self.between)?, root(&self.of_mean)?);
        let p = self.mean.len();
        let freedom = self.runs - 1;
        let normals = |chance: &mut Chance| -> Vec<f64> { (0..p).map(|_| chance.normal()).collect() };
        Ok((0..n)
            .map(|_| {
                let (off, of_mean) = (between.times(&normals(chance)), of_mean.times(&normals(chance)));
                let chi2: f64 = (0..freedom).map(|_| chance.normal()).map(|z| z * z).sum();
                let wider = (freedom as f64 / chi2.max(1e-3)).sqrt();
                self.mean.iter().zip(off.iter().zip(of_mean)).map(|(m, (o, e))| m + wider * o + e).collect()
            })
            .collect())
    }
}

fn sum(a: &Matrix, b: &Matrix) -> Matrix {
    Matrix::from_fn(a.rows(), a.columns(), |i, j| a[(i, j)] + b[(i, j)])
}

/// A factor of a covariance that may be nothing in some directions.
pub(super) fn root(matrix: &Matrix) -> Result<Cholesky> {
    let most = (0..matrix.rows()).map(|i| matrix[(i, i)]).fold(0.0, f64::max);
    let least = 1e-10 * most + 1e-18;
    Cholesky::new(&Matrix::from_fn(matrix.rows(), matrix.columns(), |i, j| matrix[(i, j)] + if i == j { least } else { 0.0 }))
}
