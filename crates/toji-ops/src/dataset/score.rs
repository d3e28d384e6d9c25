//! The account of readiness: 100 points, and every one that is lost belongs to a finding.
//!
//! Points are whole thousandths, so that what the findings lose, what the rules lose and what the score
//! lacks are one number and not three rounded ones.

use schemars::JsonSchema;
use serde::Serialize;
use toji_core::{Diagnostic, Severity, Text};

/// The full score in thousandths of a point.
pub(super) const FULL: u64 = 100_000;

/// A finding with what it costs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Finding {
    /// Code, severity, place, message and remedy.
    #[serde(flatten)]
    pub(crate) diagnostic: Diagnostic,
    /// Points lost, in thousandths.
    pub(super) lost_thousandths: u64,
    /// Kind of the record it is about; none for the manifest itself.
    pub(super) kind: Option<String>,
    /// The record.
    pub(super) id: Option<String>,
    /// The run it belongs to.
    pub(super) run: Option<String>,
}

/// What one rule looked at.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct RuleLine {
    /// Number of the rule, as in its codes: `012` of `E-READY-012`.
    pub(super) rule: String,
    /// What it asks.
    pub(super) label: Text,
    /// Points it can cost, in thousandths.
    pub(super) weight_thousandths: u64,
    /// Points it did cost.
    pub(super) lost_thousandths: u64,
    /// Places looked at; 0 when there is nothing the rule applies to.
    pub(super) places: u64,
    /// Places with a finding.
    pub(super) failing: u64,
}

/// The whole account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub(super) struct Account {
    /// Score, 0 to 100.
    pub(super) score: f64,
    /// The same in thousandths of a point: 100000 less everything the findings lost.
    pub(super) score_thousandths: u64,
    /// Rules in order of their numbers.
    pub(super) rules: Vec<RuleLine>,
    /// Findings, by rule and place.
    pub(super) findings: Vec<Finding>,
}

/// What a rule finds at one place, before it is weighed.
pub(super) struct Found {
    /// How much of the place's share is lost, %; 0 for a note.
    pub(super) percent: u64,
    /// Kind, identifier and field of the place.
    pub(super) at: (&'static str, String, String),
    /// The run it belongs to.
    pub(super) run: Option<String>,
    /// Message.
    pub(super) message: Text,
    /// Remedy.
    pub(super) remedy: Text,
}

/// A rule as it is declared.
pub(super) struct Rule {
    /// Number.
    pub(super) number: u32,
    /// Points it can cost, in thousandths.
    pub(super) weight: u64,
    /// Is a full failure an error, or a warning only?
    pub(super) error: bool,
    /// What it asks.
    pub(super) label: [&'static str; 2],
}

impl Account {
    /// Adds a rule that looked at so many places.
    pub(super) fn add(&mut self, rule: &Rule, places: usize, found: Vec<Found>) {
        let number = format!("{:03}", rule.number);
        let failing: u64 = found.iter().map(|f| f.percent).sum();
        let whole = places as u64 * 100;
        let share = (u128::from(rule.weight) * u128::from(failing)).checked_div(u128::from(whole)).unwrap_or_default();
        let share = u64::try_from(share).unwrap_or(rule.weight);
        // What is wrong somewhere is never free, and no rule costs more than it can.
        let lost = if failing == 0 { 0 } else { share.clamp(1, rule.weight) };
        let n = found.iter().filter(|f| f.percent > 0).count() as u64;
        let mut before = 0;
        for found in found {
            let upto = |sum: u64| {
                let part = (u128::from(lost) * u128::from(sum)).checked_div(u128::from(failing)).unwrap_or_default();
                u64::try_from(part).unwrap_or(lost)
            };
            let costs = upto(before + found.percent) - upto(before);
            before += found.percent;
            self.findings.push(finding(rule, &number, found, costs));
        }
        self.rules.push(RuleLine {
            rule: number,
            label: Text::new(rule.label[0], rule.label[1]),
            weight_thousandths: rule.weight,
            lost_thousandths: lost,
            places: places as u64,
            failing: n,
        });
        let all: u64 = self.rules.iter().map(|r| r.lost_thousandths).sum();
        self.score_thousandths = FULL.saturating_sub(all);
        self.score = self.score_thousandths as f64 / 1000.0;
    }
}

fn finding(rule: &Rule, number: &str, found: Found, costs: u64) -> Finding {
    let (severity, letter) = match found.percent {
        0 => (Severity::Note, 'N'),
        100.. if rule.error => (Severity::Error, 'E'),
        _ => (Severity::Warning, 'W'),
    };
    let (kind, id, field) = found.at;
    let manifest = kind == "manifest";
    let place = if manifest { format!("manifest/{field}") } else { format!("{kind}/{id}/{field}") };
    Finding {
        diagnostic: Diagnostic {
            severity,
            code: format!("{letter}-READY-{number}"),
            place: toji_core::Place::field(place),
            message: found.message,
            remedy: Some(found.remedy),
        },
        lost_thousandths: costs,
        kind: (!manifest).then(|| kind.to_owned()),
        id: (!manifest).then_some(id),
        run: found.run,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::*;

    fn found(percent: u64) -> Found {
        let at = ("run", "r".to_owned(), "strain".to_owned());
        Found { percent, at, run: None, message: Text::same("m"), remedy: Text::same("r") }
    }
    const RULE: Rule = Rule { number: 1, weight: 10_000, error: true, label: ["ja", "en"] };

    #[test]
    fn what_the_findings_lose_is_what_the_score_lacks() {
        for (places, percents) in [(3, vec![100]), (7, vec![100, 50, 0, 100]), (1_000_000, vec![50]), (3, vec![100, 100, 100])] {
            let mut account = Account::default();
            account.add(&RULE, places, percents.iter().map(|p| found(*p)).collect());
            account.add(&Rule { number: 2, ..RULE }, 3, vec![found(100), found(100)]);
            let of_findings: u64 = account.findings.iter().map(|f| f.lost_thousandths).sum();
            let of_rules: u64 = account.rules.iter().map(|r| r.lost_thousandths).sum();
            assert_eq!((of_findings, of_rules), (FULL - account.score_thousandths, FULL - account.score_thousandths));
            assert!(account.rules[0].lost_thousandths > 0, "nothing that is wrong is free");
        }
    }

    #[test]
    fn a_rule_without_places_costs_nothing() {
        let mut account = Account::default();
        account.add(&RULE, 0, Vec::new());
        assert_eq!((account.score_thousandths, account.rules[0].places), (FULL, 0));
    }
}
