//! A straight line through points with an interval that neighbouring points cannot make too narrow.
//!
//! Least squares, weighted where uncertainties are known. Beside the ordinary covariance the one of Newey and
//! West (Econometrica 55:703, 1987; Bartlett weights, `⌊4 (n/100)^(2/9)⌋` lags, factor n/(n−2)) is computed,
//! and the wider of the two is taken. A floor of the residual variance keeps points that lie on a line by luck
//! from claiming more than the whole record shows. Golden numbers in the tests are those of statsmodels.

use toji_core::special::t_quantile_975;

/// A fitted line `y = level + slope (x − centre)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Slope.
    pub slope: f64,
    /// Weighted mean of x.
    pub centre: f64,
    /// Height at the centre.
    pub level: f64,
    /// Standard error of the slope: the larger of the next two.
    pub slope_error: f64,
    /// Ordinary standard error of the slope.
    pub slope_error_plain: f64,
    /// Standard error of the slope that allows for autocorrelation.
    pub slope_error_hac: f64,
    /// Variance of the level, and covariance of level and slope, by the same choice as `slope_error`.
    pub level_variance: f64,
    /// Covariance of level and slope.
    pub covariance: f64,
    /// Share of the variance that the line explains.
    pub r_squared: f64,
    /// Variance of a residual of weight one, not below the floor.
    pub residual_variance: f64,
    /// Points.
    pub n: usize,
}

impl Fit {
    /// Half the 95 % interval of the slope, by Student's t with n − 2 degrees of freedom.
    #[must_use]
    pub fn half_width(&self) -> f64 {
        t_quantile_975((self.n as f64 - 2.0).max(1.0)) * self.slope_error
    }
    /// y at x.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.level + self.slope * (x - self.centre)
    }
}

/// Lags of the Newey–West covariance for n points.
fn lags(n: usize) -> usize {
    (4.0 * (n as f64 / 100.0).powf(2.0 / 9.0)).floor() as usize
}

/// Fits a line; `weights` are reciprocal variances, and the variance of a residual of weight one counts as `floor` at
/// least (0 for none). None for fewer than three points, or x that do not differ.
#[must_use]
pub fn fit(x: &[f64], y: &[f64], weights: Option<&[f64]>, floor: f64) -> Option<Fit> {
    let n = x.len();
    if n < 3 || y.len() != n || weights.is_some_and(|w| w.len() != n) {
        return None;
    }
    let weight = |i: usize| weights.and_then(|w| w.get(i)).copied().unwrap_or(1.0);
    let rows = || x.iter().zip(y).enumerate().map(|(i, (x, y))| (weight(i), *x, *y));
    let total: f64 = rows().map(|(w, ..)| w).sum();
    let centre = rows().map(|(w, x, _)| w * x).sum::<f64>() / total;
    let level = rows().map(|(w, _, y)| w * y).sum::<f64>() / total;
    let spread: f64 = rows().map(|(w, x, _)| w * (x - centre).powi(2)).sum();
    if !(spread > 0.0 && spread.is_finite() && total > 0.0) {
        return None;
    }
    let slope = rows().map(|(w, x, y)| w * (x - centre) * (y - level)).sum::<f64>() / spread;
    // In the centred basis X'WX is diagonal: (total, spread).
    let scores: Vec<(f64, f64)> = rows()
        .map(|(w, x, y)| {
            let e = w * (y - level - slope * (x - centre));
            (e, e * (x - centre))
        })
        .collect();
    let squares: f64 = rows().map(|(w, x, y)| w * (y - level - slope * (x - centre)).powi(2)).sum();
    let around: f64 = rows().map(|(w, _, y)| w * (y - level).powi(2)).sum();
    let freedom = n as f64 - 2.0;
    let variance = (squares / freedom).max(floor);
    let (mut s00, mut s01, mut s11) = (0.0, 0.0, 0.0);
    for (a, b) in &scores {
        s00 += a * a;
        s01 += a * b;
        s11 += b * b;
    }
    let most = lags(n);
    for lag in 1..=most.min(n - 1) {
        let bartlett = 1.0 - lag as f64 / (most as f64 + 1.0);
        for ((a, b), (c, d)) in scores.iter().skip(lag).zip(&scores) {
            s00 += bartlett * 2.0 * a * c;
            s01 += bartlett * (a * d + b * c);
            s11 += bartlett * 2.0 * b * d;
        }
    }
    let small = n as f64 / freedom;
    let (plain, hac) = (variance / spread, (small * s11 / (spread * spread)).max(0.0));
    let (level_variance, covariance) =
        if hac > plain { (small * s00 / (total * total), small * s01 / (total * spread)) } else { (variance / total, 0.0) };
    let fit = Fit {
        slope,
        centre,
        level,
        slope_error: plain.max(hac).sqrt(),
        slope_error_plain: plain.sqrt(),
        slope_error_hac: hac.sqrt(),
        level_variance: level_variance.max(0.0),
        covariance,
        r_squared: if around > 0.0 { 1.0 - squares / around } else { 0.0 },
        residual_variance: variance,
        n,
    };
    (fit.slope.is_finite() && fit.slope_error.is_finite()).then_some(fit)
}
