//! Dunnett's two-sided distribution: the largest |t| of several conditions that share one control and one spread.
//!
//! C. W. Dunnett, J. Am. Stat. Assoc. 50 (1955) 1096-1121 and Biometrics 20 (1964) 482-491. The t of conditions
//! `i` and `j` are correlated by `λi·λj` with `λi² = ni/(ni+n0)`, so that given the control's mean `z` and the
//! spread `s` they are independent:
//!
//! `P(max|T| ≤ t) = ∫ f(s) ∫ φ(z) Π [Φ((λi z + t s)/√(1−λi²)) − Φ((λi z − t s)/√(1−λi²))] dz ds`
//!
//! Both integrals are summed by the trapezoidal rule, over `z` and over `ln s`. Their integrands are analytic and
//! die away at both ends, where that rule converges faster than any power of its step (L. N. Trefethen and
//! J. A. C. Weideman, SIAM Review 56 (2014) 385-458); the steps here leave less than 1e-9.

use toji_core::special::{ln_gamma, normal_cdf};

/// How far in standard deviations the normal density is followed: beyond lies less than 1e-16.
const Z_MAX: f64 = 8.5;
/// A part of the integrand that is e^-36 (2e-16) of its top no longer counts.
const LOG_LEAST: f64 = -36.0;

/// Several conditions beside one control, with their numbers of replicates and the degrees of freedom of the spread.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparisons {
    /// Replicates of the control.
    control: f64,
    /// Replicates of a condition, and how many conditions have as many.
    conditions: Vec<(f64, i32)>,
    /// Degrees of freedom of the pooled spread.
    freedom: f64,
}

impl Comparisons {
    /// From numbers of replicates. `None` without a control, without conditions, or without freedom.
    #[must_use]
    pub fn new(control: usize, conditions: &[usize], freedom: usize) -> Option<Self> {
        if control == 0 || freedom == 0 || conditions.is_empty() || conditions.contains(&0) {
            return None;
        }
        let mut counted: Vec<(usize, i32)> = Vec::new();
        for n in conditions {
            match counted.iter_mut().find(|(known, _)| known == n) {
                Some((_, times)) => *times += 1,
                None => counted.push((*n, 1)),
            }
        }
        let conditions = counted.into_iter().map(|(n, times)| (n as f64, times)).collect();
        Some(Self { control: control as f64, conditions, freedom: freedom as f64 })
    }
    /// λ and √(1−λ²) of each number of replicates, with how often it stands.
    fn loadings(&self) -> Vec<(f64, f64, i32)> {
        let of = |(n, times): &(f64, i32)| {
            let all = n + self.control;
            ((n / all).sqrt(), (self.control / all).sqrt(), *times)
        };
        self.conditions.iter().map(of).collect()
    }
}

/// Probability that no |t| is above `t` when no condition differs from the control.
#[must_use]
pub fn probability(of: &Comparisons, t: f64) -> f64 {
    if t.is_nan() || t <= 0.0 {
        return 0.0;
    }
    let loadings = of.loadings();
    // Φ rises within √(1−λ²)/λ: the step follows the steepest.
    let steepest = loadings.iter().map(|(load, rest, _)| load / rest).fold(1.0, f64::max);
    let nodes = (Z_MAX * 4.0 * steepest).ceil();
    let step = Z_MAX / nodes;
    let normal: Vec<(f64, f64)> = (0..=nodes as usize)
        .map(|i| {
            let z = i as f64 * step;
            // Both signs of z give the same product.
            let times = if i == 0 { 1.0 } else { 2.0 };
            (z, times * step * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt())
        })
        .collect();
    let given = |width: f64| -> f64 {
        let inside = |z: f64| -> f64 {
            let one = |(load, rest, times): &(f64, f64, i32)| {
                let (up, down) = ((load * z + width) / rest, (load * z - width) / rest);
                // The difference of two values near one loses its digits: their complements do not.
                let between = if down > 0.0 { normal_cdf(-down) - normal_cdf(-up) } else { normal_cdf(up) - normal_cdf(down) };
                between.powi(*times)
            };
            loadings.iter().map(one).product()
        };
        normal.iter().map(|(z, weight)| weight * inside(*z)).sum()
    };
    over_spread(of.freedom, |s| given(t * s)).clamp(0.0, 1.0)
}

