//! CPU seconds of flux balance analysis from nothing, objective by objective, as JSON: `bench_simplex MODEL OBJECTIVES [FILE]`
//! (COBRA JSON, SBML, unpacked or gzip). The first objective is the model's own where it has one, the others are single
//! reactions, evenly spaced. FILE gets the linear programme and the objectives, for another solver, as JSON.

use std::time::Instant;
use toji_flux::analyse;
use toji_flux::lp::{Outcome, Problem};

/// CPU time of this process so far, in seconds, where the system tells it; else the time since the first call.
fn cpu_s(start: Instant) -> f64 {
    let ticks = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = ticks.and_then(|t| t.split_whitespace().next().and_then(|v| v.parse::<f64>().ok()));
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns * 1e-9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usage = "usage: bench_simplex MODEL OBJECTIVES [FILE]";
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or(usage)?;
    let count: usize = arguments.next().ok_or(usage)?.parse()?;
    let model = toji_flux::io::any::read(&std::fs::read(&path)?, &toji_flux::io::sbml::Options::default())?.model;
    let mut network = model.network()?;
    let n = network.reactions();
    let own = network.objective.iter().any(|c| *c != 0.0).then(|| network.objective.clone());
    let free: Vec<usize> = (0..n).filter(|&j| network.lower[j] < network.upper[j]).collect();
    let single = |k: usize| {
        let mut objective = vec![0.0; n];
        if let Some(&j) = free.get(k * free.len() / count.max(1)) {
            objective[j] = 1.0;
        }
        objective
    };
    let objectives: Vec<Vec<f64>> = own.into_iter().chain((0..count).map(single)).take(count).collect();
    let start = Instant::now();
    let mut answers = Vec::new();
    for objective in &objectives {
        network.objective.clone_from(objective);
        let before = cpu_s(start);
        let outcome = analyse::fba(&network);
        let seconds = cpu_s(start) - before;
        let (status, value) = match &outcome {
            Ok(Outcome::Optimal(best)) => ("optimal", Some(best.objective)),
            Ok(Outcome::Infeasible(_)) => ("infeasible", None),
            Ok(Outcome::Unbounded(_)) => ("unbounded", None),
            Err(error) => (error.code(), None),
        };
        answers.push(serde_json::json!({"cpu_s": seconds, "status": status, "objective": value}));
    }
    if let Some(file) = arguments.next() {
        let problem = Problem::from(&network);
        let (mut starts, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
        for j in 0..n {
            for (i, value) in problem.matrix.iter(j) {
                rows.push(i);
                values.push(value);
            }
            starts.push(rows.len());
        }
        let terms = |objective: &Vec<f64>| objective.iter().copied().enumerate().filter(|t| t.1 != 0.0).collect::<Vec<_>>();
        // Infinity has no number in JSON: null stands for it.
        let document = serde_json::json!({
            "rows": problem.matrix.rows(), "starts": starts, "index": rows, "value": values, "lower": problem.lower,
            "upper": problem.upper, "row_lower": problem.row_lower, "row_upper": problem.row_upper,
            "maximise": problem.sense == toji_flux::Sense::Maximize, "objectives": objectives.iter().map(terms).collect::<Vec<_>>(),
        });
        std::fs::write(file, serde_json::to_vec(&document)?)?;
    }
    let report = serde_json::json!({"model": path, "reactions": n, "rows": network.rows(), "answers": answers});
    #[allow(clippy::print_stdout)]
    {
        println!("{report}");
    }
    Ok(())
}
