//! The next batch.

use super::batch::{Batch, Edge, Group, Position};
use super::fantasy::{Fantasy, key};
use super::problem::{Direction, History, Limit, Problem};
use super::reason::{Check, Expected, Proposed, Stopping, Why};
use super::replicate::Repeats;
use super::search::{Fixed, Search};
use crate::gp::{self, Averaged, Data, Gp, normal};
use crate::optimise::Sobol;
use libm::log as ln;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::BTreeMap;
use toji_core::chance::Chance;
use toji_core::{Category, Error, Place, Result, Text};

/// Points at which a response must have been measured before a model of it is made.
const POINTS_MIN: usize = 3;
/// Candidates with which the value of a shared factor is rehearsed.
const REHEARSED: usize = 48;
/// Least probability that the limits hold for a point to be repeated as a rival for the best.
pub(super) const HOLDS_MIN: f64 = 0.5;

/// Share of the standard deviation of the noise: a unit that promises less than this to the best cannot be told from one
/// that promises nothing.
const IDLE: f64 = 0.01;

/// How a batch is searched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Settings {
    /// Draws of what could be true; a power of two.
    pub draws: usize,
    /// Even candidates for every unit.
    pub raw: usize,
    /// Candidates from which the steepest way is followed.
    pub polish: usize,
    /// Values of shared factors that are compared for every group.
    pub shared: usize,
    /// Confidence of the intervals that are shown.
    pub confidence: f64,
    /// How models are fitted.
    pub model: gp::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self { draws: 128, raw: 192, polish: 3, shared: 4, confidence: 0.9, model: gp::Settings::default() }
    }
}

/// A proposed batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Proposal {
    /// Runs, group by group in the order of the places.
    pub runs: Vec<Proposed>,
    /// How well the models foretell, for the goal and every output with limits.
    pub checks: Vec<Check>,
    /// Whether to go on; `None` where nothing is known yet.
    pub stopping: Option<Stopping>,
    /// Candidates that the envelope refused during the search.
    pub refused: usize,
    /// What the experimenter should know.
    pub warnings: Vec<Text>,
}

/// A chosen point, before it has a place.
struct Seat {
    cube: Vec<f64>,
    why: Why,
    gain: Option<f64>,
    gain_from_mean: Option<f64>,
}

/// Models of the goal and of the outputs with limits.
pub(super) struct Models {
    sign: f64,
    goal: Averaged,
    limited: Vec<(usize, Averaged, Vec<Limit>)>,
}

