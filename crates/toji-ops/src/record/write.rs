//! Writing records: `record put`, `retire`, `restore`.

use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Diagnostic, Error, Id, Kind, Place, Result};
use toji_store::{Commit, Put};

/// Input of `record put`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PutInput {
    /// Kind.
    ///
    /// 種別。
    kind: String,
    /// Identifier; made when missing.
    ///
    /// 識別子。省略時は自動採番。
    #[serde(default)]
    id: Option<String>,
    /// Fields. Those not named keep their value; `null` clears one.
    ///
    /// 項目。挙げない項目は値を保ち、`null` は値を消す。
    fields: FieldMap,
    /// Why it is entered or changed.
    ///
    /// 入力または変更の理由。
    #[serde(default)]
    reason: Option<String>,
    /// Refuse when the record is at another version (0: when it exists).
    ///
    /// 記録がこの版でなければ断る（0：記録が既にあれば断る）。
    #[serde(default)]
    if_version: Option<u64>,
}

/// Output of `record put`, `retire` and `restore`.
#[derive(Debug, Serialize, JsonSchema)]
struct Written {
    /// Identifier.
    id: String,
    /// Version now.
    version: u64,
    /// Did anything change?
    changed: bool,
    /// Warnings.
    diagnostics: Vec<Diagnostic>,
}

pub(super) fn put_operation() -> Operation {
    Operation::declare(
        Words {
            name: "record put",
            label: ["記録の入力", "Enter a record"],
            about: [
                "記録を新しく入れるか、項目を改めます。以前の版は残ります。種別に合わない値は、項目名と直し方を添えて断ります。",
                "Enters a record or changes its fields. Earlier versions stay. Values that do not fit the kind are refused with field and remedy.",
            ],
            positional: &["kind", "id"],
            example: "toji record put need NEED-1 --fields '{\"title\":\"耐熱性の酵母\"}' --reason 初回登録",
        },
        Effect::Write,
        put,
    )
}

fn make_id(kind: &Kind, fields: &FieldMap, now: toji_core::Instant) -> Result<Id> {
    let content = toji_core::canonical::to_canonical(fields)?;
    Ok(Id::derive(&kind.kind, &[&content, &now.to_string()]))
}

async fn put(context: Context, input: PutInput) -> Result<Written> {
    let store = &context.session.store;
    let kind = store.kinds().get(&input.kind)?;
    let id = match &input.id {
        Some(id) => Id::parse(id).map_err(|e| e.at(Place::field("id")))?,
        None => make_id(kind, &input.fields, context.now)?,
    };
    let mut fields = match store.record(&context.access, &input.kind, id.as_str(), None).await {
        Ok(record) => record.fields,
        Err(error) if error.code() == "E-RECORD-004" => FieldMap::new(),
        Err(error) => return Err(error),
    };
    for (name, value) in input.fields {
        match value {
            Json::Null => fields.remove(&name),
            value => fields.insert(name, value),
        };
    }
    check_references(&context, kind, &fields).await?;
    may_put(&context, &input.kind, &id, &fields).await?;
    let put = Put { if_version: input.if_version, ..Put::new(&input.kind, id.clone(), fields) };
    write(&context, "record put", input.reason, put).await
}

/// There is no way around an operation that decides: what it refuses cannot be set by hand either.
///
/// # Errors
/// What `project start` and the decisions on lots refuse; `E-RECORD-006` what only operations write.
pub(super) async fn may_put(context: &Context, kind: &str, id: &Id, fields: &FieldMap) -> Result<()> {
    written_by_operations(context, kind, id, fields).await?;
    match kind {
        "project" => crate::programme::may_start(context, id.as_str(), fields).await,
        "process-step" => crate::culture::may_put_step(fields),
        "design-constraint" => crate::culture::may_put_constraint(fields),
        "lot" | "deviation" => crate::lot::may_put(context, kind, id, fields).await,
        _ => Ok(()),
    }
}

