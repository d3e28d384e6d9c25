//! `commons worth`: what data sets add to what all can predict, for a task that was stated beforehand. Advisory: it pays
//! nobody and decides nothing.
//!
//! Exact Shapley values of runs for prediction by nearest neighbours depend on everybody's rows, so they tell of them.
//! What keeps that little: whoever runs the platform, and has no data, states the task with its test points, and it
//! cannot be changed; a task is valued for everybody at once, at most every 90 days, whoever asks; an owner sees its own
//! data sets only, in whole percent; and the total over members leaves by the rule for aggregates. What is left: whoever
//! plants rows learns, once a round and to that precision, how near they are to what others have.

use super::aggregate::{known_measure, owner_of};
use super::privacy::in_force;
use super::release::{RefusedView, refused_view, released, unsettled};
use super::seat::{Actor, actor, standing, under};
use super::standing::{Standing, instant};
use super::write::{id_in, out_of_order, present, said, wanted, with, write};
use crate::culture::quantities;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toji_commons::agreement::{Agreement, Granted, Purpose, Role};
use toji_commons::decide::{Action, Request};
use toji_commons::release::{Cell, Contribution as Part, Field, Rule};
use toji_commons::value::{Contribution, Deposit, Gate, Quality, Resampling, Row, Task, Test, contributions, gate};
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Error, Id, Instant, Place, Record, Result, Text, Unit};
use toji_store::Put;

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;
/// Most features of a task.
const FEATURES_MAX: usize = 12;
/// Fewest test points.
const TESTS_MIN: usize = 5;
/// Times that test points are drawn again for an interval.
const DRAWS: usize = 1_000;
/// Least share of the runs of a data set that state all that the task asks for.
const COMPLETE_MIN: f64 = 0.5;
/// Least share of its runs that do not repeat what another gave before.
const NOVEL_MIN: f64 = 0.2;
/// Features nearer than this, on their scales, are near.
const NEAR: f64 = 0.1;

/// Input of `commons worth-task`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StateInput {
    /// Identifier of the task.
    ///
    /// 課題の識別子。
    id: String,
    /// The task, as JSON or `@file`.
    ///
    /// 課題。JSON または `@ファイル`。
    task: TaskInput,
}

/// A task.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TaskInput {
    /// Title.
    ///
    /// 標題。
    title: String,
    /// Agreement under which it is computed; the data sets it covers are valued.
    ///
    /// 計算の根拠となる契約。その対象データセットを評価する。
    agreement: String,
    /// Quantity of the analysis of a run that is predicted.
    ///
    /// 予測する、培養の解析の量。
    target: String,
    /// Difference of the target, with its unit, within which near runs repeat each other, e.g. `0.5 g/L`.
    ///
    /// 近い培養を重複とみなす、予測する量の差（単位付き、例 `0.5 g/L`）。
    same: String,
    /// Features: quantities of the analysis with the difference, and its unit, that counts as one.
    ///
    /// 特徴：解析の量と、1 とみなす差（単位付き、例 `0.05 /h`）。
    features: BTreeMap<String, String>,
    /// Data set of the test points, of an owner that the agreement covers no data of.
    ///
    /// 評価点のデータセット。契約の対象データを持たない者のもの。
    tests: String,
    /// How many neighbours predict.
    ///
    /// 予測に用いる近傍の数。
    #[serde(default = "usual_neighbours")]
    neighbours: usize,
}

fn usual_neighbours() -> usize {
    5
}

/// Input of `commons worth`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Task.
    ///
    /// 課題。
    task: String,
    /// Organisation whose data sets are shown; one's own when missing.
    ///
    /// 示すデータセットの所有者。省略時は自社。
    #[serde(default)]
    organisation: Option<String>,
}

/// A task as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Stated {
    /// Quantity predicted.
    predicted: String,
    /// Its unit, UCUM.
    unit: String,
    /// Difference within which near runs repeat each other.
    same_within: f64,
    /// Features: scale and unit of each quantity.
    features: BTreeMap<String, Scaled>,
    /// Data set of the test points.
    test_points: String,
    /// How many neighbours predict.
    neighbours: usize,
}

