//! Technique and measurement documents of ASM into samples with assays.

use super::custom::{self, Datum, Info};
use super::{Object, items, pointer, technique_facts, text, unread};
use crate::analyser::{Clock, UnitSource, fits, header_key, note, result};
use crate::asm_terms::{self, CONCENTRATIONS, SPECTRUM, WAVELENGTH, label};
use crate::format::Site;
use serde_json::Value as Json;
use std::collections::HashMap;
use toji_core::culture::{Assay, Fields, Reading, Sample, When};
use toji_core::value::NumberStyle;
use toji_core::{Diagnostic, Place, Unit, Value, ValueKind, ZoneEvidence, variable};

/// The samples read so far.
pub(super) struct Tree<'a> {
    site: &'a Site,
    pub(super) reading: &'a mut Reading,
    /// Sample of each measurement identifier, for calculated data.
    measured: HashMap<String, usize>,
}

/// What one measurement document holds.
#[derive(Default)]
struct Measurement {
    assays: Vec<Assay>,
    infos: Vec<Info>,
    errors: Vec<(String, String)>,
    facts: Fields,
    /// Facts of the sample.
    sample: Fields,
}

impl<'a> Tree<'a> {
    pub(super) fn new(site: &'a Site, reading: &'a mut Reading) -> Self {
        Self { site, reading, measured: HashMap::new() }
    }

    /// One technique document.
    pub(super) fn technique(&mut self, document: &Object, at: &str) {
        const AGGREGATE: &str = "measurement aggregate document";
        let Some(aggregate) = document.get(AGGREGATE).and_then(Json::as_object) else {
            unread(self.reading, at, &Json::Object(document.clone()));
            return;
        };
        let below = pointer(at, AGGREGATE);
        let mut facts = technique_facts(document, aggregate);
        for (key, value) in document.iter().chain(aggregate) {
            if [custom::AGGREGATE, custom::PLAIN].contains(&key.as_str()) {
                custom::read(key, value).into_iter().for_each(|info| keep(&mut facts, info));
            }
        }
        let first = self.reading.samples.len();
        for (key, value) in aggregate {
            let here = pointer(&below, key);
            match key.as_str() {
                "measurement document" => {
                    for (index, measurement) in items(value) {
                        let time = text(measurement, "measurement time").or_else(|| text(aggregate, "measurement time"));
                        self.measurement(measurement, time.unwrap_or(""), &format!("{here}/{index}"), first, &facts);
                    }
                }
                "calculated data aggregate document" | custom::AGGREGATE | custom::PLAIN => {}
                "data processing time" | "experimental data identifier" | "analytical method identifier" | "measurement time" => {
                }
                "plate well count" => {
                    let wells = value.get("value").map(plain).unwrap_or_default();
                    self.reading.samples.iter_mut().skip(first).for_each(|s| note(&mut s.fields, "plate-wells", &wells));
                }
                _ if value.is_object() || value.is_array() => unread(self.reading, &here, value),
                _ => self.reading.samples.iter_mut().skip(first).for_each(|s| note(&mut s.fields, key, &plain(value))),
            }
        }
        for (key, value) in document {
            let known = [AGGREGATE, "analyst", "submitter", custom::AGGREGATE, custom::PLAIN];
            if !known.contains(&key.as_str()) {
                unread(self.reading, &pointer(at, key), value);
            }
        }
        if let Some(calculated) = aggregate.get("calculated data aggregate document") {
            self.calculated(calculated, &pointer(&below, "calculated data aggregate document"));
        }
    }

