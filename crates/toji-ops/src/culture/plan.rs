//! `culture plan`: conditions, replicates and controls on the units of a parallel system.

use super::experiment::{Condition, Experiment, PlannedUnit, converted};
use super::system::{SystemView, system, view};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use toji_core::record::FieldMap;
use toji_core::{Error, Id, Place, Result, Text};
use toji_culture::plan::{Wanted, plan};
use toji_plant::{Plant, PlantConfig, Recipe, Scale};
use toji_store::{Commit, Put};

/// Input of `culture plan`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Name of the experiment; planning it again before it has run replaces the plan.
    ///
    /// 実験の名前。実行前に同じ名前で計画し直すと、計画を置き換える。
    name: String,
    /// Parallel system: identifier of a vessel's record.
    ///
    /// 並列装置：槽の記録の識別子。
    system: String,
    /// Conditions, JSON: name, control, replicates, settings, recipe, learner.
    ///
    /// 条件（JSON）：`name`（名前）、`control`（対照）、`replicates`（反復数）、`settings`（設定）、`recipe`（レシピ）、`learner`（受講者）。
    conditions: Vec<Condition>,
    /// Replicates of conditions that do not say their own.
    ///
    /// 反復数を示さない条件の反復数。
    #[serde(default = "one")]
    replicates: usize,
    /// Code of the quantity to compare, e.g. `biomass-final`.
    ///
    /// 比べる量のコード。例：`biomass-final`。
    #[serde(default)]
    response: Option<String>,
    /// Seed of the layout; the operation's own when missing.
    ///
    /// 配置を決める乱数の種。省略時は操作の既定値。
    #[serde(default)]
    seed: Option<u64>,
    /// What it is for.
    ///
    /// 実験の目的。
    #[serde(default)]
    purpose: Option<String>,
    /// Only show the layout.
    ///
    /// 配置を示すだけ。
    #[serde(default)]
    dry_run: bool,
}

fn one() -> usize {
    1
}

/// Output of `culture plan`.
#[derive(Debug, Serialize, JsonSchema)]
struct Planned {
    /// Identifier of the experiment; null for a trial.
    experiment: Option<String>,
    /// Name.
    name: String,
    /// Where it stands.
    system: SystemView,
    /// Layout, unit by unit.
    units: Vec<PlannedUnit>,
    /// Units that stay free.
    spare: usize,
    /// Their places.
    spare_positions: Vec<String>,
    /// Seed of the layout.
    seed: u64,
    /// What to think about before starting.
    warnings: Vec<Text>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture plan",
            label: ["実験の計画", "Plan an experiment"],
            about: [
                "条件・反復・対照を並列培養装置の各槽に割り付けます。反復は行（ブロック）に散らし、対照は端と中央に置き、残りは乱数の種で決めます。槽数を超える計画は断り、対照や反復のない計画には注意を添えます。",
                "Lays conditions, replicates and controls out on the units of a parallel system: replicates spread over the rows (blocks), controls on the edge and in the middle, the rest by a seed. More units than there are is refused; a plan without control or replicates is warned about.",
            ],
            positional: &["name"],
            example: "toji culture plan FEED-1 --system vessel-0.25l-24 --conditions @conditions.json --replicates 3",
        },
        Effect::Write,
        make,
    )
}

