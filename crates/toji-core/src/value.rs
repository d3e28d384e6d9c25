//! The value object: a measured value is never a bare number.
//!
//! `< 10.04 mg/L`, `ERROR`, `120–140`, an empty cell and `良い香り` are all values, each with its
//! original text. A number is present only where the source states one.

use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::unit::Unit;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What sort of statement a value makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ValueKind {
    /// A number.
    Exact,
    /// Below `high`.
    LessThan,
    /// Above `low`.
    GreaterThan,
    /// Between `low` and `high`.
    Range,
    /// Below the detection limit; `high` is the limit when stated.
    BelowDetection,
    /// Looked for, but no result (failed, out of control, `ERROR`).
    NotDetermined,
    /// Nothing was written.
    Missing,
    /// Words.
    Text,
    /// A term of a vocabulary or a step of a scale.
    Category,
}

/// A measured or stated value with what is needed to read it right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Value {
    /// What sort of statement.
    pub kind: ValueKind,
    /// The number, for `exact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<f64>,
    /// Lower bound, for `greater-than` and `range`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper bound, for `less-than`, `range` and `below-detection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Unit as UCUM. `None` for text and for numbers whose unit the source does not state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The text as it stood in the source, trimmed.
    pub text: String,
    /// The unit as it stood in the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_unit: Option<String>,
    /// Standard uncertainty (1 σ), in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<f64>,
    /// Number of readings behind the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// Dilution factor already applied to the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dilution: Option<f64>,
    /// What the number refers to, e.g. `per L broth`, `per g dry weight`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// The substance measured, needed for mass ↔ amount conversion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substance: Option<String>,
}

/// Texts that say "looked for, no result".
const NOT_DETERMINED: [&str; 20] = [
    "error",
    "err",
    "n.d.",
    "nd",
    "not determined",
    "not detected",
    "fail",
    "failed",
    "#n/a",
    "#div/0!",
    "#value!",
    "#ref!",
    "#num!",
    "invalid",
    "out of range",
    "測定不能",
    "測定不可",
    "不検出",
    "エラー",
    "nan",
];
/// Texts that say "nothing written".
const MISSING: [&str; 9] = ["", "-", "--", "—", "–", "n/a", "na", "null", "欠測"];