    fn measurement(&mut self, document: &Object, time: &str, at: &str, first: usize, facts: &Fields) {
        let mut found = Vec::new();
        let mut when = Clock::of(self.site).when(time, &Place::field(pointer(at, "measurement time")), &mut found);
        let mut inside = Measurement::default();
        for (key, value) in document {
            self.part(&mut inside, key, value, &pointer(at, key), &mut found);
        }
        put_back(&mut inside, at, &mut found);
        explain_errors(&mut inside, at, &mut found);
        let mut taken = when.clone();
        for info in std::mem::take(&mut inside.infos) {
            match (info.label.as_str(), &info.datum) {
                (label::ZONE, _) => {
                    if let When::At(at) = &mut when {
                        at.evidence =
                            if info.text() == Some("assumed") { ZoneEvidence::Assumed } else { ZoneEvidence::SiteDefault };
                    }
                }
                (label::TAKEN, Datum::Time(time)) => {
                    taken = Clock::of(self.site).when(time, &Place::field(at), &mut found);
                }
                _ => keep(&mut inside.facts, info),
            }
        }
        let sample_document = document.get("sample document").and_then(Json::as_object);
        let key = sample_document.and_then(|s| text(s, "sample identifier")).unwrap_or("").to_owned();
        self.reading.diagnostics.append(&mut found);
        let index = self.sample(key, first, taken, &inside, facts);
        if let Some(identifier) = text(document, "measurement identifier") {
            self.measured.insert(identifier.to_owned(), index);
        }
        if let Some(sample) = self.reading.samples.get_mut(index) {
            sample.assays.extend(inside.assays.into_iter().map(|mut assay| {
                assay.when = when.clone();
                for (name, value) in &inside.facts {
                    assay.fields.entry(name.clone()).or_insert_with(|| value.clone());
                }
                assay
            }));
        }
    }

