//! Uniform samples of one model, as JSON: `bench_sample MODEL (COBRA JSON or SBML) [DRAWS of each of four chains]`.
//!
//! CPU seconds are those of everything from the network on: ranges, directions, pilots, walk and judgement, on one thread.

use std::time::Instant;
use toji_flux::analyse::{self, Sampling};

/// CPU time of this process so far, in seconds, where the system tells it; else the time since the first call.
fn cpu_s(start: Instant) -> f64 {
    let ticks = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = ticks.and_then(|t| t.split_whitespace().next().and_then(|v| v.parse::<f64>().ok()));
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns * 1e-9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: bench_sample MODEL (COBRA JSON or SBML) [DRAWS]")?;
    let draws = arguments.next().map_or(Ok(250), |d| d.parse())?;
    let start = Instant::now();
    let bytes = std::fs::read(&path)?;
    let model = if path.ends_with(".json") {
        toji_flux::io::json::read(&bytes)?.model
    } else {
        toji_flux::io::sbml::read(&bytes[..], &toji_flux::io::sbml::Options::default())?.model
    };
    let network = model.network()?;
    let clock = cpu_s(start);
    let found = analyse::sample(&network, &Sampling { draws, ..Sampling::default() })?.map_err(|_| "no optimum")?;
    let cpu = cpu_s(start) - clock;
    let mut effective: Vec<f64> = found.reactions.iter().filter_map(|r| r.effective).collect();
    effective.sort_by(f64::total_cmp);
    let report = serde_json::json!({
        "dimensions": found.dimensions, "thinning": found.thinning, "steps": found.steps, "draws": found.draws.len(),
        "r_hat_max": found.r_hat_max, "effective_min": found.effective_min,
        "effective_median": effective.get(effective.len() / 2), "residual_max": found.residual_max, "cpu_s": cpu,
    });
    #[allow(clippy::print_stdout)]
    {
        println!("{report:#}");
    }
    Ok(())
}
