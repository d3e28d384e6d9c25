//! Nearest points: the separable quadratic programmes that adjustments ask for.
//!
//! Minimise `½ Σ w (x − r)²` over `A x = b`, `lower ≤ x ≤ upper`. An interior-point method comes near, rounds on its active
//! bounds make the answer sharp, and a dual bound, worked out anew from the prices alone, says how good it is.

mod interior;
mod normal;

use crate::compress::Compressed;
use crate::lp::{Outcome, Problem, Solver, activity};
use crate::network::{Network, Sense};
use crate::sparse::Matrix;
use toji_core::error::Category;
use toji_core::{Error, Result};

/// Gap beyond this, relative to one plus the objective, is no answer.
const ACCEPT: f64 = 1e-8;
/// Residuals beyond this, relative to one plus the terms, are no answer.
const ACCEPT_RESIDUAL: f64 = 1e-9;

/// The programme. Every row is an equation.
#[derive(Debug, Clone)]
struct Nearest {
    matrix: Matrix,
    right: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    /// Weight of each column; zero for one that has no wish.
    weight: Vec<f64>,
    target: Vec<f64>,
}

/// A point with row prices.
#[derive(Debug, Clone)]
struct Pair {
    x: Vec<f64>,
    y: Vec<f64>,
}

/// How good a pair is.
#[derive(Debug, Clone, Copy)]
struct Quality {
    value: f64,
    gap: f64,
    /// Largest miss of a row, relative to one plus its terms.
    residual: f64,
}

impl Nearest {
    fn pull(&self, y: &[f64], j: usize) -> f64 {
        self.matrix.column_dot(j, y)
    }

    fn value(&self, x: &[f64]) -> f64 {
        (0..x.len()).map(|j| 0.5 * self.weight[j] * (x[j] - self.target[j]).powi(2)).sum()
    }

    /// Where the prices alone would have a column stand.
    fn wish(&self, y: &[f64], j: usize, x: f64) -> f64 {
        let pull = self.pull(y, j);
        if self.weight[j] > 0.0 {
            (self.target[j] + pull / self.weight[j]).max(self.lower[j]).min(self.upper[j])
        } else {
            let end = if pull > 0.0 { self.upper[j] } else { self.lower[j] };
            // Without a bound the pull can only be rounding; what it is worth is counted at the point.
            if pull == 0.0 || !end.is_finite() { x } else { end }
        }
    }

    /// The Lagrangian bound of the prices against the value of the point.
    fn quality(&self, pair: &Pair) -> Quality {
        let (mut rows, mut size) = (vec![0.0; self.right.len()], vec![0.0_f64; self.right.len()]);
        for (j, &x) in pair.x.iter().enumerate() {
            for (i, a) in self.matrix.iter(j) {
                rows[i] += a * x;
                size[i] = size[i].max((a * x).abs());
            }
        }
        let residual = (0..rows.len()).map(|i| (rows[i] - self.right[i]).abs() / (1.0 + size[i])).fold(0.0, f64::max);
        // value − bound, summed by column so that what is large cancels first.
        let mut gap: f64 = (0..rows.len()).map(|i| (rows[i] - self.right[i]) * pair.y[i]).sum();
        for (j, &x) in pair.x.iter().enumerate() {
            let best = self.wish(&pair.y, j, x);
            let (w, r) = (self.weight[j], self.target[j]);
            // ½w(x−r)² − pull·x, less the same at the best place.
            gap += (x - best) * (0.5 * w * (x + best - 2.0 * r) - self.pull(&pair.y, j));
        }
        Quality { value: self.value(&pair.x), gap, residual }
    }
}

/// Fluxes nearest to a reference by the sum of squares.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Nearby {
    /// Value of the network's objective at these fluxes.
    pub objective: f64,
    /// Sum of the squared differences from the reference.
    pub distance: f64,
    /// The fluxes.
    pub fluxes: Vec<f64>,
    /// Difference between half the distance and the bound that the row prices prove, absolute.
    pub duality_gap: f64,
    /// No flux is farther from the exact answer than this: the square root of twice the gap, for the programme is strongly
    /// convex.
    pub error: f64,
    /// Largest violation of a row or bound, relative to one plus the largest of its terms.
    pub max_residual: f64,
}

