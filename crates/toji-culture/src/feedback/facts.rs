//! What the feedback looks at, found in a culture: when the feed began and when the substrate ran out, when oxygen
//! was short, how high the foam stood.

use crate::rates::{Analysis, Culture, Line, Quantity, Standing};

/// What else was recorded of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sensed {
    /// Foam, % of the head space.
    pub foam: Option<Line>,
    /// Times of alarms, s.
    pub alarms_s: Vec<f64>,
}

/// What the feedback looks at. Times are s since the run's zero.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// Quantities of the standard analysis.
    pub quantities: Vec<Quantity>,
    /// When the feed began.
    pub feed_start_s: Option<f64>,
    /// When the demand for oxygen fell: the substrate of the medium was used up.
    pub depletion_s: Option<f64>,
    /// Longest stretch outside the band, by code.
    worst: Vec<(String, (f64, f64))>,
    /// Was dissolved oxygen measured?
    pub oxygen_seen: bool,
    /// Stretches with dissolved oxygen below 10 % of saturation.
    pub oxygen_low: Vec<(f64, f64)>,
    /// Highest foam: time and %.
    pub foam: Option<(f64, f64)>,
    /// Alarms.
    pub alarms_s: Vec<f64>,
}

/// Below this many % of air saturation oxygen limits most aerobic cultures (critical levels of 5 to 10 %: Garcia-Ochoa
/// and Gomez, Biotechnol. Adv. 27:153, 2009).
pub(super) const OXYGEN_LOW_PERCENT: f64 = 10.0;
/// Short dips are noise of the loop, s.
const DIP_S: f64 = 120.0;
/// A rise by so much above the median of the quarter of an hour before says that the demand fell.
const RISE_PERCENT: f64 = 8.0;
const BEFORE_S: f64 = 900.0;

impl Facts {
    /// A quantity by its code.
    #[must_use]
    pub fn quantity(&self, code: &str) -> Option<&Quantity> {
        self.quantities.iter().find(|q| q.code == code)
    }
    pub(super) fn worst(&self, code: &str) -> Option<(f64, f64)> {
        self.worst.iter().find(|(c, _)| c == code).map(|(_, at)| *at)
    }
}

/// Good points within the culture, in order of time.
fn good(line: &Line, culture: &Culture) -> Vec<(f64, f64)> {
    let from = culture.inoculated_s.unwrap_or(f64::NEG_INFINITY);
    let to = culture.ended_s.unwrap_or(f64::INFINITY);
    let usable = line.points.iter().filter(|p| p.standing == Standing::Good && p.value.is_finite() && p.t_s.is_finite());
    let mut out: Vec<(f64, f64)> = usable.map(|p| (p.t_s, p.value)).filter(|(t, _)| (from..=to).contains(t)).collect();
    out.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    out
}

/// Finds them.
#[must_use]
pub fn facts(culture: &Culture, analysis: &Analysis, sensed: &Sensed) -> Facts {
    let oxygen = culture.oxygen.measured.as_ref().map(|l| good(l, culture)).unwrap_or_default();
    let feed_start_s = culture.feed.as_ref().and_then(|l| began(&good(l, culture)));
    let mut alarms_s: Vec<f64> = sensed.alarms_s.iter().copied().filter(|t| t.is_finite()).collect();
    alarms_s.sort_by(f64::total_cmp);
    let foam = sensed.foam.as_ref().map(|l| good(l, culture)).unwrap_or_default();
    let mut worst = Vec::new();
    for (code, of) in [("time-in-band-ph", &culture.ph), ("time-in-band-temperature", &culture.temperature)] {
        let at = crate::rates::longest_outside(culture, of);
        worst.extend(at.map(|at| (code.to_owned(), at)));
    }
    Facts {
        quantities: analysis.quantities.clone(),
        feed_start_s,
        depletion_s: depletion(&oxygen),
        worst,
        oxygen_seen: !oxygen.is_empty(),
        oxygen_low: stretches(&oxygen, |v| v < OXYGEN_LOW_PERCENT),
        foam: foam.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)),
        alarms_s,
    }
}

