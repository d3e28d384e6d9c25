//! One design judged by itself: optima of the whole network, with no use of any search and of no compression.

use super::strain::{Screening, Strain};
use super::support::{Edited, Need, edited, take_bounds};
use super::words::evidence;
use super::yields::{Yields, yields};
use crate::analyse::envelope;
use crate::dynamic::{Gas, Pool, Uptake, Vessel, batch};
use crate::lp::{Outcome, Problem, Solver};
use crate::model::Scenario;
use crate::network::{Network, Sense};
use toji_core::chance::Chance;
use toji_core::{Error, Place, Result, Text};

/// Share of the best growth that may be missing where the best is asked for.
const BEST: f64 = 1e-9;
/// Fluxes below this are none.
pub(super) const STILL: f64 = 1e-6;
/// Bounds of this size stand for none and are not varied.
const OPEN: f64 = 999.0;
/// Most samples.
const SAMPLES_MAX: usize = 10_000;

/// What oxygen the vessel can give.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OxygenSupply {
    /// Exchange reaction of oxygen.
    ///
    /// 酸素の交換反応。
    pub exchange: String,
    /// Volumetric transfer coefficient kLa, 1/h.
    ///
    /// 物質移動容量係数 kLa（1/h）。
    pub kla: f64,
    /// Solubility C* under the gas given, mmol/L.
    ///
    /// 通気ガスでの飽和溶存酸素 C*（mmol/L）。
    pub saturation: f64,
    /// Biomass at which the supply must suffice, g/L (dry).
    ///
    /// 供給が足りるべき菌体濃度（乾燥、g/L）。
    pub biomass: f64,
}

impl OxygenSupply {
    /// Greatest uptake that the vessel can give, mmol/g/h.
    #[must_use]
    pub fn limit(&self) -> f64 {
        self.kla * self.saturation / self.biomass
    }
}

/// A batch to be followed.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchTask {
    /// Feedstock at the start, mmol/L.
    ///
    /// 初めの原料（mmol/L）。
    pub feed: f64,
    /// Greatest uptake of the feedstock, mmol/g/h.
    ///
    /// 原料の最大取込み速度（mmol/g/h）。
    pub uptake: f64,
    /// Concentration of half the uptake, mmol/L.
    ///
    /// 取込みが半分になる濃度（mmol/L）。
    pub half: f64,
    /// Biomass at the start, g/L.
    ///
    /// 初めの菌体（g/L）。
    pub biomass: f64,
    /// Longest time, h.
    ///
    /// 最長の時間（h）。
    pub hours: f64,
}

/// What is asked of a design.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyTask {
    /// Growth reaction.
    ///
    /// 増殖の反応。
    pub growth: String,
    /// Exchange or demand reaction of the product.
    ///
    /// 生成物の交換反応または需要反応。
    pub product: String,
    /// Exchange reaction of the feedstock.
    ///
    /// 原料の交換反応。
    pub feed: String,
    /// What oxygen the vessel can give.
    ///
    /// 槽が供給できる酸素。
    #[serde(default)]
    pub oxygen: Option<OxygenSupply>,
    /// How many disturbed copies are tried; 0: none.
    ///
    /// 試す擾乱の数。0 なら行わない。
    #[serde(default = "hundred")]
    pub samples: usize,
    /// Greatest relative change of every finite bound in a copy; 0.2 is ±20 %.
    ///
    /// 有限の上下限を変える最大の割合。0.2 は ±20 %。
    #[serde(default = "fifth")]
    pub spread: f64,
    /// Seed of the disturbances.
    ///
    /// 擾乱の乱数の種。
    #[serde(default)]
    pub seed: u64,
    /// A batch to be followed.
    ///
    /// 追う回分培養。
    #[serde(default)]
    pub batch: Option<BatchTask>,
}

fn hundred() -> usize {
    100
}

fn fifth() -> f64 {
    0.2
}

/// How tightly product goes with growth (Alter and Ebert, Metab. Eng. Commun. 8, 2019, e00083).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tie {
    /// Even the best growth needs no product.
    ///
    /// 最大増殖でも生成物を要しない。
    None,
    /// The best growth needs product; slower growth may do without.
    ///
    /// 最大増殖では生成物を要するが、遅い増殖では要しない。
    Weak,
    /// All growth needs product.
    ///
    /// どの増殖でも生成物を要する。
    Holistic,
    /// Product is made even without growth.
    ///
    /// 増殖がなくても生成物ができる。
    Strong,
}

/// Least and most product at some growth, mmol/g/h.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Reach {
    /// Growth held, 1/h.
    pub growth: f64,
    /// Least product.
    pub min: f64,
    /// Most product.
    pub max: f64,
}

