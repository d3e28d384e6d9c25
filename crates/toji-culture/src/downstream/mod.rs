//! The chain of steps before and after a culture: pretreatment, harvest, purification, finishing.
//!
//! Amounts come with their units and, where stated, their standard uncertainty; yields and purities carry it on, to first
//! order on the logarithm and as independent. A step that gives more than it took, a pool that changes between two
//! steps, an amount that cannot be compared, and what misses are findings; no number is made up for them.

mod find;

use serde::{Deserialize, Serialize};
use toji_core::{Diagnostic, Text, Unit};

/// Half a 95 % interval in standard errors.
const HALF: f64 = 1.959_963_984_540_054;

/// A part of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "ProcessPhase")]
pub enum Phase {
    /// Before the culture.
    Pretreatment,
    /// Cells and broth apart.
    Harvest,
    /// The product apart from all else.
    Purification,
    /// Dried, formulated, filled.
    Finishing,
}

impl Phase {
    /// All of them, in the order of a process.
    pub const ALL: [Self; 4] = [Self::Pretreatment, Self::Harvest, Self::Purification, Self::Finishing];

    /// Of its code.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.code() == code)
    }
    /// Code, as in records.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Pretreatment => "pretreatment",
            Self::Harvest => "harvest",
            Self::Purification => "purification",
            Self::Finishing => "finishing",
        }
    }
    /// Label.
    #[must_use]
    pub fn label(self) -> Text {
        match self {
            Self::Pretreatment => Text::new("前処理", "Pretreatment"),
            Self::Harvest => Text::new("回収", "Harvest"),
            Self::Purification => Text::new("精製", "Purification"),
            Self::Finishing => Text::new("仕上げ", "Finishing"),
        }
    }
}

/// An amount with its standard uncertainty.
#[derive(Debug, Clone, PartialEq)]
pub struct Amount {
    /// Value.
    pub value: f64,
    /// Unit.
    pub unit: Unit,
    /// Standard uncertainty in the same unit, where it is stated.
    pub error: Option<f64>,
}

/// A step as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Record.
    pub id: String,
    /// Part of the chain.
    pub phase: Phase,
    /// Place inside the whole chain.
    pub order: i64,
    /// Are conditions recorded?
    pub conditions: bool,
    /// What went in altogether.
    pub input: Option<Amount>,
    /// Buffer, water, enzyme … added.
    pub added: Option<Amount>,
    /// What came out altogether.
    pub output: Option<Amount>,
    /// Product (before the culture: the substrate set free) that went in.
    pub product_in: Option<Amount>,
    /// Product that came out.
    pub product_out: Option<Amount>,
    /// Purity of what came out.
    pub purity: Option<Amount>,
}

/// A ratio with its 95 % interval, where every uncertainty is stated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "YieldRatio")]
pub struct Ratio {
    /// Value, 1.
    pub value: f64,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Relative standard uncertainty.
    #[serde(skip)]
    #[schemars(skip)]
    relative: Option<f64>,
}

impl Ratio {
    fn new(value: f64, relative: Option<f64>) -> Self {
        let end = |sign: f64| relative.map(|r| value * (sign * HALF * r).exp());
        Self { value, low: end(-1.0), high: end(1.0), relative }
    }
    /// One amount over another; none where their units do not convert, or the one below is not positive.
    #[must_use]
    pub fn over(over: &Amount, under: &Amount) -> Option<Self> {
        let (a, b) = (over.unit.convert(over.value, &under.unit).ok()?, under.value);
        if !(a.is_finite() && b.is_finite() && a >= 0.0 && b > 0.0) {
            return None;
        }
        let relative = |amount: &Amount| amount.error.map(|e| e.abs() / amount.value.abs().max(f64::MIN_POSITIVE));
        let both = relative(over).zip(relative(under)).map(|(x, y)| x.hypot(y));
        Some(Self::new(a / b, both.filter(|r| a > 0.0 && r.is_finite())))
    }
    /// Is it above one beyond its interval? Without an interval by more than rounding.
    fn above_one(&self) -> bool {
        self.low.map_or(self.value > 1.0 + 1e-6, |low| low > 1.0)
    }
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached {
    /// Record.
    pub id: String,
    /// Product out over product in.
    pub yielded: Option<Ratio>,
    /// All that came out over all that went in and was added.
    pub recovered: Option<Ratio>,
    /// Purity over that of the step before it that states one, when both come after the culture.
    pub purified: Option<Ratio>,
}

/// A stretch of the chain as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Total {
    /// Yield: the product of the yields of all steps.
    pub yielded: Option<Ratio>,
    /// Steps that have no yield, so that there is no total.
    pub lacking: Vec<String>,
    /// Steps.
    pub steps: usize,
}