/// Mean of a function of s = χ/√ν with ν degrees of freedom.
fn over_spread(freedom: f64, function: impl Fn(f64) -> f64) -> f64 {
    // Density of u = ln s: 2 (ν/2)^(ν/2) / Γ(ν/2) · exp(ν u − ν e^(2u) / 2); its top is at u = 0.
    let half = freedom / 2.0;
    let log_density = |u: f64| freedom * u - half * (2.0 * u).exp() + half;
    let top = (std::f64::consts::LN_2 + half * half.ln() - ln_gamma(half) - half).exp();
    let step = (0.5 / (2.0 * freedom).sqrt()).min(0.12);
    let mut sum = 0.0;
    for side in [-1.0, 1.0] {
        let mut i = if side < 0.0 { 0.0 } else { 1.0 };
        loop {
            let u = side * i * step;
            let log = log_density(u);
            if log < LOG_LEAST {
                break;
            }
            sum += log.exp() * function(u.exp());
            i += 1.0;
        }
    }
    top * step * sum
}

/// The t that no |t| passes with this probability when no condition differs from the control.
#[must_use]
pub fn quantile(of: &Comparisons, confidence: f64) -> f64 {
    let (mut low, mut high) = (0.0, 4.0);
    while probability(of, high) < confidence && high < 1e6 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if probability(of, middle) < confidence {
            low = middle;
        } else {
            high = middle;
        }
        if high - low < 1e-9 * high {
            break;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::special::t_two_sided;

    #[track_caller]
    fn near(found: f64, wanted: f64, tolerance: f64) {
        assert!((found - wanted).abs() <= tolerance, "{found} instead of {wanted}");
    }

    #[test]
    fn one_condition_is_students_t() {
        for freedom in [1, 2, 3, 5, 16, 120, 5_000] {
            for (n, control) in [(1, 1), (3, 3), (2, 12), (40, 2)] {
                let of = Comparisons::new(control, &[n], freedom).unwrap();
                for confidence in [0.8, 0.95, 0.99] {
                    near(quantile(&of, confidence) / t_two_sided(confidence, freedom as f64), 1.0, 1e-7);
                }
            }
        }
    }

    /// Table of C. W. Dunnett, Biometrics 20 (1964) 482-491: two-sided, one control with as many replicates as each
    /// of 1 to 9 conditions. It is printed to two decimals, so a tolerance of 0.01 is that of print. Entered by hand,
    /// and each value found again by an integration with scipy 1.17.1.
    #[test]
    #[allow(clippy::approx_constant, reason = "3.14 is a printed critical value here")]
    fn the_published_table() {
        const FIVE_PERCENT: [(usize, [f64; 9]); 5] = [
            (5, [2.57, 3.03, 3.29, 3.48, 3.62, 3.73, 3.82, 3.90, 3.97]),
            (10, [2.23, 2.57, 2.76, 2.89, 2.99, 3.07, 3.14, 3.19, 3.24]),
            (16, [2.12, 2.42, 2.59, 2.71, 2.80, 2.87, 2.92, 2.97, 3.02]),
            (20, [2.09, 2.38, 2.54, 2.65, 2.73, 2.80, 2.86, 2.90, 2.95]),
            (60, [2.00, 2.27, 2.41, 2.51, 2.58, 2.64, 2.69, 2.73, 2.77]),
        ];
        const ONE_PERCENT: [(usize, [f64; 9]); 3] = [
            (5, [4.03, 4.63, 4.98, 5.22, 5.41, 5.56, 5.69, 5.80, 5.89]),
            (10, [3.17, 3.53, 3.74, 3.88, 3.99, 4.08, 4.16, 4.22, 4.28]),
            (20, [2.85, 3.13, 3.29, 3.40, 3.48, 3.55, 3.60, 3.65, 3.69]),
        ];
        for (confidence, table) in [(0.95, FIVE_PERCENT.as_slice()), (0.99, ONE_PERCENT.as_slice())] {
            for (freedom, row) in table {
                for (count, wanted) in (1..).zip(row) {
                    let of = Comparisons::new(3, &vec![3; count], *freedom).unwrap();
                    near(quantile(&of, confidence), *wanted, 0.01);
                }
            }
        }
    }

    #[test]
    fn probability_and_quantile_are_each_others_inverse() {
        for sizes in [vec![3, 3, 3], vec![1, 4, 9, 2], vec![50], vec![2; 40]] {
            for freedom in [1, 4, 30] {
                let of = Comparisons::new(4, &sizes, freedom).unwrap();
                near(probability(&of, quantile(&of, 0.95)), 0.95, 1e-7);
            }
        }
        let of = Comparisons::new(3, &[3, 3], 6).unwrap();
        assert_eq!((probability(&of, 0.0), probability(&of, f64::NAN)), (0.0, 0.0));
        near(probability(&of, 1e6), 1.0, 1e-9);
        for no in [
            Comparisons::new(0, &[3], 5),
            Comparisons::new(3, &[], 5),
            Comparisons::new(3, &[3, 0], 5),
            Comparisons::new(3, &[3], 0),
        ] {
            assert_eq!(no, None);
        }
    }
}
