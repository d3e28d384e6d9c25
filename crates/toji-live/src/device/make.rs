//! Two makers of fermenters, invented: what they name things, which units they print, and how they are told.
//!
//! [`Make::A`] prints what the plant measures as it is. [`Make::B`] measures the same in another tradition: tag
//! numbers for names, degrees Fahrenheit, turns a second, cubic metres an hour, grams, kilopascal, litres and
//! shares of one. Its numbers are exact conversions of the plant's digits where those have a finite decimal form
//! (all but the stirrer's, which are printed to four decimals: half a digit is 0.003 turns a minute).

use super::feed::{Channel, Line, Printing};
use crate::deed::Deed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Unit};
use toji_plant::{Command, Loop, SignalId, SignalInfo, Stage};

/// A maker of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Make {
    /// Names such as `T.PV`, the plant's own units.
    ///
    /// `T.PV` のような名前。プラント自身の単位。
    #[default]
    A,
    /// Tag numbers such as `TIC101.MEAS`, other units, other words.
    ///
    /// `TIC101.MEAS` のようなタグ番号。別の単位、別の用語。
    B,
}

/// A set-point that may be written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Writable {
    /// Variable it sets, as protocols name it.
    pub variable: &'static str,
    /// Tag.
    pub tag: &'static str,
    /// Unit of the tag, UCUM.
    pub unit: &'static str,
    /// Unit of the command it becomes, UCUM.
    plant_unit: &'static str,
    /// Lowest and highest value of the tag.
    pub range: (f64, f64),
}

/// What a client tells a device, in the device's own words.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// A set-point, in the tag's unit.
    Set {
        /// Tag.
        tag: String,
        /// Value.
        value: f64,
    },
    /// A deed by its word.
    Do {
        /// Word.
        word: String,
    },
}

