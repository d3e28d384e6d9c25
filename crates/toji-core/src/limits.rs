//! Limits that something must keep, and what a measured value says of them.
//!
//! A value is a statement: `12.5`, `< 10.04`, `120–140`. It is *within* when everything it leaves possible lies within
//! the limits, *outside* when nothing of it does, and *undecided* when it leaves both possible: `< 10` says neither yes
//! nor no to "at least 2". Nothing is guessed. Limits belong to what is allowed. A number is judged as it stands, without
//! its uncertainty (simple acceptance of ISO/IEC Guide 98-4).

use crate::error::{Error, Place, Result};
use crate::substance::{self, Substance};
use crate::text::Text;
use crate::unit::{Quantity, Unit};
use crate::value::{Value, ValueKind};
use crate::variable::Variable;
use serde::{Deserialize, Serialize};

/// What a value says of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All it leaves possible is allowed.
    Within,
    /// There is no number.
    NotMeasured,
    /// It leaves both possible, or cannot be compared.
    Undecided,
    /// Nothing it leaves possible is allowed.
    Outside,
}

/// A verdict with the reason where it is neither yes nor no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is undecided or not measured.
    pub why: Option<Text>,
}

/// What is allowed, both ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    low: Option<f64>,
    high: Option<f64>,
    unit: Unit,
}

impl Limits {
    /// Limits in a UCUM unit; at least one of the two.
    ///
    /// # Errors
    /// `E-LIMITS-001` neither limit, `E-LIMITS-002` they are not finite or the lower is above the upper, and units that
    /// are not understood.
    pub fn new(low: Option<f64>, high: Option<f64>, unit: &str) -> Result<Self> {
        let unit = Unit::parse(unit).map_err(|e| e.at(Place::field("unit")))?;
        if low.is_none() && high.is_none() {
            return Err(Error::input("E-LIMITS-001", "上限も下限もありません", "there is neither a lower nor an upper limit")
                .at(Place::field("low"))
                .hint("low と high の少なくとも一方を書いてください", "state low, high or both"));
        }
        let finite = [low, high].iter().flatten().all(|v| v.is_finite());
        if !finite || low.zip(high).is_some_and(|(low, high)| low > high) {
            return Err(Error::input("E-LIMITS-002", "下限が上限を超えています", "the lower limit is above the upper one")
                .at(Place::field("high"))
                .hint("low ≦ high にしてください", "let low be at most high"));
        }
        Ok(Self { low, high, unit })
    }
    /// Lower limit.
    #[must_use]
    pub fn low(&self) -> Option<f64> {
        self.low
    }
    /// Upper limit.
    #[must_use]
    pub fn high(&self) -> Option<f64> {
        self.high
    }
    /// Their unit.
    #[must_use]
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// What a value of this variable says of the limits.
    ///
    /// ```
    /// use toji_core::limits::{Limits, Verdict};
    /// use toji_core::{Unit, Value};
    /// let at_most = Limits::new(None, Some(0.01), "g/L").unwrap();
    /// let value = Value::parse("< 5").with_unit(Unit::parse("mg/L").unwrap());
    /// assert_eq!(at_most.judge(&value, None).verdict, Verdict::Within);
    /// ```
    #[must_use]
    pub fn judge(&self, value: &Value, variable: Option<&Variable>) -> Judged {
        let open = |ja: String, en: String| Judged { verdict: Verdict::Undecided, why: Some(Text::new(ja, en)) };
        let (low, high) = match value.kind {
            ValueKind::Exact => (value.number, value.number),
            ValueKind::Range => (value.low, value.high),
            ValueKind::LessThan | ValueKind::BelowDetection => (None, value.high),
            ValueKind::GreaterThan => (value.low, None),
            ValueKind::NotDetermined | ValueKind::Missing | ValueKind::Text | ValueKind::Category => {
                return Judged { verdict: Verdict::NotMeasured, why: Some(no_number(value)) };
            }
        };
        if low.or(high).is_none_or(f64::is_nan) {
            return match value.kind {
                ValueKind::Exact => Judged { verdict: Verdict::NotMeasured, why: Some(no_number(value)) },
                _ => open(
                    format!("「{}」に限界値がありません", value.text),
                    format!("\"{}\" states no limit of detection", value.text),
                ),
            };
        }
        let Some(unit) = &value.unit else {
            return open(format!("「{}」に単位がありません", value.text), format!("\"{}\" has no unit", value.text));
        };
        let substance = value.substance.as_deref().or(variable.map(|v| v.id.as_str()));
        let convert = |number: Option<f64>| number.map(|n| self.converted(n, unit, substance)).transpose();
        match (convert(low), convert(high)) {
            (Ok(low), Ok(high)) => {
                // There is no less than none of something.
                let least = variable.filter(|v| v.low == Some(0.0)).and_then(|v| self.none_of(v));
                self.compare(low.or(least), high, value)
            }
            (Err(error), _) | (_, Err(error)) => {
                let said = &error.fault().message;
                open(said.ja.clone(), said.en.clone())
            }
        }
    }

