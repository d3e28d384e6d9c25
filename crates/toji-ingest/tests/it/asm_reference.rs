//! Real analyser files against the ASM documents that another converter made of them.
//!
//! Both documents are taken apart into facts (sample, time, quantity, value, unit). Every fact of the
//! reference must be in ours and every quantity of ours in the reference, or the difference must be one
//! of [`rules::JUSTIFIED`], as often as the table says.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of a test stop the test, and a skipped test says so")]

mod facts;
mod rules;

use facts::{Datum, Difference, Fact, Facts, differences};
use rules::{ALWAYS, EXPECTED, JUSTIFIED, justify};
use serde_json::Value as Json;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use toji_core::culture::{Reading, When};
use toji_core::{ClockTime, Instant, ValueKind, ZoneEvidence};
use toji_ingest::{Site, Source, asm_write, formats};

/// Files with their reference beside them.
const FILES: [&str; 20] = [
    "roche_cedex_bioht/roche_cedex_bioht_example01.txt",
    "roche_cedex_bioht/roche_cedex_bioht_example04.txt",
    "roche_cedex_bioht/roche_cedex_bioht_example_with_mg_L.txt",
    "roche_cedex_bioht/roche_cedex_bioht_v5_example01.txt",
    "roche_cedex_bioht/roche_cedex_bioht_v7_example_01.txt",
    "novabio_flex2/SampleResultsDEVICE1232021-02-18_104838.csv",
    "novabio_flex2/SampleResultsT123456789C2020-01-01_162647.csv",
    "beckman_vi_cell_blu/Beckman_Vi-Cell-BLU_example01.csv",
    "beckman_vi_cell_blu/Beckman_Vi-Cell-BLU_example02.csv",
    "beckman_vi_cell_xr/Beckman_Vi-Cell-XR_example03_instrumentOutput.xls",
    "beckman_vi_cell_xr/Beckman_Vi-Cell-XR_example05_instrumentOutput.xlsx",
    "beckman_vi_cell_xr/Beckman_Vi-Cell-XR_example07_instrumentOutput.txt",
    "beckman_vi_cell_xr/Beckman_Vi-Cell-XR_report_format.xlsx",
    "roche_cedex_hires/roche_cedex_hires_example_1.csv",
    "roche_cedex_hires/roche_cedex_hires_example_2.xlsx",
    "chemometec_nucleoview/chemometec_nucleoview_example01.csv",
    "chemometec_nucleoview/chemometec_nucleoview_example03.csv",
    "chemometec_nucleoview/chemometec_nucleoview_example05.csv",
    "thermo_fisher_genesys30/thermo_fisher_genesys30_example_01.tsv",
    "tecan_magellan/SLA01P01_OD.xlsx",
];

/// Measured quantities in the references of these files.
const QUANTITIES: usize = 1_393;

/// The file that states no time at all. ASM requires one: the writer refuses, and the reference puts
/// 1970 in its place.
const TIMELESS: &str = "chemometec_nucleoview_example03.csv";

