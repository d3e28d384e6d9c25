//! `deposit deliver`: a checked deposit handed out under its licence, and the ledger's word for it.

use super::deposit::{self, Content};
use super::table::Row;
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use toji_core::record::FieldMap;
use toji_core::{Action, Category, Error, Id, Place, Record, Result, Text};
use toji_store::{Commit, Put};

/// Input of `deposit deliver`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Identifier of the deposit.
    ///
    /// 寄託の識別子。
    id: String,
    /// Who receives it.
    ///
    /// 提供先。
    recipient: String,
    /// What it will be used for.
    ///
    /// 利用目的。
    purpose: String,
    /// The recipient accepts the licence. Nothing is delivered without it.
    ///
    /// 提供先が利用条件に同意。同意がなければ何も提供しない。
    #[serde(default)]
    accept_licence: bool,
}

/// The terms of use.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Terms {
    /// Record of the licence.
    id: String,
    /// Its version.
    version: u64,
    /// Name.
    name: Text,
    /// Terms in the Data Use Ontology.
    duo: Vec<String>,
    /// The text people read.
    text: Text,
    /// Last day, where there is one.
    valid_until: Option<String>,
}

/// A file that belongs to the deposit.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct FileRef {
    /// Record it belongs to.
    of: String,
    /// Name.
    name: Option<String>,
    /// `sha256:…`.
    address: String,
}

/// Output of `deposit deliver`.
#[derive(Debug, Serialize, JsonSchema)]
struct Delivered {
    /// Record of the delivery.
    delivery: String,
    /// Deposit.
    deposit: String,
    /// Version of the deposit.
    deposit_version: u64,
    /// Who received it.
    recipient: String,
    /// What for.
    purpose: String,
    /// When (UTC).
    delivered_at: String,
    /// Under which terms.
    licence: Terms,
    /// The records in it.
    contents: Vec<Content>,
    /// The files they came from.
    files: Vec<FileRef>,
    /// Address of the package (`sha256:…`): the attached JSON document.
    package: String,
}

pub(super) fn operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "deposit deliver",
            label: ["寄託の提供", "Deliver a deposit"],
            about: [
                "点検済みの寄託を、利用条件への同意の下で提供します。内容の一覧と利用条件を返し、提供の事実 (誰に、どの版を、どの条件で) を台帳に残します。",
                "Delivers a checked deposit under its licence once the recipient accepts it. Returns the list of contents with the terms, and records to whom, which versions and on which terms.",
            ],
            positional: &["id", "recipient"],
            example: "toji deposit deliver DEP-1 受領機関 --purpose 発酵条件の研究 --accept-licence --out DEP-1.json",
        },
        Effect::Write,
        deliver,
    )
}

async fn deliver(context: Context, input: Input) -> Result<Answer<Delivered>> {
    let record = deposit::find(&context, &input.id).await?;
    for (field, text) in [("recipient", &input.recipient), ("purpose", &input.purpose)] {
        if text.trim().is_empty() {
            return Err(Error::input("E-DELIVERY-001", "空欄では提供できません", "this must not be blank")
                .at(Place::field(field))
                .hint("値を入れてください", "fill it in"));
        }
    }
    ready(&context, &record)?;
    let terms = terms(&context, &record, input.accept_licence).await?;
    let (outcome, records) = deposit::check(&context, &record, &[]).await?;
    if !outcome.ok {
        return Err(Error::new(
            Category::Conflict,
            "E-DELIVERY-005",
            "点検の後に内容が変わり、項目リストに合わなくなりました",
            "the contents have changed since the check and no longer fit",
        )
        .hint("`toji deposit submit` で点検し直してください", "check it again with `toji deposit submit`")
        .with(outcome.findings));
    }
    let store = &context.session.store;
    let parts: Vec<&Record> = std::iter::once(&record).chain(&records).collect();
    store.allow_records(&context.access, Action::Export, &parts).await?;
    let files = files(&context, &records).await?;
    let at = context.now.to_string();
    let document = json!({
        "deposit": full(&record), "licence": terms, "records": records.iter().map(full).collect::<Vec<_>>(), "files": files,
        "recipient": input.recipient, "purpose": input.purpose, "delivered_at": at,
    });
    let bytes = serde_json::to_vec_pretty(&document).map_err(|e| Error::bug("E-DELIVERY-006", e))?;
    let (package, bytes) = store.keep(bytes).await?;
    let id = Id::derive("dlv", &[record.id.as_str(), &package.to_string()]);
    let delivered = Delivered {
        delivery: id.to_string(),
        deposit: record.id.to_string(),
        deposit_version: record.version,
        recipient: input.recipient,
        purpose: input.purpose,
        delivered_at: at,
        licence: terms,
        contents: outcome.contents,
        files,
        package: package.to_string(),
    };
    let name = format!("{}.json", record.id);
    let put = Put::new("delivery", id, fields(&delivered, &record));
    let blobs = vec![(package, bytes.len() as u64, name.clone())];
    let commit = Commit {
        operation: "deposit deliver".into(),
        reason: Some(delivered.purpose.clone()),
        puts: vec![put],
        blobs,
        ..Commit::default()
    };
    store.commit(&context.access, context.now, commit).await?;
    Ok(Answer { output: delivered, attachment: Some(Attachment { name, media_type: "application/json", bytes }) })
}