/// The scale of a feature.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Scaled {
    /// What counts as one.
    scale: f64,
    /// Unit, UCUM.
    unit: String,
}

/// Output of `commons worth-task`.
#[derive(Debug, Serialize, JsonSchema)]
struct TaskView {
    /// Task.
    task: String,
    /// Agreement.
    agreement: String,
    /// What it asks.
    asks: Stated,
}

/// Output of `commons worth`.
#[derive(Debug, Serialize, JsonSchema)]
struct Worth {
    /// Task.
    task: String,
    /// When all data sets were valued.
    valued_at: String,
    /// When they may be valued again.
    valued_again_from: String,
    /// One's own data sets.
    data_sets: Vec<SetView>,
    /// What all data sets together explain of the test points, as released: in % of their variance.
    total_percent: Option<f64>,
    /// Why the total is not released.
    refused: Option<RefusedView>,
    /// What it is for, and what not.
    note: Text,
}

/// A data set's worth.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct SetView {
    /// Data set.
    data_set: String,
    /// Did it pass the gate of quality and novelty?
    accepted: bool,
    /// Why not.
    reasons: Vec<Text>,
    /// Runs in it.
    runs: usize,
    /// Runs that state all that the task asks for.
    complete: usize,
    /// Runs of those that do not nearly repeat what another member entered before, in tens of %, rounded down.
    novel_percent: Option<f64>,
    /// What it adds, in % of the variance of the test points.
    worth_percent: Option<f64>,
    /// Lower end of the interval over test points.
    low_percent: Option<f64>,
    /// Upper end.
    high_percent: Option<f64>,
    /// Confidence of the interval, in %.
    confidence_percent: f64,
}

/// A data set as it is kept: whose it is, with what is not told.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    member: Id,
    /// Unrounded, in % of the variance.
    worth: f64,
    view: SetView,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "commons worth-task",
                label: ["データ価値の課題の設定", "State a task to value data for"],
                about: [
                    "データセットの価値を測る課題（契約・予測する量・特徴・評価点・近傍の数）を定めます。利害のない基盤運営者が行い、後から変えられません。",
                    "States what data sets are valued for: agreement, quantity predicted, features, test points, neighbours. It is for the platform operator, who has no stake, and cannot be changed afterwards.",
                ],
                positional: &["id"],
                example: "toji commons worth-task WT-1 --task @task.json",
            },
            Effect::Write,
            state,
        ),
        Operation::declare(
            Words {
                name: "commons worth",
                label: ["データの価値（参考）", "Worth of data (advisory)"],
                about: [
                    "課題について、自社のデータセットが全体の予測にどれだけ寄与するかを、品質・新規性の検査と区間とともに示します（近傍法の厳密な Shapley 値）。90 日に一度、全員分をまとめて評価し、合計は公表規則に従います。参考値であり、支払いや判断には使いません。",
                    "Shows what one's own data sets add to what all can predict for a task, with a gate of quality and novelty and an interval (exact Shapley values for nearest neighbours). All are valued at once, at most every 90 days; the total leaves by the rule for aggregates. Advisory: it pays nobody and decides nothing.",
                ],
                positional: &["task"],
                example: "toji commons worth WT-1",
            },
            Effect::Write,
            worth,
        )
        .long(),
    ]
}

/// A number and its unit.
fn with_unit(text: &str, field: &str) -> Result<(f64, String)> {
    let parsed = text.trim().split_once(char::is_whitespace).and_then(|(number, code)| {
        let value = number.parse::<f64>().ok().filter(|v| *v > 0.0 && v.is_finite())?;
        Some((value, Unit::parse(code.trim()).ok()?.code().to_owned()))
    });
    parsed.ok_or_else(|| {
        Error::input(
            "E-COMMONS-073",
            format!("«{text}» は正の数と単位ではありません"),
            format!("«{text}» is no positive number with a unit"),
        )
        .at(Place::field(field))
        .hint("例: 0.5 g/L、0.05 /h、1 1（単位なし）", "examples: 0.5 g/L; 0.05 /h; 1 1 for no unit")
    })
}

