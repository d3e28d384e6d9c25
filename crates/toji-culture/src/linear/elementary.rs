//! Exponential and logarithm from sums, products and bits alone: the system's library picks its code by the
//! processor, and then the last bit of a fit, and with it the path of a search, would depend on the machine.

const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// 1.5·2⁵²: adding it rounds to the nearest whole number, which then stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// eˣ to within about one unit in the last place; 0 below −708, infinite above 709.
#[must_use]
pub fn exp(x: f64) -> f64 {
    if x < -708.0 {
        return 0.0;
    }
    if x > 709.0 {
        return f64::INFINITY;
    }
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    // Taylor's polynomial: |r| ≤ 0.3466, so the term left out is below 2e-18.
    let r2 = r * r;
    let r4 = r2 * r2;
    let low = (1.0 / 6.0 + r * (1.0 / 24.0)) + r2 * (1.0 / 120.0 + r * (1.0 / 720.0));
    let high = (1.0 / 5_040.0 + r * (1.0 / 40_320.0)) + r2 * (1.0 / 362_880.0 + r * (1.0 / 3_628_800.0));
    let top = 1.0 / 39_916_800.0 + r * (1.0 / 479_001_600.0) + r2 * (1.0 / 6_227_020_800.0);
    let tail = low + r4 * (high + r4 * top);
    let value = 1.0 + (r + r2 * (0.5 + r * tail));
    // The low bits of `shifted` are k; as an exponent they scale by 2ᵏ.
    value * f64::from_bits((shifted.to_bits().wrapping_add(1023)) << 52)
}

/// ln x to within about one unit in the last place (the reduction and polynomial of fdlibm's e_log.c); −∞ at 0,
/// not a number below.
#[must_use]
pub fn ln(x: f64) -> f64 {
    const C: [f64; 7] = [
        6.666_666_666_666_735e-1,
        3.999_999_999_940_942e-1,
        2.857_142_874_366_239e-1,
        2.222_219_843_214_978_4e-1,
        1.818_357_216_161_805e-1,
        1.531_383_769_920_937_3e-1,
        1.479_819_860_511_658_6e-1,
    ];
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x.is_infinite() {
        return x;
    }
    // Numbers too small for a full mantissa are scaled up by 2⁵⁴.
    let (x, shift) = if x < f64::MIN_POSITIVE { (x * 18_014_398_509_481_984.0, -54.0) } else { (x, 0.0) };
    let bits = x.to_bits();
    // Mantissa between √½ and √2.
    let over = (bits & 0x000f_ffff_ffff_ffff) > 0x0006_a09e_667f_3bcd;
    let exponent = (bits >> 52) as f64 - 1023.0 + f64::from(u8::from(over)) + shift;
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | if over { 0x3fe0 << 48 } else { 0x3ff0 << 48 });
    let f = mantissa - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let polynomial = C.iter().rev().fold(0.0, |sum, c| sum * z + c) * z;
    let half = 0.5 * f * f;
    exponent * LN_2_HIGH - ((half - (s * (half + polynomial) + exponent * LN_2_LOW)) - f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_library_to_the_last_bits() {
        let near = |a: f64, b: f64| (a - b).abs() <= 2.0 * f64::EPSILON * b.abs().max(f64::MIN_POSITIVE);
        for i in -7_000..7_000 {
            let x = f64::from(i) / 10.0 + 0.001_234;
            assert!(near(exp(x), x.exp()), "exp {x}: {} {}", exp(x), x.exp());
            let y = x.exp();
            assert!(near(ln(y), y.ln()), "ln {y}: {} {}", ln(y), y.ln());
            let y = 1.0 + f64::from(i) * 1e-5;
            assert!(near(ln(y), y.ln()), "ln {y}: {} {}", ln(y), y.ln());
        }
        assert_eq!((exp(0.0), exp(-1e4), exp(1e4)), (1.0, 0.0, f64::INFINITY));
        assert_eq!((ln(1.0), ln(0.0)), (0.0, f64::NEG_INFINITY));
        assert!(near(ln(1e-310), 1e-310_f64.ln()) && ln(-1.0).is_nan() && exp(f64::NAN).is_nan());
    }
}