/// Oxygen that the design needs against what the vessel gives, mmol/g/h.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct OxygenNeed {
    /// Least uptake at best growth.
    pub need: f64,
    /// What the vessel can give.
    pub limit: f64,
    /// Best growth when the vessel's limit holds, 1/h.
    pub growth: f64,
    /// Least product then.
    pub product: f64,
}

/// Disturbed copies.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Robustness {
    /// Copies tried.
    pub samples: usize,
    /// Share of them that still grow and make at least half of the undisturbed least product.
    pub share: f64,
    /// Least product among the copies at best growth, mmol/g/h.
    pub worst: f64,
}

/// What a batch comes to.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct BatchOutcome {
    /// When it ended, h.
    pub hours: f64,
    /// Product at the end, mmol/L; the least that goes with the best growth at every moment.
    pub titre: f64,
    /// Product for each hour, mmol/L/h.
    pub productivity: f64,
    /// Biomass at the end, g/L.
    pub biomass: f64,
    /// Feedstock left, mmol/L.
    pub left: f64,
}

/// A design as verified.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Verified {
    /// The host without the design at its best growth.
    pub host: Reach,
    /// The design at its best growth; nothing when it is infeasible, and all that follows is empty then.
    pub best: Option<Reach>,
    /// The design at 90 % of its best growth.
    pub ninety: Option<Reach>,
    /// Corners of the most product over growth: growth, product; growth ascends.
    pub upper: Vec<(f64, f64)>,
    /// Corners of the least product over growth.
    pub lower: Vec<(f64, f64)>,
    /// How tightly product goes with growth.
    pub tie: Tie,
    /// Area below the least product over the area below the most, 0 to 1.
    pub strength: f64,
    /// Best growth without any product, 1/h; nothing when that is infeasible.
    pub without: Option<f64>,
    /// Yields on the feedstock at best growth with the least product.
    pub yields: Yields,
    /// Oxygen.
    pub oxygen: Option<OxygenNeed>,
    /// Disturbed copies.
    pub robustness: Option<Robustness>,
    /// Batch.
    pub batch: Option<BatchOutcome>,
    /// Each removal: its genes, what else could be removed, what the design is without it.
    pub edits: Vec<Edited>,
    /// Number of genes touched.
    pub genes: usize,
    /// Where the design stands with screening.
    pub screening: Screening,
    /// What speaks for and against it, in words.
    pub evidence: Vec<Text>,
}

/// The indices a verification speaks of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) growth: usize,
    pub(super) product: usize,
    pub(super) feed: usize,
}

/// Verifies one design over a scenario, on its whole network.
///
/// # Errors
/// `E-FLUX-121` for a number of the task out of its range, naming the field; those of [`Strain::over`], of
/// [`Solver::solve`], and `E-FLUX-073` when growth or product has no limit.
pub fn verify(scenario: &Scenario<'_>, strain: &Strain, task: &VerifyTask) -> Result<Verified> {
    check(task)?;
    let made = strain.over(scenario)?;
    let names = Names {
        growth: made.reaction_named(&task.growth)?,
        product: made.reaction_named(&task.product)?,
        feed: made.reaction_named(&task.feed)?,
    };
    // The host has the inserted product reaction as well, so that both can be asked the same.
    let host = Strain { insertions: strain.insertions.clone(), ..Strain::default() }.over(scenario)?.network()?;
    let network = made.network()?;
    let host = reach(&mut whole(&host)?, names, 1.0)?.map_or(Reach { growth: 0.0, min: 0.0, max: 0.0 }, |found| found.0);
    let mut verified = Verified {
        host,
        best: None,
        ninety: None,
        upper: Vec::new(),
        lower: Vec::new(),
        tie: Tie::None,
        strength: 0.0,
        without: None,
        yields: Yields::default(),
        oxygen: None,
        robustness: None,
        batch: None,
        edits: edited(scenario, strain, names)?,
        genes: 0,
        screening: strain.screening(),
        evidence: Vec::new(),
    };
    verified.genes =
        verified.edits.iter().map(|e| e.genes.len()).sum::<usize>() + strain.insertions.len() + strain.amplified.len();
    let mut solver = whole(&network)?;
    if let Some((best, fluxes)) = reach(&mut solver, names, 1.0)? {
        verified.best = Some(best);
        verified.ninety = reach(&mut solver, names, 0.9)?.map(|found| found.0);
        verified.yields = yields(&made, names.product, names.feed, &fluxes);
        if let Ok(found) = envelope(&network, names.growth, names.product)? {
            (verified.upper, verified.lower) = (found.upper, found.lower);
        }
        (verified.tie, verified.strength) = tie(&verified, best);
        verified.without = without(&mut solver, names)?;
        verified.oxygen = oxygen(&network, &made, task, names, best)?;
        verified.robustness = robustness(&network, task, names, best)?;
        verified.batch = follow(&network, &made, task, names)?;
    }
    verified.evidence = evidence(strain, &verified);
    Ok(verified)
}

