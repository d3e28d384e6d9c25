//! Amounts of privacy, in billionths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use toji_core::{Error, Place, Result};

/// Billionths in one.
pub const NANO: u64 = 1_000_000_000;
/// Largest amount: a thousand. No promise is left long before.
const AMOUNT_MAX: u64 = 1_000 * NANO;

/// An ε, ρ or δ in billionths (no unit). Sums are exact; whatever is computed is rounded up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Nano(pub u64);

impl Nano {
    /// The least amount that is not below a number.
    ///
    /// # Errors
    /// Not a number between 0 and 1,000.
    pub fn at_least(value: f64) -> Result<Self> {
        let nano = libm::ceil(value * NANO as f64);
        if (0.0..=AMOUNT_MAX as f64).contains(&nano) {
            return Ok(Self(nano as u64));
        }
        Err(Error::input(
            "E-PRIVACY-001",
            format!("プライバシー損失 {value} は 0 から 1000 の範囲にありません"),
            format!("a loss of privacy of {value} is not within 0 to 1000"),
        )
        .at(Place::field("loss"))
        .hint(
            "ε は 0.01〜10、ρ は 0.0001〜1 程度で指定してください",
            "state an epsilon of about 0.01 to 10, or a rho of about 0.0001 to 1",
        ))
    }

    /// As a number.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0 as f64 / NANO as f64
    }

    /// Sum, at most as large as can be written.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }

    /// What is left after taking this much.
    #[must_use]
    pub fn less(self, taken: Self) -> Self {
        Self(self.0.saturating_sub(taken.0))
    }
}

impl fmt::Display for Nano {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value())
    }
}
