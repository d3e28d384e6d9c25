//! `culture rules`: what experts decide, as rules that are tried on a simulated plant before anybody follows them, and
//! what operators' own hands add to the variation of runs before and after.
//!
//! The rules are those of `sense rules`: one learner. Here each rule is lived through on the plant, the same runs with it
//! and without it, and the habits of the single operators, learnt in the same way from their own decisions, are played
//! against the one list for all.

use super::model::{model, quantity};
use crate::operation::{Context, Effect, Operation, Words};
use crate::sense::{Decisions, action_label, decisions, says};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use toji_core::record::FieldMap;
use toji_core::special::t_two_sided;
use toji_core::{Error, Id, Place, Result, Text, Unit};
use toji_culture::model::Model;
use toji_culture::rank::{Components, components, falls};
use toji_culture::twin::{Hidden, Sensor, Twin};
use toji_sense::rules::{Case, HeldOut, Learning, RuleList, held_out, learn};
use toji_store::{Commit, Put};

/// Fewest decisions from which the habit of an operator is learnt.
const HABIT_MIN: usize = 8;
/// Confidence of intervals.
const CONFIDENCE: f64 = 0.9;

/// What an action changes on the plant.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Move {
    /// Profile of the model whose values still to come are changed.
    ///
    /// これからの値を変える、モデルのプロファイル。
    profile: String,
    /// What they are multiplied with.
    ///
    /// 掛ける倍率。
    factor: f64,
}

/// Input of `culture rules`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model of the plant: the name of one that ships, the path of a model file, or its address after an upload.
    ///
    /// プラントのモデル：付属モデルの名前、モデルファイルの場所、または送信後のアドレス。
    plant: String,
    /// How long a run lasts, with unit: `60 h`.
    ///
    /// 培養時間。単位を添える（例: 60 h）。
    until: String,
    /// How often is looked and decided, with unit: `6 h`.
    ///
    /// 見て判断する間隔。単位を添える（例: 6 h）。
    every: String,
    /// Quantity of the model that is judged by, such as `titre`.
    ///
    /// 良し悪しを見るモデルの量（例：`titre`）。
    goal: String,
    /// What of the state is what of the model, JSON: quantity of the state to quantity of the model.
    ///
    /// 状態の量とモデルの量の対応（JSON）。
    state: BTreeMap<String, String>,
    /// What actions change, JSON: action to profile and factor; actions that are not named change nothing.
    ///
    /// 処置が変えるもの（JSON）：処置ごとに `profile` と `factor`。名前のない処置は何も変えない。
    moves: BTreeMap<String, Move>,
    /// Is less better?
    ///
    /// 小さいほど良いか。
    #[serde(default)]
    lower_is_better: bool,
    /// Only these runs; all with decisions when empty.
    ///
    /// これらの培養のみ。空なら判断のあるすべての培養。
    #[serde(default)]
    runs: Vec<String>,
    /// Author whose decisions become the rules; all when missing.
    ///
    /// 規則にする判断者。省略時は全員。
    #[serde(default)]
    expert: Option<String>,
    /// Oldest value that still counts as the state of that minute, s.
    ///
    /// その時刻の状態とみなす値の最大の古さ（s）。
    #[serde(default = "hour")]
    max_age_s: f64,
    /// Most rules.
    ///
    /// 規則の最大数。
    #[serde(default = "four")]
    rules_max: usize,
    /// Simulated runs of each comparison.
    ///
    /// 比較ごとの模擬培養の数。
    #[serde(default = "thirty")]
    pairs: usize,
    /// What is hidden of the plant, JSON, as in `culture campaign-simulate`.
    ///
    /// プラントの隠された真実（JSON）。`culture campaign-simulate` と同じ。
    #[serde(default)]
    hidden: Hidden,
    /// Seed of the plant.
    ///
    /// プラントの乱数の種。
    #[serde(default)]
    plant_seed: u64,
    /// Keeps the rules as phases of a recipe of this name.
    ///
    /// この名前のレシピのフェーズとして規則を採用する。
    #[serde(default)]
    accept: Option<String>,
}

fn hour() -> f64 {
    3600.0
}

fn four() -> usize {
    4
}

fn thirty() -> usize {
    30
}

