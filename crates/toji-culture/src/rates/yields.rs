//! Yields from the totals of a batch or fed-batch: what is in the vessel, what was fed and what was drawn.

use super::line::Usable;
use super::regression::fit;
use super::resample;

/// Volume of the broth over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Volume {
    /// Measured, L; before the first and behind the last point it stands.
    Measured(Usable),
    /// Load cells, kg, with the density of the broth and what a litre of feed weighs beyond that.
    Weighed { weight: Usable, feed: Option<Usable>, feed_extra_kg_per_l: f64 },
    /// Start volume with everything pumped in, less what was drawn (time h, L).
    Summed { start_l: f64, added: Vec<Usable>, drawn: Vec<(f64, f64)> },
    /// Nobody says it, and nothing was fed: amounts are those of a litre.
    PerLitre,
    /// Nobody says it.
    #[default]
    Unknown,
}

impl Volume {
    /// L at a time.
    pub(super) fn at(&self, t_h: f64) -> Option<f64> {
        let volume = match self {
            Self::Measured(line) => line.near(t_h)?,
            Self::Weighed { weight, feed, feed_extra_kg_per_l } => {
                let fed_l = feed.as_ref().and_then(|f| Some(f.near(t_h)? - f.spots.first()?.value)).unwrap_or(0.0);
                weight.near(t_h)? - fed_l * feed_extra_kg_per_l
            }
            Self::Summed { start_l, added, drawn } => {
                let poured: f64 = added.iter().filter_map(|l| Some(l.near(t_h)? - l.spots.first()?.value)).sum();
                start_l + poured - drawn.iter().filter(|(at, _)| *at < t_h).map(|(_, l)| l).sum::<f64>()
            }
            Self::PerLitre => 1.0,
            Self::Unknown => return None,
        };
        (volume > 0.0 && volume.is_finite()).then_some(volume)
    }
}

/// Amount in the vessel and drawn from it so far, g: `c·V` and the sum of `c·v` of samples before.
pub(super) fn amount(line: &Usable, volume: &Volume, drawn: &[(f64, f64)], t_h: f64) -> Option<f64> {
    let here = line.level_at(t_h)? * volume.at(t_h)?;
    let out: f64 = drawn.iter().filter(|(at, _)| *at < t_h - 1e-6).filter_map(|(at, l)| Some(line.near(*at)? * l)).sum();
    Some(here + out)
}

/// A yield with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Yield {
    pub(super) value: f64,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) by_resampling: bool,
    pub(super) n: usize,
    pub(super) from_h: f64,
    pub(super) to_h: f64,
}

/// Fewest times of a yield, and those from which the interval is resampled.
pub(super) const TIMES_MIN: usize = 3;
const RESAMPLED_MIN: usize = 6;

/// Slope of `made` against `used` (both g, at the same times): the yield of the whole run, whatever the start amounts.
pub(super) fn slope(t_h: &[f64], used: &[f64], made: &[f64], seed: u64) -> Option<Yield> {
    let n = t_h.len();
    if n < TIMES_MIN {
        return None;
    }
    let fitted = fit(used, made, None, 0.0)?;
    let chosen = |chosen: &[usize]| -> Option<f64> {
        let pick = |line: &[f64]| chosen.iter().filter_map(|i| line.get(*i)).copied().collect::<Vec<f64>>();
        Some(fit(&pick(used), &pick(made), None, 0.0)?.slope)
    };
    let by_resampling = n >= RESAMPLED_MIN;
    let interval = if by_resampling {
        resample::interval(n, 1, seed, chosen)
    } else {
        (n > TIMES_MIN).then(|| (fitted.slope - fitted.half_width(), fitted.slope + fitted.half_width()))
    };
    let (from_h, to_h) = (*t_h.first()?, *t_h.last()?);
    Some(Yield { value: fitted.slope, interval, by_resampling, n, from_h, to_h })
}
