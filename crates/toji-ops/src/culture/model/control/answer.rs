//! What `culture control` answers.

use super::Trial;
use super::input::{Input, Setup};
use schemars::JsonSchema;
use serde::Serialize;
use toji_core::{Error, Result, Text};
use toji_culture::control::{Source, Step, Supervisor, Verdict};
use toji_culture::model::Kind;

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Decided {
    /// The recipe.
    Recipe,
    /// The controller.
    Controller,
    /// The recipe, because something failed.
    Safe,
}

/// One quantity in time.
#[derive(Debug, Serialize, JsonSchema)]
struct Course {
    /// Name.
    name: String,
    /// Label.
    label: Text,
    /// Unit, UCUM.
    unit: String,
    /// As it truly was under control.
    values: Vec<f64>,
    /// As the model predicted it.
    predicted: Vec<f64>,
    /// As it was by the recipe.
    by_recipe: Vec<f64>,
}

/// A command.
#[derive(Debug, Serialize, JsonSchema)]
struct Command {
    /// When.
    time: f64,
    /// Input.
    input: String,
    /// Who decided.
    decided: Decided,
    /// Phase of the recipe.
    phase: Option<String>,
    /// What the controller proposed.
    proposed: Option<f64>,
    /// Command before the filter.
    asked: f64,
    /// Command after the filter.
    given: f64,
    /// Unit, UCUM.
    unit: String,
    /// Rules that moved the command.
    reasons: Vec<Text>,
}

/// A stretch in which the recipe had to take over.
#[derive(Debug, Serialize, JsonSchema)]
struct Safe {
    /// From this step.
    from: f64,
    /// Until this step, the first at which it was over.
    until: Option<f64>,
    /// Why.
    reasons: Vec<Text>,
}

/// How the culture departed from what the model predicted.
#[derive(Debug, Serialize, JsonSchema)]
struct Deviation {
    /// Quantity.
    quantity: String,
    /// Value at the end as predicted.
    predicted: f64,
    /// Value at the end as reached.
    reached: f64,
    /// Reached less predicted.
    deviation: f64,
    /// That, in % of the prediction.
    deviation_percent: Option<f64>,
    /// Unit, UCUM.
    unit: String,
}

/// Control against fixed set-points, pair by pair.
#[derive(Debug, Serialize, JsonSchema)]
struct Comparison {
    /// Pairs.
    pairs: usize,
    /// Mean by the recipe.
    recipe_mean: f64,
    /// Standard deviation by the recipe.
    recipe_sd: f64,
    /// Mean under control.
    control_mean: f64,
    /// Standard deviation under control.
    control_sd: f64,
    /// Mean of control less recipe.
    difference: f64,
    /// Lower end of its 95 % interval.
    difference_low: f64,
    /// Upper end.
    difference_high: f64,
    /// Variance under control over that by the recipe.
    variance_ratio: f64,
    /// Pairs in which control is better.
    better: usize,
    /// Cultures by the recipe in which a limit was broken.
    broken_by_recipe: usize,
    /// Cultures under control in which a limit was broken.
    broken_under_control: usize,
    /// Unit, UCUM.
    unit: String,
}

/// An estimate of a quantity.
#[derive(Debug, Serialize, JsonSchema)]
struct Estimated {
    /// Quantity.
    quantity: String,
    /// Value.
    value: f64,
    /// Standard deviation.
    sd: f64,
    /// Unit, UCUM.
    unit: String,
}

/// A value proposed for a time to come.
#[derive(Debug, Serialize, JsonSchema)]
struct Proposed {
    /// From this time.
    time: f64,
    /// Input.
    input: String,
    /// Value.
    value: f64,
    /// Unit, UCUM.
    unit: String,
}

/// Output of `culture control`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Controlled {
    /// Identifier of the model.
    id: String,
    /// Quantity that is aimed at.
    aim: String,
    /// Is it a simulation?
    simulated: bool,
    /// Control against fixed set-points.
    comparison: Option<Comparison>,
    /// Deviations from the prediction, in the first culture.
    deviations: Vec<Deviation>,
    /// Where the recipe had to take over.
    safe: Vec<Safe>,
    /// Readings that were not believed.
    readings_refused: usize,
    /// Steps at which a limit could not be kept by the plan.
    limits_given_up: usize,
    /// The state as estimated now, in advice for a run.
    estimates: Vec<Estimated>,
    /// What is proposed from now on, in advice for a run.
    proposals: Vec<Proposed>,
    /// Commands, in the first culture.
    commands: Vec<Command>,
    /// Quantities in time, in the first culture.
    series: Vec<Course>,
    /// Times of the series.
    time: Vec<f64>,
    /// Unit of time, UCUM.
    time_unit: String,
    /// Seed.
    seed: u64,
    /// In words.
    why: Vec<Text>,
}

