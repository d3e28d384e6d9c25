//! `protocol check`: the steps of a protocol, checked and shown as a table.

use super::{configuration, plan_of};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::{Error, Place, Result, Text};
use toji_live::command::{Ability, permitted, ranges};
use toji_live::protocol::steps::{label_of, read};
use toji_live::protocol::{Plan, Until};

/// Input of `protocol check`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Protocol, by identifier.
    ///
    /// 手順の識別子。
    #[serde(default)]
    protocol: Option<String>,
    /// Steps that are not stored yet.
    ///
    /// まだ保存していない手順の段。
    #[serde(default)]
    steps: Option<Json>,
    /// Configuration of sources: can the instrument do it, within its limits?
    ///
    /// 接続元の設定：装置が、その限界の中で実行できるかも確かめる。
    #[serde(default)]
    config: Option<String>,
    /// Source in that configuration.
    ///
    /// その設定の中の接続元。
    #[serde(default)]
    source: Option<String>,
}

/// A value that a phase sets.
#[derive(Debug, Serialize, JsonSchema)]
struct Set {
    /// Variable.
    variable: String,
    /// Label.
    label: Text,
    /// Value.
    value: f64,
    /// Unit, UCUM.
    unit: String,
}

/// A phase.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Number, from 1.
    number: usize,
    /// Unit procedure.
    unit_procedure: String,
    /// Operation.
    operation: String,
    /// Phase.
    phase: String,
    /// What is set when it begins.
    sets: Vec<Set>,
    /// What is done when it begins.
    deeds: Vec<Text>,
    /// When it is over.
    until: Text,
}

/// Output of `protocol check`.
#[derive(Debug, Serialize, JsonSchema)]
struct Checked {
    /// Always true: faults are errors, each with its place.
    ok: bool,
    /// Was the instrument's configuration looked at too?
    instrument: bool,
    /// Time that all phases with a fixed duration take, s.
    fixed_s: f64,
    /// Phases.
    phases: Vec<Row>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "protocol check",
            label: ["手順の点検", "Check a protocol"],
            about: [
                "手順（ISA-88 の単位手順・操作・フェーズ）を点検し、表で示します。誤りはすべて場所と直し方を添えて挙げます。接続設定を渡すと、その装置の上下限で実行できるかも調べます。",
                "Checks the steps of a protocol (unit procedures, operations and phases of ISA-88) and shows them as a table. All faults are listed, each with place and remedy. With a configuration it also checks that the instrument can do it within its limits.",
            ],
            positional: &["protocol"],
            example: "toji protocol check PROT-1 --config hall.toml --source hall",
        },
        Effect::Read,
        check,
    )
}

async fn check(context: Context, input: Input) -> Result<Checked> {
    let plan = match (&input.protocol, &input.steps) {
        (Some(id), None) => plan_of(&context, id).await?.1,
        (None, Some(steps)) => read(steps)?,
        _ => {
            return Err(Error::input(
                "E-PROTOCOL-015",
                "protocol か steps のどちらか一方を指定してください",
                "give either protocol or steps",
            )
            .at(Place::field("protocol"))
            .hint("登録済みの手順は protocol、未登録なら steps です", "protocol for a stored one, steps for one that is not"));
        }
    };
    if let Some(file) = &input.config {
        let (_, config) = configuration(&context, file).await?;
        let source = input.source.as_deref().unwrap_or_default();
        let control = permitted(&config, source)?;
        let ability = Ability {
            source: source.to_owned(),
            vessel: "*".into(),
            ranges: ranges(&control)?,
            deeds: control.deeds.iter().map(|d| d.deed).collect(),
        };
        plan.fits(&ability)?;
    }
    let fixed_ns: i64 = plan.phases.iter().map(|p| if let Until::Elapsed(ns) = p.until { ns } else { 0 }).sum();
    Ok(Checked { ok: true, instrument: input.config.is_some(), fixed_s: fixed_ns as f64 / 1e9, phases: rows(&plan) })
}

fn rows(plan: &Plan) -> Vec<Row> {
    let set = |set: &toji_live::protocol::Setting| Set {
        variable: set.variable.clone(),
        label: label_of(&set.variable),
        value: set.value,
        unit: set.unit.code().to_owned(),
    };
    let row = |(i, phase): (usize, &toji_live::protocol::Phase)| Row {
        number: i + 1,
        unit_procedure: phase.unit_procedure.clone(),
        operation: phase.operation.clone(),
        phase: phase.name.clone(),
        sets: phase.sets.iter().map(set).collect(),
        deeds: phase.deeds.iter().map(|deed| deed.label()).collect(),
        until: phase.until.words(),
    };
    plan.phases.iter().enumerate().map(row).collect()
}
