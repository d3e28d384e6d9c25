//! A cascade over time, and what came of it.

use super::cascade::{Cascade, Task};
use super::moiety::{Moiety, left_null_space};
use super::rodas::{Tolerance, integrate, step};
use super::system::{Phase, System, amount};
use super::wrong;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Error, Result};

/// The course. All lists by time have the length of `times`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CellFreeCourse")]
pub struct Course {
    /// Times, h.
    pub times: Vec<f64>,
    /// Concentrations by species and time, mmol/L.
    pub concentrations: BTreeMap<String, Vec<f64>>,
    /// Activity by enzyme and time, share of that at the start (1 where nothing was loaded).
    pub activity: BTreeMap<String, Vec<f64>>,
    /// Volume, L.
    pub volume: Vec<f64>,
    /// Product made over the greatest that the substrate supplied by then allows; none where the substrate is held.
    pub progress: Option<Vec<f64>>,
}

/// How often a catalyst or cofactor was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CellFreeTurnover")]
pub struct Turnover {
    /// Enzyme or cofactor.
    pub id: String,
    /// Product made per molecule of it, mol/mol; none where there was none.
    pub moles: Option<f64>,
    /// Product made per mass of it, g/g; none where its mass is unknown.
    pub mass: Option<f64>,
}

/// What came of it at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CellFreeSummary")]
pub struct Summary {
    /// Substrate consumed over supplied; none where it is held.
    pub conversion: Option<f64>,
    /// Product made over substrate consumed, mol/mol; none where nothing was consumed.
    pub yield_mol: Option<f64>,
    /// The same by mass, g/g.
    pub yield_mass: Option<f64>,
    /// Product made, mmol.
    pub made: f64,
    /// Concentration of the product, mmol/L.
    pub titre: f64,
    /// The same, g/L.
    pub titre_mass: f64,
    /// Product made per volume at the end and time, g/(L·h).
    pub productivity: f64,
    /// Time at which the product reached the target, h.
    pub time_to_target: Option<f64>,
    /// Enzymes.
    pub enzymes: Vec<Turnover>,
    /// Cofactors.
    pub cofactors: Vec<Turnover>,
    /// Enzyme added in all, g/L of the volume at the start; none where a molar mass is unknown.
    pub protein: Option<f64>,
}

/// A simulation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CellFreeOutcome")]
pub struct Outcome {
    /// Course.
    pub course: Course,
    /// What came of it.
    pub summary: Summary,
    /// How far each reaction went, mmol.
    pub extents: BTreeMap<String, f64>,
    /// What no reaction changes, and how well the course kept it.
    pub moieties: Vec<Moiety>,
    /// Of each element, and of `charge`: what was lost or gained over the course, over what there was.
    pub elements: BTreeMap<String, f64>,
    /// Steps of integration.
    pub steps: usize,
}

/// Conserved sums are kept to this, relative.
const KEPT: f64 = 1e-8;

/// What a run gives.
pub(super) struct Run {
    pub(super) times: Vec<f64>,
    pub(super) states: Vec<Vec<f64>>,
    pub(super) time_to_target: Option<f64>,
    pub(super) steps: usize,
}

impl Run {
    pub(super) fn last(&self) -> &[f64] {
        self.states.last().map_or(&[], Vec::as_slice)
    }
}

/// What a run is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    pub(super) until: f64,
    pub(super) points: u32,
    pub(super) target: f64,
    pub(super) tolerance: f64,
    /// Stop at the target.
    pub(super) stop: bool,
}

impl Ask {
    pub(super) fn new(task: &Task) -> Result<Self> {
        let until = amount(&task.until, "h", "until", true)?;
        if !(2..=10_001).contains(&task.points) {
            return Err(wrong("points", "2 から 10001 までです", "it must be from 2 to 10001"));
        }
        if !(task.target > 0.0 && task.target <= 1.0) {
            return Err(wrong("target", "0 より大きく 1 以下でなければなりません", "it must be above 0 and at most 1"));
        }
        if !(1e-12..=1e-3).contains(&task.tolerance) {
            return Err(wrong("tolerance", "1e-12 から 1e-3 までです", "it must be from 1e-12 to 1e-3"));
        }
        Ok(Self { until, points: task.points, target: task.target, tolerance: task.tolerance, stop: false })
    }
}

