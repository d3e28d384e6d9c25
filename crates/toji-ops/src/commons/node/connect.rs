//! `node connect`, `node give`, `node take`: a node that is known, and what goes there and comes from there.

use super::receive::DEPOSITORS;
use crate::commons::seat::{Actor, actor, purpose_of, standing};
use crate::commons::standing::texts;
use crate::commons::write::{id_in, present, wanted, with, write};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use toji_commons::log::{KeyKind, SigningKey};
use toji_core::record::FieldMap;
use toji_core::{Category, Error, Id, Place, Record, Result, Text};
use toji_live::peer::Peer;
use toji_store::Put;

/// Sort of the secret that holds the key of a node.
const KEY: &str = "node-own-key";

/// Input of `node connect`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConnectInput {
    /// What the other node is called here.
    ///
    /// ここでの相手の名前。
    node: String,
    /// Its address, `http://host:port`. TLS comes by a tunnel or a proxy.
    ///
    /// アドレス（`http://ホスト:ポート`）。TLS はトンネルかプロキシで加える。
    url: String,
    /// User there that stands for this node.
    ///
    /// 相手側で、このノードを表す利用者。
    user: String,
    /// What data are taken for, by the code of a purpose; research when missing.
    ///
    /// データを受け取る目的の記号。省略時は research。
    #[serde(default)]
    purpose: Option<String>,
    /// Make a new key; the one before counts until the new one is registered there.
    ///
    /// 鍵を作り直す。相手側に新しい鍵が登録されるまで、以前の鍵が有効。
    #[serde(default)]
    new_key: bool,
}

/// Output of `node connect`.
#[derive(Debug, Serialize, JsonSchema)]
struct Connected {
    /// Node.
    node: String,
    /// Public key, to be registered there.
    key: String,
    /// How.
    next: Text,
}

/// Input of `node give` and `node take`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListInput {
    /// Node.
    ///
    /// ノード。
    node: String,
    /// Data sets.
    ///
    /// データセット。
    data_sets: Vec<String>,
    /// No longer; what went before stays.
    ///
    /// やめる。既に渡したものは残る。
    #[serde(default)]
    stop: bool,
}

/// What goes to and comes from a node.
#[derive(Debug, Serialize, JsonSchema)]
struct Lists {
    /// Node.
    node: String,
    /// Data sets that are given to it.
    gives: Vec<String>,
    /// Data sets that are taken from it.
    takes: Vec<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "node connect",
                label: ["ノードの登録", "Enter a node"],
                about: [
                    "ほかの組織または基盤の Toji を登録し、そこへログインするための鍵を作ります。秘密鍵は保存先の外に出ません。示された公開鍵を、相手側で `toji user node-key` に登録してもらいます。",
                    "Enters the Toji of another organisation or of the platform and makes the key to log in there. The private key never leaves the store; have the public key shown registered there with `toji user node-key`.",
                ],
                positional: &["node", "url"],
                example: "toji node connect platform http://10.0.0.1:8080 --user node-a",
            },
            Effect::Write,
            connect,
        ),
        Operation::declare(
            Words {
                name: "node give",
                label: ["渡すデータセット", "Give data sets"],
                about: [
                    "自社のデータセットを、次の `toji node sync` から相手のノードへ渡します。相手側でも自社のものであり続けます。",
                    "Gives data sets of one's own to a node, from the next `toji node sync` on. There, too, they stay one's own.",
                ],
                positional: &["node", "data_sets…"],
                example: "toji node give platform DS-1 DS-2",
            },
            Effect::Write,
            |context: Context, input: ListInput| async move { list(&context, input, "gives", "node give").await },
        ),
        Operation::declare(
            Words {
                name: "node take",
                label: ["受け取るデータセット", "Take data sets"],
                about: [
                    "契約で持ち出しが許されたデータセットを、次の `toji node sync` から受け取ります。契約の条件は受け取った後も守られます。",
                    "Takes data sets that an agreement lets leave, from the next `toji node sync` on. The terms of the agreement hold here as well.",
                ],
                positional: &["node", "data_sets…"],
                example: "toji node take platform DS-7",
            },
            Effect::Write,
            |context: Context, input: ListInput| async move { list(&context, input, "takes", "node take").await },
        ),
    ]
}

/// Under what the key of a node is kept.
fn account(node: &Id) -> String {
    format!("node:{node}")
}

async fn connect(context: Context, input: ConnectInput) -> Result<Connected> {
    let standing = standing(&context).await?;
    let actor = actor(&context, &standing, &DEPOSITORS, Some(standing.home.as_str()))?;
    let id = id_in("node", &input.node)?;
    let user = id_in("user", &input.user)?;
    Peer::new(&input.url)?;
    if let Some(purpose) = &input.purpose {
        purpose_of(purpose)?;
    }
    let store = &context.session.store;
    let before = present(&context, "node", id.as_str()).await?;
    let kept = store.secret(&account(&id), KEY).await?;
    let same_user = before.as_ref().and_then(|r| text(&r.fields, "user")).is_some_and(|u| u == user.as_str());
    let seed = match kept.as_deref().and_then(seed_of).filter(|_| same_user && !input.new_key) {
        Some(seed) => seed,
        None => {
            let mut seed = [0u8; 32];
            crate::random::fill(&mut seed)?;
            let hex: String = seed.iter().map(|b| format!("{b:02x}")).collect();
            store.set_secret(&account(&id), KEY, &hex, context.now).await?;
            seed
        }
    };
    let key = SigningKey::from_seed(user.as_str(), KeyKind::Log, &seed)?.verifier().to_string();
    let url = input.url.trim_end_matches('/');
    // Another address may be another house: it is met anew.
    let met = before.as_ref().filter(|r| text(&r.fields, "url").as_deref() == Some(url)).and_then(|r| text(&r.fields, "house"));
    let base =
        before.map_or_else(|| with(FieldMap::new(), [("connected_at", json!(context.now.to_string()))]), |record| record.fields);
    let fields = with(
        base,
        [
            ("url", json!(url)),
            ("user", json!(user.as_str())),
            ("key", json!(key)),
            ("house", json!(met)),
            ("purpose", json!(input.purpose)),
        ],
    );
    write(&context, &actor, "node connect", None, Put::new("node", id.clone(), fields)).await?;
    let next = Text::new(
        format!("相手側で `toji user node-key {user} --key {key}` を実行してもらってください"),
        format!("have `toji user node-key {user} --key {key}` run there"),
    );
    Ok(Connected { node: id.to_string(), key, next })
}

