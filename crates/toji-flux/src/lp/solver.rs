//! The solver: scaling around the simplex method, checks behind it, and what is tried when a check fails.

use super::certificate::{self, Conflict, Outcome, Standing};
use super::problem::Problem;
use super::rational;
use super::scale::Scale;
use super::simplex::{Place, Simplex, Verdict};
use crate::network::Sense;
use toji_core::error::Category;
use toji_core::{Error, Result};

/// Most rational multiplications spent on a problem of which no answer in floating point passes its check.
const EXACT_LIMIT: usize = 1_000_000;

/// A problem of at most so many rows whose coefficients span so many times is solved without rounding from the basis found: there
/// what the checks let pass can be worth more than they tell. So many rational multiplications are spent on it.
const WIDE_ROWS: usize = 64;
const WIDE_SPAN: f64 = 1e7;
const WIDE_LIMIT: usize = 30_000;

/// A problem with a basis that is kept while costs and bounds change.
#[derive(Debug, Clone)]
pub struct Solver {
    problem: Problem,
    scale: Scale,
    simplex: Simplex,
    /// Power of two by which the scaled costs are multiplied so that the largest is near one; its sign turns maximising
    /// into minimising.
    cost_factor: f64,
    /// Whether trouble made this solver scale its problem anew.
    rescaled: bool,
    /// Whether the problem is small and its coefficients span very much.
    wide: bool,
}

impl Solver {
    /// A solver for a problem, at the basis of logicals.
    ///
    /// # Errors
    /// Those of [`Problem::check`].
    pub fn new(problem: Problem) -> Result<Self> {
        problem.check()?;
        let scale = Scale::geometric(&problem.matrix);
        Ok(Self::with_scale(problem, scale))
    }

    fn with_scale(problem: Problem, scale: Scale) -> Self {
        let (m, n) = (problem.matrix.rows(), problem.matrix.columns());
        let matrix = problem.matrix.scaled(&scale.rows, &scale.columns);
        let (mut lower, mut upper) = (Vec::with_capacity(n + m), Vec::with_capacity(n + m));
        for j in 0..n {
            lower.push(problem.lower[j] / scale.columns[j]);
            upper.push(problem.upper[j] / scale.columns[j]);
        }
        for i in 0..m {
            // Zero minus, lest a zero side become a negative zero.
            lower.push(0.0 - problem.row_upper[i] * scale.rows[i]);
            upper.push(0.0 - problem.row_lower[i] * scale.rows[i]);
        }
        let mut simplex = Simplex::new(matrix, (lower, upper), vec![0.0; n + m]);
        simplex.iteration_limit = 20_000 + 40 * (n + m);
        let wide = m <= WIDE_ROWS && span(&problem) > WIDE_SPAN;
        let mut solver = Self { problem, scale, simplex, cost_factor: 1.0, rescaled: false, wide };
        solver.load_cost();
        solver
    }

    /// The problem as it stands.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Simplex iterations so far.
    #[must_use]
    pub fn iterations(&self) -> usize {
        self.simplex.iterations
    }

    /// A new objective: coefficient by variable, all others zero. Variables out of range are ignored.
    pub fn set_objective(&mut self, sense: Sense, coefficients: &[(usize, f64)]) {
        self.problem.sense = sense;
        self.problem.cost.fill(0.0);
        for &(j, c) in coefficients {
            if let Some(cost) = self.problem.cost.get_mut(j) {
                *cost += c;
            }
        }
        self.load_cost();
    }

    /// New bounds of one variable. A variable out of range is ignored.
    pub fn set_bounds(&mut self, variable: usize, lower: f64, upper: f64) {
        if variable < self.problem.lower.len() && !lower.is_nan() && !upper.is_nan() {
            (self.problem.lower[variable], self.problem.upper[variable]) = (lower, upper);
            let scale = self.scale.columns[variable];
            self.simplex.set_bounds(variable, lower / scale, upper / scale);
        }
    }

