//! How often 90 % intervals hold: `cargo run --release -p toji-culture --example coverage -- [repeats] [new runs] [n]…
//! [from=first repeat]`; other repeats are other runs.
//! The simulated benchmark is the shipped model `cho-mab-fed-batch` with hidden differences from run to run; the real
//! runs are those of *E. coli* in `tests/coverage/ambr250.csv`. Same numbers, same table.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, reason = "a program for measuring")]

#[path = "../tests/coverage/bench.rs"]
mod bench;

use bench::{Held, LEVEL, leave_real_out, model, predictor, real, repeat};
use toji_culture::predict::exact_interval;

/// Share of the outcomes that held, and its standard error among repeats.
fn share(repeats: &[Held], of: impl Fn(&Held) -> &Vec<bool>) -> (f64, f64) {
    let each: Vec<f64> =
        repeats.iter().map(|held| of(held).iter().filter(|h| **h).count() as f64 / of(held).len() as f64).collect();
    let (n, mean) = (each.len() as f64, each.iter().sum::<f64>() / each.len() as f64);
    let variance = each.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (100.0 * mean, 100.0 * (variance / n).sqrt())
}

/// How many held, with Clopper and Pearson's exact 95 % interval.
fn counted(held: &[bool]) -> String {
    let n = held.iter().filter(|h| **h).count();
    let (low, high) = exact_interval(n as f64, held.len(), 0.95);
    format!("{n} of {} ({:.0} to {:.0} %)", held.len(), 100.0 * low, 100.0 * high)
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let from: u64 = std::env::args().find_map(|a| a.strip_prefix("from=")?.parse().ok()).unwrap_or(0);
    let repeats = numbers.first().copied().unwrap_or(200);
    let new = numbers.get(1).copied().unwrap_or(4);
    let sizes = if numbers.len() > 2 { numbers[2..].to_vec() } else { vec![10, 20, 50] };
    let model = model();
    let predictor = predictor(&model);
    println!("simulated: {repeats} repeats from the {}th, {new} new runs each, level {LEVEL}", from + 1);
    println!(
        "runs  titre            course           course, counted  titre alone      course alone     width of the titre's interval"
    );
    for n in sizes {
        let mut all: Vec<Held> = Vec::new();
        for seed in from..from + repeats as u64 {
            all.push(repeat(&predictor, n, new, 1_000_000 * n as u64 + seed));
            // Fifty runs take long: what was counted so far is told on the way.
            if all.len().is_multiple_of(20) {
                let (titre, course) = (share(&all, |h| &h.titre), share(&all, |h| &h.course));
                eprintln!(
                    "{n} runs, {} repeats: titre {:.1} ± {:.1} %, course {:.1} ± {:.1} %",
                    all.len(),
                    titre.0,
                    titre.1,
                    course.0,
                    course.1
                );
            }
        }
        let width = all.iter().flat_map(|h| &h.width).sum::<f64>() / (repeats * new) as f64;
        let cells = [
            share(&all, |h| &h.titre),
            share(&all, |h| &h.course),
            share(&all, |h| &h.course_counted),
            share(&all, |h| &h.titre_alone),
            share(&all, |h| &h.course_alone),
        ]
        .map(|(mean, error)| format!("{mean:5.1} ± {error:3.1} %   "));
        println!("{n:4}  {}{:.0} %", cells.concat(), 100.0 * width);
    }
    let runs = real(include_str!("../tests/coverage/ambr250.csv"));
    println!("real E. coli, each run left out");
    for (name, quantity) in [("cells", 0), ("tryptophan", 1)] {
        for level in [LEVEL, 0.8] {
            let found = leave_real_out(&runs, quantity, level);
            let alone = [("end", &found.last_alone), ("readings", &found.readings_alone), ("course", &found.course_alone)];
            for (what, held) in alone {
                println!("{name}, {level}, {what}, by the model alone: {}", counted(held));
            }
            if found.refused > 0 {
                let most = found.runs as f64 / (found.runs + 1) as f64;
                println!("{name}, {level}: refused, {} runs promise at most {:.1} %", found.runs, 100.0 * most);
                continue;
            }
            for (what, held) in [("end", &found.last), ("course", &found.course)] {
                println!("{name}, {level}, {what}: {}", counted(held));
            }
        }
    }
}
