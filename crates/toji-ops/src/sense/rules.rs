//! `sense rules`: a short list of rules learnt from an expert's decisions, judged on runs it has not seen.

use super::explain::{hour, thousand};
use super::state::{Quantity, State, runs_with, states};
use super::when::since_zero;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::{text, zero_ns};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_core::{Action, Error, Place, Result, Text, vocabulary};
use toji_sense::rules::{Case, Condition, HeldOut, Learning, Rule, RuleList, Side, held_out, learn};

/// Fewest decisions from which rules are learnt.
const CASES_MIN: usize = 12;

/// Input of `sense rules`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Only these runs; all with decisions when empty.
    ///
    /// これらの培養のみ。空なら判断のあるすべての培養。
    #[serde(default)]
    runs: Vec<String>,
    /// Only decisions of this author.
    ///
    /// この判断者の判断のみ。
    #[serde(default)]
    author: Option<String>,
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
    /// Resamples of the intervals.
    ///
    /// 区間を求める再標本化の回数。
    #[serde(default = "thousand")]
    rounds: usize,
}

fn four() -> usize {
    4
}

/// One rule in words.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    /// The rule in words.
    says: Text,
    /// The rule.
    rule: Rule,
}

/// Output of `sense rules`.
#[derive(Debug, Serialize, JsonSchema)]
struct Rules {
    /// Decisions used.
    decisions: usize,
    /// Runs.
    runs: usize,
    /// Decisions not used: no class of action, no place on the axis of time, or of another author.
    not_used: usize,
    /// Quantities of the state, in the order the rules count them.
    quantities: Vec<Quantity>,
    /// Actions, in the order the rules count them.
    actions: Vec<String>,
    /// Rules from the top; the first that holds decides.
    rules: Vec<Line>,
    /// What is done otherwise.
    otherwise: Text,
    /// What becomes of them on runs they have not seen.
    held_out: Option<HeldOut>,
    /// Do they repeat the expert better than habit does, on runs not seen?
    repeats_the_expert: bool,
    /// What the numbers are.
    rule: Text,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "sense rules",
            label: ["判断の規則", "Rules of decisions"],
            about: [
                "専門家の判断と、その時刻の槽の状態・観察から、短い規則の列を学びます。学習に使わない培養で専門家と一致する割合を、「いつも通り」を続けた場合と比べて示します。",
                "Learns a short list of rules from an expert's decisions and the tank's state and observations of that minute, and shows on runs left out how often it does what the expert did, against always doing the usual.",
            ],
            positional: &[],
            example: "toji sense rules --max-age-s 1800 --json",
        },
        Effect::Read,
        rules,
    )
    .long()
}

/// Decisions with the states they were made in, ready for learning.
pub(crate) struct Decisions {
    /// Cases in the order of the runs.
    pub(crate) cases: Vec<Case>,
    /// Author of each case, where it names one.
    pub(crate) authors: Vec<Option<String>>,
    /// Quantities of the state, in the order the cases count them.
    pub(crate) quantities: Vec<Quantity>,
    /// Actions, in the order the cases count them.
    pub(crate) actions: Vec<String>,
    /// Decisions that cannot be used.
    pub(crate) not_used: usize,
}