async fn state(context: Context, input: StateInput) -> Result<TaskView> {
    let StateInput { id: name, task: input } = input;
    let standing = standing(&context).await?;
    let actor = actor(&context, &standing, &[Role::Operator], None)?;
    let id = id_in("id", &name)?;
    said("title", &input.title)?;
    let agreement = id_in("agreement", &input.agreement)?;
    let agreement = in_force(&context, &standing, &agreement)?;
    for measure in input.features.keys().chain([&input.target]) {
        known_measure(measure, "features")?;
    }
    let fault = |field: &str, ja: &str, en: &str| Error::input("E-COMMONS-074", ja, en).at(Place::field(field));
    if input.features.is_empty() || input.features.len() > FEATURES_MAX || input.features.contains_key(&input.target) {
        return Err(fault(
            "features",
            "特徴は 1 から 12 個で、予測する量を含みません",
            "a task has 1 to 12 features, and what is predicted is none of them",
        )
        .hint("例: growth-rate-max、duration", "examples: growth-rate-max, duration"));
    }
    if !(1..=100).contains(&input.neighbours) {
        return Err(fault("neighbours", "近傍の数は 1 から 100 です", "1 to 100 neighbours predict").hint("例: 5", "example: 5"));
    }
    let tests = id_in("tests", &input.tests)?;
    let covered = owners(&standing, agreement);
    let owner = standing.commons.known_data_set(&tests).map(|d| d.owner.clone());
    if owner.is_none_or(|owner| covered.contains(&owner)) {
        return Err(fault(
            "tests",
            "評価点は、契約の対象データを持たない者のデータセットから選びます",
            "test points are of a data set whose owner has no data under the agreement, so no stake",
        )
        .hint("基盤の運営組織などの公開データセットを指定してください", "name a public data set, e.g. of the house"));
    }
    let (same, unit) = with_unit(&input.same, "same")?;
    let features = input.features.iter().map(|(name, text)| {
        let (scale, unit) = with_unit(text, &format!("features.{name}"))?;
        Ok((name.clone(), Scaled { scale, unit }))
    });
    let stated = Stated {
        predicted: input.target.clone(),
        unit,
        same_within: same,
        features: features.collect::<Result<_>>()?,
        test_points: tests.to_string(),
        neighbours: input.neighbours,
    };
    let view = TaskView { task: id.to_string(), agreement: agreement.id.to_string(), asks: stated };
    let task = json!(view.asks);
    if let Some(before) = present(&context, "worth-task", id.as_str()).await? {
        if before.fields.get("task") == Some(&task) && before.fields.get("agreement") == Some(&json!(agreement.id.as_str())) {
            return Ok(view);
        }
        return Err(out_of_order(
            "id",
            format!("課題「{id}」は既に定められています"),
            format!("task \"{id}\" was stated before"),
            ["課題は変えられません。別の識別子で定めてください", "a task is not changed; state another"],
        ));
    }
    let fields = with(
        FieldMap::new(),
        [
            ("title", json!(input.title)),
            ("agreement", json!(agreement.id.as_str())),
            ("task", task),
            ("stated_at", json!(context.now.to_string())),
            ("stated_by", json!(actor.id)),
        ],
    );
    let put = Put { if_version: Some(0), ..Put::new("worth-task", id, fields) };
    write(&context, &actor, "commons worth-task", None, put).await?;
    Ok(view)
}

/// Owners of the data sets that an agreement covers.
fn owners(standing: &Standing, agreement: &Agreement) -> BTreeSet<Id> {
    agreement.data_sets.iter().filter_map(|d| standing.commons.known_data_set(d)).map(|d| d.owner.clone()).collect()
}

