//! What a node may take of a data set: its plan, its runs one by one, and the files these name.

use super::parcel::{CARRIED, FORMAT, Package, Piece, Plan, Stamped, written};
use crate::commons::seat::standing;
use crate::commons::standing::{PARTS, texts};
use crate::commons::write::{id_in, wanted};
use crate::dataset::belongings;
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Access, Action, Digest, Error, Id, Place, Record, Result};

/// Input of `node plan`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlanInput {
    /// Data set.
    ///
    /// データセット。
    data_set: String,
}

/// Input of `node package`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PackageInput {
    /// Data set.
    ///
    /// データセット。
    data_set: String,
    /// Run of it.
    ///
    /// その培養。
    run: String,
}

/// Input of `node piece`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PieceInput {
    /// Address of a file that a plan or a package names.
    ///
    /// 計画または荷が指すファイルの内容アドレス。
    address: String,
}

/// Output of `node piece`.
#[derive(Debug, Serialize, JsonSchema)]
struct PieceShown {
    /// Address.
    address: String,
    /// Size in bytes.
    bytes: u64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare(
            Words {
                name: "node plan",
                label: ["データセットの荷の計画", "Plan of a parcel"],
                about: [
                    "ほかのノードが受け取るデータセットの内容と、培養ごとの指紋を示します。持ち出しが許されたものだけが含まれます。`toji node sync` が使います。",
                    "Tells another node what a data set holds and the fingerprint of each run; only what may leave is in it. It is what `toji node sync` calls.",
                ],
                positional: &["data_set"],
                example: "toji node plan DS-1",
            },
            Effect::Read,
            |context: Context, input: PlanInput| async move { plan(&context, &input.data_set).await },
        ),
        Operation::declare(
            Words {
                name: "node package",
                label: ["培養の荷", "Package of a run"],
                about: [
                    "データセットの培養一つを、記録・系列・元のファイルの内容アドレスの一覧にまとめます。`toji node sync` が使います。",
                    "Puts one run of a data set into files by address: its records, its series and the files as they came. It is what `toji node sync` calls.",
                ],
                positional: &["data_set", "run"],
                example: "toji node package DS-1 RUN-1",
            },
            Effect::Read,
            |context: Context, input: PackageInput| async move { package(&context, &input.data_set, &input.run).await },
        ),
        Operation::declare_filed(
            Words {
                name: "node piece",
                label: ["荷のファイル", "File of a parcel"],
                about: [
                    "計画または荷が指すファイルを渡します。持ち出しが許されている間だけ受け取れます。",
                    "Hands out a file that a plan or a package names, as long as what it is part of may leave.",
                ],
                positional: &["address"],
                example: "toji node piece sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            },
            Effect::Read,
            piece,
        ),
    ]
}

/// The record of a data set that may leave, with its owner.
async fn leaving(context: &Context, data_set: &str) -> Result<(Record, String)> {
    let store = &context.session.store;
    let record = store.record(&context.access, "data-set", id_in("data_set", data_set)?.as_str(), None).await?;
    store.allow_records(&context.access, Action::Export, &[&record]).await?;
    let owner = text(&record.fields, "owner").unwrap_or_default();
    Ok((record, owner))
}

/// What goes of some records: those of the owner that may leave; the rest by name.
async fn going(context: &Context, home: &Id, owner: &str, records: Vec<Record>) -> Result<(Vec<Record>, Vec<String>)> {
    let of = |r: &Record| r.owner.as_deref().unwrap_or(home.as_str()) == owner && CARRIED.contains(&r.kind.as_str());
    let named = |r: &Record| format!("{} {}", r.kind, r.id);
    let (own, others): (Vec<Record>, Vec<Record>) = records.into_iter().partition(of);
    let mut left_out: Vec<String> = others.iter().map(named).collect();
    let all: Vec<String> = own.iter().map(named).collect();
    let kept = context.session.store.allowed_of(&context.access, Action::Export, own).await?;
    let kept_names: std::collections::BTreeSet<String> = kept.iter().map(named).collect();
    left_out.extend(all.into_iter().filter(|n| !kept_names.contains(n)));
    Ok((kept, left_out))
}

/// Keeps a file that goes, and notes of what it is part: whoever may take that may fetch it.
async fn keep(context: &Context, part_of: &str, bytes: Vec<u8>) -> Result<Piece> {
    let size = bytes.len() as u64;
    let (address, _) = context.session.store.keep(bytes).await?;
    noted(context, &address.to_string(), part_of).await?;
    Ok(Piece { address: address.to_string(), bytes: size, points: 0, name: None })
}

async fn noted(context: &Context, address: &str, part_of: &str) -> Result<()> {
    context.session.store.set_setting(&format!("piece:{address}"), part_of).await
}

/// The files that records name, as they came.
async fn files_of(context: &Context, records: &[Record], part_of: &str) -> Result<Vec<Piece>> {
    let mut files = Vec::new();
    for record in records {
        let Some(address) = text(&record.fields, "blob") else { continue };
        let bytes = context.session.store.blob(&context.access, Digest::parse(&address)?).await?.len() as u64;
        noted(context, &address, part_of).await?;
        let name = text(&record.fields, "name").or_else(|| text(&record.fields, "title"));
        files.push(Piece { address, bytes, points: 0, name });
    }
    files.sort_by(|a, b| a.address.cmp(&b.address));
    files.dedup_by(|a, b| a.address == b.address);
    Ok(files)
}

