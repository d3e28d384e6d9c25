//! How likely that many fair coins agree.

use std::f64::consts::LN_2;
use toji_core::special::ln_gamma;

/// ln of C(n, k).
pub(super) fn ln_choose(n: u64, k: u64) -> f64 {
    let of = |x: u64| ln_gamma(x as f64 + 1.0);
    of(n) - of(k) - of(n - k)
}

/// ln P(X ≥ k) of X ~ Binomial(n, ½); an upper bound (1) where k is at most half of n.
pub(super) fn ln_coins(n: u64, k: u64) -> f64 {
    if k > n {
        return f64::NEG_INFINITY;
    }
    if 2 * k <= n {
        return 0.0;
    }
    // The terms fall from here on, each by more than the one before.
    let (mut term, mut sum) = (1.0_f64, 1.0_f64);
    for j in k..n {
        term *= (n - j) as f64 / (j + 1) as f64;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    (ln_choose(n, k) - n as f64 * LN_2 + sum.ln()).min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exact tails, by whole numbers of Python 3: `sum(comb(n, j) for j in range(k, n + 1)) / 2**n`, and its log
    /// `log(sum) - n * log(2)` where that is too small for a double.
    #[test]
    fn tails_are_those_of_whole_numbers() {
        for (n, k, ln) in [
            (1_u64, 1_u64, -std::f64::consts::LN_2),
            (10, 9, (11.0_f64 / 1024.0).ln()),
            (100, 60, -3.559_819_203_446_906_5),
            (100, 75, -15.082_018_197_178_62),
            (1000, 600, -22.715_259_239_806_64),
            (5000, 5000, -5000.0 * std::f64::consts::LN_2),
            (20000, 12000, -406.769_792_820_929_07),
        ] {
            let found = ln_coins(n, k);
            assert!((found - ln).abs() < 1e-9 * ln.abs().max(1.0), "{n} {k}: {found} and not {ln}");
        }
        assert_eq!(ln_coins(10, 5), 0.0);
        assert_eq!(ln_coins(3, 4), f64::NEG_INFINITY);
        assert_eq!(ln_coins(0, 0), 0.0);
    }
}
