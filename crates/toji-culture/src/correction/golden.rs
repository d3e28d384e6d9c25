//! The corrector: what a batch is believed to be, what of it may still be moved, and by how much it must be.

use crate::fit::{Measured, Noise, Parameter, Prior, Problem, Reading, Run, Scale};
use crate::kernel::{Dual, Options, System};
use crate::linear::{Matrix, dot};
use crate::optimise::{Limits, minimise};
use crate::twin::Seen;
use libm::log as ln;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text};

/// What is believed of the constants while a batch runs: the most probable values and how open they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// Values, in the order of the beliefs.
    pub values: Vec<f64>,
    /// Their logarithms.
    pub at: Vec<f64>,
    /// Covariance of the logarithms.
    pub covariance: Matrix,
    /// Did the search end because nothing fell any more?
    pub converged: bool,
}

/// Derivatives computed in one simulation.
const DIRECTIONS: usize = 8;
/// How far a constant is searched, in standard deviations of what is believed.
const REACH: f64 = 5.0;
/// Deviation from the target that weighs as much as moving one lever over all of its range, where `ease` is 1.
const WEIGHED: f64 = 0.02;

/// A constant that may differ from the declared value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Belief {
    /// Constant of the model.
    pub constant: String,
    /// Standard deviation of its logarithm between plants: what all runs of this plant share.
    pub plants: f64,
    /// Standard deviation of its logarithm between runs.
    pub runs: f64,
}

/// A constant that may be moved while a batch runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Lever {
    /// Constant of the model, such as a value of a profile.
    pub constant: String,
    /// From when on it acts, in the unit of the model's time.
    pub from: f64,
    /// Least value, in its unit.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
}

/// What is to be reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Aim {
    /// Quantity of the model.
    pub quantity: String,
    /// Target, in its unit.
    pub target: f64,
    /// When, in the unit of the model's time.
    pub until: f64,
}

/// How readily it corrects.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Settings {
    /// Dead band: nothing is moved while the foretold end lies within so many of its standard deviations of the target.
    pub band: f64,
    /// Weight of moving: 0 moves whatever helps, more moves less.
    pub ease: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { band: 0.25, ease: 0.05 }
    }
}

/// What was found at a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    /// The end as it would come without a correction.
    pub foretold: f64,
    /// Its standard deviation, by what is not known of the constants; what is still to come is not in it.
    pub sd: f64,
    /// The end as it is expected after the correction.
    pub corrected: f64,
    /// Levers that are moved: place of the constant, before and after.
    pub moved: Vec<(usize, f64, f64)>,
    /// Why, in words.
    pub why: Text,
    /// The constants as they are believed to be now.
    pub settled: Settled,
}

/// What is known of one constant of the plant, as an offset of its logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Known {
    mean: f64,
    variance: f64,
}

/// A golden recipe with its corrector.
#[derive(Debug)]
pub struct Golden<'s> {
    system: &'s System,
    options: Options,
    recipe: Vec<f64>,
    beliefs: Vec<(usize, Belief)>,
    known: Vec<Known>,
    levers: Vec<(usize, Lever)>,
    aim: Aim,
    /// Place of the quantity that is aimed at.
    goal: usize,
    settings: Settings,
}

fn refused(field: String, ja: String, en: String) -> Error {
    Error::input("E-GOLDEN-001", ja, en).at(Place::field(field))
}