impl System {
    /// Product made by a time, mmol.
    pub(super) fn made(&self, y: &[f64], time: f64) -> f64 {
        y[self.product] - self.supplied(self.product, time)
    }
    /// Product made over the greatest from the substrate supplied by then.
    fn progress(&self, y: &[f64], time: f64) -> f64 {
        if self.species[self.substrate].held {
            return f64::NAN;
        }
        let supplied = self.supplied(self.substrate, time);
        if supplied > 0.0 { self.made(y, time) / (self.greatest_yield * supplied) } else { 0.0 }
    }

    /// Follows the system.
    pub(super) fn run(&self, ask: Ask) -> Result<Run> {
        let parts = f64::from(ask.points - 1);
        let wanted: Vec<f64> = (0..ask.points).map(|k| ask.until * f64::from(k) / parts).collect();
        let mut stops: Vec<f64> = self.streams.iter().flat_map(|s| [s.from, s.until]).filter(|t| *t < ask.until).collect();
        stops.extend(&wanted);
        stops.sort_unstable_by(f64::total_cmp);
        stops.dedup();
        let absolute = self.absolute(ask);
        let tolerance = Tolerance { relative: ask.tolerance, absolute: &absolute };
        let mut y = self.start();
        let mut run = Run { times: vec![0.0], states: vec![y.clone()], time_to_target: None, steps: 0 };
        let mut length = ask.until * 1e-6;
        let (mut now, mut next) = (0.0, 1);
        for stop in stops.into_iter().filter(|t| *t > 0.0) {
            let phase = Phase::new(self, now);
            let mut crossing = None;
            run.steps += integrate(&phase, &mut y, (now, stop), &mut length, tolerance, |t, h, from, to| {
                let open = run.time_to_target.is_none() && crossing.is_none();
                if open && self.progress(to, t + h) >= ask.target {
                    crossing = Some((t, h, from.to_vec()));
                    return !ask.stop;
                }
                true
            })?;
            if let Some((t, h, from)) = crossing {
                let off = |l: f64| self.progress(&step(&phase, &from, l, tolerance).0, t + l) - ask.target;
                run.time_to_target = Some(t + root(off, h));
                if ask.stop {
                    return Ok(run);
                }
            }
            now = stop;
            if wanted.get(next) == Some(&now) {
                run.times.push(now);
                run.states.push(y.clone());
                next += 1;
            }
        }
        Ok(run)
    }

    /// What is tolerated of each state: a thousandth of the relative tolerance of the greatest amount of its sort.
    fn absolute(&self, ask: Ask) -> Vec<f64> {
        let share = ask.tolerance * 1e-3;
        let moving = (0..self.species.len()).filter(|i| !self.species[*i].held).map(|i| self.supplied(i, ask.until));
        let most = moving.fold(0.0_f64, f64::max);
        // Where all begins with a held substrate, that is the scale.
        let held = self.species.iter().map(|s| s.start * self.volume).fold(1e-9_f64, f64::max);
        let most = if most > 0.0 { most } else { held };
        let enzymes = self.enzymes.iter().map(|e| share * (e.loading * self.volume).max(1e-12));
        let mut absolute = vec![share * most; self.species.len()];
        absolute.extend(enzymes);
        absolute.push(share * self.volume);
        absolute.resize(self.size(), share * most);
        absolute
    }
}

