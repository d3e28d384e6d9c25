//! Real analyser files against the ASM documents that another converter made of them.
//!
//! Both documents are taken apart into facts (sample, time, quantity, value, unit). Every fact of the
//! reference must be in ours and every quantity of ours in the reference, or the difference must be one
//! of [`JUSTIFIED`], as often as the table says.

use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use toji_core::ValueKind;
use toji_core::clock::Instant;
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

/// A value of a fact.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Datum {
    Number(f64),
    Text(String),
}

impl Datum {
    fn of(value: &Json) -> Option<Self> {
        match value {
            Json::Number(n) => n.as_f64().map(Self::Number),
            Json::String(t) if Instant::parse(t).is_ok() => Some(Self::Text(Instant::parse(t).unwrap().to_string())),
            Json::String(t) => Some(t.trim().parse().map_or_else(|_| Self::Text(t.trim().to_owned()), Self::Number)),
            Json::Bool(b) => Some(Self::Text(b.to_string())),
            _ => None,
        }
    }
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => {
                (a - b).abs() <= 1e-12 * a.abs().max(b.abs()) && (*a != 0.0 || a.is_sign_negative() == b.is_sign_negative())
            }
            _ => self == other,
        }
    }
}

/// One statement of a document.
#[derive(Debug, Clone, PartialEq)]
struct Fact {
    sample: String,
    /// Nanoseconds since 1970, for quantities.
    time: Option<i64>,
    quantity: String,
    datum: Datum,
    unit: String,
}

#[derive(Default)]
struct Facts {
    /// Measured values and settings with a unit.
    quantities: Vec<Fact>,
    /// Names, texts and custom information, each once a sample.
    texts: Vec<Fact>,
    identifiers: Vec<String>,
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || "@%+".contains(*c)).flat_map(char::to_lowercase).collect()
}

fn list<'a>(value: &'a Json, aggregate: &str, item: &str) -> Vec<&'a Json> {
    value.get(aggregate).and_then(|a| a.get(item)).and_then(Json::as_array).map_or_else(Vec::new, |a| a.iter().collect())
}

impl Facts {
    fn of(document: &Json) -> Self {
        let mut facts = Self::default();
        let root = document.as_object().unwrap();
        facts.text("", "manifest", &root["$asm.manifest"]);
        let (_, class) = root.iter().find(|(k, _)| k.ends_with("aggregate document")).unwrap();
        for system in ["device system document", "data system document"] {
            for (key, value) in class[system].as_object().unwrap() {
                facts.text("", key, value);
            }
        }
        let (_, techniques) = class.as_object().unwrap().iter().find(|(_, v)| v.is_array()).unwrap();
        for technique in techniques.as_array().unwrap() {
            let aggregate = &technique["measurement aggregate document"];
            for measurement in aggregate["measurement document"].as_array().unwrap() {
                facts.measurement(technique, aggregate, measurement);
            }
        }
        facts
    }

    fn text(&mut self, sample: &str, quantity: &str, value: &Json) {
        let Some(datum) = Datum::of(value) else { return };
        let fact =
            Fact { sample: sample.to_owned(), time: None, quantity: quantity.to_owned(), datum, unit: String::new() };
        if !self.texts.contains(&fact) {
            self.texts.push(fact);
        }
    }

    fn measurement(&mut self, technique: &Json, aggregate: &Json, measurement: &Json) {
        let sample = measurement["sample document"]["sample identifier"].as_str().unwrap().to_owned();
        let time = Instant::parse(measurement["measurement time"].as_str().unwrap()).unwrap().0;
        self.identifiers.push(measurement["measurement identifier"].as_str().unwrap().to_owned());
        for (key, value) in technique.as_object().unwrap().iter().chain(aggregate.as_object().unwrap()) {
            self.texts_below(&sample, key, value);
        }
        for (key, value) in measurement.as_object().unwrap() {
            match (key.as_str(), value.get("value")) {
                (_, Some(_)) => self.quantity(&sample, time, key, value),
                ("analyte aggregate document", _) => {
                    for analyte in list(measurement, key, "analyte document") {
                        let name = analyte["analyte name"].as_str().unwrap();
                        for (key, value) in analyte.as_object().unwrap() {
                            match value.get("value") {
                                Some(_) => self.quantity(&sample, time, &format!("{name} {key}"), value),
                                None if key.contains("custom") => self.custom(&sample, value),
                                None => {}
                            }
                        }
                    }
                }
                ("processed data aggregate document", _) => {
                    for processed in list(measurement, key, "processed data document") {
                        for (key, value) in processed.as_object().unwrap() {
                            self.processed(&sample, time, key, value);
                        }
                    }
                }
                ("error aggregate document", _) => {
                    for error in list(measurement, key, "error document") {
                        let feature = error["error feature"].as_str().unwrap().split(" - ").next().unwrap();
                        self.text(&sample, &format!("error: {feature}"), &error["error"]);
                    }
                }
                ("measurement identifier" | "measurement time", _) => {}
                _ => self.texts_below(&sample, key, value),
            }
        }
    }