/// The chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Steps in order.
    pub steps: Vec<Reached>,
    /// Before the culture.
    pub before: Total,
    /// After it.
    pub after: Total,
    /// Last purity.
    pub purity: Option<Amount>,
    /// What does not add up and what misses.
    pub findings: Vec<Diagnostic>,
}

fn total(steps: &[(&Step, &Reached)]) -> Total {
    let lacking: Vec<String> = steps.iter().filter(|(_, r)| r.yielded.is_none()).map(|(s, _)| s.id.clone()).collect();
    let yielded = (lacking.is_empty() && !steps.is_empty()).then(|| {
        let parts = steps.iter().filter_map(|(_, r)| r.yielded);
        let (mut value, mut variance) = (1.0, Some(0.0_f64));
        for part in parts {
            value *= part.value;
            variance = variance.zip(part.relative).map(|(v, r)| v + r * r);
        }
        Ratio::new(value, variance.map(f64::sqrt))
    });
    Total { yielded, lacking, steps: steps.len() }
}

/// All that went in, what was added with it; none where the two cannot be summed.
fn whole(step: &Step) -> Option<Amount> {
    let input = step.input.clone()?;
    let Some(added) = &step.added else { return Some(input) };
    let more = added.unit.convert(added.value, &input.unit).ok()?;
    let more_error = added.error.and_then(|e| added.unit.convert(e, &input.unit).ok());
    let error = input.error.zip(more_error).map(|(a, b)| a.hypot(b));
    Some(Amount { value: input.value + more, error, ..input })
}