impl Value {
    fn of(kind: ValueKind, text: &str) -> Self {
        Self {
            kind,
            number: None,
            low: None,
            high: None,
            unit: None,
            text: text.trim().to_owned(),
            raw_unit: None,
            uncertainty: None,
            n: None,
            dilution: None,
            basis: None,
            substance: None,
        }
    }
    /// A number with the text it was written as.
    #[must_use]
    pub fn exact(number: f64, text: &str) -> Self {
        Self { number: Some(number), ..Self::of(ValueKind::Exact, text) }
    }
    /// A calculated number.
    #[must_use]
    pub fn number(number: f64) -> Self {
        Self::exact(number, &number.to_string())
    }
    /// Words.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::of(ValueKind::Text, text)
    }
    /// A term or step of a scale.
    #[must_use]
    pub fn category(text: &str) -> Self {
        Self::of(ValueKind::Category, text)
    }
    /// Nothing written.
    #[must_use]
    pub fn missing() -> Self {
        Self::of(ValueKind::Missing, "")
    }
    /// No result, with the source's words.
    #[must_use]
    pub fn not_determined(text: &str) -> Self {
        Self::of(ValueKind::NotDetermined, text)
    }

    /// Reads a cell where a number is expected: numbers (full-width digits, decimal point), `< 10.04`,
    /// `>5`, `≤ 3`, `120-140`, `12±0.5`, `n.d.`, `ERROR`, empty. What is none of these is
    /// [`ValueKind::Text`], never dropped.
    ///
    /// ```
    /// use toji_core::{Value, ValueKind};
    /// let value = Value::parse("< 10.04");
    /// assert_eq!((value.kind, value.number, value.high), (ValueKind::LessThan, None, Some(10.04)));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::parse_with(text, NumberStyle::Point)
    }

    /// As [`Value::parse`], for a source that writes numbers in the given style.
    #[must_use]
    pub fn parse_with(text: &str, style: NumberStyle) -> Self {
        let plain = fold_width(text.trim());
        let lower = plain.to_lowercase();
        if MISSING.contains(&lower.as_str()) {
            return Self::of(ValueKind::Missing, text);
        }
        if let Some(number) = style.read(&plain) {
            return Self::exact(number.to_f64(), text);
        }
        if NOT_DETERMINED.contains(&lower.as_str()) {
            return Self::of(ValueKind::NotDetermined, text);
        }
        if ["<lod", "< lod", "<loq", "< loq", "bdl", "<dl", "below detection", "検出限界以下", "検出限界未満"]
            .contains(&lower.as_str())
        {
            return Self::of(ValueKind::BelowDetection, text);
        }
        Self::parse_bounds(&plain, style, text).unwrap_or_else(|| Self::of(ValueKind::Text, text))
    }

    fn parse_bounds(plain: &str, style: NumberStyle, text: &str) -> Option<Self> {
        let number = |part: &str| style.read(part.trim()).map(Decimal::to_f64);
        for sign in ["<=", "≤", "≦", "<"] {
            if let Some(rest) = plain.strip_prefix(sign) {
                return Some(Self { high: Some(number(rest)?), ..Self::of(ValueKind::LessThan, text) });
            }
        }
        for sign in [">=", "≥", "≧", ">"] {
            if let Some(rest) = plain.strip_prefix(sign) {
                return Some(Self { low: Some(number(rest)?), ..Self::of(ValueKind::GreaterThan, text) });
            }
        }
        for (words, below) in [("未満", true), ("以下", true), ("以上", false), ("超", false)] {
            if let Some(rest) = plain.strip_suffix(words) {
                let bound = Some(number(rest)?);
                return Some(if below {
                    Self { high: bound, ..Self::of(ValueKind::LessThan, text) }
                } else {
                    Self { low: bound, ..Self::of(ValueKind::GreaterThan, text) }
                });
            }
        }
        for sign in ["±", "+/-"] {
            if let Some((value, spread)) = plain.split_once(sign) {
                return Some(Self { uncertainty: Some(number(spread)?), ..Self::exact(number(value)?, text) });
            }
        }
        for sign in ["–", "~", "〜", "～", "..", " to ", "-"] {
            // A leading minus belongs to the number, so look behind the first character.
            let Some(at) = plain.char_indices().skip(1).find_map(|(i, _)| plain[i..].starts_with(sign).then_some(i)) else {
                continue;
            };
            if let (Some(low), Some(high)) = (number(&plain[..at]), number(&plain[at + sign.len()..]))
                && low <= high
            {
                return Some(Self { low: Some(low), high: Some(high), ..Self::of(ValueKind::Range, text) });
            }
        }
        None
    }

    /// Adds the unit as the source wrote it; unknown units stay as text with the value.
    ///
    /// # Errors
    /// The unit's text is not understood. The value is returned with `raw_unit` set either way, so
    /// nothing is lost: `match` on the pair.
    pub fn with_raw_unit(mut self, raw: &str) -> (Self, Option<Error>) {
        self.raw_unit = Some(raw.trim().to_owned());
        match Unit::parse(raw) {
            Ok(unit) => {
                self.unit = Some(unit);
                (self, None)
            }
            Err(error) => (self, Some(error)),
        }
    }
    /// Adds a unit.
    #[must_use]
    pub fn with_unit(mut self, unit: Unit) -> Self {
        self.unit = Some(unit);
        self
    }
    /// Converts number, bounds and uncertainty to another unit; text and raw unit stay.
    ///
    /// # Errors
    /// No unit, or a meaningless conversion.
    pub fn to_unit(&self, unit: &Unit) -> Result<Self> {
        let Some(from) = &self.unit else {
            return Err(Error::input(
                "E-VALUE-001",
                format!("値「{}」の単位が分からないため換算できません", self.text),
                format!("the value \"{}\" has no unit, so it cannot be converted", self.text),
            )
            .hint("元の単位を指定してください", "state the unit it was measured in"));
        };
        if from == unit {
            return Ok(self.clone());
        }
        let exact = match (self.kind, Decimal::parse(&fold_width(&self.text))) {
            (ValueKind::Exact, Some(number)) if Some(number.to_f64()) == self.number => from.convert_exact(number, unit)?,
            _ => None,
        };
        let each = |number: Option<f64>| number.map(|n| from.convert(n, unit)).transpose();
        let spread = match self.uncertainty {
            // A spread scales but does not shift: the difference of two converted points.
            Some(u) => Some(from.convert(u, unit)? - from.convert(0.0, unit)?),
            None => None,
        };
        Ok(Self {
            number: match exact {
                Some(number) => Some(number.to_f64()),
                None => each(self.number)?,
            },
            low: each(self.low)?,
            high: each(self.high)?,
            uncertainty: spread,
            unit: Some(unit.clone()),
            ..self.clone()
        })
    }
    /// Is the statement censored (a bound, not a number)?
    #[must_use]
    pub fn is_censored(&self) -> bool {
        matches!(self.kind, ValueKind::LessThan | ValueKind::GreaterThan | ValueKind::BelowDetection)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match (&self.raw_unit, &self.unit) {
            (Some(raw), _) if !raw.is_empty() => write!(f, " {raw}"),
            (None, Some(unit)) if !unit.is_one() => write!(f, " {}", unit.label()),
            _ => Ok(()),
        }
    }
}

