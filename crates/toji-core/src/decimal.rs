//! Numbers as they were written: digits and exponent, nothing rounded.
//!
//! `136.229` mg/L is `0.136229` g/L, not `0.13622900000000002`: a power-of-ten conversion moves the
//! decimal point of the text.

use std::fmt;

/// Powers of ten that a double holds exactly.
const EXACT_TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
    1e22,
];

/// An exact decimal number `mantissa × 10^-scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// All digits as an integer.
    pub mantissa: i128,
    /// Digits after the decimal point (negative for trailing zeros of an exponent form).
    pub scale: i32,
}

impl Decimal {
    /// Reads `-12.50`, `1e-3`, `.5`, `5.`; no separators, no white space. `None` if it is not a plain
    /// decimal number, has more than 36 digits, or is too large or too near zero for a double.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, number) = match number.as_bytes().first()? {
            b'-' => (true, &number[1..]),
            b'+' => (false, &number[1..]),
            _ => (false, number),
        };
        let (mut mantissa, mut scale, mut digits, mut point) = (0i128, 0i32, 0u32, false);
        for byte in number.bytes() {
            match byte {
                b'0'..=b'9' => {
                    if digits >= 36 {
                        return None;
                    }
                    if mantissa != 0 || byte != b'0' {
                        digits += 1;
                    }
                    mantissa = mantissa * 10 + i128::from(byte - b'0');
                    scale += i32::from(point);
                }
                b'.' if !point => point = true,
                _ => return None,
            }
        }
        if number.is_empty() || number == "." {
            return None;
        }
        if scale > 400 || exponent.abs() > 400 {
            return None;
        }
        let read = Self { mantissa: if negative { -mantissa } else { mantissa }, scale: scale - exponent };
        // What no double holds would come back as infinity or zero: it is not read as a number at all.
        let far = read.mantissa != 0 && read.scale.unsigned_abs() > 250;
        (!far || (read.to_f64().is_finite() && read.to_f64() != 0.0)).then_some(read)
    }

    /// This number times `10^power`, exactly.
    #[must_use]
    pub fn shift(self, power: i32) -> Self {
        Self { scale: self.scale - power, ..self }
    }

    /// The nearest `f64`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "only mantissas that a double holds exactly")]
    pub fn to_f64(self) -> f64 {
        // Two exact doubles and one division: correctly rounded (Clinger's fast path).
        if self.mantissa.unsigned_abs() <= 1 << 53
            && let Some(ten) = usize::try_from(self.scale).ok().and_then(|s| EXACT_TENS.get(s))
        {
            return self.mantissa as f64 / ten;
        }
        format!("{}e{}", self.mantissa, -self.scale).parse().unwrap_or(f64::NAN)
    }

    /// The mantissa at another scale, if that loses nothing and fits.
    #[must_use]
    pub fn at_scale(self, scale: i32) -> Option<i64> {
        let mut mantissa = self.mantissa;
        let mut have = self.scale;
        while have < scale {
            mantissa = mantissa.checked_mul(10)?;
            have += 1;
        }
        while have > scale {
            if mantissa % 10 != 0 {
                return None;
            }
            mantissa /= 10;
            have -= 1;
            if mantissa == 0 {
                break;
            }
        }
        i64::try_from(mantissa).ok().filter(|m| *m != i64::MIN)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale <= 0 {
            let zeros = if self.mantissa == 0 { 0 } else { usize::try_from(-self.scale).unwrap_or(0) };
            return write!(f, "{}{}", self.mantissa, "0".repeat(zeros));
        }
        let scale = usize::try_from(self.scale).unwrap_or(0);
        let digits = format!("{:0>width$}", self.mantissa.unsigned_abs(), width = scale + 1);
        let (whole, part) = digits.split_at(digits.len() - scale);
        write!(f, "{}{whole}.{part}", if self.mantissa < 0 { "-" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn milligrams_to_grams_keep_their_digits() {
        let decimal = Decimal::parse("136.229").unwrap().shift(-3);
        assert_eq!(decimal.to_string(), "0.136229");
        assert_eq!(decimal.to_f64(), 0.136_229);
    }

    #[test]
    fn refuses_what_is_not_a_number() {
        for text in ["", ".", "-", "1,5", "1 2", "NaN", "1e", "--1", "0x1", "1e400", "2e-400", "9e308"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn f64_text_reads_back(value in any::<f64>().prop_filter("finite", |v| v.is_finite() && v.abs() < 1e15 && (v.abs() > 1e-15 || *v == 0.0))) {
            let text = format!("{value}");
            if let Some(decimal) = Decimal::parse(&text) {
                prop_assert_eq!(decimal.to_f64(), value);
                prop_assert_eq!(Decimal::parse(&decimal.to_string()).unwrap().to_f64(), value);
            }
        }
        #[test]
        fn shifting_there_and_back_is_nothing(mantissa in -1_000_000_000i64..1_000_000_000, scale in 0i32..9, power in -12i32..12) {
            let decimal = Decimal { mantissa: i128::from(mantissa), scale };
            prop_assert_eq!(decimal.shift(power).shift(-power), decimal);
        }
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") { let _ = Decimal::parse(&text); }
    }
}