    /// The sample of this name and batch in the same technique document, or a new one.
    fn sample(&mut self, key: String, first: usize, when: When, inside: &Measurement, facts: &Fields) -> usize {
        let batch = inside.sample.get("batch");
        let found = self.reading.samples.iter().skip(first).position(|s| s.key == key && s.fields.get("batch") == batch);
        let index = found.map(|i| i + first).unwrap_or_else(|| {
            self.reading.samples.push(Sample { key, run: None, when, fields: facts.clone(), assays: Vec::new() });
            self.reading.samples.len() - 1
        });
        if let Some(sample) = self.reading.samples.get_mut(index) {
            for (name, value) in &inside.sample {
                sample.fields.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        index
    }

    fn part(&mut self, inside: &mut Measurement, key: &str, value: &Json, at: &str, found: &mut Vec<Diagnostic>) {
        match key {
            "measurement time" | "calculated data aggregate document" => {}
            "measurement identifier" => note(&mut inside.facts, key, &plain(value)),
            "sample document" => self.sample_part(inside, value, at),
            "device control aggregate document" => {
                for (_, device) in items(value.get("device control document").unwrap_or(&Json::Null)) {
                    self.facts_of(&mut inside.facts, device, at);
                }
            }
            "image aggregate document" => {
                for (_, image) in items(value.get("image document").unwrap_or(&Json::Null)) {
                    self.facts_of(&mut inside.facts, image, at);
                }
            }
            "error aggregate document" => {
                for (_, error) in items(value.get("error document").unwrap_or(&Json::Null)) {
                    let of = |key: &str| text(error, key).unwrap_or("").to_owned();
                    inside.errors.push((of("error"), of("error feature")));
                }
            }
            "analyte aggregate document" => {
                for (index, analyte) in items(value.get("analyte document").unwrap_or(&Json::Null)) {
                    self.analyte(inside, analyte, &format!("{at}/analyte document/{index}"), found);
                }
            }
            "processed data aggregate document" => {
                for (index, processed) in items(value.get("processed data document").unwrap_or(&Json::Null)) {
                    self.processed(inside, processed, &format!("{at}/processed data document/{index}"), found);
                }
            }
            "compartment temperature" if value.get("value").is_some() => {
                note(&mut inside.sample, "compartment-temperature-cel", &value.get("value").map(plain).unwrap_or_default());
            }
            SPECTRUM => match spectrum(value, at, found) {
                Some(assays) => inside.assays.extend(assays),
                None => unread(self.reading, at, value),
            },
            custom::AGGREGATE | custom::PLAIN => inside.infos.extend(custom::read(key, value)),
            _ => match quantity(value, at, found) {
                Some(value) => inside.assays.push(assay(key, value, at)),
                None if value.is_object() || value.is_array() => unread(self.reading, at, value),
                None => note(&mut inside.facts, key, &plain(value)),
            },
        }
        if let ("calculated data aggregate document", Some(_)) = (key, value.get("calculated data document")) {
            for (index, calculated) in items(value.get("calculated data document").unwrap_or(&Json::Null)) {
                let here = format!("{at}/calculated data document/{index}");
                inside.assays.extend(calculated_assay(calculated, &here, found));
            }
        }
    }

    fn sample_part(&mut self, inside: &mut Measurement, value: &Json, at: &str) {
        for (key, value) in value.as_object().into_iter().flatten() {
            match key.as_str() {
                "sample identifier" => {}
                "batch identifier" => note(&mut inside.sample, "batch", &plain(value)),
                "description" => note(&mut inside.sample, "sample-type", &plain(value)),
                "location identifier" => note(&mut inside.sample, "position", &plain(value)),
                "well plate identifier" => note(&mut inside.sample, "plate", &plain(value)),
                custom::AGGREGATE | custom::PLAIN => {
                    for info in custom::read(key, value) {
                        match &info.datum {
                            Datum::Time(_) if info.label == label::TAKEN => inside.infos.push(info),
                            _ => keep(&mut inside.sample, info),
                        }
                    }
                }
                _ if value.is_object() || value.is_array() => unread(self.reading, &pointer(at, key), value),
                _ => note(&mut inside.sample, key, &plain(value)),
            }
        }
    }

    /// Scalars, quantities and custom information of a document as facts.
    fn facts_of(&mut self, facts: &mut Fields, document: &Object, at: &str) {
        for (key, value) in document {
            match key.as_str() {
                custom::AGGREGATE | custom::PLAIN => custom::read(key, value).into_iter().for_each(|info| keep(facts, info)),
                "@index" => {}
                _ if value.get("value").is_some() => note(facts, key, &plain_quantity(value)),
                _ if value.is_object() || value.is_array() => unread(self.reading, &pointer(at, key), value),
                _ => note(facts, key, &plain(value)),
            }
        }
    }

    fn analyte(&mut self, inside: &mut Measurement, document: &Object, at: &str, found: &mut Vec<Diagnostic>) {
        let name = text(document, "analyte name").unwrap_or("").to_owned();
        let mut facts = Fields::new();
        let mut values = Vec::new();
        for (key, value) in document.iter().filter(|(key, _)| !matches!(key.as_str(), "analyte name" | "@index")) {
            let here = pointer(at, key);
            match key.as_str() {
                custom::AGGREGATE | custom::PLAIN => custom::read(key, value).into_iter().for_each(|info| keep(&mut facts, info)),
                _ => match quantity(value, &here, found) {
                    Some(value) => values.push((key, value, here)),
                    None if value.is_object() || value.is_array() => unread(self.reading, &here, value),
                    None => note(&mut facts, key, &plain(value)),
                },
            }
        }
        let code = facts.remove("analyte code").and_then(|c| c.as_str().map(str::to_owned));
        let flag = facts.remove("flag").and_then(|f| f.as_str().map(str::to_owned));
        for (property, value, here) in values {
            let mut assay = Assay::new(code.as_deref().unwrap_or(&name), value, Place::field(&here));
            assay.variable = variable_of(&name);
            assay.flags.extend(flag.clone());
            assay.fields.clone_from(&facts);
            note(&mut assay.fields, "name", &name);
            if !CONCENTRATIONS.iter().any(|(known, _)| known == property) {
                note(&mut assay.fields, "quantity", property);
            }
            inside.assays.push(assay);
        }
    }

    fn processed(&mut self, inside: &mut Measurement, document: &Object, at: &str, found: &mut Vec<Diagnostic>) {
        for (key, value) in document {
            let here = pointer(at, key);
            match key.as_str() {
                "data processing document" => {
                    let settings = value.as_object().cloned().unwrap_or_default();
                    self.settings(&mut inside.sample, &settings, &here);
                }
                _ => self.part(inside, key, value, &here, found),
            }
        }
    }

    fn settings(&mut self, facts: &mut Fields, settings: &Object, at: &str) {
        let mut rest = settings.clone();
        let number = |v: Json| v.get("value").map(plain).unwrap_or_default();
        for (property, name) in [
            ("cell density dilution factor", "dilution"),
            ("minimum cell diameter setting", "minimum-diameter-um"),
            ("maximum cell diameter setting", "maximum-diameter-um"),
        ] {
            if let Some(value) = rest.remove(property) {
                note(facts, name, &number(value));
            }
        }
        if let Some(method) = rest.remove("cell type processing method") {
            note(facts, "cell-type", &plain(&method));
        }
        self.facts_of(facts, &rest, at);
    }

    /// Calculated data, each with the sample of the measurement it was calculated from.
    pub(super) fn calculated(&mut self, aggregate: &Json, at: &str) {
        for (index, document) in items(aggregate.get("calculated data document").unwrap_or(&Json::Null)) {
            let here = format!("{at}/calculated data document/{index}");
            let mut found = Vec::new();
            let sources = document.get("data source aggregate document").and_then(|d| d.get("data source document"));
            let sample = items(sources.unwrap_or(&Json::Null))
                .find_map(|(_, s)| self.measured.get(text(s, "data source identifier")?).copied());
            match (sample.and_then(|i| self.reading.samples.get_mut(i)), calculated_assay(document, &here, &mut found)) {
                (Some(sample), Some(mut assay)) => {
                    assay.when = sample.when.clone();
                    sample.assays.push(assay);
                }
                _ => unread(self.reading, &here, &Json::Object(document.clone())),
            }
            self.reading.diagnostics.append(&mut found);
        }
    }
}

fn calculated_assay(document: &Object, at: &str, found: &mut Vec<Diagnostic>) -> Option<Assay> {
    let value = quantity(document.get("calculated result")?, at, found)?;
    let mut assay = assay(text(document, "calculated data name")?, value, at);
    assay.method = Some("calculated".to_owned());
    if let Some(description) = text(document, "calculation description") {
        note(&mut assay.fields, "calculation description", description);
    }
    Some(assay)
}

fn assay(name: &str, value: Value, at: &str) -> Assay {
    let mut assay = Assay::new(name, value, Place::field(at));
    assay.variable = variable_of(name);
    assay
}

/// The variable a property or analyte name stands for. Names of the vocabulary count only as a whole:
/// `alanyl-glutamine` is not glutamine, `PCO2 @ Temp` not a temperature.
fn variable_of(name: &str) -> Option<String> {
    if let Some(term) = asm_terms::of_property(name) {
        return Some(term.variable.to_owned());
    }
    if matches!(name, "IgG human" | "IgG mouse") {
        return Some("igg".to_owned());
    }
    let (variable, word) = variable::find(name)?;
    (header_key(name) == header_key(word)).then(|| variable.id.clone())
}

/// The wavelengths of an absorption spectrum. `None`: the cube is not one dimension of wavelengths in
/// nanometres with one measure of the same length.
fn spectrum(cube: &Json, at: &str, found: &mut Vec<Diagnostic>) -> Option<Vec<Assay>> {
    let only = |pointer: &str| match cube.pointer(pointer)?.as_array()?.as_slice() {
        [one] => Some(one),
        _ => None,
    };
    let unit = |part: &Json| part.get("unit").and_then(Json::as_str).map(str::to_owned);
    let dimension = only("/cube-structure/dimensions").filter(|d| unit(d).as_deref() == Some("nm"))?;
    let measure = unit(only("/cube-structure/measures")?);
    dimension.get("concept").filter(|c| *c == "wavelength")?;
    let wavelengths = only("/data/dimensions")?.as_array()?;
    let measures = only("/data/measures")?.as_array()?;
    if wavelengths.len() != measures.len() {
        return None;
    }
    let mut out = Vec::new();
    for (index, (wavelength_nm, number)) in wavelengths.iter().zip(measures).enumerate() {
        let (wavelength_nm, number) = (wavelength_nm.as_f64()?, number.as_f64()?);
        let here = format!("{at}/data/measures/0/{index}");
        let value = with_unit(Value::number(number), measure.as_deref(), &here, found);
        let mut assay = assay(&asm_terms::spectral_name(wavelength_nm), value, &here);
        note(&mut assay.fields, WAVELENGTH, &wavelength_nm.to_string());
        out.push(assay);
    }
    Some(out)
}

/// `{"value": 3.25, "unit": "g/L"}`. `None`: not a quantity.
fn quantity(value: &Json, at: &str, found: &mut Vec<Diagnostic>) -> Option<Value> {
    let object = value.as_object()?;
    let number = object.get("value")?;
    let unit = text(object, "unit");
    let parsed = match number {
        // The shortest decimal text: JSON writers differ in `300` and `300.0`.
        Json::Number(number) => Value::number(number.as_f64()?),
        Json::String(words) => Value::parse(words),
        _ => return None,
    };
    Some(with_unit(parsed, unit, at, found))
}

fn with_unit(value: Value, unit: Option<&str>, at: &str, found: &mut Vec<Diagnostic>) -> Value {
    let Some(raw) = unit else { return value };
    match asm_terms::unit(raw) {
        Some(unit) => Value { raw_unit: Some(raw.to_owned()), ..value.with_unit(unit) },
        None => {
            let (value, _) = value.with_raw_unit(raw);
            found.push(
                Diagnostic::warning(
                    "W-UNIT-001",
                    Place::field(at),
                    format!("単位「{raw}」が分かりません"),
                    format!("the unit \"{raw}\" is not known"),
                )
                .remedy("値は元の単位のまま残ります", "the value is kept with its unit as written"),
            );
            value
        }
    }
}

/// A scalar as text.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        Json::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |n| n.to_string()),
        other => other.to_string(),
    }
}

