//! `commons train`: parameters of a culture model from the runs of several members, of which only sums are seen.

use super::aggregate::owner_of;
use super::privacy::{Paid, Payment, Purse, paid, paying};
use super::seat::{Actor, actor, standing, training, under};
use super::standing::Standing;
use super::write::{id_in, write};
use crate::culture::{Asked, Sought, Together};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use toji_commons::aggregate::Cost;
use toji_commons::agreement::{Agreement, Purpose, Role};
use toji_commons::log::{KeyKind, SigningKey};
use toji_commons::privacy::{Charge, Loss, Mechanism, Nano, Protected};
use toji_commons::release::Rule;
use toji_commons::train::{Bound, Descent, Local, Participant, Plan, Privacy, Ranges, Site, federate, federate_privately};
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
    /// Most rounds, 60 when missing; with noise exactly so many, 8 when missing.
    ///
    /// 回数の上限（省略時 60）。雑音付きではちょうどこの回数（省略時 8）。
    #[serde(default)]
    rounds: Option<usize>,
    /// Agreement whose privacy budget pays for noise, over the data that it covers.
    ///
    /// 雑音の費用を払う契約。対象はその契約のデータ。
    #[serde(default)]
    agreement: Option<String>,
    /// Cost of the training in ρ, all rounds together.
    ///
    /// 学習の費用 ρ（全回の合計）。
    #[serde(default)]
    rho: Option<f64>,
    /// With noise: curvature of -ln L that one protected unit is expected to bring, known without the data. Where noise is
    /// stated as a share, that of 24 readings when missing.
    ///
    /// 雑音付きのとき、保護単位一つが持つと見込む −ln L の曲率（データを見ずに決める）。ばらつきが割合なら省略時は測定 24 点分。
    #[serde(default)]
    curvature: Option<f64>,
}

/// Most rounds without noise.
const ROUNDS: usize = 60;
/// Rounds with noise: each takes its part of the budget.
const ROUNDS_WITH_NOISE: usize = 8;
/// Readings that a run is expected to have.
const READINGS: f64 = 24.0;
/// How far from the end a search is expected to begin, on its scale: what slopes are measured by beside curvatures.
const FAR: f64 = 0.5;
/// Most runs of a member that its sums have room for.
const RUNS_MAX: usize = 1_000;

/// Output of `commons train`.
#[derive(Debug, Serialize, JsonSchema)]
struct Trained {
    /// Model.
    model: String,
    /// Parameters.
    parameters: Vec<ParameterView>,
    /// How many members took part; which is not said.
    contributors: usize,
    /// Measurements of all; not told with noise.
    measurements: Option<u64>,
    /// Ended because nothing fell any more? With noise the rounds are fixed.
    converged: Option<bool>,
    /// −2 ln L of all data at the end; not told with noise.
    minus_two_log_likelihood: Option<f64>,
    /// Budget and accuracy lost, where there is noise.
    noise: Option<NoiseView>,
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
    /// Standard deviation on the scale of the search: a share of the value where that is a logarithm. Not told with noise.
    spread: Option<f64>,
    /// Accuracy lost: standard deviation that the noise alone gives, on the same scale.
    noise_spread: Option<f64>,
}

