//! Random networks of kinds that linear programming finds hard, every answer proved here from the network's numbers alone in
//! rational arithmetic. `bench/flux/random_networks.py` asks HiGHS about 100,000 of them.

#[path = "../../examples/random_networks/draw.rs"]
mod draw;

use num_rational::BigRational;
use num_traits::{Signed, Zero};
use std::collections::BTreeMap;
use toji_flux::Sense;
use toji_flux::lp::{Conflict, Direction, Outcome, Problem, Solver, exact};

const COUNT: u64 = 60;
/// Rational multiplications spent on one answer.
const LIMIT: usize = 100_000;

fn rational(value: f64) -> BigRational {
    BigRational::from_float(value).unwrap()
}

/// The least and greatest of `weight · v` for `v` between the bounds; `None` where it has no limit.
fn reach(weight: &BigRational, lower: f64, upper: f64) -> (Option<BigRational>, Option<BigRational>) {
    if weight.is_zero() {
        return (Some(BigRational::zero()), Some(BigRational::zero()));
    }
    let at = |bound: f64| bound.is_finite().then(|| weight * rational(bound));
    if weight.is_positive() { (at(lower), at(upper)) } else { (at(upper), at(lower)) }
}

/// Whether the weights of the rows prove without rounding that no point keeps all bounds; weights that miss zero by rounding,
/// less than 1e-12 of their terms, on a variable without a bound make the proof one to rounding (`false`).
fn conflict_holds(problem: &Problem, why: &Conflict) -> Result<bool, String> {
    if let Some(k) = why.crossed {
        let n = problem.lower.len();
        let (lower, upper) =
            if k < n { (problem.lower[k], problem.upper[k]) } else { (problem.row_lower[k - n], problem.row_upper[k - n]) };
        return if lower > upper { Ok(true) } else { Err("bounds do not cross".into()) };
    }
    let ray: Vec<BigRational> = why.ray.iter().map(|w| rational(*w)).collect();
    let (mut low, mut high, mut without_rounding) = (Some(BigRational::zero()), Some(BigRational::zero()), true);
    let mut add = |part: (Option<BigRational>, Option<BigRational>)| {
        low = low.take().zip(part.0).map(|(a, b)| a + b);
        high = high.take().zip(part.1).map(|(a, b)| a + b);
    };
    for j in 0..problem.lower.len() {
        let terms: Vec<BigRational> = problem.matrix.iter(j).map(|(i, a)| rational(a) * &ray[i]).collect();
        let weight: BigRational = terms.iter().sum();
        let size: BigRational = terms.iter().map(Signed::abs).sum();
        let (lower, upper) = (problem.lower[j], problem.upper[j]);
        let open = lower.is_infinite() || upper.is_infinite();
        if open && !weight.is_zero() && weight.abs() <= rational(1e-12) * size {
            without_rounding = false;
            continue;
        }
        add(reach(&weight, lower, upper));
    }
    for (i, weight) in ray.iter().enumerate() {
        add(reach(&-weight.clone(), problem.row_lower[i], problem.row_upper[i]));
    }
    if low.is_some_and(|l| l.is_positive()) || high.is_some_and(|h| h.is_negative()) {
        Ok(without_rounding)
    } else {
        Err("the weights of the rows prove nothing".into())
    }
}

