//! The plant itself: runs with their draws, lived through from decision to decision.

use super::hidden::{Hidden, Spread};
use crate::kernel::Options;
use crate::model::{Kind, Model};
use libm::exp;
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result};

/// Largest share that a spread may have: beyond it the truth is no variant of the model.
const SHARE_MAX: f64 = 2.0;
/// How far a decision may seem to move what was, by the steps of the solver alone.
const PAST: f64 = 1e-3;

/// One measurement of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Place of the quantity in the model.
    pub quantity: usize,
    /// Time, in the unit of the model's time.
    pub time: f64,
    /// Measured value.
    pub value: f64,
    /// Standard deviation of the measurement.
    pub sd: f64,
}

/// A run as it went.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// What was measured, in the order of time.
    pub seen: Vec<Seen>,
    /// True values of all quantities at the end, in the order of the model.
    pub end: Vec<f64>,
    /// Constants as the recipe and decisions left them, without what is hidden.
    pub recipe: Vec<f64>,
}

/// A simulated plant.
#[derive(Debug)]
pub struct Twin<'m> {
    model: &'m Model,
    until: f64,
    seed: u64,
    options: Options,
    /// Factor of each constant in every run of this plant.
    plant: Vec<f64>,
    reactor: Vec<(usize, f64)>,
    run: Vec<(usize, f64)>,
    /// Constants of the knots, share and memory.
    wander: Vec<(Vec<usize>, f64, f64)>,
    /// Quantity, share and least standard deviation.
    sensors: Vec<(usize, f64, f64)>,
}

fn refused(field: String, ja: String, en: String) -> Error {
    Error::input("E-TWIN-001", ja, en).at(Place::field(field)).hint(
        "share は 0〜2（対数の標準偏差）、memory は 0〜1 です",
        "shares are 0 to 2 (standard deviation of the logarithm), memory is 0 to 1",
    )
}

fn stream(seed: u64, which: u64, number: u64) -> Chance {
    let mut mixed = seed ^ which.wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Chance::new(mixed ^ number.wrapping_mul(0xa076_1d64_78bd_642f))
}

impl<'m> Twin<'m> {
    /// A plant drawn by a seed, whose runs last until this time.
    ///
    /// # Errors
    /// Names the model does not have, shares out of range, a duration that is none.
    pub fn new(model: &'m Model, hidden: &Hidden, until: f64, seed: u64) -> Result<Self> {
        if !until.is_finite() || until <= 0.0 {
            return Err(refused("until".into(), "培養時間は正の数です".into(), "the duration must be positive".into()));
        }
        let place = |spread: &Spread, what: &str| -> Result<(usize, f64)> {
            let at = model
                .system
                .constant(&spread.constant)
                .map_err(|e| e.at(Place::field(format!("hidden.{what}.{}", spread.constant))))?;
            share(spread.share, &format!("hidden.{what}.{}", spread.constant)).map(|s| (at, s))
        };
        let mut plant = vec![1.0; model.system.constants().len()];
        let mut chance = stream(seed, 1, 0);
        for spread in &hidden.plant {
            let (at, share) = place(spread, "plant")?;
            plant[at] *= exp(share * chance.normal());
        }
        let wander = hidden
            .wander
            .iter()
            .map(|w| {
                let field = format!("hidden.wander.{}", w.profile);
                let knots: Vec<usize> = (1..).map_while(|k| model.system.constant(&format!("{}_{k}", w.profile)).ok()).collect();
                if knots.is_empty() || model.described(&w.profile).is_none_or(|d| d.kind != Kind::Profile) {
                    return Err(refused(
                        field,
                        format!("«{}» はモデルのプロファイルではありません", w.profile),
                        format!("«{}» is no profile of the model", w.profile),
                    ));
                }
                if !(0.0..=1.0).contains(&w.memory) {
                    return Err(refused(field, "memory は 0〜1 です".into(), "memory is 0 to 1".into()));
                }
                Ok((knots, share(w.share, &field)?, w.memory))
            })
            .collect::<Result<_>>()?;
        let sensors = hidden
            .sensors
            .iter()
            .map(|s| {
                let field = format!("hidden.sensors.{}", s.quantity);
                let at = model.system.quantity(&s.quantity).map_err(|e| e.at(Place::field(&field)))?;
                if !s.least.is_finite() || s.least < 0.0 {
                    return Err(refused(field, "標準偏差は 0 以上です".into(), "standard deviations are 0 or more".into()));
                }
                Ok((at, share(s.share, &field)?, s.least))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            model,
            until,
            seed,
            options: Options { relative: 1e-5, absolute: vec![1e-7], ..Options::default() },
            plant,
            reactor: hidden.reactor.iter().map(|s| place(s, "reactor")).collect::<Result<_>>()?,
            run: hidden.run.iter().map(|s| place(s, "run")).collect::<Result<_>>()?,
            wander,
            sensors,
        })
    }