fn seed_of(hex: &str) -> Option<[u8; 32]> {
    let mut seed = [0u8; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (i, byte) in seed.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(seed)
}

async fn list(context: &Context, input: ListInput, field: &'static str, operation: &str) -> Result<Lists> {
    let standing = standing(context).await?;
    let actor = actor(context, &standing, &DEPOSITORS, Some(standing.home.as_str()))?;
    let record = wanted(context, "node", &input.node, "node").await?;
    let mut listed = texts(&record.fields, field);
    for set in &input.data_sets {
        let id = id_in("data_sets", set)?;
        listed.retain(|l| l != id.as_str());
        if input.stop {
            continue;
        }
        if field == "gives" {
            let own = wanted(context, "data-set", id.as_str(), "data_sets").await?;
            if text(&own.fields, "owner").as_deref() != Some(standing.home.as_str()) {
                return Err(Error::new(
                    Category::Denied,
                    "E-NODE-009",
                    "他社のデータは渡せません",
                    "only what is your own can be given",
                )
                .at(Place::field("data_sets"))
                .hint("自社のデータセットを挙げてください", "name data sets of your own"));
            }
        }
        listed.push(id.to_string());
    }
    let listed = (!listed.is_empty()).then_some(listed);
    let fields = with(record.fields, [(field, json!(listed))]);
    let lists = Lists { node: record.id.to_string(), gives: texts(&fields, "gives"), takes: texts(&fields, "takes") };
    write(context, &actor, operation, None, Put::new("node", record.id, fields)).await?;
    Ok(lists)
}

/// A node that was entered, ready to be called.
pub(super) struct Node {
    pub(super) record: Record,
    /// The house it belongs to, as it said.
    pub(super) house: Id,
    pub(super) peer: Peer,
}

/// Logs in at a node.
///
/// # Errors
/// It cannot be reached, does not know the key, or belongs to another house than before.
pub(super) async fn enter(context: &Context, actor: &Actor, node: &str) -> Result<Node> {
    let record = wanted(context, "node", node, "node").await?;
    let field = |name: &str| text(&record.fields, name).unwrap_or_default();
    let (url, user) = (field("url"), field("user"));
    let kept = context.session.store.secret(&account(&record.id), KEY).await?;
    let seed = kept.as_deref().and_then(seed_of).ok_or_else(|| {
        Error::not_found("E-NODE-011", "このノードの鍵がありません", "the key of this node is not in the store")
            .at(Place::field("node"))
            .hint(
                "`toji node connect` をやり直し、公開鍵を相手側に登録してもらってください",
                "run `toji node connect` again and have the key registered there",
            )
    })?;
    let key = SigningKey::from_seed(&user, KeyKind::Log, &seed)?;
    let mut peer = Peer::new(&url)?;
    let posed = peer.call("session/node", &json!({"user": user})).await?;
    let said = |name: &str| posed.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let house = id_in("house", said("house"))?;
    if let Some(known) = text(&record.fields, "house")
        && known != house.as_str()
    {
        return Err(Error::new(
            Category::Denied,
            "E-NODE-010",
            format!("このノードは「{known}」のものでしたが、「{house}」を名乗っています"),
            format!("this node belonged to \"{known}\" and now says \"{house}\""),
        )
        .at(Place::field("node"))
        .hint(
            "相手に確かめ、正しければ `toji node connect` で別の名前として登録してください",
            "ask there; if it is right, enter it under another name with `toji node connect`",
        ));
    }
    let challenge = said("challenge");
    let signed = crate::user::answer_challenge(&key, house.as_str(), &user, challenge)?;
    let entered = peer.call("session/node", &json!({"user": user, "challenge": challenge, "signed": signed})).await;
    let entered = entered.map_err(|error| match error.code() {
        "E-LINK-014" => error.hint(
            format!("相手側で `toji user node-key {user} --key {}` を実行してもらってください", key.verifier()),
            format!("have `toji user node-key {user} --key {}` run there", key.verifier()),
        ),
        _ => error,
    })?;
    let token = entered.get("token").and_then(serde_json::Value::as_str).unwrap_or_default();
    peer.enter(token, text(&record.fields, "purpose").as_deref());
    if text(&record.fields, "house").is_none() {
        let fields = with(record.fields.clone(), [("house", json!(house))]);
        write(context, actor, "node sync", None, Put::new("node", record.id.clone(), fields)).await?;
    }
    Ok(Node { record, house, peer })
}
