//! Protocols: the steps of a `protocol` record turned into what an instrument is told, and when. Pure.
//!
//! [`steps`] reads and checks them, [`machine`] goes through them. Neither knows a clock or a connection: times and
//! readings are arguments, so the same protocol on the same readings gives the same commands, on whichever maker's
//! instrument; what it is told in its own words and units is [`crate::command`]'s business.

pub mod machine;
pub mod steps;

pub use machine::{Action, Machine, Order, State};
pub use steps::{Otherwise, Phase, Plan, Setting, Side, Until};

use crate::command::Ability;
use crate::deed::Deed;
use toji_core::{Diagnostic, Error, Place, Result};

impl Plan {
    /// Can this instrument be told all of it? Looked at before anything is.
    ///
    /// # Errors
    /// Everything it cannot be told, each with its place in the steps.
    pub fn fits(&self, ability: &Ability) -> Result<()> {
        let mut findings = Vec::new();
        let mut find = |place: String, refused: Result<()>| {
            if let Err(error) = refused {
                let fault = error.fault();
                let mut finding =
                    Diagnostic::error(fault.code, Place::field(place), fault.message.ja.clone(), fault.message.en.clone());
                finding.remedy = fault.hint.clone();
                findings.push(finding);
            }
        };
        for phase in &self.phases {
            for set in &phase.sets {
                let allowed = ability.allowed(&set.variable, set.value, &set.unit).map(drop);
                find(format!("{}/set/{}", phase.place, set.variable), allowed);
            }
            for (i, deed) in phase.deeds.iter().enumerate() {
                find(format!("{}/do/{i}", phase.place), ability.does(*deed));
            }
            if phase.until == Until::End {
                find(format!("{}/until", phase.place), ability.does(Deed::Stop));
            }
        }
        if findings.is_empty() {
            return Ok(());
        }
        Err(Error::input(
            "E-PROTOCOL-010",
            format!("{} の {} では、この手順を実行できません", ability.source, ability.vessel),
            format!("this protocol cannot be run on {} of {}", ability.vessel, ability.source),
        )
        .at(Place::field("steps"))
        .hint(
            "手順か、接続設定の control を直してください。装置にはまだ何も命じていません",
            "correct the protocol, or control in the configuration; the instrument has not been told anything",
        )
        .with(findings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Range;
    use serde_json::json;
    use toji_core::Unit;

    #[test]
    fn a_plan_that_an_instrument_cannot_do_is_refused_before_it_begins() {
        let plan = steps::read(&json!([{ "name": "u", "operations": [{ "name": "o", "phases": [
            { "name": "p", "set": { "temperature": { "value": 37, "unit": "Cel" }, "ph": { "value": 7, "unit": "pH" } },
              "do": ["inoculate"], "until": { "elapsed": { "value": 1, "unit": "h" } } },
            { "name": "q", "set": { "temperature": { "value": 60, "unit": "Cel" } }, "until": "end" }
        ] }] }]))
        .unwrap();
        let range = |variable: &str, unit: &str, low, high| Range {
            variable: variable.into(),
            unit: Unit::parse(unit).unwrap(),
            low,
            high,
        };
        let mut ability = Ability {
            source: "hall".into(),
            vessel: "R01".into(),
            ranges: vec![range("temperature", "[degF]", 50.0, 113.0), range("ph", "[pH]", 4.0, 9.0)],
            deeds: vec![Deed::Inoculate, Deed::Stop],
        };
        let places = |ability: &Ability| -> Vec<String> {
            let error = plan.fits(ability).unwrap_err();
            error.fault().diagnostics.iter().map(|d| format!("{} {}", d.code, d.place)).collect()
        };
        assert_eq!(places(&ability), ["E-COMMAND-003 «steps/0/operations/0/phases/1/set/temperature»"]);
        ability.ranges.pop();
        ability.deeds.clear();
        let expected = [
            "E-COMMAND-002 «steps/0/operations/0/phases/0/set/ph»",
            "E-COMMAND-002 «steps/0/operations/0/phases/0/do/0»",
            "E-COMMAND-003 «steps/0/operations/0/phases/1/set/temperature»",
            "E-COMMAND-002 «steps/0/operations/0/phases/1/until»",
        ];
        assert_eq!(places(&ability), expected);
    }
}
