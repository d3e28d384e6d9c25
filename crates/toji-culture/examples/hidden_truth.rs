//! On a simulated plant with a hidden truth: campaigns of 24 and of 12 against the default recipe, with what was
//! foretold and what came; and golden batches replayed and corrected.
//!
//! `cargo run --release -p toji-culture --example hidden_truth -- [seeds] [campaign|golden]…`; one line of JSON a case.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for measuring")]

#[path = "../tests/study/campaign.rs"]
mod campaign;
#[path = "../tests/study/golden.rs"]
mod golden;

use std::time::Instant;
use toji_culture::campaign::{Told, Why, score};
use toji_culture::correction::{paired, variation};

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

type Part = (String, Box<dyn Fn(usize, Why) -> bool>);

/// Which predictions are told apart.
fn parts(batches: usize) -> Vec<Part> {
    let mut parts: Vec<Part> = vec![("all".into(), Box::new(|_, _| true))];
    parts.extend((2..=batches).map(|b| (format!("batch {b}"), Box::new(move |batch, _| batch == b) as _)));
    for why in [Why::Exploit, Why::Explore, Why::Replicate, Why::FillSpace] {
        parts.push((format!("{why:?}").to_lowercase(), Box::new(move |_, other| other == why)));
    }
    parts
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seeds: u64 = arguments.first().and_then(|a| a.parse().ok()).unwrap_or(20);
    let wanted = |name: &str| arguments.len() < 2 || arguments.iter().skip(1).any(|a| a == name);
    let model = campaign::plant();
    for (blocks, batches) in [(6, 2), (3, 3)] {
        if !wanted("campaign") {
            break;
        }
        let clock = Instant::now();
        let (mut told, mut gains) = (Vec::new(), vec![Vec::new(); batches]);
        for seed in 0..seeds {
            let found = campaign::campaign(&model, blocks, batches, seed);
            for (gains, titre) in gains.iter_mut().zip(&found.recommended) {
                gains.push(titre / found.default - 1.0);
            }
            told.extend(found.told);
        }
        for (i, gains) in gains.iter().enumerate() {
            println!(
                "{{\"case\":\"campaign q={}\",\"runs\":{},\"seeds\":{seeds},\"better_than_default\":{},\"gain_least\":{:.3},\"gain_median\":{:.3},\"gain_most\":{:.3}}}",
                blocks * 4,
                (i + 1) * blocks * 4,
                gains.iter().filter(|g| **g > 0.0).count(),
                quantile(gains, 0.0),
                quantile(gains, 0.5),
                quantile(gains, 1.0)
            );
        }
        for (part, keep) in parts(batches) {
            let part_of: Vec<Told> = told.iter().filter(|(batch, why, _)| keep(*batch, *why)).map(|(_, _, told)| *told).collect();
            let Some(score) = score(&part_of) else { continue };
            println!(
                "{{\"case\":\"predictions q={}, {part}\",\"n\":{},\"bias\":{:.3},\"rms\":{:.3},\"share\":{:.3},\"inside_90\":{:.3},\"seconds\":{:.1}}}",
                blocks * 4,
                score.n,
                score.bias,
                score.rms,
                score.share,
                score.inside,
                clock.elapsed().as_secs_f64()
            );
        }
    }
    for (name, looks) in [("start alone", &[0.0][..]), ("start and midway", &[0.0, 24.0, 36.0, 48.0][..])] {
        if !wanted("golden") {
            break;
        }
        let clock = Instant::now();
        let (mut replayed, mut corrected, mut error) = (Vec::new(), Vec::new(), Vec::new());
        for seed in 0..seeds {
            let titres = golden::batches(&model, looks, 24, seed);
            replayed.push(variation(&titres.replayed).unwrap());
            corrected.push(variation(&titres.corrected).unwrap());
            error.extend(titres.foretold.iter().zip(&titres.corrected).map(|(f, c)| (c - f).abs() / c));
        }
        let found = paired(&replayed, &corrected, 0.5).unwrap();
        println!(
            "{{\"case\":\"golden, {name}\",\"seeds\":{seeds},\"batches_each\":24,\"cv_replayed\":{:.4},\"cv_corrected\":{:.4},\"ratio\":{:.3},\"low\":{:.3},\"high\":{:.3},\"p_of_half\":{:.2e},\"prediction_error_share\":{:.3},\"seconds\":{:.1}}}",
            mean(&replayed),
            mean(&corrected),
            found.ratio,
            found.low,
            found.high,
            found.p,
            mean(&error),
            clock.elapsed().as_secs_f64()
        );
    }
}
