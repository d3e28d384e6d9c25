//! The standard normal distribution, and the expected improvement as a function of how far a prediction lies above
//! the best value: h(z) = φ(z) + z·Φ(z). Logarithms are taken without forming what would underflow, so a search
//! finds its way where the improvement itself is zero to every digit (Ament et al., "Unexpected improvements to
//! expected improvement for Bayesian optimization", NeurIPS 2023).

use libm::{exp, log as ln};

/// ln √(2π).
const LN_ROOT_2_PI: f64 = 0.918_938_533_204_672_7;
const ROOT_2_PI: f64 = 2.506_628_274_631_000_7;
/// From here on the continued fraction is used.
const FAR: f64 = 5.5;

/// A logarithm and its slope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Log {
    /// Logarithm.
    pub value: f64,
    /// Its derivative.
    pub slope: f64,
}

/// Density.
#[must_use]
pub fn density(z: f64) -> f64 {
    exp(-0.5 * z * z) / ROOT_2_PI
}

/// Upper tail over density at t ≥ 0 (Mills' ratio): √(π/2)·erfcx(t/√2), near the middle by the rational functions of
/// Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23, 631, 1969.
fn mills(t: f64) -> f64 {
    const A: [f64; 5] = [
        1.857_777_061_846_031_5e-1,
        3.161_123_743_870_565_6,
        1.138_641_541_510_501_6e2,
        3.774_852_376_853_02e2,
        3.209_377_589_138_469_5e3,
    ];
    const B: [f64; 5] =
        [1.0, 2.360_129_095_234_412_2e1, 2.440_246_379_344_441_7e2, 1.282_616_526_077_372_3e3, 2.844_236_833_439_171e3];
    const C: [f64; 9] = [
        2.153_115_354_744_038_5e-8,
        5.641_884_969_886_701e-1,
        8.883_149_794_388_375,
        6.611_919_063_714_163e1,
        2.986_351_381_974_001e2,
        8.819_522_212_417_69e2,
        1.712_047_612_634_070_6e3,
        2.051_078_377_826_071_6e3,
        1.230_339_354_797_997_2e3,
    ];
    const D: [f64; 9] = [
        1.0,
        1.574_492_611_070_983_4e1,
        1.176_939_508_913_125e2,
        5.371_811_018_620_099e2,
        1.621_389_574_566_690_3e3,
        3.290_799_235_733_459_7e3,
        4.362_619_090_143_247e3,
        3.439_367_674_143_721_6e3,
        1.230_339_354_803_749_5e3,
    ];
    if t >= FAR {
        return 1.0 / (t + below(t));
    }
    let ratio = |over: &[f64], under: &[f64], y: f64| {
        over.iter().fold(0.0, |sum, c| sum * y + c) / under.iter().fold(0.0, |sum, c| sum * y + c)
    };
    let y = t * std::f64::consts::FRAC_1_SQRT_2;
    let square = 0.5 * t * t;
    let scaled = if y <= 0.468_75 { exp(square) * (1.0 - y * ratio(&A, &B, square)) } else { ratio(&C, &D, y) };
    ROOT_2_PI / 2.0 * scaled
}

/// c of the continued fraction 1 / (t + c), c = 1 / (t + 2 / (t + 3 / …)); from t = 5.5 on 20 terms give all digits.
fn below(t: f64) -> f64 {
    (1..=20).rev().fold(0.0, |c, k| f64::from(k) / (t + c))
}