/// Quantities that are told: species, volume and what is observed.
pub(super) fn watched(setup: &Setup) -> Result<Vec<usize>> {
    let told = |kind: Kind| matches!(kind, Kind::Volume | Kind::Species | Kind::State | Kind::Observed);
    setup.model.described.iter().filter(|d| told(d.kind)).map(|d| setup.segment.system.quantity(&d.name)).collect()
}

fn unit(setup: &Setup, name: &str) -> String {
    setup.model.described(name).map_or_else(String::new, |d| d.unit.code().to_owned())
}

fn commands(setup: &Setup, steps: &[Step]) -> Vec<Command> {
    let one = |step: &Step, c: usize| {
        let command = &step.commands[c];
        let mut reasons: Vec<Text> = command.reasons.iter().map(|r| r.text.clone()).collect();
        reasons.extend(step.why.iter().cloned());
        Command {
            time: step.time,
            input: setup.names[c].clone(),
            decided: match step.source {
                Source::Recipe => Decided::Recipe,
                Source::Controller => Decided::Controller,
                Source::Safe => Decided::Safe,
            },
            phase: step.phase.clone(),
            proposed: step.plan.as_ref().and_then(|p| p.inputs.get(c)?.first().copied()),
            asked: command.asked,
            given: command.given,
            unit: unit(setup, &setup.names[c]),
            reasons,
        }
    };
    steps.iter().flat_map(|step| (0..step.commands.len()).map(move |c| one(step, c))).collect()
}

fn stretches(steps: &[Step]) -> Vec<Safe> {
    let mut all: Vec<Safe> = Vec::new();
    let mut open = false;
    for step in steps {
        if step.source == Source::Safe {
            if !open {
                all.push(Safe { from: step.time, until: None, reasons: step.why.clone() });
            }
            open = true;
        } else {
            if let Some(last) = all.last_mut().filter(|_| open) {
                last.until = Some(step.time);
            }
            open = false;
        }
    }
    all
}

fn base(setup: &Setup, input: &Input, seed: u64, steps: &[Step]) -> Controlled {
    let refused = steps.iter().flat_map(|s| &s.judged).filter(|j| !matches!(j.verdict, Verdict::Used)).count();
    Controlled {
        id: setup.model.id.clone(),
        aim: input.aim.clone(),
        simulated: true,
        comparison: None,
        deviations: Vec::new(),
        safe: stretches(steps),
        readings_refused: refused,
        limits_given_up: steps.iter().filter(|s| s.plan.as_ref().is_some_and(|p| !p.slack.is_empty())).count(),
        estimates: Vec::new(),
        proposals: Vec::new(),
        commands: commands(setup, steps),
        series: Vec::new(),
        time: Vec::new(),
        time_unit: setup.model.time.code().to_owned(),
        seed,
        why: Vec::new(),
    }
}

fn fall_backs(output: &mut Controlled) {
    for safe in &output.safe {
        let (from, unit) = (safe.from, &output.time_unit);
        let reason = safe.reasons.first().cloned().unwrap_or_else(|| Text::new("", ""));
        output.why.push(Text::new(
            format!("{from} {unit} にレシピへ退避しました: {}", reason.ja),
            format!("the recipe took over at {from} {unit}: {}", reason.en),
        ));
    }
}