/// `{"value": 30, "unit": "µm"}` as `30 µm`.
fn plain_quantity(value: &Json) -> String {
    let number = value.get("value").map(plain).unwrap_or_default();
    match value.get("unit").and_then(Json::as_str) {
        Some(unit) if unit != "(unitless)" => format!("{number} {unit}"),
        _ => number,
    }
}

/// Keeps a piece of custom information as a fact.
fn keep(facts: &mut Fields, info: Info) {
    let value = match info.datum {
        Datum::Fact(value) => value,
        Datum::Time(time) => time.into(),
        Datum::Number(number, Some(unit)) => format!("{number} {unit}").into(),
        Datum::Number(number, None) => Json::Number(number),
    };
    if !value.is_null() && value != "" {
        facts.insert(info.label, value);
    }
}

/// Puts back what Toji's writer had to lay aside: source names, texts as written, bounds, flags, and
/// labelled numbers that are results.
fn put_back(inside: &mut Measurement, at: &str, found: &mut Vec<Diagnostic>) {
    let infos = std::mem::take(&mut inside.infos);
    let about = |info: &Info, what: &str| info.label.strip_prefix(what)?.strip_prefix(": ").map(str::to_owned);
    let names: HashMap<String, String> =
        infos.iter().filter_map(|i| Some((about(i, label::NAME)?, i.text()?.to_owned()))).collect();
    for info in &infos {
        if let (Datum::Number(number, unit), false) = (&info.datum, is_bound(info)) {
            let value = Value::number(number.as_f64().unwrap_or(f64::NAN));
            let value = with_unit(value, unit.as_deref(), at, found);
            inside.assays.push(assay(&info.label, value, at));
        }
    }
    for assay in &mut inside.assays {
        let known_as = assay.fields.get("name").and_then(|n| n.as_str()).unwrap_or(&assay.analyte).to_owned();
        if let Some(name) = names.get(&assay.analyte) {
            assay.variable = variable_of(name);
            note(&mut assay.fields, "name", name);
        } else if let Some((source, _)) = names.iter().find(|(_, name)| **name == known_as) {
            assay.analyte.clone_from(source);
            note(&mut assay.fields, "name", &known_as);
        }
    }
    let bounds: HashMap<String, f64> = infos
        .iter()
        .filter_map(|info| match &info.datum {
            Datum::Number(number, _) => {
                Some((about(info, label::UPPER).or_else(|| about(info, label::LOWER))?, number.as_f64()?))
            }
            _ => None,
        })
        .collect();
    let units: HashMap<String, Unit> =
        infos.iter().filter_map(|i| Some((about(i, label::UNIT)?, Unit::parse(i.text()?).ok()?))).collect();
    let mut rest = Vec::new();
    for info in infos {
        if about(&info, label::UNIT).is_some_and(|source| units.contains_key(&source)) {
            continue;
        }
        if is_bound(&info) || matches!(info.datum, Datum::Number(..)) || about(&info, label::NAME).is_some() {
            continue;
        }
        let target = info.label.split_once(": ").map(|(what, source)| (what.to_owned(), source.to_owned()));
        match (target, info.text()) {
            (Some((what, source)), Some(words)) if what == label::WRITTEN => {
                let bound = bounds.get(&source).copied();
                let written = Written { source: &source, words, name: names.get(&source), bound, unit: units.get(&source) };
                restore(inside, &written, at, found);
            }
            (Some((what, source)), Some(words)) if inside.assays.iter().any(|a| a.analyte == source) => {
                for assay in inside.assays.iter_mut().filter(|a| a.analyte == source) {
                    match what.as_str() {
                        label::FLAG => assay.flags.push(words.to_owned()),
                        _ => note(&mut assay.fields, &what, words),
                    }
                }
            }
            _ => rest.push(info),
        }
    }
    inside.infos = rest;
    for assay in &mut inside.assays {
        assay.variable = assay.variable.take().filter(|v| fits(v, &assay.value));
    }
}

