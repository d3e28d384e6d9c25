//! `culture control`: a culture controlled by its model, on a simulated bed whose truth is hidden, or as advice for a run.

mod answer;
mod input;

use super::optimise::spreads;
use super::{given_quantity, model_file};
use crate::operation::{Context, Effect, Operation, Words};
use crate::progress::Progress;
use answer::Controlled;
use input::{Input, Setup};
use toji_core::{Error, Place, Result};
use toji_culture::control::Step;
use toji_culture::control::bed::{Bed, Paired, Ran, paired};
use toji_culture::profile::Spread;

/// Simulated cultures at most.
const SEEDS_MAX: usize = 1000;

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture control",
            label: ["モデルによる培養の制御", "Control a culture by its model"],
            about: [
                "モデルによる状態推定と予測制御を、真の定数を制御器に隠した模擬培養で試し、固定の設定値（レシピ）と同じ乱数の種の組で比べます。指令は最適化の外にある安全フィルター（限界・速度・インターロック）を必ず通り、センサーが故障するとレシピへ退避して理由を示します。実際の培養の読みを渡すと、模擬せずに次の操作を提案します。",
                "Tries an estimator and a predictive controller of a model on simulated cultures whose true constants are hidden from it, and compares them with fixed set-points (the recipe) pair by pair over seeds. Every command passes a safety filter outside the optimiser (limits, rates, interlocks), and when a sensor fails the recipe takes over, with the reason. Given readings of a real run, it simulates nothing and proposes what to do next.",
            ],
            positional: &["model"],
            example: "toji culture control m.toml --aim P --until '9 h' --step '1 h' --inputs @in --sensors @probes",
        },
        Effect::Read,
        control,
    )
    .long()
}

async fn control(context: Context, input: Input) -> Result<Controlled> {
    let file = model_file(&context, &input.model, &input.set).await?;
    if !(2..=SEEDS_MAX).contains(&input.seeds) {
        return Err(Error::input(
            "E-CONTROL-009",
            format!("seeds は 2〜{SEEDS_MAX} にしてください"),
            format!("seeds is 2 to {SEEDS_MAX}"),
        )
        .at(Place::field("seeds")));
    }
    let (seed, progress) = (input.seed.unwrap_or(context.seed), context.progress.clone());
    let work = move || {
        let setup = Setup::new(file, &input)?;
        if input.readings.is_empty() { simulate(&setup, &input, seed, &progress) } else { advise(&setup, &input, seed) }
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::bug("E-CONTROL-010", error))?
}

/// What the simulated cultures gave.
struct Trial {
    /// The first seed under control, by the recipe, and as the model predicts it under control.
    first: [Ran; 3],
    compared: Paired,
    /// Cultures in which a limit was broken, by the recipe and under control.
    broken: [usize; 2],
}

fn simulate(setup: &Setup, input: &Input, seed: u64, progress: &Progress) -> Result<Controlled> {
    let hidden = spreads(&input.hidden, "hidden")?;
    let aim = setup.segment.system.quantity(&input.aim).map_err(|e| e.at(Place::field("aim")))?;
    let mut watched: Vec<usize> = answer::watched(setup)?;
    if !watched.contains(&aim) {
        watched.push(aim);
    }
    let aim_at = watched.iter().position(|q| *q == aim).unwrap_or_default();
    let constants = setup.model.system.constants();
    let bed = |spreads: &[Spread], faulty: bool, seed: u64| {
        let faults = if faulty { &setup.faults[..] } else { &[] };
        let hidden = (spreads, faults, &setup.limits[..]);
        Bed::new(&setup.segment, &constants, &setup.places, &setup.sensors, hidden, seed)
    };
    let all = input.seeds as u64;
    let controlled = |bed: Bed<'_>, done: u64| -> Result<Ran> {
        let mut supervisor = setup.supervisor()?;
        let watch = |_: usize| progress.step(done, Some(all + 1), "模擬培養を制御しています", "controlling simulated cultures");
        bed.controlled(&mut supervisor, setup.steps, setup.step, &watched, &watch)
    };
    let last = |ran: &Ran| ran.truth.last().and_then(|t| t.get(aim_at)).copied().unwrap_or(f64::NAN);
    let is_broken = |ran: &Ran| ran.excess.iter().any(|e| *e > 0.0);
    let predicted = controlled(bed(&[], false, seed)?, 0)?;
    let (mut ends, mut broken, mut first) = ([Vec::new(), Vec::new()], [0; 2], None);
    for k in 0..all {
        let seed = seed.wrapping_add(k);
        let by_recipe = bed(&hidden, false, seed)?.by_recipe(&setup.recipe, &setup.guards, setup.steps, setup.step, &watched)?;
        let under_control = controlled(bed(&hidden, true, seed)?, k + 1)?;
        for (i, ran) in [&by_recipe, &under_control].into_iter().enumerate() {
            ends[i].push(last(ran));
            broken[i] += usize::from(is_broken(ran));
        }
        first.get_or_insert((under_control, by_recipe));
    }
    let compared = paired(&ends[0], &ends[1])?;
    let Some((under_control, by_recipe)) = first else { return Err(Error::bug("E-CONTROL-010", "no seed")) };
    answer::of_trial(setup, input, seed, &watched, &Trial { first: [under_control, by_recipe, predicted], compared, broken })
}

/// Goes through what was read of a run and proposes what comes next.
fn advise(setup: &Setup, input: &Input, seed: u64) -> Result<Controlled> {
    let mut supervisor = setup.supervisor()?;
    let mut steps: Vec<Step> = Vec::new();
    for (i, row) in input.readings.iter().enumerate() {
        let field = format!("readings.{i}");
        let time = super::quantity(&row.at, &setup.model.time, &field)?;
        if steps.last().is_some_and(|s| s.time >= time) {
            return Err(Error::input(
                "E-CONTROL-011",
                "readings は時刻の順に並べてください",
                "readings stand in the order of time",
            )
            .at(Place::field(field)));
        }
        let value = |name: &str, given: &serde_json::Value| {
            let unit = setup.model.described(name).map_or_else(toji_core::Unit::one, |d| d.unit.clone());
            given_quantity(given, &unit, &field)
        };
        if let Some(name) = row.values.keys().find(|n| !input.sensors.contains_key(*n)) {
            return Err(Error::input(
                "E-CONTROL-008",
                format!("センサー «{name}» は宣言されていません"),
                format!("the sensor «{name}» is not declared"),
            )
            .at(Place::field(&field)));
        }
        let readings: Vec<Option<f64>> = setup
            .sensors
            .iter()
            .map(|s| match row.values.get(&s.quantity) {
                None | Some(serde_json::Value::Null) => Ok(None),
                Some(given) => value(&s.quantity, given).map(Some),
            })
            .collect::<Result<_>>()?;
        let step = supervisor.step(time, &readings);
        let mut given: Vec<f64> = step.commands.iter().map(|c| c.given).collect();
        for (name, held) in setup.names.iter().zip(&mut given) {
            if let Some(told) = row.given.get(name) {
                *held = value(name, told)?;
            }
        }
        supervisor.given(time, &given);
        steps.push(step);
    }
    answer::of_advice(setup, input, seed, &supervisor, steps)
}
