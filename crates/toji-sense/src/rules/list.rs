//! The list itself, and how it decides.

use serde::{Deserialize, Serialize};

/// On which side of a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Below it.
    Below,
    /// At it or above.
    AtLeast,
}

/// One condition. A value that is missing fulfils none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Condition {
    /// Place of the quantity in the state.
    pub quantity: usize,
    /// Side.
    pub side: Side,
    /// Threshold, in the quantity's unit.
    pub threshold: f64,
}

impl Condition {
    /// Does it hold?
    #[must_use]
    pub fn holds(&self, state: &[Option<f64>]) -> bool {
        let Some(value) = state.get(self.quantity).copied().flatten() else { return false };
        match self.side {
            Side::Below => value < self.threshold,
            Side::AtLeast => value >= self.threshold,
        }
    }
}

/// One rule: when all conditions hold, do this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rule {
    /// Conditions, all of which must hold.
    pub when: Vec<Condition>,
    /// What is done, as a number of an action.
    pub then: usize,
    /// Cases of the learning set that reach the rule and fulfil it.
    pub reached: usize,
    /// Those of them in which the expert did the same.
    pub right: usize,
}

/// A list of rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RuleList {
    /// Rules, in order.
    pub rules: Vec<Rule>,
    /// What is done otherwise.
    pub otherwise: usize,
}

impl RuleList {
    /// What the list does in a state.
    #[must_use]
    pub fn decide(&self, state: &[Option<f64>]) -> usize {
        let first = self.rules.iter().find(|rule| rule.when.iter().all(|c| c.holds(state)));
        first.map_or(self.otherwise, |rule| rule.then)
    }
}
