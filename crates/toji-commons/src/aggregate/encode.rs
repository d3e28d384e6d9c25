//! Numbers as words modulo 2⁶⁴ and back.

use crate::privacy::{Bytes, Mechanism};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// Most slots of a vector.
const SLOTS_MAX: usize = 1_000_000;
/// Most bits of a slot's range.
const BITS_MAX: u32 = 56;

/// How a vector is written: slot i holds numbers from −limit to limit in steps of 2^(⌈log₂ limit⌉ − bits).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Encoding {
    /// Greatest size of each slot, in whatever unit the slot has.
    pub limits: Vec<f64>,
    /// Steps from zero to the limit, as a power of two: 52 keeps what a double has at the limit.
    pub bits: u32,
}

/// A vector as whole steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input(pub(super) Vec<i64>);

impl Input {
    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[i64] {
        &self.0
    }

    /// The same with noise on every slot, in steps.
    ///
    /// # Errors
    /// Noise that cannot be drawn.
    pub fn noised(mut self, mechanism: Mechanism, bytes: &mut impl Bytes) -> Result<Self> {
        for step in &mut self.0 {
            *step = step.wrapping_add(mechanism.draw(bytes)?);
        }
        Ok(self)
    }
}

impl Encoding {
    /// One limit for all slots.
    #[must_use]
    pub fn even(slots: usize, limit: f64, bits: u32) -> Self {
        Self { limits: vec![limit; slots], bits }
    }

    /// The size of a step of a slot.
    #[must_use]
    pub fn step(&self, slot: usize) -> f64 {
        self.limits.get(slot).map_or(0.0, |limit| exp2(exponent(*limit) - self.bits.cast_signed()))
    }

    pub(super) fn check(&self, members: usize) -> Result<()> {
        let fine =
            |limit: &f64| limit.is_finite() && *limit >= f64::MIN_POSITIVE && exponent(*limit) <= 900 && exponent(*limit) >= -900;
        let slots = (1..=SLOTS_MAX).contains(&self.limits.len()) && self.limits.iter().all(fine);
        // One bit for the sign and one spare for noise.
        if slots && self.bits <= BITS_MAX && (members as u64) << self.bits <= 1 << 62 {
            return Ok(());
        }
        Err(Error::input(
            "E-AGGREGATE-001",
            format!(
                "数の表し方が範囲外です(桁 {BITS_MAX} ビット以下で全員の和が 62 ビット以内、要素 {SLOTS_MAX} 以下、上限は正)"
            ),
            format!("numbers cannot be written so: at most {BITS_MAX} bits, 62 for the sum, {SLOTS_MAX} slots, positive limits"),
        )
        .at(Place::field("encoding"))
        .hint("ビット数を減らすか、上限を正の有限の値にしてください", "take fewer bits, or positive finite limits"))
    }

    /// Writes a vector.
    ///
    /// # Errors
    /// A slot too many or too few, no number, or a number beyond its limit: it is refused, never wrapped or cut.
    pub fn encode(&self, values: &[f64]) -> Result<Input> {
        let fault = |field: String, ja: String, en: String| {
            Error::input("E-AGGREGATE-002", ja, en).at(Place::field(field)).hint(
                "セッションの要素数と上限に合わせるか、上限を改めて全員でやり直してください",
                "keep to the slots and limits of the session, or let all begin again with other limits",
            )
        };
        if values.len() != self.limits.len() {
            let (n, slots) = (values.len(), self.limits.len());
            return Err(fault(
                "values".into(),
                format!("要素が {n} 個で、{slots} 個ではありません"),
                format!("{n} slots, not {slots}"),
            ));
        }
        let mut steps = Vec::with_capacity(values.len());
        for (slot, (value, limit)) in values.iter().zip(&self.limits).enumerate() {
            // Also when it is no number.
            if value.abs() > *limit || value.is_nan() {
                return Err(fault(
                    format!("values[{slot}]"),
                    format!("要素 {slot} の値が ±{limit} の範囲にありません"),
                    format!("slot {slot} is not within ±{limit}"),
                ));
            }
            steps.push(libm::rint(value / self.step(slot)) as i64);
        }
        Ok(Input(steps))
    }

    /// Reads a sum.
    pub(super) fn decode(&self, words: &[u64]) -> Vec<f64> {
        words.iter().enumerate().map(|(slot, word)| word.cast_signed() as f64 * self.step(slot)).collect()
    }
}

/// ⌈log₂⌉ of a positive number.
fn exponent(limit: f64) -> i32 {
    let (fraction, exponent) = libm::frexp(limit);
    if fraction == 0.5 { exponent - 1 } else { exponent }
}

fn exp2(exponent: i32) -> f64 {
    libm::ldexp(1.0, exponent)
}