impl<'s> Golden<'s> {
    /// A recipe (values of all constants of the system) with what is believed, what may be moved and what is aimed at.
    ///
    /// # Errors
    /// Names the model does not have, spreads or ranges that are none, more than eight beliefs or none.
    pub fn new(
        system: &'s System,
        recipe: Vec<f64>,
        beliefs: &[Belief],
        levers: &[Lever],
        aim: Aim,
        settings: Settings,
    ) -> Result<Self> {
        let goal = system.quantity(&aim.quantity).map_err(|e| e.at(Place::field("aim.quantity")))?;
        let mut placed = Vec::new();
        for belief in beliefs {
            let field = format!("beliefs.{}", belief.constant);
            let at = system.constant(&belief.constant).map_err(|e| e.at(Place::field(&field)))?;
            let spreads =
                [belief.plants, belief.runs].iter().all(|s| (0.0..=2.0).contains(s)) && belief.plants + belief.runs > 0.0;
            if !spreads || recipe.get(at).is_none_or(|v| *v <= 0.0) {
                return Err(refused(
                    field,
                    format!("«{}» のばらつきは 0〜2（両方 0 は不可）、値は正でなければなりません", belief.constant),
                    format!("«{}» needs spreads of 0 to 2, not both 0, and a positive value", belief.constant),
                )
                .hint("例: plants = 0.05、runs = 0.1", "example: plants = 0.05, runs = 0.1"));
            }
            placed.push((at, belief.clone()));
        }
        if !(1..=DIRECTIONS).contains(&placed.len()) {
            return Err(refused(
                "beliefs".into(),
                format!("ばらつく定数は 1〜{DIRECTIONS} 個にしてください"),
                format!("give 1 to {DIRECTIONS} constants that may differ"),
            )
            .hint("影響の大きい定数に絞ってください", "keep those that matter most"));
        }
        let mut moved = Vec::new();
        for lever in levers {
            let field = format!("levers.{}", lever.constant);
            let at = system.constant(&lever.constant).map_err(|e| e.at(Place::field(&field)))?;
            if !(lever.low.is_finite() && lever.high.is_finite() && lever.low < lever.high && lever.from.is_finite()) {
                return Err(refused(
                    field,
                    format!("«{}» の範囲は下限 < 上限の有限の数です", lever.constant),
                    format!("the range of «{}» must be finite, low below high", lever.constant),
                )
                .hint("モデルの単位で与えてください", "give it in the unit of the model"));
            }
            moved.push((at, lever.clone()));
        }
        if !(aim.target.is_finite() && aim.target != 0.0 && aim.until > 0.0 && aim.until.is_finite()) {
            return Err(refused(
                "aim".into(),
                "目標は 0 でない有限の値、時刻は正の数です".into(),
                "the target must be finite and not 0, its time positive".into(),
            )
            .hint("目標の力価と培養時間を与えてください", "give the titre aimed at and the duration"));
        }
        let known = beliefs.iter().map(|b| Known { mean: 0.0, variance: b.plants * b.plants }).collect();
        let options = Options { relative: 1e-5, absolute: vec![1e-7], ..Options::default() };
        Ok(Self { system, options, recipe, beliefs: placed, known, levers: moved, aim, goal, settings })
    }

    /// The recipe that is replayed.
    #[must_use]
    pub fn recipe(&self) -> &[f64] {
        &self.recipe
    }

    /// What is believed of a run beforehand: mean and standard deviation of the logarithm of a constant.
    fn prior(&self, i: usize) -> Prior {
        let ((at, belief), known) = (&self.beliefs[i], &self.known[i]);
        Prior { mean: ln(self.recipe[*at]) + known.mean, sd: libm::sqrt(known.variance + belief.runs * belief.runs).max(1e-6) }
    }

