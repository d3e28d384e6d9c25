//! e to a power, for several numbers at once: a calculation without branches that processors do side by side.
//!
//! x = n·ln 2 + r with |r| ≤ ln 2 / 2, and eˣ = 2ⁿ·eʳ (Cody and Waite, Software Manual for the Elementary Functions, 1980,
//! chapter 6); eʳ is its Taylor polynomial of degree 13, whose remainder is below 5·10⁻¹⁸. Within one unit in the last place.

/// Beyond this 2ⁿ leaves the normal numbers, or nearly.
const WITHIN: f64 = 700.0;
/// Added and taken away again it leaves a whole number, which then stands in the lowest bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts; the first has so few digits that n times it is exact.
const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];

/// 1/2!, 1/3!, … 1/13!
const TERMS: [f64; 12] = {
    let mut terms = [0.0; 12];
    let (mut k, mut factorial) = (0, 1.0);
    while k < 12 {
        factorial *= (k + 2) as f64;
        terms[k] = 1.0 / factorial;
        k += 1;
    }
    terms
};

/// eˣ where |x| is within [`WITHIN`]; anything elsewhere.
#[inline(always)]
fn inside(x: f64) -> f64 {
    let sum = x * std::f64::consts::LOG2_E + ROUND;
    let n = sum - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let mut series = TERMS[11];
    let mut k = 11;
    while k > 0 {
        k -= 1;
        series = series * r + TERMS[k];
    }
    let scale = f64::from_bits((sum.to_bits() << 52).wrapping_add(1.0f64.to_bits()));
    (1.0 + (r + r * r * series)) * scale
}

/// eˣ in every lane, each with the bits that it gives alone.
#[inline(always)]
pub(super) fn exponentials<const L: usize>(x: [f64; L]) -> [f64; L] {
    let mut values = x;
    let mut beyond = false;
    for l in 0..L {
        values[l] = inside(x[l]);
        beyond |= x[l].abs() > WITHIN;
    }
    if beyond {
        for l in 0..L {
            if x[l].abs() > WITHIN {
                values[l] = libm::exp(x[l]);
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn apart(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    proptest! {
        /// `libm` is itself within one unit in the last place.
        #[test]
        fn is_within_two_units_of_libm(x in -750.0..720.0f64) {
            prop_assert!(apart(exponentials([x])[0], libm::exp(x)) <= 2, "{x}");
        }

        #[test]
        fn lanes_give_what_each_gives_alone(x in proptest::array::uniform8(-800.0..800.0f64)) {
            let together = exponentials(x);
            for (x, value) in x.iter().zip(together) {
                prop_assert_eq!(exponentials([*x])[0].to_bits(), value.to_bits());
            }
        }
    }

    /// e^(1/2), e, e^10 and e^-20 to 20 digits (Abramowitz and Stegun, Handbook of Mathematical Functions, table 4.4).
    #[test]
    fn known_values() {
        let known = [1.648_721_270_700_128_1, std::f64::consts::E, 22_026.465_794_806_717, 2.061_153_622_438_558e-9];
        for (value, known) in exponentials([0.5, 1.0, 10.0, -20.0]).into_iter().zip(known) {
            assert!(apart(value, known) <= 1, "{value} {known}");
        }
    }

    #[test]
    fn the_ends_and_what_is_no_number() {
        let ends = exponentials([0.0, -0.0, 710.0, -746.0, f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!(ends, [1.0, 1.0, f64::INFINITY, 0.0, f64::INFINITY, 0.0]);
        assert!(exponentials([f64::NAN])[0].is_nan());
        assert_eq!(exponentials([-740.0])[0], libm::exp(-740.0));
    }
}
