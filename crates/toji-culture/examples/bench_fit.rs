//! Toji's side of `bench/culture`, fits: one descent from each given start, as `culture fit` and `culture predict` make it.
//!
//! `bench_fit MODEL.toml DATA.json`: one JSON object a start, with CPU seconds.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for measuring")]

mod clock;

use clock::cpu_s;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use toji_culture::fit::{Measured, Noise, Parameter, Problem, Reading, Run, Scale};
use toji_culture::kernel::Options;
use toji_culture::model::Model;

#[derive(Deserialize)]
struct Bounds {
    name: String,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Batch {
    set: BTreeMap<String, f64>,
    values: Vec<Vec<f64>>,
    sd: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Data {
    parameters: Vec<Bounds>,
    observed: Vec<String>,
    times: Vec<f64>,
    batches: Vec<Batch>,
    starts: Vec<Vec<f64>>,
}

/// Readings of a batch, with their known noise.
fn measured(data: &Data, batch: &Batch) -> Vec<Measured> {
    let mut all = Vec::new();
    for (time, (values, sd)) in data.times.iter().zip(batch.values.iter().zip(&batch.sd)) {
        for (quantity, (value, sd)) in data.observed.iter().zip(values.iter().zip(sd)) {
            let (reading, noise) = (Reading::Value(*value), Noise::Known(*sd));
            all.push(Measured { quantity: quantity.clone(), time: *time, reading, noise });
        }
    }
    all
}

fn main() {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let model = Model::read(&std::fs::read_to_string(&given[0]).unwrap()).unwrap();
    let data: Data = serde_json::from_str(&std::fs::read_to_string(&given[1]).unwrap()).unwrap();
    let parameters: Vec<Parameter> = data
        .parameters
        .iter()
        .map(|p| Parameter { name: p.name.clone(), scale: Scale::Log, low: p.low, high: p.high, prior: None, by_group: false })
        .collect();
    let runs: Vec<Run<'_>> = data
        .batches
        .iter()
        .enumerate()
        .map(|(i, batch)| Run {
            system: None,
            name: format!("batch {i}"),
            group: String::new(),
            set: batch.set.iter().map(|(name, value)| (name.clone(), *value)).collect(),
            measured: measured(&data, batch),
        })
        .collect();
    let options = Options { relative: 1e-6, absolute: vec![1e-9], ..Options::default() };
    let problem = Problem::new(&model.system, &parameters, &runs, 0.0, options).unwrap();
    let mut found = Vec::new();
    for start in &data.starts {
        let from: Vec<f64> = start.iter().map(|value| value.ln()).collect();
        let begin = cpu_s();
        let end = problem.posterior_from(&from).unwrap();
        let spent = cpu_s() - begin;
        let at: Vec<f64> = end.unknowns.iter().zip(&end.at).map(|(unknown, at)| unknown.outward(*at)).collect();
        found.push(json!({"cpu_s": spent, "at": at, "converged": end.converged}));
    }
    println!("{}", json!(found));
}
