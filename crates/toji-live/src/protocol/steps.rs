//! The steps of a protocol, as ISA-88 orders them: unit procedures, their operations, their phases.
//!
//! ```json
//! [{ "name": "Culture", "operations": [{ "name": "Batch", "phases": [
//!   { "name": "Warm up", "set": { "temperature": { "value": 37, "unit": "Cel" } },
//!     "until": { "variable": "temperature", "above": { "value": 36.5, "unit": "Cel" },
//!                "for": { "value": 5, "unit": "min" }, "at_most": { "value": 2, "unit": "h" } } },
//!   { "name": "Grow", "do": ["inoculate"], "until": { "elapsed": { "value": 6, "unit": "h" } } },
//!   { "name": "Harvest", "until": "end" }
//! ] }] }]
//! ```
//!
//! Every fault is found in one pass and named by its place.

use crate::deed::Deed;
use serde_json::{Map, Value as Json};
use toji_core::{Diagnostic, Error, Place, Result, Text, Unit, variable};

/// Phases of a protocol.
const PHASES_MAX: usize = 1_000;
/// Longest time a condition may name, s: a year.
const TIME_MAX_S: f64 = 366.0 * 86_400.0;
/// Quantities that may be set and are measured by nothing: name and usual unit.
const SET_ONLY: [(&str, &str); 1] = [("feed-rate", "mL/h")];

/// A protocol, phase by phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Phases in order; the last one ends the culture.
    pub phases: Vec<Phase>,
}

/// A phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Unit procedure it belongs to.
    pub unit_procedure: String,
    /// Operation it belongs to.
    pub operation: String,
    /// Name.
    pub name: String,
    /// Place in the steps: `steps/0/operations/0/phases/2`.
    pub place: String,
    /// What is set when it begins.
    pub sets: Vec<Setting>,
    /// What is done when it begins, after that.
    pub deeds: Vec<Deed>,
    /// When it is over.
    pub until: Until,
}

impl Phase {
    /// Unit procedure, operation and phase in one line.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{} / {} / {}", self.unit_procedure, self.operation, self.name)
    }
}

/// A value that is set.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Variable.
    pub variable: String,
    /// Value.
    pub value: f64,
    /// Its unit.
    pub unit: Unit,
}

/// Side of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// At the limit or above.
    Above,
    /// At the limit or below.
    Below,
}

/// What happens when a condition does not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Otherwise {
    /// Nothing more is told: a person must look.
    #[default]
    Fail,
    /// The next phase begins.
    GoOn,
}

/// When a phase is over.
#[derive(Debug, Clone, PartialEq)]
pub enum Until {
    /// After this time, ns.
    Elapsed(i64),
    /// When a variable has been beyond a limit.
    Crossing {
        /// Variable.
        variable: String,
        /// Which side.
        side: Side,
        /// Limit.
        limit: f64,
        /// Its unit.
        unit: Unit,
        /// For so long without a break, ns.
        hold_ns: i64,
        /// Not later than this after the phase began, ns.
        at_most_ns: Option<i64>,
        /// What happens then.
        otherwise: Otherwise,
    },
    /// At once: the culture ends.
    End,
}

impl Until {
    /// In words.
    #[must_use]
    pub fn words(&self) -> Text {
        match self {
            Self::End => Text::new("培養を終了", "end of the culture"),
            Self::Elapsed(ns) => Text::new(format!("{} 経過", span(*ns)), format!("after {}", span(*ns))),
            Self::Crossing { variable, side, limit, unit, hold_ns, at_most_ns, otherwise } => {
                let label = label_of(variable);
                let unit = unit.label();
                let (ja, en, sign) = match side {
                    Side::Above => ("以上", "at or above", "≥"),
                    Side::Below => ("以下", "at or below", "≤"),
                };
                let mut ja = format!("{} が {limit} {unit} {ja}", label.ja);
                let mut en = format!("{} {en} {limit} {unit} ({sign})", label.en);
                if *hold_ns > 0 {
                    ja.push_str(&format!("、{} 継続", span(*hold_ns)));
                    en.push_str(&format!(" for {}", span(*hold_ns)));
                }
                if let Some(ns) = at_most_ns {
                    let (then_ja, then_en) = match otherwise {
                        Otherwise::Fail => ("中断", "stop"),
                        Otherwise::GoOn => ("次へ", "go on"),
                    };
                    ja.push_str(&format!("（{} で成立しなければ{then_ja}）", span(*ns)));
                    en.push_str(&format!(" (after {} otherwise: {then_en})", span(*ns)));
                }
                Text::new(ja, en)
            }
        }
    }
}