async fn worth(context: Context, input: Input) -> Result<Worth> {
    let standing = standing(&context).await?;
    let roles = [Role::Steward, Role::ContributorAdmin, Role::Scientist];
    let actor = actor(&context, &standing, &roles, input.organisation.as_deref())?;
    let record = wanted(&context, "worth-task", &input.task, "task").await?;
    let unreadable = || {
        Error::storage("E-COMMONS-075", "課題または評価を読めません", "the task or its valuation is not readable")
            .hint("`toji verify` で確かめてください", "check it with `toji verify`")
    };
    let stated: Stated = record.fields.get("task").and_then(|t| serde_json::from_value(t.clone()).ok()).ok_or_else(unreadable)?;
    let agreement = crate::run::text(&record.fields, "agreement").and_then(|a| Id::parse(&a).ok()).ok_or_else(unreadable)?;
    let agreement = in_force(&context, &standing, &agreement)?.clone();
    if !owners(&standing, &agreement).contains(&actor.organisation) {
        return Err(Error::new(
            Category::Denied,
            "E-COMMONS-076",
            "自社のデータはこの課題の対象ではありません",
            "no data of your organisation is valued for this task",
        )
        .at(Place::field("task"))
        .hint("契約の対象にデータセットを加えてください", "bring a data set into the agreement"));
    }
    let every = i64::from(Rule::default().age_days_min) * DAY_NS;
    let round = loop {
        let kept = rounds(&context, record.id.as_str()).await?;
        let newest = kept.into_iter().next_back();
        let fresh = |r: &&Record| instant(&r.fields, "made_at").is_some_and(|at| context.now.0 < at.0.saturating_add(every));
        if let Some(round) = newest.as_ref().filter(fresh) {
            break round.clone();
        }
        let number = 1 + newest.and_then(|r| r.fields.get("number").and_then(Json::as_u64)).unwrap_or(0);
        let sets = valued(&context, &standing, &agreement, &stated).await?;
        let fields = with(
            FieldMap::new(),
            [
                ("task", json!(record.id.as_str())),
                ("number", json!(number)),
                ("sets", json!(sets)),
                ("made_at", json!(context.now.to_string())),
            ],
        );
        let id = Id::derive("worth", &[record.id.as_str(), &number.to_string()]);
        let put = Put { if_version: Some(0), ..Put::new("worth-round", id, fields) };
        match write(&context, &Actor::house(&context), "commons worth", None, put).await {
            Ok(()) => {}
            // Another process valued meanwhile: that is the round.
            Err(error) if unsettled(&error) => {}
            Err(error) => return Err(error),
        }
    };
    let sets: Vec<Kept> = round.fields.get("sets").and_then(|s| serde_json::from_value(s.clone()).ok()).ok_or_else(unreadable)?;
    let made = instant(&round.fields, "made_at").ok_or_else(unreadable)?;
    let (total_percent, refused) = total(&context, &record, &round, made, &sets).await?;
    let own = sets.into_iter().filter(|s| s.member == actor.organisation).map(|s| s.view).collect();
    Ok(Worth {
        task: record.id.to_string(),
        valued_at: made.to_string(),
        valued_again_from: made.plus_ns(every).unwrap_or(made).to_string(),
        data_sets: own,
        total_percent,
        refused,
        note: Text::new(
            "参考値です。この課題・特徴・評価点での近傍法にとっての価値であり、支払い・権利・審査の根拠にしないでください。区間は評価点による変動だけを示します",
            "advisory: worth for nearest neighbours, in this task, with these features and test points. Let no money, right or judgement hang on it. The interval says how it varies with the test points only",
        ),
    })
}

/// Valuations of a task, by number.
async fn rounds(context: &Context, task: &str) -> Result<Vec<Record>> {
    let kept = context.session.store.records(&Access::owner(), "worth-round", None, false).await?;
    let number = |r: &Record| r.fields.get("number").and_then(Json::as_u64).unwrap_or(0);
    let mut of: Vec<Record> = kept.into_iter().filter(|r| crate::run::text(&r.fields, "task").as_deref() == Some(task)).collect();
    of.sort_by_key(number);
    Ok(of)
}