    /// Becomes a copy of `base`, a solver of the same matrix: its bounds, objective and basis.
    pub(crate) fn copy_from(&mut self, base: &Self) {
        if self.rescaled || base.rescaled {
            *self = base.clone();
            return;
        }
        self.problem.lower.clone_from(&base.problem.lower);
        self.problem.upper.clone_from(&base.problem.upper);
        self.problem.cost.clone_from(&base.problem.cost);
        self.problem.sense = base.problem.sense;
        self.cost_factor = base.cost_factor;
        self.simplex.copy_from(&base.simplex);
    }

    /// Starts at the basis of these columns (variables, then rows), the other variables near `values`.
    pub(crate) fn start_at(&mut self, basic: &[usize], values: &[f64]) {
        let scale = &self.scale.columns;
        self.simplex.start_at(basic, |j| values[j] / scale[j]);
    }

    /// Makes the factors of the present basis afresh, so that copies start with the cheapest ones.
    pub(crate) fn settle(&mut self) {
        self.simplex.settle();
    }

    /// How all variables change for each unit by which `variable`, out of the basis, moves, the others out of it held.
    /// `None` when it is in the basis, there is none of this number, or the factors cannot be made.
    pub(crate) fn response(&mut self, variable: usize) -> Option<Vec<f64>> {
        let scale = &self.scale.columns;
        let by = *scale.get(variable)?;
        let scaled = self.simplex.response(variable)?;
        Some(scaled.iter().zip(scale).map(|(x, c)| x * c / by).collect())
    }

    fn load_cost(&mut self) {
        let (cost, scale) = (&self.problem.cost, &self.scale.columns);
        let largest = cost.iter().zip(scale).fold(0.0_f64, |a, (c, s)| a.max((c * s).abs()));
        let size = if largest > 0.0 { (-largest.log2().round()).clamp(-500.0, 500.0).exp2() } else { 1.0 };
        self.cost_factor = -self.problem.sense.sign() * size;
        let factor = self.cost_factor;
        self.simplex.set_cost(|j| if cost[j] == 0.0 { 0.0 } else { cost[j] * scale[j] * factor });
    }

    /// Solves from the basis of the last call. A small problem of which no answer passes its check is solved without rounding.
    ///
    /// # Errors
    /// `E-FLUX-012` when no answer passes its check; the problem is then beyond the method's numbers.
    pub fn solve(&mut self) -> Result<Outcome> {
        if let Some(crossed) = self.crossed() {
            let ray = vec![0.0; self.problem.matrix.rows()];
            return Ok(Outcome::Infeasible(Conflict {
                ray,
                distance: crossed.1,
                crossed: Some(crossed.0),
                variables: Vec::new(),
            }));
        }
        let mut last = String::new();
        for attempt in 0..6 {
            match attempt {
                0 => {}
                1 => self.simplex.distrust(),
                2 => {
                    self.simplex.distrust();
                    self.simplex.tighten(1e-4, 1e-7);
                }
                3 => {
                    self.simplex.start_over();
                    self.simplex.tighten(1e-2, 1e-4);
                }
                4 => {
                    *self = Self::with_scale(self.problem.clone(), Scale::none(&self.problem.matrix));
                    self.rescaled = true;
                }
                _ => {
                    *self = Self::with_scale(self.problem.clone(), Scale::geometric(&self.problem.matrix));
                    self.rescaled = true;
                    self.simplex.tighten(1e-3, 1e-6);
                }
            }
            let verdict = self.simplex.run();
            last = match &verdict {
                Verdict::Trouble(why) => format!("{last} {why}"),
                Verdict::Optimal => format!("{last} optimal-unproved"),
                Verdict::Infeasible(_) => format!("{last} infeasible-unproved"),
                Verdict::Unbounded(_) => format!("{last} unbounded-unproved"),
            };
            let outcome = self.proved(verdict);
            self.simplex.tighten(1.0, 1.0);
            match outcome {
                Some(Outcome::Optimal(best)) if self.wide => {
                    let exact = rational::solve(&self.problem, &best.standing, WIDE_LIMIT);
                    return Ok(exact.unwrap_or(Outcome::Optimal(best)));
                }
                Some(outcome) => return Ok(outcome),
                None => {}
            }
        }
        if let Some(outcome) = rational::solve(&self.problem, &self.standing(), EXACT_LIMIT) {
            return Ok(outcome);
        }
        Err(Error::new(
            Category::Model,
            "E-FLUX-012",
            format!("線形計画の答えがどれも検算に通りませんでした({})", last.trim()),
            format!("no answer to the linear programme passed its check ({})", last.trim()),
        )
        .hint(
            "桁の離れた係数や境界を見直すか、境界を有限にしてください",
            "look at coefficients and bounds of very different size, or make bounds finite",
        ))
    }

