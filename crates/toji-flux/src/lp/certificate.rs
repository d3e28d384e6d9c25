//! What an answer is and what proves it, on the problem as it was asked.

use super::problem::Problem;
use serde::{Deserialize, Serialize};

/// Reduced costs beyond this, relative to the size of the terms they are the sum of, fail the check.
const ACCEPT: f64 = 1e-8;
/// Residuals beyond this, relative to the size of the terms they are the sum of, fail the check.
const ACCEPT_RESIDUAL: f64 = 2e-9;
/// Doubt about the objective beyond this, relative to it, fails the check.
const ACCEPT_DOUBT: f64 = 1e-7;

/// Reduced costs that ask a variable without a bound to move fail the check beyond this, relative to the terms they are the
/// sum of: what such a fault is worth has no limit, so that no gap shows it.
const ACCEPT_OPEN: f64 = 1e-9;
/// Rounding of the prices where the costs are scaled to one: below this a fault on a variable without cost is no fault.
const ROUNDING: f64 = 1e-12;

/// Answer to a linear programme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase", tag = "status")]
pub enum Outcome {
    /// An optimum and its dual.
    Optimal(Optimum),
    /// No point satisfies all bounds, and why.
    Infeasible(Conflict),
    /// The objective has no limit, and along which direction.
    Unbounded(Direction),
}

impl Outcome {
    /// The optimum, if there is one.
    #[must_use]
    pub fn optimum(self) -> Option<Optimum> {
        match self {
            Self::Optimal(optimum) => Some(optimum),
            _ => None,
        }
    }
}

/// Where a variable stands in the final basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Determined by the others.
    Basic,
    /// At its lower bound.
    Lower,
    /// At its upper bound.
    Upper,
    /// Held between its bounds; moving it changes nothing.
    Between,
}

/// An optimal point with its dual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Optimum {
    /// Value of the objective.
    pub objective: f64,
    /// The point, one value for each variable.
    pub primal: Vec<f64>,
    /// Row prices: change of the objective with the right-hand side of each row.
    pub prices: Vec<f64>,
    /// Reduced costs `cost − Aᵀ prices`: change of the objective with the bound at which a variable stands.
    pub reduced_costs: Vec<f64>,
    /// Final basis: standing of each variable, then of each row's activity.
    pub standing: Vec<Standing>,
    /// How far the numbers are from a perfect proof.
    pub proof: Proof,
}

/// Residuals of an optimum on the problem as asked. All are zero for exact numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Proof {
    /// Largest violation of a row or a bound, absolute.
    pub max_primal_residual: f64,
    /// Largest reduced cost with the wrong sign for where its variable stands, absolute.
    pub max_dual_infeasibility: f64,
    /// Difference between the objective of the point and the bound that the prices prove, absolute.
    pub duality_gap: f64,
}

/// Why no point satisfies all bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Conflict {
    /// Weights of the rows (Farkas): the weighted sum of the rows cannot reach the weighted sum of their sides while the
    /// variables keep their bounds. All zero when `crossed` names the reason.
    pub ray: Vec<f64>,
    /// By how much the weighted sum misses, with the largest weight equal to one.
    pub distance: f64,
    /// A variable (or, counted on from the variables, a row) whose lower bound lies above its upper bound.
    pub crossed: Option<usize>,
    /// Variables with a weight in the conflict, the bounds that clash: empty when `crossed` is the reason.
    pub variables: Vec<usize>,
}

impl Conflict {
    /// The conflict that weights of the rows prove; `None` when they prove nothing.
    pub(crate) fn of(problem: &Problem, ray: &[f64]) -> Option<Self> {
        conflict(problem, ray)
    }
}

/// A direction along which the objective improves for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Direction {
    /// A feasible point to start from.
    pub from: Vec<f64>,
    /// Change of each variable.
    pub ray: Vec<f64>,
    /// Change of the objective along the ray.
    pub gain: f64,
}

/// Whether a reduced cost that asks a variable to move where it has no bound is more than rounding. `size` is the largest of
/// the terms it is the sum of, `cost` the variable's own, `unit` what one is where the problem is scaled.
fn asks(fault: f64, cost: f64, size: f64, unit: f64) -> bool {
    let told = fault > ROUNDING * unit || (cost != 0.0 && fault > 1e-6 * cost.abs());
    fault > ACCEPT_OPEN * size && told
}