/// What all together explain, as it may leave. A member whose data sets take away counts as nothing.
async fn total(
    context: &Context,
    task: &Record,
    round: &Record,
    made: Instant,
    sets: &[Kept],
) -> Result<(Option<f64>, Option<RefusedView>)> {
    let mut by_member: BTreeMap<&Id, f64> = BTreeMap::new();
    for set in sets.iter().filter(|s| s.view.accepted) {
        *by_member.entry(&set.member).or_default() += set.worth;
    }
    let part = |(member, worth): (&Id, f64)| Part {
        source: Id::derive("worth", &[round.id.as_str(), member.as_str()]),
        member: member.clone(),
        value: (worth * 1e3).round() as i64,
        at: made,
    };
    let cell = Cell {
        table: Id::derive("worth", &[task.id.as_str()]),
        field: Field::Process,
        unit: Unit::parse("%")?,
        decimals: 3,
        contributions: by_member.into_iter().filter(|(_, worth)| *worth > 0.0).map(part).collect(),
    };
    let title = Text::new(format!("課題 {} のデータの価値の合計", task.id), format!("worth of all data for task {}", task.id));
    let question = json!({ "worth": task.id.as_str(), "round": round.id.as_str() });
    let (judged, _) = released(context, title, question, cell).await?;
    Ok(match judged {
        Ok(published) => (Some(published.total.value), None),
        Err(refusal) => (None, Some(refused_view(&refusal))),
    })
}

/// A run as the task sees it.
struct Seen {
    set: Id,
    member: Id,
    /// When it was entered first; what nobody can set back.
    entered: String,
    run: Id,
    /// Features and target; none where it does not state all of them.
    row: Option<Row>,
    /// Was something stated in a unit that does not convert?
    odd_unit: bool,
}

/// Values all data sets of the agreement. What comes of it does not depend on who asked: whoever may not compute upon
/// all of them is refused, and data under an embargo are left out for everybody.
async fn valued(context: &Context, standing: &Arc<Standing>, agreement: &Agreement, stated: &Stated) -> Result<Vec<Kept>> {
    let granted = agreement.terms.grants.contains(&Granted::Compute) && agreement.terms.purposes.contains(&Purpose::Benchmark);
    if !granted {
        return Err(Error::new(
            Category::Denied,
            "E-COMMONS-076",
            "契約が、業界比較を目的とする計算を認めていません",
            "the agreement grants no computing for comparison with the field",
        )
        .at(Place::field("task"))
        .hint("許諾に compute、目的に benchmark が要ります", "it needs the grant `compute` and the purpose `benchmark`"));
    }
    let access = under(context, standing, &agreement.id, Purpose::Benchmark, false);
    let inner = Context { access, ..context.clone() };
    let open: Vec<&Id> = agreement
        .data_sets
        .iter()
        .filter(|id| standing.commons.known_data_set(id).is_some_and(|d| !d.is_embargoed(context.now)))
        .collect();
    if !context.access.sees_all() {
        let who = id_in("user", &context.access.who.id)?;
        for data_set in open.iter().copied() {
            let (action, purpose, now) = (Action::Compute, Purpose::Benchmark, context.now);
            let request = Request { who: &who, action, data_set, purpose, now };
            standing.commons.decide(&request).demand().map_err(|e| e.at(Place::field(data_set.as_str())))?;
        }
    }
    let open: BTreeSet<&Id> = open.into_iter().collect();
    let tests = id_in("tests", &stated.test_points)?;
    let mut chosen = Vec::new();
    let mut test_runs = Vec::new();
    for run in context.session.store.records(&inner.access, "run", None, false).await? {
        match standing.set_of(&run) {
            Some(set) if set == tests => test_runs.push(run),
            Some(set) if open.contains(&set) => chosen.push((set, run)),
            _ => {}
        }
    }
    // The first version says when a run was entered.
    let firsts: Vec<Record> = chosen.iter().map(|(_, run)| Record { version: 1, ..run.clone() }).collect();
    let entered = context.session.store.acknowledged_at(&firsts).await?;
    let count = Some((chosen.len() + test_runs.len()) as u64);
    let mut seen = Vec::new();
    for (n, ((set, run), entered)) in chosen.into_iter().zip(entered).enumerate() {
        context.progress.step(n as u64, count, "培養を読んでいます", "reading runs")?;
        let (row, odd_unit) = row(&inner, stated, &run).await?;
        seen.push(Seen { set, member: owner_of(standing, &run), entered, run: run.id, row, odd_unit });
    }
    let mut points = Vec::new();
    for run in &test_runs {
        context.progress.step((seen.len() + points.len()) as u64, count, "培養を読んでいます", "reading runs")?;
        if let (Some(row), _) = row(&inner, stated, run).await? {
            points.push(Test { features: row.features, response: row.response });
        }
    }
    if points.len() < TESTS_MIN {
        return Err(Error::input(
            "E-COMMONS-077",
            format!("評価点が {TESTS_MIN} 点に足りません"),
            format!("fewer than {TESTS_MIN} test points state all that the task asks for"),
        )
        .at(Place::field("task"))
        .hint("評価点のデータセットに培養を加えてください", "add runs to the data set of the test points"));
    }
    let fewest = Rule::default().contributors_min;
    let with_rows: BTreeSet<&Id> = seen.iter().filter(|s| s.row.is_some()).map(|s| &s.member).collect();
    if with_rows.len() < fewest {
        return Err(Error::new(
            Category::Denied,
            "E-COMMONS-076",
            format!("評価できるデータの所有者が {fewest} 者に足りません"),
            format!("fewer than {fewest} owners have data to be valued"),
        )
        .at(Place::field("task"))
        .hint("少ないと、一者の価値からほかの者のデータが分かります", "of fewer, the worth of one tells of the others' data"));
    }
    let stated = stated.clone();
    let work = move || judge(&stated, seen, &points);
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-COMMONS-078", e))?
}

