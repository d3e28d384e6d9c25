//! `sense explain`: which sensors go with what the nose said, by the tank's state of that minute.

use super::state::{Quantity, State, graded, runs_with, states};
use super::when::since_zero;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::{text, zero_ns};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toji_core::{Error, Place, Result, Text, vocabulary};
use toji_sense::association::{Explained, Finding, Question, RUNS_MIN, Row, explain};

/// Most resamples.
const ROUNDS_MAX: usize = 20_000;

/// Input of `sense explain`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Term that was judged, e.g. `sake:120`, or a vocabulary of stages, e.g. `moromi-foam`.
    ///
    /// 評価した用語（例：`sake:120`）、または段階の用語集（例：`moromi-foam`）。
    term: String,
    /// Only these runs; all with observations when empty.
    ///
    /// これらの培養のみ。空なら観察のあるすべての培養。
    #[serde(default)]
    runs: Vec<String>,
    /// Level from which the thing counts as perceived.
    ///
    /// この段階以上を「感じた」とみなす。
    #[serde(default = "one")]
    perceived_from: f64,
    /// Oldest sensor value that still counts as the state of that minute, s.
    ///
    /// その時刻の状態とみなすセンサー値の最大の古さ（s）。
    #[serde(default = "hour")]
    max_age_s: f64,
    /// Resamples of the intervals.
    ///
    /// 区間を求める再標本化の回数。
    #[serde(default = "thousand")]
    rounds: usize,
}

fn one() -> f64 {
    1.0
}
pub(super) fn hour() -> f64 {
    3600.0
}
pub(super) fn thousand() -> usize {
    1000
}

/// One sensor.
#[derive(Debug, Serialize, JsonSchema)]
struct Sensor {
    /// Variable, or name in the source.
    key: String,
    /// Label.
    label: Text,
    /// Unit, UCUM.
    unit: String,
    /// The numbers.
    #[serde(flatten)]
    explained: Explained,
    /// What can be said, in words.
    says: Text,
}

/// Output of `sense explain`.
#[derive(Debug, Serialize, JsonSchema)]
struct Answer {
    /// Term.
    term: String,
    /// Label.
    label: Text,
    /// Observations with a level and a time.
    observations: usize,
    /// Of those, judged blind.
    blind: usize,
    /// Runs.
    runs: usize,
    /// Sensor values left out since they were older than `max_age_s`.
    too_old: u64,
    /// Sensors: associated first, then by strength.
    sensors: Vec<Sensor>,
    /// What the numbers are.
    rule: Text,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "sense explain",
            label: ["鼻を説明するセンサー", "Which sensors explain the nose"],
            about: [
                "観察の段階と、その時刻の槽の状態との順位相関を、培養を単位とした区間、検定の多重性の補正、時間の影響を除いた値とともに返します。区間が広いときは「分からない」と答えます。",
                "Returns the rank correlation of observed levels with the tank's state of that minute, with intervals that resample runs, corrected for many sensors, and with time taken out. Where the interval is wide the answer is \"cannot tell\".",
            ],
            positional: &["term"],
            example: "toji sense explain sake:120 --max-age-s 600 --json",
        },
        Effect::Read,
        answer,
    )
    .long()
}

fn rule() -> Text {
    Text::new(
        format!(
            "スピアマンの順位相関。95 % 区間は培養ごとの再標本化、q はベンジャミニ・ホッホベルク補正。培養が {RUNS_MIN} 未満のときは結論を出さない。関連は原因を意味しない"
        ),
        format!(
            "Spearman's rank correlation; 95 % intervals resample whole runs, q is after Benjamini and Hochberg; below {RUNS_MIN} runs nothing is concluded; association is not cause"
        ),
    )
}