/// The certificate of an optimum, `None` when it proves too little. `standing` tells the basis; `unit` tells of each
/// variable, then of each row, what a reduced cost of one is where the problem is scaled.
pub(super) fn optimum(
    problem: &Problem,
    primal: Vec<f64>,
    prices: Vec<f64>,
    standing: Vec<Standing>,
    unit: impl Fn(usize) -> f64,
) -> Option<Optimum> {
    let (optimum, trusted) = weighed(problem, primal, prices, standing, unit);
    trusted.then_some(optimum)
}

/// An optimum with its residuals, and whether they prove it.
pub(super) fn weighed(
    problem: &Problem,
    primal: Vec<f64>,
    prices: Vec<f64>,
    standing: Vec<Standing>,
    unit: impl Fn(usize) -> f64,
) -> (Optimum, bool) {
    let activity = activity(problem, &primal);
    // `doubt`: what the violations could be worth at the prices.
    let (mut residual, mut trusted, mut doubt) = (0.0_f64, true, 0.0);
    for (i, &(sum, size)) in activity.iter().enumerate() {
        let violation = (problem.row_lower[i] - sum).max(sum - problem.row_upper[i]).max(0.0);
        residual = residual.max(violation);
        trusted &= violation <= ACCEPT_RESIDUAL * (1.0 + size);
        doubt += violation * prices[i].abs();
    }
    let sign = problem.sense.sign();
    let (mut wrong, mut bound, mut objective, mut scale) = (0.0_f64, 0.0, 0.0, 1.0_f64);
    let mut reduced_costs = Vec::with_capacity(primal.len());
    let largest = problem.cost.iter().fold(0.0_f64, |a, c| a.max(c.abs()));
    for (j, &x) in primal.iter().enumerate() {
        let cost = problem.cost[j];
        let (mut d, mut size) = (cost, cost.abs());
        for (i, a) in problem.matrix.iter(j) {
            d -= a * prices[i];
            size = size.max((a * prices[i]).abs());
        }
        reduced_costs.push(d);
        let violation = (problem.lower[j] - x).max(x - problem.upper[j]).max(0.0);
        residual = residual.max(violation);
        trusted &= violation <= ACCEPT_RESIDUAL * (1.0 + x.abs());
        doubt += violation * d.abs();
        objective += cost * x;
        scale = scale.max((cost * x).abs());
        let (part, fault) = dual_part(sign * d, problem.lower[j], problem.upper[j], x);
        bound += sign * part;
        wrong = wrong.max(fault);
        trusted &= fault <= ACCEPT * (1e-3 + size.max(largest)) && !asks(fault, cost, size, unit(j));
    }
    for (i, &(sum, _)) in activity.iter().enumerate() {
        // A row's activity has the reduced cost of its price: the objective gains `price` for each unit of activity.
        let (part, fault) = dual_part(sign * prices[i], problem.row_lower[i], problem.row_upper[i], sum);
        bound += sign * part;
        wrong = wrong.max(fault);
        trusted &= fault <= ACCEPT * (1e-3 + prices[i].abs().max(largest)) && !asks(fault, 0.0, fault, unit(primal.len() + i));
    }
    let gap = (bound - objective).abs();
    trusted &= gap + doubt <= ACCEPT_DOUBT * (1.0 + objective.abs()) + 1e-13 * scale;
    let proof = Proof { max_primal_residual: residual, max_dual_infeasibility: wrong, duality_gap: gap };
    (Optimum { objective, primal, prices, reduced_costs, standing, proof }, trusted)
}

/// The most that `gain · x` reaches within the bounds; where that has no limit, its value at `x` and the gain as a fault.
fn dual_part(gain: f64, lower: f64, upper: f64, x: f64) -> (f64, f64) {
    let best = if gain > 0.0 { upper } else { lower };
    if gain == 0.0 {
        (0.0, 0.0)
    } else if best.is_finite() {
        (gain * best, 0.0)
    } else {
        (gain * x, gain.abs())
    }
}

/// Sum and largest term of each row.
pub(crate) fn activity(problem: &Problem, x: &[f64]) -> Vec<(f64, f64)> {
    let mut rows = vec![(0.0, 0.0_f64); problem.matrix.rows()];
    for (j, &value) in x.iter().enumerate() {
        if value != 0.0 {
            for (i, a) in problem.matrix.iter(j) {
                rows[i].0 += a * value;
                rows[i].1 = rows[i].1.max((a * value).abs());
            }
        }
    }
    rows
}

