//! Real analyser files against the ASM documents that another converter made of them.
//!
//! Both documents are taken apart into facts (sample, time, quantity, value, unit). Every fact of the
//! reference must be in ours and every quantity of ours in the reference, or the difference must be one
//! of [`JUSTIFIED`], as often as the table says.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of a test stop the test, and a skipped test says so")]

mod facts;

use facts::{Datum, Difference, Fact, Facts, differences, letters};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use toji_core::ValueKind;
use toji_core::culture::{Reading, When};
use toji_ingest::{Site, Source, asm_write, formats};

/// Files with their reference beside them.
const FILES: [&str; 13] = [
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
];

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

fn name_of(file: &str) -> &str {
    file.rsplit('/').next().unwrap()
}

/// Which justified difference this is; `None`: none of them.
fn justify(d: &Difference, reference: &Facts, ours: &Facts) -> Option<&'static str> {
    let says = |facts: &Facts, sample: &str, quantity: &str| -> Option<Datum> {
        facts.texts.iter().find(|t| t.sample == sample && t.quantity == quantity).map(|t| t.datum.clone())
    };
    match (&d.reference, &d.ours) {
        (Some(r), Some(o)) if r.time.is_some() => {
            // The reference gives a sample's first time to all of its results.
            let times = || ours.quantities.iter().filter(|q| q.sample == r.sample).filter_map(|q| q.time);
            let before = |t: i64| r.time.is_some_and(|first| t < first && first - t <= 3600 * 1_000_000_000);
            let is_first = times().any(|t| Some(t) == r.time) && !times().any(before);
            let own_time = r.time == o.time || (is_first && o.time > r.time);
            let thousand = matches!((&r.datum, &o.datum), (Datum::Number(r), Datum::Number(o)) if (r * 1000.0 - o).abs() <= 1e-9);
            match (own_time, r.unit == o.unit) {
                (true, true) if o.datum.same(&r.datum) => Some("own-time"),
                (true, true) if r.quantity == "absorbance" && thousand => Some("absorbance-in-mau"),
                _ => None,
            }
        }
        (Some(r), None) if r.time.is_some() => {
            let analyte = r.quantity.split(" m").next().unwrap();
            let zero = matches!(r.datum, Datum::Number(n) if n == 0.0 && n.is_sign_negative());
            if zero && says(ours, &r.sample, &format!("error: {analyte}")).is_some() {
                return Some("bound-as-minus-zero");
            }
            let activity = |t: &&Fact| {
                let factor =
                    matches!((&t.datum, &r.datum), (Datum::Number(u), Datum::Number(m)) if (u * 0.0167 - m).abs() <= 1e-12 * m);
                t.sample == r.sample && t.quantity.starts_with("custom quantity: LDH") && t.quantity.ends_with("U/L") && factor
            };
            if r.quantity == "ldh molar concentration" && ours.texts.iter().any(|t| activity(&t)) {
                return Some("activity-as-amount");
            }
            let percent = says(ours, &r.sample, "custom quantity: Viable Density %");
            (r.quantity.starts_with("viable cell density") && percent == Some(r.datum.clone())).then_some("percent-as-density")
        }
        (None, Some(o)) if o.time.is_some() => {
            let moved = match o.quantity.as_str() {
                "maximum cell diameter setting" => says(reference, &o.sample, "custom: maxdiammicrons"),
                "minimum cell diameter setting" => says(reference, &o.sample, "custom: mindiammicrons"),
                _ => None,
            };
            (moved == Some(o.datum.clone())).then_some("setting-in-its-place")
        }
        (Some(r), o) => justify_text(r, o.as_ref(), reference, ours),
        // Ours keeps more than the reference: texts as written, absorbances, zone evidence.
        (None, Some(_)) => Some("kept-besides"),
        (None, None) => None,
    }
}

/// Custom information the reference names otherwise than the file's own header: reference, ours.
const RENAMED: [(&str, &str); 4] = [
    ("custom: avgbackgroundintensity", "custom: averagebackgroundintensity"),
    ("custom: vesselid", "custom: vessel"),
    ("custom: experimentaldataidentifier", "experimental data identifier"),
    ("custom: sampletime", ""),
];

