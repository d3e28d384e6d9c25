//! Questions whose sensitivity is stated: counts, bounded sums, bounded means.

use super::amount::NANO;
use super::budget::Loss;
use super::sample::{Fraction, Mechanism};
use super::stream::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Error, Id, Place, Result, Text};

/// Largest bound, in the smallest unit of the value.
const BOUND_MAX: i64 = 1_000_000_000_000;
/// Most rows of one protected unit.
const ROWS_MAX: u32 = 1_000_000;

/// Whose presence or absence nobody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protected {
    /// One run.
    Run,
    /// One member, with all it has.
    Member,
}

/// What is asked. Values are whole numbers of the smallest unit; they are clamped to the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "statistic", rename_all = "kebab-case")]
pub enum Statistic {
    /// How many rows.
    Count,
    /// Sum of values.
    Sum {
        /// Least value.
        low: i64,
        /// Greatest value.
        high: i64,
    },
    /// Mean of values: a sum about the middle of the bounds and a count, half of the loss each.
    Mean {
        /// Least value.
        low: i64,
        /// Greatest value.
        high: i64,
    },
}

/// A question. Data are neighbours when one has one protected unit more than the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// Over what, in words: the table and its filter. They must not depend on the data.
    pub about: Text,
    /// What.
    pub statistic: Statistic,
    /// Whom it protects.
    pub protected: Protected,
    /// Rows of one protected unit that count, the first ones; the others are left out.
    pub rows_max: u32,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The protected unit that it is of.
    pub unit: Id,
    /// Value, in the smallest unit.
    pub value: i64,
}

/// A figure with noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Noisy {
    /// The figure.
    pub value: f64,
    /// The noise lies within ± this with at least 95 % chance.
    pub margin_95: f64,
}

/// An answer. Computing with its figures costs nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// A count.
    Count {
        /// Rows.
        count: Noisy,
    },
    /// A sum.
    Sum {
        /// Sum, in the smallest unit.
        sum: Noisy,
    },
    /// A mean.
    Mean {
        /// Mean, in the smallest unit, within the bounds.
        mean: f64,
        /// What it was computed from: the sum of values less the middle of the bounds.
        about_middle: Noisy,
        /// And the count.
        count: Noisy,
    },
}

impl Question {
    /// Sensitivity of each figure, in the steps its noise is drawn in: how far one protected unit can move it.
    ///
    /// # Errors
    /// Bounds that are none or too wide, or no rows.
    pub fn sensitivities(&self) -> Result<Vec<u64>> {
        let rows = u64::from(self.rows_max);
        let bounds = |low: i64, high: i64| low < high && low >= -BOUND_MAX && high <= BOUND_MAX;
        let fine = (1..=ROWS_MAX).contains(&self.rows_max)
            && match self.statistic {
                Statistic::Count => true,
                Statistic::Sum { low, high } | Statistic::Mean { low, high } => bounds(low, high),
            };
        if !fine {
            return Err(Error::input(
                "E-PRIVACY-010",
                format!("範囲は下限 < 上限で ±{BOUND_MAX} 以内、単位あたりの行数は 1 から {ROWS_MAX} です"),
                format!("bounds are low < high within ±{BOUND_MAX}, rows of one unit 1 to {ROWS_MAX}"),
            )
            .at(Place::field("statistic"))
            .hint(
                "データを見ずに決まる範囲(測定範囲など)を指定してください",
                "state bounds that are known without the data, such as the range of the instrument",
            ));
        }
        Ok(match self.statistic {
            Statistic::Count => vec![rows],
            Statistic::Sum { low, high } => vec![rows * low.unsigned_abs().max(high.unsigned_abs())],
            // Twice the distance from the middle is a whole number, at most high − low.
            Statistic::Mean { low, high } => vec![rows * high.abs_diff(low), rows],
        })
    }

    /// The noise of each figure that makes the whole answer lose this much.
    ///
    /// # Errors
    /// As [`Question::sensitivities`]; noise beyond what can be drawn.
    pub fn mechanisms(&self, loss: Loss) -> Result<Vec<Mechanism>> {
        let sensitivities = self.sensitivities()?;
        let (parts, nano) = (sensitivities.len() as u128, u128::from(NANO));
        let mechanism = |sensitivity: &u64| {
            let far = u128::from(*sensitivity);
            Ok(match loss {
                // Scale Δ / (ε / parts).
                Loss::Pure { epsilon } => {
                    Mechanism::DiscreteLaplace { scale: Fraction::at_least(far * nano * parts, u128::from(epsilon.0))? }
                }
                // σ² = Δ² / 2 (ρ / parts).
                Loss::Concentrated { rho } => {
                    let square = far.checked_mul(far).and_then(|s| s.checked_mul(nano * parts)).unwrap_or(u128::MAX);
                    Mechanism::DiscreteGaussian { variance: Fraction::at_least(square, 2 * u128::from(rho.0))? }
                }
            })
        };
        sensitivities.iter().map(mechanism).collect()
    }

    /// The question in words, for the statement.
    #[must_use]
    pub fn words(&self) -> Text {
        let (rows, about) = (self.rows_max, &self.about);
        let what = match self.statistic {
            Statistic::Count => Text::new("件数", "count"),
            Statistic::Sum { low, high } => {
                Text::new(format!("合計({low}〜{high} の範囲)"), format!("sum within {low} to {high}"))
            }
            Statistic::Mean { low, high } => {
                Text::new(format!("平均({low}〜{high} の範囲)"), format!("mean within {low} to {high}"))
            }
        };
        Text::new(
            format!("{}の{}(一単位につき最大 {rows} 行)", about.ja, what.ja),
            format!("{} of {} (at most {rows} rows a unit)", what.en, about.en),
        )
    }

    /// Draws the answer. The caller has charged it.
    pub(super) fn answer(&self, rows: &[Row], mechanisms: &[Mechanism], bytes: &mut impl Bytes) -> Result<Answer> {
        let mut taken: BTreeMap<&Id, u32> = BTreeMap::new();
        let (mut count, mut sum) = (0i128, 0i128);
        for row in rows {
            let of_unit = taken.entry(&row.unit).or_insert(0);
            if *of_unit == self.rows_max {
                continue;
            }
            *of_unit += 1;
            count += 1;
            sum += match self.statistic {
                Statistic::Count => 0,
                Statistic::Sum { low, high } => i128::from(row.value.clamp(low, high)),
                Statistic::Mean { low, high } => 2 * i128::from(row.value.clamp(low, high)) - i128::from(low) - i128::from(high),
            };
        }
        let mut noisy = |at: usize, exact: i128, step: f64| -> Result<Noisy> {
            let mechanism = mechanisms.get(at).ok_or_else(|| Error::bug("E-PRIVACY-006", "a figure without noise"))?;
            let value = exact + i128::from(mechanism.draw(bytes)?);
            Ok(Noisy { value: value as f64 * step, margin_95: mechanism.margin_95() * step })
        };
        Ok(match self.statistic {
            Statistic::Count => Answer::Count { count: noisy(0, count, 1.0)? },
            Statistic::Sum { .. } => Answer::Sum { sum: noisy(0, sum, 1.0)? },
            Statistic::Mean { low, high } => {
                let (about_middle, count) = (noisy(0, sum, 0.5)?, noisy(1, count, 1.0)?);
                let (low, high) = (low as f64, high as f64);
                let mean = f64::midpoint(low, high) + about_middle.value / count.value.max(1.0);
                Answer::Mean { mean: mean.clamp(low, high), about_middle, count }
            }
        })
    }
}