/// Features on their scales and the target of a run; and whether a unit did not convert.
async fn row(context: &Context, stated: &Stated, run: &Record) -> Result<(Option<Row>, bool)> {
    let (found, _) = quantities(context, run.id.as_str()).await?;
    let mut odd = false;
    let mut of = |code: &str, unit: &str| -> Result<Option<f64>> {
        let Some(quantity) = found.iter().find(|q| q.code == code).filter(|q| q.value.is_finite()) else { return Ok(None) };
        let (from, to) = (Unit::parse(&quantity.unit)?, Unit::parse(unit)?);
        let value = from.convert(quantity.value, &to).ok();
        odd |= value.is_none();
        Ok(value)
    };
    let response = of(&stated.predicted, &stated.unit)?;
    let mut features = Vec::with_capacity(stated.features.len());
    for (code, scaled) in &stated.features {
        features.push(of(code, &scaled.unit)?.map(|value| value / scaled.scale));
    }
    let features: Option<Vec<f64>> = features.into_iter().collect();
    Ok((features.zip(response).map(|(features, response)| Row { features, response }), odd))
}

/// Gate, values and intervals of all data sets.
fn judge(stated: &Stated, seen: Vec<Seen>, points: &[Test]) -> Result<Vec<Kept>> {
    let mean = points.iter().map(|t| t.response).sum::<f64>() / points.len() as f64;
    let variance = points.iter().map(|t| (t.response - mean).powi(2)).sum::<f64>() / points.len() as f64;
    if variance <= 0.0 {
        return Err(Error::input("E-COMMONS-077", "評価点の値がすべて同じです", "all test points have the same value")
            .at(Place::field("task"))
            .hint("値の異なる培養を評価点に加えてください", "add runs of other values to the test points"));
    }
    let repeated = repeats(stated, &seen)?;
    let mut by_set: BTreeMap<Id, (Id, Vec<(Seen, bool)>)> = BTreeMap::new();
    for (one, repeat) in seen.into_iter().zip(repeated) {
        by_set.entry(one.set.clone()).or_insert_with(|| (one.member.clone(), Vec::new())).1.push((one, repeat));
    }
    let mut deposits = Vec::new();
    let mut counts = Vec::new();
    for (data_set, (member, runs)) in by_set {
        let complete = runs.iter().filter(|(s, _)| s.row.is_some()).count();
        let units = runs.iter().all(|(s, _)| !s.odd_unit);
        let fresh: Vec<Row> = runs.iter().filter(|(_, repeat)| !repeat).filter_map(|(s, _)| s.row.clone()).collect();
        let novel = fresh.len() as f64 / complete.max(1) as f64;
        counts.push((runs.len(), complete, novel));
        let schema = complete as f64 >= COMPLETE_MIN * runs.len() as f64;
        let quality = Quality { schema, units, replicates: agree(&fresh, 3.0 * stated.same_within) };
        // Most of it repeats: it is judged as if nothing were left, and told so.
        let rows = if novel < NOVEL_MIN { Vec::new() } else { fresh };
        deposits.push(Deposit { data_set, member, quality, rows });
    }
    // What repeats is out already, run by run; nothing more is looked for.
    let none = Gate { near: 0.0, same: -1.0, novel_min: 0.0 };
    let resampling = Resampling { times: DRAWS, level: 0.95, seed: 0 };
    let found = contributions(&deposits, &none, Task::Numbers { baseline: mean }, stated.neighbours, points, resampling)?;
    Ok(found.into_iter().zip(counts).map(|(one, counts)| kept(one, counts, variance)).collect())
}