fn is_bound(info: &Info) -> bool {
    [label::UPPER, label::LOWER].iter().any(|l| info.label.starts_with(&format!("{l}: ")))
}

/// What the writer said of a quantity beside its number.
struct Written<'a> {
    source: &'a str,
    words: &'a str,
    name: Option<&'a String>,
    /// The bound as a number, for results that are bounds.
    bound: Option<f64>,
    /// Unit of the text, where the source does not write it.
    unit: Option<&'a Unit>,
}

/// Reads a text as written in a number style. The writer sets a space between text and unit; `10.00%`
/// is a cell that holds its unit itself.
fn read_written(words: &str, style: NumberStyle) -> Value {
    let value = result(words, UnitSource::Unknown, style, &Place::default(), &mut Vec::new());
    let number = value.raw_unit.as_deref().and_then(|raw| words.strip_suffix(raw)).filter(|n| n.ends_with(' '));
    Value { text: number.map_or(words, str::trim_end).to_owned(), ..value }
}

/// The value as the source wrote it, where it says the same as the document's number. `136,229` may be
/// written in either number style: the one that agrees is taken.
fn restore(inside: &mut Measurement, written: &Written<'_>, at: &str, found: &mut Vec<Diagnostic>) {
    let styles = [NumberStyle::Point, NumberStyle::Comma].map(|style| match (read_written(written.words, style), written.unit) {
        (value, Some(unit)) if value.unit.is_none() => value.with_unit(unit.clone()),
        (value, _) => value,
    });
    let Some(assay) = inside.assays.iter_mut().find(|a| a.analyte == written.source) else {
        let fits = |v: &&Value| v.kind != ValueKind::Text && (written.bound.is_none() || v.high.or(v.low) == written.bound);
        let Some(value) = styles.iter().find(fits).or(styles.first()) else { return };
        let mut fresh = Assay::new(written.source, value.clone(), Place::field(at));
        fresh.variable = written.name.and_then(|name| variable_of(name));
        if let Some(name) = written.name {
            note(&mut fresh.fields, "name", name);
        }
        inside.assays.push(fresh);
        return;
    };
    let bare = |v: &&Value| v.unit.is_none() && v.number.is_some() && v.number == assay.value.number;
    if let Some(value) = styles.iter().find(bare) {
        assay.value.text.clone_from(&value.text);
    } else if let Some(value) = styles.iter().find(|v| agrees(v, &assay.value)) {
        assay.value = value.clone();
    } else {
        found.push(
            Diagnostic::warning(
                "W-ASM-002",
                assay.place.clone(),
                format!("「{}」という元の表記と数値 {} が一致しないため、数値を採りました", written.words, assay.value.text),
                format!(
                    "the text as written, \"{}\", and the number {} disagree; the number was taken",
                    written.words, assay.value.text
                ),
            )
            .remedy("元のファイルを確かめてください", "check the original file"),
        );
    }
}