/// When a total begins to rise: the last point before it has risen by a hundredth of all.
fn began(total: &[(f64, f64)]) -> Option<f64> {
    let first = total.first()?.1;
    let all = total.last()?.1 - first;
    if all <= 0.0 {
        return None;
    }
    // A thousandth of the whole is beyond the pump's digits.
    total.iter().find(|(_, v)| v - first > 0.001 * all).map(|(t, _)| *t)
}

/// Means by the minute.
fn minutes(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points
        .chunk_by(|a, b| (a.0 / 60.0).floor() == (b.0 / 60.0).floor())
        .filter_map(|of| {
            let n = of.len() as f64;
            Some((of.first()?.0, of.iter().map(|p| p.1).sum::<f64>() / n))
        })
        .collect()
}

/// When dissolved oxygen rose steeply for the first time after the culture had drawn it down.
fn depletion(oxygen: &[(f64, f64)]) -> Option<f64> {
    let by_minute = minutes(oxygen);
    let mut lowest = f64::INFINITY;
    (0..by_minute.len()).find_map(|i| {
        let (t, value) = *by_minute.get(i)?;
        let lowest_before = lowest;
        lowest = lowest.min(value);
        let from = by_minute.partition_point(|p| p.0 < t - BEFORE_S);
        // Five minutes back, so that the rise itself is not in it.
        let to = by_minute.partition_point(|p| p.0 < t - 300.0);
        let mut before: Vec<f64> = by_minute.get(from..to)?.iter().map(|p| p.1).collect();
        if before.len() < 5 || lowest_before > 80.0 {
            return None;
        }
        before.sort_by(f64::total_cmp);
        let median = *before.get(before.len() / 2)?;
        let next = by_minute.get(i + 1)?.1;
        (value - median > RISE_PERCENT && next - median > RISE_PERCENT && median < 80.0).then_some(t)
    })
}

/// Stretches in which something holds for longer than a dip.
fn stretches(points: &[(f64, f64)], holds: impl Fn(f64) -> bool) -> Vec<(f64, f64)> {
    let mut out = Vec::new();
    let mut since: Option<f64> = None;
    let mut close = |since: &mut Option<f64>, until: f64| {
        if let Some(from) = since.take().filter(|from| until - from >= DIP_S) {
            out.push((from, until));
        }
    };
    for (t, value) in points {
        if holds(*value) {
            since.get_or_insert(*t);
        } else {
            close(&mut since, *t);
        }
    }
    close(&mut since, points.last().map_or(0.0, |p| p.0));
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::*;

    #[test]
    fn the_rise_is_found_and_noise_is_not() {
        let by =
            |f: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> { (0..2160).map(|i| f64::from(i) * 10.0).map(|t| (t, f(t))).collect() };
        let falling = |t: f64| (100.0 - t / 180.0).max(30.0) + 1.5 * (t * 0.37).sin();
        assert_eq!(depletion(&by(&falling)), None);
        let rising = by(&|t| falling(t) + if t > 18_000.0 { 40.0 } else { 0.0 });
        let at = depletion(&rising).unwrap();
        assert!((at - 18_000.0).abs() <= 120.0, "{at}");
        // Before inoculation all is saturated: no rise there.
        assert_eq!(depletion(&by(&|t| if t > 9_000.0 { 100.0 } else { 85.0 })), None);
        assert_eq!(depletion(&[]), None);
    }

    #[test]
    fn starts_and_stretches() {
        assert_eq!(began(&[(0.0, 1.0), (10.0, 1.0), (20.0, 1.5), (30.0, 9.0)]), Some(20.0));
        assert_eq!((began(&[(0.0, 1.0), (10.0, 1.0)]), began(&[])), (None, None));
        let low = [(0.0, 30.0), (60.0, 5.0), (100.0, 5.0), (160.0, 30.0), (200.0, 5.0), (400.0, 5.0)];
        assert_eq!(stretches(&low, |v| v < 10.0), [(200.0, 400.0)]);
    }
}
