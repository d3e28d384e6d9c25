//! Gas taken up: solubility, transfer against kinetics, balances from what goes in and comes out, and readings of
//! different sensors brought to one state so that they can be compared.
//!
//! The one state is dry gas, in moles. A litre or a per cent without its temperature, pressure and humidity is not
//! comparable with another one, so each is asked for.

pub mod balance;
pub mod henry;
pub mod sensor;
pub mod transfer;

use serde::{Deserialize, Serialize};

/// A value with its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Known {
    /// Value.
    ///
    /// 値。
    pub value: f64,
    /// Standard error.
    ///
    /// 標準不確かさ。
    pub error: f64,
}

impl Known {
    /// A value with its standard error.
    #[must_use]
    pub fn new(value: f64, error: f64) -> Self {
        Self { value, error }
    }
    /// A value that is exact here.
    #[must_use]
    pub fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }
    /// Difference from another one in standard errors of the difference; infinite when both are exact and differ.
    #[must_use]
    pub fn apart(self, other: Self) -> f64 {
        let (gap, error) = ((self.value - other.value).abs(), self.error.hypot(other.error));
        if gap == 0.0 { 0.0 } else { gap / error }
    }
}

/// First-order propagation of independent errors through a function, by central differences.
pub(crate) fn propagate(inputs: &[Known], of: impl Fn(&[f64]) -> f64) -> Known {
    let values: Vec<f64> = inputs.iter().map(|k| k.value).collect();
    let mut variance = 0.0;
    for (i, input) in inputs.iter().enumerate().filter(|(_, k)| k.error > 0.0) {
        let step = 1e-3 * input.error;
        let mut moved = values.clone();
        moved[i] = input.value + step;
        let high = of(&moved);
        moved[i] = input.value - step;
        let slope = (high - of(&moved)) / (2.0 * step);
        variance += (slope * input.error).powi(2);
    }
    Known { value: of(&values), error: variance.sqrt() }
}
