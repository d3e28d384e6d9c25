//! What a point says, in the form in which it is kept and compared: digits as an integer and its scale, a binary
//! number, or no number with the text that stood there.

use crate::series::number;
use toji_core::culture::{Points, SCALE_MAX};
use toji_core::live::Said;
use toji_core::value::NumberStyle;
use toji_core::{Cause, Quality, Status, Value, ValueKind};

/// The number of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// `mantissa × 10^-scale`, exactly as written.
    Scaled {
        /// Digits.
        mantissa: i64,
        /// Digits after the point, at most [`SCALE_MAX`].
        scale: u8,
    },
    /// A binary number.
    Float(f64),
    /// None; the text says what stood there.
    None,
}

impl Number {
    /// The nearest double.
    pub(super) fn value(self) -> Option<f64> {
        match self {
            Self::Scaled { mantissa, scale } => number(mantissa, scale),
            Self::Float(value) => Some(value),
            Self::None => None,
        }
    }
}

/// One point of one channel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    /// Source time, nanoseconds since 1970.
    pub(super) t_ns: i64,
    /// Number.
    pub(super) number: Number,
    /// Packed quality.
    pub(super) quality: u16,
    /// What stood there when it was not a number.
    pub(super) text: Option<String>,
}

impl Cell {
    /// The point as it is kept. What is not a number keeps its text and gets a flag, unless the source flagged it.
    pub(super) fn of(t_ns: i64, said: &Said, quality: u16) -> Self {
        let number = match said {
            Said::Number(value) if value.is_finite() => Number::Float(*value),
            Said::Number(value) => return Self::word(t_ns, &value.to_string(), quality),
            Said::Digits(digits) => match digits_of(digits.trim()) {
                Some(number) => number,
                None => return Self::word(t_ns, digits, quality),
            },
            Said::Text(text) => return Self::word(t_ns, text, quality),
        };
        Self { t_ns, number, quality, text: None }
    }

    fn word(t_ns: i64, text: &str, quality: u16) -> Self {
        let flag = match Value::parse(text).kind {
            ValueKind::LessThan | ValueKind::BelowDetection => Quality::source(Status::BelowDetection, Cause::Range),
            ValueKind::GreaterThan => Quality::source(Status::AboveRange, Cause::Range),
            _ => Quality::source(Status::Bad, Cause::NotANumber),
        };
        let quality = if quality == 0 { flag.pack() } else { quality };
        Self { t_ns, number: Number::None, quality, text: Some(text.to_owned()) }
    }

    /// Do two points say the same?
    pub(super) fn same_as(&self, other: &Self) -> bool {
        let bits = |c: &Self| c.number.value().map(f64::to_bits);
        bits(self) == bits(other) && self.quality == other.quality && self.text == other.text
    }
}

fn digits_of(digits: &str) -> Option<Number> {
    let decimal = NumberStyle::Point.read(digits)?;
    let scale = u8::try_from(decimal.scale.max(0)).ok().filter(|s| *s <= SCALE_MAX);
    let exact = scale.and_then(|scale| Some(Number::Scaled { mantissa: decimal.at_scale(i32::from(scale))?, scale }));
    let exact = exact.filter(|n| !matches!(n, Number::Scaled { mantissa: Points::NO_NUMBER, .. }));
    Some(exact.unwrap_or_else(|| Number::Float(decimal.to_f64())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stay_digits_and_words_keep_their_text() {
        let check = |said: Said, number: Number, text: Option<&str>, flag: u16| {
            let cell = Cell::of(7, &said, 0);
            assert_eq!((cell.number, cell.text.as_deref(), cell.quality), (number, text, flag), "{said:?}");
        };
        let digits = |d: &str| Said::Digits(d.to_owned());
        let bad = Quality::source(Status::Bad, Cause::NotANumber).pack();
        check(digits("7.020"), Number::Scaled { mantissa: 7020, scale: 3 }, None, 0);
        check(digits("-1e3"), Number::Scaled { mantissa: -1000, scale: 0 }, None, 0);
        check(digits("0.12345678901"), Number::Float(0.123_456_789_01), None, 0);
        check(digits("RUN"), Number::None, Some("RUN"), bad);
        check(Said::Number(7.02), Number::Float(7.02), None, 0);
        check(Said::Number(f64::NAN), Number::None, Some("NaN"), bad);
        check(
            Said::Text("<0.5".into()),
            Number::None,
            Some("<0.5"),
            Quality::source(Status::BelowDetection, Cause::Range).pack(),
        );
        assert_eq!(Cell::of(7, &Said::Text("off".into()), 0x21).quality, 0x21, "the source's own flag stays");
        assert!(Cell::of(7, &digits("7.020"), 0).same_as(&Cell::of(7, &Said::Number(7.02), 0)));
    }
}
