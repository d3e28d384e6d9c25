//! A parcel without a network: one ZIP, signed by the house that made it, carried by whatever carries files.

use super::inflow::data_of;
use super::pack::{bytes_of, package, plan};
use super::parcel::{Package, Piece, Plan};
use super::receive::{DEPOSITORS, Received, receive};
use super::take::{Arrived, Transfer, beside_runs, of_others, run_of};
use crate::commons::agreement::key_from;
use crate::commons::seat::{actor, standing};
use crate::commons::write::write;
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use toji_commons::log::{KeyKind, Note};
use toji_core::{Access, Category, Digest, Error, Id, Place, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// First line of what is signed; no other note of the house begins so.
const HEADING: &str = "toji parcel v1";
/// Bytes of a parcel in a file, unpacked, at most.
const BYTES_MAX: u64 = 8 << 30;

/// Input of `node export`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExportInput {
    /// Data set.
    ///
    /// データセット。
    data_set: String,
    /// Key file of the house, on this machine.
    ///
    /// この機械にある、自社の鍵のファイル。
    key_file: String,
}

/// Output of `node export`.
#[derive(Debug, Serialize, JsonSchema)]
struct Exported {
    /// Data set.
    data_set: String,
    /// Runs in it.
    runs: u64,
    /// Points in it.
    points: u64,
    /// Hash of what was signed.
    digest: String,
    /// What did not come along.
    left_out: Vec<String>,
}

/// Input of `node import`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ImportInput {
    /// Parcel: a file of this machine, or the address of an upload.
    ///
    /// 荷のファイル（この機械のファイル、または送ったファイルの内容アドレス）。
    file: String,
}

/// Output of `node import`.
#[derive(Debug, Serialize, JsonSchema)]
struct Imported {
    /// Data set.
    data_set: String,
    /// Owner.
    owner: String,
    /// House that made and signed it.
    house: String,
    /// Runs.
    runs: u64,
    /// Records.
    records: u64,
    /// Points.
    points: u64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::declare_filed(
            Words {
                name: "node export",
                label: ["荷の書き出し", "Write a parcel to a file"],
                about: [
                    "データセットを署名付きの ZIP 一つに書き出します。ネットワークでつながらないノードへ、記録媒体で渡せます。",
                    "Writes a data set into one signed ZIP, to be carried to a node that no network reaches.",
                ],
                positional: &["data_set"],
                example: "toji node export DS-1 --key-file org-a.key --out ds-1.zip",
            },
            Effect::Read,
            export,
        )
        .long(),
        Operation::declare(
            Words {
                name: "node import",
                label: ["荷の読み込み", "Read a parcel from a file"],
                about: [
                    "署名付きの ZIP からデータセットを読み込みます。署名は作った組織の登録された鍵で確かめ、署名と合わないものは一つも保存しません。",
                    "Reads a data set from a signed ZIP. The signature is checked under the registered key of the house that made it, and nothing is kept that it does not cover.",
                ],
                positional: &["file"],
                example: "toji node import ds-1.zip",
            },
            Effect::Write,
            import,
        )
        .long(),
    ]
}

/// What is signed: plan and packages name every file by its hash.
fn signed_text(plan: &Plan, packages: &[Package]) -> Result<(String, Digest)> {
    let digest = Digest::of(toji_core::canonical::to_canonical(&(plan, packages))?.as_bytes());
    Ok((format!("{HEADING}\n{}\n{}\n{digest}\n", plan.house, plan.data_set), digest))
}

