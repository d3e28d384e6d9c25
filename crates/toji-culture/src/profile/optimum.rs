//! The search: many starts on a coarse grid, the best refined, the result verified and, where a limit is exceeded between
//! the instants looked at, sought again with more margin.

use super::replay::instants;
use super::task::{End, Over, Prepared};
use super::transcription::{Bound, Held, Scalar, Scenario, Span, Term, Transcription};
use super::verify::{Spread, Verified, scale, verify};
use crate::optimise::{DIMENSIONS_MAX, Outcome, Settings, Sobol, sequential};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use toji_core::{Category, Error, Result};

/// Intervals of the coarse grid at most.
const COARSE: usize = 12;
/// Values that a start at random draws for each input.
const KNOTS: usize = 5;
/// Starts that are refined.
const REFINED: usize = 3;
/// How often margins are widened.
const ROUNDS: usize = 5;
/// Row of a limit that counts as kept on the coarse grid.
const FEASIBLE: f64 = 1e-6;

/// How hard to search.
#[derive(Debug, Clone, PartialEq)]
pub struct Effort {
    /// Starts on the coarse grid; the first is the model's own value of each input.
    pub starts: usize,
    /// Seed of the others, and of the draws.
    pub seed: u64,
    /// Threads; the result does not depend on them.
    pub threads: usize,
    /// Constants that are not quite known.
    pub spreads: Vec<Spread>,
    /// Draws of these.
    pub draws: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self { starts: 12, seed: 1, threads: 2, spreads: Vec::new(), draws: 200 }
    }
}

/// Where a start led.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// Intervals of the grid.
    pub intervals: usize,
    /// Goal; none where the start could not be simulated.
    pub goal: Option<f64>,
    /// Are the limits kept?
    pub kept: bool,
    /// Did it end at an optimum?
    pub converged: bool,
    /// Iterations.
    pub iterations: usize,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum {
    /// End of the course.
    pub end: f64,
    /// Beginnings of the intervals, then the end.
    pub at: Vec<f64>,
    /// Values of each input: one an interval, or one a node where it is a line.
    pub inputs: Vec<Vec<f64>>,
    /// Values of the free constants.
    pub free: Vec<f64>,
    /// Simulated again.
    pub verified: Verified,
    /// Where the starts led on the coarse grid, in their order.
    pub starts: Vec<Start>,
    /// Where those that were refined led on the full grid, best first.
    pub refined: Vec<Start>,
    /// Did the best end at an optimum?
    pub converged: bool,
}