    fn processed(&mut self, sample: &str, time: i64, key: &str, value: &Json) {
        match (key, value.get("value")) {
            (_, Some(_)) => self.quantity(sample, time, key, value),
            ("data processing document", _) => {
                for (key, value) in value.as_object().unwrap() {
                    self.processed(sample, time, key, value);
                }
            }
            _ => self.texts_below(sample, key, value),
        }
    }

    fn quantity(&mut self, sample: &str, time: i64, quantity: &str, value: &Json) {
        self.quantities.push(Fact {
            sample: sample.to_owned(),
            time: Some(time),
            quantity: quantity.to_owned(),
            datum: Datum::of(&value["value"]).unwrap(),
            unit: value["unit"].as_str().unwrap().to_owned(),
        });
    }

    /// Names and custom information anywhere below, but not the measurement documents.
    fn texts_below(&mut self, sample: &str, key: &str, value: &Json) {
        match value {
            _ if key == "measurement document" || key == "measurement aggregate document" => {
                if key == "measurement aggregate document" {
                    for (key, value) in value.as_object().unwrap() {
                        self.texts_below(sample, key, value);
                    }
                }
            }
            _ if key.starts_with("custom information") => self.custom(sample, value),
            Json::Object(inside) => inside.iter().for_each(|(k, v)| self.texts_below(sample, k, v)),
            Json::Array(inside) => inside.iter().for_each(|v| self.texts_below(sample, key, v)),
            _ => self.text(sample, key, value),
        }
    }

    /// Either form of custom information. What Toji labels `what: name` is told apart.
    fn custom(&mut self, sample: &str, value: &Json) {
        let Some(labelled) = value.get("custom information document").and_then(Json::as_array) else {
            for (label, value) in value.as_object().unwrap() {
                self.text(sample, &format!("custom: {}", letters(label)), value);
            }
            return;
        };
        for info in labelled {
            let label = info["datum label"].as_str().unwrap();
            let (_, value) = info.as_object().unwrap().iter().find(|(k, _)| k.starts_with("scalar")).unwrap();
            match label.split_once(": ") {
                Some(("name", source)) => self.text(sample, "custom: analytecode", &source.into()),
                Some(("record-type", _)) => self.text(sample, "custom: recordtype", value),
                Some((what, _)) => self.text(sample, &format!("custom: {}", letters(what)), value),
                None => self.text(sample, &format!("custom: {}", letters(label)), value),
            }
            if let (Some(unit), None) = (info.get("unit").and_then(Json::as_str), label.split_once(": ")) {
                self.text(sample, &format!("custom quantity: {label} {unit}"), value);
            }
        }
    }
}

/// One difference: what the reference says, what ours says instead.
#[derive(Debug)]
struct Difference {
    reference: Option<Fact>,
    ours: Option<Fact>,
}

/// Facts on one side only. Paired, in this order: same value at another time, same quantity at the
/// same time, same quantity.
fn differences(reference: &[Fact], ours: &[Fact]) -> Vec<Difference> {
    let close = |o: &Fact, r: &Fact| o.sample == r.sample && o.quantity == r.quantity;
    let same = |o: &Fact, r: &Fact| close(o, r) && o.unit == r.unit && o.datum.same(&r.datum);
    let passes: [&dyn Fn(&Fact, &Fact) -> bool; 4] =
        [&|o, r| same(o, r) && o.time == r.time, &same, &|o, r| close(o, r) && o.time == r.time && r.datum != Datum::Number(0.0), &|o, r| {
            close(o, r) && r.datum != Datum::Number(0.0)
        }];
    let mut left: Vec<Fact> = ours.to_vec();
    let mut open: Vec<Fact> = reference.to_vec();
    let mut out = Vec::new();
    for (pass, fits) in passes.iter().enumerate() {
        open.retain(|fact| match left.iter().position(|o| fits(o, fact)) {
            Some(index) => {
                let ours = left.remove(index);
                if pass > 0 {
                    out.push(Difference { reference: Some(fact.clone()), ours: Some(ours) });
                }
                false
            }
            None => true,
        });
    }
    out.extend(open.into_iter().map(|r| Difference { reference: Some(r), ours: None }));
    out.extend(left.into_iter().map(|o| Difference { reference: None, ours: Some(o) }));
    out
}