/// Proposes the next batch. The same problem, history, batch, settings and seed give the same proposal, whatever the
/// order of the runs in the history.
///
/// # Errors
/// A problem, history or batch that makes no sense, a model that cannot be fitted, or an envelope that refuses every
/// candidate.
pub fn propose(problem: &Problem<'_>, history: &History, batch: &Batch, settings: &Settings, seed: u64) -> Result<Proposal> {
    problem.check(history)?;
    batch.check(problem.space)?;
    let places = history.runs.iter().map(|r| problem.space.place(&r.point)).collect::<Result<Vec<_>>>()?;
    let pending = history.pending.iter().map(|p| problem.space.place(p)).collect::<Result<Vec<_>>>()?;
    // Every place that was tried or is under way, once, in an order that the places alone decide.
    let distinct: BTreeMap<Vec<u64>, &Vec<f64>> = places.iter().chain(&pending).map(|p| (key(p), p)).collect();
    let points: Vec<Vec<f64>> = distinct.into_values().cloned().collect();
    let search = Search {
        space: problem.space,
        tried: &points,
        allowed: problem.allowed,
        raw: settings.raw.max(8),
        polish: settings.polish.max(1),
        seed,
        refused: Cell::new(0),
        reason: Cell::new(None),
    };
    let mut warnings = Vec::new();
    let Some(models) = fit(problem, history, &places, settings, seed, &mut warnings)? else {
        let seats = fill_space(&search, batch, &pending, seed)?;
        if batch.replicates > 0 {
            warnings.push(Text::new(
                "反復できる点がまだないか少なすぎるため、すべて新しい点です",
                "too little was tried so far to be repeated: all units are new points",
            ));
        }
        let runs = seated(problem, &search, history, &places, batch, seats, None, settings, seed);
        last_look(&search, &runs)?;
        return Ok(Proposal { runs, checks: Vec::new(), stopping: None, refused: search.refused.get(), warnings });
    };
    let limited: Vec<(&Gp, Vec<Limit>)> = models.limited.iter().map(|(_, gp, limits)| (gp.best(), limits.clone())).collect();
    let mut fantasy = Fantasy::new(models.goal.best(), &limited, &points, batch.units(), settings.draws.clamp(16, 4096), seed)?;
    let Repeated { mut seats, fixed, count, gain: by_repeats } = repeated(problem, &search, &models, history, &places, batch);
    if count < batch.replicates {
        warnings.push(Text::new(
            format!("反復 {} のうち {count} だけを割り当てました。残りは新しい点です（試した点のうち、制約と安全範囲を守る見込みがあり、共有因子の合うものがありません）", batch.replicates),
            format!("only {count} of {} repeats are used, the rest are new points: no point that was tried probably keeps the limits, is allowed and fits the shared factors", batch.replicates),
        ));
    } else if count > 0 && by_repeats < IDLE * models.goal.best().hyper().noise.sqrt() {
        warnings.push(Text::new(
            "反復しても最良点の判断はまず変わりません。測定のばらつきを確かめるだけになります",
            "the repeats will hardly change which point is the best: they only tell the noise",
        ));
    }
    let gain = fill(&search, settings, &models, &mut fantasy, batch, &places, &hottest(&models, &points), &fixed, &mut seats)?;
    let runs = seated(problem, &search, history, &places, batch, seats, Some(&models), settings, seed);
    last_look(&search, &runs)?;
    let checks = checks(problem, &models, settings.confidence);
    let stopping = Some(stopping(problem, &models, gain, batch.units()));
    Ok(Proposal { runs, checks, stopping, refused: search.refused.get(), warnings })
}

/// Fills the seats that repeats left free, one after the other, no two at one place. Says what they add to the expected
/// best.
///
/// Where no place promises more than noise hides, promises are no reason to choose by: they are greatest beside the best
/// place, of which nothing but the last digit is unknown, and a whole batch would gather there. The units that are left go
/// where least is known among what may still be best (pure exploration, E. Contal, D. Buffoni, A. Robicquet and N. Vayatis,
/// "Parallel Gaussian process optimization with upper confidence bound and pure exploration", ECML PKDD 2013, LNCS 8188,
/// 225–240).
#[expect(clippy::too_many_arguments, reason = "the state of one search, at one place")]
fn fill(
    search: &Search<'_>,
    settings: &Settings,
    models: &Models,
    fantasy: &mut Fantasy,
    batch: &Batch,
    places: &[Vec<f64>],
    hot: &[Vec<f64>],
    fixed: &[Fixed],
    seats: &mut [Vec<Seat>],
) -> Result<f64> {
    let mut gain = 0.0;
    let idle = ln(IDLE * models.goal.best().hyper().noise.sqrt() / models.goal.best().unit()).max(fantasy.ln_least());
    let mut taken: Vec<Vec<f64>> = seats.iter().flatten().map(|s| s.cube.clone()).collect();
    let known = hot.first().map_or(f64::NEG_INFINITY, |p| models.goal.best().predict(p).mean);
    for (g, group) in batch.groups.iter().enumerate() {
        let free = batch.seats(group) - seats[g].len();
        let fixed = shared(search, settings, fantasy, &fixed[g], hot, free, g as u64)?;
        for unit in 0..free {
            let salt = 1_000 + (g * 1_000 + unit) as u64;
            let found = search.best(fantasy, &fixed, hot, salt, &taken).ok_or_else(|| refused_all(search))?;
            let open = if found.value < idle { search.most_open(fantasy, &fixed, hot, salt, &taken) } else { None };
            let fills = open.is_some();
            let found = open.unwrap_or(found);
            let at = models.goal.best().predict(&found.cube);
            let (lead, sd) = (at.mean - known, at.sd.max(f64::MIN_POSITIVE));
            let (from_mean, from_spread) = (lead.max(0.0) * normal::distribution(lead / sd), sd * normal::density(lead / sd));
            let added = fantasy.add(&found.cube)?;
            taken.push(found.cube.clone());
            gain += added;
            let why = match (places.iter().any(|p| key(p) == key(&found.cube)), lead > 0.0) {
                (true, _) => Why::Replicate,
                _ if fills => Why::FillSpace,
                (false, true) => Why::Exploit,
                (false, false) => Why::Explore,
            };
            let gain_from_mean = Some(if from_mean > 0.0 { from_mean / (from_mean + from_spread) } else { 0.0 });
            seats[g].push(Seat { cube: found.cube, why, gain: Some(added), gain_from_mean });
        }
    }
    Ok(gain)
}