fn check(task: &VerifyTask) -> Result<()> {
    let wrong = |field: &str, en: &str, ja: &str| {
        Err(Error::input("E-FLUX-121", format!("{field}:{ja}"), format!("{field}: {en}")).at(Place::field(field)))
    };
    if task.samples > SAMPLES_MAX {
        return wrong("samples", "at most 10,000", "10,000 以下にしてください");
    }
    if !(0.0..1.0).contains(&task.spread) {
        return wrong("spread", "give a share from 0 to below 1", "0 以上 1 未満の割合にしてください");
    }
    let positive = |v: f64| v.is_finite() && v > 0.0;
    if task.oxygen.as_ref().is_some_and(|o| !(positive(o.kla) && positive(o.saturation) && positive(o.biomass))) {
        return wrong("oxygen", "give numbers above zero", "0 より大きい数にしてください");
    }
    let fine = |b: &BatchTask| [b.feed, b.uptake, b.half, b.biomass, b.hours].into_iter().all(positive);
    if task.batch.as_ref().is_some_and(|b| !fine(b)) {
        return wrong("batch", "give numbers above zero", "0 より大きい数にしてください");
    }
    Ok(())
}

/// A solver of the whole network, its own objective set aside.
pub(super) fn whole(network: &Network) -> Result<Solver> {
    Solver::new(Problem { cost: vec![0.0; network.reactions()], ..Problem::from(network) })
}

/// The optimum of one flux; nothing when there is no steady state.
pub(super) fn optimum(solver: &mut Solver, flux: usize, sense: Sense) -> Result<Option<(f64, Vec<f64>)>> {
    solver.set_objective(sense, &[(flux, 1.0)]);
    match solver.solve()? {
        Outcome::Optimal(best) => Ok(Some((best.objective, best.primal))),
        Outcome::Infeasible(_) => Ok(None),
        Outcome::Unbounded(_) => Err(super::cuts::unlimited()),
    }
}

/// Product at a share of the best growth, and the fluxes of the least product. Bounds are put back.
pub(super) fn reach(solver: &mut Solver, names: Names, share: f64) -> Result<Option<(Reach, Vec<f64>)>> {
    let Some((best, _)) = optimum(solver, names.growth, Sense::Maximize)? else { return Ok(None) };
    let (lower, upper) = (solver.problem().lower[names.growth], solver.problem().upper[names.growth]);
    let growth = share * best;
    solver.set_bounds(names.growth, (growth - BEST * (1.0 + best.abs())).max(lower), upper);
    let min = optimum(solver, names.product, Sense::Minimize)?;
    let max = optimum(solver, names.product, Sense::Maximize)?;
    solver.set_bounds(names.growth, lower, upper);
    Ok(min.zip(max).map(|((min, fluxes), (max, _))| (Reach { growth, min, max }, fluxes)))
}

/// Best growth when no product leaves.
fn without(solver: &mut Solver, names: Names) -> Result<Option<f64>> {
    let (lower, upper) = (solver.problem().lower[names.product], solver.problem().upper[names.product]);
    solver.set_bounds(names.product, lower, upper.min(0.0));
    let found = if lower > 0.0 { None } else { optimum(solver, names.growth, Sense::Maximize)? };
    solver.set_bounds(names.product, lower, upper);
    Ok(found.map(|f| f.0))
}

/// How tightly product goes with growth, and the share of areas.
fn tie(verified: &Verified, best: Reach) -> (Tie, f64) {
    let area = |points: &[(f64, f64)]| -> f64 { points.windows(2).map(|w| 0.5 * (w[0].1 + w[1].1) * (w[1].0 - w[0].0)).sum() };
    let (under, over) = (area(&verified.lower), area(&verified.upper));
    let strength = if over > 0.0 { (under / over).clamp(0.0, 1.0) } else { 0.0 };
    let first = verified.lower.first().map_or(0.0, |p| p.1);
    // The least product is convex: zero at some growth above none means zero at a corner, or between none and the next.
    let inside = verified.lower.iter().skip(1).all(|p| p.1 > STILL);
    let tie = match () {
        () if best.min <= STILL => Tie::None,
        () if first > STILL && inside => Tie::Strong,
        () if inside => Tie::Holistic,
        () => Tie::Weak,
    };
    (tie, strength)
}