/// Gathers decisions of runs (all that have some when none is named), of one author if asked.
pub(crate) async fn decisions(context: &Context, runs: &[String], author: Option<&str>, max_age_s: f64) -> Result<Decisions> {
    let store = &context.session.store;
    let mut found: Vec<(usize, Option<String>, String, State)> = Vec::new();
    let mut not_used = 0;
    for (number, run) in runs_with(context, "decision", runs).await?.iter().enumerate() {
        context.progress.step(number as u64, None, "状態の照合", "joining states")?;
        store.allow_series(&context.access, Action::Train, run.id.as_str()).await?;
        let zero = zero_ns(&run.fields);
        let mut decided = Vec::new();
        for decision in store.linked(&context.access, "decision", "run", run.id.as_str()).await? {
            let by = text(&decision.fields, "author");
            let wanted = author.is_none() || by.as_deref() == author;
            match (text(&decision.fields, "action"), since_zero(&decision.fields, zero)) {
                (Some(action), Some(at)) if wanted => decided.push((at, by, action)),
                _ => not_used += 1,
            }
        }
        let times: Vec<i64> = decided.iter().map(|d| d.0).collect();
        let states = states(context, run, &times, max_age_s, true).await?;
        found.extend(decided.into_iter().zip(states.at).map(|((_, by, action), state)| (number, by, action, state)));
    }
    if found.len() < CASES_MIN {
        let (ja, en) = (
            format!("規則を学ぶには判断が足りません ({} 件、{CASES_MIN} 件以上)", found.len()),
            format!("too few decisions to learn from ({}, at least {CASES_MIN})", found.len()),
        );
        return Err(Error::input("E-SENSE-018", ja, en).at(Place::field("runs")).hint(
            "処置の区分 (action) を付けた判断を増やしてください。何もしない判断も記録します",
            "record more decisions with their action, also those to do nothing",
        ));
    }
    let quantities: Vec<Quantity> = found.iter().flat_map(|f| f.3.keys().cloned()).collect::<BTreeSet<_>>().into_iter().collect();
    let actions: Vec<String> = found.iter().map(|f| f.2.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let mut authors = Vec::new();
    let cases: Vec<Case> = found
        .into_iter()
        .filter_map(|(run, by, action, state)| {
            let state = quantities.iter().map(|q| state.get(q).map(|v| v.0)).collect();
            let action = actions.iter().position(|a| *a == action)?;
            authors.push(by);
            Some(Case { run, state, action })
        })
        .collect();
    Ok(Decisions { cases, authors, quantities, actions, not_used })
}

async fn rules(context: Context, input: Input) -> Result<Rules> {
    if !(1..=20_000).contains(&input.rounds)
        || !(1..=20).contains(&input.rules_max)
        || input.max_age_s.is_nan()
        || input.max_age_s <= 0.0
    {
        return Err(Error::input(
            "E-SENSE-016",
            "rounds は 1〜20000、rules_max は 1〜20、max_age_s は正の数です",
            "rounds is 1 to 20000, rules_max 1 to 20, max_age_s above 0",
        )
        .at(Place::field("rounds"))
        .hint("値を改めてください", "change the value"));
    }
    let Decisions { cases, quantities, actions, not_used, .. } =
        decisions(&context, &input.runs, input.author.as_deref(), input.max_age_s).await?;
    let runs = cases.iter().map(|c| c.run).collect::<BTreeSet<_>>().len();
    let decisions = cases.len();
    let learning = Learning { rules_max: input.rules_max, ..Learning::default() };
    let (rounds, seed) = (input.rounds, context.seed);
    let work = move || (learn(&cases, &learning), held_out(&cases, &learning, rounds, seed));
    let (list, held_out) = tokio::task::spawn_blocking(work).await.map_err(|e| Error::bug("E-SENSE-017", e))?;
    let RuleList { rules, otherwise } = list;
    let lines = rules.into_iter().map(|rule| Line { says: says(&rule, &quantities, &actions), rule }).collect();
    let repeats_the_expert = held_out.as_ref().and_then(|h| h.gain_interval).is_some_and(|i| i.low > 0.0);
    Ok(Rules {
        decisions,
        runs,
        not_used,
        otherwise: action_label(&actions, otherwise),
        quantities,
        actions,
        rules: lines,
        held_out,
        repeats_the_expert,
        rule: rule_of_numbers(),
    })
}

fn rule_of_numbers() -> Text {
    Text::new(
        "各培養を一度ずつ学習から除き、ほかの培養で学んだ規則で判断させた。区間は培養ごとの再標本化 (95 %)。「いつも通り」を有意に上回るときだけ専門家を再現したとする",
        "every run was left out once and decided by rules learnt on the others; intervals resample runs (95 %); the expert counts as repeated only when the usual action is beaten beyond that",
    )
}

/// What an action is called.
pub(crate) fn action_label(actions: &[String], action: usize) -> Text {
    let code = actions.get(action).map(String::as_str).unwrap_or_default();
    vocabulary::find(code).map_or_else(|| Text::same(code), |(_, term)| term.label.clone())
}

/// A rule in words, with its support.
pub(crate) fn says(rule: &Rule, quantities: &[Quantity], actions: &[String]) -> Text {
    let condition = |c: &Condition| {
        let quantity = quantities.get(c.quantity);
        let label = quantity.map_or_else(|| Text::same("?"), Quantity::label);
        let unit =
            quantity.map(|q| q.unit.as_str()).filter(|u| !u.is_empty() && *u != "1").map_or(String::new(), |u| format!(" {u}"));
        let sign = if c.side == Side::Below { "<" } else { "≥" };
        let number = format!("{:.4}", c.threshold);
        let number = number.trim_end_matches('0').trim_end_matches('.');
        Text::new(format!("{} {sign} {number}{unit}", label.ja), format!("{} {sign} {number}{unit}", label.en))
    };
    let all: Vec<Text> = rule.when.iter().map(condition).collect();
    let join = |f: fn(&Text) -> &str, between: &str| all.iter().map(f).collect::<Vec<_>>().join(between);
    let then = action_label(actions, rule.then);
    Text::new(
        format!("{} → {} ({} 件中 {} 件一致)", join(|t| &t.ja, " かつ "), then.ja, rule.reached, rule.right),
        format!("{} → {} ({} of {} alike)", join(|t| &t.en, " and "), then.en, rule.right, rule.reached),
    )
}
