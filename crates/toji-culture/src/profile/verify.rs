//! An optimum simulated again by other means: from its replayable file, through the ordinary solver at a far tighter
//! tolerance, between the instants that the optimiser looked at, and under constants that are not quite what the model
//! says.

use super::replay::{instants, replay};
use super::task::{Over, Prepared};
use crate::kernel::{Options, Trajectory};
use crate::model::{File, Model};
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result};

/// Instants at which each interval is looked at.
const LOOKS: usize = 20;
/// A limit counts as kept when it is exceeded by no more than this share of it.
const KEPT: f64 = 1e-9;
/// In draws of the constants, where the tolerance is the usual one.
const KEPT_IN_DRAWS: f64 = 1e-6;

/// What is not quite known of a constant: its logarithm is normal about the model's value.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Constant.
    pub name: String,
    /// Relative standard deviation.
    pub relative: f64,
}

/// How a limit is kept where it is kept worst.
#[derive(Debug, Clone, PartialEq)]
pub struct Margin {
    /// The limit, by its place in the task.
    pub limit: usize,
    /// From above, else from below.
    pub upper: bool,
    /// When it is kept worst.
    pub time: f64,
    /// Value there.
    pub value: f64,
    /// Limit.
    pub bound: f64,
    /// How far it is exceeded; negative: kept by so much.
    pub excess: f64,
    /// Is it kept?
    pub kept: bool,
}

/// What happens where the constants differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Odds {
    /// Draws.
    pub draws: usize,
    /// Draws in which a limit was broken.
    pub broken: usize,
    /// Draws that could not be simulated; they count as broken.
    pub failed: usize,
    /// Probability that a limit is broken, and its 95 % interval (Wilson).
    pub probability: (f64, f64, f64),
    /// Goal: mean, standard deviation and 5 % quantile.
    pub goal: (f64, f64, f64),
}

/// An optimum verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// Goal as the optimiser claims it.
    pub claimed: f64,
    /// Goal as simulated again.
    pub delivered: f64,
    /// Relative tolerance of that simulation.
    pub tolerance: f64,
    /// Limits, where each is kept worst.
    pub margins: Vec<Margin>,
    /// Are all limits kept?
    pub kept: bool,
    /// Under uncertain constants, where asked for.
    pub odds: Option<Odds>,
    /// The file that was simulated.
    pub file: String,
}

/// Simulates an optimum again. Draws are of the constants in `spreads`.
///
/// # Errors
/// A constant that the model does not have or that cannot be set; a model that cannot be simulated.
pub fn verify(
    prepared: &Prepared,
    end: f64,
    inputs: &[Vec<f64>],
    free: &[f64],
    claimed: f64,
    (spreads, draws, seed, threads): (&[Spread], usize, u64, usize),
) -> Result<Verified> {
    let file = replay(prepared, end, inputs, free).write()?;
    let model = crate::model::compile(&File::read(&file)?)?;
    let tolerance = 1e-10;
    let times: Vec<f64> = instants(end, LOOKS * prepared.task.intervals, LOOKS * prepared.task.intervals + 1);
    let options = Options { relative: tolerance, absolute: vec![1e-13], ..Options::default() };
    let trajectory = model.system.simulate(&model.system.constants(), &times, &options)?;
    let margins = margins(prepared, &model, &trajectory, KEPT)?;
    let goal = model.system.quantity(&prepared.task.goal.quantity)?;
    let odds = if spreads.is_empty() || draws == 0 {
        None
    } else {
        Some(odds(prepared, &model, &times, (spreads, draws, seed, threads))?)
    };
    Ok(Verified {
        claimed,
        delivered: trajectory.at(times.len() - 1)[goal],
        tolerance,
        kept: margins.iter().all(|m| m.kept),
        margins,
        odds,
        file,
    })
}

