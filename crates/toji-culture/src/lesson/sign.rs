//! What runs show of a limit: how long a measured quantity stood beyond a bound, on the larger scale and not on the
//! smaller one. A limit is shown by measurement alone; what correlations say stands beside it and decides nothing.

use crate::rates::{Line, Standing as PointStanding};
use serde::{Deserialize, Serialize};
use toji_core::Text;

/// Least time beyond the bound that counts, h.
pub const LEAST_H: f64 = 0.5;
/// The smaller scale may have stood beyond it for at most this share of the larger one's time.
const SMALL_SHARE: f64 = 0.25;
/// A silence longer than this is no measurement, h.
const GAP_H: f64 = 0.5;

/// What may have limited the larger scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "LimitCause")]
pub enum Cause {
    /// Oxygen transfer: dissolved oxygen stood below its least level.
    OxygenTransfer,
    /// Heat removal: the temperature stood above its band.
    HeatRemoval,
    /// Carbon dioxide: its pressure in the exit gas stood above the bound.
    CarbonDioxide,
    /// Mixing: a by-product beyond the smaller scale although oxygen sufficed at the probe.
    Mixing,
}

impl Cause {
    /// All of them, in the order they are looked for.
    pub const ALL: [Self; 4] = [Self::OxygenTransfer, Self::HeatRemoval, Self::CarbonDioxide, Self::Mixing];

    /// Label.
    #[must_use]
    pub fn label(self) -> Text {
        match self {
            Self::OxygenTransfer => Text::new("酸素移動", "Oxygen transfer"),
            Self::HeatRemoval => Text::new("除熱", "Heat removal"),
            Self::CarbonDioxide => Text::new("CO2 の蓄積", "Carbon dioxide"),
            Self::Mixing => Text::new("混合（副生物）", "Mixing (by-product)"),
        }
    }
    /// Code, as in records.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::OxygenTransfer => "oxygen-transfer",
            Self::HeatRemoval => "heat-removal",
            Self::CarbonDioxide => "carbon-dioxide",
            Self::Mixing => "mixing",
        }
    }
}

/// What the data say of a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "SignStanding")]
pub enum Standing {
    /// The larger scale met it, the smaller one did not.
    Shown,
    /// Both scales met it: no difference of scale.
    OnBoth,
    /// The larger scale did not meet it.
    NotSeen,
    /// It was not measured on the larger scale, on no run of the smaller one, or without a bound.
    NotMeasured,
}

/// What runs show of a cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Sign {
    /// Cause.
    pub cause: Cause,
    /// Label.
    pub label: Text,
    /// What the data say.
    pub standing: Standing,
    /// Time beyond the bound on the larger scale, h: the least of its runs.
    pub large_h: Option<f64>,
    /// The same on the smaller scale: the most of its runs.
    pub small_h: Option<f64>,
}

/// Time for which a line stood beyond a bound between two times (s), h; `None` without two points there. Between two
/// points half an interval belongs to each; silences longer than half an hour count for nothing.
#[must_use]
pub fn beyond_h(line: &Line, from_s: f64, to_s: f64, beyond: impl Fn(f64) -> bool) -> Option<f64> {
    let inside = |t: f64| (from_s..=to_s).contains(&t);
    let good = line.points.iter().filter(|p| p.standing == PointStanding::Good && p.value.is_finite() && inside(p.t_s));
    let mut points: Vec<(f64, f64)> = good.map(|p| (p.t_s, p.value)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    if points.len() < 2 {
        return None;
    }
    let mut hours = 0.0;
    for pair in points.windows(2) {
        let [(t, before), (next, after)] = pair else { continue };
        let width = (next - t) / 3600.0;
        if line.holds {
            hours += if beyond(*before) { width } else { 0.0 };
        } else if width <= GAP_H {
            hours += 0.5 * width * (f64::from(u8::from(beyond(*before))) + f64::from(u8::from(beyond(*after))));
        }
    }
    Some(hours)
}

/// What the times beyond a bound say. A run without a measurement is `None`.
#[must_use]
pub fn judge(cause: Cause, large: &[Option<f64>], small: &[Option<f64>]) -> Sign {
    let all: Option<Vec<f64>> = large.iter().copied().collect();
    let least = all.and_then(|a| a.into_iter().reduce(f64::min));
    let most = small.iter().copied().flatten().reduce(f64::max);
    let standing = match (least, most) {
        (None, _) => Standing::NotMeasured,
        (Some(large), _) if large < LEAST_H => Standing::NotSeen,
        (Some(_), None) => Standing::NotMeasured,
        (Some(large), Some(small)) if small <= SMALL_SHARE * large => Standing::Shown,
        _ => Standing::OnBoth,
    };
    Sign { cause, label: cause.label(), standing, large_h: least, small_h: most }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]
mod tests {
    use super::*;
    use crate::rates::Point;

    #[test]
    fn time_beyond_a_bound_is_counted_between_good_points() {
        let mut line = Line::default();
        // Every six minutes for ten hours: below 20 from 4 h to 6 h.
        for i in 0..=100 {
            let h = f64::from(i) * 0.1;
            line.points.push(Point::good(h * 3600.0, if (3.95..6.05).contains(&h) { 5.0 } else { 40.0 }));
        }
        let below = |v: f64| v < 20.0;
        let whole = beyond_h(&line, 0.0, 36_000.0, below).unwrap();
        assert!((whole - 2.1).abs() < 1e-9, "{whole}");
        assert!((beyond_h(&line, 0.0, 5.0 * 3600.0, below).unwrap() - 1.05).abs() < 1e-9);
        assert_eq!(beyond_h(&line, 50_000.0, 60_000.0, below), None);
        // A silence is no low level, and the order of points leaves no trace.
        line.points.retain(|p| !(14_500.0..21_500.0).contains(&p.t_s));
        line.points.reverse();
        assert!(beyond_h(&line, 0.0, 36_000.0, below).unwrap() < 0.2);
    }

    #[test]
    fn only_what_the_smaller_scale_did_not_meet_is_a_matter_of_scale() {
        let standing = |large: &[Option<f64>], small: &[Option<f64>]| judge(Cause::OxygenTransfer, large, small).standing;
        assert_eq!(standing(&[Some(3.0)], &[Some(0.1), Some(0.0)]), Standing::Shown);
        assert_eq!(standing(&[Some(3.0)], &[Some(2.0), Some(0.0)]), Standing::OnBoth);
        assert_eq!(standing(&[Some(0.2)], &[Some(0.0)]), Standing::NotSeen);
        assert_eq!(standing(&[Some(3.0)], &[None]), Standing::NotMeasured);
        assert_eq!(standing(&[None], &[Some(0.0)]), Standing::NotMeasured);
        // Every run of the larger scale must show it.
        assert_eq!(standing(&[Some(3.0), Some(0.0)], &[Some(0.0)]), Standing::NotSeen);
        assert_eq!(standing(&[Some(3.0), None], &[Some(0.0)]), Standing::NotMeasured);
        assert_eq!(standing(&[], &[Some(0.0)]), Standing::NotMeasured);
    }
}