/// How a source writes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NumberStyle {
    /// `1,234.5` or `1234.5`.
    #[default]
    Point,
    /// `1.234,5` or `1234,5`.
    Comma,
}

impl NumberStyle {
    /// The number, exactly, or `None` when the text is not one. Group separators are accepted only
    /// where they stand between groups of three digits.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Decimal> {
        if let (Self::Point, Some(number)) = (self, Decimal::parse(text)) {
            return Some(number);
        }
        let (group, point) = match self {
            Self::Point => (',', '.'),
            Self::Comma => ('.', ','),
        };
        let text = text.trim().replace('−', "-");
        let (whole, part) = match text.split_once(point) {
            Some((whole, part)) => (whole, Some(part)),
            None => (text.as_str(), None),
        };
        let mut plain = String::with_capacity(text.len());
        let digits = whole.trim_start_matches(['+', '-']);
        if digits.contains(group) {
            let mut groups = digits.split(group);
            let head = groups.next()?;
            if head.is_empty() || head.len() > 3 || groups.any(|g| g.len() != 3 || !g.bytes().all(|b| b.is_ascii_digit())) {
                return None;
            }
        }
        plain.extend(whole.chars().filter(|c| *c != group));
        if let Some(part) = part {
            plain.push('.');
            plain.push_str(part);
        }
        Decimal::parse(&plain)
    }
}

/// Full-width digits, signs, letters and spaces as ASCII; everything else as it is.
#[must_use]
pub fn fold_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '！'..='～' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            '\u{3000}' | '\u{a0}' => ' ',
            '−' => '-',
            _ => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, kind: ValueKind, number: Option<f64>, low: Option<f64>, high: Option<f64>) {
        let value = Value::parse(text);
        assert_eq!((value.kind, value.number, value.low, value.high), (kind, number, low, high), "{text}");
        assert_eq!(value.text, text.trim());
    }

    #[test]
    fn cells_as_people_and_instruments_write_them() {
        use ValueKind::*;
        check("12.5", Exact, Some(12.5), None, None);
        check("１２．５", Exact, Some(12.5), None, None);
        check("−27", Exact, Some(-27.0), None, None);
        check("1,234.5", Exact, Some(1234.5), None, None);
        check("< 10.04", LessThan, None, None, Some(10.04));
        check("<40", LessThan, None, None, Some(40.0));
        check("> 5", GreaterThan, None, Some(5.0), None);
        check("5以上", GreaterThan, None, Some(5.0), None);
        check("120-140", Range, None, Some(120.0), Some(140.0));
        check("-3 – -1", Range, None, Some(-3.0), Some(-1.0));
        check("ERROR", NotDetermined, None, None, None);
        check("n.d.", NotDetermined, None, None, None);
        check("NaN", NotDetermined, None, None, None);
        check("<LOD", BelowDetection, None, None, None);
        check("", Missing, None, None, None);
        check("吟醸香あり", Text, None, None, None);
        check("<", Text, None, None, None);
        check("2024-05-06", Text, None, None, None);
    }

    #[test]
    fn spread_is_kept() {
        let value = Value::parse("12 ± 0.5");
        assert_eq!((value.number, value.uncertainty), (Some(12.0), Some(0.5)));
    }

    #[test]
    fn decimal_comma() {
        assert_eq!(Value::parse_with("20,95", NumberStyle::Comma).number, Some(20.95));
        assert_eq!(Value::parse_with("1.234,5", NumberStyle::Comma).number, Some(1234.5));
        assert_eq!(Value::parse("20,95").kind, ValueKind::Text);
    }

    #[test]
    fn conversion_keeps_the_digits_and_the_text() {
        let (value, error) = Value::parse("136.229").with_raw_unit("mg/L");
        assert!(error.is_none());
        let grams = value.to_unit(&Unit::parse("g/L").unwrap()).unwrap();
        assert_eq!((grams.number, grams.text.as_str()), (Some(0.136_229), "136.229"));
        let (bound, _) = Value::parse("< 10.04").with_raw_unit("mg/L");
        assert_eq!(bound.to_unit(&Unit::parse("g/L").unwrap()).unwrap().high, Some(0.010_04));
        assert!(value.to_unit(&Unit::parse("mmol/L").unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_value_and_keeps_its_text(text in "\\PC*") {
            prop_assert_eq!(Value::parse(&text).text, text.trim());
            let _ = Value::parse_with(&text, NumberStyle::Comma);
        }
        #[test]
        fn values_survive_json(text in "[<>]? ?[0-9]{1,5}(\\.[0-9]{1,4})?") {
            let value = Value::parse(&text);
            let back: Value = serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap();
            prop_assert_eq!(back, value);
        }
    }
}
