//! Technique documents: one a sample, with its measurement documents.

use super::quantity::{Placed, place, says_all, wavelength_nm, written};
use super::{AsmClass, put};
use crate::analyser::dilution_factor;
use crate::asm_terms::{self, Group, SPECTRUM, SPECTRUM_UNIT, WAVELENGTH, label};
use serde_json::{Map, Value as Json, json};
use toji_core::culture::{Assay, Reading, Sample, When};
use toji_core::{ClockTime, Decimal, Error, Result, ZoneEvidence};

/// Facts of a sample that have a place of their own in ASM.
const PLACED_FIELDS: [&str; 15] = [
    "batch",
    "sample-type",
    "position",
    "operator",
    "exported",
    "data-file",
    "cell-type",
    "minimum-diameter-um",
    "maximum-diameter-um",
    "plate",
    "well",
    "method",
    "detection-mode",
    "experiment-type",
    "image-file",
];

/// Settings with a property of their own in the device control document: field, property, unit, class.
const SETTINGS: [(&str, &str, &str, AsmClass); 2] = [
    ("sample-volume-ul", "sample volume setting", "μL", AsmClass::CellCounting),
    ("flashes", "number of averages", "#", AsmClass::PlateReader),
];
/// The same for the measurement document and for the measurement aggregate document.
const CONDITION: (&str, &str, &str, AsmClass) =
    ("compartment-temperature-cel", "compartment temperature", "degC", AsmClass::PlateReader);
const PLATE: (&str, &str, &str, AsmClass) = ("plate-wells", "plate well count", "#", AsmClass::PlateReader);

/// The property and quantity of a setting of a class, where the fact is a number.
fn setting(setting: &(&str, &str, &str, AsmClass), class: AsmClass, sample: &Sample) -> Option<(String, Json)> {
    let (field, property, unit, of) = setting;
    let number = fact(sample, field).filter(|_| *of == class).and_then(|t| Decimal::parse(&t.replace(',', ".")))?;
    Some(((*property).to_owned(), json!({"value": number.to_f64(), "unit": unit})))
}

/// Does this fact of the sample stand elsewhere than in custom information?
fn is_placed(name: &str, class: AsmClass, sample: &Sample) -> bool {
    let set = |s: &(&str, &str, &str, AsmClass)| s.0 == name && setting(s, class, sample).is_some();
    PLACED_FIELDS.contains(&name) || SETTINGS.iter().chain([&CONDITION, &PLATE]).any(set)
}

fn fact<'a>(sample: &'a Sample, name: &str) -> Option<&'a str> {
    sample.fields.get(name).and_then(Json::as_str)
}

/// The documents of one sample: one, or one a time where the class states the time once a document.
/// `number` counts measurement documents through the whole file.
pub(super) fn techniques(reading: &Reading, class: AsmClass, sample: &Sample, number: &mut usize) -> Result<Vec<Json>> {
    let mut by_time: Vec<Vec<Measurement<'_>>> = Vec::new();
    for one in measurements_of(sample)? {
        let same = |all: &&mut Vec<Measurement<'_>>| {
            !time_stands_once(class) || all.first().is_some_and(|(at, ..)| at.instant == one.0.instant)
        };
        match by_time.iter_mut().find(same) {
            Some(all) => all.push(one),
            None => by_time.push(vec![one]),
        }
    }
    Ok(by_time.into_iter().map(|all| technique(reading, class, sample, all, number)).collect())
}

/// Does the class state the measurement time in the aggregate document?
fn time_stands_once(class: AsmClass) -> bool {
    matches!(class, AsmClass::PlateReader | AsmClass::Spectrophotometry)
}

