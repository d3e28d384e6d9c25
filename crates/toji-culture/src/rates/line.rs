//! Series as they come in, and as they can be used: sorted, without what is flagged or censored, counted.

use toji_core::Text;

/// What is known of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// A measured number.
    #[default]
    Good,
    /// A bound only: below detection or above the range.
    Censored,
    /// Bad, uncertain or substituted.
    Flagged,
}

/// A point of a series or a result of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// Time since the run's zero, s.
    pub t_s: f64,
    /// Value in the line's unit; of a point below detection the limit; else of a censored point NaN.
    pub value: f64,
    /// Standard uncertainty (1 σ) in the same unit, when the source states it.
    pub sigma: Option<f64>,
    /// Is it usable?
    pub standing: Standing,
}

impl Point {
    /// A good point without a stated uncertainty.
    #[must_use]
    pub fn good(t_s: f64, value: f64) -> Self {
        Self { t_s, value, ..Self::default() }
    }
}

/// A series in one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Name for people.
    pub name: Text,
    /// Unit, UCUM.
    pub unit: String,
    /// Points in any order.
    pub points: Vec<Point>,
    /// Written on change only: the last value stands until the next.
    pub holds: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self { name: Text::same(""), unit: String::new(), points: Vec::new(), holds: false }
    }
}

/// Times beyond three centuries and values beyond this are no measurement.
const TIME_S_MAX: f64 = 1e10;
const VALUE_MAX: f64 = 1e15;
const HOUR_S: f64 = 3600.0;

/// A usable point: time in hours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    pub(super) t_h: f64,
    pub(super) value: f64,
    pub(super) sigma: Option<f64>,
}

/// The usable points of a line in order of time, one at a time, with the count of the others.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Usable {
    pub(super) spots: Vec<Spot>,
    pub(super) censored: usize,
    pub(super) flagged: usize,
    pub(super) holds: bool,
}

/// Mean of the points in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    /// Mean time, h.
    pub(super) t_h: f64,
    /// Mean.
    pub(super) mean: f64,
    /// Standard error of the mean, autocorrelation counted; none for fewer than three points.
    pub(super) error: Option<f64>,
    /// Degrees of freedom of the error.
    pub(super) freedom: f64,
    /// Points.
    pub(super) n: usize,
}

impl Line {
    /// The same line with what is below a detection limit counted as half the limit (± half), how many those are, and
    /// the highest of the limits.
    pub(super) fn with_limits(&self) -> (Self, usize, f64) {
        let (mut line, mut n, mut highest) = (self.clone(), 0, 0.0_f64);
        for point in &mut line.points {
            if point.standing == Standing::Censored && point.value.is_finite() && point.value >= 0.0 {
                highest = highest.max(point.value);
                n += 1;
                let half = 0.5 * point.value;
                (point.standing, point.value, point.sigma) = (Standing::Good, half, Some(half));
            }
        }
        (line, n, highest)
    }
    /// Usable points between two times (inclusive), h. Of a line that holds, what stood before stands at the first time.
    pub(super) fn usable(&self, from_h: f64, to_h: f64) -> Usable {
        let mut out = Usable { holds: self.holds, ..Usable::default() };
        let mut before: Option<Spot> = None;
        for point in &self.points {
            let t_h = point.t_s / HOUR_S;
            if !point.t_s.is_finite() || point.t_s.abs() > TIME_S_MAX {
                out.flagged += 1;
                continue;
            }
            if t_h < from_h || t_h > to_h {
                let standing = self.holds && t_h < from_h && point.standing == Standing::Good && point.value.is_finite();
                let later = before.is_none_or(|b| (t_h, point.value) > (b.t_h, b.value));
                if standing && later && point.value.abs() <= VALUE_MAX {
                    before = Some(Spot { t_h, value: point.value, sigma: None });
                }
                continue;
            }
            match point.standing {
                Standing::Censored => out.censored += 1,
                Standing::Good if point.value.is_finite() && point.value.abs() <= VALUE_MAX => {
                    let sigma = point.sigma.filter(|s| s.is_finite() && *s > 0.0 && *s <= VALUE_MAX);
                    out.spots.push(Spot { t_h, value: point.value, sigma });
                }
                Standing::Good | Standing::Flagged => out.flagged += 1,
            }
        }
        if let Some(spot) = before.filter(|_| !out.spots.iter().any(|s| s.t_h == from_h)) {
            out.spots.push(Spot { t_h: from_h, ..spot });
        }
        // A total order, so that the order of input leaves no trace in any sum.
        out.spots.sort_by(|a, b| {
            let sigma = |s: &Spot| s.sigma.unwrap_or(-1.0);
            a.t_h.total_cmp(&b.t_h).then(a.value.total_cmp(&b.value)).then(sigma(a).total_cmp(&sigma(b)))
        });
        out.spots = merged(&out.spots);
        out
    }
}