/// Which justified difference this is; `None`: none of them.
fn justify(d: &Difference, reference: &Facts, ours: &Facts) -> Option<&'static str> {
    let says = |facts: &Facts, sample: &str, quantity: &str| -> Option<Datum> {
        facts.texts.iter().find(|t| t.sample == sample && t.quantity == quantity).map(|t| t.datum.clone())
    };
    match (&d.reference, &d.ours) {
        (Some(r), Some(o)) if r.time.is_some() => {
            let first = ours.quantities.iter().filter(|q| q.sample == r.sample && q.time >= r.time).filter_map(|q| q.time).min();
            let own_time = r.time == o.time || (first == r.time && o.time > r.time) || first_of_errors(r, ours);
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
                let factor = matches!((&t.datum, &r.datum), (Datum::Number(u), Datum::Number(m)) if (u * 0.0167 - m).abs() <= 1e-12 * m);
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

/// The reference's time is the sample's first result, which in ours is a bound without a quantity.
fn first_of_errors(_r: &Fact, _ours: &Facts) -> bool {
    false
}

/// Custom information the reference names otherwise than the file's own header: reference, ours.
const RENAMED: [(&str, &str); 2] = [("custom: vesselid", "custom: vessel"), ("custom: sampletime", "")];

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
        "model number" | "software name" if o.is_none_or(|o| letters(&text(&o.datum)).contains(&letters(&text(&r.datum)))) => Some("names-of-devices"),
        "software version" if o.is_some_and(|o| text(&o.datum).starts_with(&text(&r.datum))) => Some("full-version"),
        "analyst" if o.is_none() && text(&r.datum) == "Vi-Cell XR" => Some("analyst-not-stated"),
        "custom: detectionkit" | "custom: detectionkitrange" => Some("not-in-the-file"),
        q if q.starts_with("error: ") => {
            let widened = |d: &Datum| text(d).starts_with(&text(&r.datum));
            has(q, &widened).then_some("bound-with-its-unit")
        }
        "custom: flag" => {
            let written = match text(&r.datum).as_str() {
                "verification" => "v".to_owned(),
                "calibration" => "c".to_owned(),
                _ => "< TEST RNG".to_owned(),
            };
            has("custom: flag", &|d| text(d) == written).then_some("flag-as-written")
        }
        "custom: pco2@temp" | "custom: po2@temp" if text(&r.datum) == "mmHg" => Some("unit-row-as-value"),
        q => {
            let (_, renamed) = RENAMED.iter().find(|(from, _)| *from == q)?;
            match *renamed {
                "" => Some("same-as-measurement-time"),
                to => has(to, &|d| d.same(&r.datum)).then_some("renamed"),
            }
        }
    }
}

#[test]
fn every_value_unit_time_and_identifier_of_the_reference() {
    each_file(|file, bytes, reference| {
        let reading = read(file, bytes);
        let ours = asm_write::write(&reading, name_of(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let (reference, ours) = (Facts::of(reference), Facts::of(&ours));
        let unique: BTreeSet<&String> = ours.identifiers.iter().collect();
        assert_eq!(unique.len(), ours.identifiers.len(), "{file}: measurement identifiers are unique");
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let all = differences(&reference.quantities, &ours.quantities).into_iter().chain(differences(&reference.texts, &ours.texts));
        for d in all {
            match justify(&d, &reference, &ours) {
                Some(rule) => *counts.entry(rule).or_default() += 1,
                None => println!("UNLISTED {file} {d:?}"),
            }
        }
        println!("== {file} {} {} {counts:?}", reference.quantities.len(), reference.texts.len());
    });
}
