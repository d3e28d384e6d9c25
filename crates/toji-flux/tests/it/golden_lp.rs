//! Random linear programmes against HiGHS (`golden/lp.json`, made by `golden/lp.py`): cold, with another objective, and with
//! other bounds after that, on one solver that keeps its basis.

use serde::Deserialize;
use toji_flux::Sense;
use toji_flux::lp::{Outcome, Problem, Solver, exact};
use toji_flux::sparse::Matrix;

#[derive(Deserialize)]
struct Golden {
    source: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    shape: String,
    columns: Vec<Vec<f64>>,
    lower: Vec<Option<f64>>,
    upper: Vec<Option<f64>>,
    row_lower: Vec<Option<f64>>,
    row_upper: Vec<Option<f64>>,
    cost: Vec<f64>,
    sense: Sense,
    second: usize,
    changed: (usize, f64, f64),
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Value(serde::de::IgnoredAny, f64),
    Word((String,)),
}

impl Case {
    fn problem(&self) -> Problem {
        let columns: Vec<Vec<(usize, f64)>> =
            self.columns.iter().map(|c| c.chunks(2).map(|e| (e[0] as usize, e[1])).collect()).collect();
        let low = |v: &[Option<f64>]| v.iter().map(|b| b.unwrap_or(f64::NEG_INFINITY)).collect();
        let high = |v: &[Option<f64>]| v.iter().map(|b| b.unwrap_or(f64::INFINITY)).collect();
        Problem {
            matrix: Matrix::from_columns(self.row_lower.len(), columns.iter().map(Vec::as_slice)).unwrap(),
            lower: low(&self.lower),
            upper: high(&self.upper),
            cost: self.cost.clone(),
            sense: self.sense,
            row_lower: low(&self.row_lower),
            row_upper: high(&self.row_upper),
        }
    }
}

fn compare(outcome: &Outcome, answer: &Answer) -> Result<(), String> {
    match (outcome, answer) {
        (Outcome::Optimal(have), Answer::Value(_, want)) if (have.objective - want).abs() <= 1e-6 * (1.0 + want.abs()) => Ok(()),
        (Outcome::Infeasible(_), Answer::Word((word,))) if word == "infeasible" => Ok(()),
        (Outcome::Unbounded(_), Answer::Word((word,))) if word == "unbounded" => Ok(()),
        (outcome, answer) => {
            let have = match outcome {
                Outcome::Optimal(o) => format!("optimal {}", o.objective),
                Outcome::Infeasible(c) => format!("infeasible by {}", c.distance),
                Outcome::Unbounded(d) => format!("unbounded by {}", d.gain),
            };
            let want = match answer {
                Answer::Value(_, v) => format!("optimal {v}"),
                Answer::Word((w,)) => w.clone(),
            };
            Err(format!("{have}, HiGHS says {want}"))
        }
    }
}

#[test]
fn every_case_ends_as_highs_says() {
    let shipped = include_str!("../../golden/lp.json").to_owned();
    // More cases of another seed can be tried by naming their file.
    let text = std::env::var("TOJI_FLUX_LP").map_or(shipped, |file| std::fs::read_to_string(file).unwrap());
    let golden: Golden = serde_json::from_str(&text).unwrap();
    assert!(golden.source.starts_with("HiGHS") && golden.cases.len() >= 400);
    // Refusing is allowed where coefficients span ten decades, but hardly ever; a wrong answer never is.
    let mut refused = 0;
    let mut faults = Vec::new();
    for (number, case) in golden.cases.iter().enumerate() {
        let mut solver = Solver::new(case.problem()).unwrap();
        for step in 0..3 {
            match step {
                0 => {}
                1 => solver.set_objective(Sense::Maximize, &[(case.second, 1.0)]),
                _ => solver.set_bounds(case.changed.0, case.changed.1, case.changed.2),
            }
            let verdict = match solver.solve() {
                Ok(outcome) => compare(&outcome, &case.answers[step]).map_err(|fault| {
                    // Where two solvers differ, exact arithmetic says more.
                    let exact = outcome.optimum().map(|o| exact::verify(solver.problem(), &o, 1_000_000));
                    format!("{fault}; exactly: {exact:?}")
                }),
                Err(error) if error.code() == "E-FLUX-012" && case.shape == "badly-scaled" => {
                    refused += 1;
                    Ok(())
                }
                Err(error) => Err(error.to_string()),
            };
            if let Err(fault) = verdict {
                faults.push(format!("case {number} ({}) step {step}: {fault}", case.shape));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    assert!(refused <= golden.cases.len() / 400, "{refused} refused");
}