/// One spot a time: repeated measurements become their mean.
fn merged(spots: &[Spot]) -> Vec<Spot> {
    spots
        .chunk_by(|a, b| a.t_h == b.t_h)
        .filter_map(|same| {
            let first = same.first()?;
            if same.len() == 1 {
                return Some(*first);
            }
            let n = same.len() as f64;
            let variance: Option<f64> = same.iter().map(|s| s.sigma.map(|s| s * s)).sum();
            Some(Spot {
                t_h: first.t_h,
                value: same.iter().map(|s| s.value).sum::<f64>() / n,
                sigma: variance.map(|v| v.sqrt() / n),
            })
        })
        .collect()
}

impl Usable {
    pub(super) fn len(&self) -> usize {
        self.spots.len()
    }
    /// Median time between points, h.
    pub(super) fn step_h(&self) -> Option<f64> {
        let mut steps: Vec<f64> = self.spots.windows(2).filter_map(|w| Some(w.get(1)?.t_h - w.first()?.t_h)).collect();
        steps.sort_by(f64::total_cmp);
        steps.get(steps.len() / 2).copied()
    }
    /// Is it logged rather than sampled by hand: at least 30 points, ten minutes apart or closer?
    pub(super) fn is_dense(&self) -> bool {
        self.len() >= 30 && self.step_h().is_some_and(|s| s <= 1.0 / 6.0)
    }
    /// Points with `from_h <= t < to_h`.
    pub(super) fn between(&self, from_h: f64, to_h: f64) -> &[Spot] {
        let from = self.spots.partition_point(|s| s.t_h < from_h);
        let to = self.spots.partition_point(|s| s.t_h < to_h).max(from);
        self.spots.get(from..to).unwrap_or(&[])
    }
    /// Value at a time: the last one of a line that holds, else on the straight line between its neighbours;
    /// before the first and behind the last nothing is said.
    pub(super) fn at(&self, t_h: f64) -> Option<f64> {
        let after = self.spots.partition_point(|s| s.t_h <= t_h);
        let before = self.spots.get(after.checked_sub(1)?)?;
        if self.holds || before.t_h == t_h {
            return Some(before.value);
        }
        let next = self.spots.get(after)?;
        Some(before.value + (next.value - before.value) * (t_h - before.t_h) / (next.t_h - before.t_h))
    }
    /// As [`Usable::at`]; before the first point its value, behind the last that one.
    pub(super) fn near(&self, t_h: f64) -> Option<f64> {
        let (first, last) = (self.spots.first()?, self.spots.last()?);
        Some(if t_h <= first.t_h {
            first.value
        } else if t_h >= last.t_h {
            last.value
        } else {
            self.at(t_h)?
        })
    }
    /// Means of equal stretches of time; stretches without points are left out.
    pub(super) fn bins(&self, from_h: f64, width_h: f64, count: usize) -> Vec<Level> {
        (0..count)
            .filter_map(|i| {
                let start = from_h + width_h * i as f64;
                // The last stretch takes its end in.
                let end = if i + 1 == count { f64::INFINITY } else { from_h + width_h * (i + 1) as f64 };
                level(self.between(start, end))
            })
            .collect()
    }
    /// The level of a logged line around a time (±5 minutes), of a sampled one its result within a minute of it.
    pub(super) fn level_at(&self, t_h: f64) -> Option<f64> {
        let (reach, dense) = if self.is_dense() { (5.0 / 60.0, true) } else { (1.0 / 60.0, false) };
        let near = self.between(t_h - reach, t_h + reach + 1e-9);
        if dense {
            level(near).map(|l| l.mean)
        } else {
            near.iter().min_by(|a, b| (a.t_h - t_h).abs().total_cmp(&(b.t_h - t_h).abs())).map(|s| s.value)
        }
    }
}

