//! `node status`: the nodes that are known, when they were reached, what went and what waits.

use super::sync::contact_key;
use crate::commons::seat::standing;
use crate::commons::standing::texts;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::{Record, Result, Text};

/// Input of `node status`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// One node; all when missing.
    ///
    /// ノード。省略時はすべて。
    #[serde(default)]
    node: Option<String>,
}

/// A transfer.
#[derive(Debug, Serialize, JsonSchema)]
struct Moved {
    /// Data set.
    data_set: String,
    /// Direction.
    direction: String,
    /// State.
    state: String,
    /// Runs that went.
    runs: u64,
    /// Points.
    points: u64,
    /// Bytes.
    bytes: u64,
    /// When.
    at: String,
}

/// A node.
#[derive(Debug, Serialize, JsonSchema)]
struct Known {
    /// Node.
    node: String,
    /// Address.
    url: String,
    /// Organisation it belongs to, once it was reached.
    house: Option<String>,
    /// User there.
    user: String,
    /// When it was last reached.
    reached_at: Option<String>,
    /// When it was last tried in vain.
    tried_at: Option<String>,
    /// Why in vain.
    error: Option<Text>,
    /// Data sets that are to be given and have not gone yet.
    waiting: Vec<String>,
    /// Data sets that are to be taken and have not come yet.
    coming: Vec<String>,
    /// What went.
    transfers: Vec<Moved>,
}

/// Output of `node status`.
#[derive(Debug, Serialize, JsonSchema)]
struct Nodes {
    /// Nodes.
    nodes: Vec<Known>,
    /// What other nodes deposited here.
    received: Vec<Moved>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::declare(
        Words {
            name: "node status",
            label: ["ノードの状態", "State of the nodes"],
            about: [
                "登録したノードごとに、最後につながった時刻、渡した・受け取ったデータセット、まだ渡していないもの・届いていないものを示します。",
                "Shows for each node that was entered when it was last reached, which data sets went and came, and what still waits to go or to come.",
            ],
            positional: &["node"],
            example: "toji node status",
        },
        Effect::Read,
        |context: Context, input: Input| async move { status(&context, input).await },
    )]
}

async fn status(context: &Context, input: Input) -> Result<Nodes> {
    standing(context).await?;
    let store = &context.session.store;
    let records = match &input.node {
        Some(id) => vec![store.record(&context.access, "node", id, None).await?],
        None => store.records(&context.access, "node", None, false).await?,
    };
    let transfers = store.records(&context.access, "node-transfer", None, false).await?;
    let mut nodes = Vec::new();
    for record in records {
        let contact = store.setting(&contact_key(record.id.as_str())).await?;
        let contact: Json = contact.and_then(|c| serde_json::from_str(&c).ok()).unwrap_or_default();
        let told = |name: &str| contact.get(name).and_then(Json::as_str).map(str::to_owned);
        let of_node = |t: &&Record| text(&t.fields, "node").as_deref() == Some(record.id.as_str());
        let transfers: Vec<Moved> = transfers.iter().filter(of_node).map(moved).collect();
        let open = |list: &str, direction: &str| -> Vec<String> {
            let done =
                |set: &String| transfers.iter().any(|t| t.data_set == *set && t.direction == direction && t.state == "done");
            texts(&record.fields, list).into_iter().filter(|set| !done(set)).collect()
        };
        nodes.push(Known {
            url: text(&record.fields, "url").unwrap_or_default(),
            house: text(&record.fields, "house"),
            user: text(&record.fields, "user").unwrap_or_default(),
            reached_at: told("reached_at"),
            tried_at: told("tried_at"),
            error: contact.get("error").cloned().and_then(|e| serde_json::from_value(e).ok()),
            waiting: open("gives", "given"),
            coming: open("takes", "taken"),
            node: record.id.to_string(),
            transfers,
        });
    }
    let received = transfers.iter().filter(|t| text(&t.fields, "direction").as_deref() == Some("received")).map(moved).collect();
    Ok(Nodes { nodes, received })
}

fn moved(record: &Record) -> Moved {
    let field = |name: &str| text(&record.fields, name).unwrap_or_default();
    let number = |name: &str| record.fields.get(name).and_then(Json::as_u64).unwrap_or_default();
    Moved {
        data_set: field("data_set"),
        direction: field("direction"),
        state: field("state"),
        runs: record.fields.get("stamps").and_then(Json::as_object).map_or(0, |s| s.len() as u64),
        points: number("points"),
        bytes: number("bytes"),
        at: field("at"),
    }
}
