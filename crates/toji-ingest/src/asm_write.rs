//! Writes a [`Reading`] of an analyser as Allotrope Simple Model (ASM) JSON.
//!
//! Classes: solution analyzer REC/2024/09 and cell counting REC/2024/09. One technique document a
//! sample; one measurement document for each time and sort of quantity, so that every result keeps its
//! own time. Quantities are converted exactly to the one unit ASM allows.
//!
//! A bound is never written as a number. `< 10.04 mg/L` becomes an error document with that text, plus
//! custom information with the bound and the text as written. What ASM has no property for (an enzyme
//! activity in U/L, for instance) goes to custom information with its own unit.

mod document;
mod quantity;

use crate::asm_terms::Group;
use serde_json::{Map, Value as Json, json};
use toji_core::culture::Reading;
use toji_core::{Error, Place, Result};

/// An ASM class this module writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsmClass {
    /// Metabolites, gases, pH, osmolality, and cell counts of the same device.
    SolutionAnalyzer,
    /// Cell counters.
    CellCounting,
}

impl AsmClass {
    /// The class a reading's results belong to: cell counting when it has cell counts and nothing that
    /// only a solution analyser measures. `None`: nothing an analyser measures.
    #[must_use]
    pub fn of(reading: &Reading) -> Option<Self> {
        let groups: Vec<Group> = reading.samples.iter().flat_map(|s| &s.assays).map(quantity::group).collect();
        let cells = groups.contains(&Group::Cells);
        let others = groups.iter().any(|g| !matches!(g, Group::Cells | Group::Custom));
        match (cells, others) {
            (true, false) => Some(Self::CellCounting),
            (_, true) => Some(Self::SolutionAnalyzer),
            (false, false) => None,
        }
    }
    /// Address of the manifest.
    #[must_use]
    pub fn manifest(self) -> &'static str {
        match self {
            Self::SolutionAnalyzer => "http://purl.allotrope.org/manifests/solution-analyzer/REC/2024/09/solution-analyzer.manifest",
            Self::CellCounting => "http://purl.allotrope.org/manifests/cell-counting/REC/2024/09/cell-counting.manifest",
        }
    }
    fn noun(self) -> &'static str {
        match self {
            Self::SolutionAnalyzer => "solution analyzer",
            Self::CellCounting => "cell counting",
        }
    }
}

/// The reading as one ASM document. `file_name` is the name of the file it was read from.
///
/// # Errors
/// `E-ASM-010` no results an ASM analyser class covers; `E-ASM-011` a result without a time, which ASM
/// requires, with its place.
pub fn write(reading: &Reading, file_name: &str) -> Result<Json> {
    let Some(class) = AsmClass::of(reading) else {
        return Err(Error::input(
            "E-ASM-010",
            "ASM の分析装置クラスで書ける結果がありません",
            "there are no results that an ASM analyser class covers",
        )
        .at(Place::default().in_file(file_name))
        .hint("分析装置や細胞計数装置のファイルを指定してください", "give a file of an analyser or a cell counter"));
    };
    let mut number = 0usize;
    let mut documents = Vec::new();
    for sample in reading.samples.iter().filter(|s| !s.assays.is_empty()) {
        documents.push(document::technique(reading, class, sample, &mut number).map_err(|e| e.in_file(file_name))?);
    }
    let mut aggregate = Map::new();
    aggregate.insert("data system document".into(), data_system(reading, file_name));
    aggregate.insert("device system document".into(), device_system(reading));
    aggregate.insert(format!("{} document", class.noun()), Json::Array(documents));
    let mut out = Map::new();
    out.insert("$asm.manifest".into(), class.manifest().into());
    out.insert(format!("{} aggregate document", class.noun()), Json::Object(aggregate));
    Ok(Json::Object(out))
}

fn data_system(reading: &Reading, file_name: &str) -> Json {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let mut out = json!({
        "ASM file identifier": format!("{stem}.json"),
        "data system instance identifier": "N/A",
        "file name": file_name,
        "ASM converter name": "toji",
        "ASM converter version": env!("CARGO_PKG_VERSION"),
    });
    if let (Some(instrument), Some(out)) = (&reading.instrument, out.as_object_mut()) {
        put(out, "software name", instrument.software.as_deref());
        put(out, "software version", instrument.software_version.as_deref());
    }
    out
}

fn device_system(reading: &Reading) -> Json {
    let instrument = reading.instrument.clone().unwrap_or_default();
    let mut out = Map::new();
    // Required by the schema even where no file states one.
    put(&mut out, "device identifier", Some(instrument.serial.as_deref().unwrap_or("N/A")));
    put(&mut out, "equipment serial number", instrument.serial.as_deref());
    put(&mut out, "model number", instrument.model.as_deref());
    put(&mut out, "product manufacturer", instrument.maker.as_deref());
    Json::Object(out)
}

fn put(out: &mut Map<String, Json>, key: &str, text: Option<&str>) {
    if let Some(text) = text {
        out.insert(key.to_owned(), text.into());
    }
}