    fn crossed(&self) -> Option<(usize, f64)> {
        let p = &self.problem;
        let rows = p.row_lower.iter().zip(&p.row_upper);
        p.lower.iter().zip(&p.upper).chain(rows).position(|(l, u)| l > u).map(|at| {
            let n = p.lower.len();
            let (l, u) = if at < n { (p.lower[at], p.upper[at]) } else { (p.row_lower[at - n], p.row_upper[at - n]) };
            (at, l - u)
        })
    }

    fn proved(&mut self, verdict: Verdict) -> Option<Outcome> {
        match verdict {
            Verdict::Optimal => {
                let factor = self.cost_factor;
                let rows = &self.scale.rows;
                let prices = self.simplex.row_prices().iter().zip(rows).map(|(y, r)| y * r / factor).collect();
                let (n, columns) = (self.scale.columns.len(), &self.scale.columns);
                let unit = |j: usize| if j < n { 1.0 / (columns[j] * factor) } else { rows[j - n] / factor }.abs();
                certificate::optimum(&self.problem, self.point(), prices, self.standing(), unit).map(Outcome::Optimal)
            }
            Verdict::Infeasible(mut ray) => {
                drop_noise(&mut ray);
                let ray: Vec<f64> = ray.iter().zip(&self.scale.rows).map(|(y, r)| y * r).collect();
                certificate::conflict(&self.problem, &ray).map(Outcome::Infeasible)
            }
            Verdict::Unbounded(mut ray) => {
                drop_noise(&mut ray);
                let ray: Vec<f64> = ray.iter().zip(&self.scale.columns).map(|(x, c)| x * c).collect();
                certificate::direction(&self.problem, self.point(), &ray).map(Outcome::Unbounded)
            }
            Verdict::Trouble(_) => None,
        }
    }

    fn point(&self) -> Vec<f64> {
        let problem = &self.problem;
        let scaled = self.simplex.x().iter().zip(&self.scale.columns);
        // Values a rounding beyond a bound are put on it: the residual of the rows still tells the truth.
        scaled
            .enumerate()
            .map(|(j, (x, c))| {
                let value = x * c;
                let near = |bound: f64| (value - bound).abs() <= 1e-12 * bound.abs().max(1e-3);
                let (lower, upper) = (problem.lower[j], problem.upper[j]);
                if value < lower && near(lower) {
                    lower
                } else if value > upper && near(upper) {
                    upper
                } else {
                    value
                }
            })
            .collect()
    }

    fn standing(&self) -> Vec<Standing> {
        self.simplex
            .place()
            .iter()
            .enumerate()
            .map(|(j, place)| match (place, j < self.problem.lower.len()) {
                (Place::Basic(_), _) => Standing::Basic,
                (Place::Between, _) => Standing::Between,
                // The logical of a row is the negative of its activity.
                (Place::Lower, true) | (Place::Upper, false) => Standing::Lower,
                (Place::Upper, true) | (Place::Lower, false) => Standing::Upper,
            })
            .collect()
    }
}

