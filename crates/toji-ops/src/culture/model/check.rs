//! `culture check`: a model file, its quantities with units, and what is proved of its balances.

use super::model;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Result, Text};
use toji_culture::kernel::{Options, Role};
use toji_culture::model::{Balance, Kind};

/// Input of `culture check`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Model: the name of one that ships, the path of a model file, or its address after an upload.
    ///
    /// モデル：付属モデルの名前、モデルファイルの場所、または送信後のアドレス。
    model: String,
}

/// What a quantity of a model is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum What {
    Volume,
    Constant,
    Species,
    State,
    Profile,
    Defined,
    Observed,
}

/// A quantity of the model.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Name in expressions.
    name: String,
    /// Label.
    label: Text,
    /// What it is.
    what: What,
    /// Value at the start.
    value: Option<f64>,
    /// Unit, UCUM.
    unit: String,
    /// May it be set for a simulation?
    settable: bool,
    /// Where the value of a constant comes from, where that is not the source of the model.
    source: Option<String>,
}

/// A balance of a reaction.
#[derive(Debug, Serialize, JsonSchema)]
struct Proof {
    /// Reaction.
    reaction: String,
    /// Element, or electrons.
    of: String,
    /// Is it closed?
    closed: bool,
    /// Is it left open on purpose, for substances outside the model?
    open: bool,
    /// Made less used, mol per unit of the rate.
    residual: f64,
}

/// Output of `culture check`.
#[derive(Debug, Serialize, JsonSchema)]
struct Checked {
    /// Always true: faults are errors, each with its place.
    ok: bool,
    /// Identifier.
    id: String,
    /// Title.
    title: Text,
    /// Where equations and values come from.
    source: String,
    /// Unit of time, UCUM.
    time_unit: String,
    /// States that are integrated.
    states: usize,
    /// Events.
    events: usize,
    /// Quantities.
    quantities: Vec<Row>,
    /// Balances of the reactions whose species have formulas.
    balances: Vec<Proof>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture check",
            label: ["培養モデルの点検", "Check a culture model"],
            about: [
                "培養モデルのファイルを点検します。すべての数と式の単位、宣言されていない名前、互いに依存する量、元素と電子の収支を調べ、誤りはすべて場所と直し方を添えて挙げます。物質収支は化学量論と流れから導くため、書き間違えることがありません。",
                "Checks the file of a culture model: units of all numbers and expressions, names nobody declared, quantities that need each other, balances of elements and electrons. All faults are listed, each with place and remedy. Mass balances are derived from stoichiometry and streams, so that they cannot be mistyped.",
            ],
            positional: &["model"],
            example: "toji culture check monod-fed-batch",
        },
        Effect::Read,
        check,
    )
}

fn what(kind: Kind) -> What {
    match kind {
        Kind::Volume => What::Volume,
        Kind::Constant => What::Constant,
        Kind::Species => What::Species,
        Kind::State => What::State,
        Kind::Profile => What::Profile,
        Kind::Defined => What::Defined,
        Kind::Observed => What::Observed,
    }
}

async fn check(context: Context, input: Input) -> Result<Checked> {
    let model = model(&context, &input.model).await?;
    let start = model.system.simulate(&model.system.constants(), &[0.0], &Options::default())?;
    let states = model.definition.quantities.iter().filter(|q| matches!(q.role, Role::State { .. })).count();
    let mut quantities = Vec::new();
    for described in &model.described {
        let value = start.at(0)[model.system.quantity(&described.name)?];
        quantities.push(Row {
            name: described.name.clone(),
            label: described.label.clone(),
            what: what(described.kind),
            value: value.is_finite().then_some(value),
            unit: described.unit.code().to_owned(),
            settable: model.system.constant(&described.name).is_ok(),
            source: model.file.constant.get(&described.name).and_then(|c| c.source.clone()),
        });
    }
    let proof = |b: &Balance| Proof {
        reaction: b.reaction.clone(),
        of: b.of.clone(),
        closed: b.is_closed(),
        open: b.open,
        residual: b.residual,
    };
    Ok(Checked {
        ok: true,
        id: model.id.clone(),
        title: model.title.clone(),
        source: model.source.clone(),
        time_unit: model.time.code().to_owned(),
        states,
        events: model.definition.events.len(),
        quantities,
        balances: model.balances.iter().map(proof).collect(),
    })
}
