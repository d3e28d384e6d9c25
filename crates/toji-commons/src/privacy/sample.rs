//! Exact sampling (Canonne, Kamath, Steinke 2020, Algorithms 1 to 3), with whole numbers only.

use super::stream::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Category, Error, Place, Result};

/// Largest numerator and denominator: what makes every product below fit 128 bits.
const PART_MAX: u64 = 1 << 55;

/// A positive fraction in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "(u64, u64)", into = "(u64, u64)")]
pub struct Fraction {
    over: u64,
    under: u64,
}

impl Fraction {
    /// `over / under`, or, where that is too long to be computed with, the next whole number above it: noise only
    /// ever gets wider.
    ///
    /// # Errors
    /// Zero, no number, or above 2⁵⁵.
    pub fn at_least(over: u128, under: u128) -> Result<Self> {
        if over == 0 || under == 0 {
            return Err(out_of_range());
        }
        let common = gcd(over, under);
        let (over, under) = (over / common, under / common);
        let max = u128::from(PART_MAX);
        let (over, under) = if over > max || under > max { (over.div_ceil(under), 1) } else { (over, under) };
        match (u64::try_from(over), u64::try_from(under)) {
            (Ok(over), Ok(under)) if over <= PART_MAX => Ok(Self { over, under }),
            _ => Err(out_of_range()),
        }
    }

    /// Numerator and denominator.
    #[must_use]
    pub fn parts(self) -> (u64, u64) {
        (self.over, self.under)
    }

    /// As a number.
    #[must_use]
    pub fn value(self) -> f64 {
        self.over as f64 / self.under as f64
    }
}

impl TryFrom<(u64, u64)> for Fraction {
    type Error = Error;
    fn try_from((over, under): (u64, u64)) -> Result<Self> {
        Self::at_least(u128::from(over), u128::from(under))
    }
}

impl From<Fraction> for (u64, u64) {
    fn from(fraction: Fraction) -> Self {
        fraction.parts()
    }
}

/// What noise is added, in the smallest unit of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "mechanism", rename_all = "kebab-case")]
pub enum Mechanism {
    /// P(x) ∝ exp(−|x| / scale).
    DiscreteLaplace {
        /// Scale.
        scale: Fraction,
    },
    /// P(x) ∝ exp(−x² / 2 variance).
    DiscreteGaussian {
        /// The parameter σ²; the variance of the noise is at most this.
        variance: Fraction,
    },
}

impl Mechanism {
    /// One draw.
    ///
    /// # Errors
    /// Never in practice: a draw some thousand scales from zero.
    pub fn draw(self, bytes: &mut impl Bytes) -> Result<i64> {
        match self {
            Self::DiscreteLaplace { scale } => discrete_laplace(scale, bytes),
            Self::DiscreteGaussian { variance } => discrete_gaussian(variance, bytes),
        }
    }

    /// Half of an interval that holds the noise with at least 95 % chance: by the tail of the discrete Laplace
    /// distribution, P(|x| ≥ m) = 2 q^m / (1 + q) with q = exp(−1 / scale), or by that of a Gaussian, which bounds
    /// the discrete one up to one step.
    #[must_use]
    pub fn margin_95(self) -> f64 {
        match self {
            Self::DiscreteLaplace { scale } => {
                let q = libm::exp(-1.0 / scale.value());
                libm::fmax(libm::ceil(scale.value() * libm::log(2.0 / (0.05 * (1.0 + q)))) - 1.0, 0.0)
            }
            Self::DiscreteGaussian { variance } => libm::ceil(1.959_964 * libm::sqrt(variance.value())),
        }
    }
}

/// A draw of the discrete Laplace distribution of this scale (Algorithm 2).
///
/// # Errors
/// As [`Mechanism::draw`].
pub fn discrete_laplace(scale: Fraction, bytes: &mut impl Bytes) -> Result<i64> {
    let (t, s) = (u128::from(scale.over), u128::from(scale.under));
    loop {
        let u = below(t, bytes);
        if !chance_exp(u, t, bytes) {
            continue;
        }
        let mut v: u128 = 0;
        while chance_exp(1, 1, bytes) {
            v += 1;
        }
        let size = i64::try_from((u + t * v) / s).map_err(|_| beyond())?;
        let negative = below(2, bytes) == 1;
        match (negative, size) {
            (true, 0) => {}
            (true, _) => return Ok(-size),
            (false, _) => return Ok(size),
        }
    }
}

/// A draw of the discrete Gaussian distribution of this σ² (Algorithm 3).
///
/// # Errors
/// As [`Mechanism::draw`].
pub fn discrete_gaussian(variance: Fraction, bytes: &mut impl Bytes) -> Result<i64> {
    let (n, d) = (u128::from(variance.over), u128::from(variance.under));
    let t = (n / d).isqrt() + 1;
    let laplace = Fraction::at_least(t, 1)?;
    // exp(−(|y| − σ²/t)² / 2σ²) with σ² = n/d: the square of |y| d t − n over 2 n d t².
    let under = 2 * n * d * t * t;
    loop {
        let y = discrete_laplace(laplace, bytes)?;
        let far = (u128::from(y.unsigned_abs())).checked_mul(d * t).ok_or_else(beyond)?;
        let over = far.abs_diff(n).checked_pow(2).ok_or_else(beyond)?;
        if chance_exp(over, under, bytes) {
            return Ok(y);
        }
    }
}

/// True with chance exp(−over / under) (Algorithm 1).
fn chance_exp(over: u128, under: u128, bytes: &mut impl Bytes) -> bool {
    for _ in 0..over / under {
        if !chance_exp_small(1, 1, bytes) {
            return false;
        }
    }
    chance_exp_small(over % under, under, bytes)
}

/// The same for over ≤ under. A chance of γ/k is a chance of γ and, apart from it, one of 1/k.
fn chance_exp_small(over: u128, under: u128, bytes: &mut impl Bytes) -> bool {
    let mut k: u128 = 1;
    while below(under, bytes) < over && below(k, bytes) == 0 {
        k += 1;
    }
    k % 2 == 1
}

/// Uniform among 0 … n − 1, by drawing again what does not fit.
fn below(n: u128, bytes: &mut impl Bytes) -> u128 {
    let bits = u128::BITS - n.saturating_sub(1).leading_zeros();
    if bits == 0 {
        return 0;
    }
    let mask = u128::MAX >> (u128::BITS - bits);
    let mut word = [0; 16];
    let taken = bits.div_ceil(8) as usize;
    loop {
        bytes.fill(&mut word[..taken]);
        let drawn = u128::from_le_bytes(word) & mask;
        if drawn < n {
            return drawn;
        }
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn out_of_range() -> Error {
    Error::new(
        Category::Limit,
        "E-PRIVACY-002",
        "雑音の尺度が計算できる範囲(正、2⁵⁵ 以下)にありません",
        "the scale of the noise is not within what can be drawn (positive, at most 2^55)",
    )
    .at(Place::field("scale"))
    .hint("値の単位を粗くするか、範囲を狭めてください", "take a coarser unit or narrower bounds")
}

fn beyond() -> Error {
    Error::bug("E-PRIVACY-003", "a draw of noise beyond 64 bits")
}
