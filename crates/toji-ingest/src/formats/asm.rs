//! Allotrope Simple Model (ASM) JSON of analysers and counters, any class that has measurement documents.
//!
//! The tree is the same in all classes: a technique aggregate document holds technique documents, these
//! hold a measurement aggregate document with measurement documents. Quantities are read wherever they
//! stand in a measurement document. What Toji's writer puts into custom information (texts as written,
//! bounds, source names) is put back. Of data cubes, absorption spectra are read; others are listed as not read.

mod custom;
mod measurement;

use crate::analyser::note;
use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use measurement::Tree;
use serde_json::{Map, Value as Json};
use toji_core::culture::{Instrument, NotRead, Reading};
use toji_core::{Error, Place, Result, Text};

/// The format.
pub struct Asm;

pub(super) type Object = Map<String, Json>;

impl Format for Asm {
    fn id(&self) -> &'static str {
        "allotrope-asm"
    }
    fn label(&self) -> Text {
        Text::same("Allotrope Simple Model (ASM)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if source.is_workbook() {
            return None;
        }
        let head: String = source.text().trim_start().chars().take(20_000).collect();
        if !head.starts_with('{') {
            return None;
        }
        if head.contains("\"$asm.manifest\"") {
            return Some(Evidence::new(97, "$asm.manifest があります", "it has an $asm.manifest"));
        }
        let shaped = head.contains("aggregate document\"") && head.contains("\"measurement document\"");
        shaped.then(|| Evidence::new(80, "ASM の measurement document があります", "it has ASM measurement documents"))
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let root: Json = serde_json::from_str(source.text()).map_err(|e| {
            Error::input("E-ASM-001", format!("JSON として読めません: {e}"), format!("not readable as JSON: {e}"))
                .at(Place::line(e.line() as u64).at_column(e.column() as u64))
                .hint("ファイルが途中で切れていないか確かめてください", "check that the file was not cut off")
                .in_file(source.name())
        })?;
        let Json::Object(root) = root else {
            return Err(fault(
                source,
                "E-ASM-002",
                "JSON の一番外側がオブジェクトではありません",
                "the JSON is not an object at its root",
            ));
        };
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        reading.format_version = root.get("$asm.manifest").and_then(Json::as_str).map(str::to_owned);
        for (key, value) in root.iter().filter(|(key, _)| !key.starts_with('$')) {
            match value {
                Json::Object(class) if key.ends_with("aggregate document") => {
                    read_class(class, &pointer("", key), site, &mut reading);
                }
                other => unread(&mut reading, &pointer("", key), other),
            }
        }
        if reading.samples.iter().all(|s| s.assays.is_empty()) {
            return Err(fault(
                source,
                "E-ASM-003",
                "読める測定値を持つ measurement document がありません",
                "there is no measurement document with a quantity that can be read",
            ));
        }
        Ok(reading)
    }
}

fn fault(source: &Source<'_>, code: &'static str, ja: &str, en: &str) -> Error {
    Error::input(code, ja, en)
        .at(Place::field("/"))
        .hint("分析装置・細胞計数装置の ASM 文書を指定してください", "give an ASM document of an analyser or a cell counter")
        .in_file(source.name())
}

/// A JSON pointer one step further down.
pub(super) fn pointer(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Lists a part of the tree as not read.
pub(super) fn unread(reading: &mut Reading, at: &str, value: &Json) {
    let cube = value.get("cube-structure").is_some() || at.ends_with("cube");
    let (ja, en) = match value {
        _ if cube => ("この形のデータキューブは読みません", "data cubes of this shape are not read"),
        _ => ("ASM のこの部分の意味を知りません", "this part of the ASM document is not known"),
    };
    reading.not_read.push(NotRead::new(Place::field(at), &value.to_string(), ja, en));
}

/// The items of an array, or the one object in its place.
pub(super) fn items(value: &Json) -> impl Iterator<Item = (usize, &Object)> {
    let many = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    many.iter().enumerate().filter_map(|(i, v)| Some((i, v.as_object()?)))
}

fn text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Json::as_str).filter(|t| !t.is_empty() && *t != "N/A")
}

fn read_class(class: &Object, at: &str, site: &Site, reading: &mut Reading) {
    reading.instrument = Some(instrument(class));
    let mut tree = Tree::new(site, reading);
    for (key, value) in class {
        let here = pointer(at, key);
        match key.as_str() {
            "device system document" | "data system document" | "calculated data aggregate document" => {}
            _ if key.ends_with(" document") && (value.is_array() || value.is_object()) => {
                for (index, document) in items(value) {
                    tree.technique(document, &format!("{here}/{index}"));
                }
            }
            _ => unread(tree.reading, &here, value),
        }
    }
    if let Some(calculated) = class.get("calculated data aggregate document") {
        tree.calculated(calculated, &pointer(at, "calculated data aggregate document"));
    }
}

fn instrument(class: &Object) -> Instrument {
    let of =
        |document: &str, key: &str| class.get(document).and_then(Json::as_object).and_then(|d| text(d, key)).map(str::to_owned);
    let (device, data) = ("device system document", "data system document");
    Instrument {
        maker: of(device, "product manufacturer").or_else(|| of(device, "brand name")),
        model: of(device, "model number"),
        serial: of(device, "equipment serial number").or_else(|| of(device, "device identifier")),
        software: of(data, "software name"),
        software_version: of(data, "software version"),
    }
}

