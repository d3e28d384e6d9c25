//! Time of all minimal cut sets of growth, of genes or of reactions, as JSON: `bench_design MODEL SIZE [genes|reactions]` (SBML, unpacked or
//! gzip).

use std::io::Read;
use std::time::Instant;
use toji_flux::design::{CutTask, Intervention, Limit, Region, minimal_cuts};

/// CPU time of this process so far, in seconds, where the system tells it.
fn cpu_s() -> Option<f64> {
    let ticks = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    Some(ticks.split_whitespace().next()?.parse::<f64>().ok()? * 1e-9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(size)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bench_design MODEL SIZE".into());
    };
    let mut bytes = std::fs::read(&path)?;
    if path.ends_with(".gz") {
        let packed = std::mem::take(&mut bytes);
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes)?;
    }
    let model = toji_flux::io::sbml::read(&bytes[..], &toji_flux::io::sbml::Options::default())?.model;
    let network = model.network()?;
    let growth: Vec<(usize, f64)> = network.objective.iter().copied().enumerate().filter(|entry| entry.1 != 0.0).collect();
    let of_reactions = match arguments.next().as_deref() {
        None | Some("genes") => false,
        Some("reactions") => true,
        Some(_) => return Err("cut genes or reactions".into()),
    };
    let max_size = size.parse()?;
    let task = CutTask {
        targets: vec![Region::of(vec![Limit::at_least(&growth, 0.001)])],
        protected: Vec::new(),
        interventions: match of_reactions {
            false => Intervention::remove_genes(0..model.genes.len()),
            true => Intervention::remove_reactions(0..model.reactions.len()),
        },
        max_size,
        max_cost: f64::MAX,
        max_candidates: 10_000_000,
    };
    let (start, before) = (Instant::now(), cpu_s());
    let found = minimal_cuts(&model, &network, &task)?;
    let (wall_s, cpu_s) = (start.elapsed().as_secs_f64(), cpu_s().zip(before).map(|(after, before)| after - before));
    let by_size: Vec<usize> =
        (0..=max_size).map(|k| found.sets.iter().filter(|set| set.interventions.len() == k).count()).collect();
    let report = serde_json::json!({
        "model": path, "genes": model.genes.len(), "by_size": by_size, "complete": found.complete,
        "programmes": found.programmes, "candidates": found.candidates, "wall_s": wall_s, "cpu_s": cpu_s,
    });
    #[allow(clippy::print_stdout)]
    {
        println!("{report:#}");
    }
    Ok(())
}