/// Where a rising function crosses zero between 0 and `h` (Illinois rule).
fn root(of: impl Fn(f64) -> f64, h: f64) -> f64 {
    let (mut a, mut b) = (0.0, h);
    let (mut fa, mut fb) = (of(a), of(b));
    if fa >= 0.0 {
        return a;
    }
    for _ in 0..100 {
        if b - a <= 1e-13 * h || fb == 0.0 {
            break;
        }
        let middle = (b - fb * (b - a) / (fb - fa)).clamp(a, b);
        let f = of(middle);
        if f >= 0.0 {
            (b, fb) = (middle, f);
            fa *= 0.5;
        } else {
            (a, fa) = (middle, f);
            fb *= 0.5;
        }
    }
    b
}

/// Follows a cascade over time. What the reactions cannot change is checked at every point of the course, to 1e-8.
///
/// # Errors
/// `E-FLUX-100` for an entry that cannot be, `E-FLUX-101` for reactions off balance, `E-FLUX-102` when the steps do not come
/// to the end, `E-FLUX-105` when a conserved sum is not kept, those of units.
pub fn simulate(cascade: &Cascade, task: &Task) -> Result<Outcome> {
    let system = System::new(cascade)?;
    let ask = Ask::new(task)?;
    let run = system.run(ask)?;
    let moieties = system.moieties(&run);
    if let Some(off) = moieties.iter().find(|m| m.deviation.is_nan() || m.deviation > KEPT) {
        let names: Vec<&str> = off.coefficients.keys().map(String::as_str).collect();
        return Err(Error::bug(
            "E-FLUX-105",
            format!("the conserved sum of {} departs by {:e} over the course", names.join(", "), off.deviation),
        ));
    }
    Ok(Outcome {
        course: system.course(&run),
        summary: system.summary(&run, ask),
        extents: system.steps.iter().zip(&run.last()[system.volume_at() + 1..]).map(|(s, x)| (s.id.clone(), *x)).collect(),
        moieties,
        elements: system.elements(&run),
        steps: run.steps,
    })
}

impl System {
    fn course(&self, run: &Run) -> Course {
        let concentrations = self
            .species
            .iter()
            .enumerate()
            .map(|(i, s)| (s.id.clone(), run.states.iter().map(|y| self.concentration(y, i)).collect()));
        let first = self.species.len();
        let start = self.start();
        let activity = self.enzymes.iter().enumerate().map(|(e, enzyme)| {
            let of = |y: &Vec<f64>| if start[first + e] > 0.0 { y[first + e] / start[first + e] } else { 1.0 };
            (enzyme.id.clone(), run.states.iter().map(of).collect())
        });
        let held = self.species[self.substrate].held;
        let progress = || run.times.iter().zip(&run.states).map(|(t, y)| self.progress(y, *t)).collect();
        Course {
            times: run.times.clone(),
            concentrations: concentrations.collect(),
            activity: activity.collect(),
            volume: run.states.iter().map(|y| y[self.volume_at()]).collect(),
            progress: (!held).then(progress),
        }
    }