/// How each limit is kept.
fn margins(prepared: &Prepared, model: &Model, trajectory: &Trajectory<f64>, tolerance: f64) -> Result<Vec<Margin>> {
    let mut all = Vec::new();
    let last = trajectory.times.len() - 1;
    for (i, limit) in prepared.task.limits.iter().enumerate() {
        let quantity = model.system.quantity(&limit.quantity)?;
        let equal = limit.low == limit.high;
        for (bound, upper) in [(limit.low, false), (limit.high, true)] {
            let Some(bound) = bound.filter(|b| b.is_finite()) else { continue };
            let mut worst: Option<Margin> = None;
            for l in if limit.over == Over::Course { 0 } else { last }..=last {
                let value = trajectory.at(l)[quantity];
                let excess = if upper { value - bound } else { bound - value };
                if worst.as_ref().is_none_or(|w| excess > w.excess || excess.is_nan()) {
                    // What is to be met exactly cannot be met better than the solver solves.
                    let tolerance = if equal { tolerance.max(1e-6) } else { tolerance };
                    let kept = excess <= tolerance * scale(bound);
                    worst = Some(Margin { limit: i, upper, time: trajectory.times[l], value, bound, excess, kept });
                }
            }
            all.extend(worst);
        }
    }
    Ok(all)
}

/// The size of a limit's numbers.
pub(super) fn scale(bound: f64) -> f64 {
    if bound == 0.0 { 1.0 } else { bound.abs() }
}

fn odds(
    prepared: &Prepared,
    model: &Model,
    times: &[f64],
    (spreads, draws, seed, threads): (&[Spread], usize, u64, usize),
) -> Result<Odds> {
    let mut chance = Chance::new(seed);
    let nominal = model.system.constants();
    let places = spreads.iter().map(|spread| {
        if !(spread.relative.is_finite() && spread.relative >= 0.0) {
            return Err(Error::input(
                "E-PROFILE-002",
                format!("«{}» の相対標準偏差は 0 以上の数にしてください", spread.name),
                format!("the relative standard deviation of «{}» must be a number of at least 0", spread.name),
            )
            .at(Place::field(format!("uncertain.{}", spread.name))));
        }
        model.system.constant(&spread.name).map_err(|e| e.at(Place::field(format!("uncertain.{}", spread.name))))
    });
    let places: Vec<usize> = places.collect::<Result<_>>()?;
    let settings: Vec<Vec<f64>> = (0..draws)
        .map(|_| {
            let mut constants = nominal.clone();
            for (place, spread) in places.iter().zip(spreads) {
                constants[*place] *= libm::exp(spread.relative * chance.normal());
            }
            constants
        })
        .collect();
    let options = Options { relative: 1e-7, absolute: vec![1e-10], ..Options::default() };
    let goal = model.system.quantity(&prepared.task.goal.quantity)?;
    let (mut broken, mut failed, mut goals) = (0, 0, Vec::new());
    for trajectory in model.system.ensemble(&settings, times, &options, threads) {
        match trajectory {
            Ok(trajectory) => {
                broken += usize::from(!margins(prepared, model, &trajectory, KEPT_IN_DRAWS)?.iter().all(|m| m.kept));
                goals.push(trajectory.at(times.len() - 1)[goal]);
            }
            Err(_) => failed += 1,
        }
    }
    let n = goals.len().max(1) as f64;
    let mean = goals.iter().sum::<f64>() / n;
    let variance = goals.iter().map(|g| (g - mean) * (g - mean)).sum::<f64>() / (n - 1.0).max(1.0);
    goals.sort_by(f64::total_cmp);
    let low = goals.get((0.05 * n) as usize).copied().unwrap_or(f64::NAN);
    Ok(Odds {
        draws,
        broken: broken + failed,
        failed,
        probability: wilson(broken + failed, draws),
        goal: (mean, libm::sqrt(variance), low),
    })
}

/// Share and its 95 % interval (Wilson 1927).
fn wilson(k: usize, n: usize) -> (f64, f64, f64) {
    let (k, n, z) = (k as f64, n.max(1) as f64, 1.959_963_984_540_054);
    let share = k / n;
    let middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * libm::sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n));
    (share, (middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn the_interval_of_a_share_is_wilsons() {
        // statsmodels 0.14 proportion_confint(k, n, method="wilson").
        for (k, n, low, high) in [(0, 100, 0.0, 0.036_994_8), (10, 100, 0.055_229_1, 0.174_366)] {
            let (_, a, b) = wilson(k, n);
            assert!((a - low).abs() < 1e-5 && (b - high).abs() < 1e-5, "{a} {b}");
        }
    }
}
