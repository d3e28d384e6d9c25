//! CPU times of sampling, adjustment and structure on one model, as JSON: `bench_analyse MODEL (COBRA JSON or SBML) [DRAWS]`.

use std::time::Instant;
use toji_flux::analyse::{self, Sampling, Switching};

/// CPU time of this process so far, in seconds, where the system tells it; else the time since the first call.
fn cpu_s(start: Instant) -> f64 {
    let ticks = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = ticks.and_then(|t| t.split_whitespace().next().and_then(|v| v.parse::<f64>().ok()));
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns * 1e-9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: bench_analyse MODEL (COBRA JSON or SBML) [DRAWS]")?;
    let draws = arguments.next().map_or(Ok(250), |d| d.parse())?;
    let start = Instant::now();
    let bytes = std::fs::read(&path)?;
    let model = if path.ends_with(".json") {
        toji_flux::io::json::read(&bytes)?.model
    } else {
        toji_flux::io::sbml::read(&bytes[..], &toji_flux::io::sbml::Options::default())?.model
    };
    let network = model.network()?;
    let mut times = serde_json::Map::new();
    let mut clock = cpu_s(start);
    let mut lap = |name: &str, clock: &mut f64| {
        times.insert(name.to_owned(), serde_json::json!(cpu_s(start) - *clock));
        *clock = cpu_s(start);
    };
    let found = analyse::sample(&network, &Sampling { draws, ..Sampling::default() })?.map_err(|_| "no optimum")?;
    lap("sample", &mut clock);
    let mut effective: Vec<f64> = found.reactions.iter().filter_map(|r| r.effective).collect();
    effective.sort_by(f64::total_cmp);
    let wild = analyse::pfba(&network, 1.0)?.map_err(|_| "no optimum")?;
    let used = (0..network.reactions()).filter(|&j| wild.fluxes[j].abs() > 0.1 && network.objective[j] == 0.0).nth(3);
    let mut cut = network.clone();
    if let Some(j) = used {
        (cut.lower[j], cut.upper[j]) = (0.5 * wild.fluxes[j].min(0.0), 0.5 * wild.fluxes[j].max(0.0));
    }
    lap("pfba", &mut clock);
    let near = analyse::moma(&cut, &wild.fluxes)?;
    lap("moma", &mut clock);
    let switched = analyse::room(&cut, &wild.fluxes, &Switching::default())?;
    lap("room_relaxed", &mut clock);
    let coupled = analyse::couplings(&network, 1)?;
    lap("couplings", &mut clock);
    let report = serde_json::json!({
        "model": path, "reactions": network.reactions(), "dimensions": found.dimensions, "thinning": found.thinning,
        "warmup": found.warmup, "steps": found.steps, "draws": found.draws.len(), "r_hat_max": found.r_hat_max,
        "effective_min": found.effective_min, "effective_median": effective.get(effective.len() / 2),
        "residual_max": found.residual_max, "moma_gap": near.ok().map(|n| n.duality_gap),
        "room_relaxed": switched.ok().map(|s| s.relaxed), "groups": coupled.groups.len(), "partial": coupled.partial.len(),
        "directional": coupled.directional.len(), "programmes": coupled.programmes, "cpu_s": times,
    });
    #[allow(clippy::print_stdout)]
    {
        println!("{report:#}");
    }
    Ok(())
}
