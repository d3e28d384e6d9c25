//! A planned experiment as a simulated plant: every unit with the recipe of its condition.

use super::run::refuse;
use crate::culture::{Condition, Experiment, scale, system};
use crate::operation::Context;
use crate::run::text;
use serde_json::json;
use toji_core::chance::Chance;
use toji_core::record::FieldMap;
use toji_core::{Error, Instant, Place, Result};
use toji_plant::{OperatorConfig, OrganismName, PlantConfig, ReactorConfig, Recipe};

/// What is asked of the plant beside its plan.
pub(super) struct Ask<'a> {
    pub(super) id: &'a str,
    pub(super) organism: OrganismName,
    pub(super) recipe: Option<&'a Recipe>,
    pub(super) hours: f64,
    pub(super) start: Instant,
    pub(super) seed: u64,
    pub(super) faults_per_day: f64,
    pub(super) operator: bool,
    pub(super) spread: f64,
}

/// The plant of an experiment, what its runs say of it, and the record of the experiment once it has run.
pub(super) struct Planned {
    pub(super) config: PlantConfig,
    /// Fields of each run, reactor by reactor.
    pub(super) tags: Vec<FieldMap>,
    /// Identifier and fields of the experiment, ended.
    pub(super) ended: (toji_core::Id, FieldMap),
}

/// Least share of the intended amount that a vessel's spread leaves.
const LEAST_SHARE: f64 = 0.1;

pub(super) async fn planned(context: &Context, ask: &Ask<'_>) -> Result<Planned> {
    if !(0.0..=0.5).contains(&ask.spread) {
        let spread = ask.spread;
        return Err(refuse(
            "spread",
            format!("spread は 0〜0.5 です: {spread}"),
            format!("spread is between 0 and 0.5, not {spread}"),
        ));
    }
    let experiment = Experiment::load(context, ask.id).await?;
    let (vessel, _) = system(context, &experiment.system).await?;
    let Some(scale) = scale(&vessel) else {
        return Err(Error::input(
            "E-SIM-013",
            format!("装置「{}」の形状は模擬できません", text(&vessel.fields, "name").unwrap_or_default()),
            format!("the geometry of the system \"{}\" cannot be simulated", text(&vessel.fields, "name").unwrap_or_default()),
        )
        .at(Place::field("experiment"))
        .hint("`toji culture vessels` の標準装置で計画してください", "plan on a standard system of `toji culture vessels`"));
    };
    let (ph, temperature_c) = match ask.organism {
        OrganismName::EColi => (7.0, 37.0),
        OrganismName::Yeast => (5.0, 30.0),
    };
    let base = ask.recipe.cloned().unwrap_or_else(|| Recipe { ph, temperature_c, stop_at_h: ask.hours, ..Recipe::default() });
    let mut chance = Chance::new(ask.seed);
    let (mut reactors, mut tags) = (Vec::new(), Vec::new());
    for (i, planned) in experiment.units.iter().enumerate() {
        let unit = &planned.unit;
        let condition = experiment.conditions.iter().find(|c| c.name == unit.condition);
        let mut recipe = condition.map_or_else(|| Ok(base.clone()), |c: &Condition| c.recipe_over(&base))?;
        // Two vessels never get quite the same inoculum and medium: without that, replicates would only repeat
        // the noise of their instruments.
        for amount in [&mut recipe.biomass_g_per_l, &mut recipe.glucose_g_per_l] {
            *amount *= (1.0 + ask.spread * chance.normal()).max(LEAST_SHARE);
        }
        let batch = format!("{} {} {}", experiment.name, unit.condition, unit.replicate);
        let mut reactor = ReactorConfig::new(&unit.position, &batch, scale);
        reactor.organism = ask.organism;
        reactor.recipe = recipe;
        reactor.faults_per_day = ask.faults_per_day;
        if ask.operator {
            reactor.operator = Some(OperatorConfig { name: format!("O-{}", i % 3 + 1), ..OperatorConfig::default() });
        }
        reactors.push(reactor);
        let mut fields = FieldMap::new();
        for (name, value) in [
            ("experiment", json!(experiment.record.id.as_str())),
            ("condition", json!(unit.condition)),
            ("position", json!(unit.position)),
            ("learner", json!(planned.learner)),
            ("vessel", json!(vessel.id.as_str())),
        ] {
            if !value.is_null() {
                fields.insert(name.to_owned(), value);
            }
        }
        tags.push(fields);
    }
    let config = PlantConfig { name: experiment.name.clone(), start: ask.start, reactors };
    not_run_otherwise(context, &experiment, &config, ask.seed).await?;
    let mut fields = experiment.record.fields;
    fields.insert("state".to_owned(), json!("ended"));
    Ok(Planned { config, tags, ended: (experiment.record.id, fields) })
}

/// Runs of another simulation of the same experiment would stand on the same units twice.
async fn not_run_otherwise(context: &Context, experiment: &Experiment, config: &PlantConfig, seed: u64) -> Result<()> {
    let keys: Vec<String> = config.reactors.iter().map(|r| super::read::run_key(config, r, seed)).collect();
    let others =
        experiment.runs(context).await?.iter().filter(|r| text(&r.fields, "key").is_none_or(|k| !keys.contains(&k))).count();
    if others == 0 {
        return Ok(());
    }
    Err(Error::input(
        "E-SIM-014",
        format!("実験「{}」には既に {others} 件の培養があります", experiment.name),
        format!("the experiment \"{}\" has {others} runs already", experiment.name),
    )
    .at(Place::field("experiment"))
    .hint(
        "同じ種と開始時刻で模擬し直すか、別の名前で計画してください",
        "simulate it with the same seed and start, or plan it under another name",
    ))
}