/// What noise cost, in the budget and in accuracy.
#[derive(Debug, Serialize, JsonSchema)]
struct NoiseView {
    /// What was charged and what is left.
    budget: Payment,
    /// Rounds.
    training_rounds: usize,
    /// Did the data not stand out from the noise in some direction? No constant has a value then.
    drowned: bool,
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
                    "培養モデルの定数を、複数の会員の培養から推定します。各会員の分は目的関数・勾配・曲率だけで、しかも秘匿した和としてしか現れません。5者以上のデータがあり、契約が学習を認めていることが要ります。和のほかは外に出ず、結果は全データをまとめた推定と同じ歩みで得られます。--agreement と --rho を付けると、契約のプライバシー予算から払って雑音を加え、失われた精度を示します。",
                    "Finds the constants of a culture model from runs of several members. Of each only objective, gradient and curvature take part, and only as a masked sum. At least 5 members must contribute and agreements must grant training. Nothing but sums leaves, and the steps are those of a fit of all data together. With --agreement and --rho noise is added, paid from the privacy budget of the agreement, and the accuracy lost is told.",
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

/// Noise that is paid for.
struct Noise {
    agreement: Agreement,
    protected: Protected,
    privacy: Privacy,
}

async fn train(context: Context, input: Input) -> Result<Trained> {
    let standing = standing(&context).await?;
    let asker: Actor = actor(&context, &standing, &[Role::Scientist, Role::Steward, Role::AiService], None)?;
    let noise = noise(&context, &standing, &input, &asker).await?;
    let store = &context.session.store;
    let wanted: BTreeSet<Id> = input.data_sets.iter().map(|d| id_in("data_sets", d)).collect::<Result<_>>()?;
    let access = match &noise {
        Some(noise) => under(&context, &standing, &noise.agreement.id, Purpose::ModelTraining, true),
        None => training(&context, &standing),
    };
    let inner = Context { access, ..context.clone() };
    let mut by_owner: BTreeMap<Id, Vec<String>> = BTreeMap::new();
    for run in store.records(&inner.access, "run", None, false).await? {
        let set = standing.set_of(&run);
        let covered = |noise: &Noise| set.as_ref().is_some_and(|set| noise.agreement.data_sets.contains(set));
        let named = wanted.is_empty() || set.as_ref().is_some_and(|set| wanted.contains(set));
        if named && noise.as_ref().is_none_or(covered) {
            by_owner.entry(owner_of(&standing, &run)).or_default().push(run.id.to_string());
        }
    }
    let fewest = Rule::default().contributors_min;
    if by_owner.len() < fewest {
        return Err(too_few(fewest));
    }
    let together = Together::load(&inner, &asked(&input), &by_owner).await?;
    match noise {
        Some(noise) => train_with_noise(&context, &standing, &asker, input, noise, together, by_owner.len()).await,
        None => train_exactly(&context, &asker, input, together, by_owner.len(), fewest).await,
    }
}

fn too_few(fewest: usize) -> Error {
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
}

/// The sites as they take part, each with secrets of its own.
fn participants<'a>(sites: &BTreeMap<Id, &'a dyn Site>) -> Result<Vec<Participant<'a>>> {
    let mut participants = Vec::with_capacity(sites.len());
    for (id, site) in sites {
        let (mut seed, mut secret) = ([0u8; 32], [0u8; 32]);
        crate::random::fill(&mut seed)?;
        crate::random::fill(&mut secret)?;
        let key = SigningKey::from_seed(id.as_str(), KeyKind::Log, &secret)?;
        participants.push(Participant { id: id.clone(), key, seed, site: *site, drops: Vec::new() });
    }
    Ok(participants)
}