    fn compare(&self, low: Option<f64>, high: Option<f64>, value: &Value) -> Judged {
        let least = low.unwrap_or(f64::NEG_INFINITY);
        let most = high.unwrap_or(f64::INFINITY);
        let verdict = |verdict| Judged { verdict, why: None };
        let (from, to) = (self.low.unwrap_or(f64::NEG_INFINITY), self.high.unwrap_or(f64::INFINITY));
        if from <= least && most <= to {
            verdict(Verdict::Within)
        } else if most < from || least > to {
            verdict(Verdict::Outside)
        } else {
            Judged {
                verdict: Verdict::Undecided,
                why: Some(Text::new(
                    format!("「{value}」は規格の内とも外とも言えません"),
                    format!("\"{value}\" may be within the limits or outside"),
                )),
            }
        }
    }

    fn converted(&self, number: f64, unit: &Unit, substance: Option<&str>) -> Result<f64> {
        let (from, to) = (unit.with_turns_counted(), self.unit.with_turns_counted());
        match (from.convert(number, &to), substance.map(Substance::find)) {
            (Err(_), Some(Ok(of))) => {
                substance::convert(&Quantity { value: number, unit: unit.clone() }, &self.unit, of).map(|q| q.value)
            }
            (plain, _) => plain,
        }
    }

    /// Zero of a variable whose least value is zero, in the unit of the limits.
    fn none_of(&self, variable: &Variable) -> Option<f64> {
        let unit = Unit::parse(&variable.unit).ok()?;
        self.converted(0.0, &unit, Some(&variable.id)).ok()
    }
}