    /// The model it is a variant of.
    #[must_use]
    pub fn model(&self) -> &'m Model {
        self.model
    }

    /// How long a run lasts.
    #[must_use]
    pub fn until(&self) -> f64 {
        self.until
    }

    /// Factors of all constants in a run. `None`: of the plant alone, the mean of its runs and reactors.
    fn factors(&self, run: Option<(u64, u64)>) -> Vec<f64> {
        let mut factors = self.plant.clone();
        let Some((reactor, run)) = run else { return factors };
        let mut chance = stream(self.seed, 2, reactor);
        for (at, share) in &self.reactor {
            factors[*at] *= exp(share * chance.normal());
        }
        let mut chance = stream(self.seed, 3, run);
        for (at, share) in &self.run {
            factors[*at] *= exp(share * chance.normal());
        }
        for (knots, share, memory) in &self.wander {
            let mut level = chance.normal();
            for knot in knots {
                factors[*knot] *= exp(share * level);
                level = memory * level + libm::sqrt(1.0 - memory * memory) * chance.normal();
            }
        }
        factors
    }

    fn simulate(&self, recipe: &[f64], factors: &[f64], times: &[f64]) -> Result<Vec<Vec<f64>>> {
        let constants: Vec<f64> = recipe.iter().zip(factors).map(|(c, f)| c * f).collect();
        let found = self.model.system.simulate(&constants, times, &self.options)?;
        Ok((0..times.len()).map(|i| found.at(i).to_vec()).collect())
    }

    /// True values of all quantities at the end of a run under a recipe (values of all constants), as this plant gives
    /// them on the average reactor in an undisturbed run: what a campaign is after and nobody can measure.
    ///
    /// # Errors
    /// A recipe that cannot be simulated.
    pub fn truth(&self, recipe: &[f64]) -> Result<Vec<f64>> {
        Ok(self.simulate(recipe, &self.factors(None), &[0.0, self.until])?.pop().unwrap_or_default())
    }

    /// A run in a reactor. At each of `looks` (increasing times before the end) all sensors are read, and `decide` may
    /// change constants of the recipe for what is still to come: place and new value. Sensors are read at the end too.
    ///
    /// # Errors
    /// A recipe that cannot be simulated; a decision that changes what was; what `decide` refuses.
    pub fn live(
        &self,
        recipe: &[f64],
        reactor: u64,
        run: u64,
        looks: &[f64],
        mut decide: impl FnMut(f64, &[Seen], &[f64]) -> Result<Vec<(usize, f64)>>,
    ) -> Result<Batch> {
        let factors = self.factors(Some((reactor, run)));
        let mut noise = stream(self.seed, 4, run);
        let (mut recipe, mut seen) = (recipe.to_vec(), Vec::new());
        let mut times: Vec<f64> = Vec::from([0.0]);
        times.extend(looks.iter().copied().filter(|t| *t > 0.0));
        times.push(self.until);
        let mut course = self.simulate(&recipe, &factors, &times)?;
        for (k, time) in times.iter().enumerate() {
            let last = k + 1 == times.len();
            if !last && !looks.contains(time) {
                continue;
            }
            for (quantity, share, least) in &self.sensors {
                let value = course[k][*quantity];
                let sd = libm::hypot(share * value, *least);
                seen.push(Seen { quantity: *quantity, time: *time, value: value + sd * noise.normal(), sd });
            }
            if last {
                break;
            }
            let changes = decide(*time, &seen, &recipe)?;
            if changes.is_empty() {
                continue;
            }
            for (constant, value) in changes {
                if let Some(slot) = recipe.get_mut(constant) {
                    *slot = value;
                }
            }
            let next = self.simulate(&recipe, &factors, &times)?;
            self.keeps_the_past(&course[..=k], &next[..=k], *time)?;
            course = next;
        }
        Ok(Batch { seen, end: course.pop().unwrap_or_default(), recipe })
    }

    /// States of before a decision must be the same after it.
    fn keeps_the_past(&self, before: &[Vec<f64>], after: &[Vec<f64>], time: f64) -> Result<()> {
        for described in self.model.described.iter().filter(|d| matches!(d.kind, Kind::Species | Kind::Volume | Kind::State)) {
            let at = self.model.system.quantity(&described.name)?;
            let size = before.iter().map(|b| b[at].abs()).fold(0.0, f64::max);
            if before.iter().zip(after).any(|(b, a)| (b[at] - a[at]).abs() > PAST * size + 1e-6) {
                let name = &described.name;
                return Err(Error::input(
                    "E-TWIN-002",
                    format!("時刻 {time} の変更が、それより前の «{name}» を変えます"),
                    format!("what was decided at {time} changes «{name}» before it"),
                )
                .at(Place::field("looks"))
                .hint(
                    "決定の時刻より後に効く定数（プロファイルの後の値など）だけを変えてください",
                    "change only constants that act later, such as the later values of a profile",
                ));
            }
        }
        Ok(())
    }
}

fn share(value: f64, field: &str) -> Result<f64> {
    if (0.0..=SHARE_MAX).contains(&value) {
        return Ok(value);
    }
    Err(refused(field.into(), format!("share {value} は使えません"), format!("a share of {value} cannot be used")))
}