/// Has the deposit been checked, and is its embargo over?
fn ready(context: &Context, deposit: &Record) -> Result<()> {
    let row = Row { id: deposit.id.to_string(), fields: deposit.fields.clone() };
    let state = row.text("state").unwrap_or_default();
    if !matches!(state.as_str(), "checked" | "accepted") {
        return Err(Error::new(
            Category::Conflict,
            "E-DELIVERY-002",
            format!("点検済みでない寄託は提供できません (状態: {state})"),
            format!("only a checked deposit is delivered (state: {state})"),
        )
        .at(Place::field(format!("deposit/{}/state", deposit.id)))
        .hint("先に `toji deposit submit` で点検してください", "check it first with `toji deposit submit`"));
    }
    let Some(until) = row.text("embargo_until") else { return Ok(()) };
    let today = today(context, &until);
    // To the day the embargo ends on it; a month or a year is over when it has passed.
    if today < until || (until.len() < 10 && today == until) {
        return Err(Error::new(
            Category::Denied,
            "E-DELIVERY-003",
            format!("{until} まで公開が猶予されています"),
            format!("the deposit is under embargo until {until}"),
        )
        .at(Place::field(format!("deposit/{}/embargo_until", deposit.id)))
        .hint("猶予の期限後に提供してください", "deliver it after the embargo"));
    }
    Ok(())
}

/// Today as exactly as the other date is known.
fn today(context: &Context, like: &str) -> String {
    context.now.to_string().chars().take(like.len().min(10)).collect()
}

async fn terms(context: &Context, deposit: &Record, accepted: bool) -> Result<Terms> {
    let place = || Place::field(format!("deposit/{}/licence", deposit.id));
    let Some(id) = deposit.fields.get("licence").and_then(Json::as_str) else {
        return Err(Error::new(
            Category::Conflict,
            "E-DELIVERY-004",
            "利用条件のない寄託は提供できません",
            "a deposit without a licence is not delivered",
        )
        .at(place())
        .hint("寄託に利用条件を付けてください", "give the deposit a licence"));
    };
    let record = context.session.store.record(&context.access, "licence", id, None).await.map_err(|e| e.at(place()))?;
    let version = record.version;
    let row = Row::from(record);
    let terms = Terms {
        id: row.id.clone(),
        version,
        name: row.words("name"),
        duo: row.list("duo"),
        text: row.words("text"),
        valid_until: row.text("valid_until"),
    };
    if let Some(until) = terms.valid_until.as_ref().filter(|u| today(context, u) > **u) {
        return Err(Error::new(
            Category::Conflict,
            "E-DELIVERY-007",
            format!("利用条件は {until} で終わっています"),
            format!("the licence ended on {until}"),
        )
        .at(Place::field(format!("licence/{id}/valid_until")))
        .hint("有効な利用条件に替えてください", "use a licence that is in force"));
    }
    if !accepted {
        return Err(Error::new(
            Category::Denied,
            "E-DELIVERY-008",
            format!("利用条件「{}」への同意がありません: {}", terms.name.ja, terms.text.ja),
            format!("the licence \"{}\" was not accepted: {}", terms.name.en, terms.text.en),
        )
        .at(Place::field("accept_licence"))
        .hint("条件に同意するときは accept_licence を true にしてください", "set accept_licence to true to accept the terms"));
    }
    Ok(terms)
}

fn full(record: &Record) -> Json {
    json!({ "kind": record.kind, "id": record.id, "version": record.version, "kind_version": record.kind_version, "fields": record.fields })
}

/// The files of runs and genomes: their content stays in the store, found by its address.
async fn files(context: &Context, records: &[Record]) -> Result<Vec<FileRef>> {
    let mut out: Vec<FileRef> = Vec::new();
    for record in records {
        let of = format!("{}/{}", record.kind, record.id);
        let text = |name: &str| record.fields.get(name).and_then(Json::as_str).map(str::to_owned);
        if let Some(address) = text("blob") {
            out.push(FileRef { of: of.clone(), name: None, address });
        }
        let Some(id) = text("file") else { continue };
        let file = Row::from(context.session.store.record(&context.access, "file", &id, None).await?);
        if let Some(address) = file.text("blob") {
            out.push(FileRef { of, name: file.text("name"), address });
        }
    }
    Ok(out)
}

fn fields(delivered: &Delivered, deposit: &Record) -> FieldMap {
    let mut fields = FieldMap::from_iter([
        ("deposit".to_owned(), Json::from(delivered.deposit.as_str())),
        ("deposit_version".to_owned(), Json::from(delivered.deposit_version)),
        ("licence".to_owned(), Json::from(delivered.licence.id.as_str())),
        ("licence_version".to_owned(), Json::from(delivered.licence.version)),
        ("recipient".to_owned(), Json::from(delivered.recipient.as_str())),
        ("purpose".to_owned(), Json::from(delivered.purpose.as_str())),
        ("delivered_at".to_owned(), Json::from(delivered.delivered_at.as_str())),
        ("contents".to_owned(), json!({ "records": delivered.contents, "files": delivered.files })),
        ("package".to_owned(), Json::from(delivered.package.as_str())),
    ]);
    if let Some(area) = deposit.fields.get("area") {
        fields.insert("area".into(), area.clone());
    }
    fields
}
