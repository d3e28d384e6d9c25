//! Toji's side of `bench/culture`, simulations: CPU seconds of an ensemble on one thread, and the courses of the first.
//!
//! `bench_sim MODEL.toml SETTINGS.csv N KEEP UNTIL POINTS RELATIVE:ABSOLUTE…`: one JSON array; the header of the settings
//! names constants.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for measuring")]

mod clock;

use clock::cpu_s;
use serde_json::json;
use toji_culture::kernel::Options;
use toji_culture::model::Model;

const STATES: [&str; 8] = ["X", "S", "A", "N", "P", "O", "C", "V"];

fn main() {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let model = Model::read(&std::fs::read_to_string(&given[0]).unwrap()).unwrap();
    let table = std::fs::read_to_string(&given[1]).unwrap();
    let (n, keep): (usize, usize) = (given[2].parse().unwrap(), given[3].parse().unwrap());
    let (until, points): (f64, usize) = (given[4].parse().unwrap(), given[5].parse().unwrap());
    let mut lines = table.lines();
    let places: Vec<usize> = lines.next().unwrap().split(',').map(|name| model.system.constant(name).unwrap()).collect();
    let settings: Vec<Vec<f64>> = lines
        .take(n)
        .map(|line| {
            let mut constants = model.system.constants();
            for (place, cell) in places.iter().zip(line.split(',')) {
                constants[*place] = cell.parse().unwrap();
            }
            constants
        })
        .collect();
    let times: Vec<f64> = (0..points).map(|i| until * i as f64 / (points - 1) as f64).collect();
    let states = STATES.map(|name| model.system.quantity(name).unwrap());
    let mut found = Vec::new();
    for tolerances in &given[6..] {
        let (relative, absolute) = tolerances.split_once(':').unwrap();
        let (relative, absolute): (f64, f64) = (relative.parse().unwrap(), absolute.parse().unwrap());
        let options = Options { relative, absolute: vec![absolute], ..Options::default() };
        let first = model.system.ensemble(&settings[..keep.min(settings.len())], &times, &options, 1);
        let begin = cpu_s();
        let all = model.system.ensemble(&settings, &times, &options, 1);
        let spent = cpu_s() - begin;
        let failed = all.iter().filter(|one| one.is_err()).count();
        let steps: usize = all.iter().flatten().map(|one| one.steps.0 + one.steps.1).sum();
        let courses: Vec<Vec<[f64; 8]>> = first
            .iter()
            .map(|one| {
                let one = one.as_ref().unwrap();
                (0..points).map(|t| states.map(|s| one.at(t)[s])).collect()
            })
            .collect();
        let mean = steps as f64 / settings.len() as f64;
        found.push(json!({"relative": relative, "absolute": absolute, "cpu_s": spent, "n": settings.len(), "failed": failed, "steps_mean": mean, "courses": courses}));
    }
    println!("{}", json!(found));
}
