//! `dataset trace`: one deposit from the files it came from to everybody who received it and what they returned, in the ledger's order.

use super::content::text;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use toji_core::{KindSet, Record, Result, Text};

/// Input of `dataset trace`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Deposit.
    ///
    /// 寄託。
    deposit: String,
}

/// One event that touched the data.
#[derive(Debug, Serialize, JsonSchema)]
struct Step {
    /// Position in the ledger.
    seq: i64,
    /// When (UTC).
    at: String,
    /// By which operation.
    operation: String,
    /// By whom (pseudonym).
    actor: String,
    /// Kind of the record it wrote.
    kind: String,
    /// The record.
    id: String,
    /// The version it wrote.
    version: u64,
    /// The record in words.
    what: Text,
    /// Why, in the author's words.
    reason: Option<String>,
}

/// How the cycle of collecting, storing and providing turns, over the whole store.
#[derive(Debug, Serialize, JsonSchema)]
struct Indicators {
    /// Deposits in use.
    deposits: usize,
    /// Deposits that passed their check.
    checked: usize,
    /// Releases of deposited data.
    releases: usize,
    /// Deliveries.
    deliveries: usize,
    /// Who received at least one.
    recipients: usize,
    /// Uses of shared data sets that were registered.
    uses: usize,
    /// Units of feedback that those uses brought and that were not returned yet.
    feedback_owed: i64,
    /// Units of feedback that were returned and accepted.
    feedback_returned: i64,
}

/// Output of `dataset trace`.
#[derive(Debug, Serialize, JsonSchema)]
struct Trace {
    /// Deposit.
    deposit: String,
    /// Events, oldest first.
    steps: Vec<Step>,
    /// The cycle as it stands now.
    indicators: Indicators,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "dataset trace",
            label: ["寄託から還元までの追跡", "Trace a deposit"],
            about: [
                "一つの寄託を、取込元のファイルから、点検・公開・提供・会員の利用を経て、戻ってきた還元まで台帳の順にたどります。循環の指標も返します。",
                "Follows one deposit in the order of the ledger: from the files it came from over check, release, delivery and use by members to the feedback that returned, with the indicators of the cycle.",
            ],
            positional: &["deposit"],
            example: "toji dataset trace DEP-1",
        },
        Effect::Read,
        trace,
    )
}

async fn trace(context: Context, input: Input) -> Result<Trace> {
    let store = &context.session.store;
    let all = |kind: &'static str| store.records(&context.access, kind, None, false);
    let deposit = store.record(&context.access, "deposit", &input.deposit, None).await?;
    let (deposits, releases, deliveries) = (all("deposit").await?, all("dataset-release").await?, all("delivery").await?);
    let mut wanted: BTreeSet<(&str, String)> = BTreeSet::from([("deposit", deposit.id.to_string())]);
    for kind in ["strain", "genome", "licence"] {
        wanted.extend(text(&deposit.fields, kind).map(|id| (kind, id.to_owned())));
    }
    for id in deposit.fields.get("runs").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
        wanted.insert(("run", id.to_owned()));
        let run = store.record(&context.access, "run", id, None).await?;
        wanted.extend(text(&run.fields, "file").map(|file| ("file", file.to_owned())));
    }
    let of_it = |r: &&Record| text(&r.fields, "deposit") == Some(input.deposit.as_str());
    wanted.extend(releases.iter().filter(of_it).map(|r| ("dataset-release", r.id.to_string())));
    wanted.extend(deliveries.iter().filter(of_it).map(|r| ("delivery", r.id.to_string())));
    // Shared as part of a data set, it is used, and what was learned returns.
    let (sets, entries, feedback) = (all("data-set").await?, all("account-entry").await?, all("feedback").await?);
    let holds = |r: &&Record| {
        let deposits = r.fields.get("deposits").and_then(Json::as_array);
        deposits.into_iter().flatten().any(|d| d.as_str() == Some(input.deposit.as_str()))
    };
    for set in sets.iter().filter(holds).map(|r| r.id.as_str()) {
        wanted.insert(("data-set", set.to_owned()));
        let of_set =
            |r: &&Record| r.fields.get("transaction").and_then(|t| t.get("data_set")).and_then(Json::as_str) == Some(set);
        wanted.extend(entries.iter().filter(of_set).filter(|r| is_taking(r)).map(|r| ("account-entry", r.id.to_string())));
        let returned = |r: &&Record| text(&r.fields, "data_set") == Some(set);
        wanted.extend(feedback.iter().filter(returned).map(|r| ("feedback", r.id.to_string())));
    }
    let mut steps = Vec::new();
    for (kind, id) in wanted {
        let declared = KindSet::builtin()?.get(kind)?;
        for version in store.history(&context.access, kind, &id).await? {
            let title = |field: &str| text(&version.record.fields, field).unwrap_or(&id).to_owned();
            let (ja, en) = (title(&declared.title.ja), title(&declared.title.en));
            steps.push(Step {
                seq: version.seq,
                at: version.at,
                operation: version.operation,
                actor: version.actor,
                kind: kind.to_owned(),
                id: id.clone(),
                version: version.record.version,
                what: Text::new(format!("{}: {ja}", declared.label.ja), format!("{}: {en}", declared.label.en)),
                reason: version.reason,
            });
        }
    }
    steps.sort_by(|a, b| (a.seq, &a.kind, &a.id).cmp(&(b.seq, &b.kind, &b.id)));
    let units = |json: Option<&Json>| json.and_then(Json::as_i64).unwrap_or(0);
    let brought: i64 = entries.iter().map(|r| units(r.fields.get("transaction").and_then(|t| t.pointer("/duty/units")))).sum();
    let accepted = feedback.iter().filter(|r| text(&r.fields, "state") == Some("accepted"));
    let returned: i64 = accepted.map(|r| units(r.fields.get("units"))).sum();
    let checked = |r: &&Record| matches!(text(&r.fields, "state"), Some("checked" | "accepted"));
    let indicators = Indicators {
        deposits: deposits.len(),
        checked: deposits.iter().filter(checked).count(),
        releases: releases.iter().filter(|r| text(&r.fields, "deposit").is_some()).count(),
        deliveries: deliveries.len(),
        recipients: deliveries.iter().filter_map(|r| text(&r.fields, "recipient")).collect::<BTreeSet<_>>().len(),
        uses: entries.iter().filter(|r| is_taking(r)).count(),
        feedback_owed: brought - returned,
        feedback_returned: returned,
    };
    Ok(Trace { deposit: input.deposit, steps, indicators })
}

fn is_taking(record: &Record) -> bool {
    text(&record.fields, "cause") == Some("taking")
}