    /// The most probable constants of a run by all that was measured of it, under the recipe as it stands.
    ///
    /// # Errors
    /// As [`Problem::settle`].
    pub fn estimate(&self, recipe: &[f64], seen: &[Seen]) -> Result<Settled> {
        let names = self.system.names();
        let parameters: Vec<Parameter> = (0..self.beliefs.len())
            .map(|i| {
                let prior = self.prior(i);
                Parameter {
                    name: self.beliefs[i].1.constant.clone(),
                    scale: Scale::Log,
                    low: libm::exp(prior.mean - REACH * prior.sd),
                    high: libm::exp(prior.mean + REACH * prior.sd),
                    prior: Some(prior),
                    by_group: false,
                }
            })
            .collect();
        let mut set = Vec::new();
        for (at, lever) in &self.levers {
            set.push((lever.constant.clone(), recipe[*at]));
        }
        let measured = seen
            .iter()
            .map(|s| Measured {
                quantity: names[s.quantity].to_string(),
                time: s.time,
                reading: Reading::Value(s.value),
                noise: Noise::Known(s.sd.max(1e-9)),
            })
            .collect();
        // The rest of the recipe as it is replayed.
        for (place, value) in self.system.constants().iter().enumerate() {
            if self.recipe[place] != *value && value.is_finite() && !self.levers.iter().any(|(at, _)| *at == place) {
                set.push((self.name(place), self.recipe[place]));
            }
        }
        let run = Run { system: None, name: "batch".into(), group: String::new(), set, measured };
        if run.measured.is_empty() {
            return self.unmeasured();
        }
        let problem = Problem::new(self.system, &parameters, &[run], 0.0, self.options.clone())?;
        let found = problem.posterior_from(&problem.middle())?;
        let values = found.unknowns.iter().zip(&found.at).map(|(u, at)| u.outward(*at)).collect();
        Ok(Settled { values, at: found.at, covariance: found.covariance, converged: found.converged })
    }

    fn name(&self, constant: usize) -> String {
        let names = self.system.names();
        let found = names.iter().find(|n| self.system.constant(n).is_ok_and(|at| at == constant));
        found.map_or_else(String::new, ToString::to_string)
    }

    /// What is believed where nothing was measured.
    fn unmeasured(&self) -> Result<Settled> {
        let priors: Vec<Prior> = (0..self.beliefs.len()).map(|i| self.prior(i)).collect();
        let n = priors.len();
        let covariance = Matrix::from_fn(n, n, |i, j| if i == j { priors[i].sd * priors[i].sd } else { 0.0 });
        let at: Vec<f64> = priors.iter().map(|p| p.mean).collect();
        Ok(Settled { values: at.iter().map(|a| libm::exp(*a)).collect(), at, covariance, converged: true })
    }

    /// The end with its derivatives along some constants.
    fn end(&self, constants: &[f64], along: &[usize]) -> Result<Dual<DIRECTIONS>> {
        let duals: Vec<Dual<DIRECTIONS>> = constants
            .iter()
            .enumerate()
            .map(|(i, c)| Dual::along(*c, along.iter().position(|a| *a == i).unwrap_or(DIRECTIONS)))
            .collect();
        let found = self.system.simulate(&duals, &[0.0, self.aim.until], &self.options)?;
        Ok(found.at(1)[self.goal])
    }