/// Finds the best course of a task. `watch` is told of every start and refinement done, out of how many, and ends the
/// search by an error.
///
/// # Errors
/// No start can be simulated; none keeps the limits, with the one that comes nearest; what `watch` says.
pub fn optimise(prepared: &Prepared, effort: &Effort, watch: &(dyn Fn(usize, usize) -> Result<()> + Sync)) -> Result<Optimum> {
    let levels = levels(prepared.task.intervals);
    let whole = effort.starts.max(1) + REFINED.min(effort.starts.max(1)) * (levels.len() - 1) + 1;
    let done = AtomicUsize::new(0);
    let tick = || watch(done.fetch_add(1, Ordering::Relaxed) + 1, whole);

    let mut coarse = transcribe(prepared, levels[0])?;
    let begins = starts(&coarse, prepared, effort);
    coarse.size = begins.iter().filter_map(|x| coarse.look(x, false).ok()).map(|e| e.objective.abs()).fold(0.0, f64::max);
    if coarse.size < 1e-12 {
        // Nothing is known of its size, or it is nothing everywhere.
        coarse.look(&begins[0], false)?;
        coarse.size = 1.0;
    }
    let coarse = coarse.finish();
    let rough = Settings { iterations: 80, tolerance: 1e-5, feasible: 1e-7, ..Settings::default() };
    let found = side_by_side(&begins, effort.threads, &|x| {
        let found = solve(&coarse, x, &rough);
        tick().map(|()| found)
    })?;
    let tell = |outcome: &Option<Outcome>, size: f64, intervals: usize| match outcome {
        Some(it) => Start {
            intervals,
            goal: Some(sign(prepared) * it.objective * size),
            kept: it.violation <= FEASIBLE,
            converged: it.converged,
            iterations: it.iterations,
        },
        None => Start { intervals, goal: None, kept: false, converged: false, iterations: 0 },
    };
    let told: Vec<Start> = found.iter().map(|f| tell(f, coarse.size, levels[0])).collect();

    let mut best: Vec<Outcome> = found.into_iter().flatten().collect();
    rank(&mut best);
    // Starts that led to the same place are refined once.
    let mut distinct: Vec<Outcome> = Vec::new();
    for outcome in best {
        let known = distinct.iter().any(|d| d.x.iter().zip(&outcome.x).all(|(a, b)| (a - b).abs() < 0.02));
        if !known && distinct.len() < REFINED {
            distinct.push(outcome);
        }
    }
    let mut size = coarse.size;
    let mut at: Vec<(Vec<f64>, usize)> = distinct.iter().map(|o| (o.x.clone(), levels[0])).collect();
    let mut outcomes = distinct;
    let fine = Settings { iterations: 300, tolerance: 1e-7, feasible: 1e-9, ..Settings::default() };
    for (l, level) in levels.iter().enumerate() {
        if l == 0 && levels.len() > 1 {
            continue;
        }
        let mut grid = transcribe(prepared, *level)?;
        size = outcomes.first().map_or(size, |o| (o.objective * size).abs()).max(1e-9 * size);
        grid.size = size;
        let grid = grid.finish();
        let settings = if l + 1 == levels.len() { fine } else { Settings { iterations: 120, ..rough } };
        let begins: Vec<Vec<f64>> = at.iter().map(|(x, from)| refined(&grid, prepared, x, *from)).collect();
        let found = side_by_side(&begins, effort.threads, &|x| {
            let found = solve(&grid, x, &settings);
            tick().map(|()| found)
        })?;
        outcomes = found.into_iter().flatten().collect();
        rank(&mut outcomes);
        at = outcomes.iter().map(|o| (o.x.clone(), *level)).collect();
    }
    let Some(best) = outcomes.first() else {
        return Err(Error::new(
            Category::Model,
            "E-PROFILE-003",
            "どの初期値からも計算できませんでした",
            "no start could be simulated to an optimum",
        )
        .hint(
            "操作量の範囲を狭め、toji culture simulate で確かめてください",
            "narrow the bounds of the inputs and try culture simulate",
        ));
    };
    let refined: Vec<Start> = outcomes.iter().map(|o| tell(&Some(o.clone()), size, prepared.task.intervals)).collect();
    if best.violation > 1e-4 {
        return Err(unreachable(prepared, best));
    }
    settle(prepared, effort, best.clone(), size, told, refined)
}

/// Verifies, and widens the margins until what is simulated again keeps the limits.
fn settle(
    prepared: &Prepared,
    effort: &Effort,
    mut best: Outcome,
    size: f64,
    starts: Vec<Start>,
    refined: Vec<Start>,
) -> Result<Optimum> {
    let mut grid = transcribe(prepared, prepared.task.intervals)?;
    grid.size = size;
    let mut grid = grid.finish();
    let settings = Settings { iterations: 100, tolerance: 1e-7, feasible: 1e-9, first: 0.01 };
    for round in 0.. {
        let inputs: Vec<Vec<f64>> = (0..grid.controls.len()).map(|c| grid.values_of(c, &best.x)).collect();
        let (end, free) = (grid.length(&best.x), grid.free_of(&best.x));
        let claimed = sign(prepared) * best.objective * size;
        let draws = (&effort.spreads[..], effort.draws, effort.seed, effort.threads);
        let quick = verify(prepared, end, &inputs, &free, claimed, (&[], 0, 0, 1))?;
        if quick.kept || round == ROUNDS {
            let verified = if effort.spreads.is_empty() { quick } else { verify(prepared, end, &inputs, &free, claimed, draws)? };
            let at = instants(end, prepared.task.intervals, prepared.task.intervals + 1);
            return Ok(Optimum { end, at, inputs, free, verified, starts, refined, converged: best.converged });
        }
        for margin in quick.margins.iter().filter(|m| !m.kept) {
            let limit = &prepared.task.limits[margin.limit];
            let quantity = grid.segment.system.quantity(&limit.quantity)?;
            let those = grid
                .bounds
                .iter_mut()
                .filter(|b| b.quantity == quantity && b.upper == margin.upper && b.limit == margin.bound && !b.equal);
            those.for_each(|b| b.margin += 1.5 * margin.excess.max(0.0) + 1e-9 * b.scale);
        }
        if let Some(next) = solve(&grid, &best.x, &settings) {
            best = next;
        }
    }
    Err(Error::bug("E-PROFILE-004", "margins"))
}

