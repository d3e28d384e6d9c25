//! What a source may be told: quantities with their limits, deeds, and how the source wants to hear them.
//!
//! Nothing is sent to a source unless its configuration says `commands = true`, and no value outside the limits
//! that stand beside it. In tags and topics `{vessel}` is the vessel; in the messages of MQTT `{number}`, `{tag}`,
//! `{value}` and `{why}` are the number of the command, the tag or word, the value and the reason.

use crate::config::Word;
use crate::deed::Deed;
use crate::mqtt::pattern::Template;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use toji_core::{Diagnostic, Place, Unit};

/// Longest time an instrument may take to answer, s.
const TIMEOUT_MAX_S: f64 = 3600.0;

/// How a source is told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// JSON on topics.
    Mqtt,
    /// Writes and methods.
    OpcUa,
    /// Commands of features.
    Sila,
}

/// What a source may be told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Seconds the instrument may take to answer; without an answer it is not known whether it did it.
    #[serde(default = "ten")]
    pub timeout_s: f64,
    /// MQTT: topic of commands.
    pub topic: Option<Template>,
    /// MQTT: topic of answers.
    pub answer: Option<Template>,
    /// MQTT: message that writes a set-point; a text that is one word in braces becomes that word's number.
    pub set_message: Option<Json>,
    /// MQTT: message that orders a deed.
    pub do_message: Option<Json>,
    /// MQTT: field of the answer with the number of the command.
    #[serde(default = "id")]
    pub answer_number: String,
    /// MQTT: what the answer says when it was done.
    #[serde(default = "ok")]
    pub answer_yes: Word,
    /// MQTT: field of the answer that says why it was not done.
    pub answer_why: Option<String>,
    /// Quantities that may be set.
    #[serde(default, rename = "set")]
    pub sets: Vec<Settable>,
    /// Deeds it does.
    #[serde(default, rename = "do")]
    pub deeds: Vec<Doable>,
}

fn ten() -> f64 {
    10.0
}

fn id() -> String {
    "id".into()
}

fn ok() -> Word {
    Word { at: "ok".into(), is: "true".into() }
}

/// A quantity that may be set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settable {
    /// Variable, as protocols name it.
    pub variable: String,
    /// What the instrument calls it: a name in the message, an OPC UA node, a SiLA command with one Real parameter.
    pub tag: Template,
    /// Unit the instrument takes.
    pub unit: String,
    /// Lowest value that may be set, in `unit`.
    pub low: f64,
    /// Highest value that may be set, in `unit`.
    pub high: f64,
}

/// A deed the instrument does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doable {
    /// Deed, as protocols name it.
    pub deed: Deed,
    /// What the instrument calls it: a word in the message, an OPC UA method or node, a SiLA command.
    pub tag: Template,
    /// OPC UA: object of the method.
    pub object: Option<Template>,
    /// OPC UA: text written to the node instead of calling a method.
    pub value: Option<String>,
}

/// A source with `commands = true` and no rules.
pub(super) fn missing(source: &str) -> Diagnostic {
    fault(format!("{source}.control"), "commands = true には control が必要です", "commands = true needs a control table")
        .remedy("設定できる量と上下限を書いてください", "state what may be set, and its limits")
}

fn fault(field: String, ja: impl Into<String>, en: impl Into<String>) -> Diagnostic {
    Diagnostic::error("E-LINK-003", Place::field(field), ja, en)
}

