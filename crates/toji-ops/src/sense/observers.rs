//! `sense observers`: bias and repeatability of every observer from blind repeats, term by term.

use super::state::runs_with;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Result, Text, vocabulary};
use toji_sense::agreement::{Judgement, Kappa, Panel, Weights, kappa, panel};

/// Input of `sense observers`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Only this term.
    ///
    /// この用語のみ。
    #[serde(default)]
    term: Option<String>,
    /// Only these runs.
    ///
    /// これらの培養のみ。
    #[serde(default)]
    runs: Vec<String>,
}

/// Agreement of an observer with themself.
#[derive(Debug, Serialize, JsonSchema)]
struct SelfAgreement {
    /// Observer.
    observer: String,
    /// Quadratic kappa of first and second judgement of the same blind sample; absent when nothing varies.
    kappa: Option<Kappa>,
    /// Pairs of judgements.
    pairs: usize,
}

/// One term.
#[derive(Debug, Serialize, JsonSchema)]
struct TermPanel {
    /// Code.
    term: String,
    /// Label.
    label: Text,
    /// Blind samples.
    samples: usize,
    /// Bias and repeatability.
    panel: Panel,
    /// Agreement of each with themself.
    repeats: Vec<SelfAgreement>,
}

/// Output of `sense observers`.
#[derive(Debug, Serialize, JsonSchema)]
struct Observers {
    /// Terms judged blind.
    terms: Vec<TermPanel>,
    /// Blind judgements used.
    used: usize,
    /// Judgements not used, since they were not blind or without a level.
    not_used: usize,
    /// What the numbers are.
    rule: Text,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "sense observers",
            label: ["観察者の較正", "Observer calibration"],
            about: [
                "目隠しの繰返し評価から、観察者ごとの偏りと繰返し精度、パネルの一致度 (ICC・κ) を区間とともに返します。",
                "Returns every observer's bias and repeatability, and the panel's agreement (ICC, kappa), with intervals, from blind repeats.",
            ],
            positional: &["term"],
            example: "toji sense observers sake:120 --json",
        },
        Effect::Read,
        observers,
    )
}

async fn observers(context: Context, input: Input) -> Result<Observers> {
    let store = &context.session.store;
    let mut judged: BTreeMap<String, Vec<(String, Judgement)>> = BTreeMap::new();
    let (mut used, mut not_used) = (0, 0);
    for run in runs_with(&context, "observation", &input.runs).await? {
        for seen in store.linked(&context.access, "observation", "run", run.id.as_str()).await? {
            let fields = &seen.fields;
            let Some(term) = text(fields, "term").filter(|t| input.term.as_ref().is_none_or(|wanted| wanted == t)) else {
                continue;
            };
            let blind = fields.get("blind").and_then(Json::as_bool).unwrap_or(false);
            let (observer, sample) = (text(fields, "observer"), text(fields, "blind_sample"));
            let level = fields.get("level").and_then(Json::as_f64);
            match (blind, observer, sample, level) {
                (true, Some(observer), Some(sample), Some(level)) => {
                    used += 1;
                    let at = text(fields, "time").unwrap_or_else(|| seen.id.to_string());
                    judged.entry(term).or_default().push((at, Judgement { observer, sample, level }));
                }
                _ => not_used += 1,
            }
        }
    }
    let terms = judged
        .into_iter()
        .map(|(term, mut rows)| {
            rows.sort_by(|a, b| a.0.cmp(&b.0));
            let rows: Vec<Judgement> = rows.into_iter().map(|(_, j)| j).collect();
            let label = vocabulary::find(&term).map_or_else(|| Text::same(&term), |(_, t)| t.label.clone());
            let mut samples: Vec<&String> = rows.iter().map(|j| &j.sample).collect();
            samples.sort();
            samples.dedup();
            TermPanel { label, samples: samples.len(), repeats: repeats(&rows), panel: panel(&rows), term }
        })
        .collect();
    let rule = Text::new(
        "繰返し精度は同じ目隠し試料の標準偏差 (χ² 区間)、偏りはほかの観察者の平均との差 (t 区間)、一致度は ICC(2,1)。区間はすべて 95 %",
        "repeatability is the standard deviation on the same blind sample (χ² interval), bias the difference from the mean of the others (t interval), agreement ICC(2,1); all intervals are 95 %",
    );
    Ok(Observers { terms, used, not_used, rule })
}

/// First against second judgement of the same sample by the same observer.
fn repeats(rows: &[Judgement]) -> Vec<SelfAgreement> {
    let mut cells: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for row in rows {
        cells.entry((&row.observer, &row.sample)).or_default().push(row.level);
    }
    let mut pairs: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for ((observer, _), levels) in &cells {
        if let [first, second, ..] = levels.as_slice() {
            pairs.entry(observer).or_default().push((*first as usize, *second as usize));
        }
    }
    pairs
        .into_iter()
        .map(|(observer, pairs)| {
            let classes = pairs.iter().map(|(a, b)| a.max(b) + 1).max().unwrap_or(0);
            SelfAgreement { observer: observer.to_owned(), kappa: kappa(Weights::Quadratic, classes, &pairs), pairs: pairs.len() }
        })
        .collect()
}