fn justify_text(r: &Fact, o: Option<&Fact>, _reference: &Facts, ours: &Facts) -> Option<&'static str> {
    let has = |quantity: &str, fits: &dyn Fn(&Datum) -> bool| {
        ours.texts.iter().any(|t| t.sample == r.sample && t.quantity == quantity && fits(&t.datum))
    };
    let text = |d: &Datum| match d {
        Datum::Text(t) => t.clone(),
        Datum::Number(n) => n.to_string(),
    };
    match r.quantity.as_str() {
        "manifest" if text(&r.datum).contains("/BENCHLING/") => Some("published-manifest"),
        "ASM converter name" | "ASM converter version" | "UNC path" => Some("other-converter"),
        "data processing time" if o.is_none() => Some("from-the-file-name"),
        "device identifier" if text(&r.datum) == "N/A" && o.is_some() => Some("serial-as-identifier"),
        "device identifier" => Some("from-the-file-name"),
        "model number" | "software name" if o.is_none_or(|o| letters(&text(&o.datum)).contains(&letters(&text(&r.datum)))) => {
            Some("names-of-devices")
        }
        "software version" if o.is_some_and(|o| text(&o.datum).starts_with(&text(&r.datum))) => Some("full-version"),
        "analyst" if o.is_none() && text(&r.datum) == "Vi-Cell XR" => Some("analyst-not-stated"),
        "custom: detectionkit" | "custom: detectionkitrange" => Some("not-in-the-file"),
        q if q.starts_with("error: ") && text(&r.datum) == "unknown" => {
            has(q, &|d| text(d).starts_with('>')).then_some("bound-from-above")
        }
        q if q.starts_with("error: ") => {
            let widened = |d: &Datum| text(d).starts_with(&text(&r.datum));
            has(q, &widened).then_some("bound-with-its-unit")
        }
        "custom: flag" => {
            let written = match text(&r.datum).as_str() {
                "verification" => "v".to_owned(),
                "calibration" => "c".to_owned(),
                "unknown" => "> TEST RNG".to_owned(),
                _ => "< TEST RNG".to_owned(),
            };
            has("custom: flag", &|d| text(d) == written).then_some("flag-as-written")
        }
        "custom: pco2@temp" | "custom: po2@temp" if text(&r.datum) == "mmHg" => Some("unit-row-as-value"),
        "custom: maxdiammicrons" | "custom: mindiammicrons" => {
            let setting =
                if r.quantity.contains("max") { "maximum cell diameter setting" } else { "minimum cell diameter setting" };
            let moved = |q: &Fact| q.sample == r.sample && q.quantity == setting && q.datum.same(&r.datum);
            ours.quantities.iter().any(moved).then_some("setting-in-its-place")
        }
        q => {
            let (_, renamed) = RENAMED.iter().find(|(from, _)| *from == q)?;
            match *renamed {
                "" => Some("same-as-measurement-time"),
                to => has(to, &|d| d.same(&r.datum)).then_some("renamed"),
            }
        }
    }
}

/// Every difference there may be: which, why.
const JUSTIFIED: [(&str, &str); 19] = [
    ("own-time", "the reference gives a sample's first time to all its results; ours keeps each result's own"),
    ("absorbance-in-mau", "the reference writes an optical density of 6.32 as 6.32 mAU; it is 6320 mAU"),
    ("bound-as-minus-zero", "the reference writes `< 10.04 mg/L` as -0.0; ours writes no number"),
    ("bound-with-its-unit", "ours writes the unit behind the bound in the error document"),
    ("bound-from-above", "the reference writes `> 0.264` as \"unknown\""),
    (
        "activity-as-amount",
        "the reference turns U/L into mmol/L by 0.0167; an enzyme activity is no concentration, ours keeps U/L",
    ),
    ("percent-as-density", "the file says `10.00%` in a density column; the reference drops the sign, ours keeps the unit"),
    ("unit-row-as-value", "the reference takes `mmHg` of the unit row for a value"),
    ("flag-as-written", "ours keeps the instrument's flag (`v`), the reference its own word (`verification`)"),
    ("setting-in-its-place", "the class has a property for the size limits; the reference uses custom information"),
    ("renamed", "the same fact under Toji's field name"),
    ("same-as-measurement-time", "sample time and measurement time are one; ours writes the sample time only when it differs"),
    ("not-in-the-file", "kit names and ranges are the reference's own table, not the file's"),
    ("from-the-file-name", "the reference takes device and export time from the file's name, which ours does not look at"),
    ("serial-as-identifier", "the device identifier is N/A in the reference, the serial number in ours"),
    ("names-of-devices", "spelling of model and software; no software name where the file states none"),
    ("full-version", "ours keeps the version as written, 2.06.3"),
    ("analyst-not-stated", "the reference puts the device's name for an analyst the file does not state"),
    ("published-manifest", "the reference names its own variant of the schema, ours the published one"),
];

/// Differences of every converter: names, paths, and what ours keeps beyond the reference.
const ALWAYS: [&str; 2] = ["other-converter", "kept-besides"];