/// The fingerprint of a run: its records by version, and its series.
async fn stamp(context: &Context, run: &Id, records: &[Record]) -> Result<String> {
    let mut said: Vec<String> = Vec::new();
    for record in records {
        said.push(format!("{} {} {}", record.kind, record.id, Digest::of(&written(std::slice::from_ref(record))?)));
    }
    said.sort();
    said.push(context.session.store.series_stamp(&context.access, run).await?.to_string());
    Ok(Digest::of(said.join("\n").as_bytes()).to_string())
}

/// The records of a run that go, and the names of those that do not.
async fn of_run(context: &Context, home: &Id, owner: &str, run: &Id) -> Result<(Vec<Record>, Vec<String>)> {
    let store = &context.session.store;
    let record = store.record(&context.access, "run", run.as_str(), None).await?;
    store.allow_series(&context.access, Action::Export, run.as_str()).await?;
    let records = belongings(context, &record).await?.into_values().flatten().collect();
    going(context, home, owner, records).await
}

pub(super) async fn plan(context: &Context, data_set: &str) -> Result<Plan> {
    let standing = standing(context).await?;
    let (record, owner) = leaving(context, data_set).await?;
    let store = &context.session.store;
    let mut beside = Vec::new();
    for (field, kind) in PARTS.iter().filter(|(_, kind)| *kind != "run") {
        for id in texts(&record.fields, field) {
            beside.push(store.record(&context.access, kind, &id, None).await?);
        }
    }
    let (mut kept, left_out) = going(context, &standing.home, &owner, beside).await?;
    let part_of = format!("data-set {data_set}");
    let files = files_of(context, &kept, &part_of).await?;
    let mut runs = Vec::new();
    let named = texts(&record.fields, "runs");
    for (done, run) in named.iter().enumerate() {
        context.progress.step(done as u64, Some(named.len() as u64), "培養の確認", "looking at the runs")?;
        let run = id_in("runs", run)?;
        let (records, _) = of_run(context, &standing.home, &owner, &run).await?;
        runs.push(Stamped { run: run.to_string(), stamp: stamp(context, &run, &records).await? });
    }
    kept.push(record);
    let records = keep(context, &part_of, written(&kept)?).await?;
    Ok(Plan {
        format: FORMAT.into(),
        house: standing.home.to_string(),
        owner,
        data_set: data_set.into(),
        records,
        files,
        runs,
        left_out,
    })
}

pub(super) async fn package(context: &Context, data_set: &str, run: &str) -> Result<Package> {
    let standing = standing(context).await?;
    let (record, owner) = leaving(context, data_set).await?;
    if !texts(&record.fields, "runs").iter().any(|r| r == run) {
        return Err(Error::not_found(
            "E-NODE-004",
            format!("データセット「{data_set}」に培養「{run}」はありません"),
            format!("data set \"{data_set}\" has no run \"{run}\""),
        )
        .at(Place::field("run"))
        .hint("`toji node plan` で確かめてください", "see `toji node plan`"));
    }
    let store = &context.session.store;
    // What an instrument said a moment ago goes too.
    if let Err(error) = store.seal_live(context.now).await {
        tracing::info!(code = error.code(), "another process keeps the live data; what it has not sealed does not go yet");
    }
    let run = id_in("run", run)?;
    let (records, left_out) = of_run(context, &standing.home, &owner, &run).await?;
    let stamp = stamp(context, &run, &records).await?;
    let part_of = format!("run {run}");
    let mut series = Vec::new();
    for piece in store.pack_series(&context.access, &run).await? {
        noted(context, &piece.address.to_string(), &part_of).await?;
        series.push(Piece { address: piece.address.to_string(), bytes: piece.bytes, points: piece.points, name: None });
    }
    let files = files_of(context, &records, &part_of).await?;
    let records = keep(context, &part_of, written(&records)?).await?;
    Ok(Package { run: run.to_string(), stamp, records, series, files, left_out })
}

async fn piece(context: Context, input: PieceInput) -> Result<Answer<PieceShown>> {
    let bytes = bytes_of(&context, &input.address).await?;
    let output = PieceShown { address: input.address.clone(), bytes: bytes.len() as u64 };
    let name = input.address.trim_start_matches("sha256:").to_owned();
    Ok(Answer { output, attachment: Some(Attachment { name, media_type: "application/octet-stream", bytes }) })
}

/// A file of a parcel, for whoever may take what it is part of.
pub(super) async fn bytes_of(context: &Context, address: &str) -> Result<Vec<u8>> {
    let store = &context.session.store;
    let digest = Digest::parse(address).map_err(|e| e.at(Place::field("address")))?;
    let part_of = store.setting(&format!("piece:{digest}")).await?;
    match part_of.as_deref().and_then(|p| p.split_once(' ')) {
        Some(("run", run)) => store.allow_series(&context.access, Action::Export, run).await?,
        Some(("data-set", set)) => {
            let record = wanted(context, "data-set", set, "address").await?;
            store.allow_records(&context.access, Action::Export, &[&record]).await?;
        }
        // Whether there is such a file is not told.
        _ => {
            return Err(Error::not_found("E-NODE-005", "そのファイルは荷にありません", "no parcel names this file")
                .at(Place::field("address"))
                .hint("`toji node plan` からやり直してください", "begin again with `toji node plan`"));
        }
    }
    store.blob(&Access::owner(), digest).await
}