/// Which runs nearly repeat one that another member entered before.
fn repeats(stated: &Stated, seen: &[Seen]) -> Result<Vec<bool>> {
    let mut order: Vec<usize> = (0..seen.len()).filter(|&i| seen[i].row.is_some()).collect();
    order.sort_by(|&a, &b| (&seen[a].entered, &seen[a].run).cmp(&(&seen[b].entered, &seen[b].run)));
    let fine = Quality { schema: true, units: true, replicates: true };
    let single = |i: &usize| Deposit {
        data_set: seen[*i].run.clone(),
        member: seen[*i].member.clone(),
        quality: fine,
        rows: seen[*i].row.clone().into_iter().collect(),
    };
    let deposits: Vec<Deposit> = order.iter().map(single).collect();
    let verdicts = gate(&Gate { near: NEAR, same: stated.same_within, novel_min: 1.0 }, &deposits)?;
    let mut repeated = vec![false; seen.len()];
    for (i, verdict) in order.into_iter().zip(verdicts) {
        repeated[i] = !verdict.repeats.is_empty();
    }
    Ok(repeated)
}

/// Do runs of one data set with near features agree: is what they differ by, taken together, not more than this?
fn agree(rows: &[Row], most: f64) -> bool {
    let near = |a: &Row, b: &Row| a.features.iter().zip(&b.features).map(|(x, y)| (x - y).powi(2)).sum::<f64>() <= NEAR * NEAR;
    let mut squares = 0.0;
    let mut pairs = 0.0;
    for (i, a) in rows.iter().enumerate() {
        for b in rows[..i].iter().filter(|b| near(a, b)) {
            squares += (a.response - b.response).powi(2);
            pairs += 1.0;
        }
    }
    pairs == 0.0 || (squares / pairs).sqrt() <= most
}