/// The certificate of an infeasible problem, `None` when the weights prove nothing.
pub(super) fn conflict(problem: &Problem, ray: &[f64]) -> Option<Conflict> {
    let largest = ray.iter().fold(0.0_f64, |a, r| a.max(r.abs()));
    if !(largest > 0.0 && largest.is_finite()) {
        return None;
    }
    let ray: Vec<f64> = ray.iter().map(|r| r / largest).collect();
    // Σ ray·(A x) over the box of x, less Σ ray·activity over the sides of the rows, must not contain zero. `rounding`: what
    // the arithmetic here may be wrong by.
    let (mut low, mut high, mut size, mut sum, mut rounding) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
    let mut add = |weight: f64, lower: f64, upper: f64, error: f64| {
        let (a, b) = if weight > 0.0 { (weight * lower, weight * upper) } else { (weight * upper, weight * lower) };
        low += a;
        high += b;
        for (part, bound) in [(a, lower), (b, upper)] {
            if part.is_finite() {
                size = size.max(part.abs());
                sum += part.abs();
            }
            if bound.is_finite() {
                rounding += error * bound.abs();
            }
        }
    };
    let mut variables = Vec::new();
    let mut sure = true;
    for j in 0..problem.lower.len() {
        let (mut weight, mut terms, mut all, mut count) = (0.0_f64, 0.0_f64, 0.0_f64, 1.0);
        for (i, a) in problem.matrix.iter(j) {
            weight += a * ray[i];
            terms = terms.max((a * ray[i]).abs());
            all += (a * ray[i]).abs();
            count += 1.0;
        }
        let error = f64::EPSILON * count * all;
        let noise = weight.abs() <= 1e-9 * terms;
        let open = problem.lower[j].is_infinite() || problem.upper[j].is_infinite();
        sure &= !(open && all > 0.0 && weight.abs() <= error);
        if weight != 0.0 && !(noise && open) {
            add(weight, problem.lower[j], problem.upper[j], error);
            if !noise {
                variables.push(j);
            }
        } else if weight != 0.0 {
            sure = false;
        } else if !open {
            add(0.0, problem.lower[j], problem.upper[j], error);
        }
    }
    for (i, &r) in ray.iter().enumerate() {
        if r != 0.0 {
            add(-r, problem.row_lower[i], problem.row_upper[i], f64::EPSILON * r.abs());
        }
    }
    rounding += f64::EPSILON * (problem.lower.len() + ray.len()) as f64 * sum;
    let distance = low.max(-high);
    // A column without a bound whose weight cannot be told from zero is trusted to have none only where much is proved.
    let least = if sure { 4.0 * rounding } else { 1e-9 * (1e-2 + size) };
    (distance > least || sharp(problem, &ray)).then_some(Conflict { ray, distance, crossed: None, variables })
}

/// Whether weights prove a conflict when every rounding is accounted for where it happens. Costs more than [`conflict`] does,
/// but sees what is small beside the bounds: with a coefficient of 2e-6 (biotin in biomass) and a limit of 1e-3 all that
/// is proved is 2e-9, beside flux bounds of a thousand.
///
/// The weight of a variable is summed with twice the digits and kept as an interval; of the sides of a box only the one that
/// is reached counts.
fn sharp(problem: &Problem, ray: &[f64]) -> bool {
    // Least sums of the weighted rows and of their negative, and what their own sums may be wrong by.
    let (mut least, mut slips) = ([0.0_f64; 2], [0.0_f64; 2]);
    let mut add = |weight: f64, error: f64, lower: f64, upper: f64| {
        for (k, weight) in [weight, -weight].into_iter().enumerate() {
            let reach = |w: f64| {
                if w > 0.0 {
                    w * lower
                } else if w < 0.0 {
                    w * upper
                } else {
                    0.0
                }
            };
            let term = reach(weight - error).min(reach(weight + error));
            least[k] += term;
            slips[k] += term.abs();
        }
    };
    let mut count = 0.0;
    for j in 0..problem.lower.len() {
        let (mut sum, mut rest, mut size, mut terms, mut exact) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0, true);
        for (i, a) in problem.matrix.iter(j) {
            if ray[i] != 0.0 {
                let product = a * ray[i];
                let total = sum + product;
                let part = total - sum;
                // What the product and the sum leave out (Knuth; Dekker): both are numbers.
                let left_out = (a.mul_add(ray[i], -product), (sum - (total - part)) + (product - part));
                exact &= left_out == (0.0, 0.0);
                rest += left_out.0 + left_out.1;
                (sum, size, terms) = (total, size + product.abs(), terms + 1.0);
            }
        }
        if terms > 0.0 {
            count += 1.0;
            let weight = sum + rest;
            let error = if exact { 0.0 } else { f64::EPSILON * (weight.abs() + 8.0 * terms * terms * f64::EPSILON * size) };
            add(weight, error, problem.lower[j], problem.upper[j]);
        }
    }
    for (i, &r) in ray.iter().enumerate() {
        if r != 0.0 {
            count += 1.0;
            add(-r, 0.0, problem.row_lower[i], problem.row_upper[i]);
        }
    }
    least.iter().zip(slips).any(|(sum, slip)| slip.is_finite() && *sum > 4.0 * f64::EPSILON * count * slip)
}