/// Every point once more as it is handed out: whatever the search did, nothing leaves that the envelope refuses.
fn last_look(search: &Search<'_>, runs: &[Proposed]) -> Result<()> {
    match runs.iter().find_map(|run| (search.allowed)(&run.point).err().map(|reason| (run, reason))) {
        None => Ok(()),
        Some((run, reason)) => Err(Error::bug("E-CAMPAIGN-031", format!("{}: {}", run.position, reason.en))),
    }
}

fn refused_all(search: &Search<'_>) -> Error {
    let reason = search.reason.take().unwrap_or_else(|| Text::same("-"));
    Error::new(
        Category::Model,
        "E-CAMPAIGN-030",
        format!("安全範囲がすべての候補を拒みました（{} 点）: {}", search.refused.get(), reason.ja),
        format!("the envelope refuses every candidate ({} points): {}", search.refused.get(), reason.en),
    )
    .at(Place::field("allowed"))
    .hint(
        "因子の範囲を安全な領域に狭めるか、安全の規則を確認してください",
        "narrow the factors to what is safe, or check the safety rules",
    )
}

/// Models of the goal and the limited outputs; nothing where the goal was measured at too few points.
pub(super) fn fit(
    problem: &Problem<'_>,
    history: &History,
    places: &[Vec<f64>],
    settings: &Settings,
    seed: u64,
    warnings: &mut Vec<Text>,
) -> Result<Option<Models>> {
    let data = |output: usize, sign: f64| {
        let mut data = Data::default();
        let mut sds = Vec::new();
        let mut distinct = std::collections::BTreeSet::new();
        for (run, place) in history.runs.iter().zip(places) {
            if let Some(measured) = run.results[output] {
                data.x.push_row(place);
                data.y.push(sign * measured.value);
                sds.push(measured.sd.unwrap_or(0.0));
                distinct.insert(key(place));
            }
        }
        if sds.iter().any(|s| *s > 0.0) {
            data.known = sds.iter().map(|s| s * s).collect();
        }
        (distinct.len() >= POINTS_MIN).then_some(data)
    };
    let sign = if problem.goal.direction == Direction::Maximise { 1.0 } else { -1.0 };
    let Some(goal) = data(problem.goal.output, sign) else { return Ok(None) };
    let mut outputs: Vec<usize> = problem.limits.iter().map(|l| l.output).collect();
    outputs.sort_unstable();
    outputs.dedup();
    let mut limited = Vec::new();
    for output in outputs {
        let limits: Vec<Limit> = problem.limits.iter().filter(|l| l.output == output).copied().collect();
        match data(output, 1.0) {
            Some(data) => limited.push((output, Averaged::fit(&data, &settings.model, seed)?, limits)),
            None => {
                let name = &problem.outputs[output].name;
                warnings.push(Text::new(
                    format!("「{name}」は {POINTS_MIN} 点以上で測られていないため、その制約は考慮していません"),
                    format!("\"{name}\" was measured at fewer than {POINTS_MIN} points, so its limits are not considered"),
                ));
            }
        }
    }
    Ok(Some(Models { sign, goal: Averaged::fit(&goal, &settings.model, seed)?, limited }))
}

/// Probability that one output keeps its limits at a place.
fn holds(gp: &Averaged, limits: &[Limit], cube: &[f64]) -> f64 {
    let held = |l: &Limit| {
        let below = l.at_most.map_or(1.0, |v| gp.below(cube, v));
        (below - l.at_least.map_or(0.0, |v| gp.below(cube, v))).max(0.0)
    };
    limits.iter().map(held).fold(1.0, f64::min)
}