/// Facts of a technique document that belong to its samples.
pub(super) fn technique_facts(document: &Object, aggregate: &Object) -> toji_core::culture::Fields {
    let mut facts = toji_core::culture::Fields::new();
    let mut fact = |name: &str, from: &Object, key: &str| {
        if let Some(text) = text(from, key) {
            note(&mut facts, name, text);
        }
    };
    fact("operator", document, "analyst");
    fact("submitter", document, "submitter");
    fact("exported", aggregate, "data processing time");
    fact("data-file", aggregate, "experimental data identifier");
    fact("method", aggregate, "analytical method identifier");
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use toji_core::ValueKind;
    use toji_core::culture::When;

    const FILE: &str = r#"{"$asm.manifest": "http://example.org/manifest", "solution analyzer aggregate document": {
        "device system document": {"device identifier": "N/A", "equipment serial number": "77", "model number": "M"},
        "solution analyzer document": [{"analyst": "toji", "measurement aggregate document": {"measurement document": [
          {"measurement identifier": "1", "measurement time": "2026-01-05T09:00:00+09:00",
           "sample document": {"sample identifier": "S1", "batch identifier": "B1"},
           "pH": {"value": 7.01, "unit": "pH"},
           "some data cube": {"cube-structure": {}},
           "error aggregate document": {"error document": [{"error": "< 8.7", "error feature": "pyruvate - Standard"}]},
           "analyte aggregate document": {"analyte document": [
             {"analyte name": "glucose", "mass concentration": {"value": 3.25, "unit": "g/L"}, "custom information document": {"analyte code": "GLC3B"}},
             {"analyte name": "pyruvate", "mass concentration": {"value": -0.0, "unit": "g/L"}}]},
           "processed data aggregate document": {"processed data document": [{"viability (cell counter)": {"value": 98.5, "unit": "%"},
             "data processing document": {"cell density dilution factor": {"value": 5, "unit": "(unitless)"}}}]}
          }]}}]}}"#;

    fn read(text: &str) -> Result<Reading> {
        Asm.read(&Source::new("x.json", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn quantities_wherever_they_stand() {
        let reading = read(FILE).unwrap();
        let sample = &reading.samples[0];
        assert_eq!((sample.key.as_str(), &sample.fields["batch"], &sample.fields["dilution"]), ("S1", &"B1".into(), &"5".into()));
        let by = |name: &str| sample.assays.iter().find(|a| a.analyte == name).unwrap();
        assert_eq!((by("GLC3B").variable.as_deref(), by("GLC3B").value.number), (Some("glucose"), Some(3.25)));
        assert_eq!(by("pH").variable.as_deref(), Some("ph"));
        assert_eq!(by("viability (cell counter)").variable.as_deref(), Some("viability"));
        let When::At(at) = &by("pH").when else { panic!("a time") };
        assert_eq!(at.instant.to_string(), "2026-01-05T00:00:00Z");
        assert_eq!(reading.instrument.unwrap().serial.as_deref(), Some("77"));
        assert_eq!(reading.not_read.len(), 1, "{:?}", reading.not_read);
    }

    #[test]
    fn a_bound_told_as_minus_zero_stays_a_bound() {
        let reading = read(FILE).unwrap();
        let pyruvate = reading.samples[0].assays.iter().find(|a| a.analyte == "pyruvate").unwrap();
        assert_eq!((pyruvate.value.kind, pyruvate.value.number, pyruvate.value.high), (ValueKind::LessThan, None, Some(8.7)));
        assert!(reading.diagnostics.iter().any(|d| d.code == "W-ASM-001"));
    }

    #[test]
    fn broken_documents_say_where() {
        let cut = read(&FILE[..400]).unwrap_err();
        assert_eq!((cut.code(), cut.fault().place.as_ref().and_then(|p| p.line).is_some()), ("E-ASM-001", true));
        assert_eq!(read("[1]").unwrap_err().code(), "E-ASM-002");
        assert_eq!(read("{\"a\": 1}").unwrap_err().code(), "E-ASM-003");
        assert!(read(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let source = Source::new("x", &bytes).unwrap_or_else(|_| Source::new("x", b"").unwrap());
            let _ = Asm.detect(&source);
            let _ = Asm.read(&source, &Site::default());
        }
        #[test]
        fn documents_with_parts_exchanged_are_read_or_refused(part in 0usize..24, with in "null|1|\"x\"|\\[\\]|\\{\\}|\\[1,2\\]|\\{\"value\":null\\}") {
            // Replaces the n-th value that follows a colon by something else.
            let at: Vec<usize> = FILE.match_indices(": ").map(|(i, _)| i + 2).collect();
            let Some(start) = at.get(part) else { return Ok(()) };
            let mut stream = serde_json::Deserializer::from_str(&FILE[*start..]).into_iter::<Json>();
            let _ = stream.next();
            let text = format!("{}{with}{}", &FILE[..*start], &FILE[*start + stream.byte_offset()..]);
            let _ = read(&text);
        }
    }
}
