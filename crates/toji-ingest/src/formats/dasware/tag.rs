//! Tags of DASware: `Unit 1.pH1.PV [pH]` is unit 1, quantity pH, process value, unit pH.

use super::{Section, number_or_text};
use crate::lines::{decimal, name_and_unit};
use std::collections::HashMap;
use toji_core::Unit;
use toji_core::culture::{Channel, Origin, Points, Sampling};
use toji_core::variable;

/// A header of track data taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Unit number, when the tag begins with one.
    pub(super) unit: Option<u32>,
    /// Quantity without the unit's number: `pH`, `XCO2`, `FO2`.
    pub(super) base: &'a str,
    /// `PV`, `SP`, `Out` …; empty for a bare quantity such as `RQ1`.
    pub(super) role: &'a str,
}

impl<'a> Tag<'a> {
    pub(super) fn read(name: &'a str) -> Self {
        let (head, rest) = name.split_once('.').unwrap_or(("", name));
        let at = head
            .rfind(|c: char| !c.is_ascii_digit())
            .map_or(0, |i| i + head.get(i..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8));
        let number = head.get(at..).unwrap_or("");
        let (base, role) = rest.rsplit_once('.').unwrap_or((rest, ""));
        // The unit's number stands again behind the quantity: FO21 of unit 1 is FO2.
        let base = base.strip_suffix(number).unwrap_or(base).trim();
        Self { unit: number.parse().ok(), base, role }
    }
    fn origin(&self) -> Origin {
        match self.role {
            "SP" => Origin::Setpoint,
            // The gas analyser calls what it measures in the off-gas `Out`.
            "Out" if matches!(self.base, "XO2" | "XCO2" | "F") => Origin::Sensor,
            "Out" => Origin::Actuator,
            role if role.ends_with("PV") => Origin::Sensor,
            _ if matches!(self.base, "OTR" | "CTR" | "RQ" | "VOT" | "VCT" | "OUR" | "CER") => Origin::Calculated,
            _ => Origin::Unknown,
        }
    }
    fn variable(&self) -> Option<&'static str> {
        if self.role == "Out" && !matches!(self.base, "XO2" | "XCO2") {
            return None;
        }
        let term = match (self.base, self.role) {
            ("V", "PV" | "VPV") => "volume",
            ("pH", _) => "ph",
            ("DO" | "pO2", _) => "dissolved-oxygen",
            ("T", "PV" | "SP") => "temperature",
            ("N", "PV" | "SP") => "stirrer-speed",
            ("F", "PV" | "SP") => "gas-flow",
            ("FO2", _) => "oxygen-flow",
            ("FCO2", _) => "co2-flow",
            ("XO2", _) => "oxygen-fraction",
            ("XCO2", _) => "co2-fraction",
            ("RQ", _) => "respiratory-quotient",
            // Pumps A–D, loops, offline and internal values mean what the site made of them.
            (base, _) if base.chars().count() > 3 && !base.starts_with("Offline") && !base.starts_with("Internal") => {
                return variable::find(base).map(|(v, _)| v.id.as_str());
            }
            _ => return None,
        };
        Some(term)
    }
}

/// The rows of `[TrackInfo]` by the names a header may use.
pub(super) struct Tracks<'a>(HashMap<&'a str, HashMap<&'a str, &'a str>>);

impl<'a> Tracks<'a> {
    pub(super) fn read(sections: &[Section<'a>]) -> Self {
        let mut out = HashMap::new();
        for section in sections.iter().filter(|s| s.name == "TrackInfo") {
            for (_, row) in section.table() {
                let names = ["LocNamePar", "FullName"].map(|n| row.get(n).copied().unwrap_or(""));
                for name in names.into_iter().filter(|n| !n.is_empty() && !matches!(*n, "Timestamp" | "Duration")) {
                    out.entry(name).or_insert_with(|| row.clone());
                }
            }
        }
        Self(out)
    }
    /// The channel of a header, without points.
    pub(super) fn channel(&self, header: &str) -> Channel {
        let (name, unit) = name_and_unit(header);
        let tag = Tag::read(name);
        let mut channel = Channel::new(name, Points::default());
        let track = self.0.get(name);
        let get = |field: &str| track.and_then(|t| t.get(field)).copied().filter(|v| !v.is_empty());
        let raw = unit.filter(|u| !u.is_empty()).or_else(|| get("Unit"));
        channel.raw_unit = raw.map(str::to_owned);
        channel.unit = raw.and_then(|u| Unit::parse(u).ok());
        channel.origin = tag.origin();
        channel.variable = tag.variable().map(str::to_owned);
        channel.sampling = Sampling::OnChange { deadband: get("Deadband").and_then(decimal).map(toji_core::Decimal::to_f64) };
        channel.method = get("LocComment").map(str::to_owned);
        for field in ["FullName", "LogInterval", "LogIntervalTime", "Deadband", "Digits", "ValueType", "Guid"] {
            if let Some(value) = get(field) {
                channel.fields.insert(field.to_owned(), number_or_text(value));
            }
        }
        channel
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_unit_quantity_and_role() {
        let check = |name, unit, base, role| assert_eq!(Tag::read(name), Tag { unit, base, role }, "{name}");
        check("Unit 1.pH1.PV", Some(1), "pH", "PV");
        check("Unit 12.XCO2 12.Out", Some(12), "XCO2", "Out");
        check("Unit 2.FO22.PV", Some(2), "FO2", "PV");
        check("Unit 3.RQ3", Some(3), "RQ", "");
        check("Unit 4.V4.VPV", Some(4), "V", "VPV");
        check("RQ", None, "RQ", "");
        check("", None, "", "");
    }

    #[test]
    fn a_set_point_is_not_a_measurement_and_an_output_is_not_the_quantity() {
        let check = |name, variable, origin| {
            let tag = Tag::read(name);
            assert_eq!((tag.variable(), tag.origin()), (variable, origin), "{name}");
        };
        check("Unit 1.pH1.PV", Some("ph"), Origin::Sensor);
        check("Unit 1.pH1.SP", Some("ph"), Origin::Setpoint);
        check("Unit 1.pH1.Out", None, Origin::Actuator);
        check("Unit 1.XCO2 1.Out", Some("co2-fraction"), Origin::Sensor);
        check("Unit 1.FA1.PV", None, Origin::Sensor);
        check("Unit 1.N1.TStirPV", None, Origin::Sensor);
        check("Unit 1.OTR1", None, Origin::Calculated);
        check("Unit 1.Offline1.A", None, Origin::Unknown);
    }
}
