//! An ASM document taken apart into facts, and what two documents do not have in common.

use serde_json::Value as Json;
use toji_core::clock::Instant;

/// A value of a fact.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub(crate) enum Datum {
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
    pub(crate) fn same(&self, other: &Self) -> bool {
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
pub(crate) struct Fact {
    pub(crate) sample: String,
    /// Nanoseconds since 1970, for quantities.
    pub(crate) time: Option<i64>,
    pub(crate) quantity: String,
    pub(crate) datum: Datum,
    pub(crate) unit: String,
}

#[derive(Default)]
pub(crate) struct Facts {
    /// Measured values and settings with a unit.
    pub(crate) quantities: Vec<Fact>,
    /// Names, texts and custom information, each once a sample.
    pub(crate) texts: Vec<Fact>,
    pub(crate) identifiers: Vec<String>,
}

pub(crate) fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || "@%+".contains(*c)).flat_map(char::to_lowercase).collect()
}

fn list<'a>(value: &'a Json, aggregate: &str, item: &str) -> Vec<&'a Json> {
    value.get(aggregate).and_then(|a| a.get(item)).and_then(Json::as_array).map_or_else(Vec::new, |a| a.iter().collect())
}

impl Facts {
    pub(crate) fn of(document: &Json) -> Self {
        let mut facts = Self::default();
        let root = document.as_object().unwrap();
        facts.text("", "manifest", &root["$asm.manifest"]);
        let (_, class) = root.iter().find(|(k, _)| k.ends_with("aggregate document")).unwrap();
        for system in ["device system document", "data system document"] {
            for (key, value) in class[system].as_object().unwrap() {
                facts.texts_below("", key, value);
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
        let fact = Fact { sample: sample.to_owned(), time: None, quantity: quantity.to_owned(), datum, unit: String::new() };
        if !self.texts.contains(&fact) {
            self.texts.push(fact);
        }
    }

    fn measurement(&mut self, technique: &Json, aggregate: &Json, measurement: &Json) {
        let sample = measurement["sample document"]["sample identifier"].as_str().unwrap().to_owned();
        // Classes of 2024/06 state the time once, in the aggregate document.
        let time = measurement.get("measurement time").unwrap_or_else(|| &aggregate["measurement time"]);
        let time = Instant::parse(time.as_str().unwrap()).unwrap().0;
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
                (cube, _) if cube.ends_with("data cube") => self.cube(&sample, time, value),
                _ => self.texts_below(&sample, key, value),
            }
        }
    }

    /// Each point of a spectrum as a quantity of its own.
    fn cube(&mut self, sample: &str, time: i64, cube: &Json) {
        let structure = &cube["cube-structure"]["measures"][0];
        let numbers = |part: &str| cube["data"][part][0].as_array().unwrap().clone();
        for (wavelength, number) in numbers("dimensions").iter().zip(numbers("measures")) {
            let name = format!("{} {} nm", structure["concept"].as_str().unwrap(), wavelength.as_f64().unwrap());
            self.quantity(sample, time, &name, &serde_json::json!({"value": number, "unit": structure["unit"]}));
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
            _ if key == "measurement time" => {}
            _ if key == "calculated data aggregate document" => {
                for calculated in list(&serde_json::json!({key: value}), key, "calculated data document") {
                    let name = calculated["calculated data name"].as_str().unwrap();
                    self.custom_quantity(sample, name, &calculated["calculated result"]);
                }
            }
            _ if value.get("value").is_some() => {
                self.text(sample, key, &value["value"]);
                self.text(sample, &format!("unit of {key}"), &value["unit"]);
            }
            Json::Object(inside) => inside.iter().for_each(|(k, v)| self.texts_below(sample, k, v)),
            Json::Array(inside) => inside.iter().for_each(|v| self.texts_below(sample, key, v)),
            _ => self.text(sample, key, value),
        }
    }

    /// A number under a name of the converter's own.
    fn custom_quantity(&mut self, sample: &str, label: &str, value: &Json) {
        self.text(sample, &format!("custom: {}", letters(label)), &value["value"]);
        if let Some(unit) = value["unit"].as_str().filter(|u| *u != "(unitless)") {
            self.text(sample, &format!("custom quantity: {label} {unit}"), &value["value"]);
        }
    }

    /// Either form of custom information. What Toji labels `what: name` is told apart.
    fn custom(&mut self, sample: &str, value: &Json) {
        let Some(labelled) = value.get("custom information document").and_then(Json::as_array) else {
            for (label, value) in value.as_object().unwrap() {
                match value.get("value") {
                    Some(_) => self.custom_quantity(sample, label, value),
                    None => self.text(sample, &format!("custom: {}", letters(label)), value),
                }
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
pub(crate) struct Difference {
    pub(crate) reference: Option<Fact>,
    pub(crate) ours: Option<Fact>,
}

/// Do these two facts belong together?
type Pairs<'a> = dyn Fn(&Fact, &Fact) -> bool + 'a;

/// Facts on one side only. Paired, in this order: same value at another time, same quantity at the
/// same time, same quantity.
pub(crate) fn differences(reference: &[Fact], ours: &[Fact]) -> Vec<Difference> {
    let close = |o: &Fact, r: &Fact| o.sample == r.sample && o.quantity == r.quantity;
    let same = |o: &Fact, r: &Fact| close(o, r) && o.unit == r.unit && o.datum.same(&r.datum);
    let passes: [&Pairs; 4] = [
        &|o, r| same(o, r) && o.time == r.time,
        &same,
        &|o, r| close(o, r) && o.time == r.time && r.datum != Datum::Number(0.0),
        &|o, r| close(o, r) && r.datum != Datum::Number(0.0),
    ];
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