async fn export(context: Context, input: ExportInput) -> Result<Answer<Exported>> {
    let standing = standing(&context).await?;
    let key = key_from(&context, &input.key_file, KeyKind::Log)?;
    if key.verifier().name() != standing.home.as_str() {
        return Err(Error::input("E-NODE-017", "自社の鍵ではありません", "this is not the key of the house")
            .at(Place::field("key_file"))
            .hint("`toji commons make-key` で作った自社の鍵を指定してください", "give the key of the house"));
    }
    let plan = plan(&context, &input.data_set).await?;
    let mut packages = Vec::new();
    for (n, stamped) in plan.runs.iter().enumerate() {
        context.progress.step(n as u64, Some(plan.runs.len() as u64), "培養をまとめています", "packing the runs")?;
        packages.push(package(&context, &input.data_set, &stamped.run).await?);
    }
    let (text, digest) = signed_text(&plan, &packages)?;
    let mut note = Note::new(text)?;
    note.add(key.sign(note.text())?);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let fault = |e: zip::result::ZipError| Error::bug("E-NODE-018", e);
    // Equal parcels give equal files.
    let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut add = |name: &str, bytes: &[u8]| -> Result<()> {
        zip.start_file(name, plain).map_err(fault)?;
        zip.write_all(bytes).map_err(|e| Error::bug("E-NODE-018", e))
    };
    add("plan.json", toji_core::canonical::to_canonical(&plan)?.as_bytes())?;
    add("packages.json", toji_core::canonical::to_canonical(&packages)?.as_bytes())?;
    add("note.txt", note.to_string().as_bytes())?;
    let mut pieces: BTreeMap<&str, &Piece> = plan.pieces().map(|p| (p.address.as_str(), p)).collect();
    pieces.extend(packages.iter().flat_map(Package::pieces).map(|p| (p.address.as_str(), p)));
    for address in pieces.keys() {
        let bytes = bytes_of(&context, address).await?;
        add(&format!("pieces/{}", address.trim_start_matches("sha256:")), &bytes)?;
    }
    let bytes = zip.finish().map_err(fault)?.into_inner();
    let output = Exported {
        data_set: input.data_set.clone(),
        runs: packages.len() as u64,
        points: packages.iter().map(Package::points).sum(),
        digest: digest.to_string(),
        left_out: plan.left_out.iter().chain(packages.iter().flat_map(|p| &p.left_out)).cloned().collect(),
    };
    let attachment = Attachment { name: format!("{}.zip", input.data_set), media_type: "application/zip", bytes };
    Ok(Answer { output, attachment: Some(attachment) })
}

fn unreadable(why: impl std::fmt::Display) -> Error {
    Error::input("E-NODE-019", format!("荷のファイルを読めません: {why}"), format!("the parcel is not readable: {why}"))
        .at(Place::field("file"))
        .hint("`toji node export` で作り直してもらってください", "have it made again with `toji node export`")
}

/// A parcel as it came, not believed yet.
struct Opened {
    plan: Plan,
    packages: Vec<Package>,
    note: Note,
    pieces: Vec<Vec<u8>>,
}

fn open(bytes: &[u8]) -> Result<Opened> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    let mut room = BYTES_MAX;
    let mut read = |name: &str| -> Result<Vec<u8>> {
        let file = zip.by_name(name).map_err(unreadable)?;
        let mut out = Vec::new();
        // A header can say anything about the size.
        file.take(room).read_to_end(&mut out).map_err(unreadable)?;
        room = room.saturating_sub(out.len() as u64);
        if room == 0 { Err(unreadable("too large")) } else { Ok(out) }
    };
    let plan: Plan = serde_json::from_slice(&read("plan.json")?).map_err(unreadable)?;
    let packages: Vec<Package> = serde_json::from_slice(&read("packages.json")?).map_err(unreadable)?;
    let note = Note::parse(&String::from_utf8(read("note.txt")?).map_err(unreadable)?)?;
    let mut pieces = Vec::new();
    for piece in plan.pieces().chain(packages.iter().flat_map(Package::pieces)) {
        let digest = piece.digest()?;
        let bytes = read(&format!("pieces/{}", digest.hex()))?;
        if Digest::of(&bytes) != digest {
            return Err(unreadable(format!("{digest} is another")));
        }
        pieces.push(bytes);
    }
    Ok(Opened { plan, packages, note, pieces })
}