async fn make(context: Context, input: Input) -> Result<Planned> {
    let name = input.name.trim().to_owned();
    if name.is_empty() {
        return Err(Error::input("E-PLAN-009", "実験の名前がありません", "the experiment has no name")
            .at(Place::field("name"))
            .hint("名前を付けてください", "give it a name"));
    }
    let (vessel, grid) = system(&context, &input.system).await?;
    let mut conditions = input.conditions;
    for condition in &mut conditions {
        condition.name = condition.name.trim().to_owned();
        condition.replicates.get_or_insert(input.replicates);
        condition.learner = condition.learner.take().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty());
    }
    let wanted: Vec<Wanted> = conditions
        .iter()
        .map(|c| Wanted { name: c.name.clone(), control: c.control, replicates: c.replicates.unwrap_or(input.replicates) })
        .collect();
    let seed = input.seed.unwrap_or(context.seed);
    let layout = plan(grid, &wanted, seed)?;
    let mut warnings = layout.warnings;
    check(&conditions, &mut warnings)?;
    let learners: BTreeMap<&str, &String> =
        conditions.iter().filter_map(|c| c.learner.as_ref().map(|l| (c.name.as_str(), l))).collect();
    let units: Vec<PlannedUnit> = layout
        .units
        .into_iter()
        .map(|unit| PlannedUnit { learner: learners.get(unit.condition.as_str()).map(|l| (*l).clone()), unit })
        .collect();
    // The name is the experiment: another plan of that name is a new version of it until it has run.
    let id = Id::derive("exp", &[&name]);
    let mut fields = FieldMap::new();
    let bug = |e| Error::bug("E-PLAN-010", e);
    for (field, value) in [
        ("name", json!(name)),
        ("purpose", json!(input.purpose)),
        ("system", json!(vessel.id.as_str())),
        ("response", json!(input.response)),
        ("conditions", serde_json::to_value(&conditions).map_err(bug)?),
        ("units", serde_json::to_value(&units).map_err(bug)?),
        ("seed", json!(seed)),
        ("state", json!("planned")),
    ] {
        if !value.is_null() {
            fields.insert(field.to_owned(), value);
        }
    }
    if !input.dry_run {
        keep(&context, &id, fields).await?;
    }
    Ok(Planned {
        experiment: (!input.dry_run).then(|| id.to_string()),
        name,
        system: view(&vessel, grid),
        units,
        spare: layout.spare.len(),
        spare_positions: layout.spare,
        seed,
        warnings,
    })
}

/// Settings must convert to the unit of their variable, and recipes must be possible.
fn check(conditions: &[Condition], warnings: &mut Vec<Text>) -> Result<()> {
    for condition in conditions {
        for (name, setting) in &condition.settings {
            if !setting.value.is_finite() {
                return Err(Error::input(
                    "E-PLAN-011",
                    format!("条件「{}」の {name} が数ではありません", condition.name),
                    format!("{name} of the condition \"{}\" is no number", condition.name),
                )
                .at(Place::field("conditions"))
                .hint("有限の数を指定してください", "give a finite number"));
            }
            converted(&condition.name, name, setting)?;
        }
        let Some(recipe) = &condition.recipe else { continue };
        let mut trial = PlantConfig::parallel("trial", toji_core::Instant(0), Scale::L1, 1);
        for reactor in &mut trial.reactors {
            // Settings that no recipe has are for real vessels: they matter when somebody simulates.
            reactor.recipe = condition.recipe_over(&Recipe::default()).unwrap_or_else(|_| recipe.clone());
        }
        Plant::new(trial, 0)?;
    }
    let mut seen: Vec<&Condition> = Vec::new();
    for condition in conditions {
        let same = |c: &&&Condition| c.settings == condition.settings && c.recipe == condition.recipe;
        let described = !condition.settings.is_empty() || condition.recipe.is_some();
        if let Some(twin) = seen.iter().find(same).filter(|_| described) {
            warnings.push(Text::new(
                format!("条件「{}」と「{}」の設定は同じです", twin.name, condition.name),
                format!("the conditions \"{}\" and \"{}\" have the same settings", twin.name, condition.name),
            ));
        }
        seen.push(condition);
    }
    Ok(())
}

async fn keep(context: &Context, id: &Id, mut fields: FieldMap) -> Result<()> {
    let store = &context.session.store;
    match Experiment::load(context, id.as_str()).await {
        Ok(present) => {
            let runs = present.runs(context).await?.len();
            let old = &present.record.fields;
            let same = ["system", "conditions", "units", "seed"].iter().all(|f| old.get(*f) == fields.get(*f));
            if runs > 0 && !same {
                return Err(Error::input(
                    "E-PLAN-005",
                    format!("実験「{}」には既に {runs} 件の培養があります", present.name),
                    format!("the experiment \"{}\" has {runs} runs already", present.name),
                )
                .at(Place::field("name"))
                .hint("別の名前で計画してください", "plan under another name"));
            }
            // What people wrote on it stays, and how far it is.
            for kept in ["purpose", "area", "notes"] {
                if let (Some(value), false) = (old.get(kept), fields.contains_key(kept)) {
                    fields.insert(kept.to_owned(), value.clone());
                }
            }
            if runs > 0
                && let Some(state) = old.get("state")
            {
                fields.insert("state".to_owned(), state.clone());
            }
        }
        Err(error) if matches!(error.code(), "E-RECORD-004" | "E-EXPERIMENT-001") => {}
        Err(error) => return Err(error),
    }
    let puts = vec![Put::new("experiment", id.clone(), fields)];
    let commit = Commit { operation: "culture plan".into(), puts, ..Commit::default() };
    store.commit(&context.access, context.now, commit).await?;
    Ok(())
}
