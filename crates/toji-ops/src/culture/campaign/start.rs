//! `culture campaign`: starts a campaign, or changes one that has proposed nothing yet.

use super::super::system::system;
use super::record::{Campaign, FactorInput, OutputInput, Set, id_of, recipe_of};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use toji_core::record::FieldMap;
use toji_core::{Error, Place, Record, Result, Text};
use toji_culture::campaign::StopRule;
use toji_culture::envelope::Template;
use toji_store::{Commit, Put};

/// Input of `culture campaign`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Name of the campaign.
    ///
    /// 計画の名前。
    name: String,
    /// Factors, JSON: name, unit, low and high (or options), step, logarithmic, shared.
    ///
    /// 因子（JSON）：`name`、`unit`、`low` と `high`（または `options`）、`step`（刻み）、`logarithmic`（対数）、`shared`（群で共有）。
    factors: Vec<FactorInput>,
    /// What is sought, JSON: name and unit of the quantity.
    ///
    /// 目的の量（JSON）：`name` と `unit`。
    goal: OutputInput,
    /// Is less of it better?
    ///
    /// 小さいほど良いか。
    #[serde(default)]
    lower_is_better: bool,
    /// Other quantities with limits, JSON: name, unit, `at_least`, `at_most`.
    ///
    /// 制約のある量（JSON）：`name`、`unit`、`at_least`、`at_most`。
    #[serde(default)]
    limits: Vec<OutputInput>,
    /// Default recipe, JSON: a value of every factor.
    ///
    /// 既定のレシピ（JSON）：すべての因子の値。
    default_recipe: BTreeMap<String, Json>,
    /// Plan of gases and the numbers that factors set: no point whose path comes near what could burn is proposed.
    ///
    /// ガスの計画と因子が決める数。経路が爆発範囲に近づく点は提案しない。
    #[serde(default)]
    envelope: Option<Template>,
    /// Parallel system on which the runs stand: identifier of a vessel's record.
    ///
    /// 培養を割り付ける並列装置：槽の記録の識別子。
    #[serde(default)]
    system: Option<String>,
    /// Units of a batch; all of the system when missing.
    ///
    /// 一度に使う槽数。省略時は装置のすべて。
    #[serde(default)]
    units: Option<usize>,
    /// Units that share the shared factors; all when missing.
    ///
    /// 共有因子を共有する群の槽数。省略時は全体で一群。
    #[serde(default)]
    group_size: Option<usize>,
    /// Most runs.
    ///
    /// 培養数の上限。
    #[serde(default)]
    budget_runs: Option<usize>,
    /// When to end, JSON: `noise_share`, `gain_min`, `worth_of_unit`, `cost_of_run`.
    ///
    /// 終了の規則（JSON）：`noise_share`、`gain_min`、`worth_of_unit`、`cost_of_run`。
    #[serde(default)]
    stop_rule: StopRule,
    /// What it is for.
    ///
    /// 計画の目的。
    #[serde(default)]
    purpose: Option<String>,
    /// Seed of everything drawn by chance; the operation's own when missing.
    ///
    /// 乱数の種。省略時は操作の既定値。
    #[serde(default)]
    seed: Option<u64>,
}

/// Output of `culture campaign`.
#[derive(Debug, Serialize, JsonSchema)]
struct Started {
    /// Identifier of the campaign.
    campaign: String,
    /// Name.
    name: String,
    /// Default recipe.
    default_recipe: Vec<Set>,
    /// Units of a batch.
    units: usize,
    /// Rules of the envelope, if there is one.
    envelope_by: Option<String>,
    /// What to think about before starting.
    warnings: Vec<Text>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture campaign",
            label: ["最適化計画の開始", "Start a campaign"],
            about: [
                "因子と範囲、目的の量、制約、安全範囲、既定のレシピ、予算を決めて、最適化計画を始めます。安全範囲は厳格なふるいで、置換・立上げ・運転・撹拌停止・停止の経路が規則に触れる点は決して提案されません。",
                "Starts a campaign: factors with bounds, what is sought, limits, safety envelope, default recipe and budget. The envelope is a hard filter: a point whose path over purge, start-up, operation, loss of agitation and shutdown comes near what could burn is never proposed.",
            ],
            positional: &["name"],
            example: "toji culture campaign T-1 --factors @f.json --goal @g.json --default-recipe @r.json --units 24",
        },
        Effect::Write,
        start,
    )
}