/// A forecast or an analysis that somebody typed would be counted as if it had been made. Where such a record is shared,
/// and the limits of a channel, are set by hand.
async fn written_by_operations(context: &Context, name: &str, id: &Id, fields: &FieldMap) -> Result<()> {
    let store = &context.session.store;
    let kind = store.kinds().get(name)?;
    if !kind.derived {
        return Ok(());
    }
    let before = match store.record(&context.access, name, id.as_str(), None).await {
        Ok(record) => record.fields,
        Err(error) if error.code() == "E-RECORD-004" => FieldMap::new(),
        Err(error) => return Err(error),
    };
    let free = |field: &str| {
        !before.is_empty() && (kind.area_field.as_deref() == Some(field) || (name == "channel" && field.ends_with("_limit")))
    };
    let places = before.keys().chain(fields.keys()).collect::<std::collections::BTreeSet<_>>();
    let found: Vec<Diagnostic> = places
        .into_iter()
        .filter(|field| before.get(*field) != fields.get(*field) && !free(field))
        .map(|field| {
            Diagnostic::error(
                "E-RECORD-006",
                Place::field(field),
                format!("「{}」の「{field}」は操作だけが書きます", kind.label.ja),
                format!("\"{field}\" of {} is written by operations only", kind.label.en),
            )
        })
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(Error::input(
        "E-RECORD-006",
        format!("種別「{}」は手入力できません", kind.label.ja),
        format!("records of kind \"{}\" cannot be entered by hand", kind.label.en),
    )
    .hint(
        "それを作る操作を使ってください。手で変えられるのは、すでにある記録の共有領域（チャネルでは限界も）だけです",
        "use the operation that makes them; by hand only the area of sharing of a record that is there is changed, and the limits of a channel",
    )
    .with(found))
}

/// Every reference must name a record that is there.
async fn check_references(context: &Context, kind: &Kind, fields: &FieldMap) -> Result<()> {
    let store = &context.session.store;
    let mut missing = Vec::new();
    for field in kind.fields.iter().filter(|f| f.ref_field.is_none()) {
        let (Some(target), Some(value)) = (&field.target, fields.get(&field.name)) else { continue };
        let ids: Vec<&str> = match value {
            Json::Array(ids) => ids.iter().filter_map(Json::as_str).collect(),
            other => other.as_str().into_iter().collect(),
        };
        for id in ids {
            if store.record(&context.access, target, id, None).await.is_err() {
                missing.push(
                    Diagnostic::error(
                        "E-FIELD-007",
                        Place::field(&field.name),
                        format!("「{}」の {id} という {target} はありません", field.label.ja),
                        format!("\"{}\" names {target} {id}, which does not exist", field.label.en),
                    )
                    .remedy(
                        format!("先に {target} を登録するか、識別子を直してください"),
                        format!("enter the {target} first, or correct the identifier"),
                    ),
                );
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::input("E-RECORD-005", "参照先のない項目があります", "some fields refer to records that do not exist")
        .hint("参照先を先に登録してください", "enter the records referred to first")
        .with(missing))
}

async fn write(context: &Context, operation: &str, reason: Option<String>, put: Put) -> Result<Written> {
    let id = put.id.to_string();
    let commit = Commit { operation: operation.to_owned(), reason, puts: vec![put], ..Commit::default() };
    let receipt = context.session.store.commit(&context.access, context.now, commit).await?;
    Ok(Written {
        id,
        version: receipt.versions.first().copied().unwrap_or_default(),
        changed: receipt.seq.is_some(),
        diagnostics: receipt.diagnostics,
    })
}

/// Input of `record retire` and `restore`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RetireInput {
    /// Kind.
    ///
    /// 種別。
    kind: String,
    /// Identifier.
    ///
    /// 識別子。
    id: String,
    /// Why.
    ///
    /// 理由。
    reason: String,
}

pub(super) fn retire_operation() -> Operation {
    Operation::declare(
        Words {
            name: "record retire",
            label: ["記録の使用停止", "Retire a record"],
            about: [
                "記録を一覧や検索から外します。履歴は残り、`record restore` で戻せます。",
                "Takes a record out of lists and search. Its history stays, and `record restore` brings it back.",
            ],
            positional: &["kind", "id"],
            example: "toji record retire need NEED-1 --reason 重複のため",
        },
        Effect::Write,
        |context: Context, input: RetireInput| async move { set_retired(&context, input, true).await },
    )
}

pub(super) fn restore_operation() -> Operation {
    Operation::declare(
        Words {
            name: "record restore",
            label: ["記録の復帰", "Restore a record"],
            about: ["使用停止にした記録を元に戻します。", "Brings a retired record back."],
            positional: &["kind", "id"],
            example: "toji record restore need NEED-1 --reason 誤操作",
        },
        Effect::Write,
        |context: Context, input: RetireInput| async move { set_retired(&context, input, false).await },
    )
}

async fn set_retired(context: &Context, input: RetireInput, retired: bool) -> Result<Written> {
    crate::user::may_retire(&input.kind)?;
    let record = context.session.store.record(&context.access, &input.kind, &input.id, None).await?;
    let put = Put { retired, if_version: Some(record.version), ..Put::new(&input.kind, record.id, record.fields) };
    write(context, if retired { "record retire" } else { "record restore" }, Some(input.reason), put).await
}