pub(super) fn all_hold(models: &Models, cube: &[f64]) -> f64 {
    models.limited.iter().map(|(_, gp, limits)| holds(gp, limits, cube)).product()
}

/// The three places with the best expected value that probably keep the limits, or any where none does.
pub(super) fn hottest(models: &Models, points: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut order: Vec<(bool, f64, &Vec<f64>)> =
        points.iter().map(|p| (all_hold(models, p) >= HOLDS_MIN, models.goal.best().predict(p).mean, p)).collect();
    order.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    order.into_iter().take(3).map(|(_, _, p)| p.clone()).collect()
}

/// What the repeats take.
struct Repeated {
    /// Seats of each group.
    seats: Vec<Vec<Seat>>,
    /// Decided factors of each group.
    fixed: Vec<Fixed>,
    count: usize,
    /// What they are worth, in the unit of the goal.
    gain: f64,
}

/// Gives the units for repeats to points and these to groups: as many as asked, as long as a point that was tried may be
/// run again and a group takes it.
fn repeated(
    problem: &Problem<'_>,
    search: &Search<'_>,
    models: &Models,
    history: &History,
    places: &[Vec<f64>],
    batch: &Batch,
) -> Repeated {
    let mut fixed: Vec<Fixed> = batch.groups.iter().map(|g| g.fixed.clone()).collect();
    let mut seats: Vec<Vec<Seat>> = batch.groups.iter().map(|_| Vec::new()).collect();
    let distinct: BTreeMap<Vec<u64>, (&Vec<f64>, &Vec<f64>)> =
        places.iter().zip(&history.runs).rev().map(|(p, run)| (key(p), (p, &run.point))).collect();
    let tried: Vec<Vec<f64>> = distinct.values().map(|(p, _)| (*p).clone()).collect();
    // What is repeated is the very point that was run, which need not lie on the steps that can be set now.
    let may: Vec<bool> = distinct
        .values()
        .map(|(p, point)| {
            let inside = p.iter().all(|c| (-1e-9..=1.0 + 1e-9).contains(c));
            inside && all_hold(models, p) >= HOLDS_MIN && search.may(point) && search.may(&problem.space.point(p))
        })
        .collect();
    let (mut count, mut gain) = (0, 0.0);
    let mut repeats = Repeats::of(models.goal.best(), &tried);
    let settable: Vec<Vec<f64>> = tried.iter().map(|p| problem.space.point(p)).collect();
    while count < batch.replicates {
        let group_of = |point: usize| {
            let agrees = |fixed: &Fixed| fixed.iter().all(|(f, v)| (settable[point][*f] - v).abs() <= 1e-9 * v.abs().max(1.0));
            (0..batch.groups.len()).find(|g| seats[*g].len() < batch.seats(&batch.groups[*g]) && agrees(&fixed[*g]))
        };
        let Some(again) = repeats.next(|i| may[i] && group_of(i).is_some()) else { break };
        let Some(group) = group_of(again.point) else { break };
        for (f, factor) in problem.space.factors().iter().enumerate() {
            if factor.hard_to_change && fixed[group].iter().all(|(other, _)| *other != f) {
                fixed[group].push((f, settable[again.point][f]));
            }
        }
        seats[group].push(Seat {
            cube: tried[again.point].clone(),
            why: Why::Replicate,
            gain: Some(again.gain),
            gain_from_mean: None,
        });
        count += 1;
        gain += again.gain;
    }
    Repeated { seats, fixed, count, gain }
}

