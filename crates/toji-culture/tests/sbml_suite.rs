//! The SBML semantic test suite (sbmlteam/sbml-test-suite, LGPL-2.1: input of this test only, not part of Toji): every
//! case at hand is simulated and compared with its results by the suite's rule |x − reference| ≤ absolute + relative ·
//! |reference|.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first thing that is not as it should be")]

mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toji_core::text::Lang;
use toji_culture::exchange::sbml::{self, Import};
use toji_culture::kernel::{Options, System};

/// Odd cases of the core subset.
const CASES: usize = 436;

/// Cases that the suite has in levels 1 and 2 only, whose documents may therefore be absent.
const ONLY_LEVEL_2: [&str; 2] = ["01795", "01797"];

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

/// A case: what it asks for, its model, and the values it must have.
struct Case {
    settings: Settings,
    import: Import,
    header: Vec<String>,
    columns: Vec<Column>,
    rows: Vec<Vec<f64>>,
}

impl Case {
    /// `None`: its document is not at hand.
    fn read(folder: &Path, id: &str) -> Option<Result<Self, String>> {
        let file = |end: &str| std::fs::read(folder.join(format!("{id}-{end}"))).ok();
        let levels = ["l3v2", "l3v1", "l2v5", "l2v4"];
        let document = levels.iter().find_map(|level| file(&format!("sbml-{level}.xml")))?;
        let text = |end: &str| String::from_utf8(file(end).unwrap()).unwrap();
        let settings = Settings::read(&text("settings.txt"));
        let import = match sbml::import(&document) {
            Ok(import) => import,
            Err(error) => return Some(Err(error.render(Lang::En))),
        };
        let (header, rows) = reference(&text("results.csv"));
        assert_eq!(rows.len(), settings.steps + 1, "{id}");
        let columns = header[1..].iter().map(|name| column(&import, &settings, name)).collect();
        Some(Ok(Self { settings, import, header, columns, rows }))
    }

    fn time(&self, k: usize) -> f64 {
        self.settings.start + self.settings.duration * k as f64 / self.settings.steps as f64
    }

    /// Every value within its tolerance, or the first that is not.
    fn compare(&self, of: impl Fn(usize, &str) -> f64) -> Result<(), String> {
        let (absolute, relative) = (self.settings.absolute, self.settings.relative);
        for (k, row) in self.rows.iter().enumerate() {
            for ((column, wanted), name) in self.columns.iter().zip(&row[1..]).zip(&self.header[1..]) {
                let found = match column {
                    Column::Of(name) => of(k, name),
                    Column::Ratio(above, below) => of(k, above) / of(k, below),
                };
                let same = found == *wanted || (found.is_nan() && wanted.is_nan());
                let near = (found - wanted).abs() <= absolute + relative * wanted.abs();
                if !same && !near {
                    return Err(format!("{name} at {}: {found} beside {wanted}", self.time(k)));
                }
            }
        }
        Ok(())
    }

    fn by_kernel(&self) -> Result<(), String> {
        let words = |error: toji_core::Error| error.render(Lang::En);
        let system = System::compile(&self.import.definition).map_err(words)?;
        let times: Vec<f64> = (0..self.rows.len()).map(|k| self.time(k)).collect();
        let absolute = vec![(self.settings.absolute * 1e-3).min(1e-9)];
        let options = Options { relative: 1e-7, absolute, ..Options::default() };
        let found = system.simulate::<f64>(&system.constants(), &times, &options).map_err(words)?;
        self.compare(|k, name| found.at(k)[system.quantity(name).unwrap()])
    }

    fn by_walk(&self) -> Result<(), String> {
        let mut walk = walk::Walk::new(&self.import.definition, self.settings.start);
        let mut values = Vec::new();
        for k in 0..self.rows.len() {
            if k > 0 {
                walk.to(self.time(k), 100);
            }
            values.push(walk.values.clone());
        }
        self.compare(|k, name| values[k][walk.place(name)])
    }
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
    let (mut passed, mut absent, mut failed) = (0, Vec::new(), Vec::new());
    for id in &ids {
        match Case::read(&root.join(id), id) {
            None => absent.push(id.as_str()),
            Some(Err(why)) => failed.push(format!("{id}: {why}")),
            Some(Ok(case)) => {
                // The plain walker tells a fault of the translation from one of the kernel.
                let why = [("kernel", case.by_kernel()), ("walker", case.by_walk())];
                let why: Vec<String> = why.into_iter().filter_map(|(who, r)| Some(format!("{who}: {}", r.err()?))).collect();
                if why.is_empty() {
                    passed += 1;
                } else {
                    failed.push(format!("{id}: {}", why.join("; ")));
                }
            }
        }
    }
    eprintln!("SBML semantic suite: {passed} of {} cases pass; without a document here: {absent:?}", ids.len());
    assert!(failed.is_empty(), "failed:\n{}", failed.join("\n"));
    assert_eq!(ids.len(), CASES);
    assert!(absent.iter().all(|id| ONLY_LEVEL_2.contains(id)), "{absent:?}");
}