async fn train_exactly(
    context: &Context,
    asker: &Actor,
    input: Input,
    together: Together,
    members: usize,
    fewest: usize,
) -> Result<Trained> {
    let rounds = input.rounds.unwrap_or(ROUNDS);
    let model = input.model.clone();
    let progress = context.progress.clone();
    let now = context.now;
    let (found, told) = tokio::task::spawn_blocking(move || {
        together.train(&asked(&input), |sites, bounds| {
            progress.step(0, None, "和を取っています", "adding")?;
            let plan = Plan {
                id: Id::derive("training", &[&now.to_string()]),
                threshold: sites.len() / 2 + 1,
                fewest: fewest.min(sites.len()),
                ranges: RANGES,
                bits: BITS,
                rounds_max: rounds,
            };
            let trained = federate(&plan, &participants(sites)?, Descent::new(bounds.to_vec())?)?;
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
        .map(|p| {
            let value = p.spread.map(|_| p.value);
            ParameterView { name: p.name, label: p.label, value, unit: p.unit, spread: p.spread, noise_spread: None }
        })
        .collect();
    keep(context, asker, &model, members, &parameters, None).await?;
    Ok(Trained {
        model,
        parameters,
        contributors: members,
        measurements: Some(n.round() as u64),
        converged: Some(converged),
        minus_two_log_likelihood: Some(minus_two_log),
        noise: None,
        cost: cost.into(),
        caution: Text::new(
            "和は誰の値も示しませんが、雑音を加えていないモデルが学習データについて何も語らないとは約束しません。会員が正しい値を言うことも前提です",
            "a sum shows nobody's figures, but a model without noise does not promise to tell nothing of its data, and members are taken to tell the truth",
        ),
    })
}

/// The noise that was asked for, if any.
async fn noise(context: &Context, standing: &Standing, input: &Input, asker: &Actor) -> Result<Option<Noise>> {
    let (agreement, rho) = match (&input.agreement, input.rho) {
        (None, None) => return Ok(None),
        (Some(agreement), Some(rho)) => (agreement, rho),
        _ => {
            return Err(Error::input(
                "E-COMMONS-071",
                "雑音付きの学習には、費用を払う契約と ρ がともに要ります",
                "training with noise needs both the agreement that pays and the cost in rho",
            )
            .at(Place::field("rho"))
            .hint("例: --agreement AG-1 --rho 0.5", "example: --agreement AG-1 --rho 0.5"));
        }
    };
    let agreement = paying(context, standing, agreement, &asker.organisation)?.clone();
    // Kind and protected unit stay as they are once something is spent, so what is read here holds when it is charged.
    let protected = Purse::of(context, standing, &agreement).await?.budget()?.protected();
    let curvature = input.curvature.or_else(|| usual_curvature(input)).ok_or_else(|| {
        Error::input(
            "E-COMMONS-072",
            "ばらつきが割合でない量があるため、曲率の見込みが要ります",
            "not all noise is stated as a share, so the curvature to expect must be stated",
        )
        .at(Place::field("curvature"))
        .hint(
            "測定点数 ×（値 / 標準偏差）² 程度です。例: --curvature 60000",
            "about the number of readings times (value / standard deviation)²; example: --curvature 60000",
        )
    })?;
    let privacy = Privacy {
        rho: Nano::at_least(rho).map_err(|e| e.at(Place::field("rho")))?,
        rounds: input.rounds.unwrap_or(ROUNDS_WITH_NOISE),
        gradient_scale: curvature * FAR,
        curvature_scale: curvature,
        clip: 1.0,
        units_max: if protected == Protected::Member { 1 } else { RUNS_MAX },
        // Set once it is known how many take part.
        honest: 1,
    };
    Ok(Some(Noise { agreement, protected, privacy }))
}

/// The curvature that readings of a run bring where their noise is a share of them and they go with the parameter: n / σ².
fn usual_curvature(input: &Input) -> Option<f64> {
    let share = |value: &Json| value.as_str()?.trim().strip_suffix('%')?.trim().parse::<f64>().ok().map(|p| p / 100.0);
    let shares: Vec<f64> = input.noise.values().map(share).collect::<Option<_>>()?;
    let least = shares.into_iter().filter(|s| *s > 0.0).fold(f64::INFINITY, f64::min);
    least.is_finite().then(|| READINGS / (least * least))
}

/// All runs of a member as one protected unit.
struct AsOne<'a>(&'a dyn Site);

impl Site for AsOne<'_> {
    fn units(&self, at: &[f64]) -> Vec<Option<Local>> {
        vec![Local::sum(at.len(), &self.0.units(at))]
    }
}

async fn train_with_noise(
    context: &Context,
    standing: &Standing,
    asker: &Actor,
    input: Input,
    noise: Noise,
    together: Together,
    members: usize,
) -> Result<Trained> {
    let Noise { agreement, protected, privacy } = noise;
    // Everybody knows its own noise, so that of all others is counted on.
    let privacy = Privacy { honest: members - 1, ..privacy };
    let plan = Plan {
        id: Id::derive("training", &[&context.now.to_string()]),
        threshold: members - 1,
        fewest: members,
        ranges: RANGES,
        bits: BITS,
        rounds_max: privacy.rounds,
    };
    // What cannot be trained is found before it is paid for.
    let mechanism = privacy.mechanism(&plan, input.parameters.len())?;
    let budget = charge(context, standing, asker, &input, &agreement, (protected, privacy.rho, mechanism)).await?;
    let progress = context.progress.clone();
    let model = input.model.clone();
    let (found, told) = tokio::task::spawn_blocking(move || {
        together.train(&asked(&input), |sites, bounds: &[Bound]| {
            progress.step(0, None, "雑音付きの和を取っています", "adding with noise")?;
            let whole: BTreeMap<Id, AsOne<'_>> = sites.iter().map(|(id, site)| (id.clone(), AsOne(*site))).collect();
            let as_one: BTreeMap<Id, &dyn Site> = whole.iter().map(|(id, one)| (id.clone(), one as &dyn Site)).collect();
            let sites = if protected == Protected::Member { &as_one } else { sites };
            let trained = federate_privately(&plan, &privacy, &participants(sites)?, bounds)?;
            Ok((trained.at, Vec::new(), (trained.spreads, trained.damped, trained.cost)))
        })
    })
    .await
    .map_err(|e| Error::bug("E-COMMONS-048", e))??;
    let (spreads, drowned, cost) = told;
    let parameters: Vec<ParameterView> = found
        .into_iter()
        .zip(spreads)
        .map(|(p, noise_spread)| ParameterView {
            name: p.name,
            label: p.label,
            value: (!drowned).then_some(p.value),
            unit: p.unit,
            spread: None,
            noise_spread: Some(noise_spread).filter(|s| !drowned && s.is_finite()),
        })
        .collect();
    let paid = (budget.charge.as_str(), agreement.id.as_str(), privacy.rho.value());
    keep(context, asker, &model, members, &parameters, Some(paid)).await?;
    Ok(Trained {
        model,
        parameters,
        contributors: members,
        measurements: None,
        converged: None,
        minus_two_log_likelihood: None,
        noise: Some(NoiseView { budget, training_rounds: privacy.rounds, drowned }),
        cost: cost.into(),
        caution: Text::new(
            "保護単位一つの有無が結果から分からない程度の雑音を加えています。切詰めによる偏りは精度の値に含みません。会員が正しい値を言い、自分の雑音を加えることが前提です",
            "noise hides whether any one protected unit took part; the accuracy told leaves out what clipping moves, and members are taken to tell the truth and to add their noise",
        ),
    })
}

/// Charges the whole training before its first round. A training that fails later has cost what it was to cost: what it
/// may have told is not known.
async fn charge(
    context: &Context,
    standing: &Standing,
    asker: &Actor,
    input: &Input,
    agreement: &Agreement,
    (protected, rho, mechanism): (Protected, Nano, Mechanism),
) -> Result<Payment> {
    let names: Vec<&str> = input.parameters.keys().map(String::as_str).collect();
    let names = names.join(", ");
    let asked = Id::derive("trained", &[agreement.id.as_str(), asker.organisation.as_str(), &input.model, &names]);
    let question = Paid { agreement, asked: &asked, again: true };
    let (_, cost) = paid(context, standing, &question, &mut |budget, id| {
        if budget.protected() != protected {
            return Err(super::write::out_of_order(
                "agreement",
                "予算の保護単位が変わりました".into(),
                "the protected unit of the budget has changed".into(),
                ["もう一度学習してください", "train again"],
            ));
        }
        budget.charge(Charge {
            id: id.clone(),
            question: Text::new(format!("{} の学習（{names}）", input.model), format!("training of {} ({names})", input.model)),
            mechanisms: vec![mechanism],
            loss: Loss::Concentrated { rho },
            member: asker.organisation.clone(),
            at: context.now,
        })?;
        Ok(Json::Null)
    })
    .await?;
    Ok(cost)
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
async fn keep(
    context: &Context,
    asker: &Actor,
    model: &str,
    members: usize,
    parameters: &[ParameterView],
    paid: Option<(&str, &str, f64)>,
) -> Result<()> {
    // Two at one instant are two: each is charged by itself.
    let charge = paid.map_or("", |(charge, _, _)| charge);
    let id = Id::derive("training", &[model, &context.now.to_string(), &asker.id, charge]);
    let fields = super::write::with(
        toji_core::record::FieldMap::new(),
        [
            ("title", json!(model)),
            ("contributors", json!(members)),
            ("parameters", json!(parameters)),
            ("trained_at", json!(context.now.to_string())),
            ("asked_by", json!(asker.organisation.as_str())),
            ("agreement", json!(paid.map(|(_, agreement, _)| agreement))),
            ("rho", json!(paid.map(|(_, _, rho)| rho))),
        ],
    );
    write(context, asker, "commons train", None, toji_store::Put::new("shared-model", id, fields)).await
}
