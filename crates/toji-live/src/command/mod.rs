//! Telling instruments something: one face for MQTT, OPC UA and SiLA 2.
//!
//! Nothing is sent to a source whose configuration does not say `commands = true`, nor any value outside the limits
//! that stand there; both are looked at before anything goes out. An instrument's answer is waited for, once and for
//! a limited time: without it nobody knows whether the command was done, so it is never sent again by itself, and
//! the error says so. What an instrument measures is read where it is recorded ([`Board`]), so that a decision rests
//! on the number that is kept.

mod board;
mod mqtt;
mod opcua;
mod sila;

pub use board::{Board, Heard, Reading};

use crate::clock::now_ns;
use crate::config::Config;
use crate::config::control::{Control, Doable, Settable};
use crate::deed::Deed;
use crate::fault;
use crate::mqtt::pattern::Template;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use toji_core::{Category, Decimal, Error, Place, Result, Unit};

/// The answer of an instrument, still to come.
pub type Doing<'a> = Pin<Box<dyn Future<Output = Result<Done>> + Send + 'a>>;

/// What an instrument acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What it was told, in its own words: `TIC101.SET = 98.6 [degF]`.
    pub told: String,
    /// When its answer came, by our clock, nanoseconds since 1970.
    pub at_ns: i64,
}

/// A quantity that may be set.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// Variable.
    pub variable: String,
    /// Unit the instrument takes.
    pub unit: Unit,
    /// Lowest value, in `unit`.
    pub low: f64,
    /// Highest value, in `unit`.
    pub high: f64,
}

/// What an instrument can be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Ability {
    /// Source it belongs to.
    pub source: String,
    /// Vessel.
    pub vessel: String,
    /// Quantities that may be set.
    pub ranges: Vec<Range>,
    /// What it does.
    pub deeds: Vec<Deed>,
}

impl Ability {
    /// The value in the instrument's own unit, inside the limits.
    ///
    /// # Errors
    /// A quantity that may not be set here, a unit of something else, a value outside the limits.
    pub fn allowed(&self, variable: &str, value: f64, unit: &Unit) -> Result<f64> {
        let Some(range) = self.ranges.iter().find(|r| r.variable == variable) else {
            let known: Vec<&str> = self.ranges.iter().map(|r| r.variable.as_str()).collect();
            return Err(Error::not_found(
                "E-COMMAND-002",
                format!("{} では「{variable}」を設定できません", self.source),
                format!("\"{variable}\" cannot be set on {}", self.source),
            )
            .at(Place::field(format!("{}.control.set", self.source)))
            .hint(format!("設定できるのは {} です", known.join("、")), format!("what can be set: {}", known.join(", "))));
        };
        let at = || Place::field(format!("{}.control.set.{variable}", self.source));
        // By the digits where they convert exactly: 36 °C is 96.8 °F, not 96.80000000000001.
        let unit = &unit.with_turns_counted();
        let exact = Decimal::parse(&value.to_string()).map(|digits| unit.convert_exact(digits, &range.unit)).transpose();
        let own = match exact.map_err(|e| e.at(at()))?.flatten() {
            Some(exact) => exact.to_f64(),
            None => unit.convert(value, &range.unit).map_err(|e| e.at(at()))?,
        };
        // A limit that was converted there and back is still inside.
        let slack = 1e-9 * (range.low.abs() + range.high.abs());
        if !(range.low - slack..=range.high + slack).contains(&own) {
            let (low, high, in_unit) = (range.low, range.high, range.unit.label());
            return Err(Error::input(
                "E-COMMAND-003",
                format!("{variable} の {own} {in_unit} は、設定の上下限 {low}〜{high} {in_unit} の外です"),
                format!("{variable} of {own} {in_unit} is outside the configured limits {low} to {high} {in_unit}"),
            )
            .at(at())
            .hint(
                "手順の値を見直すか、装置の安全を確かめたうえで上下限を変えてください",
                "correct the protocol, or change the limits after making sure that the instrument is safe with them",
            ));
        }
        Ok(own.clamp(range.low, range.high))
    }

