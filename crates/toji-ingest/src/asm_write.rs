//! Writes a [`Reading`] of an analyser as Allotrope Simple Model (ASM) JSON.
//!
//! Classes: solution analyzer and cell counting REC/2024/09, plate reader and spectrophotometry
//! REC/2024/06. One technique document a sample; one measurement document for each time and sort of
//! quantity, so that every result keeps its own time. Quantities are converted exactly to the one unit
//! ASM allows. The two classes of 2024/06 state the time once a technique document: there, each time
//! has a technique document of its own.
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
    /// Plates read well by well.
    PlateReader,
    /// Absorption spectra.
    Spectrophotometry,
}

impl AsmClass {
    /// The class a reading's results belong to: spectrophotometry when there is a spectrum, plate reader
    /// when every sample is a well, cell counting when it has cell counts and nothing that only a
    /// solution analyser measures. `None`: nothing an analyser measures.
    #[must_use]
    pub fn of(reading: &Reading) -> Option<Self> {
        let groups: Vec<Group> = reading.samples.iter().flat_map(|s| &s.assays).map(quantity::group).collect();
        if groups.contains(&Group::Spectrum) {
            return Some(Self::Spectrophotometry);
        }
        let mut measured = reading.samples.iter().filter(|s| !s.assays.is_empty());
        if groups.contains(&Group::Absorbance) && measured.all(|s| s.fields.contains_key("well")) {
            return Some(Self::PlateReader);
        }
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
            Self::SolutionAnalyzer => {
                "http://purl.allotrope.org/manifests/solution-analyzer/REC/2024/09/solution-analyzer.manifest"
            }
            Self::CellCounting => "http://purl.allotrope.org/manifests/cell-counting/REC/2024/09/cell-counting.manifest",
            Self::PlateReader => "http://purl.allotrope.org/manifests/plate-reader/REC/2024/06/plate-reader.manifest",
            Self::Spectrophotometry => {
                "http://purl.allotrope.org/manifests/spectrophotometry/REC/2024/06/spectrophotometry.manifest"
            }
        }
    }
    fn noun(self) -> &'static str {
        match self {
            Self::SolutionAnalyzer => "solution analyzer",
            Self::CellCounting => "cell counting",
            Self::PlateReader => "plate reader",
            Self::Spectrophotometry => "spectrophotometry",
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
        documents.extend(document::techniques(reading, class, sample, &mut number).map_err(|e| e.in_file(file_name))?);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Site, Source, formats};
    use toji_core::clock::{Zone, ZoneEvidence};

    const BIOHT: &str = "0\t2026-01-05 10:00:00\t#ARC-FILE#\t1.1a\t2026-01-05\t2026-01-05\tCEDEX BIO HT\t77\t7.0.0.1 (1)\ttoji\n\
        40\t2026-01-05 09:00:00\tT1\tB7\tSAM\t\tNH3B\t\tmg/L\t \t  136.229\t  0.54\tR\n\
        40\t2026-01-05 09:00:00\tT1\tB7\tSAM\t\tAC2B\t\tmg/L\t< TEST RNG\t< 10.04\t  0.004\tR\n\
        40\t2026-01-05 09:00:00\tT1\tB7\tSAM\t\tLDH2B\t\tU/L\t \t  88.09\t  0.007\tR\n\
        40\t2026-01-05 09:00:00\tT1\tB7\tSAM\t\tTP2B\t\tg/L\t \t  5.0\t  0.007\tR\n\
        40\t2026-01-05 09:00:00\tT1\tB7\tSAM\t\tTP2LB\t\tg/L\t \t  5.1\t  0.007\tR\n";

    fn document(site: &Site) -> Json {
        let source = Source::new("x", BIOHT.as_bytes()).unwrap();
        let (_, reading) = crate::read(&source, site).unwrap();
        write(&reading, "bioht.txt").unwrap()
    }
    fn measurements(document: &Json) -> Vec<Json> {
        let path = "/solution analyzer aggregate document/solution analyzer document/0/measurement aggregate document/measurement document";
        document.pointer(path).unwrap().as_array().unwrap().clone()
    }

    #[test]
    fn digits_survive_and_bounds_are_no_numbers() {
        let document = document(&Site::default());
        let text = document.to_string();
        assert!(text.contains("0.136229}") || text.contains("0.136229,"), "no float noise: {text}");
        assert!(!text.contains("-0.0"));
        let all = measurements(&document);
        let first = &all[0];
        assert_eq!(first["error aggregate document"]["error document"][0]["error"], "< 10.04 mg/L");
        let custom = first["custom information aggregate document"]["custom information document"].as_array().unwrap();
        let by = |label: &str| custom.iter().find(|c| c["datum label"] == label).unwrap();
        assert_eq!(by("upper bound: AC2B")["scalar double datum"], 10.04);
        assert_eq!(by("value as written: AC2B")["scalar string datum"], "< 10.04 mg/L");
        assert_eq!((&by("LDH2B")["scalar double datum"], &by("LDH2B")["unit"]), (&json!(88.09), &json!("U/L")));
        assert_eq!(by("time zone evidence")["scalar string datum"], "assumed");
        // Total protein stands twice at one time: each value in its own document.
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn times_carry_the_offset_of_their_zone() {
        for (zone, stamp) in [
            ("Asia/Tokyo", "2026-01-05T09:00:00+09:00"),
            ("-05:30", "2026-01-05T09:00:00-05:30"),
            ("Europe/Berlin", "2026-01-05T09:00:00+01:00"),
        ] {
            let site = Site { zone: Zone::named(zone, ZoneEvidence::SiteDefault).unwrap(), date_order: None };
            assert_eq!(measurements(&document(&site))[0]["measurement time"], stamp);
        }
    }

    #[test]
    fn decimal_commas_are_written_as_numbers_and_read_back_as_text() {
        let text = BIOHT
            .replace("136.229", "136,229")
            .replace("88.09", "88,09")
            .replace("10.04", "10,040")
            .replace("0.", "0,")
            .replace("5.", "5,");
        let source = Source::new("x", text.as_bytes()).unwrap();
        let (_, reading) = crate::read(&source, &Site::default()).unwrap();
        let document = write(&reading, "x.txt").unwrap().to_string();
        assert!(document.contains("0.136229"));
        let (_, back) = crate::read(&Source::new("x", document.as_bytes()).unwrap(), &Site::default()).unwrap();
        let texts = |r: &Reading| {
            let mut texts: Vec<String> = r.samples[0].assays.iter().map(|a| a.value.text.clone()).collect();
            texts.sort();
            texts
        };
        assert_eq!(texts(&back), texts(&reading));
    }

    /// Read, written, and read back: the document and the texts on both sides.
    fn round(text: &str) -> (Json, Vec<String>, Vec<String>) {
        let texts = |r: &Reading| {
            let mut all: Vec<String> =
                r.samples.iter().flat_map(|s| &s.assays).map(|a| format!("{} {}", a.analyte, a.value.text)).collect();
            all.sort();
            all
        };
        let (_, reading) = crate::read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default()).unwrap();
        let document = write(&reading, "x").unwrap();
        let written = document.to_string();
        let (_, back) = crate::read(&Source::new("x", written.as_bytes()).unwrap(), &Site::default()).unwrap();
        (document, texts(&reading), texts(&back))
    }

    #[test]
    fn a_spectrum_is_a_cube_and_its_bounds_are_not_in_it() {
        let scan = "Scan\tScan_20260314_160142.tsv\t\nMode\tABS\t\nLower\t600\t\nUpper\t602\t\nLength\t3\t\n\n\
            wavelength(nm)\tABS\t%T\n600.0\t0.452\t35.3\n601.0\t> 3.0\t0.1\n602.0\t0.45\t35.5\n";
        let (document, before, after) = round(scan);
        assert_eq!(before, after);
        assert!(document["$asm.manifest"].as_str().unwrap().contains("/spectrophotometry/REC/2024/06/"));
        let aggregate =
            &document["spectrophotometry aggregate document"]["spectrophotometry document"][0]["measurement aggregate document"];
        assert_eq!(aggregate["measurement time"], "2026-03-14T16:01:42+00:00");
        let measurement = &aggregate["measurement document"][0];
        let data = &measurement["absorption spectrum data cube"]["data"];
        assert_eq!(*data, json!({"dimensions": [[600.0, 602.0]], "measures": [[452.0, 450.0]]}));
        assert_eq!(measurement["error aggregate document"]["error document"][0]["error feature"], "absorbance 601 nm");
    }

    #[test]
    fn wells_state_their_plate_and_how_it_was_read() {
        let plate = "Raw data,Well positions,Plate\n0.5,A1,P7\n0.25,A2,P7\nDate of measurement: 2026-03-14/Time of measurement: 09:43:07,,\n\
            Instrument serial number: 12,,\nMeasurement mode: Absorbance,,\nMeasurement wavelength: 595 nm,,\nNumber of flashes: 1,,\n\
            Unit: OD,,\nMeas. temperature: Raw data: 23.4 °C,,\n";
        let (document, before, after) = round(plate);
        assert_eq!(before, after);
        let wells = document["plate reader aggregate document"]["plate reader document"].as_array().unwrap();
        assert_eq!(wells.len(), 2);
        let measurement = &wells[0]["measurement aggregate document"]["measurement document"][0];
        assert_eq!(measurement["absorbance"], json!({"value": 500.0, "unit": "mAU"}));
        assert_eq!(measurement["compartment temperature"]["value"], 23.4);
        let device = &measurement["device control aggregate document"]["device control document"][0];
        assert_eq!(device["detector wavelength setting"], json!({"value": 595.0, "unit": "nm"}));
        let sample = &measurement["sample document"];
        assert_eq!((&sample["location identifier"], &sample["well plate identifier"]), (&json!("A1"), &json!("P7")));
        assert!(wells[0]["measurement aggregate document"].get("plate well count").is_none(), "two wells are no plate");
    }

    #[test]
    fn what_asm_cannot_hold_is_refused_with_its_place() {
        let text = "Lac,Sample ID,Gluc,NH4+\n1,S9,2,3\n";
        let source = Source::new("x", text.as_bytes()).unwrap();
        let reading = formats::nova_flex2::NovaFlex2;
        let reading = crate::Format::read(&reading, &source, &Site::default()).unwrap();
        let error = write(&reading, "x.csv").unwrap_err();
        assert_eq!((error.code(), error.fault().place.as_ref().and_then(|p| p.line)), ("E-ASM-011", Some(2)));
        assert_eq!(write(&Reading::default(), "x").unwrap_err().code(), "E-ASM-010");
    }
}