/// The folder of shared real files, when this machine has it.
fn shared() -> Option<PathBuf> {
    let root = std::env::var_os("TOJI_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join("data/bioprocess/allotropy");
    folder.is_dir().then_some(folder)
}

fn each_file(check: impl Fn(&str, &[u8], &Json)) {
    let Some(folder) = shared() else {
        eprintln!("skipped: the shared real files are not on this machine (set TOJI_SHARED)");
        return;
    };
    for file in FILES {
        let bytes = std::fs::read(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let reference = std::fs::read(folder.join(file).with_extension("json")).unwrap_or_else(|e| panic!("{file}: {e}"));
        check(file, &bytes, &serde_json::from_slice(&reference).unwrap());
    }
}

fn read(file: &str, bytes: &[u8]) -> Reading {
    // The name says nothing: formats must know a file by its content.
    let source = Source::new("file", bytes).unwrap();
    let (_, reading) = toji_ingest::read(&source, &Site::default()).unwrap_or_else(|e| panic!("{file}: {e}"));
    reading
}

/// The reading as an ASM document. A file without a time is refused first; then it gets the 1970 that
/// the reference puts in its place, so that everything else can be compared.
fn written(file: &str, reading: &Reading) -> Json {
    let first = asm_write::write(reading, name_of(file));
    if !file.ends_with(TIMELESS) {
        return first.unwrap_or_else(|e| panic!("{file}: {e}"));
    }
    assert_eq!(first.unwrap_err().code(), "E-ASM-011");
    let mut reading = reading.clone();
    let epoch = When::At(ClockTime {
        instant: Instant(0),
        zone: "UTC".to_owned(),
        evidence: ZoneEvidence::File,
        raw: String::new(),
        doubt: None,
    });
    for sample in &mut reading.samples {
        sample.when = epoch.clone();
        sample.assays.iter_mut().for_each(|a| a.when = epoch.clone());
    }
    asm_write::write(&reading, name_of(file)).unwrap()
}

fn name_of(file: &str) -> &str {
    file.rsplit('/').next().unwrap()
}

#[test]
fn every_value_unit_time_and_identifier_of_the_reference() {
    let (wrong, compared) = (RefCell::new(Vec::new()), Cell::new(0));
    each_file(|file, bytes, reference| {
        let reading = read(file, bytes);
        let ours = written(file, &reading);
        let (mut reference, ours) = (Facts::of(reference), Facts::of(&ours));
        rules::name_the_scan(&mut reference, &ours);
        assert!(reference.quantities.len() > 4, "{file}: the reference was taken apart");
        compared.set(compared.get() + reference.quantities.len());
        let unique: BTreeSet<&String> = ours.identifiers.iter().collect();
        assert_eq!(unique.len(), ours.identifiers.len(), "{file}: measurement identifiers are unique");
        let all =
            differences(&reference.quantities, &ours.quantities).into_iter().chain(differences(&reference.texts, &ours.texts));
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut unlisted = Vec::new();
        for difference in all {
            match justify(&difference, &reference, &ours) {
                Some(rule) if ALWAYS.contains(&rule) => {}
                Some(rule) if JUSTIFIED.iter().any(|(known, _)| *known == rule) => *counts.entry(rule).or_default() += 1,
                _ => unlisted.push(difference),
            }
        }
        if !unlisted.is_empty() {
            wrong.borrow_mut().push(format!("{file}: differences nobody justified: {unlisted:#?}"));
        }
        let (_, expected) = EXPECTED.iter().find(|(name, _)| file.ends_with(name)).unwrap();
        let counts: Vec<_> = counts.into_iter().collect();
        if counts != *expected {
            wrong.borrow_mut().push(format!("{file}: {counts:?}"));
        }
    });
    let wrong = wrong.into_inner();
    assert!(wrong.is_empty(), "these occur otherwise than listed:\n{}", wrong.join("\n"));
    assert!(shared().is_none() || compared.get() == QUANTITIES, "{} quantities were compared", compared.get());
}

/// The results of a reading as facts, named by where they stood in the ASM document.
fn facts_of(reading: &Reading) -> Vec<Fact> {
    let mut out = Vec::new();
    for sample in &reading.samples {
        for assay in &sample.assays {
            let pointer = assay.place.field.as_deref().unwrap_or("");
            // The reference's calculated data are numbers of the files, compared as custom information.
            if pointer.contains("/calculated data document/") {
                continue;
            }
            let last = pointer.rsplit('/').next().unwrap().replace("~1", "/");
            let name = assay.fields.get("name").and_then(Json::as_str).unwrap_or(&assay.analyte);
            let When::At(at) = &assay.when else { panic!("{pointer}: no time") };
            if let (Some(number), Some(unit)) = (assay.value.number, &assay.value.raw_unit) {
                out.push(Fact {
                    sample: if sample.key.is_empty() { "N/A".to_owned() } else { sample.key.clone() },
                    time: Some(at.instant.0),
                    quantity: match pointer {
                        _ if pointer.contains("/analyte document/") => format!("{name} {last}"),
                        _ if pointer.contains("data cube/") => name.to_owned(),
                        _ => last,
                    },
                    datum: Datum::Number(number),
                    unit: unit.clone(),
                });
            }
        }
    }
    out
}

const SETTINGS: [&str; 4] =
    ["cell density dilution factor", "minimum cell diameter setting", "maximum cell diameter setting", "compartment temperature"];

#[test]
fn reference_documents_read_back_to_the_same_values() {
    each_file(|file, _, document| {
        let reading = read(file, document.to_string().as_bytes());
        assert_eq!(reading.format, "allotrope-asm");
        assert!(reading.not_read.is_empty(), "{file}: {:?}", reading.not_read);
        let reference: Vec<Fact> =
            Facts::of(document).quantities.into_iter().filter(|q| !SETTINGS.contains(&q.quantity.as_str())).collect();
        let left = differences(&reference, &facts_of(&reading));
        let minus_zero = |d: &Difference| matches!(&d.reference, Some(r) if d.ours.is_none() && r.datum == Datum::Number(0.0));
        assert!(left.iter().all(minus_zero), "{file}: {left:#?}");
        let (_, expected) = EXPECTED.iter().find(|(name, _)| file.ends_with(name)).unwrap();
        let bounds = expected.iter().find(|(rule, _)| *rule == "bound-as-minus-zero").map_or(0, |(_, n)| *n);
        let without_number = reading.samples.iter().flat_map(|s| &s.assays).filter(|a| a.value.number.is_none()).inspect(|a| {
            let kind = a.value.kind;
            assert!(a.value.is_censored() || kind == ValueKind::NotDetermined, "{file}: {a:?}");
        });
        assert_eq!((left.len(), without_number.count()), (bounds, bounds), "{file}");
    });
}

#[test]
fn our_documents_read_back_to_the_reading_they_were_written_from() {
    type Line = (String, Option<i64>, String, Option<String>, ValueKind, [Option<u64>; 3], String, Vec<String>);
    let lines = |reading: &Reading| -> Vec<Line> {
        let time = |when: &When| match when {
            When::At(at) => Some(at.instant.0),
            _ => None,
        };
        let mut out: Vec<Line> = Vec::new();
        for sample in &reading.samples {
            for assay in &sample.assays {
                // Variables without an ASM property are found again by name, where the name tells them.
                let variable = assay.variable.clone();
                let value = &assay.value;
                // As decimal texts of 12 digits: a conversion and back may move the last bit.
                let bits = [value.number, value.low, value.high]
                    .map(|n| n.map(|n| format!("{n:.11e}").parse::<f64>().unwrap().to_bits()));
                out.push((
                    sample.key.clone(),
                    time(&assay.when),
                    assay.analyte.clone(),
                    variable,
                    value.kind,
                    bits,
                    value.text.clone(),
                    assay.flags.clone(),
                ));
            }
        }
        out.sort_by(|a, b| (&a.0, a.1, &a.2, &a.6).cmp(&(&b.0, b.1, &b.2, &b.6)));
        out
    };
    each_file(|file, bytes, _| {
        let reading = read(file, bytes);
        if file.ends_with(TIMELESS) {
            return;
        }
        let document = written(file, &reading);
        let back = read(file, document.to_string().as_bytes());
        assert!(back.not_read.is_empty(), "{file}: {:?}", back.not_read);
        let (before, after) = (lines(&reading), lines(&back));
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after, "{file}");
        }
        assert_eq!(before.len(), after.len(), "{file}");
    });
}