fn oxygen(network: &Network, made: &Scenario<'_>, task: &VerifyTask, names: Names, best: Reach) -> Result<Option<OxygenNeed>> {
    let Some(supply) = &task.oxygen else { return Ok(None) };
    let exchange = made.reaction_named(&supply.exchange)?;
    let mut solver = whole(network)?;
    let (lower, upper) = (network.lower[names.growth], network.upper[names.growth]);
    solver.set_bounds(names.growth, (best.growth - BEST * (1.0 + best.growth)).max(lower), upper);
    let need = optimum(&mut solver, exchange, Sense::Maximize)?.map_or(0.0, |f| (0.0 - f.0).max(0.0));
    solver.set_bounds(names.growth, lower, upper);
    let limit = supply.limit();
    solver.set_bounds(exchange, network.lower[exchange].max(-limit), network.upper[exchange]);
    let under = reach(&mut solver, names, 1.0)?.map_or(Reach { growth: 0.0, min: 0.0, max: 0.0 }, |f| f.0);
    Ok(Some(OxygenNeed { need, limit, growth: under.growth, product: under.min }))
}

/// Copies with every finite bound, uptakes among them, changed by chance.
fn robustness(network: &Network, task: &VerifyTask, names: Names, best: Reach) -> Result<Option<Robustness>> {
    if task.samples == 0 {
        return Ok(None);
    }
    let mut chance = Chance::new(task.seed);
    let mut solver = whole(network)?;
    let (mut kept, mut worst) = (0, f64::INFINITY);
    for _ in 0..task.samples {
        for j in 0..network.reactions() {
            let (lower, upper) = (network.lower[j], network.upper[j]);
            let mut vary =
                |b: f64| if b == 0.0 || b.abs() >= OPEN { b } else { b * (1.0 + task.spread * (2.0 * chance.uniform() - 1.0)) };
            let changed = (vary(lower), vary(upper));
            if changed != (lower, upper) {
                solver.set_bounds(j, changed.0.min(changed.1), changed.1.max(changed.0));
            }
        }
        let found = reach(&mut solver, names, 1.0)?.map(|f| f.0);
        let made = found.map_or(0.0, |f| f.min);
        worst = worst.min(made);
        kept += usize::from(found.is_some_and(|f| f.growth > STILL && f.min > STILL && f.min >= 0.5 * best.min));
    }
    Ok(Some(Robustness { samples: task.samples, share: kept as f64 / task.samples as f64, worst }))
}

/// A batch in which the cells grow as well as they can and make no more product than that takes.
fn follow(network: &Network, made: &Scenario<'_>, task: &VerifyTask, names: Names) -> Result<Option<BatchOutcome>> {
    let Some(asked) = &task.batch else { return Ok(None) };
    let gases = match &task.oxygen {
        Some(o) => vec![Gas { exchange: made.reaction_named(&o.exchange)?, kla: o.kla, saturation: o.saturation }],
        None => Vec::new(),
    };
    let feed =
        Pool { exchange: names.feed, start: asked.feed, uptake: Uptake::Saturating { greatest: asked.uptake, half: asked.half } };
    let vessel = Vessel {
        growth: names.growth,
        biomass: asked.biomass,
        pools: vec![feed],
        gases,
        goals: vec![(names.growth, Sense::Maximize), (names.product, Sense::Minimize)],
        tracked: vec![names.product],
    };
    let course = batch(network, &vessel, &[asked.hours])?;
    let last = |values: &[f64]| values.last().copied().unwrap_or(0.0);
    let (hours, titre) = (last(&course.times), last(&course.exchanged));
    Ok(Some(BatchOutcome {
        hours,
        titre,
        productivity: if hours > 0.0 { titre / hours } else { 0.0 },
        biomass: last(&course.biomass),
        left: course.pools.first().map_or(0.0, |pool| last(pool)),
    }))
}

/// Whether the least product at best growth is above none.
pub(super) fn coupled(reach: Option<Reach>) -> bool {
    reach.is_some_and(|r| r.min > STILL)
}

/// The need for an edit: what remains without it, by a programme of the same reactions.
pub(super) fn need(solver: &mut Solver, network: &Network, names: Names) -> Result<Need> {
    take_bounds(solver, network);
    Ok(match reach(solver, names, 1.0)? {
        Some((r, _)) => Need { growth: r.growth, product: r.min },
        None => Need { growth: 0.0, product: 0.0 },
    })
}
