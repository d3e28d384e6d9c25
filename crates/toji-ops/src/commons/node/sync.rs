//! `node sync`: everything that is to be done with a node. Whatever breaks off goes on where it was.

use super::connect::{Node, enter};
use super::inflow::data_of;
use super::mirror::{apply, to_deliver};
use super::pack::{bytes_of, package, plan};
use super::parcel::{Package, Piece, Plan, Sent};
use super::receive::DEPOSITORS;
use super::take::{Arrived, Transfer, beside_runs, missing, of_others, run_of};
use crate::commons::seat::{Actor, actor, standing};
use crate::commons::standing::texts;
use crate::commons::write::write;
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::time::Duration;
use toji_core::{Access, Category, Digest, Error, Place, Result, Text};

/// Input of `node sync`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Node.
    ///
    /// ノード。
    node: String,
    /// Again and again, every so many minutes, until it is stopped; a node that is away is tried again.
    ///
    /// この間隔（分）で繰り返し、止めるまで続ける。つながらないときは次の回にやり直す。
    #[serde(default)]
    every_min: Option<u32>,
}

/// A data set that went.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Went {
    /// Data set.
    data_set: String,
    /// Runs that went now.
    runs: u64,
    /// Runs that were there already.
    runs_known: u64,
    /// Records.
    records: u64,
    /// Points.
    points: u64,
    /// Bytes that went over the network.
    bytes: u64,
}

/// What did not go, and why.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "NotExchanged")]
struct Refused {
    /// Data set or agreement.
    what: String,
    /// Why.
    reason: Text,
}

/// Output of `node sync`.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Synced {
    /// Node.
    node: String,
    /// Organisation it belongs to.
    house: String,
    /// Rounds.
    rounds: u64,
    /// Records of the commons that are new or changed here.
    mirrored: u64,
    /// Records of the commons that were not taken over, and why.
    left_out: Vec<Text>,
    /// Agreements whose signature was delivered.
    delivered: Vec<String>,
    /// Data sets that were given.
    given: Vec<Went>,
    /// Data sets that were taken.
    taken: Vec<Went>,
    /// What was refused.
    refused: Vec<Refused>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "node sync",
                label: ["ノードとの同期", "Exchange with a node"],
                about: [
                    "相手のノードと、会員・契約・データセットの目録を写し、署名を届け、渡すものを渡し、受け取るものを受け取ります。途中で切れても続きから行い、変わらないものは二度送りません。つながらないときも、自社の保存先はそのまま使えます。",
                    "Brings over members, agreements and the catalogue from a node, delivers signatures, gives what is to be given and takes what is to be taken. What breaks off goes on where it was, and what has not changed is not sent again. While a node is away one's own store works as ever.",
                ],
                positional: &["node"],
                example: "toji node sync platform",
            },
            Effect::Write,
            sync,
        )
        .long(),
    ]
}

/// When a node was last reached, or tried in vain: a setting and no record, so that trying leaves no trace.
pub(super) fn contact_key(node: &str) -> String {
    format!("node-contact:{node}")
}