/// A difference of pairs of simulated runs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Benefit {
    /// Pairs.
    pairs: usize,
    /// Mean of with less without, in the unit of the goal.
    difference: f64,
    /// Lower end of its interval (90 %).
    low: f64,
    /// Upper end.
    high: f64,
    /// Does it help, beyond its interval?
    helps: bool,
    /// Share of runs in which the two went differently, %.
    differing_percent: f64,
}

/// A rule with its evidence.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    /// The rule in words.
    says: Text,
    /// Decisions it reaches.
    reached: usize,
    /// Of those, decisions it repeats.
    right: usize,
    /// The list with it against the list without it, on the plant.
    benefit: Benefit,
    /// Identifier of the accepted phase.
    phase: Option<String>,
}

/// What operators add to the variation of runs.
#[derive(Debug, Serialize, JsonSchema)]
struct Hands {
    /// Operators.
    operators: usize,
    /// Runs.
    runs: usize,
    /// Mean of the goal.
    mean: f64,
    /// Standard deviation that operators add.
    operator_sd: f64,
    /// Lower end of its interval (90 %).
    low: f64,
    /// Upper end.
    high: f64,
    /// Standard deviation between runs of one operator.
    within_sd: f64,
    /// Share of the variance that is between operators, %.
    share_percent: f64,
    /// Chance of such differences if all operators were alike.
    p: f64,
}

/// Output of `culture rules`.
#[derive(Debug, Serialize, JsonSchema)]
struct Tried {
    /// Decisions learnt from.
    decisions: usize,
    /// Decisions that could not be used.
    not_used: usize,
    /// Rules from the top; the first that holds decides.
    rules: Vec<Line>,
    /// What is done otherwise.
    otherwise: Text,
    /// What becomes of them on runs they have not seen.
    held_out: Option<HeldOut>,
    /// Goal.
    goal: String,
    /// Its unit, UCUM.
    unit: String,
    /// All rules against doing what is done otherwise, on the plant.
    benefit: Benefit,
    /// Operators whose habits were learnt.
    operators: Vec<String>,
    /// Runs by the operators' own habits.
    before: Option<Hands>,
    /// Runs by the rules, whoever runs them.
    after: Option<Hands>,
    /// Chance of the operators' part falling so far by luck alone.
    fall_p: Option<f64>,
    /// Does it fall?
    falls: Option<bool>,
    /// What the numbers are.
    method: Text,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture rules",
            label: ["匠の規則の検証", "Try experts' rules"],
            about: [
                "判断の記録から短い規則を学び（`sense rules` と同じ学習）、規則ごとの効果を模擬プラントで同じ条件の培養の対で確かめます。操作者ごとの癖による力価などのばらつき（分散成分と区間）を、自動レシピの前後で比べます。--accept で規則をレシピのフェーズとして採用します。",
                "Learns short rules from decisions (the learner of `sense rules`), tries each on a simulated plant in pairs of the same runs with it and without it, and compares what operators' own hands add to the variation (variance component with interval) before and under the automated recipe. --accept keeps the rules as phases of a recipe.",
            ],
            positional: &["plant"],
            example: "toji culture rules m.toml --until '9 h' --every '3 h' --goal P --state @s.json --moves @d.json",
        },
        Effect::Write,
        try_rules,
    )
    .long()
}

/// The plant with what of it is looked at and moved.
struct Trial<'m> {
    twin: Twin<'m>,
    model: &'m Model,
    recipe: Vec<f64>,
    looks: Vec<f64>,
    goal: usize,
    /// Place in the model and factor to the state's unit, for each quantity of the state; none where it is not mapped.
    state: Vec<Option<(usize, f64)>>,
    /// For each action, what it moves.
    moves: Vec<Option<Moved>>,
}

/// Times and constants of the values an action changes, and the factor.
type Moved = (Vec<(f64, usize)>, f64);

