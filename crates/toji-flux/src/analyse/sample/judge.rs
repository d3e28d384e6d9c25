//! What chains say, and how far they are to be believed.

use super::Spread;
use crate::compress::Image;

/// What the draws say of each column of the compressed problem.
pub(super) struct Judged {
    columns: Vec<Spread>,
}

/// Judges draws by chain.
pub(super) fn judge(chains: &[Vec<Vec<f64>>]) -> Judged {
    let n = chains.first().and_then(|chain| chain.first()).map_or(0, Vec::len);
    let column = |j: usize| {
        let series: Vec<Vec<f64>> = chains.iter().map(|chain| chain.iter().map(|draw| draw[j]).collect()).collect();
        spread(&series)
    };
    Judged { columns: (0..n).map(column).collect() }
}

impl Judged {
    /// What they say of a reaction.
    pub(super) fn spread(&self, image: &Image) -> Spread {
        match *image {
            Image::Zero => still(0.0),
            Image::Multiple { column, factor } => {
                let s = self.columns[column];
                let (low, high) = if factor > 0.0 { (s.low, s.high) } else { (s.high, s.low) };
                Spread {
                    mean: factor * s.mean,
                    sd: factor.abs() * s.sd,
                    low: factor * low,
                    median: factor * s.median,
                    high: factor * high,
                    standard_error: factor.abs() * s.standard_error,
                    ..s
                }
            }
        }
    }
}

fn still(at: f64) -> Spread {
    Spread { mean: at, sd: 0.0, low: at, median: at, high: at, r_hat: None, effective: None, standard_error: 0.0 }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Unbiased variance; zero of a single value.
fn variance(values: &[f64], mean: f64) -> f64 {
    let n = values.len() as f64;
    if n < 2.0 { 0.0 } else { values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) }
}

/// The value below which a share of sorted values lies, linear between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, part) = (at.floor() as usize, at - at.floor());
    let above = sorted[(below + 1).min(sorted.len() - 1)];
    sorted[below] + part * (above - sorted[below])
}

fn spread(series: &[Vec<f64>]) -> Spread {
    let mut all: Vec<f64> = series.iter().flatten().copied().collect();
    let centre = mean(&all);
    let sd = variance(&all, centre).sqrt();
    all.sort_by(f64::total_cmp);
    if all[0] == all[all.len() - 1] {
        return still(all[0]);
    }
    let (r_hat, effective) = convergence(series);
    Spread {
        mean: centre,
        sd,
        low: quantile(&all, 0.05),
        median: quantile(&all, 0.5),
        high: quantile(&all, 0.95),
        r_hat: Some(r_hat),
        effective: Some(effective),
        standard_error: sd / effective.max(1.0).sqrt(),
    }
}

/// Split R̂ and the effective sample size of the mean (Gelman et al., Bayesian Data Analysis, 3rd ed., § 11.4–11.5; Geyer,
/// Stat. Sci. 7, 1992, 473–483).
fn convergence(series: &[Vec<f64>]) -> (f64, f64) {
    let half = series.iter().map(Vec::len).min().unwrap_or(0) / 2;
    if half < 2 {
        return (f64::INFINITY, 1.0);
    }
    let halves: Vec<&[f64]> = series.iter().flat_map(|s| [&s[..half], &s[s.len() - half..]]).collect();
    let (n, m) = (half as f64, halves.len() as f64);
    let means: Vec<f64> = halves.iter().map(|h| mean(h)).collect();
    let within = halves.iter().zip(&means).map(|(h, &c)| variance(h, c)).sum::<f64>() / m;
    let between = n * variance(&means, mean(&means));
    let whole = (n - 1.0) / n * within + between / n;
    if within == 0.0 {
        return (f64::INFINITY, 1.0);
    }
    let autocovariance = |lag: usize| {
        let of = |(h, c): (&&[f64], &f64)| h[lag..].iter().zip(h.iter()).map(|(a, b)| (a - c) * (b - c)).sum::<f64>() / n;
        halves.iter().zip(&means).map(of).sum::<f64>() / m
    };
    let correlation = |lag: usize| 1.0 - (within - autocovariance(lag)) / whole;
    // Sums of neighbouring lags, as long as they stay above zero and do not rise.
    let (mut total, mut last, mut lag) = (0.0, f64::INFINITY, 0);
    while lag + 1 < half {
        let first = if lag == 0 { 1.0 } else { correlation(lag) };
        let pair = (first + correlation(lag + 1)).min(last);
        if pair <= 0.0 {
            break;
        }
        total += pair;
        last = pair;
        lag += 2;
    }
    let time = (2.0 * total - 1.0).max(1.0 / (n * m).log10().max(1.0));
    ((whole / within).sqrt(), n * m / time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::chance::Chance;

    #[test]
    fn independent_draws_count_whole_and_correlated_ones_less() {
        let mut chance = Chance::new(3);
        let series: Vec<Vec<f64>> = (0..4).map(|_| (0..2000).map(|_| chance.normal()).collect()).collect();
        let (r, e) = convergence(&series);
        assert!((r - 1.0).abs() < 0.005 && (7000.0..9000.0).contains(&e), "{r} {e}");
        // A first-order autoregression of 0.9 has a time of (1 + 0.9) / (1 - 0.9) = 19.
        let slow = |_| {
            let mut x = 0.0;
            (0..20_000)
                .map(|_| {
                    x = 0.9 * x + chance.normal();
                    x
                })
                .collect::<Vec<f64>>()
        };
        let series: Vec<Vec<f64>> = (0..4).map(slow).collect();
        let (r, e) = convergence(&series);
        assert!(r < 1.01 && (e - 80_000.0 / 19.0).abs() < 600.0, "{r} {e}");
        // Chains apart are told.
        let apart: Vec<Vec<f64>> = (0..4).map(|k| (0..100).map(|_| f64::from(k) * 3.0 + chance.normal()).collect()).collect();
        let (r, e) = convergence(&apart);
        assert!(r > 2.0 && e < 20.0, "{r} {e}");
    }
}