async fn start(context: Context, input: Input) -> Result<Started> {
    let name = input.name.trim().to_owned();
    if name.is_empty() {
        return Err(Error::input("E-CAMPAIGN-044", "計画の名前がありません", "the campaign has no name")
            .at(Place::field("name"))
            .hint("名前を付けてください", "give it a name"));
    }
    let units = match (&input.system, input.units) {
        (Some(id), wanted) => {
            let (_, grid) = system(&context, id).await?;
            wanted.unwrap_or_else(|| grid.units())
        }
        (None, wanted) => wanted.unwrap_or(1),
    };
    let mut outputs = vec![input.goal];
    outputs.extend(input.limits);
    let id = id_of(&name);
    let mut fields = FieldMap::new();
    let bug = |e| Error::bug("E-CAMPAIGN-045", e);
    let stop = serde_json::to_value(input.stop_rule).map_err(bug)?;
    for (field, value) in [
        ("name", json!(name)),
        ("purpose", json!(input.purpose)),
        ("system", json!(input.system)),
        ("factors", serde_json::to_value(&input.factors).map_err(bug)?),
        ("outputs", serde_json::to_value(&outputs).map_err(bug)?),
        ("lower_is_better", json!(input.lower_is_better)),
        ("envelope", serde_json::to_value(&input.envelope).map_err(bug)?),
        ("default_recipe", json!(input.default_recipe)),
        ("units", json!(units)),
        ("group_size", json!(input.group_size)),
        ("budget_runs", json!(input.budget_runs)),
        ("stop_rule", stop),
        ("seed", json!(input.seed.unwrap_or(context.seed))),
    ] {
        if !value.is_null() {
            fields.insert(field.to_owned(), value);
        }
    }
    // Everything is read as it will be read again, before anything is kept.
    let kind_version = 1;
    let trial = Record {
        kind: "campaign".into(),
        id: id.clone(),
        version: 1,
        kind_version,
        fields: fields.clone(),
        retired: false,
        owner: None,
    };
    let campaign = Campaign::of(trial)?;
    campaign.batch(&context, units, 0).await?;
    let filter = campaign.filter(&context).await?;
    let mut warnings = Vec::new();
    if let Some(filter) = &filter
        && let Err(reason) = filter.allows(&campaign.default)
    {
        warnings.push(Text::new(
            format!("既定のレシピは安全範囲に入りません: {}", reason.ja),
            format!("the default recipe does not keep the envelope: {}", reason.en),
        ));
    }
    refuse_change(&context, &campaign).await?;
    let puts = vec![Put::new("campaign", id.clone(), fields)];
    let commit = Commit { operation: "culture campaign".into(), puts, ..Commit::default() };
    context.session.store.commit(&context.access, context.now, commit).await?;
    Ok(Started {
        campaign: id.to_string(),
        default_recipe: recipe_of(&campaign.space, &campaign.default),
        units,
        envelope_by: filter.map(|f| f.by()),
        name,
        warnings,
    })
}

/// A campaign that has proposed something stays as it is: its predictions were made for it.
async fn refuse_change(context: &Context, campaign: &Campaign) -> Result<()> {
    let made = campaign.proposals(context).await?.len();
    if made == 0 {
        return Ok(());
    }
    let name = &campaign.name;
    Err(Error::input(
        "E-CAMPAIGN-046",
        format!("計画「{name}」は既に {made} 回提案しています"),
        format!("the campaign \"{name}\" has proposed {made} times already"),
    )
    .at(Place::field("name"))
    .hint("別の名前で始めてください", "start another one under another name"))
}