    /// Decides at a time: whether the levers still to come must be moved, given the recipe as it stands and all that was
    /// measured.
    ///
    /// # Errors
    /// As [`Self::estimate`]; a model that cannot be simulated.
    pub fn correct(&self, now: f64, recipe: &[f64], seen: &[Seen]) -> Result<Corrected> {
        let settled = self.estimate(recipe, seen)?;
        let mut constants = recipe.to_vec();
        for ((at, _), value) in self.beliefs.iter().zip(&settled.values) {
            constants[*at] = *value;
        }
        let believed: Vec<usize> = self.beliefs.iter().map(|(at, _)| *at).collect();
        let end = self.end(&constants, &believed)?;
        // By logarithms, as the covariance is.
        let slopes: Vec<f64> = settled.values.iter().enumerate().map(|(i, v)| end.slopes[i] * v).collect();
        let variance = dot(&slopes, &settled.covariance.times(&slopes));
        let (foretold, sd) = (end.value, libm::sqrt(variance.max(0.0)));
        let off = foretold - self.aim.target;
        let free: Vec<&(usize, Lever)> = self.levers.iter().filter(|(_, l)| l.from >= now && l.from < self.aim.until).collect();
        let mut out = Corrected { foretold, sd, corrected: foretold, moved: Vec::new(), why: Text::same(""), settled };
        if free.is_empty() || off.abs() <= self.settings.band * sd {
            out.why = self.words(&out);
            return Ok(out);
        }
        let share = |value: f64, lever: &Lever| ((value - lever.low) / (lever.high - lever.low)).clamp(0.0, 1.0);
        let start: Vec<f64> = free.iter().map(|(at, lever)| share(recipe[*at], lever)).collect();
        let scale = WEIGHED * self.aim.target.abs();
        let places: Vec<usize> = free.iter().map(|(at, _)| *at).collect();
        let set = |x: &[f64], constants: &mut Vec<f64>| {
            for (x, (at, lever)) in x.iter().zip(&free) {
                constants[*at] = lever.low + x * (lever.high - lever.low);
            }
        };
        let limits = Limits { iterations: 25, gradient: 1e-3, decrease: 1e-4 };
        let found = minimise(&start, &vec![0.0; start.len()], &vec![1.0; start.len()], &limits, |x, slope| {
            let mut trial = constants.clone();
            set(x, &mut trial);
            let mut value = 0.0;
            for (chunk, first) in places.chunks(DIRECTIONS).zip((0..).step_by(DIRECTIONS)) {
                let Ok(end) = self.end(&trial, chunk) else { return f64::INFINITY };
                let miss = (end.value - self.aim.target) / scale;
                value = miss * miss;
                for k in 0..chunk.len() {
                    let width = free[first + k].1.high - free[first + k].1.low;
                    slope[first + k] = 2.0 * miss / scale * end.slopes[k] * width;
                }
            }
            for (k, (x, s)) in x.iter().zip(&start).enumerate() {
                value += self.settings.ease * (x - s) * (x - s);
                slope[k] += 2.0 * self.settings.ease * (x - s);
            }
            value
        });
        set(&found.x, &mut constants);
        out.corrected = self.end(&constants, &[])?.value;
        if (out.corrected - self.aim.target).abs() < off.abs() {
            let moves = free.iter().map(|(at, _)| (*at, recipe[*at], constants[*at]));
            out.moved = moves.filter(|(_, before, after)| (before - after).abs() > 1e-9 * before.abs().max(1e-9)).collect();
        } else {
            out.corrected = foretold;
        }
        out.why = self.words(&out);
        Ok(out)
    }

    fn words(&self, found: &Corrected) -> Text {
        let (to, sd, target) = (found.foretold, found.sd, self.aim.target);
        let name = &self.aim.quantity;
        if found.moved.is_empty() {
            return Text::new(
                format!(
                    "«{name}» は {to:.3} ± {sd:.3} になる見込みで、目標 {target:.3} に近いか動かせるものがないため変更しません"
                ),
                format!(
                    "«{name}» is expected at {to:.3} ± {sd:.3}, near the target {target:.3} or beyond what can be moved: no change"
                ),
            );
        }
        let moves = found
            .moved
            .iter()
            .map(|(at, before, after)| format!("{} {before:.3} → {after:.3}", self.name(*at)))
            .collect::<Vec<_>>()
            .join(", ");
        let after = found.corrected;
        Text::new(
            format!("このままでは «{name}» は {to:.3} ± {sd:.3}（目標 {target:.3}）。{moves} に変えると {after:.3} の見込み"),
            format!(
                "as it is «{name}» comes to {to:.3} ± {sd:.3} (target {target:.3}); {moves} is expected to bring it to {after:.3}"
            ),
        )
    }

    /// What a finished run tells of the plant: the means of the constants move towards its own, by how sure both are.
    pub fn learn(&mut self, settled: &Settled) {
        for i in 0..self.beliefs.len() {
            let (prior, known) = (self.prior(i), self.known[i]);
            let (before, after) = (prior.sd * prior.sd, settled.covariance[(i, i)]);
            // What the run itself says, its prior taken out again.
            let precision = 1.0 / after - 1.0 / before;
            if precision <= 1e-6 / before {
                continue;
            }
            let said = (settled.at[i] / after - prior.mean / before) / precision;
            let runs = self.beliefs[i].1.runs;
            let gain = known.variance / (known.variance + runs * runs + 1.0 / precision);
            self.known[i] = Known { mean: known.mean + gain * (said - prior.mean), variance: known.variance * (1.0 - gain) };
        }
    }
}