/// How often each difference occurs, by file.
const EXPECTED: [(&str, &[(&str, usize)]); 13] = [
    (
        "roche_cedex_bioht_example01.txt",
        &[
            ("absorbance-in-mau", 4),
            ("activity-as-amount", 2),
            ("bound-as-minus-zero", 7),
            ("bound-with-its-unit", 7),
            ("flag-as-written", 8),
            ("not-in-the-file", 31),
            ("own-time", 9),
            ("serial-as-identifier", 1),
        ],
    ),
    (
        "roche_cedex_bioht_example04.txt",
        &[("absorbance-in-mau", 3), ("not-in-the-file", 9), ("own-time", 6), ("serial-as-identifier", 1)],
    ),
    (
        "roche_cedex_bioht_example_with_mg_L.txt",
        &[
            ("absorbance-in-mau", 4),
            ("activity-as-amount", 2),
            ("bound-as-minus-zero", 7),
            ("bound-with-its-unit", 7),
            ("flag-as-written", 8),
            ("not-in-the-file", 31),
            ("own-time", 9),
            ("serial-as-identifier", 1),
        ],
    ),
    (
        "roche_cedex_bioht_v5_example01.txt",
        &[
            ("activity-as-amount", 16),
            ("bound-as-minus-zero", 8),
            ("bound-with-its-unit", 8),
            ("flag-as-written", 24),
            ("not-in-the-file", 192),
            ("own-time", 136),
            ("serial-as-identifier", 1),
        ],
    ),
    (
        "roche_cedex_bioht_v7_example_01.txt",
        &[
            ("activity-as-amount", 2),
            ("bound-as-minus-zero", 4),
            ("bound-from-above", 1),
            ("bound-with-its-unit", 3),
            ("flag-as-written", 5),
            ("not-in-the-file", 40),
            ("serial-as-identifier", 1),
        ],
    ),
    (
        "SampleResultsDEVICE1232021-02-18_104838.csv",
        &[
            ("from-the-file-name", 7),
            ("names-of-devices", 2),
            ("percent-as-density", 1),
            ("published-manifest", 1),
            ("same-as-measurement-time", 6),
        ],
    ),
    (
        "SampleResultsT123456789C2020-01-01_162647.csv",
        &[
            ("from-the-file-name", 2),
            ("names-of-devices", 2),
            ("published-manifest", 1),
            ("renamed", 1),
            ("same-as-measurement-time", 1),
            ("unit-row-as-value", 2),
        ],
    ),
    ("Beckman_Vi-Cell-BLU_example01.csv", &[("names-of-devices", 2)]),
    ("Beckman_Vi-Cell-BLU_example02.csv", &[("names-of-devices", 2)]),
    (
        "Beckman_Vi-Cell-XR_example03_instrumentOutput.xls",
        &[("analyst-not-stated", 34), ("names-of-devices", 2), ("renamed", 34), ("setting-in-its-place", 136)],
    ),
    (
        "Beckman_Vi-Cell-XR_example05_instrumentOutput.xlsx",
        &[("analyst-not-stated", 4), ("full-version", 1), ("names-of-devices", 2), ("renamed", 4), ("serial-as-identifier", 1)],
    ),
    (
        "Beckman_Vi-Cell-XR_example07_instrumentOutput.txt",
        &[("analyst-not-stated", 1), ("full-version", 1), ("names-of-devices", 2), ("renamed", 1), ("serial-as-identifier", 1)],
    ),
    ("Beckman_Vi-Cell-XR_report_format.xlsx", &[("analyst-not-stated", 1), ("names-of-devices", 2), ("renamed", 2)]),
];

#[test]
fn every_value_unit_time_and_identifier_of_the_reference() {
    each_file(|file, bytes, reference| {
        let reading = read(file, bytes);
        let ours = asm_write::write(&reading, name_of(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let (reference, ours) = (Facts::of(reference), Facts::of(&ours));
        assert!(reference.quantities.len() > 8, "{file}: the reference was taken apart");
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
        assert!(unlisted.is_empty(), "{file}: differences nobody justified: {unlisted:#?}");
        let (_, expected) = EXPECTED.iter().find(|(name, _)| file.ends_with(name)).unwrap();
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), *expected, "{file}");
    });
}

/// The results of a reading as facts, named by where they stood in the ASM document.
fn facts_of(reading: &Reading) -> Vec<Fact> {
    let mut out = Vec::new();
    for sample in &reading.samples {
        for assay in &sample.assays {
            let pointer = assay.place.field.as_deref().unwrap_or("");
            let last = pointer.rsplit('/').next().unwrap().replace("~1", "/");
            let name = assay.fields.get("name").and_then(Json::as_str).unwrap_or(&assay.analyte);
            let When::At(at) = &assay.when else { panic!("{pointer}: no time") };
            if let (Some(number), Some(unit)) = (assay.value.number, &assay.value.raw_unit) {
                out.push(Fact {
                    sample: sample.key.clone(),
                    time: Some(at.instant.0),
                    quantity: if pointer.contains("/analyte document/") { format!("{name} {last}") } else { last },
                    datum: Datum::Number(number),
                    unit: unit.clone(),
                });
            }
        }
    }
    out
}

const SETTINGS: [&str; 3] = ["cell density dilution factor", "minimum cell diameter setting", "maximum cell diameter setting"];

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
        let document = asm_write::write(&reading, name_of(file)).unwrap();
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
            ("roche", "roche-cedex-bioht"),
            ("nova", "nova-flex2"),
            ("beckman_vi_cell_blu", "beckman-vicell-blu"),
            ("beckman_vi_cell_xr", "beckman-vicell-xr"),
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
const FORMATS: [&str; 5] = ["roche-cedex-bioht", "nova-flex2", "beckman-vicell-blu", "beckman-vicell-xr", "allotrope-asm"];

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