    /// Refuses a deed that the instrument does not do.
    ///
    /// # Errors
    /// It does not.
    pub fn does(&self, deed: Deed) -> Result<()> {
        if self.deeds.contains(&deed) {
            return Ok(());
        }
        let known: Vec<&str> = self.deeds.iter().map(|d| d.code()).collect();
        let (label, code) = (deed.label(), deed.code());
        Err(Error::not_found(
            "E-COMMAND-002",
            format!("{} は「{}」({code}) をできません", self.source, label.ja),
            format!("{} does not do \"{}\" ({code})", self.source, label.en),
        )
        .at(Place::field(format!("{}.control.do", self.source)))
        .hint(format!("できるのは {} です", known.join("、")), format!("what it does: {}", known.join(", "))))
    }
}

/// An instrument that can be told something.
pub trait Instrument: Send + Sync {
    /// What it can be told.
    fn describe(&self) -> &Ability;
    /// Sets a quantity; `why` goes to the instrument where it takes a reason.
    fn set<'a>(&'a self, variable: &'a str, value: f64, unit: &'a Unit, why: &'a str) -> Doing<'a>;
    /// Orders a deed.
    fn act<'a>(&'a self, deed: Deed, why: &'a str) -> Doing<'a>;
    /// What it measured last, as recorded.
    fn latest(&self) -> Heard;
    /// Begins the culture.
    fn start<'a>(&'a self, why: &'a str) -> Doing<'a> {
        self.act(Deed::Inoculate, why)
    }
    /// Ends the culture.
    fn stop<'a>(&'a self, why: &'a str) -> Doing<'a> {
        self.act(Deed::Stop, why)
    }
}

/// How an instrument is reached.
enum Wire {
    Mqtt(mqtt::Wire),
    OpcUa(opcua::Wire),
    Sila(sila::Wire),
}

/// An instrument behind one of the protocols.
struct Remote {
    ability: Ability,
    control: Control,
    board: Board,
    wire: Wire,
}

/// Connects to the instrument of a vessel of a source.
///
/// # Errors
/// No such source, one that may not be told anything, an address that is none, an instrument that is away.
pub async fn connect(config: &Config, source: &str, vessel: &str, board: Board) -> Result<Box<dyn Instrument>> {
    let control = permitted(config, source)?;
    let ability = Ability {
        source: source.to_owned(),
        vessel: vessel.to_owned(),
        ranges: ranges(&control)?,
        deeds: control.deeds.iter().map(|d| d.deed).collect(),
    };
    let patience = Duration::from_secs_f64(control.timeout_s);
    let wire = if let Some(mqtt) = config.mqtt.iter().find(|s| s.name == source) {
        Wire::Mqtt(mqtt::Wire::connect(&mqtt.broker, &control, vessel)?)
    } else if let Some(opcua) = config.opcua.iter().find(|s| s.name == source) {
        Wire::OpcUa(opcua::Wire::connect(opcua, patience).await?)
    } else if let Some(sila) = config.sila.iter().find(|s| s.name == source) {
        Wire::Sila(sila::Wire::connect(sila, patience).await?)
    } else {
        return Err(Error::bug("B-COMMAND-001", source));
    };
    Ok(Box::new(Remote { ability, control, board, wire }))
}

/// The quantities that a control permits to set.
///
/// # Errors
/// A unit that is not known.
pub fn ranges(control: &Control) -> Result<Vec<Range>> {
    let range = |set: &Settable| {
        let unit = Unit::parse(&set.unit)?.with_turns_counted();
        Ok(Range { variable: set.variable.clone(), unit, low: set.low, high: set.high })
    };
    control.sets.iter().map(range).collect()
}

