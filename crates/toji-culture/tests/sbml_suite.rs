//! The SBML semantic test suite (sbmlteam/sbml-test-suite, LGPL-2.1: input of this test only, not part of Toji): every
//! case at hand is simulated and compared with its results by the suite's rule |x − reference| ≤ absolute + relative ·
//! |reference|.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first thing that is not as it should be")]

mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toji_core::text::Lang;
use toji_culture::exchange::sbml::{self, Import};

/// Odd cases of the core subset.
const CASES: usize = 436;

fn shared() -> PathBuf {
    std::env::var_os("TOJI_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from)
        .join("data/modelling/sbml-semantic")
}

/// What a case asks for.
struct Settings {
    start: f64,
    duration: f64,
    steps: usize,
    absolute: f64,
    relative: f64,
    amount: Vec<String>,
    concentration: Vec<String>,
}

impl Settings {
    fn read(text: &str) -> Self {
        let said: BTreeMap<&str, &str> =
            text.lines().filter_map(|line| line.split_once(':')).map(|(k, v)| (k.trim(), v.trim())).collect();
        let number = |key: &str| said[key].parse::<f64>().unwrap();
        let list = |key: &str| {
            let words = said.get(key).copied().unwrap_or_default().split(',');
            words.map(|w| w.trim().to_owned()).filter(|w| !w.is_empty()).collect()
        };
        Self {
            start: number("start"),
            duration: number("duration"),
            steps: number("steps") as usize,
            absolute: number("absolute"),
            relative: number("relative"),
            amount: list("amount"),
            concentration: list("concentration"),
        }
    }
}

/// How a column of the results follows from quantities: a quantity, or one by another.
enum Column {
    Of(String),
    Ratio(String, String),
}

fn column(import: &Import, settings: &Settings, name: &str) -> Column {
    let is = |list: &[String]| list.iter().any(|n| n == name);
    let Some(species) = import.model.species.iter().find(|s| &*s.id == name) else { return Column::Of(name.to_owned()) };
    let amount = import.model.amount_of(name).unwrap().to_string();
    if is(&settings.amount) {
        Column::Of(amount)
    } else if is(&settings.concentration) && amount == name {
        Column::Ratio(amount, species.compartment.to_string())
    } else {
        Column::Of(name.to_owned())
    }
}

fn reference(text: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let mut lines = text.lines().filter(|l| !l.trim().is_empty());
    let header = lines.next().unwrap().split(',').map(|w| w.trim().trim_matches('"').to_owned()).collect();
    let rows = lines.map(|line| line.split(',').map(|cell| cell.trim().parse::<f64>().unwrap()).collect()).collect();
    (header, rows)
}

/// Every value of a case within its tolerance, or why not.
fn run(folder: &Path, id: &str) -> Result<(), String> {
    let file = |end: &str| std::fs::read(folder.join(format!("{id}-{end}")));
    let document = file("sbml-l3v2.xml").or_else(|_| file("sbml-l3v1.xml")).map_err(|e| e.to_string())?;
    let text = |end: &str| String::from_utf8(file(end).unwrap()).unwrap();
    let settings = Settings::read(&text("settings.txt"));
    let import = sbml::import(&document).map_err(|e| e.render(Lang::En))?;
    let (header, rows) = reference(&text("results.csv"));
    let columns: Vec<Column> = header[1..].iter().map(|name| column(&import, &settings, name)).collect();
    assert_eq!(rows.len(), settings.steps + 1, "{id}");
    let mut walk = walk::Walk::new(&import.definition, settings.start);
    for (k, row) in rows.iter().enumerate() {
        let time = settings.start + settings.duration * k as f64 / settings.steps as f64;
        if k > 0 {
            walk.to(time, 100);
        }
        for ((column, wanted), name) in columns.iter().zip(&row[1..]).zip(&header[1..]) {
            let found = match column {
                Column::Of(name) => walk.of(name),
                Column::Ratio(above, below) => walk.of(above) / walk.of(below),
            };
            let same = found == *wanted || (found.is_nan() && wanted.is_nan());
            if !same && !((found - wanted).abs() <= settings.absolute + settings.relative * wanted.abs()) {
                return Err(format!("{name} at {time}: {found} beside {wanted}"));
            }
        }
    }
    Ok(())
}

#[test]
fn every_case_of_the_semantic_suite_is_as_its_results() {
    let root = shared();
    let Ok(folder) = std::fs::read_dir(&root) else {
        eprintln!("skipped: {} is not on this machine (set TOJI_SHARED)", root.display());
        return;
    };
    let mut ids: Vec<String> = folder.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    ids.sort();
    let failed: Vec<String> =
        ids.iter().filter_map(|id| run(&root.join(id), id).err().map(|why| format!("{id}: {why}"))).collect();
    eprintln!("SBML semantic suite: {} of {} cases pass", ids.len() - failed.len(), ids.len());
    assert!(failed.is_empty() && ids.len() == CASES, "{} of {CASES} at hand, failed:\n{}", ids.len(), failed.join("\n"));
}