/// The chain of some steps, in any order. `made`: product that the culture made, to hold the first step after it
/// against.
#[must_use]
pub fn chain(steps: &[Step], made: Option<&Amount>) -> Chain {
    let mut ordered: Vec<&Step> = steps.iter().collect();
    ordered.sort_by(|a, b| (a.phase, a.order, &a.id).cmp(&(b.phase, b.order, &b.id)));
    let mut reached: Vec<Reached> = Vec::new();
    let mut purity: Option<Amount> = None;
    for step in &ordered {
        let after = step.phase != Phase::Pretreatment;
        let purified = step.purity.as_ref().zip(purity.as_ref()).filter(|_| after).and_then(|(now, then)| Ratio::over(now, then));
        if after && step.purity.is_some() {
            purity.clone_from(&step.purity);
        }
        reached.push(Reached {
            id: step.id.clone(),
            yielded: step.product_out.as_ref().zip(step.product_in.as_ref()).and_then(|(out, into)| Ratio::over(out, into)),
            recovered: step.output.as_ref().zip(whole(step).as_ref()).and_then(|(out, into)| Ratio::over(out, into)),
            purified,
        });
    }
    let pairs: Vec<(&Step, &Reached)> = ordered.iter().copied().zip(&reached).collect();
    let (before, after): (Vec<_>, Vec<_>) = pairs.iter().copied().partition(|(s, _)| s.phase == Phase::Pretreatment);
    let findings = find::findings(&pairs, made);
    Chain { before: total(&before), after: total(&after), purity, findings, steps: reached }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::*;

    fn grams(value: f64, error: Option<f64>) -> Option<Amount> {
        Some(Amount { value, unit: Unit::parse("g").unwrap(), error })
    }
    fn step(id: &str, phase: Phase, order: i64, into: f64, out: f64) -> Step {
        Step {
            id: id.into(),
            phase,
            order,
            conditions: true,
            input: None,
            added: None,
            output: None,
            product_in: grams(into, Some(0.01 * into)),
            product_out: grams(out, Some(0.01 * out)),
            purity: None,
        }
    }
    fn codes(chain: &Chain) -> Vec<&str> {
        chain.findings.iter().map(|f| f.code.as_str()).collect()
    }

    #[test]
    fn yields_multiply_and_carry_their_uncertainty() {
        let mut steps = vec![
            step("c", Phase::Purification, 4, 80.0, 60.0),
            step("b", Phase::Harvest, 3, 100.0, 80.0),
            step("p", Phase::Pretreatment, 1, 200.0, 150.0),
        ];
        let percent = |value: f64| Some(Amount { value, unit: Unit::parse("%").unwrap(), error: None });
        steps[1].purity = percent(20.0);
        steps[0].purity = percent(90.0);
        let chain = chain(&steps, grams(101.0, Some(2.0)).as_ref());
        assert_eq!(chain.steps.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["p", "b", "c"]);
        // 0.8 · 0.75 = 0.6; four amounts of 1 %: 2 %, so exp(± 1.96 · 0.02).
        let after = chain.after.yielded.unwrap();
        assert!((after.value - 0.6).abs() < 1e-12);
        assert!((after.low.unwrap() - 0.6 * (-0.039_199_3_f64).exp()).abs() < 1e-6);
        assert!((after.high.unwrap() - 0.6 * 0.039_199_3_f64.exp()).abs() < 1e-6);
        assert!((chain.before.yielded.unwrap().value - 0.75).abs() < 1e-12);
        assert!((chain.steps[2].purified.unwrap().value - 4.5).abs() < 1e-12);
        assert_eq!(chain.purity.as_ref().unwrap().value, 90.0);
        assert!(codes(&chain).is_empty(), "{:?}", chain.findings);
    }

    #[test]
    fn what_does_not_add_up_is_said() {
        let mut more = step("b", Phase::Harvest, 1, 100.0, 120.0);
        more.input = grams(1000.0, None);
        more.added = Some(Amount { value: 0.2, unit: Unit::parse("kg").unwrap(), error: None });
        more.output = grams(1300.0, None);
        let found = chain(&[more.clone(), step("c", Phase::Purification, 2, 90.0, 80.0)], grams(50.0, Some(1.0)).as_ref());
        // More product out than in, more mass out than in and added, a pool that shrank, more than the culture made.
        for code in ["W-CHAIN-001", "W-CHAIN-002", "W-CHAIN-004", "W-CHAIN-005"] {
            assert!(codes(&found).contains(&code), "{code} in {:?}", codes(&found));
        }
        assert!((found.steps[0].recovered.unwrap().value - 1300.0 / 1200.0).abs() < 1e-12);
        // One per cent more is inside the error of two amounts of one per cent each.
        let within = chain(&[step("b", Phase::Harvest, 1, 100.0, 101.0)], None);
        assert!(!codes(&within).contains(&"W-CHAIN-001"));
        // Units that do not compare give no yield, and say so.
        more.product_out = Some(Amount { value: 1.0, unit: Unit::parse("L").unwrap(), error: None });
        let odd = chain(&[more], None);
        assert!(odd.after.yielded.is_none() && codes(&odd).contains(&"W-CHAIN-003"));
        assert_eq!(odd.after.lacking, ["b"]);
    }

    #[test]
    fn what_misses_is_named() {
        let mut bare = step("c", Phase::Purification, 2, 1.0, 1.0);
        (bare.conditions, bare.product_out, bare.product_in) = (false, None, None);
        let found = chain(&[bare], None);
        assert!(found.after.yielded.is_none());
        let all = codes(&found);
        // Pretreatment and harvest, conditions, amounts and a purity at the end are missing.
        assert_eq!(all.iter().filter(|c| **c == "N-CHAIN-010").count(), 2, "{all:?}");
        for code in ["N-CHAIN-011", "N-CHAIN-012", "N-CHAIN-013"] {
            assert!(all.contains(&code), "{code} in {all:?}");
        }
        assert_eq!(codes(&chain(&[], None)).iter().filter(|c| **c == "N-CHAIN-010").count(), 3);
        assert!(found.findings.iter().all(|f| f.message.ja != f.message.en && f.remedy.is_some()));
    }
}