async fn answer(context: Context, input: Input) -> Result<Answer> {
    let label = match vocabulary::find(&input.term) {
        Some((_, term)) => term.label.clone(),
        None => vocabulary::get(&input.term).map_err(|e| e.at(Place::field("term")))?.label.clone(),
    };
    if !(1..=ROUNDS_MAX).contains(&input.rounds) || input.max_age_s.is_nan() || input.max_age_s <= 0.0 {
        let (ja, en) = (
            format!("rounds は 1〜{ROUNDS_MAX}、max_age_s は正の数です"),
            format!("rounds is 1 to {ROUNDS_MAX}, max_age_s is above 0"),
        );
        return Err(Error::input("E-SENSE-016", ja, en)
            .at(Place::field("rounds"))
            .hint("値を改めてください", "change the value"));
    }
    let mut found: Vec<(usize, f64, f64, State)> = Vec::new();
    let (mut too_old, mut blind) = (0, 0);
    for (number, run) in runs_with(&context, "observation", &input.runs).await?.iter().enumerate() {
        context.progress.step(number as u64, None, "状態の照合", "joining states")?;
        let zero = zero_ns(&run.fields);
        let observations = context.session.store.linked(&context.access, "observation", "run", run.id.as_str()).await?;
        let mut judged = Vec::new();
        for seen in &observations {
            let asked = text(&seen.fields, "term").as_deref() == Some(&input.term);
            let Some((quantity, level)) = graded(seen) else { continue };
            if let (true, Some(at)) = (asked || quantity.key == input.term, since_zero(&seen.fields, zero)) {
                blind += usize::from(seen.fields.get("blind").and_then(serde_json::Value::as_bool).unwrap_or(false));
                judged.push((at, level));
            }
        }
        let times: Vec<i64> = judged.iter().map(|j| j.0).collect();
        let states = states(&context, run, &times, input.max_age_s, false).await?;
        too_old += states.too_old;
        found.extend(judged.into_iter().zip(states.at).map(|((at, level), state)| (number, at as f64 / 1e9, level, state)));
    }
    let sensors: Vec<Quantity> = found.iter().flat_map(|f| f.3.keys().cloned()).collect::<BTreeSet<_>>().into_iter().collect();
    let runs = found.iter().map(|f| f.0).collect::<BTreeSet<_>>().len();
    let rows: Vec<Row> = found
        .into_iter()
        .map(|(run, elapsed_s, level, state)| {
            let state = sensors.iter().map(|s| state.get(s).map(|v| v.0)).collect();
            Row { run, elapsed_s, level, state }
        })
        .collect();
    let question = Question { perceived_from: input.perceived_from, rounds: input.rounds, seed: context.seed };
    let observations = rows.len();
    let count = sensors.len();
    let explained =
        tokio::task::spawn_blocking(move || explain(&rows, count, question)).await.map_err(|e| Error::bug("E-SENSE-017", e))?;
    Ok(Answer { term: input.term, label, observations, blind, runs, too_old, sensors: told(&sensors, explained), rule: rule() })
}

fn told(sensors: &[Quantity], explained: Vec<Explained>) -> Vec<Sensor> {
    let mut out: Vec<Sensor> = explained
        .into_iter()
        .filter_map(|e| {
            let quantity = sensors.get(e.sensor)?;
            Some(Sensor {
                key: quantity.key.clone(),
                label: quantity.label(),
                unit: quantity.unit.clone(),
                says: says(&e),
                explained: e,
            })
        })
        .collect();
    let rank = |s: &Sensor| match s.explained.finding {
        Finding::Associated => 0,
        Finding::MaybeTime => 1,
        Finding::CannotTell => 2,
        Finding::Weak => 3,
    };
    let strength = |s: &Sensor| s.explained.rho.unwrap_or(0.0).abs();
    out.sort_by(|a, b| rank(a).cmp(&rank(b)).then(strength(b).total_cmp(&strength(a))).then(a.key.cmp(&b.key)));
    out
}

fn says(e: &Explained) -> Text {
    match e.finding {
        Finding::Associated if e.rho.unwrap_or(0.0) > 0.0 => {
            Text::new("高いほど強く感じる", "the higher, the stronger it is perceived")
        }
        Finding::Associated => Text::new("高いほど弱く感じる", "the higher, the weaker it is perceived"),
        Finding::MaybeTime => Text::new(
            "共に動くが、時間の経過だけで説明できるかもしれない",
            "they move together, but the passing of time may be all of it",
        ),
        Finding::Weak => Text::new("関連は弱い", "any association is weak"),
        Finding::CannotTell if e.runs < RUNS_MIN => {
            Text::new(format!("分からない (培養が {} 件)", e.runs), format!("cannot tell ({} runs)", e.runs))
        }
        Finding::CannotTell => Text::new("分からない (区間が広い)", "cannot tell (the interval is wide)"),
    }
}