impl Control {
    /// Adds what is wrong with it.
    pub(super) fn check(&self, source: &str, speaks: Speaks, findings: &mut Vec<Diagnostic>) {
        let at = |field: &str| format!("{source}.control.{field}");
        if !(self.timeout_s.is_finite() && self.timeout_s > 0.0 && self.timeout_s <= TIMEOUT_MAX_S) {
            findings.push(fault(at("timeout_s"), "0 より大きく 3,600 秒以下です", "more than 0 and at most 3,600 s"));
        }
        let mut seen = BTreeSet::new();
        for set in &self.sets {
            let field = at(&format!("set.{}", set.variable));
            if !(set.low.is_finite() && set.high.is_finite() && set.low <= set.high) {
                findings.push(fault(field.clone(), "下限と上限を正しく書いてください", "state a lower and an upper limit"));
            }
            if Unit::parse(&set.unit).is_err() {
                findings.push(fault(
                    format!("{field}.unit"),
                    format!("単位「{}」は分かりません", set.unit),
                    format!("the unit \"{}\" is not known", set.unit),
                ));
            }
            if !seen.insert(set.variable.as_str()) {
                findings.push(fault(field, "同じ量が二度あります", "the quantity is there twice"));
            }
        }
        for (i, deed) in self.deeds.iter().enumerate() {
            let field = at(&format!("do.{}", deed.deed.code()));
            if self.deeds.iter().take(i).any(|d| d.deed == deed.deed) {
                findings.push(fault(field.clone(), "同じ操作が二度あります", "the deed is there twice"));
            }
            if speaks == Speaks::OpcUa && deed.object.is_some() == deed.value.is_some() {
                findings.push(fault(
                    field,
                    "object（メソッド）か value（書込む語）のどちらか一方が必要です",
                    "either object (a method) or value (a word to write) is needed",
                ));
            }
        }
        if speaks == Speaks::Mqtt {
            self.check_mqtt(&at, findings);
        }
        let tags = self.sets.iter().map(|s| &s.tag).chain(self.deeds.iter().map(|d| &d.tag));
        let templates = tags.chain(&self.topic).chain(&self.answer).chain(self.deeds.iter().filter_map(|d| d.object.as_ref()));
        for word in templates.flat_map(Template::words).filter(|word| *word != "vessel") {
            findings.push(fault(at(&format!("{{{word}}}")), "使えるのは {vessel} だけです", "only {vessel} can be used here"));
        }
    }

    fn check_mqtt(&self, at: &dyn Fn(&str) -> String, findings: &mut Vec<Diagnostic>) {
        let needed = [
            ("topic", self.topic.is_some()),
            ("answer", self.answer.is_some()),
            ("set_message", self.sets.is_empty() || self.set_message.is_some()),
            ("do_message", self.deeds.is_empty() || self.do_message.is_some()),
        ];
        for (name, _) in needed.iter().filter(|(_, there)| !there) {
            findings.push(fault(at(name), format!("{name} が必要です"), format!("{name} is needed")));
        }
        for (name, message) in [("set_message", &self.set_message), ("do_message", &self.do_message)] {
            if message.as_ref().is_some_and(|m| !m.to_string().contains("{number}")) {
                findings.push(fault(
                    at(name),
                    "応答と対にするため {number} が必要です",
                    "{number} is needed, to tell which command an answer is to",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn every_fault_of_a_control_is_named() {
        let text = r#"
[[mqtt]]
name = "hall"
broker = { host = "127.0.0.1", client_id = "toji" }
commands = true
[[mqtt.topic]]
topic = "hall/{vessel}/data"
run = "{vessel}"
others = true
[mqtt.control]
timeout_s = 0.0
topic = "hall/{room}/command"
set_message = { set = "{tag}", value = "{value}" }
[[mqtt.control.set]]
variable = "temperature"
tag = "T.SP"
unit = "furlong per fortnight"
low = 40.0
high = 20.0
[[mqtt.control.do]]
deed = "stop"
tag = "stop"
[[opcua]]
name = "plc"
url = "opc.tcp://127.0.0.1:1/"
commands = true
[[opcua.run]]
run = "R01"
browse = "ns=2;s=R01"
"#;
        let error = Config::read(text).unwrap_err();
        let places: Vec<String> = error.fault().diagnostics.iter().map(|d| d.place.field.clone().unwrap_or_default()).collect();
        let expected = [
            "hall.control.timeout_s",
            "hall.control.set.temperature",
            "hall.control.set.temperature.unit",
            "hall.control.answer",
            "hall.control.do_message",
            "hall.control.set_message",
            "hall.control.{room}",
            "plc.control",
        ];
        assert_eq!(places, expected, "{error}");
    }
}
