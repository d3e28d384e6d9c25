//! Random networks and what the engine says of them, for a second opinion: `random_networks COUNT SEED [NUMBER…]`; with
//! numbers, only those networks, their bases verified in rational arithmetic, which is by far the dearest part.
//!
//! Writes each network as six lines of words (numbers as Rust prints them, infinities as `inf`):
//!
//! ```text
//! problem NUMBER KIND ROWS COLUMNS max|min
//! bounds LOWER UPPER …          a pair for each column
//! cost COST …
//! sides LOWER UPPER …           a pair for each row
//! entries ROW COLUMN VALUE …
//! optimal OBJECTIVE EXACT x POINT … y PRICES …     EXACT: 1 the basis is optimal in exact arithmetic, 0 not, - not asked
//! infeasible w WEIGHTS …        or: infeasible crossed INDEX
//! unbounded x POINT … r RAY …
//! failed CODE MESSAGE
//! exactly optimal OBJECTIVE     or infeasible, unbounded, unknown; only where networks are named
//! ```
//!
//! The same seed gives the same networks everywhere.

mod draw;

use std::fmt::Write as _;
use std::io::Write as _;
use toji_flux::Sense;
use toji_flux::lp::{Outcome, Problem, Solver, exact};

fn list(text: &mut String, word: &str, numbers: impl IntoIterator<Item = f64>) {
    text.push_str(word);
    for number in numbers {
        // Writing to a text cannot fail.
        let _ = write!(text, " {number:?}");
    }
}

fn answer(problem: &Problem, exactly: bool) -> String {
    let mut text = String::new();
    match Solver::new(problem.clone()).and_then(|mut solver| solver.solve()) {
        Ok(Outcome::Optimal(best)) => {
            let verified = if exactly { exact::verify(problem, &best, 20_000_000).ok() } else { None };
            let exact = match verified {
                Some(exact) if exact.holds => "1",
                Some(_) => "0",
                None => "-",
            };
            text = format!("optimal {:?} {exact}", best.objective);
            list(&mut text, " x", best.primal);
            list(&mut text, " y", best.prices);
        }
        Ok(Outcome::Infeasible(why)) => match why.crossed {
            Some(index) => text = format!("infeasible crossed {index}"),
            None => list(&mut text, "infeasible w", why.ray),
        },
        Ok(Outcome::Unbounded(way)) => {
            list(&mut text, "unbounded x", way.from);
            list(&mut text, " r", way.ray);
        }
        Err(error) => text = format!("failed {} {}", error.code(), error.fault().message.en),
    }
    text
}

/// What arithmetic without rounding says.
fn exactly(problem: &Problem) -> String {
    match exact::answer(problem, 20_000_000) {
        Ok(Some(Outcome::Optimal(best))) => format!("optimal {:?}", best.objective),
        Ok(Some(Outcome::Infeasible(_))) => "infeasible".into(),
        Ok(Some(Outcome::Unbounded(_))) => "unbounded".into(),
        Ok(None) => "unknown".into(),
        Err(error) => error.code().into(),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<u64> = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<_, _>>()?;
    let [count, seed, ref only @ ..] = numbers[..] else { return Err("usage: random_networks COUNT SEED [NUMBER…]".into()) };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for number in (0..count).filter(|number| only.is_empty() || only.contains(number)) {
        let Some((kind, problem)) = draw::network(seed, number) else { return Err("a network is none".into()) };
        let (m, n) = (problem.matrix.rows(), problem.matrix.columns());
        let sense = if problem.sense == Sense::Maximize { "max" } else { "min" };
        let mut text = format!("problem {number} {kind} {m} {n} {sense}\n");
        list(&mut text, "bounds", problem.lower.iter().zip(&problem.upper).flat_map(|(l, u)| [*l, *u]));
        list(&mut text, "\ncost", problem.cost.iter().copied());
        list(&mut text, "\nsides", problem.row_lower.iter().zip(&problem.row_upper).flat_map(|(l, u)| [*l, *u]));
        text.push_str("\nentries");
        for j in 0..n {
            for (i, value) in problem.matrix.iter(j) {
                let _ = write!(text, " {i} {j} {value:?}");
            }
        }
        writeln!(out, "{text}\n{}", answer(&problem, !only.is_empty()))?;
        if !only.is_empty() {
            writeln!(out, "exactly {}", exactly(&problem))?;
        }
    }
    out.flush()?;
    Ok(())
}