/// Minimisation of metabolic adjustment (MOMA: Segrè, Vitkup and Church, PNAS 99, 2002, 15112–15117): of the fluxes that the
/// network allows, the ones whose squared differences from `reference` (of the unchanged network, same order and unit) sum to
/// least. They are unique. An infeasible network is answered by its conflict.
///
/// # Errors
/// `E-FLUX-033`: the reference is not one finite flux for each reaction; `E-FLUX-083` when no answer passes its check;
/// otherwise as for [`super::fba`].
pub fn moma(network: &Network, reference: &[f64]) -> Result<Result<Nearby, Outcome>> {
    super::fba::check_fluxes(network, reference)?;
    let problem = Problem::from(network);
    let small = Compressed::new(&problem);
    let mut feasible = Solver::new(small.problem.clone())?;
    feasible.set_objective(Sense::Minimize, &[]);
    let start = match feasible.solve()? {
        Outcome::Optimal(best) => best.primal,
        other => return Ok(Err(other)),
    };
    let nearest = programme(&small, reference);
    let mut start = start;
    start.resize(nearest.weight.len(), 0.0);
    let pair = interior::solve(&nearest, start);
    let quality = nearest.quality(&pair);
    let fluxes = small.expand(&pair.x[..small.problem.matrix.columns()]);
    let mut residual = quality.residual;
    for (i, (sum, size)) in activity(&problem, &fluxes).into_iter().enumerate() {
        let fault = (problem.row_lower[i] - sum).max(sum - problem.row_upper[i]).max(0.0);
        residual = residual.max(fault / (1.0 + size));
    }
    for (j, v) in fluxes.iter().enumerate() {
        residual = residual.max((problem.lower[j] - v).max(v - problem.upper[j]).max(0.0) / (1.0 + v.abs()));
    }
    let gap = quality.gap.abs();
    let sound = gap <= ACCEPT * (1.0 + quality.value) && residual <= ACCEPT_RESIDUAL;
    if !sound {
        return Err(Error::new(
            Category::Model,
            "E-FLUX-083",
            format!("二次計画の答えが検算に通りませんでした(隔たり {gap:e}、残差 {residual:e})"),
            format!("the answer to the quadratic programme did not pass its check (gap {gap:e}, residual {residual:e})"),
        )
        .hint(
            "桁の離れた係数や境界を見直すか、線形の方法を使ってください",
            "look at coefficients and bounds of very different size, or use the linear form",
        ));
    }
    // A compressed column of weight w moves fluxes by its factors, none by more than the square root of the weight.
    let objective = fluxes.iter().zip(&network.objective).map(|(v, c)| v * c).sum();
    let distance = fluxes.iter().zip(reference).map(|(v, r)| (v - r).powi(2)).sum();
    Ok(Ok(Nearby { objective, distance, fluxes, duality_gap: gap, error: (2.0 * gap).sqrt(), max_residual: residual }))
}

