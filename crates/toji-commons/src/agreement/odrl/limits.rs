//! Constraints and duties of a permission, as terms.

use super::json::{items, members, short, text, texts};
use super::read::Reader;
use super::{FEEDBACK, PATENT_APPLICATION, TOJI};
use crate::agreement::terms::{Feedback, Purpose};
use serde_json::Value;
use std::collections::BTreeSet;
use toji_core::Instant;

/// Nanoseconds of a second.
const SECOND_NS: i64 = 1_000_000_000;
/// How deep conditions may lie in each other.
const DEPTH_MAX: usize = 8;

/// What limits a permission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) from: Option<Instant>,
    pub(super) until: Option<Instant>,
    pub(super) purposes: Option<BTreeSet<Purpose>>,
    pub(super) countries: Option<BTreeSet<String>>,
    pub(super) feedback: Option<Feedback>,
    pub(super) patent_notice_days: Option<u32>,
}

impl Limits {
    fn from(&mut self, at: Instant) {
        self.from = self.from.max(Some(at));
    }

    fn until(&mut self, at: Instant) {
        self.until = Some(self.until.map_or(at, |until| until.min(at)));
    }

    fn purposes(&mut self, of: BTreeSet<Purpose>) {
        self.purposes = Some(match self.purposes.take() {
            None => of,
            Some(old) => old.intersection(&of).copied().collect(),
        });
    }

    fn countries(&mut self, of: BTreeSet<String>) {
        self.countries = Some(match self.countries.take() {
            None => of,
            Some(old) => old.intersection(&of).cloned().collect(),
        });
    }

    /// Takes in a constraint.
    pub(super) fn constrain(&mut self, reader: &mut Reader<'_>, place: &str, constraint: &Value, depth: usize) {
        let Some(of) = members(constraint).filter(|_| depth < DEPTH_MAX) else { return reader.not_understood(place, constraint) };
        if let Some(all) = of.get("and") {
            if of.keys().any(|k| !["and", "@type", "@id", "uid"].contains(k)) {
                return reader.not_understood(place, constraint);
            }
            return items(all).into_iter().for_each(|one| self.constrain(reader, place, one, depth + 1));
        }
        let word = |key: &str| of.get(key).and_then(|v| text(v)).map(|w| short(&w).to_owned());
        let known = ["leftOperand", "operator", "rightOperand", "@type", "@id", "uid"];
        let right = of.get("rightOperand").and_then(|v| texts(v));
        let (Some(left), Some(operator), Some(right)) = (word("leftOperand"), word("operator"), right) else {
            return reader.not_understood(place, constraint);
        };
        let strange = of.keys().any(|k| !known.contains(k));
        if strange || !self.operand(reader, place, (&left, &operator, &right)) {
            reader.not_understood(place, constraint);
        }
    }

    /// Takes in a constraint of three parts; `false` when it is not understood.
    fn operand(&mut self, reader: &mut Reader<'_>, place: &str, of: (&str, &str, &[String])) -> bool {
        let (left, operator, right) = of;
        let single = || right.first().filter(|_| right.len() == 1).map(String::as_str);
        match (left, operator) {
            ("dateTime" | "inForceDate", "gteq" | "gt" | "lt" | "lteq") => {
                let at = single().and_then(|t| if left == "dateTime" { Instant::parse(t).ok() } else { reader.moment(t) });
                // Terms are closed below and open above, to the nanosecond.
                let shift = i64::from(matches!(operator, "gt" | "lteq"));
                let Some(at) = at.and_then(|at| at.plus_ns(shift)) else { return false };
                if operator.starts_with('g') { self.from(at) } else { self.until(at) }
            }
            ("DataUsageEndDate", "eq") => match single().and_then(|t| Instant::parse(t).ok()) {
                Some(at) => self.until(at),
                None => return false,
            },
            ("DataUsageEndDurationDays", "eq") => {
                let days = single().and_then(|t| t.parse::<u32>().ok());
                let end = days.and_then(|days| reader.ground.concluded.plus_ns(i64::from(days).checked_mul(86_400 * SECOND_NS)?));
                let Some(end) = end else { return false };
                self.until(end);
            }
            ("DataUsageEndDefinition", "eq") => {
                return single().is_some_and(|t| t == "cx.dataUsageEnd.unlimited" || t == "cx.dataUsageEnd.unlimited:1");
            }
            ("purpose", "eq") if right.len() != 1 => return false,
            ("purpose", "isAnyOf" | "eq") | ("UsagePurpose", "isAnyOf" | "eq") => self.purposes(reader.purposes(place, right)),
            ("spatial", "eq") if right.len() != 1 => return false,
            ("spatial", "isAnyOf" | "eq") => {
                let countries: Option<BTreeSet<String>> = right.iter().map(|c| country(c)).collect();
                let Some(countries) = countries else { return false };
                self.countries(countries);
            }
            _ => return reader.is_met(place, left, operator, right),
        }
        true
    }

    /// Takes in a duty.
    pub(super) fn oblige(&mut self, reader: &mut Reader<'_>, place: &str, duty: &Value) {
        if !self.duty(duty).unwrap_or(false) {
            reader.not_understood(place, duty);
        }
    }

    /// Feedback, or notice of a patent application: exactly as they are written; `None` or `false` when it is neither.
    fn duty(&mut self, duty: &Value) -> Option<bool> {
        let of = members(duty)?;
        if of.keys().any(|k| !["action", "constraint", "@type", "@id", "uid"].contains(k)) {
            return None;
        }
        let action = text(of.get("action")?)?;
        let [one, two] = items(of.get("constraint")?)[..] else { return None };
        let part = |constraint: &Value, left: &str, operator: &str| -> Option<String> {
            let of = members(constraint)?;
            let same = |key: &str, word: &str| of.get(key).and_then(|v| text(v)).is_some_and(|w| short(&w) == word);
            let fits = of.len() == 3 && same("leftOperand", left) && same("operator", operator);
            fits.then(|| of.get("rightOperand").and_then(|v| text(v)))?
        };
        let within_days = days(&part(two, "delayPeriod", "lteq")?)?;
        if action == format!("{TOJI}{FEEDBACK}") && self.feedback.is_none() {
            let units = part(one, "count", "gteq")?.parse().ok()?;
            self.feedback = Some(Feedback { units, within_days });
            return Some(true);
        }
        let application = part(one, &format!("{TOJI}{PATENT_APPLICATION}"), "eq")?;
        let notice = short(&action) == "inform" && application == "true" && self.patent_notice_days.is_none();
        self.patent_notice_days = Some(within_days);
        Some(notice)
    }
}

/// `P90D` in days.
fn days(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('P')?.strip_suffix('D')?;
    digits.chars().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// `iso3166:JP` as a country.
fn country(text: &str) -> Option<String> {
    let code = text.strip_prefix("iso3166:")?;
    (code.len() == 2 && code.chars().all(|c| c.is_ascii_uppercase())).then(|| code.to_owned())
}
