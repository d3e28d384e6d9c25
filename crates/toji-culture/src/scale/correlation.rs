//! What a correlation is: a formula with its source, the ranges it was found in, and how sure its author was.
//!
//! A value outside a range comes with a warning that names the input and the range; it is never quietly extrapolated.

use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text};

/// An input of a correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Input {
    /// Name, as in `power-per-volume`.
    pub name: &'static str,
    /// Label: Japanese, English.
    pub label: [&'static str; 2],
    /// Unit, UCUM.
    pub unit: &'static str,
    /// The range it was found in. `None` where the source states none.
    pub range: Option<(f64, f64)>,
}

/// A published correlation.
#[derive(Debug, Clone, Copy)]
pub struct Correlation {
    /// Identifier.
    pub id: &'static str,
    /// Label: Japanese, English.
    pub label: [&'static str; 2],
    /// Formula, as people write it. SI units.
    pub formula: &'static str,
    /// Paper.
    pub source: &'static str,
    /// Year of it.
    pub year: u16,
    /// Unit of the value, UCUM.
    pub unit: &'static str,
    /// Inputs, in the order of the formula; those that only bound it come last.
    pub inputs: &'static [Input],
    /// Relative standard error, where the source states one.
    pub relative_error: Option<f64>,
    /// The formula.
    pub formula_of: fn(&[f64]) -> f64,
}

/// An input outside the range a correlation was found in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OutOfRange {
    /// Correlation.
    pub correlation: String,
    /// Input.
    pub input: String,
    /// Its value.
    pub value: f64,
    /// Least value of the range.
    pub low: f64,
    /// Highest value of the range.
    pub high: f64,
    /// Unit of the three, UCUM.
    pub unit: String,
    /// In words.
    pub message: Text,
}

/// A value by a correlation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Estimate {
    /// Correlation.
    pub correlation: String,
    /// Value.
    pub value: f64,
    /// Unit, UCUM.
    pub unit: String,
    /// Relative standard error, where the source states one.
    pub relative_error: Option<f64>,
    /// Inputs outside the range. Empty: all inside, or without a stated range.
    pub warnings: Vec<OutOfRange>,
}

impl Correlation {
    /// Inputs outside their range.
    #[must_use]
    pub fn outside(&self, values: &[f64]) -> Vec<OutOfRange> {
        let one = |(input, value): (&Input, &f64)| {
            let (low, high) = input.range?;
            if (low..=high).contains(value) {
                return None;
            }
            let ([ja, en], unit) = (input.label, input.unit);
            // The number one is no unit to read.
            let shown = if unit == "1" { String::new() } else { format!(" {unit}") };
            let (id, label, source) = (self.id, self.label, self.source);
            Some(OutOfRange {
                correlation: id.to_owned(),
                input: input.name.to_owned(),
                value: *value,
                low,
                high,
                unit: unit.to_owned(),
                message: Text::new(
                    format!("{}: {ja} {value:.4}{shown} は相関式の範囲 {low}〜{high}{shown} の外です（{source}）", label[0]),
                    format!(
                        "{}: {en} {value:.4}{shown} is outside the range of the correlation, {low} to {high}{shown} ({source})",
                        label[1]
                    ),
                ),
            })
        };
        self.inputs.iter().zip(values).filter_map(one).collect()
    }

    /// The value, with what is outside its range.
    ///
    /// # Errors
    /// A number of values that is not that of the inputs, a value that is not positive and finite, or inputs for which
    /// the formula gives nothing positive.
    pub fn value(&self, values: &[f64]) -> Result<Estimate> {
        if values.len() != self.inputs.len() {
            let names: Vec<&str> = self.inputs.iter().map(|i| i.name).collect();
            let (wanted, given) = (names.join(", "), values.len());
            return Err(Error::input(
                "E-SCALE-001",
                format!("相関式 {} の入力は {wanted} ですが、{given} 個あります", self.id),
                format!("the correlation {} takes {wanted}, and {given} values are given", self.id),
            )
            .at(Place::field(self.id))
            .hint("入力を一覧の順に並べてください", "give the inputs in the order of the list"));
        }
        if let Some((input, value)) = self.inputs.iter().zip(values).find(|(_, v)| !v.is_finite() || **v <= 0.0) {
            return Err(not_positive(input.name, input.label, *value));
        }
        let value = (self.formula_of)(values);
        if !value.is_finite() || value <= 0.0 {
            return Err(Error::input(
                "E-SCALE-009",
                format!("相関式 {} はこの入力では正の値になりません: {value}", self.id),
                format!("the correlation {} gives no positive value there: {value}", self.id),
            )
            .at(Place::field(self.id))
            .hint(
                "入力がその式の対象（撹拌槽の通常の条件）か確認してください",
                "check whether the inputs are those of an ordinary stirred vessel",
            ));
        }
        Ok(Estimate {
            correlation: self.id.to_owned(),
            value,
            unit: self.unit.to_owned(),
            relative_error: self.relative_error,
            warnings: self.outside(values),
        })
    }
}

/// A value that must be positive and finite is not.
pub(super) fn not_positive(field: &str, [ja, en]: [&str; 2], value: f64) -> Error {
    Error::input(
        "E-SCALE-002",
        format!("{ja}は正の有限の数です: {value}"),
        format!("the {} is a positive finite number, not {value}", en.to_lowercase()),
    )
    .at(Place::field(field))
    .hint("値と単位を確認してください", "check the value and its unit")
}