impl Trial<'_> {
    /// The goal at the end of a run under a list of rules.
    fn run(&self, list: &RuleList, number: u64) -> Result<f64> {
        let batch = self.twin.live(&self.recipe, 0, number, &self.looks, |now, seen, recipe| {
            let state: Vec<Option<f64>> = self
                .state
                .iter()
                .map(|place| {
                    let (at, factor) = (*place)?;
                    seen.iter().rev().find(|s| s.quantity == at && s.time == now).map(|s| s.value * factor)
                })
                .collect();
            let Some((knots, factor)) = self.moves.get(list.decide(&state)).and_then(Option::as_ref) else {
                return Ok(Vec::new());
            };
            let still = knots.iter().filter(|(time, _)| *time >= now);
            Ok(still.filter_map(|(_, at)| recipe.get(*at).map(|v| (*at, v * factor))).collect())
        })?;
        Ok(batch.end.get(self.goal).copied().unwrap_or(f64::NAN))
    }

    fn benefit(&self, with: &RuleList, without: &RuleList, pairs: usize, less: bool) -> Result<Benefit> {
        let mut differences = Vec::new();
        for i in 0..pairs as u64 {
            differences.push(self.run(with, 20_000 + i)? - self.run(without, 20_000 + i)?);
        }
        let n = pairs as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let sd = (differences.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / (n - 1.0)).sqrt();
        let reach = t_two_sided(CONFIDENCE, n - 1.0) * sd / n.sqrt();
        let (low, high) = (mean - reach, mean + reach);
        Ok(Benefit {
            pairs,
            difference: mean,
            low,
            high,
            helps: if less { high < 0.0 } else { low > 0.0 },
            differing_percent: 100.0 * differences.iter().filter(|d| d.abs() > 1e-9).count() as f64 / n,
        })
    }
}

fn refused(field: &str, ja: String, en: String) -> Error {
    Error::input("E-RULES-001", ja, en).at(Place::field(field)).hint(
        "対応するモデルの量・プロファイルは `toji culture check` で確認できます",
        "quantities and profiles of the model are shown by `toji culture check`",
    )
}

fn trial<'m>(model: &'m Model, input: &Input, learnt: &Decisions, until: f64, every: f64) -> Result<Trial<'m>> {
    let goal = model.system.quantity(&input.goal).map_err(|e| e.at(Place::field("goal")))?;
    let mut hidden = input.hidden.clone();
    let mut state = Vec::new();
    for quantity in &learnt.quantities {
        let Some(name) = input.state.get(&quantity.key) else {
            state.push(None);
            continue;
        };
        let at = model.system.quantity(name).map_err(|e| e.at(Place::field(format!("state.{}", quantity.key))))?;
        let unit = model.described(name).map(|d| d.unit.clone()).unwrap_or_else(Unit::one);
        let to = if quantity.unit.is_empty() { unit.clone() } else { Unit::parse(&quantity.unit)? };
        let (zero, factor) = (unit.convert(0.0, &to)?, unit.convert(1.0, &to)?);
        if zero != 0.0 {
            return Err(refused(
                "state",
                format!("{name} の単位 {} は {} に比例しません", unit.code(), to.code()),
                format!("the unit {} of {name} is not proportional to {}", unit.code(), to.code()),
            ));
        }
        // Somebody must be able to see it.
        if !hidden.sensors.iter().any(|s| s.quantity == *name) {
            hidden.sensors.push(Sensor { quantity: name.clone(), share: 0.0, least: 0.0 });
        }
        state.push(Some((at, factor)));
    }
    if state.iter().all(Option::is_none) {
        let keys = learnt.quantities.iter().map(|q| q.key.as_str()).collect::<Vec<_>>().join(", ");
        return Err(refused(
            "state",
            format!("状態の量（{keys}）がモデルの量に対応していません"),
            format!("none of the quantities of the state ({keys}) is matched with one of the model"),
        ));
    }
    let mut moves = Vec::new();
    for action in &learnt.actions {
        let Some(given) = input.moves.get(action) else {
            moves.push(None);
            continue;
        };
        let times = model.profiles.get(&given.profile).ok_or_else(|| {
            let profile = &given.profile;
            refused(
                "moves",
                format!("モデルにプロファイル «{profile}» がありません"),
                format!("the model has no profile «{profile}»"),
            )
        })?;
        if !given.factor.is_finite() || given.factor < 0.0 {
            return Err(refused("moves", "倍率は 0 以上です".into(), "factors are 0 or more".into()));
        }
        let knots = (1..).zip(times).map(|(k, t)| Ok((*t, model.system.constant(&format!("{}_{k}", given.profile))?)));
        moves.push(Some((knots.collect::<Result<Vec<_>>>()?, given.factor)));
    }
    let looks: Vec<f64> = (1..).map(|k| f64::from(k) * every).take_while(|t| *t < until - 1e-9).take(1_000).collect();
    let twin = Twin::new(model, &hidden, until, input.plant_seed)?;
    Ok(Trial { twin, model, recipe: model.system.constants(), looks, goal, state, moves })
}