#[test]
fn names_of_files_do_not_matter_and_every_format_is_sure_of_its_own() {
    each_file(|file, bytes, _| {
        let source = Source::new("x", bytes).unwrap();
        let found = toji_ingest::detect(&source);
        let of_folder = [
            ("roche_cedex_bioht", "roche-cedex-bioht"),
            ("nova", "nova-flex2"),
            ("beckman_vi_cell_blu", "beckman-vicell-blu"),
            ("beckman_vi_cell_xr", "beckman-vicell-xr"),
            ("roche_cedex_hires", "roche-cedex-hires"),
            ("chemometec", "chemometec-nucleoview"),
            ("thermo", "thermo-genesys30"),
            ("tecan", "tecan-magellan"),
        ];
        let (_, format) = of_folder.iter().find(|(folder, _)| file.starts_with(folder)).unwrap();
        assert_eq!(found.first().map(|(f, _)| f.id()), Some(*format), "{file}");
        // Nothing of these files is left over except what the vendors' headers say of paths.
        let reading = read(file, bytes);
        assert!(reading.not_read.iter().all(|n| n.text.contains('\\')), "{file}: {:?}", reading.not_read);
        for format in formats::all().iter().filter(|f| FORMATS.contains(&f.id())) {
            let _ = format.read(&source, &Site::default());
        }
    });
}

/// The formats these files are of.
const FORMATS: [&str; 9] = [
    "roche-cedex-bioht",
    "nova-flex2",
    "beckman-vicell-blu",
    "beckman-vicell-xr",
    "roche-cedex-hires",
    "chemometec-nucleoview",
    "thermo-genesys30",
    "tecan-magellan",
    "allotrope-asm",
];

/// A small generator of repeatable mutations (xorshift).
struct Mutations(u64);

impl Mutations {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).unwrap()
    }
    /// The bytes with up to four places changed, cut, doubled or replaced.
    fn of(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for _ in 0..=self.next(4) {
            let at = self.next(out.len());
            match self.next(6) {
                0 => out.truncate(at),
                1 => out.insert(at, b"\t,;\"<\n0-\xff"[self.next(9)]),
                2 => drop(out.drain(at..(at + 1 + self.next(40)).min(out.len()))),
                3 => {
                    let part = out[at..(at + self.next(80)).min(out.len())].to_vec();
                    out.splice(at..at, part);
                }
                _ if at < out.len() => out[at] = u8::try_from(self.next(256)).unwrap(),
                _ => {}
            }
        }
        out
    }
}

#[test]
fn damaged_real_files_are_read_or_refused() {
    each_file(|file, bytes, reference| {
        let mut mutations = Mutations(0x9e37_79b9_7f4a_7c15);
        let document = reference.to_string();
        for round in 0..8 {
            for bytes in [bytes, document.as_bytes()] {
                let damaged = mutations.of(bytes);
                let Ok(source) = Source::new("x", &damaged) else { continue };
                for format in formats::all().iter().filter(|f| FORMATS.contains(&f.id())) {
                    let _ = format.detect(&source);
                    let read = format.read(&source, &Site::default());
                    if let Err(error) = read {
                        assert!(!error.fault().message.ja.is_empty() && !error.code().is_empty(), "{file} round {round}");
                    } else if let Ok(reading) = read {
                        let _ = asm_write::write(&reading, "x");
                    }
                }
            }
        }
    });
}