/// Label of a variable.
#[must_use]
pub fn label_of(variable: &str) -> Text {
    match variable::get(variable) {
        Some(known) => known.label.clone(),
        None if variable == "feed-rate" => Text::new("流加速度", "Feed rate"),
        None => Text::same(variable),
    }
}

/// A time span for people.
fn span(ns: i64) -> String {
    let s = ns as f64 / 1e9;
    let (value, unit) = match s {
        s if s >= 3600.0 => (s / 3600.0, "h"),
        s if s >= 60.0 => (s / 60.0, "min"),
        s => (s, "s"),
    };
    let text = format!("{value:.2}");
    format!("{} {unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Reads the steps of a protocol.
///
/// # Errors
/// Everything that is wrong with them, each with its place.
pub fn read(steps: &Json) -> Result<Plan> {
    let mut reader = Reader::default();
    let mut phases = Vec::new();
    for (place, procedure) in reader.list(steps, "steps") {
        let Some(fields) = reader.object(procedure, &place, &["name", "operations", "notes"]) else { continue };
        let unit_procedure = reader.name(fields, &place);
        let operations = reader.needed(fields, &place, "operations");
        for (place, operation) in operations.map(|(place, o)| reader.list(o, &place)).unwrap_or_default() {
            let Some(fields) = reader.object(operation, &place, &["name", "phases", "notes"]) else { continue };
            let operation = reader.name(fields, &place);
            let listed = reader.needed(fields, &place, "phases");
            for (place, phase) in listed.map(|(place, p)| reader.list(p, &place)).unwrap_or_default() {
                if let Some(phase) = reader.phase(phase, place) {
                    phases.push(Phase { unit_procedure: unit_procedure.clone(), operation: operation.clone(), ..phase });
                }
            }
        }
    }
    reader.whole(&phases);
    if reader.findings.is_empty() {
        return Ok(Plan { phases });
    }
    let n = reader.findings.len();
    Err(Error::input(
        "E-PROTOCOL-001",
        format!("手順に誤りが {n} 件あります"),
        format!("the protocol has {n} fault{}", if n == 1 { "" } else { "s" }),
    )
    .at(Place::field("steps"))
    .hint("書き方は説明書の「手順」をご覧ください", "see \"Protocols\" in the documentation")
    .with(reader.findings))
}

#[derive(Default)]
struct Reader {
    findings: Vec<Diagnostic>,
}

/// Findings that are kept: a broken file must not fill the memory.
const FINDINGS_MAX: usize = 200;

impl Reader {
    fn find(&mut self, code: &str, place: &str, message: [String; 2], remedy: [&str; 2]) {
        if self.findings.len() < FINDINGS_MAX {
            let [ja, en] = message;
            self.findings.push(Diagnostic::error(code, Place::field(place), ja, en).remedy(remedy[0], remedy[1]));
        }
    }

    fn list<'j>(&mut self, json: &'j Json, place: &str) -> Vec<(String, &'j Json)> {
        match json {
            Json::Array(items) if !items.is_empty() => {
                items.iter().enumerate().map(|(i, item)| (format!("{place}/{i}"), item)).collect()
            }
            Json::Array(_) => {
                self.find(
                    "E-PROTOCOL-002",
                    place,
                    ["空の並びです".into(), "the list is empty".into()],
                    ["一つ以上書いてください", "give at least one"],
                );
                Vec::new()
            }
            _ => {
                self.find(
                    "E-PROTOCOL-002",
                    place,
                    ["並び [ … ] ではありません".into(), "not a list [ … ]".into()],
                    ["[ ] で囲んだ並びにしてください", "give a list in [ ]"],
                );
                Vec::new()
            }
        }
    }

    fn object<'j>(&mut self, json: &'j Json, place: &str, known: &[&str]) -> Option<&'j Map<String, Json>> {
        let Json::Object(fields) = json else {
            self.find(
                "E-PROTOCOL-002",
                place,
                ["項目 { … } ではありません".into(), "not an object { … }".into()],
                ["{ } で囲んだ項目にしてください", "give an object in { }"],
            );
            return None;
        };
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let listed = known.join(", ");
            self.find(
                "E-PROTOCOL-003",
                &format!("{place}/{name}"),
                [format!("「{name}」という項目はありません"), format!("there is no field \"{name}\"")],
                [&format!("使えるのは {listed} です"), &format!("known are {listed}")],
            );
        }
        Some(fields)
    }

    fn needed<'j>(&mut self, fields: &'j Map<String, Json>, place: &str, name: &str) -> Option<(String, &'j Json)> {
        let found = fields.get(name).map(|json| (format!("{place}/{name}"), json));
        if found.is_none() {
            self.find(
                "E-PROTOCOL-004",
                place,
                [format!("{name} がありません"), format!("{name} is missing")],
                ["書き加えてください", "add it"],
            );
        }
        found
    }

    fn name(&mut self, fields: &Map<String, Json>, place: &str) -> String {
        let Some((place, json)) = self.needed(fields, place, "name") else { return String::new() };
        match json.as_str().map(str::trim) {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => {
                self.find(
                    "E-PROTOCOL-004",
                    &place,
                    ["名前が空か、文字ではありません".into(), "the name is empty or no text".into()],
                    ["名前を書いてください", "give a name"],
                );
                String::new()
            }
        }
    }

    fn phase(&mut self, json: &Json, place: String) -> Option<Phase> {
        let fields = self.object(json, &place, &["name", "set", "do", "until", "notes"])?;
        let name = self.name(fields, &place);
        let sets = fields.get("set").map(|json| self.sets(json, &format!("{place}/set"))).unwrap_or_default();
        let deeds = fields.get("do").map(|json| self.deeds(json, &format!("{place}/do"))).unwrap_or_default();
        let (until_place, until) = self.needed(fields, &place, "until")?;
        let until = self.until(until, &until_place)?;
        Some(Phase { unit_procedure: String::new(), operation: String::new(), name, place, sets, deeds, until })
    }

    fn sets(&mut self, json: &Json, place: &str) -> Vec<Setting> {
        let Json::Object(fields) = json else {
            self.object(json, place, &[]);
            return Vec::new();
        };
        let mut sets = Vec::new();
        for (variable, json) in fields {
            let place = format!("{place}/{variable}");
            let usual = self.usual(variable, &place, true);
            let Some((value, unit)) = self.quantity(json, &place) else { continue };
            if self.measures(&unit, usual.as_ref(), &place) {
                sets.push(Setting { variable: variable.clone(), value, unit });
            }
        }
        sets
    }

    fn deeds(&mut self, json: &Json, place: &str) -> Vec<Deed> {
        let mut deeds = Vec::new();
        for (place, json) in self.list(json, place) {
            match json.as_str().and_then(Deed::of) {
                // The last phase stops the culture; a stop in between would end what still has phases to come.
                Some(Deed::Stop) => self.find(
                    "E-PROTOCOL-008",
                    &place,
                    ["stop は do に書けません".into(), "stop cannot be a deed of a phase".into()],
                    ["最後のフェーズに until: \"end\" と書いてください", "write until: \"end\" in the last phase"],
                ),
                Some(deed) => deeds.push(deed),
                None => {
                    let known = Deed::ALL.iter().filter(|d| **d != Deed::Stop).map(|d| d.code()).collect::<Vec<_>>().join(", ");
                    self.find(
                        "E-PROTOCOL-006",
                        &place,
                        [format!("{json} という操作はありません"), format!("there is no deed {json}")],
                        [&format!("使えるのは {known} です"), &format!("known are {known}")],
                    );
                }
            }
        }
        deeds
    }

    /// Usual unit of a variable.
    fn usual(&mut self, variable: &str, place: &str, may_be_set_only: bool) -> Option<Unit> {
        let set_only = SET_ONLY.iter().find(|(name, _)| *name == variable).filter(|_| may_be_set_only);
        let unit = variable::get(variable).map(|v| v.unit.as_str()).or(set_only.map(|(_, unit)| *unit));
        if unit.is_none() {
            self.find(
                "E-PROTOCOL-006",
                place,
                [
                    format!("変数「{variable}」は語彙にありません"),
                    format!("the variable \"{variable}\" is not in the vocabulary"),
                ],
                [
                    "temperature、ph、dissolved-oxygen などの名を使ってください",
                    "use a term such as temperature, ph, dissolved-oxygen",
                ],
            );
        }
        unit.and_then(|unit| Unit::parse(unit).ok())
    }

    /// Does a unit measure what the usual one does?
    fn measures(&mut self, unit: &Unit, usual: Option<&Unit>, place: &str) -> bool {
        let Some(usual) = usual else { return false };
        if !unit.commensurable(usual) {
            self.find(
                "E-PROTOCOL-005",
                place,
                [format!("単位 {unit} では測れません"), format!("it is not measured in {unit}")],
                [&format!("{usual} に換算できる単位にしてください"), &format!("give a unit that converts into {usual}")],
            );
            return false;
        }
        true
    }

    fn quantity(&mut self, json: &Json, place: &str) -> Option<(f64, Unit)> {
        let fields = self.object(json, place, &["value", "unit"])?;
        let value = self.needed(fields, place, "value");
        let unit = self.needed(fields, place, "unit");
        let (value_place, value) = value?;
        let number = value.as_f64().filter(|v| v.is_finite());
        if number.is_none() {
            self.find(
                "E-PROTOCOL-005",
                &value_place,
                [format!("{value} は数ではありません"), format!("{value} is no number")],
                ["引用符のない数を書いてください", "give a number without quotes"],
            );
        }
        let (unit_place, unit) = unit?;
        let read = unit.as_str().and_then(|text| Unit::parse(text).ok()).map(|unit| unit.with_turns_counted());
        if read.is_none() {
            self.find(
                "E-PROTOCOL-005",
                &unit_place,
                [format!("単位 {unit} は分かりません"), format!("the unit {unit} is not known")],
                ["UCUM の単位を書いてください (Cel、/min、h …)", "give a unit of UCUM (Cel, /min, h …)"],
            );
        }
        Some((number?, read?))
    }

    /// A time span, ns.
    fn time(&mut self, json: &Json, place: &str) -> Option<i64> {
        let (value, unit) = self.quantity(json, place)?;
        let second = Unit::parse("s").ok()?;
        if !self.measures(&unit, Some(&second), place) {
            return None;
        }
        let seconds = unit.convert(value, &second).unwrap_or(f64::NAN);
        if !(0.0..=TIME_MAX_S).contains(&seconds) {
            self.find(
                "E-PROTOCOL-005",
                place,
                [format!("時間 {value} {unit} は使えません"), format!("a time of {value} {unit} cannot be used")],
                ["0 から 366 日までの時間を書いてください", "give a time from 0 to 366 days"],
            );
            return None;
        }
        Some((seconds * 1e9).round() as i64)
    }

    fn until(&mut self, json: &Json, place: &str) -> Option<Until> {
        if json.as_str() == Some("end") {
            return Some(Until::End);
        }
        let fields = self.object(json, place, &["elapsed", "variable", "above", "below", "for", "at_most", "otherwise"])?;
        match (fields.get("elapsed"), fields.get("variable")) {
            (Some(elapsed), None) => {
                let extra: Vec<&String> = fields.keys().filter(|name| *name != "elapsed").collect();
                for name in extra {
                    self.ambiguous(&format!("{place}/{name}"));
                }
                self.time(elapsed, &format!("{place}/elapsed")).map(Until::Elapsed)
            }
            (None, Some(variable)) => self.crossing(fields, variable, place),
            _ => {
                self.ambiguous(place);
                None
            }
        }
    }

    fn ambiguous(&mut self, place: &str) {
        self.find(
            "E-PROTOCOL-007",
            place,
            ["移行条件が一つに決まりません".into(), "not one condition to go on".into()],
            [
                "{ \"elapsed\": … }、{ \"variable\": …, \"above\" または \"below\": … }、\"end\" のどれか一つにしてください",
                "give one of { \"elapsed\": … }, { \"variable\": …, \"above\" or \"below\": … }, \"end\"",
            ],
        );
    }

    fn crossing(&mut self, fields: &Map<String, Json>, variable: &Json, place: &str) -> Option<Until> {
        let variable = variable.as_str().unwrap_or_default().to_owned();
        let usual = self.usual(&variable, &format!("{place}/variable"), false);
        let mut time = |name: &str| fields.get(name).map(|json| self.time(json, &format!("{place}/{name}")));
        // A time that is there and wrong is no missing one.
        let (hold_ns, at_most_ns) = (time("for").map_or(Some(0), |t| t), time("at_most").map_or(Some(None), |t| t.map(Some)));
        let otherwise = match fields.get("otherwise").map(Json::as_str) {
            None | Some(Some("fail")) => Some(Otherwise::Fail),
            Some(Some("go-on")) => Some(Otherwise::GoOn),
            Some(_) => {
                self.find(
                    "E-PROTOCOL-006",
                    &format!("{place}/otherwise"),
                    ["fail か go-on です".into(), "it is fail or go-on".into()],
                    ["どちらかにしてください", "give one of them"],
                );
                None
            }
        };
        let (side, name, json) = match (fields.get("above"), fields.get("below")) {
            (Some(json), None) => (Side::Above, "above", json),
            (None, Some(json)) => (Side::Below, "below", json),
            _ => {
                self.ambiguous(place);
                return None;
            }
        };
        let (limit, unit) = self.quantity(json, &format!("{place}/{name}"))?;
        if !self.measures(&unit, usual.as_ref(), &format!("{place}/{name}")) {
            return None;
        }
        let (hold_ns, at_most_ns, otherwise) = (hold_ns?, at_most_ns?, otherwise?);
        Some(Until::Crossing { variable, side, limit, unit, hold_ns, at_most_ns, otherwise })
    }

    /// What only the whole shows.
    fn whole(&mut self, phases: &[Phase]) {
        if phases.len() > PHASES_MAX {
            self.find(
                "E-PROTOCOL-009",
                "steps",
                [format!("フェーズは {PHASES_MAX} 個までです"), format!("at most {PHASES_MAX} phases")],
                ["手順を分けてください", "divide the protocol"],
            );
        }
        let is_end = |phase: &Phase| phase.until == Until::End;
        if let Some((last, before)) = phases.split_last() {
            for phase in before.iter().filter(|p| is_end(p)) {
                self.find(
                    "E-PROTOCOL-008",
                    &format!("{}/until", phase.place),
                    ["終了の後にフェーズがあります".into(), "there are phases after the end".into()],
                    ["\"end\" は最後のフェーズだけに書いてください", "write \"end\" in the last phase only"],
                );
            }
            if !is_end(last) && self.findings.is_empty() {
                self.find(
                    "E-PROTOCOL-008",
                    &format!("{}/until", last.place),
                    ["培養が終わりません".into(), "the culture does not end".into()],
                    ["最後のフェーズを until: \"end\" にしてください", "let the last phase be until: \"end\""],
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn one_phase(phase: Json) -> Json {
        json!([{ "name": "u", "operations": [{ "name": "o", "phases": [phase, { "name": "last", "until": "end" }] }] }])
    }

    #[test]
    fn the_example_is_read() {
        let until =
            json!({ "variable": "temperature", "above": { "value": 97.7, "unit": "°F" }, "for": { "value": 5, "unit": "min" } });
        let set = json!({ "temperature": { "value": 37, "unit": "Cel" }, "feed-rate": { "value": 0.006, "unit": "L/h" } });
        let plan = read(&one_phase(json!({ "name": "p", "set": set, "do": ["inoculate", "feed-on"], "until": until }))).unwrap();
        let phase = &plan.phases[0];
        assert_eq!(phase.path(), "u / o / p");
        assert_eq!(phase.sets.iter().map(|s| s.variable.as_str()).collect::<Vec<_>>(), ["feed-rate", "temperature"]);
        assert_eq!(phase.deeds, [Deed::Inoculate, Deed::FeedOn]);
        let Until::Crossing { limit, hold_ns, at_most_ns, .. } = phase.until else { panic!() };
        assert_eq!((limit, hold_ns, at_most_ns), (97.7, 300_000_000_000, None));
        assert_eq!(phase.until.words().ja, "温度 が 97.7 °F 以上、5 min 継続");
        // What people say of a stirrer.
        let set = json!({ "stirrer-speed": { "value": 600, "unit": "rpm" } });
        let plan =
            read(&one_phase(json!({ "name": "p", "set": set, "until": { "elapsed": { "value": 1, "unit": "h" } } }))).unwrap();
        assert_eq!(plan.phases[0].sets[0].unit.code(), "/min");
    }

    #[test]
    fn every_fault_is_named_by_its_place() {
        let check = |steps: Json, expected: &[&str]| {
            let error = read(&steps).unwrap_err();
            let found: Vec<String> = error
                .fault()
                .diagnostics
                .iter()
                .map(|d| format!("{} {}", d.code, d.place.field.clone().unwrap_or_default()))
                .collect();
            assert_eq!(found, expected, "{steps}");
            let bilingual = |d: &Diagnostic| d.message.ja != d.message.en && d.remedy.as_ref().is_some_and(|r| r.ja != r.en);
            assert!(error.fault().diagnostics.iter().all(bilingual));
        };
        check(json!({}), &["E-PROTOCOL-002 steps"]);
        check(json!([]), &["E-PROTOCOL-002 steps"]);
        check(json!([{ "name": "u" }]), &["E-PROTOCOL-004 steps/0"]);
        let at = "steps/0/operations/0/phases/0";
        let phase = |phase: Json, expected: &[String]| {
            check(one_phase(phase), &expected.iter().map(String::as_str).collect::<Vec<_>>());
        };
        phase(
            json!({ "name": " ", "until": { "elapsed": { "value": "1", "unit": "h" } }, "colour": 1 }),
            &[
                format!("E-PROTOCOL-003 {at}/colour"),
                format!("E-PROTOCOL-004 {at}/name"),
                format!("E-PROTOCOL-005 {at}/until/elapsed/value"),
            ],
        );
        phase(
            json!({ "name": "p", "set": { "warmth": { "value": 1, "unit": "Cel" }, "ph": { "value": 7, "unit": "Cel" } },
                    "do": ["dance", "stop"], "until": {} }),
            &[
                format!("E-PROTOCOL-005 {at}/set/ph"),
                format!("E-PROTOCOL-006 {at}/set/warmth"),
                format!("E-PROTOCOL-006 {at}/do/0"),
                format!("E-PROTOCOL-008 {at}/do/1"),
                format!("E-PROTOCOL-007 {at}/until"),
            ],
        );
        phase(
            json!({ "name": "p", "until": { "variable": "ph", "above": { "value": 7, "unit": "[pH]" }, "below": { "value": 7, "unit": "[pH]" } } }),
            &[format!("E-PROTOCOL-007 {at}/until")],
        );
        phase(
            json!({ "name": "p", "until": { "variable": "feed-rate", "above": { "value": 7, "unit": "mL/h" }, "for": { "value": -1, "unit": "s" } } }),
            &[format!("E-PROTOCOL-006 {at}/until/variable"), format!("E-PROTOCOL-005 {at}/until/for")],
        );
        phase(json!({ "name": "p", "until": "end" }), &[format!("E-PROTOCOL-008 {at}/until")]);
        check(
            json!([{ "name": "u", "operations": [{ "name": "o", "phases": [{ "name": "p", "until": { "elapsed": { "value": 1, "unit": "h" } } }] }] }]),
            &["E-PROTOCOL-008 steps/0/operations/0/phases/0/until"],
        );
    }

    /// Any JSON, with the words of the format likely in it.
    fn any_json() -> impl Strategy<Value = Json> {
        let word = prop::sample::select(vec![
            "name",
            "operations",
            "phases",
            "set",
            "do",
            "until",
            "elapsed",
            "variable",
            "above",
            "below",
            "for",
            "at_most",
            "otherwise",
            "value",
            "unit",
            "end",
            "h",
            "Cel",
            "temperature",
            "ph",
            "inoculate",
            "stop",
            "fail",
            "feed-rate",
            "",
        ]);
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            word.clone().prop_map(Json::from),
        ];
        leaf.prop_recursive(6, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec((word.clone(), inner), 0..6).prop_map(|fields| {
                    Json::Object(fields.into_iter().map(|(name, json)| (name.to_owned(), json)).collect())
                }),
            ]
        })
    }

    proptest! {
        /// Whatever stands there is read or refused, and every refusal says where.
        #[test]
        fn any_steps_are_read_or_refused_with_their_places(steps in any_json(), phase in any_json(), until in any_json()) {
            for steps in [steps, one_phase(phase), one_phase(json!({ "name": "p", "until": until }))] {
                match read(&steps) {
                    Ok(plan) => {
                        prop_assert!(plan.phases.last().is_some_and(|p| p.until == Until::End));
                        prop_assert_eq!(plan.phases.iter().filter(|p| p.until == Until::End).count(), 1);
                    }
                    Err(error) => {
                        prop_assert!(!error.fault().diagnostics.is_empty());
                        for finding in &error.fault().diagnostics {
                            prop_assert!(finding.place.field.as_ref().is_some_and(|f| f.starts_with("steps")));
                        }
                    }
                }
            }
        }
    }
}
