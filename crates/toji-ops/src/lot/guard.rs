//! What may be entered of lots and deviations by hand. A decision on a lot is no field that somebody fills in, and a
//! deviation is not closed without saying why.

use super::gather::list;
use super::specification::entries;
use super::{OF_DECISION, REFERENCES_MAX};
use crate::operation::Context;
use crate::run::text;
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Category, Diagnostic, Error, Id, Place, Result, Severity, Unit};

/// What a deviation needs to be closed, with its names.
const TO_CLOSE: [(&str, &str, &str); 5] = [
    ("cause", "原因", "its cause"),
    ("action", "処置", "the action"),
    ("closed_at", "完了日時", "when it was closed"),
    ("closed_by", "完了者", "by whom it was closed"),
    ("reason", "完了の理由", "why it may be closed"),
];

/// Refuses fields of a lot or a deviation that only an operation may set, or that say too little.
///
/// # Errors
/// `E-LOT-001` a decision by hand, `E-LOT-002` a deviation closed without what that needs, `E-LOT-003` a deviation moved
/// to another lot, `E-LOT-004` parts of a lot that are not readable; each with all its places.
pub(crate) async fn may_put(context: &Context, kind: &str, id: &Id, fields: &FieldMap) -> Result<()> {
    let before = match context.session.store.record(&context.access, kind, id.as_str(), None).await {
        Ok(record) => Some(record.fields),
        Err(error) if error.category() == Category::NotFound => None,
        Err(error) => return Err(error),
    };
    if kind == "lot" {
        decided_by_hand(before.as_ref(), fields)?;
        readable(fields)
    } else {
        moved(before.as_ref(), fields)?;
        closed(id, fields)
    }
}

fn decided_by_hand(before: Option<&FieldMap>, fields: &FieldMap) -> Result<()> {
    let open = Json::from("open");
    let was = |name: &str| match before {
        Some(before) => before.get(name),
        None => (name == "state").then_some(&open),
    };
    let changed: Vec<Diagnostic> = OF_DECISION
        .iter()
        // A lot without a state is refused by its kind, with the place.
        .filter(|name| **name != "state" || fields.contains_key("state"))
        .filter(|name| was(name) != fields.get(**name))
        .map(|name| {
            Diagnostic::error(
                "E-LOT-001",
                Place::field(*name),
                format!("「{name}」は判定だけが改めます"),
                format!("\"{name}\" is set by a decision only"),
            )
            .remedy("lot release・lot reject・lot reopen を使ってください", "use lot release, lot reject or lot reopen")
        })
        .collect();
    refuse(changed, "E-LOT-001", ["ロットの判定は手入力できません", "a decision on a lot cannot be entered by hand"])
}

fn readable(fields: &FieldMap) -> Result<()> {
    let (_, mut found) = entries(fields);
    for name in ["runs", "materials"] {
        if list(fields, name).len() > REFERENCES_MAX {
            found.push(
                fault(name, format!("{REFERENCES_MAX} 件までです"), format!("at most {REFERENCES_MAX}"))
                    .remedy("ロットを分けてください", "divide the lot"),
            );
        }
    }
    for (name, of) in [("roles", "runs"), ("amounts", "materials")] {
        let known = list(fields, of);
        match fields.get(name) {
            None | Some(Json::Null) => {}
            Some(Json::Object(map)) => {
                for (id, value) in map {
                    let place = format!("{name}/{id}");
                    if !known.contains(id) {
                        found.push(
                            fault(&place, format!("{of} に {id} はありません"), format!("{id} is not among {of}"))
                                .remedy(format!("{of} に挙げるか、消してください"), format!("name it in {of}, or leave it out")),
                        );
                    } else if (name == "roles" && !value.is_string()) || (name == "amounts" && !is_amount(value)) {
                        let (ja, en) = if name == "roles" {
                            ("役割は文字列です", "a role is text")
                        } else {
                            ("値と UCUM の単位が必要です", "a value and its UCUM unit are needed")
                        };
                        found.push(fault(&place, ja.into(), en.into()).remedy(
                            "例: {\"ML-1\": {\"value\": 12.5, \"unit\": \"kg\"}}",
                            "such as {\"ML-1\": {\"value\": 12.5, \"unit\": \"kg\"}}",
                        ));
                    }
                }
            }
            Some(_) => {
                found.push(
                    fault(name, "対応表（オブジェクト）にしてください".into(), "an object is expected".into())
                        .remedy("識別子を名前にしてください", "let identifiers be its names"),
                );
            }
        }
    }
    refuse(found, "E-LOT-004", ["製造ロットの項目を読めません", "fields of the lot are not readable"])
}

fn is_amount(value: &Json) -> bool {
    let number = ["value", "number"].iter().any(|name| value.get(*name).is_some_and(Json::is_number));
    number && value.get("unit").and_then(Json::as_str).is_some_and(|unit| Unit::parse(unit).is_ok())
}

fn moved(before: Option<&FieldMap>, fields: &FieldMap) -> Result<()> {
    let lot = before.and_then(|b| text(b, "lot"));
    if lot.is_none() || lot == text(fields, "lot") {
        return Ok(());
    }
    Err(Error::new(
        Category::Conflict,
        "E-LOT-003",
        "逸脱を別のロットへ移すことはできません",
        "a deviation cannot be moved to another lot",
    )
    .at(Place::field("lot"))
    .hint(
        "理由を入れて完了にし、正しいロットで新しく記録してください",
        "close it with the reason and enter it anew for the right lot",
    ))
}

fn closed(id: &Id, fields: &FieldMap) -> Result<()> {
    if text(fields, "state").as_deref() != Some("closed") {
        return Ok(());
    }
    let lacks = |name: &str| text(fields, name).is_none_or(|t| t.trim().is_empty());
    let found = TO_CLOSE.iter().filter(|(name, ..)| lacks(name)).map(|(name, ja, en)| {
        Diagnostic::error(
            "E-LOT-002",
            Place::field(format!("deviation/{id}/{name}")),
            format!("{ja}がありません"),
            format!("{en} is missing"),
        )
        .remedy(format!("{name} に入れてください"), format!("enter it in {name}"))
    });
    refuse(found.collect(), "E-LOT-002", ["逸脱を完了にできません", "the deviation cannot be closed"])
}

fn fault(place: &str, ja: String, en: String) -> Diagnostic {
    Diagnostic::error("E-LOT-004", Place::field(place), ja, en)
}

fn refuse(found: Vec<Diagnostic>, code: &'static str, [ja, en]: [&str; 2]) -> Result<()> {
    let Some(first) = found.iter().find(|d| d.severity == Severity::Error) else { return Ok(()) };
    let n = found.len();
    Err(Error::input(code, format!("{ja}（{n} か所）"), format!("{en} ({n} places)"))
        .at(first.place.clone())
        .hint("示した項目を直してください", "correct the fields named")
        .with(found))
}
