//! CPU and wall times of the analyses on one model, as JSON: `bench_flux MODEL [THREADS]` (COBRA JSON or SBML).
//!
//! CPU times are those of the first thread: with more than one, the wall times count.

use std::time::Instant;
use toji_flux::analyse;
use toji_flux::lp::{Outcome, Problem, Solver};

/// CPU time of this process so far, in seconds, where the system tells it; else the time since the first call.
fn cpu_s(start: Instant) -> f64 {
    let ticks = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = ticks.and_then(|t| t.split_whitespace().next().and_then(|v| v.parse::<f64>().ok()));
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns * 1e-9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: bench_flux MODEL [THREADS]")?;
    let threads = std::env::args().nth(2).map_or(Ok(1), |t| t.parse())?;
    let start = Instant::now();
    let (mut times, mut walls) = (serde_json::Map::new(), serde_json::Map::new());
    let mut clock = (cpu_s(start), Instant::now());
    let mut lap = |name: &str, clock: &mut (f64, Instant)| {
        times.insert(name.to_owned(), serde_json::json!(cpu_s(start) - clock.0));
        walls.insert(name.to_owned(), serde_json::json!(clock.1.elapsed().as_secs_f64()));
        *clock = (cpu_s(start), Instant::now());
    };
    let model = if path.ends_with(".json") {
        toji_flux::io::json::read(&std::fs::read(&path)?)?.model
    } else {
        let file = std::io::BufReader::with_capacity(1 << 16, std::fs::File::open(&path)?);
        toji_flux::io::sbml::read(file, &toji_flux::io::sbml::Options::default())?.model
    };
    lap("load", &mut clock);
    let network = model.network()?;
    lap("network", &mut clock);
    let outcome = analyse::fba(&network)?;
    lap("fba", &mut clock);
    let mut solver = Solver::new(Problem::from(&network))?;
    solver.solve()?;
    lap("fba_uncompressed", &mut clock);
    let Outcome::Optimal(best) = outcome else { return Err("no optimum".into()) };
    let iterations = solver.iterations();
    let pfba = analyse::pfba(&network, 1.0)?.map_err(|_| "no optimum")?;
    lap("pfba", &mut clock);
    let mut programmes = Vec::new();
    for (name, fraction) in [("fva_100", 1.0), ("fva_90", 0.9)] {
        let ranges =
            analyse::fva(&network, &analyse::Variability { fraction, threads, compress: true })?.map_err(|_| "no optimum")?;
        lap(name, &mut clock);
        programmes.push(ranges.programmes);
    }
    let genes: Vec<usize> = (0..model.genes.len()).collect();
    let how = analyse::Removal { threads, compress: true };
    let single = analyse::single_genes(&model, &network, &genes, &how)?.map_err(|_| "no optimum")?;
    lap("single_gene_deletions", &mut clock);
    programmes.push(single.programmes);
    let essential = single.results.iter().filter(|g| g.is_lost(single.wild_type, 0.01)).count();
    let double = analyse::double_genes(&model, &network, &genes, &how)?.map_err(|_| "no optimum")?;
    lap("double_gene_deletions", &mut clock);
    programmes.push(double.programmes);
    let lethal = double.results.iter().filter(|g| g.is_lost(single.wild_type, 0.01)).count();
    let report = serde_json::json!({
        "model": path, "reactions": network.reactions(), "metabolites": network.rows(), "growth": best.objective,
        "iterations": iterations, "proof": best.proof, "pfba_total": pfba.total, "programmes": programmes, "essential_genes": essential, "pairs": double.results.len(), "lethal_pairs": lethal, "threads": threads, "cpu_s": times, "wall_s": walls,
    });
    #[allow(clippy::print_stdout)]
    {
        println!("{report:#}");
    }
    Ok(())
}