/// The programme on compressed columns: a column stands for members `f x`, so that `Σ (f x − r)²` is one square and a
/// constant. A row whose sides differ gets a column for its activity.
fn programme(small: &Compressed, reference: &[f64]) -> Nearest {
    let p = &small.problem;
    let (mut weight, mut target) = (Vec::new(), Vec::new());
    for members in &small.members {
        let w: f64 = members.iter().map(|&(_, f)| f * f).sum();
        weight.push(w);
        target.push(members.iter().map(|&(j, f)| f * reference[j]).sum::<f64>() / w);
    }
    let mut columns: Vec<Vec<(usize, f64)>> = (0..weight.len()).map(|j| p.matrix.iter(j).collect()).collect();
    let (mut lower, mut upper, mut right) = (p.lower.clone(), p.upper.clone(), p.row_lower.clone());
    for i in (0..p.matrix.rows()).filter(|&i| p.row_lower[i] != p.row_upper[i]) {
        columns.push(vec![(i, -1.0)]);
        lower.push(p.row_lower[i]);
        upper.push(p.row_upper[i]);
        weight.push(0.0);
        target.push(0.0);
        right[i] = 0.0;
    }
    let matrix = Matrix::from_columns(p.matrix.rows(), columns.iter().map(Vec::as_slice)).unwrap_or_else(|| p.matrix.clone());
    Nearest { matrix, right, lower, upper, weight, target }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Column;

    type Short<'a> = (&'a [(usize, f64)], f64, f64);

    fn network(columns: &[Short<'_>], rows: usize) -> Network {
        let list = columns.iter().map(|&(stoichiometry, lower, upper)| Column { stoichiometry, lower, upper, objective: 0.0 });
        Network::new(rows, Sense::Maximize, list).unwrap()
    }

    #[test]
    fn a_projection_worked_out_by_hand() {
        // in = a + b; reference in 10, a 10, b 0; in ≤ 6. Without bounds: minimise (a+b−10)² + (a−10)² + b².
        let columns: [Short<'_>; 3] = [(&[(0, 1.0)], 0.0, 6.0), (&[(0, -1.0)], 0.0, 100.0), (&[(0, -1.0)], -100.0, 100.0)];
        let found = moma(&network(&columns, 1), &[10.0, 10.0, 0.0]).unwrap().unwrap();
        // in = 6 active: a − 10 = b, a + b = 6: a = 8, b = −2; distance 16 + 4 + 4.
        for (have, want) in found.fluxes.iter().zip([6.0, 8.0, -2.0]) {
            assert!((have - want).abs() < 1e-11, "{found:?}");
        }
        assert!((found.distance - 24.0).abs() < 1e-10 && found.duality_gap < 1e-12 && found.error < 1e-5, "{found:?}");
        // With b held at zero or more: a = 6, b = 0, and a member that is coupled weighs with its own reference.
        let columns: [Short<'_>; 4] = [
            (&[(0, 1.0)], 0.0, 9.0),
            (&[(0, -1.0), (1, 2.0)], 0.0, 100.0),
            (&[(0, -1.0)], 0.0, 100.0),
            (&[(1, -1.0)], 0.0, 100.0),
        ];
        let found = moma(&network(&columns, 2), &[6.0, 6.0, 0.0, 0.0]).unwrap().unwrap();
        // v = (t + s, t, s, 2t): minimise (t+s−6)² + (t−6)² + s² + 4t²: s = 6−t over 2, then t = 18/11... by calculus:
        // s = (6 − t)/2; derivative in t: (t+s−6) + (t−6) + 4t = 0 → 6t + s = 12 → 5.5 t = 9.
        let t = 9.0 / 5.5;
        let s = (6.0 - t) / 2.0;
        for (have, want) in found.fluxes.iter().zip([t + s, t, s, 2.0 * t]) {
            assert!((have - want).abs() < 1e-11, "{found:?}");
        }
    }

    #[test]
    fn a_row_with_two_sides_and_an_infeasible_network() {
        let columns: [Short<'_>; 2] = [(&[(0, 1.0)], -10.0, 10.0), (&[(0, 1.0)], -10.0, 10.0)];
        let mut n = network(&columns, 1);
        (n.row_lower[0], n.row_upper[0]) = (f64::NEG_INFINITY, 3.0);
        let found = moma(&n, &[4.0, 1.0]).unwrap().unwrap();
        assert!((found.fluxes[0] - 3.0).abs() < 1e-10 && found.fluxes[1].abs() < 1e-10, "{found:?}");
        let found = moma(&n, &[1.0, 1.0]).unwrap().unwrap();
        assert!(found.distance < 1e-12, "{found:?}");
        (n.row_lower[0], n.row_upper[0]) = (50.0, 60.0);
        assert!(matches!(moma(&n, &[1.0, 1.0]).unwrap(), Err(Outcome::Infeasible(_))));
        assert_eq!(moma(&n, &[1.0]).unwrap_err().code(), "E-FLUX-033");
    }
}