/// The same of a point and a direction: bounds exactly, rows to 1e-9 of their terms.
fn direction_holds(problem: &Problem, way: &Direction) -> Result<(), String> {
    let (mut at, mut along) = (vec![(BigRational::zero(), BigRational::zero()); problem.row_lower.len()], Vec::new());
    along.clone_from(&at);
    let mut gain = BigRational::zero();
    for j in 0..problem.lower.len() {
        let (x, r) = (rational(way.from[j]), rational(way.ray[j]));
        let (lower, upper) = (problem.lower[j], problem.upper[j]);
        let slack = 1e-9 * (1.0 + way.from[j].abs());
        if way.from[j] < lower - slack || way.from[j] > upper + slack {
            return Err(format!("the point leaves the bounds of variable {j}"));
        }
        if way.ray[j] > 0.0 && upper.is_finite() || way.ray[j] < 0.0 && lower.is_finite() {
            return Err(format!("the direction meets a bound of variable {j}"));
        }
        gain += rational(problem.cost[j]) * &r;
        for (i, a) in problem.matrix.iter(j) {
            let (x, r) = (rational(a) * &x, rational(a) * &r);
            at[i].1 += x.abs();
            along[i].1 += r.abs();
            at[i].0 += x;
            along[i].0 += r;
        }
    }
    for i in 0..at.len() {
        let (lower, upper) = (problem.row_lower[i], problem.row_upper[i]);
        let slack = rational(1e-9) * (rational(1.0) + &at[i].1);
        if lower.is_finite() && at[i].0 < rational(lower) - &slack || upper.is_finite() && at[i].0 > rational(upper) + &slack {
            return Err(format!("the point breaks row {i}"));
        }
        let still = along[i].0.abs() <= rational(1e-9) * &along[i].1;
        if !still && (along[i].0.is_positive() && upper.is_finite() || along[i].0.is_negative() && lower.is_finite()) {
            return Err(format!("the direction breaks row {i}"));
        }
    }
    let improves = if problem.sense == Sense::Maximize { gain.is_positive() } else { gain.is_negative() };
    if improves { Ok(()) } else { Err("the direction gains nothing".into()) }
}

#[test]
fn every_answer_about_random_networks_is_proved_in_rational_arithmetic() {
    let mut tally: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for number in 0..COUNT {
        let (kind, problem) = draw::network(20, number).unwrap();
        let outcome = Solver::new(problem.clone()).and_then(|mut solver| solver.solve());
        let (said, verdict) = match outcome {
            Ok(Outcome::Optimal(best)) => match exact::verify(&problem, &best, LIMIT) {
                Ok(exact) if exact.holds => {
                    let off = (exact.objective_rounded - best.objective).abs();
                    let near = off <= 1e-9 * (1.0 + best.objective.abs());
                    ("optimal, exactly", if near { Ok(()) } else { Err(format!("the objective is off by {off}")) })
                }
                // The basis misses by rounding: the objective is near that of the exact optimum all the same.
                Ok(_) => {
                    let verdict = match exact::answer(&problem, 1_000_000) {
                        Ok(Some(Outcome::Optimal(other))) => {
                            let off = (other.objective - best.objective).abs();
                            let near = off <= 1e-6 * (1.0 + best.objective.abs());
                            if near { Ok(()) } else { Err(format!("the objective is off by {off}")) }
                        }
                        other => Err(format!("exactly {other:?}")),
                    };
                    ("optimal, to rounding", verdict)
                }
                Err(error) => ("optimal, to rounding", Err(error.to_string())),
            },
            Ok(Outcome::Infeasible(why)) => match conflict_holds(&problem, &why) {
                Ok(true) => ("infeasible, exactly", Ok(())),
                Ok(false) => ("infeasible, to rounding", Ok(())),
                Err(fault) => ("infeasible, exactly", Err(fault)),
            },
            Ok(Outcome::Unbounded(way)) => ("unbounded", direction_holds(&problem, &way)),
            Err(error) => ("refused", Err(error.to_string())),
        };
        *tally.entry((said, kind)).or_default() += 1;
        if let Err(fault) = verdict {
            faults.push(format!("network {number} ({kind}), {said}: {fault}"));
        }
    }
    eprintln!("{tally:#?}");
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    let count = |wanted: &str| tally.iter().filter(|entry| entry.0.0 == wanted).map(|entry| entry.1).sum::<usize>();
    assert!(count("optimal, exactly") > 50 && count("infeasible, exactly") > 1 && count("unbounded") > 1);
    assert!(count("optimal, to rounding") + count("infeasible, to rounding") <= 2);
}