/// The largest coefficient over the smallest.
fn span(problem: &Problem) -> f64 {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for j in 0..problem.matrix.columns() {
        for (_, a) in problem.matrix.iter(j).filter(|entry| entry.1 != 0.0) {
            (least, most) = (least.min(a.abs()), most.max(a.abs()));
        }
    }
    most / least
}

/// Entries that are rounding beside the largest become zero; decided where the problem is scaled.
fn drop_noise(ray: &mut [f64]) {
    let largest = ray.iter().fold(0.0_f64, |a, r| a.max(r.abs()));
    for r in ray {
        if r.abs() < 1e-11 * largest {
            *r = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparse::Matrix;

    /// A problem from dense rows.
    pub(super) fn problem(sense: Sense, cost: &[f64], rows: &[(&[f64], f64, f64)], bounds: &[(f64, f64)]) -> Problem {
        let columns: Vec<Vec<(usize, f64)>> =
            (0..cost.len()).map(|j| rows.iter().enumerate().map(|(i, row)| (i, row.0[j])).collect()).collect();
        Problem {
            matrix: Matrix::from_columns(rows.len(), columns.iter().map(Vec::as_slice)).unwrap(),
            lower: bounds.iter().map(|b| b.0).collect(),
            upper: bounds.iter().map(|b| b.1).collect(),
            cost: cost.to_vec(),
            sense,
            row_lower: rows.iter().map(|r| r.1).collect(),
            row_upper: rows.iter().map(|r| r.2).collect(),
        }
    }

    const FREE: f64 = f64::INFINITY;

    #[test]
    fn dantzigs_small_factory() {
        // Hillier & Lieberman's Wyndor Glass: maximum 36 at (2, 6), prices 0, 3/2, 1.
        let p = problem(
            Sense::Maximize,
            &[3.0, 5.0],
            &[(&[1.0, 0.0], -FREE, 4.0), (&[0.0, 2.0], -FREE, 12.0), (&[3.0, 2.0], -FREE, 18.0)],
            &[(0.0, FREE), (0.0, FREE)],
        );
        let best = Solver::new(p).unwrap().solve().unwrap().optimum().unwrap();
        assert!((best.objective - 36.0).abs() < 1e-12);
        assert_eq!(best.primal, vec![2.0, 6.0]);
        for (have, want) in best.prices.iter().zip([0.0, 1.5, 1.0]) {
            assert!((have - want).abs() < 1e-12);
        }
    }

    #[test]
    fn beales_cycle_ends() {
        // Beale's example, which cycles under Dantzig's rule with naive ties: minimum -1/20.
        let p = problem(
            Sense::Minimize,
            &[-0.75, 150.0, -0.02, 6.0],
            &[
                (&[0.25, -60.0, -0.04, 9.0], -FREE, 0.0),
                (&[0.5, -90.0, -0.02, 3.0], -FREE, 0.0),
                (&[0.0, 0.0, 1.0, 0.0], -FREE, 1.0),
            ],
            &[(0.0, FREE); 4],
        );
        let best = Solver::new(p).unwrap().solve().unwrap().optimum().unwrap();
        assert!((best.objective + 0.05).abs() < 1e-12);
    }

    #[test]
    fn what_lies_below_the_tolerance_counts_where_no_bound_limits_its_worth() {
        // The second variable gains less than the tolerance of reduced costs, but can go far: left at zero the objective is
        // 1, wrong by 1.8e-6. The gap does not show it, for the variable has no bound of its own.
        let rows: [(&[f64], f64, f64); 2] = [(&[1.0, 0.0], -FREE, 1.0), (&[0.0, 1.0], -FREE, 3600.0)];
        for (cost, want) in [(5e-10, 1.000_001_8), (-5e-10, 1.0), (5e-13, 1.000_000_001_8)] {
            let p = problem(Sense::Maximize, &[1.0, cost], &rows, &[(0.0, FREE), (0.0, FREE)]);
            let best = Solver::new(p).unwrap().solve().unwrap().optimum().unwrap();
            assert!((best.objective - want).abs() < 1e-14, "{cost}: {}", best.objective);
        }
        // The same through a row: the price of the second row asks for activity that nothing else limits.
        let rows: [(&[f64], f64, f64); 2] = [(&[1.0, 0.0], -FREE, 1.0), (&[1.0, -1.0], 0.0, FREE)];
        let p = problem(Sense::Maximize, &[1.0, -5e-10], &rows, &[(0.0, FREE), (-3600.0, FREE)]);
        let best = Solver::new(p).unwrap().solve().unwrap().optimum().unwrap();
        assert!((best.objective - 1.000_001_8).abs() < 1e-14, "{}", best.objective);
    }

    #[test]
    fn infeasible_and_unbounded_are_proved() {
        let rows: [(&[f64], f64, f64); 2] = [(&[1.0, 1.0], 5.0, FREE), (&[1.0, -1.0], 0.0, 0.0)];
        let p = problem(Sense::Maximize, &[1.0, 0.0], &rows, &[(0.0, 2.0), (0.0, 9.0)]);
        let Outcome::Infeasible(conflict) = Solver::new(p.clone()).unwrap().solve().unwrap() else { panic!("feasible?") };
        assert!(conflict.distance > 0.1 && conflict.crossed.is_none());
        let p = Problem { upper: vec![FREE, FREE], ..p };
        let Outcome::Unbounded(direction) = Solver::new(p.clone()).unwrap().solve().unwrap() else { panic!("bounded?") };
        assert!(direction.gain > 0.0 && (direction.ray[0] - direction.ray[1]).abs() < 1e-12);
        let p = Problem { lower: vec![3.0, 0.0], upper: vec![2.0, 1.0], ..p };
        let Outcome::Infeasible(conflict) = Solver::new(p).unwrap().solve().unwrap() else { panic!("feasible?") };
        assert_eq!(conflict.crossed, Some(0));
    }

    #[test]
    fn warm_starts_after_objective_and_bounds() {
        let rows: [(&[f64], f64, f64); 2] = [(&[1.0, 1.0, 1.0], -FREE, 10.0), (&[1.0, -1.0, 0.0], -2.0, 2.0)];
        let p = problem(Sense::Maximize, &[1.0, 2.0, 0.5], &rows, &[(0.0, 8.0), (0.0, 8.0), (-4.0, 4.0)]);
        let mut solver = Solver::new(p).unwrap();
        let first = solver.solve().unwrap().optimum().unwrap();
        assert!((first.objective - 20.0).abs() < 1e-9, "{first:?}");
        solver.set_bounds(1, 0.0, 3.0);
        let second = solver.solve().unwrap().optimum().unwrap();
        assert!((second.objective - (5.0 + 6.0 + 1.0)).abs() < 1e-9, "{second:?}");
        solver.set_objective(Sense::Minimize, &[(2, 1.0)]);
        assert!((solver.solve().unwrap().optimum().unwrap().objective + 4.0).abs() < 1e-9);
    }

    #[test]
    fn shapes_and_numbers_are_checked() {
        let rows: [(&[f64], f64, f64); 1] = [(&[1.0], 0.0, 0.0)];
        let p = problem(Sense::Maximize, &[1.0], &rows, &[(0.0, 1.0)]);
        let short = Problem { cost: Vec::new(), ..p.clone() };
        assert_eq!(Solver::new(short).unwrap_err().code(), "E-FLUX-010");
        let wild = Problem { lower: vec![f64::NAN], ..p };
        assert_eq!(Solver::new(wild).unwrap_err().code(), "E-FLUX-011");
    }
}