    fn summary(&self, run: &Run, ask: Ask) -> Summary {
        let y = run.last();
        let extents = &y[self.volume_at() + 1..];
        let made = self.made(y, ask.until);
        let of_substrate =
            |s: &super::system::Step| s.stoichiometry.iter().filter(|t| t.0 == self.substrate).map(|t| t.1).sum::<f64>();
        let consumed: f64 = self.steps.iter().zip(extents).map(|(s, x)| -of_substrate(s) * x).sum();
        let (substrate, product) = (&self.species[self.substrate], &self.species[self.product]);
        let yield_mol = (consumed > 0.0).then(|| made / consumed);
        let titre = self.concentration(y, self.product);
        let supplied = self.supplied(self.substrate, ask.until);
        let per = |amount: f64| (amount > 0.0).then(|| made / amount);
        let enzymes = self.enzymes.iter().map(|e| Turnover {
            id: e.id.clone(),
            moles: per(e.loading * self.volume),
            mass: e.molar_mass.and_then(|m| per(e.loading * self.volume * m)).map(|v| v * product.molar_mass),
        });
        let cofactors = self.cofactors.iter().map(|(name, forms)| {
            let there =
                |weight: &dyn Fn(usize) -> f64| forms.iter().map(|f| self.supplied(*f, ask.until) * weight(*f)).sum::<f64>();
            let mass = there(&|f| self.species[f].molar_mass);
            Turnover { id: name.clone(), moles: per(there(&|_| 1.0)), mass: per(mass).map(|v| v * product.molar_mass) }
        });
        let protein = self.enzymes.iter().map(|e| e.molar_mass.map(|m| e.loading * m / 1000.0)).sum();
        Summary {
            conversion: (!substrate.held && supplied > 0.0).then(|| consumed / supplied),
            yield_mol,
            yield_mass: yield_mol.map(|v| v * product.molar_mass / substrate.molar_mass),
            made,
            titre,
            titre_mass: titre * product.molar_mass / 1000.0,
            productivity: made * product.molar_mass / 1000.0 / (y[self.volume_at()] * ask.until),
            time_to_target: run.time_to_target,
            enzymes: enzymes.collect(),
            cofactors: cofactors.collect(),
            protein,
        }
    }

    fn moieties(&self, run: &Run) -> Vec<Moiety> {
        let moving: Vec<usize> = (0..self.species.len()).filter(|i| !self.species[*i].held).collect();
        let row = |i: usize| moving.iter().position(|m| *m == i).unwrap_or_default();
        let columns: Vec<Vec<(usize, f64)>> =
            self.steps.iter().map(|s| self.moving(s).into_iter().map(|(i, c)| (row(i), c)).collect()).collect();
        let of = |l: Vec<f64>| {
            let sum = |amount: &dyn Fn(usize) -> f64| l.iter().zip(&moving).map(|(l, i)| l * amount(*i)).sum::<f64>();
            let mut deviation = 0.0_f64;
            for (t, y) in run.times.iter().zip(&run.states) {
                let size: f64 = l.iter().zip(&moving).map(|(l, i)| l.abs() * self.supplied(*i, *t).max(y[*i].abs())).sum();
                let off = sum(&|i| y[i]) - sum(&|i| self.supplied(i, *t));
                deviation = deviation.max(if size > 0.0 { off.abs() / size } else { 0.0 });
            }
            let coefficients = l.iter().zip(&moving).filter(|t| *t.0 != 0.0).map(|(l, i)| (self.species[*i].id.clone(), *l));
            Moiety { coefficients: coefficients.collect(), total: sum(&|i| self.supplied(i, 0.0)), deviation }
        };
        left_null_space(moving.len(), &columns).into_iter().map(of).collect()
    }

    /// Atoms and charges at the end less those supplied; what held species gave or took follows from the extents.
    fn elements(&self, run: &Run) -> BTreeMap<String, f64> {
        let (y, end) = (run.last(), run.times.last().copied().unwrap_or_default());
        let extents = &y[self.volume_at() + 1..];
        let mut change: Vec<f64> =
            (0..self.species.len()).map(|i| if self.species[i].held { 0.0 } else { y[i] - self.supplied(i, end) }).collect();
        for (s, x) in self.steps.iter().zip(extents) {
            s.stoichiometry.iter().filter(|t| self.species[t.0].held).for_each(|(i, c)| change[*i] += c * x);
        }
        let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for (i, s) in self.species.iter().enumerate() {
            let there = if s.held { change[i].abs() } else { y[i].abs() };
            let atoms = s.formula.atoms.iter().map(|(e, n)| (e.as_str(), *n)).chain([("charge", f64::from(s.charge))]);
            for (what, count) in atoms {
                let sum = sums.entry(what.to_owned()).or_default();
                sum.0 += count * change[i];
                sum.1 += count.abs() * there;
            }
        }
        sums.into_iter().map(|(what, (sum, size))| (what, if size > 0.0 { sum / size } else { 0.0 })).collect()
    }
}