/// Mean with its standard error. Neighbouring points of a probe are alike, so n counts as
/// `n (1 − r) / (1 + r)` with the lag-one autocorrelation r (Bayley and Hammersley, J. R. Stat. Soc. Suppl.
/// 8:184, 1946, for a first-order process).
pub(super) fn level(spots: &[Spot]) -> Option<Level> {
    let n = spots.len();
    if n == 0 {
        return None;
    }
    let count = n as f64;
    let mean = spots.iter().map(|s| s.value).sum::<f64>() / count;
    let t_h = spots.iter().map(|s| s.t_h).sum::<f64>() / count;
    let (mut error, mut freedom) = (None, 0.0);
    if n >= 3 {
        let away: Vec<f64> = spots.iter().map(|s| s.value - mean).collect();
        let square: f64 = away.iter().map(|a| a * a).sum();
        let lagged: f64 = away.windows(2).filter_map(|w| Some(w.first()? * w.get(1)?)).sum();
        let r = if square > 0.0 { (lagged / square).clamp(0.0, 0.99) } else { 0.0 };
        let effective = (count * (1.0 - r) / (1.0 + r)).clamp(2.0, count);
        freedom = effective - 1.0;
        error = Some((square / (count - 1.0) / effective).sqrt());
    }
    Some(Level { t_h, mean, error, freedom, n })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::*;

    fn line(points: &[(f64, f64)]) -> Line {
        Line { points: points.iter().map(|(h, v)| Point::good(h * HOUR_S, *v)).collect(), ..Line::default() }
    }

    #[test]
    fn what_cannot_be_used_is_counted() {
        let mut l = line(&[(2.0, 5.0), (1.0, 3.0), (1.0, 5.0), (f64::NAN, 1.0), (3.0, f64::INFINITY)]);
        l.points.push(Point { standing: Standing::Censored, ..Point::good(0.0, 0.1) });
        l.points.push(Point { standing: Standing::Flagged, ..Point::good(0.0, 9.0) });
        let u = l.usable(0.0, 10.0);
        assert_eq!((u.censored, u.flagged, u.len()), (1, 3, 2));
        assert_eq!((u.at(1.0), u.at(1.5), u.at(0.5), u.at(2.5)), (Some(4.0), Some(4.5), None, None));
        assert_eq!((u.near(0.5), u.near(9.0)), (Some(4.0), Some(5.0)));
        let held = Usable { holds: true, ..u };
        assert_eq!(held.at(1.9), Some(4.0));
    }

    #[test]
    fn neighbours_that_are_alike_count_less() {
        let spots = |values: &[f64]| -> Vec<Spot> {
            values.iter().enumerate().map(|(i, v)| Spot { t_h: i as f64, value: *v, sigma: None }).collect()
        };
        let alike: Vec<f64> = (0..40).map(|i| if i < 20 { 1.0 } else { 2.0 }).collect();
        let mixed: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { 1.0 } else { 2.0 }).collect();
        let (a, b) = (level(&spots(&alike)).unwrap(), level(&spots(&mixed)).unwrap());
        assert_eq!(a.mean, b.mean);
        // Independent points: sd/√n = 0.506/6.32.
        assert!((b.error.unwrap() - 0.0801).abs() < 1e-3 && a.error.unwrap() > 3.0 * b.error.unwrap(), "{a:?} {b:?}");
        assert_eq!(level(&[]), None);
    }
}
