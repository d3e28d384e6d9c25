//! What came in: files by address become records and series of their owner, one transaction a run.

use super::parcel::{Package, Piece, Plan, Sent, read};
use crate::commons::write::{id_in, present, with};
use crate::operation::Context;
use crate::run::text;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Error, Id, Place, Result};
use toji_store::{Commit, Put, RunSeries, unpack_series};

/// How much came in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) records: u64,
    pub(super) points: u64,
}

/// Files that are not here yet, or not in the hands of whoever brings the parcel.
pub(super) async fn missing<'a>(
    context: &Context,
    reader: &Access,
    pieces: impl Iterator<Item = &'a Piece>,
) -> Result<Vec<Piece>> {
    let store = &context.session.store;
    let mut missing = Vec::new();
    for piece in pieces {
        let digest = piece.digest()?;
        // Knowing an address is not having the file: what somebody else brought has to be sent again.
        let here = store.holds(digest).await? && store.blob(reader, digest).await.is_ok();
        if !here {
            missing.push(piece.clone());
        }
    }
    Ok(missing)
}

fn unfit(ja: impl Into<String>, en: impl Into<String>) -> Error {
    Error::input("E-NODE-006", ja, en)
        .at(Place::field("package"))
        .hint("送り主のノードで荷を作り直してもらってください", "have the parcel made again by the node that sent it")
}

/// Records in the form of the present kinds.
fn puts(context: &Context, sent: Vec<Sent>) -> Result<Vec<Put>> {
    let kinds = context.session.store.kinds();
    let mut puts = Vec::with_capacity(sent.len());
    for one in sent {
        let kind = kinds.get(&one.kind)?;
        if kind.version != one.kind_version {
            let (here, there) = (kind.version, one.kind_version);
            return Err(unfit(
                format!("種別 {} の版が違います（ここは {here}、荷は {there}）", one.kind),
                format!("kind {} has version {here} here and {there} in the parcel", one.kind),
            )
            .hint("両方の Toji を同じ版にしてください", "bring both nodes to the same version of Toji"));
        }
        puts.push(Put::new(&one.kind, one.id, one.fields));
    }
    Ok(puts)
}

/// A record that names another run than that it came with is no part of it.
fn all_of_run(sent: &[Sent], run: &str) -> Result<()> {
    let samples: BTreeSet<&str> = sent.iter().filter(|s| s.kind == "sample").map(|s| s.id.as_str()).collect();
    for one in sent {
        let of = one.fields.get("run").and_then(Json::as_str);
        let fits = match one.kind.as_str() {
            "run" => one.id.as_str() == run,
            "strain" | "vessel" | "file" => true,
            "assay" => of == Some(run) || one.fields.get("sample").and_then(Json::as_str).is_some_and(|s| samples.contains(s)),
            _ => of == Some(run),
        };
        if !fits {
            return Err(unfit(
                format!("{} {} は培養「{run}」のものではありません", one.kind, one.id),
                format!("{} {} does not belong to run \"{run}\"", one.kind, one.id),
            ));
        }
    }
    if sent.iter().any(|s| s.kind == "run") {
        return Ok(());
    }
    Err(unfit(format!("培養「{run}」の記録がありません"), format!("the record of run \"{run}\" is missing")))
}

/// Writes a run with everything that belongs to it. Doing it twice changes nothing.
pub(super) async fn run_of(
    context: &Context,
    operation: &str,
    into: &Access,
    reader: &Access,
    package: &Package,
) -> Result<Arrived> {
    let store = &context.session.store;
    let run = id_in("run", &package.run)?;
    let sent = read(&store.blob(reader, package.records.digest()?).await?)?;
    all_of_run(&sent, run.as_str())?;
    let channels: BTreeSet<Id> = sent.iter().filter(|s| s.kind == "channel").map(|s| s.id.clone()).collect();
    let records = sent.len() as u64;
    let puts = puts(context, sent)?;
    let mut series = Vec::new();
    for piece in &package.series {
        let bytes = store.blob(reader, piece.digest()?).await?;
        let unpacked = tokio::task::spawn_blocking(move || unpack_series(bytes)).await;
        let (base, of_piece) = unpacked.map_err(|e| Error::bug("E-NODE-008", e))??;
        if let Some((stranger, _)) = of_piece.iter().find(|(id, _)| !channels.contains(id)) {
            return Err(unfit(
                format!("系列 {stranger} の記録がありません"),
                format!("the record of channel {stranger} is missing"),
            ));
        }
        series.push(RunSeries { run: run.clone(), base, channels: of_piece });
    }
    let points = series.iter().flat_map(|s| &s.channels).map(|(_, p)| p.len() as u64).sum();
    let blobs = blobs(&package.files)?;
    store.commit(into, context.now, Commit { operation: operation.into(), puts, series, blobs, ..Commit::default() }).await?;
    Ok(Arrived { records, points })
}