async fn sync(context: Context, input: Input) -> Result<Synced> {
    // Whoever may not is refused at once, before anything is noted or tried again.
    let now_standing = standing(&context).await?;
    actor(&context, &now_standing, &DEPOSITORS, Some(now_standing.home.as_str()))?;
    let begun = tokio::time::Instant::now();
    let mut all = Synced { node: input.node.clone(), ..Synced::default() };
    loop {
        let passed = i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let now = context.now.plus_ns(passed).unwrap_or(context.now);
        let context = Context { now, ..context.clone() };
        let done = once(&context, &input.node).await;
        let contact = match &done {
            Ok(_) => json!({"reached_at": now.to_string()}),
            Err(error) => {
                let kept = context.session.store.setting(&contact_key(&input.node)).await?;
                let before: Json = kept.and_then(|k| serde_json::from_str(&k).ok()).unwrap_or_else(|| json!({}));
                json!({"reached_at": before.get("reached_at"), "tried_at": now.to_string(), "error": error.fault().message})
            }
        };
        context.session.store.set_setting(&contact_key(&input.node), &contact.to_string()).await?;
        match (done, input.every_min) {
            (Ok(done), None) => return Ok(Synced { rounds: 1, ..done }),
            (Err(error), None) => return Err(error),
            (Ok(done), Some(_)) => all = Synced { rounds: all.rounds + 1, ..done },
            (Err(error), Some(_)) if error.category() == Category::Cancelled => return Err(error),
            (Err(error), Some(_)) => {
                tracing::warn!(code = error.code(), node = %input.node, "an exchange did not succeed; it is tried again");
            }
        }
        let until = tokio::time::Instant::now() + Duration::from_secs(60 * u64::from(input.every_min.unwrap_or(1).max(1)));
        while tokio::time::Instant::now() < until {
            context.progress.step(all.rounds, None, "次の回を待機", "waiting for the next round")?;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// A node that is away, or a work that was cancelled, ends the round; anything else concerns one data set.
fn ends(error: &Error) -> bool {
    error.code() == "E-LINK-001" || matches!(error.category(), Category::Cancelled | Category::Storage | Category::Bug)
}

async fn once(context: &Context, name: &str) -> Result<Synced> {
    let now_standing = standing(context).await?;
    let actor = actor(context, &now_standing, &DEPOSITORS, Some(now_standing.home.as_str()))?;
    context.progress.step(0, None, "接続", "connecting")?;
    let mut node = enter(context, &actor, name).await?;
    let done = with(context, &actor, &node).await;
    node.peer.leave().await;
    done
}

async fn with(context: &Context, actor: &Actor, node: &Node) -> Result<Synced> {
    let now_standing = standing(context).await?;
    if node.house == now_standing.home {
        return Err(Error::new(Category::Conflict, "E-NODE-012", "このノード自身です", "this is the node itself")
            .at(Place::field("node"))
            .hint("相手のアドレスを確かめてください", "check the address"));
    }
    let mut done = Synced { node: node.record.id.to_string(), house: node.house.to_string(), ..Synced::default() };
    context.progress.step(0, None, "目録と契約の写し", "mirroring catalogue and agreements")?;
    let there: Vec<Sent> = asked(node, "node/mirror", &json!({}), "records").await?;
    let applied = apply(context, &now_standing, &node.house, &actor.id, there.clone()).await?;
    (done.mirrored, done.left_out) = (applied.changed, applied.left_out);
    let standing = standing(context).await?;
    for (agreement, signed) in to_deliver(context, &standing, &there).await? {
        let input = json!({"id": agreement, "organisation": standing.home, "signed": signed});
        match node.peer.call("commons/sign", &input).await {
            Ok(_) => done.delivered.push(agreement.to_string()),
            Err(error) if ends(&error) => return Err(error),
            Err(error) => done.refused.push(refused(agreement.as_str(), &error)),
        }
    }
    for data_set in texts(&node.record.fields, "gives") {
        match give(context, actor, node, &data_set).await {
            Ok(went) => done.given.push(went),
            Err(error) if ends(&error) => return Err(error),
            Err(error) => done.refused.push(refused(&data_set, &error)),
        }
    }
    for data_set in texts(&node.record.fields, "takes") {
        match take(context, actor, node, &data_set).await {
            Ok(went) => done.taken.push(went),
            Err(error) if ends(&error) => return Err(error),
            Err(error) => done.refused.push(refused(&data_set, &error)),
        }
    }
    Ok(done)
}

fn refused(what: &str, error: &Error) -> Refused {
    Refused { what: what.to_owned(), reason: error.fault().message.clone() }
}

/// The answer of an operation there, or one field of it.
async fn asked<T: DeserializeOwned>(node: &Node, path: &str, input: &Json, field: &str) -> Result<T> {
    let mut answer = node.peer.call(path, input).await?;
    let told = if field.is_empty() { answer } else { answer.get_mut(field).map(Json::take).unwrap_or_default() };
    serde_json::from_value(told).map_err(|e| {
        Error::input(
            "E-NODE-013",
            format!("相手のノードの答えが読めません（{path}）: {e}"),
            format!("the other node's answer to {path} is not readable: {e}"),
        )
        .hint("両方の Toji を同じ版にしてください", "bring both nodes to the same version of Toji")
    })
}

async fn give(context: &Context, actor: &Actor, node: &Node, data_set: &str) -> Result<Went> {
    let plan = plan(context, data_set).await?;
    let house = node.house.to_string();
    let name = node.record.id.as_str();
    let mut transfer = Transfer { house, ..Transfer::new("given", Some(name), &plan) }.go_on(context).await?;
    let mut went = Went { data_set: data_set.into(), runs: 0, runs_known: 0, records: 0, points: 0, bytes: 0 };
    let total = Some(plan.runs.len() as u64);
    for (n, stamped) in plan.runs.iter().enumerate() {
        context.progress.step(n as u64, total, format!("{data_set} を渡しています"), format!("giving {data_set}"))?;
        if transfer.stamps.get(&stamped.run) == Some(&stamped.stamp) {
            went.runs_known += 1;
            continue;
        }
        let package = package(context, data_set, &stamped.run).await?;
        let got = hand_over(context, node, &json!({"plan": plan, "package": package}), &mut went).await?;
        (transfer.records, transfer.points) = (transfer.records + got.records, transfer.points + package.points());
        transfer.bytes += package.bytes();
        transfer.stamps.insert(package.run.clone(), package.stamp.clone());
        went.runs += 1;
        went.records += got.records;
        went.points += package.points();
        write(context, actor, "node sync", None, transfer.put(context, "under-way", None)).await?;
    }
    let got = hand_over(context, node, &json!({"plan": plan}), &mut went).await?;
    went.records += got.records;
    write(context, actor, "node sync", None, transfer.put(context, "done", None)).await?;
    Ok(went)
}

/// Has the other node receive something, after it got the files that it lacks.
async fn hand_over(context: &Context, node: &Node, input: &Json, went: &mut Went) -> Result<Arrived> {
    #[derive(Deserialize)]
    struct Received {
        done: bool,
        missing: Vec<Piece>,
        records: u64,
        points: u64,
    }
    for _ in 0..3 {
        let got: Received = asked(node, "node/receive", input, "").await?;
        if got.done {
            return Ok(Arrived { records: got.records, points: got.points });
        }
        for piece in got.missing {
            context.progress.step(went.runs, None, "送信中", "sending")?;
            let bytes = bytes_of(context, &piece.address).await?;
            went.bytes += bytes.len() as u64;
            node.peer.upload(piece.name.as_deref().unwrap_or("piece"), &bytes).await?;
        }
    }
    Err(Error::input("E-NODE-014", "送ったファイルが相手に残りません", "files that were sent do not stay there")
        .hint("相手側のディスクと版を確かめてもらってください", "have the disk and the version checked there"))
}

async fn take(context: &Context, actor: &Actor, node: &Node, data_set: &str) -> Result<Went> {
    let plan: Plan = asked(node, "node/plan", &json!({"data_set": data_set}), "").await?;
    plan.known()?;
    let home = standing(context).await?.home.clone();
    let owner = of_others(&home, &plan.owner)?;
    let (into, reader) = (data_of(owner.as_str(), &actor.id), Access::owner());
    let house = node.house.to_string();
    let mut transfer = Transfer { house, ..Transfer::new("taken", Some(node.record.id.as_str()), &plan) }.go_on(context).await?;
    let mut went = Went { data_set: data_set.into(), runs: 0, runs_known: 0, records: 0, points: 0, bytes: 0 };
    fetch(context, node, &reader, plan.pieces(), &mut went).await?;
    let (beside, _) = beside_runs(context, "node sync", &into, &reader, &plan).await?;
    went.records += beside.records;
    let total = Some(plan.runs.len() as u64);
    for (n, stamped) in plan.runs.iter().enumerate() {
        context.progress.step(n as u64, total, format!("{data_set} を受け取っています"), format!("taking {data_set}"))?;
        if transfer.stamps.get(&stamped.run) == Some(&stamped.stamp) {
            went.runs_known += 1;
            continue;
        }
        let package: Package = asked(node, "node/package", &json!({"data_set": data_set, "run": stamped.run}), "").await?;
        if package.run != stamped.run {
            return Err(Error::input("E-NODE-015", "頼んだ培養と違うものが届きました", "another run came than was asked for"));
        }
        fetch(context, node, &reader, package.pieces(), &mut went).await?;
        let got = run_of(context, "node sync", &into, &reader, &package).await?;
        (went.runs, went.records, went.points) = (went.runs + 1, went.records + got.records, went.points + got.points);
        (transfer.records, transfer.points) = (transfer.records + got.records, transfer.points + got.points);
        transfer.bytes += package.bytes();
        transfer.stamps.insert(package.run, package.stamp);
        write(context, actor, "node sync", None, transfer.put(context, "under-way", None)).await?;
    }
    write(context, actor, "node sync", None, transfer.put(context, "done", None)).await?;
    Ok(went)
}

/// Fetches what is not here yet; each file is what its address says, or it is not kept.
async fn fetch<'a>(
    context: &Context,
    node: &Node,
    reader: &Access,
    pieces: impl Iterator<Item = &'a Piece>,
    went: &mut Went,
) -> Result<()> {
    for piece in missing(context, reader, pieces).await? {
        context.progress.step(went.runs, None, "受信中", "receiving")?;
        let bytes = node.peer.fetch("node/piece", &json!({"address": piece.address})).await?;
        if Digest::of(&bytes) != piece.digest()? {
            return Err(Error::input(
                "E-NODE-016",
                format!("{} の内容が違います", piece.address),
                format!("the content of {} is another", piece.address),
            )
            .hint("もう一度同期してください", "exchange again"));
        }
        went.bytes += bytes.len() as u64;
        context.session.store.keep(bytes).await?;
    }
    Ok(())
}
