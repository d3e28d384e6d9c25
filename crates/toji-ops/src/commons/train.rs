//! `commons train`: parameters of a culture model from the runs of several members, of which only sums are seen.

use super::aggregate::owner_of;
use super::seat::{Actor, actor, standing, training};
use super::write::{id_in, write};
use crate::culture::{Asked, Sought, Together};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::aggregate::Cost;
use toji_commons::agreement::Role;
use toji_commons::log::{KeyKind, SigningKey};
use toji_commons::release::Rule;
use toji_commons::train::{Descent, Participant, Plan, Ranges, federate};
use toji_core::{Category, Error, Id, Place, Result, Text};

/// Bits of each number of a sum below its range.
const BITS: u32 = 44;
/// Greatest sizes of what a site says of culture models, in the units of −ln L: far beyond any that fits.
const RANGES: Ranges = Ranges { n: 1e6, objective: 1e9, gradient: 1e9, curvature: 1e9 };

/// Input of `commons train`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model, as for `culture fit`.
    ///
    /// モデル（culture fit と同じ）。
    model: String,
    /// Data sets to learn from; all that one may train on when missing.
    ///
    /// 学習に用いるデータセット。省略時は学習を許されたすべて。
    #[serde(default)]
    data_sets: Vec<String>,
    /// What was measured: quantity of the model and variable of the run.
    ///
    /// 測定値。モデルの量と培養記録の変数の対応。
    readings: BTreeMap<String, String>,
    /// Constants to find, with their bounds.
    ///
    /// 推定する定数とその範囲。
    parameters: BTreeMap<String, Sought>,
    /// Standard deviation of the readings of each quantity, or as a share (`5 %`).
    ///
    /// 各量の測定の標準偏差、または割合（5 %）。
    noise: BTreeMap<String, Json>,
    /// Profiles of the model that follow a variable of each run.
    ///
    /// 各培養の変数に従わせるモデルの時間表。
    #[serde(default)]
    follow: BTreeMap<String, String>,
    /// Constants to set in all runs.
    ///
    /// すべての培養で変える定数。
    #[serde(default)]
    set: BTreeMap<String, Json>,
    /// Most rounds.
    ///
    /// 回数の上限。
    #[serde(default = "usual_rounds")]
    rounds: usize,
}

fn usual_rounds() -> usize {
    60
}

/// Output of `commons train`.
#[derive(Debug, Serialize, JsonSchema)]
struct Trained {
    /// Model.
    model: String,
    /// Parameters.
    parameters: Vec<ParameterView>,
    /// How many members took part; which is not said.
    contributors: usize,
    /// Measurements of all.
    measurements: u64,
    /// Ended because nothing fell any more?
    converged: bool,
    /// −2 ln L of all data at the end.
    minus_two_log_likelihood: f64,
    /// What it took.
    cost: CostView,
    /// What it promises and what not.
    caution: Text,
}

/// A parameter.
#[derive(Debug, Serialize, JsonSchema)]
struct ParameterView {
    /// Name.
    name: String,
    /// Label.
    label: Text,
    /// Value; missing where all data together do not tell it.
    value: Option<f64>,
    /// Unit, UCUM.
    unit: String,
    /// Standard deviation on the scale of the search: a share of the value where that is a logarithm.
    spread: Option<f64>,
}

/// What a training takes.
#[derive(Debug, Serialize, JsonSchema)]
struct CostView {
    /// Sums.
    sums: u64,
    /// Messages of members.
    messages: u64,
    /// Bytes that members sent.
    up_bytes: u64,
    /// Bytes that they were sent.
    down_bytes: u64,
}

impl From<Cost> for CostView {
    fn from(cost: Cost) -> Self {
        Self { sums: cost.sums, messages: cost.messages, up_bytes: cost.up_bytes, down_bytes: cost.down_bytes }
    }
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons train",
                label: ["会員をまたぐ学習", "Train over members"],
                about: [
                    "培養モデルの定数を、複数の会員の培養から推定します。各会員の分は目的関数・勾配・曲率だけで、しかも秘匿した和としてしか現れません。5者以上のデータがあり、契約が学習を認めていることが要ります。和のほかは外に出ず、結果は全データをまとめた推定と同じ歩みで得られます。",
                    "Finds the constants of a culture model from runs of several members. Of each only objective, gradient and curvature take part, and only as a masked sum. At least 5 members must contribute and agreements must grant training. Nothing but sums leaves, and the steps are those of a fit of all data together.",
                ],
                positional: &["model"],
                example: "toji commons train monod-fed-batch --readings X=dry-weight --parameters @p.json --noise @n.json",
            },
            Effect::Write,
            train,
        )
        .long(),
    ]
}

