//! How long a loop stayed by its set-point: every point stands until the next, but never over a gap.

use super::line::Usable;

/// Share of the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Held {
    /// Share within the band, 0 to 1.
    pub(super) share: f64,
    /// Time that was judged, h.
    pub(super) judged_h: f64,
    /// Points.
    pub(super) n: usize,
    /// Longest stretch outside: from and to, h.
    pub(super) worst_h: Option<(f64, f64)>,
    pub(super) from_h: f64,
    pub(super) to_h: f64,
}

/// A silence of so many usual steps is a gap, not a value that stands.
const GAP_STEPS: f64 = 5.0;

/// Share of the time with `|measured − set-point| ≤ band`. None without points over a known set-point.
pub(super) fn held(measured: &Usable, wanted: &Usable, band: f64) -> Option<Held> {
    let step = measured.step_h()?;
    let most = if measured.holds { f64::INFINITY } else { GAP_STEPS * step };
    // A set-point stands until it is changed, however its log is written.
    let wanted = Usable { holds: true, ..wanted.clone() };
    let (mut inside, mut judged, mut n) = (0.0, 0.0, 0);
    let (mut away, mut worst): (Option<f64>, Option<(f64, f64)>) = (None, None);
    let (mut from_h, mut to_h) = (f64::INFINITY, f64::NEG_INFINITY);
    for pair in measured.spots.windows(2) {
        let (Some(here), Some(next)) = (pair.first(), pair.get(1)) else { continue };
        let Some(target) = wanted.at(here.t_h) else { continue };
        let lasts = next.t_h - here.t_h;
        let counted = if lasts > most { step } else { lasts };
        judged += counted;
        n += 1;
        from_h = from_h.min(here.t_h);
        to_h = to_h.max(here.t_h + counted);
        if (here.value - target).abs() <= band {
            inside += counted;
            away = None;
            continue;
        }
        let since = *away.get_or_insert(here.t_h);
        if worst.is_none_or(|(a, b)| here.t_h + counted - since > b - a) {
            worst = Some((since, here.t_h + counted));
        }
        if lasts > most {
            away = None;
        }
    }
    (judged > 0.0).then_some(Held { share: inside / judged, judged_h: judged, n, worst_h: worst, from_h, to_h })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::super::line::{Line, Point};
    use super::*;

    fn usable(points: &[(f64, f64)]) -> Usable {
        Line { points: points.iter().map(|(h, v)| Point::good(h * 3600.0, *v)).collect(), ..Line::default() }.usable(-1e3, 1e3)
    }

    #[test]
    fn time_is_counted_and_gaps_are_not() {
        let wanted = usable(&[(0.0, 7.0), (5.0, 6.0)]);
        // Ten points an hour apart; two outside; then a silence of 100 h of which one step counts.
        let measured: Vec<(f64, f64)> = (0..10)
            .map(|h| {
                (
                    f64::from(h),
                    if h < 5 {
                        7.05
                    } else if h < 7 {
                        7.0
                    } else {
                        6.0
                    },
                )
            })
            .chain([(109.0, 6.0)])
            .collect();
        let held = held(&usable(&measured), &wanted, 0.1).unwrap();
        assert!((held.judged_h - 10.0).abs() < 1e-12 && (held.share - 0.8).abs() < 1e-12, "{held:?}");
        assert_eq!(held.worst_h, Some((5.0, 7.0)));
        assert!(super::held(&usable(&measured), &usable(&[]), 0.1).is_none());
    }
}