fn no_number(value: &Value) -> Text {
    if value.text.is_empty() {
        return Text::new("値がありません", "there is no value");
    }
    Text::new(format!("「{}」は数値ではありません", value.text), format!("\"{}\" is no number", value.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variable;
    use proptest::prelude::*;

    fn limits(low: Option<f64>, high: Option<f64>, unit: &str) -> Limits {
        Limits::new(low, high, unit).unwrap()
    }

    fn value(text: &str, unit: &str) -> Value {
        Value::parse(text).with_unit(Unit::parse(unit).unwrap())
    }

    #[test]
    fn what_values_say_of_limits() {
        use Verdict::*;
        let (least, most, both) =
            (limits(Some(2.0), None, "g/L"), limits(None, Some(10.0), "g/L"), limits(Some(2.0), Some(10.0), "g/L"));
        let check = |limits: &Limits, text: &str, expected: Verdict| {
            let judged = limits.judge(&value(text, "g/L"), None);
            assert_eq!(judged.verdict, expected, "{text} in {limits:?}");
            assert_eq!(judged.why.is_some(), matches!(expected, Undecided | NotMeasured), "{text}");
        };
        // Limits belong to what is allowed.
        check(&both, "2", Within);
        check(&both, "10", Within);
        check(&both, "1.999", Outside);
        check(&both, "10.001", Outside);
        // A bound says what it says and no more.
        check(&most, "< 10", Within);
        check(&most, "< 10.5", Undecided);
        check(&most, "> 10.5", Outside);
        check(&most, "> 5", Undecided);
        check(&least, "> 2", Within);
        check(&least, "< 1.5", Outside);
        check(&least, "< 5", Undecided);
        check(&both, "> 2", Undecided);
        check(&both, "3-9", Within);
        check(&both, "3-11", Undecided);
        check(&both, "11-12", Outside);
        check(&most, "<LOD", Undecided);
        for text in ["", "ERROR", "n.d.", "good"] {
            check(&both, text, NotMeasured);
        }
    }

    #[test]
    fn less_than_a_number_is_no_less_than_none_of_a_concentration() {
        let from_none = limits(Some(0.0), Some(10.0), "g/L");
        assert_eq!(from_none.judge(&value("< 5", "g/L"), None).verdict, Verdict::Undecided);
        assert_eq!(from_none.judge(&value("< 5", "g/L"), variable::get("glucose")).verdict, Verdict::Within);
        // 0 °C is not the least temperature.
        let warm = limits(Some(0.0), Some(40.0), "Cel");
        assert_eq!(warm.judge(&value("< 5", "Cel"), variable::get("temperature")).verdict, Verdict::Undecided);
    }

    #[test]
    fn units_are_converted_and_never_assumed() {
        let most = limits(None, Some(1.0), "g/L");
        assert_eq!(most.judge(&value("999", "mg/L"), None).verdict, Verdict::Within);
        assert_eq!(most.judge(&value("1001", "mg/L"), None).verdict, Verdict::Outside);
        // 180.156 g/mol: 1 g/L of glucose are 5.5507 mmol/L.
        let glucose = variable::get("glucose");
        assert_eq!(most.judge(&value("5.55", "mmol/L"), glucose).verdict, Verdict::Within);
        assert_eq!(most.judge(&value("5.56", "mmol/L"), glucose).verdict, Verdict::Outside);
        assert_eq!(most.judge(&value("0.5", "Cel"), None).verdict, Verdict::Undecided);
        assert_eq!(most.judge(&Value::parse("0.5"), None).verdict, Verdict::Undecided, "no unit");
        let fever = limits(None, Some(98.6), "[degF]");
        assert_eq!(fever.judge(&value("37", "Cel"), None).verdict, Verdict::Within);
        let fast = limits(Some(300.0), None, "/min");
        assert_eq!(fast.judge(&value("300", "{rev}/min"), None).verdict, Verdict::Within);
    }

    #[test]
    fn limits_that_allow_nothing_are_refused() {
        let code = |low, high, unit: &str| Limits::new(low, high, unit).unwrap_err().code();
        assert_eq!(code(None, None, "g/L"), "E-LIMITS-001");
        assert_eq!(code(Some(2.0), Some(1.0), "g/L"), "E-LIMITS-002");
        assert_eq!(code(Some(f64::NAN), None, "g/L"), "E-LIMITS-002");
        assert!(Limits::new(Some(1.0), None, "no such unit").is_err());
    }

    /// A statement that is true of a number: the number itself, or a bound or range around it.
    fn true_of(number: f64, sort: u8, below: u16, above: u16) -> Value {
        let (low, high) = (number - f64::from(below), number + f64::from(above));
        let text = match sort {
            0 => number.to_string(),
            1 => format!("< {high}"),
            2 => format!("> {low}"),
            _ => format!("{low}..{high}"),
        };
        value(&text, "mg/L")
    }

    proptest! {
        /// Whatever a statement leaves open, a yes or no is the yes or no of the number behind it.
        #[test]
        fn a_verdict_never_contradicts_the_number(
            number in -500i32..500, low in proptest::option::of(-500i32..500), width in proptest::option::of(0i32..500),
            sort in 0u8..4, below in 0u16..300, above in 0u16..300,
        ) {
            let number = f64::from(number);
            let high = width.map(|w| f64::from(low.unwrap_or(0) + w));
            prop_assume!(low.is_some() || high.is_some());
            let limits = limits(low.map(f64::from), high, "mg/L");
            let truth = limits.judge(&true_of(number, 0, 0, 0), None).verdict;
            let allowed = low.is_none_or(|l| f64::from(l) <= number) && high.is_none_or(|h| number <= h);
            prop_assert_eq!(truth, if allowed { Verdict::Within } else { Verdict::Outside });
            let said = limits.judge(&true_of(number, sort, below, above), None).verdict;
            prop_assert!(said == truth || said == Verdict::Undecided, "{:?} of {}", said, number);
        }

        /// The unit of the limits does not matter.
        #[test]
        fn the_unit_does_not_matter(number in 0i32..5000, low in 0i32..5000, width in 0i32..5000, sort in 0u8..4) {
            let (low, high) = (f64::from(low), f64::from(low + width));
            let statement = true_of(f64::from(number), sort, 100, 100);
            let milli = limits(Some(low), Some(high), "mg/L").judge(&statement, None);
            let grams = limits(Some(low / 1000.0), Some(high / 1000.0), "g/L").judge(&statement, None);
            prop_assert_eq!(milli.verdict, grams.verdict);
        }
    }
}
