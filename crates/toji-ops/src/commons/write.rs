//! Writing the records of the commons: one new version, or nothing when it says the same.

use super::seat::Actor;
use crate::operation::Context;
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Access, Category, Error, Id, Place, Record, Result};
use toji_store::{Commit, Put};

/// A record of the commons as it is; `None` where there is none.
pub(super) async fn present(context: &Context, kind: &str, id: &str) -> Result<Option<Record>> {
    match context.session.store.record(&Access::owner(), kind, id, None).await {
        Ok(record) => Ok(Some(record)),
        Err(error) if error.category() == Category::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A record of the commons that must be there.
///
/// # Errors
/// `E-COMMONS-005` there is none.
pub(super) async fn wanted(context: &Context, kind: &str, id: &str, field: &str) -> Result<Record> {
    let label = context.session.store.kinds().get(kind)?.label.clone();
    present(context, kind, id).await?.ok_or_else(|| {
        Error::not_found(
            "E-COMMONS-005",
            format!("{}「{id}」はありません", label.ja),
            format!("there is no {} \"{id}\"", label.en.to_lowercase()),
        )
        .at(Place::field(field))
        .hint(
            format!("`toji record list {kind}` で識別子を確かめてください"),
            format!("see the identifiers with `toji record list {kind}`"),
        )
    })
}

/// Fields of a record, set or cleared.
pub(super) fn with(mut fields: FieldMap, changes: impl IntoIterator<Item = (&'static str, Json)>) -> FieldMap {
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.to_owned(), value);
        }
    }
    fields
}

/// Writes one record under the office of whoever acts.
pub(super) async fn write(context: &Context, actor: &Actor, operation: &str, reason: Option<String>, put: Put) -> Result<()> {
    write_all(context, actor, operation, reason, vec![put]).await
}

/// Writes some records at once, all or none.
pub(super) async fn write_all(
    context: &Context,
    actor: &Actor,
    operation: &str,
    reason: Option<String>,
    puts: Vec<Put>,
) -> Result<()> {
    let commit = Commit { operation: operation.to_owned(), reason, puts, ..Commit::default() };
    context.session.store.commit(&actor.office, context.now, commit).await.map(|_| ())
}

/// An identifier given in a field.
pub(super) fn id_in(field: &str, text: &str) -> Result<Id> {
    Id::parse(text).map_err(|e| e.at(Place::field(field)))
}

/// What must be said in words.
///
/// # Errors
/// `E-COMMONS-006` nothing is said.
pub(super) fn said<'a>(field: &str, text: &'a str) -> Result<&'a str> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::input("E-COMMONS-006", format!("「{field}」が空です"), format!("\"{field}\" is empty"))
            .at(Place::field(field))
            .hint("理由や根拠を言葉で書いてください", "say it in words"));
    }
    Ok(text)
}

/// A step that does not fit how things stand.
pub(super) fn out_of_order(field: &str, ja: String, en: String, hint: [&str; 2]) -> Error {
    Error::new(Category::Conflict, "E-COMMONS-007", ja, en).at(Place::field(field)).hint(hint[0], hint[1])
}