/// Grids from coarse to full.
fn levels(intervals: usize) -> Vec<usize> {
    if intervals <= COARSE {
        return vec![intervals];
    }
    let first = (5..=COARSE).rev().find(|c| intervals.is_multiple_of(*c)).unwrap_or(10);
    let mut all = vec![first];
    while let Some(last) = all.last().copied().filter(|last| last * 3 < intervals) {
        all.push(last * 3);
    }
    all.push(intervals);
    all
}

/// +1 where the least is sought, −1 where the greatest.
fn sign(prepared: &Prepared) -> f64 {
    if prepared.task.goal.greatest { -1.0 } else { 1.0 }
}

pub(super) fn transcribe(prepared: &Prepared, intervals: usize) -> Result<Transcription<'_>> {
    let (task, model, system) = (&prepared.task, &prepared.model, &prepared.segment.system);
    let span = match task.end {
        End::At(end) => Span::Fixed(end),
        End::Between(low, high) => Span::Free(low, high),
    };
    let scenario = Scenario { constants: model.system.constants(), state: None, weight: 1.0 };
    let mut it = Transcription::new(&prepared.segment, intervals, span, vec![scenario]);
    for control in &task.controls {
        let place = |name: &str| -> Result<usize> {
            let quantity = system.quantity(name)?;
            prepared.segment.state(quantity).ok_or_else(|| Error::bug("E-PROFILE-004", name))
        };
        it.controls.push(Held {
            state: place(&control.name)?,
            slope: if control.line { Some(place(&format!("slope of {}", control.name))?) } else { None },
            low: control.low,
            high: control.high,
            rate_max: control.rate_max,
            previous: None,
            move_cost: 0.0,
        });
    }
    for free in &task.free {
        it.free.push(Scalar { constant: model.system.constant(&free.name)?, low: free.low, high: free.high });
    }
    for limit in &task.limits {
        let quantity = system.quantity(&limit.quantity)?;
        let equal = limit.low == limit.high;
        for (value, upper) in [(limit.low, false), (limit.high, true)] {
            let Some(value) = value.filter(|v| v.is_finite()) else { continue };
            if equal && upper {
                continue;
            }
            let scale = scale(value);
            let margin = if equal { 0.0 } else { 2e-9 * scale };
            let course = limit.over == Over::Course;
            it.bounds.push(Bound { quantity, limit: value, upper, course, equal, margin, scale, soft: None });
        }
    }
    // What the tolerance leaves is found when the optimum is simulated again.
    let relative = if intervals == task.intervals { 1e-6 } else { 1e-5 };
    (it.options.relative, it.options.absolute) = (relative, vec![relative * 1e-3]);
    it.terms.push(Term { quantity: system.quantity(&task.goal.quantity)?, weight: sign(prepared), each: false });
    Ok(it.finish())
}

/// Points to start from.
fn starts(grid: &Transcription<'_>, prepared: &Prepared, effort: &Effort) -> Vec<Vec<f64>> {
    let n = grid.variables();
    let mut own = vec![0.5; n];
    for (c, control) in prepared.task.controls.iter().enumerate() {
        let value = prepared.file.profile.get(&control.name).and_then(|p| p.values.first().copied()).unwrap_or(control.low);
        let (first, nodes) = (grid.first_of(c), grid.values_of(c, &own).len());
        own[first..first + nodes].fill((value - control.low) / (control.high - control.low));
    }
    let inputs = prepared.task.controls.len();
    let dimensions = (inputs * KNOTS + n - grid.first_of(inputs)).clamp(1, DIMENSIONS_MAX);
    let mut sobol = Sobol::scrambled(dimensions, effort.seed);
    let mut all = vec![own];
    for s in 1..effort.starts.max(1) {
        let point = sobol.point();
        let mut x = vec![0.5; n];
        for c in 0..inputs {
            let (first, nodes) = (grid.first_of(c), grid.values_of(c, &x).len());
            for k in 0..nodes {
                let place = k as f64 / (nodes.max(2) - 1) as f64 * (KNOTS - 1) as f64;
                let left = (place as usize).min(KNOTS - 2);
                let draw = |i: usize| point[(c * KNOTS + i) % dimensions];
                let value = draw(left) + (draw(left + 1) - draw(left)) * (place - left as f64);
                // Half of them are low: most feeds are small beside what the pump can.
                x[first + k] = if s % 2 == 0 { value } else { value * value * value };
            }
        }
        for i in grid.first_of(inputs)..n {
            x[i] = point[(inputs * KNOTS + i - grid.first_of(inputs)) % dimensions];
        }
        all.push(x);
    }
    all
}