fn technique(reading: &Reading, class: AsmClass, sample: &Sample, all: Vec<Measurement<'_>>, number: &mut usize) -> Json {
    let mut aggregate = Map::new();
    if let Some((at, ..)) = all.first().filter(|_| time_stands_once(class)) {
        aggregate.insert("measurement time".into(), stamp(at).into());
    }
    let mut measurements = Vec::new();
    for (at, group, assays) in all {
        *number += 1;
        measurements.push(measurement(reading, class, sample, at, group, &assays, *number));
    }
    aggregate.insert("measurement document".into(), Json::Array(measurements));
    put(&mut aggregate, "data processing time", fact(sample, "exported"));
    put(&mut aggregate, "experimental data identifier", fact(sample, "data-file"));
    put(&mut aggregate, "analytical method identifier", fact(sample, "method"));
    put(&mut aggregate, "experiment type", fact(sample, "experiment-type"));
    if class == AsmClass::PlateReader {
        put(&mut aggregate, "container type", Some("well plate"));
        aggregate.extend(setting(&PLATE, class, sample));
    }
    let mut out = Map::new();
    out.insert("measurement aggregate document".into(), Json::Object(aggregate));
    put(&mut out, "analyst", fact(sample, "operator"));
    Json::Object(out)
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
    let mut device = device(reading, class, group, sample);
    if let Some(wavelength_nm) = assays.iter().find_map(|(a, _)| wavelength_nm(a)).filter(|_| class == AsmClass::PlateReader) {
        device.insert("detector wavelength setting".into(), json!({"value": wavelength_nm, "unit": "nm"}));
    }
    out.insert("device control aggregate document".into(), json!({"device control document": [device]}));
    out.insert("measurement identifier".into(), format!("measurement-{number}").into());
    if !time_stands_once(class) {
        out.insert("measurement time".into(), stamp(at).into());
    }
    out.insert("sample document".into(), sample_document(sample, class, at));
    out.extend(setting(&CONDITION, class, sample));
    if let Some(file) = fact(sample, "image-file") {
        out.insert("image aggregate document".into(), json!({"image document": [{"experimental data identifier": file}]}));
    }
    let mut processed = Map::new();
    let mut analytes = Vec::new();
    let (mut wavelengths, mut absorbances) = (Vec::new(), Vec::new());
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
            (Some(quantity), Group::Spectrum) => {
                wavelengths.push(wavelength_nm(assay));
                absorbances.push(quantity.get("value").cloned());
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
    if !wavelengths.is_empty() {
        out.insert(SPECTRUM.into(), spectrum(&wavelengths, &absorbances));
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

/// An absorption spectrum as a data cube.
fn spectrum(wavelengths_nm: &[Option<f64>], absorbances: &[Option<Json>]) -> Json {
    let part = |concept: &str, unit: &str| json!([{"@componentDatatype": "double", "concept": concept, "unit": unit}]);
    json!({
        "label": "absorption spectrum",
        "cube-structure": {
            "dimensions": part("wavelength", "nm"),
            "measures": part("absorbance", SPECTRUM_UNIT),
        },
        "data": {"dimensions": [wavelengths_nm], "measures": [absorbances]},
    })
}

/// How the cell counters of each format look at their cells: start of the format's name, device type,
/// detection type.
const COUNTERS: [(&str, &str, &str); 3] = [
    ("beckman-vicell", "brightfield imager (cell counter)", "brightfield"),
    ("roche-cedex-hires", "cell counter", "brightfield"),
    ("chemometec-nucleoview", "dark field imager (cell counter)", "dark field"),
];

fn device(reading: &Reading, class: AsmClass, group: Group, sample: &Sample) -> Map<String, Json> {
    let mut out = Map::new();
    let stated = fact(sample, "detection-mode").or(group.detection());
    let (kind, detection) = match class {
        AsmClass::SolutionAnalyzer => ("solution-analyzer", group.detection()),
        AsmClass::PlateReader => ("plate reader", stated),
        AsmClass::Spectrophotometry => ("absorbance detector", stated),
        AsmClass::CellCounting => match COUNTERS.iter().find(|(format, ..)| reading.format.starts_with(format)) {
            Some((_, kind, detection)) => (*kind, Some(*detection)),
            None => ("cell counter", None),
        },
    };
    put(&mut out, "device type", Some(kind));
    put(&mut out, "detection type", detection);
    out.extend(SETTINGS.iter().filter_map(|s| setting(s, class, sample)));
    out
}

fn sample_document(sample: &Sample, class: AsmClass, at: &ClockTime) -> Json {
    let mut out = Map::new();
    put(&mut out, "sample identifier", Some(if sample.key.is_empty() { "N/A" } else { &sample.key }));
    put(&mut out, "batch identifier", fact(sample, "batch"));
    put(&mut out, "description", fact(sample, "sample-type"));
    put(&mut out, "location identifier", fact(sample, "well").or(fact(sample, "position")));
    put(&mut out, "well plate identifier", fact(sample, "plate"));
    let mut custom = Custom::default();
    match &sample.when {
        When::At(taken) if taken.instant != at.instant => custom.time(label::TAKEN, taken),
        _ => {}
    }
    for (name, value) in sample.fields.iter().filter(|(name, _)| !is_placed(name, class, sample)) {
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
            let stands_in = placed.unit.as_deref().and_then(asm_terms::unit);
            if let (None, Some(unit)) =
                (&assay.value.raw_unit, assay.value.unit.as_ref().filter(|u| Some(*u) != stands_in.as_ref()))
            {
                self.text(&about(label::UNIT), unit.code());
            }
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
        let placed_wavelength = |name: &str| name == WAVELENGTH && matches!(placed.group, Group::Spectrum | Group::Absorbance);
        for (name, value) in assay.fields.iter().filter(|(name, _)| *name != "name" && !placed_wavelength(name)) {
            self.any(&about(name), value);
        }
    }
    fn put_into(self, out: &mut Map<String, Json>) {
        if !self.0.is_empty() {
            out.insert("custom information aggregate document".into(), json!({"custom information document": self.0}));
        }
    }
}
