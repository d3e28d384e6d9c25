//! Is a measured culture at steady state, and from when on?
//!
//! A stretch counts as steady where the volume was exchanged often enough in it, where the 95 % interval of every series'
//! drift from its beginning to its end lies within what is allowed (so that few or noisy readings prove nothing), where its
//! readings scatter no more than allowed, and where its first exchanges agree with the rest. Neighbouring readings are not independent: standard errors are widened by the correlation
//! of the residuals (an effective number of readings n(1 − ρ)/(1 + ρ)).

use toji_core::special::t_two_sided;

/// A measured series; times in days.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What was measured.
    pub name: String,
    /// Time and value, by time.
    pub points: Vec<(f64, f64)>,
}

/// What counts as steady.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Exchanges of the volume that the stretch must have.
    pub exchanges: f64,
    /// Drift allowed from the beginning to the end of the stretch, as a share of the mean.
    pub drift: f64,
    /// Scatter about the trend that is allowed, as a share of the mean.
    pub scatter: f64,
}

impl Default for Rule {
    fn default() -> Self {
        Self { exchanges: 5.0, drift: 0.2, scatter: 0.2 }
    }
}

/// Least readings of a series in a stretch.
pub const READINGS_MIN: usize = 5;
/// Confidence of all intervals.
pub const CONFIDENCE: f64 = 0.95;

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The interval of the drift lies within what is allowed.
    Steady,
    /// It lies outside, or the readings scatter too much.
    NotSteady,
    /// The readings cannot tell.
    CannotTell,
}

/// One series over a stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What was measured.
    pub name: String,
    /// Verdict.
    pub verdict: Verdict,
    /// Readings in the stretch.
    pub readings: usize,
    /// Mean, with its 95 % interval.
    pub mean: (f64, f64, f64),
    /// Standard error of the mean, and its degrees of freedom.
    pub error: (f64, f64),
    /// Drift from beginning to end as a share of the mean, with its 95 % interval.
    pub drift: (f64, f64, f64),
    /// Scatter about the trend, as a share of the mean.
    pub scatter: f64,
    /// Correlation of neighbouring residuals, where it is positive.
    pub correlation: f64,
}

/// What a culture's series say.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Verdict.
    pub verdict: Verdict,
    /// From when on it is steady, d; where it is not, the beginning of the stretch that was judged.
    pub from: f64,
    /// Last reading, d.
    pub until: f64,
    /// Exchanges of the volume in the stretch.
    pub exchanges: f64,
    /// Mean dilution rate in it, per day.
    pub dilution: f64,
    /// Series over the stretch.
    pub series: Vec<Judged>,
}

/// The dilution rate over time, per day: one number, or readings between which straight lines are drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Dilution {
    /// The same all the time.
    Constant(f64),
    /// Readings: time in days and rate.
    Measured(Vec<(f64, f64)>),
}

impl Dilution {
    /// Exchanges between two times.
    #[must_use]
    pub fn exchanges(&self, from: f64, until: f64) -> f64 {
        match self {
            Self::Constant(rate) => rate * (until - from).max(0.0),
            Self::Measured(points) => {
                let at = |t: f64| -> f64 {
                    match points.iter().position(|p| p.0 >= t) {
                        None => points.last().map_or(0.0, |p| p.1),
                        Some(0) => points[0].1,
                        Some(k) => {
                            let ((t0, a), (t1, b)) = (points[k - 1], points[k]);
                            if t1 > t0 { a + (b - a) * (t - t0) / (t1 - t0) } else { b }
                        }
                    }
                };
                let inner = points.iter().map(|p| p.0).filter(|t| *t > from && *t < until);
                let times: Vec<f64> = std::iter::once(from).chain(inner).chain([until]).collect();
                times.windows(2).map(|w| 0.5 * (at(w[0]) + at(w[1])) * (w[1] - w[0]).max(0.0)).sum()
            }
        }
    }
}

/// One series from a time on; none where it has too few readings.
fn judge(series: &Series, from: f64, until: f64, rule: &Rule) -> Option<Judged> {
    let points: Vec<(f64, f64)> = series.points.iter().copied().filter(|p| p.0 >= from && p.0 <= until).collect();
    let n = points.len();
    if n < READINGS_MIN {
        return None;
    }
    let count = n as f64;
    let (t_mean, mean) = (points.iter().map(|p| p.0).sum::<f64>() / count, points.iter().map(|p| p.1).sum::<f64>() / count);
    let sxx: f64 = points.iter().map(|p| (p.0 - t_mean).powi(2)).sum();
    if sxx <= 0.0 || mean == 0.0 {
        return None;
    }
    let slope = points.iter().map(|p| (p.0 - t_mean) * (p.1 - mean)).sum::<f64>() / sxx;
    let residuals: Vec<f64> = points.iter().map(|p| p.1 - mean - slope * (p.0 - t_mean)).collect();
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let sd = (squares / (count - 2.0)).sqrt();
    let neighbours: f64 = residuals.windows(2).map(|w| w[0] * w[1]).sum();
    let correlation = if squares > 0.0 { (neighbours / squares).clamp(0.0, 0.9) } else { 0.0 };
    let wider = ((1.0 + correlation) / (1.0 - correlation)).sqrt();
    let t = t_two_sided(CONFIDENCE, count - 2.0);
    let share = |slope: f64| slope * (until - from) / mean.abs();
    let half = t * share(sd / sxx.sqrt() * wider);
    let drift = (share(slope), share(slope) - half, share(slope) + half);
    let scatter = sd / mean.abs();
    let verdict = if drift.1 > rule.drift || drift.2 < -rule.drift || scatter > rule.scatter {
        Verdict::NotSteady
    } else if drift.1 >= -rule.drift && drift.2 <= rule.drift {
        Verdict::Steady
    } else {
        Verdict::CannotTell
    };
    let error = sd / count.sqrt() * wider;
    Some(Judged {
        name: series.name.clone(),
        verdict,
        readings: n,
        mean: (mean, mean - t * error, mean + t * error),
        error: (error, count - 2.0),
        drift,
        scatter,
        correlation,
    })
}