/// The habit of every operator with enough decisions, learnt as the rules are.
fn habits(learnt: &Decisions, learning: &Learning) -> Vec<(String, RuleList)> {
    let names: BTreeSet<&String> = learnt.authors.iter().flatten().collect();
    let of = |name: &String| -> Vec<Case> {
        learnt.cases.iter().zip(&learnt.authors).filter(|(_, a)| a.as_ref() == Some(name)).map(|(c, _)| c.clone()).collect()
    };
    names
        .into_iter()
        .map(|name| (name.clone(), of(name)))
        .filter(|(_, cases)| cases.len() >= HABIT_MIN)
        .map(|(name, cases)| (name, learn(&cases, learning)))
        .collect()
}

fn hands(found: Option<Components>) -> Option<Hands> {
    found.map(|c| Hands {
        operators: c.operators,
        runs: c.runs,
        mean: c.mean,
        operator_sd: c.operator_sd,
        low: c.low,
        high: c.high,
        within_sd: c.within_sd,
        share_percent: 100.0 * c.share,
        p: c.p,
    })
}

/// Everything that was found, before it is kept.
struct Found {
    list: RuleList,
    held_out: Option<HeldOut>,
    benefits: Vec<Benefit>,
    all: Benefit,
    operators: Vec<String>,
    before: Option<Components>,
    after: Option<Components>,
    model: String,
    unit: String,
}

async fn try_rules(context: Context, input: Input) -> Result<Tried> {
    if !(2..=1_000).contains(&input.pairs)
        || !(1..=20).contains(&input.rules_max)
        || input.max_age_s.is_nan()
        || input.max_age_s <= 0.0
    {
        return Err(Error::input(
            "E-RULES-002",
            "pairs は 2〜1000、rules_max は 1〜20、max_age_s は正の数です",
            "pairs is 2 to 1000, rules_max 1 to 20, max_age_s above 0",
        )
        .at(Place::field("pairs"))
        .hint("値を改めてください", "change the value"));
    }
    let model = model(&context, &input.plant).await?;
    let until = quantity(&input.until, &model.time, "until")?;
    let every = quantity(&input.every, &model.time, "every")?;
    if every <= 0.0 || until <= 0.0 {
        return Err(refused("every", "until と every は正の数です".into(), "until and every are positive".into()));
    }
    let learnt = decisions(&context, &input.runs, None, input.max_age_s).await?;
    let learning = Learning { rules_max: input.rules_max, ..Learning::default() };
    let (seed, progress) = (context.seed, context.progress.clone());
    let expert = input.expert.clone();
    let work = move || -> Result<(Input, Decisions, Found)> {
        let chosen: Vec<Case> = learnt
            .cases
            .iter()
            .zip(&learnt.authors)
            .filter(|(_, author)| expert.is_none() || **author == expert)
            .map(|(case, _)| case.clone())
            .collect();
        if chosen.len() < HABIT_MIN {
            let n = chosen.len();
            return Err(refused(
                "expert",
                format!("この判断者の判断は {n} 件だけです"),
                format!("this author has only {n} decisions"),
            ));
        }
        let list = learn(&chosen, &learning);
        let held_out = held_out(&chosen, &learning, 1_000, seed);
        let trial = trial(&model, &input, &learnt, until, every)?;
        let less = input.lower_is_better;
        let nothing = RuleList { rules: Vec::new(), otherwise: list.otherwise };
        let mut benefits = Vec::new();
        for i in 0..list.rules.len() {
            progress.step(i as u64, Some(list.rules.len() as u64 + 2), "規則の模擬", "trying rules")?;
            let mut without = list.clone();
            without.rules.remove(i);
            benefits.push(trial.benefit(&list, &without, input.pairs, less)?);
        }
        let all = trial.benefit(&list, &nothing, input.pairs, less)?;
        progress.step(list.rules.len() as u64 + 1, Some(list.rules.len() as u64 + 2), "操作者の模擬", "trying operators")?;
        let habits = habits(&learnt, &learning);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (operator, (_, habit)) in (0_u64..).zip(&habits) {
            let numbers = |first: u64| (0..input.pairs as u64).map(move |i| first + 1_000 * operator + i);
            // Runs of their own, so that the two sets are independent.
            before.push(numbers(100_000).map(|n| trial.run(habit, n)).collect::<Result<Vec<_>>>()?);
            after.push(numbers(500_000).map(|n| trial.run(&list, n)).collect::<Result<Vec<_>>>()?);
        }
        let found = Found {
            held_out,
            benefits,
            all,
            operators: habits.into_iter().map(|(name, _)| name).collect(),
            before: components(&before, CONFIDENCE),
            after: components(&after, CONFIDENCE),
            unit: trial.model.described(&input.goal).map(|d| d.unit.code().to_owned()).unwrap_or_default(),
            model: trial.model.id.clone(),
            list,
        };
        Ok((input, learnt, found))
    };
    let (input, learnt, found) = tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-RULES-003", e))??;
    let phases = match &input.accept {
        Some(recipe) => keep(&context, recipe, &input, &learnt, &found).await?,
        None => Vec::new(),
    };
    let fall_p = found.before.as_ref().zip(found.after.as_ref()).and_then(|(b, a)| falls(b, a));
    let mut lines = Vec::new();
    for (i, (rule, benefit)) in found.list.rules.iter().zip(found.benefits).enumerate() {
        lines.push(Line {
            says: says(rule, &learnt.quantities, &learnt.actions),
            reached: rule.reached,
            right: rule.right,
            benefit,
            phase: phases.get(i).cloned(),
        });
    }
    Ok(Tried {
        decisions: learnt.cases.len(),
        not_used: learnt.not_used,
        rules: lines,
        otherwise: action_label(&learnt.actions, found.list.otherwise),
        held_out: found.held_out,
        goal: input.goal,
        unit: found.unit,
        benefit: found.all,
        operators: found.operators,
        before: hands(found.before),
        after: hands(found.after),
        falls: fall_p.map(|p| p < 0.05),
        fall_p,
        method: method(),
    })
}