/// The rules of a source that may be told something.
///
/// # Errors
/// No such source, or one that may not.
pub fn permitted(config: &Config, source: &str) -> Result<Control> {
    let mqtt = config.mqtt.iter().map(|s| (&s.name, s.commands, &s.control));
    let opcua = config.opcua.iter().map(|s| (&s.name, s.commands, &s.control));
    let sila = config.sila.iter().map(|s| (&s.name, s.commands, &s.control));
    let found = mqtt.chain(opcua).chain(sila).find(|(name, ..)| *name == source);
    match found {
        Some((_, true, Some(control))) => Ok(control.clone()),
        Some(_) => Err(Error::new(
            Category::Denied,
            "E-COMMAND-001",
            format!("接続元「{source}」への命令は許可されていません"),
            format!("the source \"{source}\" may not be told anything"),
        )
        .at(Place::field(format!("{source}.commands")))
        .hint(
            "装置を動かしてよいことを確かめ、設定に commands = true と control を書いてください",
            "make sure that the instrument may be driven, and write commands = true and a control table in the configuration",
        )),
        None => {
            let names = config.sources().collect::<Vec<_>>().join(", ");
            Err(Error::not_found(
                "E-COMMAND-007",
                format!("命令できる接続元「{source}」はありません"),
                format!("there is no source \"{source}\" that takes commands"),
            )
            .at(Place::field("source"))
            .hint(
                format!("設定にあるのは {names} です。命令できるのは MQTT (JSON)、OPC UA、SiLA 2 です"),
                format!("the configuration has {names}; MQTT (JSON), OPC UA and SiLA 2 take commands"),
            ))
        }
    }
}

/// The instrument answered that it will not.
fn refused(what: &str, why: impl Display) -> Error {
    Error::new(
        Category::Conflict,
        "E-COMMAND-005",
        format!("装置が命令を断りました ({what}): {why}"),
        format!("the instrument refused ({what}): {why}"),
    )
    .at(Place::field(what))
    .hint("装置の状態と設定値を確認してください", "look at the state of the instrument and at the value")
}

/// No answer came.
fn unanswered(what: &str, after: Duration) -> Error {
    let s = after.as_secs_f64();
    Error::storage(
        "E-COMMAND-006",
        format!("装置から {s} 秒以内に応答がありません ({what})。実行されたかどうかは分かりません"),
        format!("the instrument did not answer within {s} s ({what}); whether it was done is not known"),
    )
    .at(Place::field(what))
    .hint(
        "装置の表示で確かめてから、必要なら手順をやり直してください",
        "look at the instrument itself before the protocol is run again",
    )
}

/// A tag for this vessel.
fn named(template: &Template, vessel: &str) -> Result<String> {
    template
        .fill(|_| Some(vessel.to_owned()))
        .ok_or_else(|| fault::config(Place::field("vessel"), "槽の名前が空です", "the vessel has no name"))
}

impl Remote {
    fn settable(&self, variable: &str) -> Result<&Settable> {
        self.control.sets.iter().find(|s| s.variable == variable).ok_or_else(|| Error::bug("B-COMMAND-002", variable))
    }

    fn doable(&self, deed: Deed) -> Result<&Doable> {
        self.control.deeds.iter().find(|d| d.deed == deed).ok_or_else(|| Error::bug("B-COMMAND-002", deed.code()))
    }

    fn patience(&self) -> Duration {
        Duration::from_secs_f64(self.control.timeout_s)
    }

    /// Waits for the answer no longer than the configuration says.
    async fn in_time(&self, told: String, doing: impl Future<Output = Result<()>>) -> Result<Done> {
        match tokio::time::timeout(self.patience(), doing).await {
            Ok(answer) => answer.map(|()| Done { told, at_ns: now_ns() }),
            Err(_) => Err(unanswered(&told, self.patience())),
        }
    }
}

impl Instrument for Remote {
    fn describe(&self) -> &Ability {
        &self.ability
    }

    fn set<'a>(&'a self, variable: &'a str, value: f64, unit: &'a Unit, why: &'a str) -> Doing<'a> {
        Box::pin(async move {
            let own = self.ability.allowed(variable, value, unit)?;
            let to = self.settable(variable)?;
            let tag = named(&to.tag, &self.ability.vessel)?;
            let told = format!("{tag} = {own} {}", Unit::parse(&to.unit)?);
            match &self.wire {
                Wire::Mqtt(wire) => self.in_time(told, wire.set(&self.control, &tag, own, why)).await,
                Wire::OpcUa(wire) => self.in_time(told, wire.set(&tag, own)).await,
                Wire::Sila(wire) => self.in_time(told, wire.set(&tag, own)).await,
            }
        })
    }