fn blobs(files: &[Piece]) -> Result<Vec<(toji_core::Digest, u64, String)>> {
    files.iter().map(|f| Ok((f.digest()?, f.bytes, f.name.clone().unwrap_or_else(|| f.address.clone())))).collect()
}

/// Writes what a data set holds beside its runs, and gives the fields of its own record.
pub(super) async fn beside_runs(
    context: &Context,
    operation: &str,
    into: &Access,
    reader: &Access,
    plan: &Plan,
) -> Result<(Arrived, FieldMap)> {
    let store = &context.session.store;
    let sent = read(&store.blob(reader, plan.records.digest()?).await?)?;
    let (sets, rest): (Vec<Sent>, Vec<Sent>) = sent.into_iter().partition(|s| s.kind == "data-set");
    let set = match <[Sent; 1]>::try_from(sets) {
        Ok([set]) if set.id.as_str() == plan.data_set && text(&set.fields, "owner").as_deref() == Some(plan.owner.as_str()) => {
            set
        }
        _ => {
            return Err(unfit(
                format!("荷に「{}」の「{}」の記録がありません", plan.owner, plan.data_set),
                format!("the parcel does not hold the record of \"{}\" of \"{}\"", plan.data_set, plan.owner),
            ));
        }
    };
    let records = rest.len() as u64 + 1;
    let (puts, blobs) = (puts(context, rest)?, blobs(&plan.files)?);
    store.commit(into, context.now, Commit { operation: operation.into(), puts, blobs, ..Commit::default() }).await?;
    Ok((Arrived { records, points: 0 }, set.fields))
}

/// A transfer as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Transfer {
    pub(super) direction: &'static str,
    pub(super) node: Option<String>,
    pub(super) house: String,
    pub(super) data_set: String,
    /// Fingerprints of the runs that went.
    pub(super) stamps: BTreeMap<String, String>,
    pub(super) records: u64,
    pub(super) points: u64,
    pub(super) bytes: u64,
}

impl Transfer {
    pub(super) fn new(direction: &'static str, node: Option<&str>, plan: &Plan) -> Self {
        Self {
            direction,
            node: node.map(str::to_owned),
            house: plan.house.clone(),
            data_set: plan.data_set.clone(),
            stamps: BTreeMap::new(),
            records: 0,
            points: 0,
            bytes: 0,
        }
    }
    pub(super) fn id(&self) -> Id {
        Id::derive("transfer", &["node", self.direction, self.node.as_deref().unwrap_or_default(), &self.house, &self.data_set])
    }
    /// What went before, when this is its continuation.
    pub(super) async fn go_on(mut self, context: &Context) -> Result<Self> {
        if let Some(record) = present(context, "node-transfer", self.id().as_str()).await? {
            let number = |name: &str| record.fields.get(name).and_then(Json::as_u64).unwrap_or_default();
            (self.records, self.points, self.bytes) = (number("records"), number("points"), number("bytes"));
            let stamps = record.fields.get("stamps").cloned().unwrap_or_default();
            self.stamps = serde_json::from_value(stamps).unwrap_or_default();
        }
        Ok(self)
    }
    pub(super) fn put(&self, context: &Context, state: &str, reason: Option<&str>) -> Put {
        let fields = with(
            FieldMap::new(),
            [
                ("data_set", json!(self.data_set)),
                ("direction", json!(self.direction)),
                ("node", json!(self.node)),
                ("house", json!(self.house)),
                ("state", json!(state)),
                ("stamps", json!(self.stamps)),
                ("records", json!(self.records)),
                ("points", json!(self.points)),
                ("bytes", json!(self.bytes)),
                ("reason", json!(reason)),
                ("at", json!(context.now.to_string())),
            ],
        );
        Put::new("node-transfer", self.id(), fields)
    }
}

/// What is the house's own does not come from elsewhere.
///
/// # Errors
/// `E-NODE-007`.
pub(super) fn of_others(home: &Id, owner: &str) -> Result<Id> {
    let owner = id_in("owner", owner)?;
    if owner != *home {
        return Ok(owner);
    }
    Err(Error::new(
        Category::Conflict,
        "E-NODE-007",
        "自社のデータは別のノードから受け取れません",
        "what is your own does not come from another node",
    )
    .at(Place::field("data_set"))
    .hint("控えから戻すときは保存先の複製を使ってください", "to restore it, use a copy of the store"))
}