/// Decides the shared factors of a group by rehearsing what its units would bring at some values of them.
fn shared(
    search: &Search<'_>,
    settings: &Settings,
    fantasy: &Fantasy,
    fixed: &Fixed,
    hot: &[Vec<f64>],
    units: usize,
    group: u64,
) -> Result<Fixed> {
    let hard: Vec<usize> = (0..search.space.factors().len())
        .filter(|f| search.space.factors()[*f].hard_to_change && fixed.iter().all(|(other, _)| other != f))
        .collect();
    if hard.is_empty() || units == 0 {
        return Ok(fixed.clone());
    }
    let ranked = search.ranked(fantasy, fixed, hot, 500 + group);
    let first = search.climbed(&ranked, fantasy, fixed, None).ok_or_else(|| refused_all(search))?;
    let mut options: Vec<Fixed> = Vec::new();
    let mut seen: Vec<Vec<f64>> = Vec::new();
    for found in std::iter::once(&first).chain(&ranked) {
        let columns: Vec<f64> = hard.iter().flat_map(|f| search.space.columns()[*f].clone()).map(|c| found.cube[c]).collect();
        let far = |other: &Vec<f64>| other.iter().zip(&columns).any(|(a, b)| (a - b).abs() > 0.05);
        if options.len() < settings.shared.max(1) && seen.iter().all(far) {
            let point = search.space.point(&found.cube);
            options.push(fixed.iter().copied().chain(hard.iter().map(|f| (*f, point[*f]))).collect());
            seen.push(columns);
        }
    }
    let mut best: Option<(f64, Fixed)> = None;
    for option in options {
        let mut rehearsal = fantasy.clone();
        let pool = search.candidates(REHEARSED, &option, hot, 700 + group);
        let mut brought = 0.0;
        for _ in 0..units {
            let next = pool.iter().map(|c| (rehearsal.ln_value(c, None), c)).reduce(|a, b| if b.0 > a.0 { b } else { a });
            if let Some((_, cube)) = next {
                brought += rehearsal.add(cube)?;
            }
        }
        if !pool.is_empty() && best.as_ref().is_none_or(|(most, _)| brought > *most) {
            best = Some((brought, option));
        }
    }
    best.map(|(_, option)| option).ok_or_else(|| refused_all(search))
}

/// Points that fill the space evenly, each group with one value of every shared factor.
fn fill_space(search: &Search<'_>, batch: &Batch, pending: &[Vec<f64>], seed: u64) -> Result<Vec<Vec<Seat>>> {
    let space = search.space;
    let mut sobol = Sobol::scrambled(space.dimensions(), seed);
    // What is under way already fills its part: go on behind it.
    sobol.points(pending.len());
    let mut of_groups = Sobol::scrambled(space.dimensions(), seed ^ 0x0009_4f0b);
    let mut seats = Vec::new();
    for group in &batch.groups {
        let wanted = batch.seats(group);
        let mut filled: Vec<Seat> = Vec::new();
        for _ in 0..16 {
            let point = space.point(&of_groups.point());
            let mut fixed = group.fixed.clone();
            for (f, factor) in space.factors().iter().enumerate() {
                if factor.hard_to_change && group.fixed.iter().all(|(other, _)| *other != f) {
                    fixed.push((f, point[f]));
                }
            }
            filled.clear();
            for _ in 0..64 * wanted.max(4) {
                if filled.len() < wanted
                    && let Some(cube) = search.settle(sobol.point(), &fixed)
                {
                    filled.push(Seat { cube, why: Why::FillSpace, gain: None, gain_from_mean: None });
                }
            }
            if filled.len() == wanted {
                break;
            }
        }
        if filled.len() < wanted {
            return Err(refused_all(search));
        }
        seats.push(filled);
    }
    Ok(seats)
}