fn method() -> Text {
    Text::new(
        "効果は、同じ外乱の模擬培養の対の差の平均と 90 % 区間（Student の t）。操作者の成分は一元変量模型の分散成分と Williams–Tukey の 90 % 区間。操作者の癖はその人の判断から同じ方法で学んだもの。前後は別々の培養で、低下は平均平方の F 検定",
        "benefits are means of pairs of simulated runs that meet the same disturbances, with 90 % intervals by Student's t; the operators' part is the variance component of the one-way random model with the 90 % interval of Williams and Tukey; habits are learnt from each operator's own decisions in the same way; before and after are runs of their own, their fall is judged by the F test of mean squares",
    )
}

/// Keeps the rules as phases of a recipe.
async fn keep(context: &Context, recipe: &str, input: &Input, learnt: &Decisions, found: &Found) -> Result<Vec<String>> {
    let bug = |e| Error::bug("E-RULES-003", e);
    let (mut puts, mut ids) = (Vec::new(), Vec::new());
    for (i, (rule, benefit)) in found.list.rules.iter().zip(&found.benefits).enumerate() {
        let number = i + 1;
        let id = Id::derive("phase", &[recipe, &number.to_string()]);
        let words = says(rule, &learnt.quantities, &learnt.actions);
        let when: Vec<_> = rule
            .when
            .iter()
            .map(|c| {
                let quantity = learnt.quantities.get(c.quantity);
                json!({ "quantity": quantity.map(|q| q.key.clone()), "unit": quantity.map(|q| q.unit.clone()), "side": c.side, "threshold": c.threshold })
            })
            .collect();
        let action = learnt.actions.get(rule.then).cloned().unwrap_or_default();
        let mut fields = FieldMap::new();
        for (field, value) in [
            ("recipe", json!(recipe)),
            ("number", json!(number)),
            ("says", json!(words.en)),
            ("says_ja", json!(words.ja)),
            ("when", json!(when)),
            ("moves", serde_json::to_value(input.moves.get(&action)).map_err(bug)?),
            ("action", json!(action)),
            ("reached", json!(rule.reached)),
            ("right", json!(rule.right)),
            ("fidelity", json!(found.held_out.as_ref().map(|h| h.right))),
            ("benefit", serde_json::to_value(benefit).map_err(bug)?),
            ("model", json!(found.model)),
            ("accepted_at", json!(context.now.to_string())),
        ] {
            if !value.is_null() {
                fields.insert(field.to_owned(), value);
            }
        }
        puts.push(Put::new("recipe-phase", id.clone(), fields));
        ids.push(id.to_string());
    }
    if !puts.is_empty() {
        let commit = Commit { operation: "culture rules".into(), puts, ..Commit::default() };
        context.session.store.commit(&context.access, context.now, commit).await?;
    }
    Ok(ids)
}