/// The answer of a trial on the simulated bed.
pub(super) fn of_trial(setup: &Setup, input: &Input, seed: u64, watched: &[usize], trial: &Trial) -> Result<Controlled> {
    let [controlled, by_recipe, predicted] = &trial.first;
    let mut output = base(setup, input, seed, &controlled.steps);
    output.time.clone_from(&controlled.times);
    let names = setup.segment.system.names();
    for (w, quantity) in watched.iter().enumerate() {
        let name = names[*quantity].to_string();
        let Some(described) = setup.model.described(&name) else { return Err(Error::bug("E-CONTROL-010", name)) };
        let column = |rows: &[Vec<f64>]| rows.iter().filter_map(|r| r.get(w).copied()).collect::<Vec<f64>>();
        let course = Course {
            label: described.label.clone(),
            unit: described.unit.code().to_owned(),
            values: column(&controlled.truth),
            predicted: column(&predicted.truth),
            by_recipe: column(&by_recipe.truth),
            name,
        };
        if let (Some(reached), Some(expected)) = (course.values.last(), course.predicted.last()) {
            output.deviations.push(Deviation {
                quantity: course.name.clone(),
                predicted: *expected,
                reached: *reached,
                deviation: reached - expected,
                deviation_percent: (*expected != 0.0).then(|| 100.0 * (reached - expected) / expected.abs()),
                unit: course.unit.clone(),
            });
        }
        output.series.push(course);
    }
    let (it, unit) = (&trial.compared, unit(setup, &input.aim));
    let variance_ratio = it.second.1 * it.second.1 / (it.first.1 * it.first.1);
    let better = if input.least { it.n - it.greater } else { it.greater };
    let (name, by) = (&input.aim, it.difference);
    output.why.push(Text::new(
        format!(
            "{} 組の模擬培養で «{name}» は固定設定値の {:.4}±{:.4} に対して制御では {:.4}±{:.4} {unit}、差は {:.4}（95 % 区間 {:.4}〜{:.4}）です",
            it.n, it.first.0, it.first.1, it.second.0, it.second.1, by.0, by.1, by.2
        ),
        format!(
            "over {} pairs of simulated cultures «{name}» is {:.4}±{:.4} by fixed set-points and {:.4}±{:.4} {unit} under control: a difference of {:.4} (95 % interval {:.4} to {:.4})",
            it.n, it.first.0, it.first.1, it.second.0, it.second.1, by.0, by.1, by.2
        ),
    ));
    if !setup.limits.is_empty() {
        let [recipe, control] = trial.broken;
        output.why.push(Text::new(
            format!("制限を破った培養は固定設定値で {recipe}、制御で {control} です"),
            format!("a limit was broken in {recipe} cultures by fixed set-points and in {control} under control"),
        ));
    }
    output.comparison = Some(Comparison {
        pairs: it.n,
        recipe_mean: it.first.0,
        recipe_sd: it.first.1,
        control_mean: it.second.0,
        control_sd: it.second.1,
        difference: by.0,
        difference_low: by.1,
        difference_high: by.2,
        variance_ratio,
        better,
        broken_by_recipe: trial.broken[0],
        broken_under_control: trial.broken[1],
        unit,
    });
    fall_backs(&mut output);
    Ok(output)
}

/// The answer to the readings of a run.
pub(super) fn of_advice(
    setup: &Setup,
    input: &Input,
    seed: u64,
    supervisor: &Supervisor<'_>,
    steps: Vec<Step>,
) -> Result<Controlled> {
    let mut output = base(setup, input, seed, &steps);
    output.simulated = false;
    output.time = steps.iter().map(|s| s.time).collect();
    let watched = watched(setup)?;
    let names = setup.segment.system.names();
    for (quantity, (value, sd)) in watched.iter().zip(supervisor.estimator().look(&watched)?) {
        let name = names[*quantity].to_string();
        output.estimates.push(Estimated { unit: unit(setup, &name), quantity: name, value, sd });
    }
    let Some(last) = steps.last() else { return Err(Error::bug("E-CONTROL-010", "no readings")) };
    if let Some(plan) = &last.plan {
        for (name, values) in setup.names.iter().zip(&plan.inputs) {
            for (k, value) in values.iter().enumerate() {
                let time = last.time + setup.step * k as f64;
                output.proposals.push(Proposed { time, input: name.clone(), value: *value, unit: unit(setup, name) });
            }
        }
        if let (Some(now), Some(then)) = (plan.predicted.first(), plan.predicted.last()) {
            let (name, unit, ahead) = (&input.aim, unit(setup, &input.aim), setup.step * (plan.predicted.len() - 1) as f64);
            let time = &output.time_unit;
            output.why.push(Text::new(
                format!("提案に従うと «{name}» は {ahead} {time} 後に {now:.4} から {then:.4} {unit} になると予想されます"),
                format!("following the proposal «{name}» is expected to go from {now:.4} to {then:.4} {unit} in {ahead} {time}"),
            ));
        }
    }
    fall_backs(&mut output);
    Ok(output)
}