/// Distribution function.
#[must_use]
pub fn distribution(z: f64) -> f64 {
    let tail = density(z) * mills(z.abs());
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// ln Φ(z), stable for every z.
#[must_use]
pub fn ln_distribution(z: f64) -> Log {
    let ratio = mills(z.abs());
    if z > 0.0 {
        let (density, whole) = (density(z), 1.0 - density(z) * ratio);
        // ln(1 − p): the tail itself once it no longer shows beside 1.
        let tail = density * ratio;
        let value = if tail < 1e-5 { -tail * (1.0 + tail * (0.5 + tail / 3.0)) } else { ln(whole) };
        return Log { value, slope: density / whole };
    }
    Log { value: -0.5 * z * z - LN_ROOT_2_PI + ln(ratio), slope: 1.0 / ratio }
}

/// ln h(z) with h(z) = φ(z) + z·Φ(z), the expected improvement of a prediction that lies z standard deviations
/// above the best value, in standard deviations.
#[must_use]
pub fn ln_improvement(z: f64) -> Log {
    if z > -1.0 {
        let (density, whole) = (density(z), distribution(z));
        let h = density + z * whole;
        return Log { value: ln(h), slope: whole / h };
    }
    let t = -z;
    let ratio = mills(t);
    // 1 − t·M(t), which is c·M(t) where both are known by the continued fraction.
    let rest = if t < FAR { 1.0 - t * ratio } else { below(t) * ratio };
    Log { value: -0.5 * t * t - LN_ROOT_2_PI + ln(rest), slope: ratio / rest }
}

/// Expected improvement of a normal prediction over `best`, when more is better; 0 at no spread and no lead.
#[must_use]
pub fn improvement(mean: f64, sd: f64, best: f64) -> f64 {
    if sd > 0.0 { sd * exp(ln_improvement((mean - best) / sd).value) } else { (mean - best).max(0.0) }
}

/// Quantile, to about 1e-15 (Wichura's algorithm AS 241, Applied Statistics 37, 477, 1988); infinite at 0 and 1.
#[must_use]
pub fn quantile(p: f64) -> f64 {
    const A: [f64; 8] = [
        2_509.080_928_730_122_7,
        33_430.575_583_588_13,
        67_265.770_927_008_7,
        45_921.953_931_549_87,
        13_731.693_765_509_46,
        1_971.590_950_306_551_3,
        133.141_667_891_784_38,
        3.387_132_872_796_366_5,
    ];
    const B: [f64; 8] = [
        5_226.495_278_852_854,
        28_729.085_735_721_943,
        39_307.895_800_092_71,
        21_213.794_301_586_597,
        5_394.196_021_424_751,
        687.187_007_492_057_9,
        42.313_330_701_600_91,
        1.0,
    ];
    const C: [f64; 8] = [
        7.745_450_142_783_414e-4,
        0.022_723_844_989_269_184,
        0.241_780_725_177_450_6,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_5,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ];
    const D: [f64; 8] = [
        1.050_750_071_644_416_9e-9,
        5.475_938_084_995_345e-4,
        0.015_198_666_563_616_457,
        0.148_103_976_427_480_08,
        0.689_767_334_985_1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_759,
        1.0,
    ];
    const E: [f64; 8] = [
        2.010_334_399_292_288_1e-7,
        2.711_555_568_743_487_6e-5,
        1.242_660_947_388_078_4e-3,
        0.026_532_189_526_576_124,
        0.296_560_571_828_504_87,
        1.784_826_539_917_291_3,
        5.463_784_911_164_114,
        6.657_904_643_501_103,
    ];
    const F: [f64; 8] = [
        2.044_263_103_389_939_8e-15,
        1.421_511_758_316_446e-7,
        1.846_318_317_510_054_7e-5,
        7.868_691_311_456_133e-4,
        0.014_875_361_290_850_615,
        0.136_929_880_922_735_8,
        0.599_832_206_555_888,
        1.0,
    ];
    let ratio = |over: &[f64], under: &[f64], r: f64| {
        over.iter().fold(0.0, |sum, c| sum * r + c) / under.iter().fold(0.0, |sum, c| sum * r + c)
    };
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&A, &B, 0.180_625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = (-ln(tail)).sqrt();
    let z = if r <= 5.0 { ratio(&C, &D, r - 1.6) } else { ratio(&E, &F, r - 5.0) };
    z.copysign(q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_agree_with_the_reference_far_into_the_tail() {
        // ../shared/data/modelling/acceptance-public.json, logEI_of_z.
        let wanted = [
            (2.0, 0.697_383_545_788_228_4),
            (0.0, -0.918_938_533_204_672_8),
            (-5.0, -16.744_301_162_660_99),
            (-40.0, -808.298_568_356_62),
        ];
        for (z, value) in wanted {
            let found = ln_improvement(z).value;
            assert!((found - value).abs() < 1e-10, "{z}: {found} instead of {value}");
        }
        // ln h(−t) → −t²/2 − ln √(2π) − 2 ln t.
        let far = ln_improvement(-1e6).value;
        assert!((far / (-5e11 - LN_ROOT_2_PI - 2.0 * 1e6_f64.ln()) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn slopes_are_those_of_differences_and_pieces_meet() {
        let functions: [fn(f64) -> Log; 2] = [ln_improvement, ln_distribution];
        for f in functions {
            for i in -120..80 {
                let z = f64::from(i) / 10.0 + 0.0137;
                let step = 1e-5;
                let difference = (f(z + step).value - f(z - step).value) / (2.0 * step);
                let slope = f(z).slope;
                assert!((difference - slope).abs() < 2e-8 * slope.abs().max(0.1), "{z}: {difference} {slope}");
            }
            for z in [-5.5_f64, -1.0, 0.0] {
                let (left, right) = (f(z - 1e-12), f(z + 1e-12));
                assert!((left.value - right.value).abs() < 2e-11, "{z}");
            }
        }
    }

    #[test]
    fn distribution_and_quantile_belong_together() {
        for i in -370..80 {
            let z = f64::from(i) / 10.0;
            assert!((distribution(z) - toji_core::special::normal_cdf(z)).abs() < 2e-15);
            if z < 5.0 {
                assert!((quantile(distribution(z)) - z).abs() < 3e-10 * z.abs().max(1.0), "{z} {}", quantile(distribution(z)));
            }
        }
        // Tables: 97.5 % and 1e-10.
        assert!((quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
        assert!((quantile(1e-10) + 6.361_340_902_404_056).abs() < 1e-13);
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
    }
}
