//! Real models against the results of other tools (COBRApy with GLPK, GLPK alone, the FROG report of iCGB21FR's authors), as
//! each reference file names them.

use super::{model, shared};
use serde_json::Value;
use std::collections::BTreeSet;
use toji_flux::analyse::{Growth, Removal, Variability, double_genes, envelope, fba, fva, pfba, single_genes, single_reactions};
use toji_flux::lp::Outcome;
use toji_flux::model::Model;
use toji_flux::{Network, Sense};

fn reference(path: &str) -> Option<Value> {
    shared(path).map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

fn near(have: f64, want: f64, tolerance: f64) -> bool {
    (have - want).abs() <= tolerance * want.abs().max(1.0)
}

/// The optimum, its certificate held to the size of the model's numbers.
fn optimum(network: &Network) -> f64 {
    let Outcome::Optimal(best) = fba(network).unwrap() else { panic!("no optimum") };
    assert!(best.proof.max_primal_residual < 1e-8, "{:?}", best.proof);
    assert!(best.proof.max_dual_infeasibility < 1e-8, "{:?}", best.proof);
    assert!(best.proof.duality_gap < 1e-7, "{:?}", best.proof);
    best.objective
}

/// Ranges of a model at a fraction, compressed and (`both`) plain, against `{id: [min, max]}`.
fn ranges(model: &Model, fraction: f64, want: &Value, tolerance: f64, both: bool) {
    let network = model.network().unwrap();
    for compress in if both { &[true, false][..] } else { &[true] } {
        let compress = *compress;
        let have = fva(&network, &Variability { fraction, compress, threads: 1 }).unwrap().unwrap();
        let mut faults = Vec::new();
        for (id, ends) in want.as_object().unwrap() {
            let j = model.reaction(id).unwrap_or_else(|| panic!("no reaction {id}"));
            let (low, high) = (ends[0].as_f64().unwrap(), ends[1].as_f64().unwrap());
            if !near(have.minimum[j], low, tolerance) || !near(have.maximum[j], high, tolerance) {
                faults.push(format!("{id}: [{}, {}] but [{low}, {high}]", have.minimum[j], have.maximum[j]));
            }
        }
        assert!(faults.is_empty(), "compress {compress}: {}\n{}", faults.len(), faults.join("\n"));
    }
}

fn value(growth: Growth) -> f64 {
    growth.value().unwrap_or(0.0)
}

/// Growth after each deletion against `{gene: growth}`, and the essential sets equal.
fn genes(model: &Model, want: &serde_json::Map<String, Value>, tolerance: f64) -> usize {
    let network = model.network().unwrap();
    let list: Vec<usize> = want.keys().map(|id| model.gene(id).unwrap_or_else(|| panic!("no gene {id}"))).collect();
    let have = single_genes(model, &network, &list, &Removal::default()).unwrap().unwrap();
    let plain = single_genes(model, &network, &list, &Removal { compress: false, threads: 1 }).unwrap().unwrap();
    let (mut essential, mut expected) = (BTreeSet::new(), BTreeSet::new());
    for (at, (id, growth)) in want.iter().enumerate() {
        let growth = growth.as_f64().unwrap_or(0.0);
        for result in [have.results[at], plain.results[at]] {
            assert!(near(value(result), growth, tolerance), "{id}: {result:?} but {growth}");
        }
        if have.results[at].is_lost(have.wild_type, 0.01) {
            essential.insert(id);
        }
        if growth < 0.01 * have.wild_type {
            expected.insert(id);
        }
    }
    assert_eq!(essential, expected);
    essential.len()
}

#[test]
fn textbook_is_as_cobrapy_says() {
    let (Some(model), Some(want)) = (model("textbook.xml.gz"), reference("textbook.json")) else { return };
    let network = model.network().unwrap();
    assert!(near(optimum(&network), want["fba"].as_f64().unwrap(), 1e-9));
    let least = pfba(&network, 1.0).unwrap().unwrap();
    assert!(near(least.total, want["pfba_total_flux"].as_f64().unwrap(), 1e-7), "{}", least.total);
    for (id, flux) in want["pfba_fluxes"].as_object().unwrap() {
        let have = least.fluxes[model.reaction(id).unwrap()];
        assert!(near(have, flux.as_f64().unwrap(), 1e-6), "{id}: {have} but {flux}");
    }
    for (key, fraction) in [("fva_1.0", 1.0), ("fva_0.9", 0.9), ("fva_0.0", 0.0)] {
        ranges(&model, fraction, &want[key], 1e-6, true);
    }
    assert_eq!(genes(&model, want["single_gene_deletion"].as_object().unwrap(), 1e-6), 7);
    let reactions = single_reactions(&network, &Removal::default()).unwrap().unwrap();
    for (id, growth) in want["single_reaction_deletion"].as_object().unwrap() {
        let have = value(reactions.results[model.reaction(id).unwrap()]);
        assert!(near(have, growth.as_f64().unwrap_or(0.0), 1e-6), "{id}: {have} but {growth}");
    }
}

#[test]
fn all_pairs_of_textbook_are_as_cobrapy_says() {
    let (Some(model), Some(want)) = (model("textbook.xml.gz"), reference("textbook.json")) else { return };
    let network = model.network().unwrap();
    let list: Vec<usize> = (0..model.genes.len()).collect();
    let pairs = double_genes(&model, &network, &list, &Removal::default()).unwrap().unwrap();
    // The reference counts every gene with itself as well.
    let all = || pairs.results.iter().chain(&pairs.single.results);
    let want = &want["double_gene_deletion"];
    assert_eq!(all().count() as u64, want["pairs"].as_u64().unwrap());
    let lethal = all().filter(|g| g.is_lost(pairs.single.wild_type, 0.01)).count();
    assert_eq!(lethal as u64, want["lethal_lt_1pct"].as_u64().unwrap());
    let sum: f64 = all().map(|&g| value(g)).sum();
    assert!(near(sum, want["sum_growth"].as_f64().unwrap(), 1e-6), "{sum}");
    let plain = double_genes(&model, &network, &list, &Removal { compress: false, threads: 2 }).unwrap().unwrap();
    for (a, b) in pairs.results.iter().zip(&plain.results) {
        assert!(near(value(*a), value(*b), 1e-7), "{a:?} {b:?}");
    }
}

#[test]
fn ijo1366_is_as_glpk_says() {
    let (Some(model), Some(want)) = (model("iJO1366.xml.gz"), reference("iJO1366_fba_fva_deletions.json")) else { return };
    let network = model.network().unwrap();
    assert!(near(optimum(&network), want["growth"].as_f64().unwrap(), 1e-8));
    let least = pfba(&network, 1.0).unwrap().unwrap();
    assert!(near(least.total, want["pfba_total_flux"].as_f64().unwrap(), 1e-6), "{}", least.total);
    let essential = genes(&model, want["single_gene_deletion"].as_object().unwrap(), 1e-6);
    assert_eq!(essential as u64, want["n_essential"].as_u64().unwrap());
    ranges(&model, 1.0, &want["fva_fraction_1_0"], 1e-5, true);
    ranges(&model, 0.9, &want["fva_fraction_0_9"], 1e-5, false);
}

#[test]
fn cupriavidus_grows_as_cobrapy_says() {
    let (Some(model), Some(want)) = (model("RehMBEL1391.json"), reference("RehMBEL1391.json")) else { return };
    let network = model.network().unwrap();
    assert!(near(optimum(&network), want["fba"].as_f64().unwrap(), 1e-9));
    let least = pfba(&network, 1.0).unwrap().unwrap();
    assert!(near(least.total, want["pfba_total_flux"].as_f64().unwrap(), 1e-7), "{}", least.total);
    for (name, condition) in want["conditions"].as_object().unwrap() {
        let mut network = network.clone();
        for (id, bounds) in condition["bounds"].as_object().unwrap() {
            let j = model.reaction(id).unwrap_or_else(|| panic!("no reaction {id}"));
            (network.lower[j], network.upper[j]) = (bounds[0].as_f64().unwrap(), bounds[1].as_f64().unwrap());
        }
        let growth = optimum(&network);
        assert!(near(growth, condition["growth"].as_f64().unwrap(), 1e-6), "{name}: {growth}");
    }
}

/// Rows of a FROG table, by column names.
fn frog(path: &str) -> Option<Vec<std::collections::HashMap<String, String>>> {
    let text = String::from_utf8(shared(path)?).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    Some(lines.map(|l| names.iter().zip(l.split('\t')).map(|(n, v)| ((*n).to_owned(), v.to_owned())).collect()).collect())
}

fn number(row: &std::collections::HashMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or(0.0)
}

/// FROG prints five digits; a zero may stand for less than 1e-6 there.
const FROG: f64 = 2e-5;

#[test]
fn corynebacterium_is_as_its_authors_report() {
    let (Some(model), Some(objective)) = (model("iCGB21FR.xml.gz"), frog("frog_iCGB21FR/01_objective.tsv")) else { return };
    let network = model.network().unwrap();
    assert!(near(optimum(&network), number(&objective[0], "value"), FROG));
    let reaction = |id: &str| model.reaction(id).or_else(|| model.reaction(id.strip_prefix("R_")?));
    let gene = |id: &str| model.gene(id).or_else(|| model.gene(id.strip_prefix("G_")?));
    let removed = single_reactions(&network, &Removal::default()).unwrap().unwrap();
    let mut lost = 0;
    for row in frog("frog_iCGB21FR/04_reaction_deletion.tsv").unwrap() {
        let have = removed.results[reaction(&row["reaction"]).unwrap()];
        assert!(near(value(have), number(&row, "value"), FROG), "{}: {have:?} but {}", row["reaction"], row["value"]);
        lost += usize::from(have.is_lost(removed.wild_type, 0.01));
    }
    assert_eq!(lost, 184);
    let rows = frog("frog_iCGB21FR/03_gene_deletion.tsv").unwrap();
    let list: Vec<usize> = rows.iter().map(|row| gene(&row["gene"]).unwrap()).collect();
    let removed = single_genes(&model, &network, &list, &Removal::default()).unwrap().unwrap();
    let mut lost = 0;
    for (row, have) in rows.iter().zip(&removed.results) {
        assert!(near(value(*have), number(row, "value"), FROG), "{}: {have:?} but {}", row["gene"], row["value"]);
        lost += usize::from(have.is_lost(removed.wild_type, 0.01));
    }
    assert_eq!((rows.len(), lost), (805, 119));
    let ranges = fva(&network, &Variability::default()).unwrap().unwrap();
    for row in frog("frog_iCGB21FR/02_fva.tsv").unwrap() {
        let id = row["reaction"].as_str();
        let j = reaction(id).unwrap();
        // The report's minima of these two are 0 because its optimum was held only to the solver's tolerance; GLPK at exactly
        // the optimum gives the values here.
        let minimum = match id {
            "R_GART" => 0.001_355_6,
            "R_AMPMS" => 0.000_123_24,
            _ => number(&row, "minimum"),
        };
        // The report was computed with a tolerance of 1e-6 on the optimum: what that lets move is not asserted beyond 1e-3.
        let (low, high) = (ranges.minimum[j], ranges.maximum[j]);
        assert!(near(low, minimum, 1e-3) && near(high, number(&row, "maximum"), 1e-3), "{id}: [{low}, {high}] but {row:?}");
    }
    assert!((ranges.minimum[reaction("R_GART").unwrap()] - 0.001_355_6).abs() < 1e-6);
    assert!((ranges.minimum[reaction("R_AMPMS").unwrap()] - 0.000_123_24).abs() < 1e-7);
}

#[test]
fn what_can_be_made_of_glucose_is_as_cobrapy_says() {
    let (Some(model), Some(want)) = (model("textbook.xml.gz"), reference("textbook.json")) else { return };
    let mut network = model.network().unwrap();
    for (id, most) in want["max_production"].as_object().unwrap() {
        network.objective.fill(0.0);
        network.objective[model.reaction(id).unwrap()] = 1.0;
        network.sense = Sense::Maximize;
        let have = optimum(&network);
        assert!(near(have, most.as_f64().unwrap(), 1e-7), "{id}: {have} but {most}");
    }
}

/// Value at `t` of a line through points.
fn on_line(points: &[(f64, f64)], t: f64) -> f64 {
    let right = points.iter().position(|p| p.0 >= t).unwrap_or(points.len() - 1).max(1);
    let ((a, f), (b, g)) = (points[right - 1], points[right]);
    f + (g - f) * (t - a) / (b - a)
}

#[test]
fn acetate_over_oxygen_is_as_cobrapy_says() {
    let (Some(model), Some(want)) = (model("textbook.xml.gz"), reference("textbook.json")) else { return };
    let network = model.network().unwrap();
    let (along, target) = (model.reaction("EX_o2_e").unwrap(), model.reaction("EX_ac_e").unwrap());
    let found = envelope(&network, along, target).unwrap().unwrap();
    assert!(found.programmes < 40, "{}", found.programmes);
    for row in want["production_envelope_o2_ac"].as_array().unwrap() {
        let t = row["EX_o2_e"].as_f64().unwrap();
        let (low, high) = (on_line(&found.lower, t), on_line(&found.upper, t));
        assert!(near(high, row["flux_maximum"].as_f64().unwrap(), 1e-6), "{t}: {high} but {row}");
        assert!(near(low, row["flux_minimum"].as_f64().unwrap(), 1e-6), "{t}: {low} but {row}");
    }
}