/// The certificate of an unbounded problem, `None` when the direction is none or the point is not feasible.
pub(super) fn direction(problem: &Problem, from: Vec<f64>, ray: &[f64]) -> Option<Direction> {
    let largest = ray.iter().fold(0.0_f64, |a, r| a.max(r.abs()));
    if !(largest > 0.0 && largest.is_finite()) {
        return None;
    }
    let ray: Vec<f64> = ray.iter().map(|r| r / largest).collect();
    let mut right = true;
    for (j, (&x, &r)) in from.iter().zip(&ray).enumerate() {
        right &= (problem.lower[j] - x).max(x - problem.upper[j]) <= ACCEPT_RESIDUAL * (1.0 + x.abs());
        right &= !(r > 0.0 && problem.upper[j].is_finite() || r < 0.0 && problem.lower[j].is_finite());
    }
    for (i, &(sum, size)) in activity(problem, &from).iter().enumerate() {
        right &= (problem.row_lower[i] - sum).max(sum - problem.row_upper[i]) <= ACCEPT_RESIDUAL * (1.0 + size);
    }
    for (i, &(sum, size)) in activity(problem, &ray).iter().enumerate() {
        let still = sum.abs() <= ACCEPT * size.max(1e-3);
        right &= still || !(sum > 0.0 && problem.row_upper[i].is_finite() || sum < 0.0 && problem.row_lower[i].is_finite());
    }
    let gain: f64 = problem.cost.iter().zip(&ray).map(|(c, r)| c * r).sum();
    let size = problem.cost.iter().zip(&ray).fold(0.0_f64, |a, (c, r)| a.max((c * r).abs()));
    (right && gain * problem.sense.sign() > ACCEPT * size).then_some(Direction { from, ray, gain })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Sense;
    use crate::sparse::Matrix;

    /// A hundred fluxes up to a million and `2e-6` times growth, all of one sign, that sum to nothing, with growth asked to be
    /// `1e-3`. The first flux may start at `low`; growth runs up to `upper`.
    fn starved(low: f64, upper: f64) -> Problem {
        let n = 101;
        let columns: Vec<Vec<(usize, f64)>> =
            (0..n).map(|j| if j + 1 == n { vec![(0, -2e-6), (1, 1.0)] } else { vec![(0, -1.0)] }).collect();
        let mut lower = vec![0.0; n];
        lower[0] = low;
        let mut most = vec![1e6; n];
        most[n - 1] = upper;
        Problem {
            matrix: Matrix::from_columns(2, columns.iter().map(Vec::as_slice)).unwrap(),
            lower,
            upper: most,
            cost: vec![0.0; n],
            sense: Sense::Maximize,
            row_lower: vec![0.0, 1e-3],
            row_upper: vec![0.0, f64::INFINITY],
        }
    }

    #[test]
    fn a_conflict_is_seen_that_is_small_beside_the_bounds() {
        for upper in [1e3, f64::INFINITY] {
            let found = conflict(&starved(0.0, upper), &[-1.0, -2e-6]).expect("proved");
            assert!((found.distance - 2e-9).abs() < 1e-15, "{}", found.distance);
            // The first flux may just not make up for it, and may.
            assert!(conflict(&starved(-1.999e-9, upper), &[-1.0, -2e-6]).is_some());
            assert!(conflict(&starved(-2.001e-9, upper), &[-1.0, -2e-6]).is_none());
        }
        // A weight that does not cancel to the last digit proves nothing where growth has no limit, and much where it has.
        let off = -2e-6 * (1.0 - f64::EPSILON);
        assert!(conflict(&starved(0.0, f64::INFINITY), &[-1.0, off]).is_some());
        assert!(!sharp(&starved(0.0, f64::INFINITY), &[-1.0, -2e-6 * (1.0 + f64::EPSILON)]));
        assert!(sharp(&starved(0.0, 1e3), &[-1.0, -2e-6 * (1.0 + f64::EPSILON)]));
        assert!(!sharp(&starved(0.0, 1e3), &[-1.0, 2e-6]) && !sharp(&starved(0.0, 1e3), &[1.0, 0.0]));
    }
}