    fn act<'a>(&'a self, deed: Deed, why: &'a str) -> Doing<'a> {
        Box::pin(async move {
            self.ability.does(deed)?;
            let to = self.doable(deed)?;
            let tag = named(&to.tag, &self.ability.vessel)?;
            let told = to.value.as_ref().map_or_else(|| tag.clone(), |value| format!("{tag} = {value}"));
            match &self.wire {
                Wire::Mqtt(wire) => self.in_time(told, wire.act(&self.control, &tag, why)).await,
                Wire::OpcUa(wire) => {
                    let object = to.object.as_ref().map(|o| named(o, &self.ability.vessel)).transpose()?;
                    self.in_time(told, wire.act(&tag, object.as_deref(), to.value.as_deref())).await
                }
                Wire::Sila(wire) => self.in_time(told, wire.act(&tag)).await,
            }
        })
    }

    fn latest(&self) -> Heard {
        self.board.heard()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ability() -> Ability {
        let range = |variable: &str, unit: &str, low, high| Range {
            variable: variable.into(),
            unit: Unit::parse(unit).unwrap(),
            low,
            high,
        };
        Ability {
            source: "hall".into(),
            vessel: "R01".into(),
            ranges: vec![range("temperature", "[degF]", 68.0, 104.0), range("stirrer-speed", "/s", 5.0, 20.0)],
            deeds: vec![Deed::Stop],
        }
    }

    #[test]
    fn limits_hold_in_whatever_unit_a_value_comes() {
        let check = |variable: &str, value: f64, unit: &str, expected: Result<f64, &str>| {
            let got = ability().allowed(variable, value, &Unit::parse(unit).unwrap());
            match (got, expected) {
                (Ok(got), Ok(expected)) => assert!((got - expected).abs() < 1e-9, "{got} {expected}"),
                (Err(error), Err(code)) => {
                    assert_eq!(error.code(), code, "{error}");
                    assert!(error.fault().place.is_some());
                }
                (got, expected) => panic!("{got:?}, expected {expected:?}"),
            }
        };
        check("temperature", 37.0, "Cel", Ok(98.6));
        check("temperature", 40.0, "Cel", Ok(104.0));
        check("temperature", 20.0, "Cel", Ok(68.0));
        check("temperature", 40.1, "Cel", Err("E-COMMAND-003"));
        check("temperature", f64::NAN, "Cel", Err("E-UNIT-004"));
        check("temperature", f64::NAN, "[degF]", Err("E-COMMAND-003"));
        check("temperature", f64::INFINITY, "[degF]", Err("E-COMMAND-003"));
        check("temperature", 37.0, "bar", Err("E-UNIT-002"));
        check("stirrer-speed", 600.0, "/min", Ok(10.0));
        check("stirrer-speed", 1500.0, "/min", Err("E-COMMAND-003"));
        check("ph", 7.0, "[pH]", Err("E-COMMAND-002"));
        assert_eq!(ability().does(Deed::FeedOn).unwrap_err().code(), "E-COMMAND-002");
        assert!(ability().does(Deed::Stop).is_ok());
    }

    #[test]
    fn silence_of_the_configuration_is_no_permission() {
        let config = |commands: &str| {
            Config::read(&format!(
                "[[opcua]]\nname = \"plc\"\nurl = \"opc.tcp://127.0.0.1:1/\"\n{commands}\n[opcua.control]\n\
                 [[opcua.run]]\nrun = \"R\"\nbrowse = \"ns=2;s=R\"\n"
            ))
            .unwrap()
        };
        for no in ["", "commands = false"] {
            let error = permitted(&config(no), "plc").unwrap_err();
            assert_eq!((error.code(), error.category()), ("E-COMMAND-001", Category::Denied));
            assert!(error.fault().hint.is_some());
        }
        assert!(permitted(&config("commands = true"), "plc").is_ok());
        assert_eq!(permitted(&config("commands = true"), "other").unwrap_err().code(), "E-COMMAND-007");
    }
}
