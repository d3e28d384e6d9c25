//! Wall milliseconds of all flux ranges after a knock-out, as JSON: `bench_ranges MODEL [KNOCK-OUTS] [THREADS]` (COBRA JSON,
//! SBML, unpacked or gzip). Half of the knock-outs are genes without which nothing grows, half are others, evenly spaced; the
//! objective keeps 100 % and 90 % of what is left.

use std::time::Instant;
use toji_flux::analyse;
use toji_flux::model::Scenario;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: bench_ranges MODEL [KNOCK-OUTS] [THREADS]")?;
    let count = arguments.next().map_or(Ok(10), |a| a.parse::<usize>())?;
    let threads = arguments.next().map_or(Ok(1), |a| a.parse::<usize>())?;
    let model = toji_flux::io::any::read(&std::fs::read(&path)?, &toji_flux::io::sbml::Options::default())?.model;
    let network = model.network()?;
    let genes: Vec<usize> = (0..model.genes.len()).collect();
    let how = analyse::Removal { threads, compress: true };
    let deletions = analyse::single_genes(&model, &network, &genes, &how)?.map_err(|_| "no optimum")?;
    let lost: Vec<bool> = deletions.results.iter().map(|g| g.is_lost(deletions.wild_type, 0.01)).collect();
    let mut report = serde_json::Map::new();
    for (name, wanted) in [("lethal", true), ("viable", false)] {
        let kind: Vec<usize> = genes.iter().copied().filter(|&g| lost[g] == wanted).collect();
        let half = (count / 2).max(1);
        let chosen = (0..half).filter_map(|k| kind.get(k * kind.len() / half));
        let (mut times, mut programmes) = ([Vec::new(), Vec::new()], [0, 0]);
        for &gene in chosen {
            let mut scenario = Scenario::new(&model);
            scenario.knock_out_genes(&[gene]);
            let network = scenario.network()?;
            for (at, fraction) in [1.0, 0.9].into_iter().enumerate() {
                let start = Instant::now();
                let found = analyse::fva(&network, &analyse::Variability { fraction, threads, compress: true })?;
                times[at].push((start.elapsed().as_secs_f64() * 1e3, model.genes[gene].id.clone()));
                programmes[at] += found.map_or(0, |ranges| ranges.programmes);
            }
        }
        for (at, share) in ["100", "90"].into_iter().enumerate() {
            times[at].sort_by(|a, b| a.0.total_cmp(&b.0));
            let (least, middle, most) = (times[at].first(), times[at].get(times[at].len() / 2), times[at].last());
            report.insert(
                format!("{name}_{share}"),
                serde_json::json!({"least_ms": least.map(|t| t.0), "median_ms": middle.map(|t| t.0), "greatest": most, "programmes": programmes[at]}),
            );
        }
    }
    #[allow(clippy::print_stdout)]
    {
        println!("{:#}", serde_json::json!({"model": path, "threads": threads, "ranges": report}));
    }
    Ok(())
}