const fn writable(variable: &'static str, tag: &'static str, units: [&'static str; 2], range: (f64, f64)) -> Writable {
    let [unit, plant_unit] = units;
    Writable { variable, tag, unit, plant_unit, range }
}

const WRITABLE_A: [Writable; 5] = [
    writable("ph", "pH.SP", ["[pH]", "[pH]"], (4.0, 9.0)),
    writable("temperature", "T.SP", ["Cel", "Cel"], (10.0, 45.0)),
    writable("dissolved-oxygen", "DO.SP", ["%{sat}", "%{sat}"], (0.0, 100.0)),
    writable("stirrer-speed", "N.SP", ["/min", "/min"], (50.0, 3000.0)),
    writable("feed-rate", "FA.SP", ["mL/h", "mL/h"], (0.0, 90_000.0)),
];
const WRITABLE_B: [Writable; 5] = [
    writable("ph", "AIC101.SET", ["[pH]", "[pH]"], (4.0, 9.0)),
    writable("temperature", "TIC101.SET", ["[degF]", "Cel"], (50.0, 113.0)),
    writable("dissolved-oxygen", "AIC102.SET", ["%{sat}", "%{sat}"], (0.0, 100.0)),
    writable("stirrer-speed", "SIC101.SET", ["/s", "/min"], (1.0, 50.0)),
    writable("feed-rate", "FIC201.SET", ["L/h", "mL/h"], (0.0, 90.0)),
];

/// Tag, unit as printed, and decimals where a conversion has no finite decimal form.
const fn tag_of_b(signal: SignalId) -> (&'static str, &'static str, u8) {
    use SignalId as S;
    match signal {
        S::Ph => ("AIC101.MEAS", "pH", 3),
        S::Temperature => ("TIC101.MEAS", "°F", 3),
        S::DissolvedOxygen => ("AIC102.MEAS", "%sat", 2),
        S::Agitation => ("SIC101.MEAS", "1/s", 4),
        S::GasFlow => ("FIC101.MEAS", "m3/h", 6),
        S::Pressure => ("PI101.MEAS", "kPa", 3),
        S::Weight => ("WI101.MEAS", "g", 3),
        S::OpticalDensity => ("AI103.MEAS", "OD600", 3),
        S::OffgasOxygen => ("AI104.MEAS", "1", 6),
        S::OffgasCo2 => ("AI105.MEAS", "1", 6),
        S::Foam => ("LI101.MEAS", "1", 4),
        S::InletOxygen => ("AY104.OUT", "%", 3),
        S::FeedRate => ("FIC201.OUT", "mL/h", 4),
        S::FeedTotal => ("FQI201.TOT", "L", 7),
        S::BaseTotal => ("FQI202.TOT", "L", 7),
        S::AcidTotal => ("FQI203.TOT", "L", 7),
        S::PhSetpoint => ("AIC101.SET", "pH", 3),
        S::TemperatureSetpoint => ("TIC101.SET", "°F", 3),
        S::DissolvedOxygenSetpoint => ("AIC102.SET", "%sat", 2),
        S::AgitationSetpoint => ("SIC101.SET", "1/s", 4),
    }
}

const fn command_of(deed: Deed) -> Command {
    match deed {
        Deed::Inoculate => Command::Inoculate,
        Deed::FeedOn => Command::Feed { on: true },
        Deed::FeedOff => Command::Feed { on: false },
        Deed::CascadeOn => Command::Cascade { on: true },
        Deed::CascadeOff => Command::Cascade { on: false },
        Deed::Stop => Command::Stop,
    }
}

impl Make {
    /// Code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// How a device of this maker declares a signal.
    #[must_use]
    pub fn channel(self, info: &SignalInfo) -> Channel {
        let (key, unit, printing) = match self {
            Self::A => (info.key, info.raw_unit, Printing::AsMeasured),
            Self::B => {
                let (tag, unit, digits) = tag_of_b(info.id);
                let printing = match (Unit::parse(info.unit), Unit::parse(unit)) {
                    (Ok(from), Ok(to)) if from != to => Printing::Converted { from, to, digits },
                    _ => Printing::AsMeasured,
                };
                (tag, unit, printing)
            }
        };
        Channel {
            key: key.to_owned(),
            unit: unit.to_owned(),
            variable: info.variable.map(str::to_owned),
            name: info.key.to_owned(),
            origin: info.origin,
            printing,
        }
    }

    /// The set-points that may be written.
    #[must_use]
    pub const fn writable(self) -> &'static [Writable] {
        match self {
            Self::A => &WRITABLE_A,
            Self::B => &WRITABLE_B,
        }
    }

    /// Word for a deed.
    #[must_use]
    pub const fn word(self, deed: Deed) -> &'static str {
        match (self, deed) {
            (Self::A, deed) => deed.code(),
            (Self::B, Deed::Inoculate) => "INOC",
            (Self::B, Deed::FeedOn) => "FEED.START",
            (Self::B, Deed::FeedOff) => "FEED.STOP",
            (Self::B, Deed::CascadeOn) => "DOCTL.AUTO",
            (Self::B, Deed::CascadeOff) => "DOCTL.MAN",
            (Self::B, Deed::Stop) => "END",
        }
    }

    /// Word for how far a batch is.
    #[must_use]
    pub const fn stage(self, stage: Stage) -> &'static str {
        match (self, stage) {
            (Self::A, Stage::Ready) => "ready",
            (Self::A, Stage::Running) => "running",
            (Self::A, Stage::Ended) => "ended",
            (Self::B, Stage::Ready) => "IDLE",
            (Self::B, Stage::Running) => "RUN",
            (Self::B, Stage::Ended) => "COMPLETE",
        }
    }

    /// The plant's command for an order in this maker's words.
    ///
    /// # Errors
    /// A tag or word the device does not have, a value it does not take.
    pub fn command(self, order: &Order) -> Result<Command> {
        let unknown = |what: &str| {
            Error::not_found("E-DEVICE-001", format!("「{what}」は分かりません"), format!("\"{what}\" is not known"))
                .at(Place::field(what))
                .hint("装置の説明書にある名前を使ってください", "use a name of the device's manual")
        };
        match order {
            Order::Do { word } => {
                let deed = Deed::ALL.into_iter().find(|deed| self.word(*deed) == word);
                deed.map(command_of).ok_or_else(|| unknown(word))
            }
            Order::Set { tag, value } => {
                let to = self.writable().iter().find(|w| w.tag == tag).ok_or_else(|| unknown(tag))?;
                let value = Unit::parse(to.unit)?.convert(*value, &Unit::parse(to.plant_unit)?)?;
                Ok(match to.variable {
                    "ph" => Command::SetPoint { of: Loop::Ph, value },
                    "temperature" => Command::SetPoint { of: Loop::Temperature, value },
                    "dissolved-oxygen" => Command::SetPoint { of: Loop::DissolvedOxygen, value },
                    "stirrer-speed" => Command::SetPoint { of: Loop::Agitation, value },
                    _ => Command::FeedRate { ml_per_h: value },
                })
            }
        }
    }
}