fn agrees(written: &Value, number: &Value) -> bool {
    let (Some(have), Some(unit)) = (number.number, number.unit.as_ref()) else { return false };
    let density = written.unit.as_ref().is_some_and(|u| u.code().starts_with("{OD")) && unit.code() == "10*-3.{AU}";
    let converted = if density { written.number.map(|n| n * 1000.0) } else { written.to_unit(unit).ok().and_then(|v| v.number) };
    converted.is_some_and(|n| (n - have).abs() <= 1e-9 * have.abs().max(n.abs()))
}

/// Error documents: a bound that a converter turned into zero becomes the bound again; other errors are
/// flags of the result they name, or results without a number.
fn explain_errors(inside: &mut Measurement, at: &str, found: &mut Vec<Diagnostic>) {
    for (error, feature) in std::mem::take(&mut inside.errors) {
        let name_of = |a: &Assay| a.fields.get("name").and_then(|n| n.as_str()).unwrap_or(&a.analyte).to_owned();
        let kit = |a: &Assay| a.fields.get("detection kit").and_then(|k| k.as_str()).unwrap_or("").to_owned();
        let exact = inside.assays.iter().position(|a| feature == format!("{} - {}", name_of(a), kit(a)));
        let near = |a: &Assay| feature == name_of(a) || feature.starts_with(&format!("{} - ", name_of(a)));
        let Some(index) = exact.or_else(|| inside.assays.iter().position(near)) else {
            let value = match Value::parse(&error) {
                value if value.kind == ValueKind::Text => Value::not_determined(&error),
                value => value,
            };
            let mut fresh = assay(&feature, value, at);
            note(&mut fresh.fields, "name", &feature);
            inside.assays.push(fresh);
            continue;
        };
        let Some(assay) = inside.assays.get_mut(index) else { continue };
        let bound = Value::parse(&error);
        let minus_zero = assay.value.number.is_some_and(|n| n == 0.0 && n.is_sign_negative());
        if minus_zero || (assay.value.number == Some(0.0) && bound.is_censored()) {
            found.push(Diagnostic::warning(
                "W-ASM-001",
                assay.place.clone(),
                format!("「{error}」とある測定に数値 {} が書かれています。数値としては読みません", assay.value.text),
                format!(
                    "the measurement says \"{error}\" but holds the number {}, which was not read as a number",
                    assay.value.text
                ),
            ));
            assay.value = if bound.is_censored() { bound } else { Value::not_determined(&error) };
        } else if assay.value.kind == ValueKind::Exact && !assay.flags.contains(&error) {
            assay.flags.push(error);
        }
    }
}
