//! Technique documents: one a sample, with its measurement documents.

use super::quantity::{Placed, place, says_all, written};
use super::{AsmClass, put};
use crate::analyser::dilution_factor;
use crate::asm_terms::{Group, label};
use serde_json::{Map, Value as Json, json};
use toji_core::culture::{Assay, Reading, Sample, When};
use toji_core::{ClockTime, Decimal, Error, Result, ZoneEvidence};

/// Facts of a sample that have a place of their own in ASM.
const PLACED_FIELDS: [&str; 9] = [
    "batch",
    "sample-type",
    "position",
    "operator",
    "exported",
    "data-file",
    "cell-type",
    "minimum-diameter-um",
    "maximum-diameter-um",
];

fn fact<'a>(sample: &'a Sample, name: &str) -> Option<&'a str> {
    sample.fields.get(name).and_then(Json::as_str)
}

/// The document of one sample. `number` counts measurement documents through the whole file.
pub(super) fn technique(reading: &Reading, class: AsmClass, sample: &Sample, number: &mut usize) -> Result<Json> {
    let mut measurements = Vec::new();
    for (at, group, assays) in measurements_of(sample)? {
        *number += 1;
        measurements.push(measurement(reading, class, sample, at, group, &assays, *number));
    }
    let mut aggregate = Map::new();
    aggregate.insert("measurement document".into(), Json::Array(measurements));
    put(&mut aggregate, "data processing time", fact(sample, "exported"));
    put(&mut aggregate, "experimental data identifier", fact(sample, "data-file"));
    let mut out = Map::new();
    out.insert("measurement aggregate document".into(), Json::Object(aggregate));
    put(&mut out, "analyst", fact(sample, "operator"));
    Ok(Json::Object(out))
}

type Measurement<'a> = (&'a ClockTime, Group, Vec<(&'a Assay, Placed)>);

/// Results of a sample by time and group, in the order of the file. A second result under the same name
/// opens a further document, since a property stands once in a document.
fn measurements_of(sample: &Sample) -> Result<Vec<Measurement<'_>>> {
    let mut out: Vec<Measurement<'_>> = Vec::new();
    for assay in &sample.assays {
        let at = match (&assay.when, &sample.when) {
            (When::At(at), _) | (When::Unknown, When::At(at)) => at,
            _ => {
                return Err(Error::input(
                    "E-ASM-011",
                    format!("試料「{}」の「{}」に時刻がなく、ASM は時刻を必須とします", sample.key, assay.analyte),
                    format!("\"{}\" of sample \"{}\" has no time, which ASM requires", assay.analyte, sample.key),
                )
                .at(assay.place.clone())
                .hint("時刻を含むファイルから書き出してください", "write it from a file that states the times"));
            }
        };
        let placed = place(assay);
        // Quantities without a property of their own stand with whatever was measured at that time.
        let found = out.iter_mut().find(|(t, group, inside)| {
            t.instant == at.instant
                && (placed.group == Group::Custom || *group == placed.group)
                && inside.iter().all(|(a, p)| p.name != placed.name && a.analyte != assay.analyte)
        });
        match found {
            Some((.., inside)) => inside.push((assay, placed)),
            None => out.push((at, placed.group, vec![(assay, placed)])),
        }
    }
    Ok(out)
}

fn measurement(
    reading: &Reading,
    class: AsmClass,
    sample: &Sample,
    at: &ClockTime,
    group: Group,
    assays: &[(&Assay, Placed)],
    number: usize,
) -> Json {
    let mut out = Map::new();
    out.insert("device control aggregate document".into(), json!({"device control document": [device(reading, class, group)]}));
    out.insert("measurement identifier".into(), format!("measurement-{number}").into());
    out.insert("measurement time".into(), stamp(at).into());
    out.insert("sample document".into(), sample_document(sample, at));
    let mut processed = Map::new();
    let mut analytes = Vec::new();
    let mut errors = Vec::new();
    let mut custom = Custom::default();
    for (assay, placed) in assays {
        match (&placed.quantity, placed.group) {
            (Some(quantity), Group::Cells) => {
                processed.insert(placed.property.clone(), quantity.clone());
            }
            (Some(quantity), Group::Analyte) => {
                let mut analyte = Map::new();
                analyte.insert("analyte name".into(), placed.name.clone().into());
                analyte.insert(placed.property.clone(), quantity.clone());
                analytes.push(Json::Object(analyte));
            }
            (Some(quantity), Group::Custom) => custom.double(&placed.property, quantity, placed.unit.as_deref()),
            (Some(quantity), _) => {
                out.insert(placed.property.clone(), quantity.clone());
            }
            (None, _) => errors.push(json!({"error": written(&assay.value), "error feature": placed.name})),
        }
        custom.assay(assay, placed);
    }
    if group == Group::Cells {
        processed.insert("data processing document".into(), data_processing(sample));
        out.insert("processed data aggregate document".into(), json!({"processed data document": [processed]}));
    }
    if !analytes.is_empty() {
        out.insert("analyte aggregate document".into(), json!({"analyte document": analytes}));
    }
    if !errors.is_empty() {
        out.insert("error aggregate document".into(), json!({"error document": errors}));
    }
    if at.evidence != ZoneEvidence::File {
        let evidence = if at.evidence == ZoneEvidence::Assumed { "assumed" } else { "site default" };
        custom.text(label::ZONE, evidence);
    }
    custom.put_into(&mut out);
    Json::Object(out)
}

