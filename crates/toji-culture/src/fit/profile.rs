//! The profile of an unknown: the others descend while it is held, step by step to either side.

use super::descend::{Descent, descend};
use super::landscape::{Landscape, Unknown};
use super::{Estimate, Identifiable};

/// −2 ln L rises by this where a single parameter leaves its 95 % interval (χ² of one degree of freedom).
const RISE_95: f64 = 3.841_458_820_694_124;
/// A step that rises further beyond than this is halved, so that the end between can be interpolated.
const OVERSHOOT: f64 = 0.5;
/// Steps to either side.
const STEPS: usize = 60;

impl Estimate {
    /// A best value of which nothing more is known.
    pub(super) fn unknown(unknown: &Unknown, at: f64) -> Self {
        let at_best = unknown.outward(at);
        Self {
            name: unknown.name.clone(),
            value: None,
            at_best,
            low: None,
            high: None,
            identifiable: Identifiable::No,
            profile: vec![(at_best, 0.0)],
        }
    }
}

/// The profile of one unknown.
///
/// # Errors
/// The better point that it came upon.
pub(super) fn profile(landscape: &impl Landscape, best: &Descent, unknown: usize) -> Result<Estimate, Box<Descent>> {
    let unknowns = landscape.unknowns();
    let it = unknowns[unknown];
    let bottom = best.local.minus_two_log;
    let (low, high) = it.bounds();
    let mut estimate = Estimate::unknown(it, best.at[unknown]);
    // The width of the interval if nothing else moved; profiles are wider, so steps begin smaller.
    let width = libm::sqrt(RISE_95 / best.local.curvature[unknown * unknowns.len() + unknown].max(1e-12));
    let mut sides = [None; 2];
    for (side, direction, bound) in [(0, -1.0, low), (1, 1.0, high)] {
        let (mut at, mut step) = (best.at.clone(), (0.25 * width).clamp(1e-6 * (high - low), 0.05 * (high - low)));
        let (mut last, mut rise_before) = (best.at[unknown], 0.0);
        for _ in 0..STEPS {
            let next = if direction < 0.0 { (last - step).max(bound) } else { (last + step).min(bound) };
            if next == last {
                break;
            }
            at[unknown] = next;
            let Ok(descent) = descend(landscape, &at, &[unknown]) else { break };
            let rise = descent.local.minus_two_log - bottom;
            if rise < -1e-3 {
                return Err(Box::new(descent));
            }
            if rise > RISE_95 + OVERSHOOT && step > 1e-6 * (high - low) {
                step *= 0.5;
                continue;
            }
            estimate.profile.push((it.outward(next), rise.max(0.0)));
            if rise >= RISE_95 {
                let share = (RISE_95 - rise_before) / (rise - rise_before);
                sides[side] = Some(it.outward(last + share * (next - last)));
                break;
            }
            // Longer where the profile hardly rises.
            if rise - rise_before < 0.2 * RISE_95 {
                step *= 1.6;
            }
            (at, last, rise_before) = (descent.at, next, rise);
        }
    }
    estimate.profile.sort_by(|a, b| a.0.total_cmp(&b.0));
    [estimate.low, estimate.high] = sides;
    estimate.identifiable = match sides {
        [Some(_), Some(_)] => Identifiable::Yes,
        [Some(_), None] => Identifiable::OnlyBelow,
        [None, Some(_)] => Identifiable::OnlyAbove,
        [None, None] => Identifiable::No,
    };
    if estimate.identifiable == Identifiable::Yes {
        estimate.value = Some(estimate.at_best);
    }
    Ok(estimate)
}