async fn train(context: Context, input: Input) -> Result<Trained> {
    let standing = standing(&context).await?;
    let asker: Actor = actor(&context, &standing, &[Role::Scientist, Role::Steward, Role::AiService], None)?;
    let store = &context.session.store;
    let wanted: BTreeSet<Id> = input.data_sets.iter().map(|d| id_in("data_sets", d)).collect::<Result<_>>()?;
    let inner = Context { access: training(&context, &standing), ..context.clone() };
    let mut by_owner: BTreeMap<Id, Vec<String>> = BTreeMap::new();
    for run in store.records(&inner.access, "run", None, false).await? {
        let set = standing.data_set_of("run", run.id.as_str());
        if wanted.is_empty() || set.is_some_and(|set| wanted.contains(set)) {
            by_owner.entry(owner_of(&standing, &run)).or_default().push(run.id.to_string());
        }
    }
    let rule = Rule::default();
    let fewest = rule.contributors_min;
    let too_few = || {
        Error::new(
            Category::Denied,
            "E-COMMONS-047",
            format!("学習を認める会員が {fewest} 者に足りません"),
            format!("fewer than {fewest} members let one train on their runs"),
        )
        .at(Place::field("data_sets"))
        .hint(
            "契約の許諾（train）と目的（model-training）、利用の登録を確かめてください",
            "check that agreements grant `train` for `model-training`, and that the use is registered",
        )
    };
    if by_owner.len() < fewest {
        return Err(too_few());
    }
    let (members, rounds) = (by_owner.len(), input.rounds);
    let asked_of = input.model.clone();
    let together = Together::load(&inner, &asked(&input), &by_owner).await?;
    let progress = context.progress.clone();
    let now = context.now;
    let (found, told) = tokio::task::spawn_blocking(move || {
        together.train(&asked(&input), |sites, bounds| {
            progress.step(0, None, "和を取っています", "adding")?;
            let mut participants = Vec::with_capacity(sites.len());
            for (id, site) in sites {
                let (mut seed, mut secret) = ([0u8; 32], [0u8; 32]);
                crate::random::fill(&mut seed)?;
                crate::random::fill(&mut secret)?;
                let key = SigningKey::from_seed(id.as_str(), KeyKind::Log, &secret)?;
                participants.push(Participant { id: id.clone(), key, seed, site: *site, drops: Vec::new() });
            }
            let plan = Plan {
                id: Id::derive("training", &[&now.to_string()]),
                threshold: sites.len() / 2 + 1,
                fewest: fewest.min(sites.len()),
                ranges: RANGES,
                bits: BITS,
                rounds_max: rounds,
            };
            let trained = federate(&plan, &participants, Descent::new(bounds.to_vec())?)?;
            let local = trained.local;
            let said = (local.n, 2.0 * local.objective, trained.converged, trained.cost);
            Ok((trained.at, local.curvature, said))
        })
    })
    .await
    .map_err(|e| Error::bug("E-COMMONS-048", e))??;
    let (n, minus_two_log, converged, cost) = told;
    let parameters: Vec<ParameterView> = found
        .into_iter()
        .map(|p| ParameterView { name: p.name, label: p.label, value: p.spread.map(|_| p.value), unit: p.unit, spread: p.spread })
        .collect();
    keep(&context, &asker, &asked_of, members, &parameters).await?;
    Ok(Trained {
        model: asked_of,
        parameters,
        contributors: members,
        measurements: n.round() as u64,
        converged,
        minus_two_log_likelihood: minus_two_log,
        cost: cost.into(),
        caution: Text::new(
            "和は誰の値も示しませんが、雑音を加えていないモデルが学習データについて何も語らないとは約束しません。会員が正しい値を言うことも前提です",
            "a sum shows nobody's figures, but a model without noise does not promise to tell nothing of its data, and members are taken to tell the truth",
        ),
    })
}

fn asked(input: &Input) -> Asked<'_> {
    Asked {
        model: &input.model,
        readings: &input.readings,
        follow: &input.follow,
        parameters: &input.parameters,
        noise: &input.noise,
        set: &input.set,
    }
}

/// That a model was trained, over how many, and what came of it, stands in the ledger for all members.
async fn keep(context: &Context, asker: &Actor, model: &str, members: usize, parameters: &[ParameterView]) -> Result<()> {
    let id = Id::derive("training", &[model, &context.now.to_string(), &asker.id]);
    let fields = super::write::with(
        toji_core::record::FieldMap::new(),
        [
            ("title", json!(model)),
            ("contributors", json!(members)),
            ("parameters", json!(parameters)),
            ("trained_at", json!(context.now.to_string())),
            ("asked_by", json!(asker.organisation.as_str())),
        ],
    );
    write(context, asker, "commons train", None, toji_store::Put::new("shared-model", id, fields)).await
}
