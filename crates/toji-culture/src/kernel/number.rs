//! What a tape is evaluated in: numbers, numbers with their derivatives, and several numbers side by side.

use super::elementary::{Elementary, Plain};
use super::exponential::exponentials;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// <
    Less,
    /// ≤
    LessOrEqual,
    /// =
    Equal,
    /// ≠
    NotEqual,
}

impl Relation {
    /// 1 where it holds, else 0.
    #[must_use]
    pub fn holds(self, a: f64, b: f64) -> f64 {
        let holds = match self {
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Equal => a == b,
            Self::NotEqual => a != b,
        };
        if holds { 1.0 } else { 0.0 }
    }
}

/// A number of some sort.
pub trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self> + 'static
{
    /// A plain number.
    fn of(value: f64) -> Self;
    /// Its plain values, one a lane.
    fn lanes(&self) -> &[f64];
    /// A function of it.
    #[must_use]
    fn elementary(self, function: Elementary) -> Self;
    /// It to a power.
    #[must_use]
    fn power(self, exponent: Self) -> Self;
    /// 1 where the comparison holds, else 0.
    #[must_use]
    fn test(self, relation: Relation, other: Self) -> Self;
    /// `yes` where the condition is not 0, else `no`.
    #[must_use]
    fn choose(condition: Self, yes: Self, no: Self) -> Self;
    /// The instant `t` at which something of value 0 and slope `slope` in time happens: plain numbers stay, derivatives
    /// are those of the root.
    #[must_use]
    fn root(t: f64, value: Self, slope: Self) -> Self;

    /// The value of the first lane.
    fn value(self) -> f64 {
        self.lanes()[0]
    }
    /// Absolute value, without derivatives.
    #[must_use]
    fn size(self) -> Self;
    /// Changes places with another, in one lane.
    fn exchange(&mut self, other: &mut Self, _lane: usize) {
        std::mem::swap(self, other);
    }
    /// 0 in every lane and every derivative.
    fn is_nothing(self) -> bool;
    /// Not 0 in the first lane.
    fn is_true(self) -> bool {
        self.value() != 0.0
    }
    /// The greatest of the lanes' absolute values; NaN if one is.
    fn magnitude(self) -> f64 {
        self.lanes().iter().fold(0.0, |most: f64, v| if v.is_nan() || most.is_nan() { f64::NAN } else { most.max(v.abs()) })
    }
}

impl Number for f64 {
    fn of(value: f64) -> Self {
        value
    }
    fn lanes(&self) -> &[f64] {
        std::slice::from_ref(self)
    }
    fn elementary(self, function: Elementary) -> Self {
        function.value(self)
    }
    fn power(self, exponent: Self) -> Self {
        libm::pow(self, exponent)
    }
    fn test(self, relation: Relation, other: Self) -> Self {
        relation.holds(self, other)
    }
    fn choose(condition: Self, yes: Self, no: Self) -> Self {
        if condition != 0.0 { yes } else { no }
    }
    fn root(t: f64, _: Self, _: Self) -> Self {
        t
    }
    fn size(self) -> Self {
        self.abs()
    }
    fn is_nothing(self) -> bool {
        self == 0.0
    }
    fn value(self) -> f64 {
        self
    }
    fn magnitude(self) -> f64 {
        self.abs()
    }
}

/// A number with its derivatives in `K` directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dual<const K: usize> {
    /// The number.
    pub value: f64,
    /// Its derivatives.
    pub slopes: [f64; K],
}

impl<const K: usize> Dual<K> {
    /// The number `value` that is itself direction `k`.
    #[must_use]
    pub fn along(value: f64, k: usize) -> Self {
        let mut slopes = [0.0; K];
        if let Some(slope) = slopes.get_mut(k) {
            *slope = 1.0;
        }
        Self { value, slopes }
    }

    fn scaled(value: f64, slopes: [f64; K], by: f64) -> Self {
        // A direction that does not matter stays 0 even where the slope is infinite.
        Self { value, slopes: slopes.map(|s| if s == 0.0 { 0.0 } else { s * by }) }
    }
}

impl<const K: usize> Add for Dual<K> {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self.value += other.value;
        for k in 0..K {
            self.slopes[k] += other.slopes[k];
        }
        self
    }
}
impl<const K: usize> Sub for Dual<K> {
    type Output = Self;
    fn sub(mut self, other: Self) -> Self {
        self.value -= other.value;
        for k in 0..K {
            self.slopes[k] -= other.slopes[k];
        }
        self
    }
}
impl<const K: usize> Mul for Dual<K> {
    type Output = Self;
    #[expect(clippy::suspicious_arithmetic_impl, reason = "the rule of products")]
    fn mul(self, other: Self) -> Self {
        let slopes = std::array::from_fn(|k| self.slopes[k] * other.value + self.value * other.slopes[k]);
        Self { value: self.value * other.value, slopes }
    }
}
impl<const K: usize> Div for Dual<K> {
    type Output = Self;
    #[expect(clippy::suspicious_arithmetic_impl, reason = "the rule of quotients")]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self { value, slopes: std::array::from_fn(|k| (self.slopes[k] - value * other.slopes[k]) / other.value) }
    }
}
impl<const K: usize> Neg for Dual<K> {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, slopes: self.slopes.map(|s| -s) }
    }
}