async fn import(context: Context, input: ImportInput) -> Result<Imported> {
    let standing = standing(&context).await?;
    let (_, bytes) = crate::run::fetch(&context, &input.file).await?;
    let Opened { plan, packages, note, pieces } =
        tokio::task::spawn_blocking(move || open(&bytes)).await.map_err(|e| Error::bug("E-NODE-018", e))??;
    plan.known()?;
    let house = Id::parse(&plan.house).map_err(|e| e.at(Place::field("file")))?;
    let unsigned = || {
        Error::new(
            Category::Denied,
            "E-NODE-020",
            format!("「{}」の署名がないか、合いません", plan.house),
            format!("it is not signed by \"{}\", or the signature does not fit", plan.house),
        )
        .at(Place::field("file"))
        .hint(
            "相手の公開鍵が登録されているか確かめ、作り直してもらってください",
            "see whether its public key is registered, and have the parcel made again",
        )
    };
    let key = standing.keys.get(&house).ok_or_else(unsigned)?;
    let (said, _) = signed_text(&plan, &packages)?;
    if note.text() != said || note.verified(std::slice::from_ref(key)).is_err() {
        return Err(unsigned());
    }
    let named = packages.iter().map(|p| &p.run).eq(plan.runs.iter().map(|r| &r.run));
    if !named {
        return Err(unreadable("runs are missing"));
    }
    let deposit = plan.house == plan.owner;
    let for_whom = if deposit { plan.owner.as_str() } else { standing.home.as_str() };
    let actor = actor(&context, &standing, &DEPOSITORS, Some(for_whom))?;
    if !deposit {
        carries_for_others(&context, &plan).await?;
    }
    let store = &context.session.store;
    for bytes in pieces {
        let (address, _) = store.keep(bytes).await?;
        store.note_sender(&context.access, address).await?;
    }
    let mut done = Imported {
        data_set: plan.data_set.clone(),
        owner: plan.owner.clone(),
        house: plan.house.clone(),
        runs: 0,
        records: 0,
        points: 0,
    };
    let total = Some(packages.len() as u64);
    if deposit && house != standing.home {
        for package in &packages {
            context.progress.step(done.runs, total, "培養を保存しています", "keeping the runs")?;
            done.take(receive(&context, &actor, &plan, Some(package)).await?);
            done.runs += 1;
        }
        done.take(receive(&context, &actor, &plan, None).await?);
        return Ok(done);
    }
    let owner = of_others(&standing.home, &plan.owner)?;
    let (into, reader) = (data_of(owner.as_str(), &actor.id), Access::owner());
    let mut transfer = Transfer::new("taken", None, &plan).go_on(&context).await?;
    let (beside, _) = beside_runs(&context, "node import", &into, &reader, &plan).await?;
    done.records += beside.records;
    for package in &packages {
        context.progress.step(done.runs, total, "培養を保存しています", "keeping the runs")?;
        let Arrived { records, points } = run_of(&context, "node import", &into, &reader, package).await?;
        (done.runs, done.records, done.points) = (done.runs + 1, done.records + records, done.points + points);
        transfer.stamps.insert(package.run.clone(), package.stamp.clone());
        transfer.bytes += package.bytes();
    }
    (transfer.records, transfer.points) = (done.records, done.points);
    write(&context, &actor, "node import", None, transfer.put(&context, "done", None)).await?;
    Ok(done)
}

impl Imported {
    fn take(&mut self, received: Received) {
        self.records += received.records;
        self.points += received.points;
    }
}

/// Only a house that was connected carries data of others.
async fn carries_for_others(context: &Context, plan: &Plan) -> Result<()> {
    let nodes = context.session.store.records(&Access::owner(), "node", None, false).await?;
    if nodes.iter().any(|n| text(&n.fields, "house").as_deref() == Some(plan.house.as_str())) {
        return Ok(());
    }
    Err(Error::new(
        Category::Denied,
        "E-NODE-021",
        format!("「{}」は「{}」のデータを渡せるノードとして登録されていません", plan.house, plan.owner),
        format!("\"{}\" is not connected as a node that brings data of \"{}\"", plan.house, plan.owner),
    )
    .at(Place::field("file"))
    .hint(
        "先に `toji node connect` と `toji node sync` を実行してください",
        "first run `toji node connect` and `toji node sync`",
    ))
}