fn device(reading: &Reading, class: AsmClass, group: Group) -> Json {
    let mut out = Map::new();
    let brightfield = reading.format.starts_with("beckman-vicell");
    let (kind, detection) = match class {
        AsmClass::SolutionAnalyzer => ("solution-analyzer", group.detection()),
        AsmClass::CellCounting if brightfield => ("brightfield imager (cell counter)", Some("brightfield")),
        AsmClass::CellCounting => ("cell counter", None),
    };
    put(&mut out, "device type", Some(kind));
    put(&mut out, "detection type", detection);
    Json::Object(out)
}

fn sample_document(sample: &Sample, at: &ClockTime) -> Json {
    let mut out = Map::new();
    put(&mut out, "sample identifier", Some(if sample.key.is_empty() { "N/A" } else { &sample.key }));
    put(&mut out, "batch identifier", fact(sample, "batch"));
    put(&mut out, "description", fact(sample, "sample-type"));
    put(&mut out, "location identifier", fact(sample, "position"));
    let mut custom = Custom::default();
    match &sample.when {
        When::At(taken) if taken.instant != at.instant => custom.time(label::TAKEN, taken),
        _ => {}
    }
    for (name, value) in sample.fields.iter().filter(|(name, _)| !PLACED_FIELDS.contains(&name.as_str())) {
        custom.any(name, value);
    }
    custom.put_into(&mut out);
    Json::Object(out)
}

/// Settings of the cell counter that shaped the numbers.
fn data_processing(sample: &Sample) -> Json {
    let mut out = Map::new();
    put(&mut out, "cell type processing method", fact(sample, "cell-type"));
    let mut quantity = |property: &str, number: Option<Decimal>, unit: &str| {
        if let Some(number) = number {
            out.insert(property.to_owned(), json!({"value": number.to_f64(), "unit": unit}));
        }
    };
    quantity("cell density dilution factor", fact(sample, "dilution").and_then(dilution_factor), "(unitless)");
    let number = |name: &str| fact(sample, name).and_then(|t| Decimal::parse(&t.replace(',', ".")));
    quantity("minimum cell diameter setting", number("minimum-diameter-um"), "µm");
    quantity("maximum cell diameter setting", number("maximum-diameter-um"), "µm");
    Json::Object(out)
}

/// RFC 3339 with the offset of the source's clock.
pub(super) fn stamp(at: &ClockTime) -> String {
    use jiff::tz::TimeZone;
    let zone = TimeZone::get(&at.zone)
        .ok()
        .or_else(|| jiff::fmt::strtime::parse("%:z", &at.zone).ok().and_then(|t| t.offset()).map(TimeZone::fixed))
        .unwrap_or(TimeZone::UTC);
    match jiff::Timestamp::from_nanosecond(i128::from(at.instant.0)) {
        Ok(stamp) => stamp.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string(),
        Err(_) => at.instant.to_string(),
    }
}

/// Custom information: labelled data that ASM has no property for.
#[derive(Default)]
struct Custom(Vec<Json>);

impl Custom {
    fn text(&mut self, label: &str, text: &str) {
        self.0.push(json!({"datum label": label, "scalar string datum": text}));
    }
    fn time(&mut self, label: &str, at: &ClockTime) {
        self.0.push(json!({"datum label": label, "scalar timestamp datum": stamp(at)}));
    }
    fn double(&mut self, label: &str, number: &Json, unit: Option<&str>) {
        match unit {
            Some(unit) => self.0.push(json!({"datum label": label, "scalar double datum": number, "unit": unit})),
            None => self.0.push(json!({"datum label": label, "scalar double datum": number})),
        }
    }
    fn any(&mut self, label: &str, value: &Json) {
        match value {
            Json::String(text) => self.text(label, text),
            Json::Bool(yes) => self.0.push(json!({"datum label": label, "scalar boolean datum": yes})),
            other => self.text(label, &other.to_string()),
        }
    }
    /// What the document's property does not say of a result.
    fn assay(&mut self, assay: &Assay, placed: &Placed) {
        let about = |what: &str| format!("{what}: {}", assay.analyte);
        if placed.name != assay.analyte {
            self.text(&about(label::NAME), &placed.name);
        }
        if !says_all(&assay.value, placed) {
            self.text(&about(label::WRITTEN), &written(&assay.value));
        }
        let unit = assay.value.raw_unit.clone().or_else(|| assay.value.unit.as_ref().map(|u| u.code().to_owned()));
        for (what, bound) in [(label::UPPER, assay.value.high), (label::LOWER, assay.value.low)] {
            if let Some(bound) = bound.and_then(serde_json::Number::from_f64) {
                self.double(&about(what), &Json::Number(bound), unit.as_deref());
            }
        }
        for flag in &assay.flags {
            self.text(&about(label::FLAG), flag);
        }
        for (name, value) in assay.fields.iter().filter(|(name, _)| *name != "name") {
            self.any(&about(name), value);
        }
    }
    fn put_into(self, out: &mut Map<String, Json>) {
        if !self.0.is_empty() {
            out.insert("custom information aggregate document".into(), json!({"custom information document": self.0}));
        }
    }
}