/// Is the culture at steady state at the end of its series, and from when on? None where no series has readings, or where
/// the volume was exchanged less often than the rule asks for.
#[must_use]
pub fn observe(series: &[Series], dilution: &Dilution, rule: &Rule) -> Option<Observed> {
    let until = series.iter().filter_map(|s| s.points.last()).map(|p| p.0).reduce(f64::min)?;
    let mut starts: Vec<f64> = series.iter().flat_map(|s| &s.points).map(|p| p.0).filter(|t| *t < until).collect();
    starts.sort_by(f64::total_cmp);
    starts.dedup();
    starts.retain(|from| dilution.exchanges(*from, until) >= rule.exchanges * (1.0 - 1e-9));
    let over = |from: f64, until: f64| -> Option<Observed> {
        let exchanges = dilution.exchanges(from, until);
        let judged: Vec<Judged> = series.iter().map(|s| judge(s, from, until, rule)).collect::<Option<_>>()?;
        let any = |v: Verdict| judged.iter().any(|j| j.verdict == v);
        let verdict = if any(Verdict::NotSteady) {
            Verdict::NotSteady
        } else if any(Verdict::CannotTell) {
            Verdict::CannotTell
        } else {
            Verdict::Steady
        };
        Some(Observed { verdict, from, until, exchanges, dilution: exchanges / (until - from), series: judged })
    };
    // A long steady end must not hide a beginning that still moves: it agrees with the rest to a quarter of the drift.
    let begins_steady = |from: f64| -> bool {
        let Some(window) = window_end(series, from, dilution, rule) else { return true };
        series.iter().all(|s| {
            let mean = |a: f64, b: f64| {
                let within: Vec<f64> = s.points.iter().filter(|p| p.0 >= a && p.0 <= b).map(|p| p.1).collect();
                (within.len() >= READINGS_MIN).then(|| within.iter().sum::<f64>() / within.len() as f64)
            };
            match (mean(from, window), mean(window, until)) {
                (Some(first), Some(rest)) => (first / rest - 1.0).abs() <= 0.25 * rule.drift,
                _ => true,
            }
        })
    };
    for from in &starts {
        if let Some(found) = over(*from, until).filter(|o| o.verdict == Verdict::Steady)
            && begins_steady(*from)
        {
            return Some(found);
        }
    }
    // Not steady: the shortest stretch that has exchanges and readings enough says how it ended.
    let mut last = starts.iter().rev().find_map(|from| over(*from, until))?;
    if last.verdict == Verdict::Steady {
        last.verdict = Verdict::CannotTell;
    }
    Some(last)
}

/// The time at which the first window of a stretch ends: as many exchanges as the rule asks for, and enough readings.
fn window_end(series: &[Series], from: f64, dilution: &Dilution, rule: &Rule) -> Option<f64> {
    let mut times: Vec<f64> = series.iter().flat_map(|s| &s.points).map(|p| p.0).filter(|t| *t > from).collect();
    times.sort_by(f64::total_cmp);
    let enough = |t: f64| series.iter().all(|s| s.points.iter().filter(|p| p.0 >= from && p.0 <= t).count() >= READINGS_MIN);
    times.into_iter().find(|t| dilution.exchanges(from, *t) >= rule.exchanges * (1.0 - 1e-9) && enough(*t))
}

/// A mean with its standard error and degrees of freedom, of something positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Value.
    pub value: f64,
    /// Standard error as a share of the value; none where nothing tells it.
    pub relative: Option<f64>,
    /// Degrees of freedom.
    pub freedom: f64,
}

impl Estimate {
    /// The mean over several, each a run: their own errors do not enter, the runs' spread does. Of one run its own error.
    #[must_use]
    pub fn of_runs(runs: &[Self]) -> Option<Self> {
        let n = runs.len() as f64;
        match runs {
            [] => None,
            [one] => Some(*one),
            _ => {
                let logs: Vec<f64> = runs.iter().map(|r| libm::log(r.value)).collect();
                let mean = logs.iter().sum::<f64>() / n;
                let variance = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (n - 1.0);
                Some(Self { value: libm::exp(mean), relative: Some((variance / n).sqrt()), freedom: n - 1.0 })
            }
        }
    }

    /// Two factors that are independent of each other.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let (relative, freedom) = together(self, other);
        Self { value: self.value * other.value, relative, freedom }
    }

    /// This over another that is independent of it.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        let (relative, freedom) = together(self, other);
        Self { value: self.value / other.value, relative, freedom }
    }

    /// The 95 % interval, on the logarithm.
    #[must_use]
    pub fn interval(&self) -> Option<(f64, f64)> {
        let half = t_two_sided(CONFIDENCE, self.freedom) * self.relative?;
        Some((self.value * libm::exp(-half), self.value * libm::exp(half)))
    }
}

/// Relative errors of a product, with the degrees of freedom by Welch and Satterthwaite.
fn together(a: Estimate, b: Estimate) -> (Option<f64>, f64) {
    let (Some(x), Some(y)) = (a.relative, b.relative) else { return (None, a.freedom.min(b.freedom)) };
    let (x, y) = (x * x, y * y);
    let below = x * x / a.freedom + y * y / b.freedom;
    let freedom = if below > 0.0 { (x + y).powi(2) / below } else { a.freedom.max(b.freedom) };
    (Some((x + y).sqrt()), freedom)
}