impl<const K: usize> Number for Dual<K> {
    fn of(value: f64) -> Self {
        Self { value, slopes: [0.0; K] }
    }
    fn lanes(&self) -> &[f64] {
        std::slice::from_ref(&self.value)
    }
    fn elementary(self, function: Elementary) -> Self {
        let value = function.value(self.value);
        Self::scaled(value, self.slopes, function.slope(&mut Plain, self.value, value))
    }
    fn power(self, exponent: Self) -> Self {
        let value = libm::pow(self.value, exponent.value);
        let by_base = exponent.value * libm::pow(self.value, exponent.value - 1.0);
        let by_exponent = if value == 0.0 { 0.0 } else { value * libm::log(self.value) };
        let (base, exponent) = (Self::scaled(0.0, self.slopes, by_base), Self::scaled(0.0, exponent.slopes, by_exponent));
        Self { value, slopes: std::array::from_fn(|k| base.slopes[k] + exponent.slopes[k]) }
    }
    fn test(self, relation: Relation, other: Self) -> Self {
        Self::of(relation.holds(self.value, other.value))
    }
    fn choose(condition: Self, yes: Self, no: Self) -> Self {
        if condition.value != 0.0 { yes } else { no }
    }
    fn size(self) -> Self {
        Self::of(self.value.abs())
    }
    fn is_nothing(self) -> bool {
        self.value == 0.0 && self.slopes.iter().all(|s| *s == 0.0)
    }
    fn root(t: f64, value: Self, slope: Self) -> Self {
        Self { value: t, slopes: value.slopes.map(|s| if s == 0.0 { 0.0 } else { -s / slope.value }) }
    }
}

/// `L` numbers side by side, each on its own but for the choices of the solver that are common to all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lanes<const L: usize>(pub [f64; L]);

impl<const L: usize> Lanes<L> {
    #[inline(always)]
    fn zip(mut self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        for l in 0..L {
            self.0[l] = f(self.0[l], other.0[l]);
        }
        self
    }
}

impl<const L: usize> Add for Lanes<L> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}
impl<const L: usize> Sub for Lanes<L> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}
impl<const L: usize> Mul for Lanes<L> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}
impl<const L: usize> Div for Lanes<L> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
}
impl<const L: usize> Neg for Lanes<L> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(self.0.map(|a| -a))
    }
}

impl<const L: usize> Number for Lanes<L> {
    #[inline(always)]
    fn of(value: f64) -> Self {
        Self([value; L])
    }
    #[inline(always)]
    fn lanes(&self) -> &[f64] {
        &self.0
    }
    #[inline(always)]
    fn elementary(self, function: Elementary) -> Self {
        if function == Elementary::Exp {
            return Self(exponentials(self.0));
        }
        Self(self.0.map(|a| function.value(a)))
    }
    fn power(self, exponent: Self) -> Self {
        self.zip(exponent, libm::pow)
    }
    #[inline(always)]
    fn test(self, relation: Relation, other: Self) -> Self {
        // Each comparison on all lanes at once.
        match relation {
            Relation::Less => self.zip(other, |a, b| Relation::Less.holds(a, b)),
            Relation::LessOrEqual => self.zip(other, |a, b| Relation::LessOrEqual.holds(a, b)),
            Relation::Equal => self.zip(other, |a, b| Relation::Equal.holds(a, b)),
            Relation::NotEqual => self.zip(other, |a, b| Relation::NotEqual.holds(a, b)),
        }
    }
    #[inline(always)]
    fn choose(condition: Self, yes: Self, no: Self) -> Self {
        let mut chosen = no;
        for l in 0..L {
            chosen.0[l] = if condition.0[l] != 0.0 { yes.0[l] } else { no.0[l] };
        }
        chosen
    }
    fn root(t: f64, _: Self, _: Self) -> Self {
        Self::of(t)
    }
    #[inline(always)]
    fn size(self) -> Self {
        Self(self.0.map(f64::abs))
    }
    #[inline(always)]
    fn exchange(&mut self, other: &mut Self, lane: usize) {
        std::mem::swap(&mut self.0[lane], &mut other.0[lane]);
    }
    #[inline(always)]
    fn is_nothing(self) -> bool {
        self.0.iter().all(|v| *v == 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_of_products_quotients_and_powers() {
        let (x, y) = (1.7, 0.6);
        let at = |x: f64, y: f64| x * y / (x + y) + libm::pow(x, y);
        let (dx, dy) = (Dual::<2>::along(x, 0), Dual::<2>::along(y, 1));
        let z = dx * dy / (dx + dy) + dx.power(dy);
        let h = 1e-6;
        assert!((z.value - at(x, y)).abs() < 1e-15);
        assert!((z.slopes[0] - (at(x + h, y) - at(x - h, y)) / (2.0 * h)).abs() < 1e-8);
        assert!((z.slopes[1] - (at(x, y + h) - at(x, y - h)) / (2.0 * h)).abs() < 1e-8);
    }

    #[test]
    fn lanes_are_numbers_side_by_side() {
        let a = Lanes([1.0, 2.0, 3.0]);
        let b = Lanes([4.0, 0.5, 3.0]);
        assert_eq!((a * b + a).0, [5.0, 3.0, 12.0]);
        assert_eq!(Lanes::choose(a.test(Relation::Less, b), a, b).0, [1.0, 0.5, 3.0]);
        assert_eq!(a.power(b).0, [1.0, libm::pow(2.0, 0.5), 27.0]);
        assert!(Lanes([1.0, f64::NAN]).magnitude().is_nan());
    }
}