/// A point on a finer grid.
fn refined(grid: &Transcription<'_>, prepared: &Prepared, x: &[f64], from: usize) -> Vec<f64> {
    let mut fine = Vec::with_capacity(grid.variables());
    let mut first = 0;
    for control in &prepared.task.controls {
        let count = from + usize::from(control.line);
        let old = &x[first..first + count];
        first += count;
        for k in 0..grid.intervals + usize::from(control.line) {
            if control.line {
                let place = k as f64 * from as f64 / grid.intervals as f64;
                let left = (place as usize).min(from - 1);
                fine.push(old[left] + (old[left + 1] - old[left]) * (place - left as f64));
            } else {
                let place = (k as f64 + 0.5) * from as f64 / grid.intervals as f64;
                fine.push(old[(place as usize).min(from - 1)]);
            }
        }
    }
    fine.extend_from_slice(&x[first..]);
    fine
}

fn solve(grid: &Transcription<'_>, x: &[f64], settings: &Settings) -> Option<Outcome> {
    let mut program = grid.clone();
    let (low, high) = grid.limits();
    sequential(&mut program, x, &low, &high, settings, None)
}

/// Those that keep the limits first, then by objective.
fn rank(outcomes: &mut [Outcome]) {
    outcomes.sort_by(|a, b| {
        let broken = |o: &Outcome| if o.violation <= FEASIBLE { 0.0 } else { o.violation };
        broken(a).total_cmp(&broken(b)).then(a.objective.total_cmp(&b.objective))
    });
}

/// What `work` makes of each, in their order, on several threads.
fn side_by_side<T: Send>(all: &[Vec<f64>], threads: usize, work: &(dyn Fn(&[f64]) -> Result<T> + Sync)) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<Result<T>>>> = all.iter().map(|_| Mutex::new(None)).collect();
    let go = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(x) = all.get(i) else { break };
            let result = work(x);
            let failed = result.is_err();
            *done[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            if failed {
                next.store(all.len(), Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, all.len().max(1)) {
            scope.spawn(go);
        }
        go();
    });
    // One that was not begun follows one that failed, whose error is told.
    let mut results = Vec::with_capacity(all.len());
    let (mut first, mut lacking) = (None, false);
    for slot in done {
        match slot.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(result)) => results.push(result),
            Some(Err(error)) => first = first.or(Some(error)),
            None => lacking = true,
        }
    }
    match first {
        Some(error) => Err(error),
        None if lacking => Err(Error::bug("E-PROFILE-004", "a start was not begun")),
        None => Ok(results),
    }
}

fn unreachable(prepared: &Prepared, best: &Outcome) -> Error {
    let names: Vec<&str> = prepared.task.limits.iter().map(|l| l.quantity.as_str()).collect();
    Error::new(
        Category::Model,
        "E-PROFILE-005",
        format!(
            "制限（{}）をすべて満たす操作が見つかりません。最も近いものでも制限値の {:.3} % を超えます",
            names.join("、"),
            100.0 * best.violation
        ),
        format!(
            "no course keeps all limits ({}); the nearest exceeds one by {:.3} % of it",
            names.join(", "),
            100.0 * best.violation
        ),
    )
    .hint("制限をゆるめるか、操作量の範囲・時間を広げてください", "loosen a limit, or allow the inputs or the time more room")
}