/// What is kept of a data set, and what its owner is told: whole percent, and novelty in tens.
fn kept(one: Contribution, (runs, complete, novel): (usize, usize, f64), variance: f64) -> Kept {
    let percent = |value: f64| 100.0 * value / variance;
    let accepted = one.verdict.accepted;
    let told = |value: f64| accepted.then(|| percent(value).round());
    let mut reasons = one.verdict.reasons;
    if complete > 0 && novel < NOVEL_MIN {
        reasons = vec![Text::new("ほとんどが先の提供の重複です", "most of it repeats what was given before")];
    }
    let view = SetView {
        data_set: one.verdict.data_set.to_string(),
        accepted,
        reasons,
        runs,
        complete,
        novel_percent: (complete > 0).then(|| (10.0 * novel).floor() * 10.0),
        worth_percent: told(one.value),
        low_percent: told(one.low),
        high_percent: told(one.high),
        confidence_percent: 95.0,
    };
    Kept { member: one.verdict.member, worth: percent(one.value), view }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated() -> Stated {
        let scaled = Scaled { scale: 1.0, unit: "h".into() };
        Stated {
            predicted: "titre-final".into(),
            unit: "g/L".into(),
            same_within: 0.1,
            features: [("duration".to_owned(), scaled)].into(),
            test_points: "T".into(),
            neighbours: 2,
        }
    }

    fn seen(set: &str, member: &str, entered: &str, x: f64, y: f64) -> Seen {
        let id = |t: &str| Id::parse(t).unwrap();
        let run = Id::derive("run", &[set, entered, &x.to_string()]);
        let row = Some(Row { features: vec![x], response: y });
        Seen { set: id(set), member: id(member), entered: entered.into(), run, row, odd_unit: false }
    }

    fn tests() -> Vec<Test> {
        (0..8).map(|i| Test { features: vec![f64::from(i)], response: 2.0 * f64::from(i) }).collect()
    }

    /// Shapley values share out what all explain beyond none: −2, as all miss 0.5 of each point, or what it was.
    #[test]
    fn worth_is_shared_out_and_what_is_copied_is_the_first_ones() {
        let first: Vec<(f64, f64)> = (0..8).map(|i| (f64::from(i) + 0.25, 2.0 * f64::from(i) + 0.5)).collect();
        let of = |set: &str, member: &str, at: &str, rows: &[(f64, f64)]| -> Vec<Seen> {
            rows.iter().map(|(x, y)| seen(set, member, at, *x, *y)).collect()
        };
        let mut all = of("DS-A", "A", "2026-01-01", &first);
        // B copied A's later, to the letter, and has one of its own; C is far away and teaches nothing of these points.
        all.extend(of("DS-B", "B", "2026-02-01", &first));
        all.extend(of("DS-C", "C", "2026-01-02", &[(90.0, 5.0), (91.0, 6.0), (95.0, 4.0)]));
        let kept = judge(&stated(), all, &tests()).unwrap();
        let [a, b, c] = &kept[..] else { panic!("three sets") };
        assert!(a.view.accepted && a.view.novel_percent == Some(100.0) && a.worth > 50.0, "{a:?}");
        assert!(!b.view.accepted && b.view.novel_percent == Some(0.0) && b.view.worth_percent.is_none(), "{b:?}");
        assert!(b.view.reasons[0].en.contains("repeats"), "{b:?}");
        assert!(c.view.accepted && c.worth < a.worth / 2.0, "{c:?}");
        assert!(a.view.low_percent.unwrap() <= a.view.worth_percent.unwrap());
        assert!(a.view.worth_percent.unwrap() <= a.view.high_percent.unwrap());
        // What all explain: the utility of all rows less that of none, in % of the variance.
        let (rows, points): (Vec<(f64, f64)>, Vec<Test>) =
            (first.iter().copied().chain([(90.0, 5.0), (91.0, 6.0), (95.0, 4.0)]).collect(), tests());
        let features: Vec<Vec<f64>> = rows.iter().map(|r| vec![r.0]).collect();
        let features: Vec<&[f64]> = features.iter().map(Vec::as_slice).collect();
        let responses: Vec<f64> = rows.iter().map(|r| r.1).collect();
        let task = Task::Numbers { baseline: 7.0 };
        let set: Vec<usize> = (0..rows.len()).collect();
        let gain = |t: &Test| {
            toji_commons::value::utility(task, 2, &features, &responses, &set, t)
                - toji_commons::value::utility(task, 2, &features, &responses, &[], t)
        };
        let whole = 100.0 * points.iter().map(gain).sum::<f64>() / 8.0 / 21.0;
        assert!((a.worth + c.worth - whole).abs() < 1e-9, "{} + {} is {whole}", a.worth, c.worth);
    }

    #[test]
    fn a_set_whose_replicates_disagree_or_that_states_too_little_is_worth_nothing() {
        let mut all = vec![seen("DS-A", "A", "1", 1.0, 1.0), seen("DS-A", "A", "2", 1.01, 9.0)];
        all.extend([seen("DS-B", "B", "1", 2.0, 4.0), seen("DS-B", "B", "2", 3.0, 6.0), seen("DS-B", "B", "3", 5.0, 1.0)]);
        all[2].row = None;
        all[3].row = None;
        let kept = judge(&stated(), all, &tests()).unwrap();
        assert!(kept[0].view.reasons[0].en.contains("replicates"), "{kept:?}");
        assert!(kept[1].view.reasons[0].en.contains("schema") && kept[1].view.complete == 1, "{kept:?}");
        assert!(kept.iter().all(|k| k.worth == 0.0 && !k.view.accepted));
    }
}