/// Puts the chosen points on their places and says what is expected of them.
#[expect(clippy::too_many_arguments, reason = "the parts of one proposal, joined at one place")]
fn seated(
    problem: &Problem<'_>,
    search: &Search<'_>,
    history: &History,
    places: &[Vec<f64>],
    batch: &Batch,
    seats: Vec<Vec<Seat>>,
    models: Option<&Models>,
    settings: &Settings,
    seed: u64,
) -> Vec<Proposed> {
    let mut chance = Chance::new(seed ^ 0x0005_ea75);
    let mut runs = Vec::new();
    for (group, mut filled) in batch.groups.iter().zip(seats) {
        let order = ordered(group, batch.edge, &mut chance);
        if batch.edge == Edge::ForTrying {
            // Stable: what is surest first, for the places inside.
            filled.sort_by_key(|s| match s.why {
                Why::Replicate => 0,
                Why::Exploit => 1,
                Why::FillSpace => 2,
                Why::Explore => 3,
            });
        }
        let mut placed: Vec<(usize, Proposed)> = Vec::new();
        for ((index, position), seat) in order.into_iter().zip(filled) {
            let repeats = places.iter().position(|p| key(p) == key(&seat.cube));
            let expected = models.map_or_else(Vec::new, |m| expected(problem, m, &seat.cube, settings.confidence));
            // A repeat is the very point that was run, not one that is rounded to it, unless it is the rounding that
            // keeps the envelope.
            let run = repeats.and_then(|r| history.runs.get(r)).map(|r| &r.point).filter(|p| (search.allowed)(p).is_ok());
            let point = run.cloned().unwrap_or_else(|| problem.space.point(&seat.cube));
            placed.push((
                index,
                Proposed {
                    group: group.name.clone(),
                    position: position.name.clone(),
                    edge: position.edge,
                    point,
                    why: seat.why,
                    repeats,
                    holds: models.map_or(1.0, |m| all_hold(m, &seat.cube)),
                    expected,
                    gain: seat.gain,
                    gain_from_mean: seat.gain_from_mean,
                },
            ));
        }
        placed.sort_by_key(|(index, _)| *index);
        runs.extend(placed.into_iter().map(|(_, run)| run));
    }
    runs
}

/// The places of a group that are filled, in the order in which they are given out: by chance, and inside first where
/// the edge is for trying.
fn ordered<'a>(group: &'a Group, edge: Edge, chance: &mut Chance) -> Vec<(usize, &'a Position)> {
    let mut order: Vec<(usize, &Position)> =
        group.positions.iter().enumerate().filter(|(_, p)| edge != Edge::Free || !p.edge).collect();
    chance.shuffle(&mut order);
    if edge == Edge::ForTrying {
        order.sort_by_key(|(_, p)| p.edge);
    }
    order
}

pub(super) fn expected(problem: &Problem<'_>, models: &Models, cube: &[f64], confidence: f64) -> Vec<Expected> {
    let of = |output: usize, gp: &Averaged, sign: f64, limits: &[Limit]| {
        let found = gp.range(cube, confidence);
        let (low, high) = if sign < 0.0 { (-found.high, -found.low) } else { (found.low, found.high) };
        Expected { output, mean: sign * found.at.mean, sd: found.at.sd, low, high, holds: holds(gp, limits, cube) }
    };
    std::iter::once(of(problem.goal.output, &models.goal, models.sign, &[]))
        .chain(models.limited.iter().map(|(output, gp, limits)| of(*output, gp, 1.0, limits)))
        .collect()
}

fn checks(problem: &Problem<'_>, models: &Models, confidence: f64) -> Vec<Check> {
    let z = normal::quantile(0.5 + confidence.clamp(0.0, 0.999_999) / 2.0);
    let of = |output: usize, gp: &Averaged| {
        let left = gp.best().leave_one_out();
        let n = left.len() as f64;
        Check {
            output,
            runs: left.len(),
            noise_sd: gp.noise().sqrt(),
            left_out_rms: (left.iter().map(|l| (l.value - l.mean) * (l.value - l.mean)).sum::<f64>() / n).sqrt(),
            left_out_inside: left.iter().filter(|l| (l.value - l.mean).abs() <= z * l.sd).count() as f64 / n,
            confidence,
        }
    };
    std::iter::once(of(problem.goal.output, &models.goal))
        .chain(models.limited.iter().map(|(output, gp, _)| of(*output, gp)))
        .collect()
}

fn stopping(problem: &Problem<'_>, models: &Models, gain: f64, units: usize) -> Stopping {
    let noise_sd = models.goal.noise().sqrt();
    let rule = &problem.stop;
    let by_cost = rule
        .worth_of_unit
        .zip(rule.cost_of_run)
        .filter(|(worth, _)| *worth > 0.0)
        .map(|(worth, cost)| cost * units as f64 / worth);
    let needed = [rule.noise_share.map(|share| share * noise_sd), rule.gain_min, by_cost].into_iter().flatten().reduce(f64::max);
    Stopping { gain, noise_sd, needed, stop: needed.is_some_and(|needed| gain < needed) }
}