impl Line {
    /// Word of the device for how far its batch is.
    #[must_use]
    pub fn stage_word(&self, stage: Stage) -> &'static str {
        self.make.stage(stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::Decimal;
    use toji_plant::Plant;

    /// Every channel of B names the variable of A's, in another unit where it has one, and its digits mean what
    /// A's digits mean: exactly, but for the stirrer.
    #[test]
    fn the_makers_say_the_same_in_their_own_words() {
        let turns = |unit: &str| Unit::parse(unit).unwrap().with_turns_counted();
        let mut other_units = 0;
        for info in Plant::signals() {
            let (a, b) = (Make::A.channel(info), Make::B.channel(info));
            assert_ne!(a.key, b.key);
            assert_eq!((&a.variable, a.origin, &a.name), (&b.variable, b.origin, &b.name));
            let (unit_a, unit_b) = (turns(&a.unit), turns(&b.unit));
            assert!(unit_a.commensurable(&unit_b), "{}: {unit_a} and {unit_b}", info.key);
            other_units += u32::from(unit_a != unit_b);
            for digits in ["0", "300", "37.02", "0.335", "1017.4"] {
                let (said_a, said_b) = (a.print(digits), b.print(digits));
                assert_eq!(said_a, digits);
                let (da, db) = (Decimal::parse(&said_a).unwrap(), Decimal::parse(&said_b).unwrap());
                let back = unit_b.convert_exact(db, &unit_a).unwrap().unwrap();
                if info.variable == Some("stirrer-speed") {
                    assert!((back.to_f64() - da.to_f64()).abs() <= 0.003, "{digits} rpm: {said_b}");
                } else {
                    assert_eq!(back.to_f64(), da.to_f64(), "{} {digits}: {said_b}", info.key);
                }
            }
        }
        assert!(other_units >= 12, "{other_units}");
    }

    #[test]
    fn orders_of_both_makers_become_the_same_commands() {
        let set = |make: Make, tag: &str, value| make.command(&Order::Set { tag: tag.into(), value });
        let expected = Command::SetPoint { of: Loop::Temperature, value: 37.0 };
        assert_eq!(set(Make::A, "T.SP", 37.0).unwrap(), expected);
        let Command::SetPoint { of: Loop::Temperature, value } = set(Make::B, "TIC101.SET", 98.6).unwrap() else { panic!() };
        assert!((value - 37.0).abs() < 1e-9);
        assert_eq!(set(Make::B, "SIC101.SET", 10.0).unwrap(), Command::SetPoint { of: Loop::Agitation, value: 600.0 });
        assert_eq!(set(Make::B, "FIC201.SET", 0.006).unwrap(), Command::FeedRate { ml_per_h: 6.0 });
        for deed in Deed::ALL {
            let told = |make: Make| make.command(&Order::Do { word: make.word(deed).into() }).unwrap();
            assert_eq!(told(Make::A), told(Make::B));
        }
        assert_eq!(set(Make::A, "TIC101.SET", 1.0).unwrap_err().code(), "E-DEVICE-001");
        assert_eq!(Make::B.command(&Order::Do { word: "inoculate".into() }).unwrap_err().code(), "E-DEVICE-001");
    }
}
