//! `lot release`, `lot reject`, `lot reopen`: the decision on a lot, with who, when, why, and the hash of the record it
//! rests on. All reasons against a release are named at once. Deciding the same again changes nothing.

use super::OF_DECISION;
use super::show::{Assembled, State, assemble};
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::{Category, Diagnostic, Error, Place, Result, Severity};
use toji_store::{Commit, Put};

/// Input of `lot release`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReleaseInput {
    /// Lot.
    ///
    /// 製造ロット。
    lot: String,
    /// Who decides: the identifier of a person, or a pseudonym.
    ///
    /// 判定者。人の記録の識別子か仮名。
    by: String,
    /// Why.
    ///
    /// 理由。
    #[serde(default)]
    reason: Option<String>,
}

/// Input of `lot reject` and `lot reopen`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReasonedInput {
    /// Lot.
    ///
    /// 製造ロット。
    lot: String,
    /// Who decides: the identifier of a person, or a pseudonym.
    ///
    /// 判定者。人の記録の識別子か仮名。
    by: String,
    /// Why.
    ///
    /// 理由。
    reason: String,
}

/// Output of a decision.
#[derive(Debug, Serialize, JsonSchema)]
struct Decided {
    /// Lot.
    lot: String,
    /// Version of its record now.
    version: u64,
    /// Did anything change?
    changed: bool,
    /// What is decided.
    state: State,
    /// Decided when.
    decided_at: Option<String>,
    /// Decided by.
    decided_by: Option<String>,
    /// Why.
    decision_reason: Option<String>,
    /// SHA-256 of everything the record was made of.
    sha256: String,
    /// What its record lacks all the same.
    findings: Vec<Diagnostic>,
}

pub(super) fn release_operation() -> Operation {
    Operation::declare(
        Words {
            name: "lot release",
            label: ["ロットの出荷判定", "Release a lot"],
            about: [
                "製造ロットを出荷可とします。未完了の逸脱、規格の外の結果や欠けた結果、終わっていない培養、有効な解析のない培養があるとき、ロットが未判定でないときは、理由をすべて挙げて断ります。出荷可とした記録のハッシュを残すので、後の変更が分かります。",
                "Releases a lot. It is refused, with all reasons at once, while a deviation is open, a specified result is outside or missing, a run has not ended or has no valid analysis, or the lot is not open. The hash of the record is kept, so that a later change can be seen.",
            ],
            positional: &["lot"],
            example: "toji lot release LOT-1 --by qa-1 --reason 規格適合",
        },
        Effect::Write,
        |context: Context, input: ReleaseInput| async move {
            let found = assemble(&context, &input.lot).await?;
            release(&context, found, &input.by, input.reason).await
        },
    )
}

pub(super) fn reject_operation() -> Operation {
    Operation::declare(
        Words {
            name: "lot reject",
            label: ["ロットの不合格判定", "Reject a lot"],
            about: [
                "製造ロットを不合格とします。出荷可としたロットの取り消しにも使えます。理由が要ります。",
                "Rejects a lot, also one that was released. The reason is required.",
            ],
            positional: &["lot"],
            example: "toji lot reject LOT-1 --by qa-1 --reason 力価が規格外",
        },
        Effect::Write,
        |context: Context, input: ReasonedInput| async move {
            let found = assemble(&context, &input.lot).await?;
            reject(&context, found, &input.by, &input.reason).await
        },
    )
}

pub(super) fn reopen_operation() -> Operation {
    Operation::declare(
        Words {
            name: "lot reopen",
            label: ["ロット判定の取り消し", "Reopen a lot"],
            about: [
                "製造ロットの判定を取り消し、未判定に戻します。取り消した判定は履歴に残ります。理由が要ります。",
                "Takes a decision on a lot back, so that it is open again. The decision stays in the history. The reason is required.",
            ],
            positional: &["lot"],
            example: "toji lot reopen LOT-1 --by qa-1 --reason 誤操作",
        },
        Effect::Write,
        |context: Context, input: ReasonedInput| async move {
            let found = assemble(&context, &input.lot).await?;
            reopen(&context, found, &input.by, &input.reason).await
        },
    )
}

async fn release(context: &Context, found: Assembled, by: &str, reason: Option<String>) -> Result<Decided> {
    let by = said(by, "by")?;
    let person = Person::named(context, by).await;
    let state = found.state();
    let same = found.text("record_sha256").as_deref() == Some(found.sha256.as_str());
    if state == State::Released && same && found.text("decided_by").as_deref() == Some(person.name.as_str()) {
        return Ok(as_it_is(found));
    }
    let mut against: Vec<Diagnostic> = Vec::new();
    if state != State::Open {
        against.push(
            Diagnostic::error(
                "E-LOT-011",
                Place::field("lot/state"),
                format!("ロットは判定済みです（状態: {}）", state.code()),
                format!("the lot is decided (state: {})", state.code()),
            )
            .remedy("判定し直すときは lot reopen で取り消してください", "take the decision back with lot reopen to decide again"),
        );
    }
    against.extend(found.against().cloned());
    if let Some(first) = against.first() {
        let n = against.len();
        return Err(Error::new(
            Category::Conflict,
            "E-LOT-010",
            format!("ロットを出荷可にできません（理由 {n} 件）"),
            format!("the lot is not released; reasons: {n}"),
        )
        .at(first.place.clone())
        .hint("挙げた理由をすべて解消してください", "every reason named must be settled")
        .with(against));
    }
    decide(context, found, State::Released, &person, reason.filter(|r| !r.trim().is_empty())).await
}

async fn reject(context: &Context, found: Assembled, by: &str, reason: &str) -> Result<Decided> {
    let (by, reason) = (said(by, "by")?, said(reason, "reason")?);
    let person = Person::named(context, by).await;
    if found.state() == State::Rejected {
        let same = [("decided_by", person.name.as_str()), ("decision_reason", reason)];
        if same.iter().all(|(name, wanted)| found.text(name).as_deref() == Some(*wanted)) {
            return Ok(as_it_is(found));
        }
        return Err(Error::new(Category::Conflict, "E-LOT-008", "ロットは不合格です", "the lot is rejected already")
            .at(Place::field("state"))
            .hint("判定し直すときは lot reopen で取り消してください", "take the decision back with lot reopen to decide again"));
    }
    decide(context, found, State::Rejected, &person, Some(reason.to_owned())).await
}

async fn reopen(context: &Context, found: Assembled, by: &str, reason: &str) -> Result<Decided> {
    let (by, reason) = (said(by, "by")?, said(reason, "reason")?);
    if found.state() == State::Open {
        return Ok(as_it_is(found));
    }
    let mut fields = found.all.lot.fields.clone();
    fields.retain(|name, _| !OF_DECISION.contains(&name.as_str()));
    fields.insert("state".into(), "open".into());
    write(context, found, fields, format!("{reason} ({by})"), "lot reopen").await
}

/// Who decides.
struct Person {
    name: String,
    record: Option<String>,
}

impl Person {
    /// The pseudonym of a recorded person, or the words themselves.
    async fn named(context: &Context, by: &str) -> Self {
        match context.session.store.record(&context.access, "person", by, None).await {
            Ok(record) => Self {
                name: text(&record.fields, "pseudonym").unwrap_or_else(|| by.to_owned()),
                record: Some(record.id.to_string()),
            },
            Err(_) => Self { name: by.to_owned(), record: None },
        }
    }
}

fn said<'a>(words: &'a str, field: &str) -> Result<&'a str> {
    let words = words.trim();
    if words.is_empty() {
        return Err(Error::input("E-LOT-006", "判定者と理由は空にできません", "who decides, and why, cannot be empty")
            .at(Place::field(field))
            .hint("言葉を入れてください", "say it in words"));
    }
    Ok(words)
}

async fn decide(context: &Context, found: Assembled, state: State, person: &Person, reason: Option<String>) -> Result<Decided> {
    let mut fields = found.all.lot.fields.clone();
    fields.retain(|name, _| !OF_DECISION.contains(&name.as_str()));
    let content = serde_json::to_value(&found.all.content).map_err(|e| Error::bug("E-LOT-007", e))?;
    let set = [
        ("state", Some(Json::from(state.code()))),
        ("decided_at", Some(Json::from(context.now.to_string()))),
        ("decided_by", Some(Json::from(person.name.as_str()))),
        ("decided_person", person.record.as_deref().map(Json::from)),
        ("decision_reason", reason.as_deref().map(Json::from)),
        ("record_sha256", Some(Json::from(found.sha256.as_str()))),
        ("record_of", Some(content)),
    ];
    fields.extend(set.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    let operation = if state == State::Released { "lot release" } else { "lot reject" };
    let why = match &reason {
        Some(reason) => format!("{reason} ({})", person.name),
        None => person.name.clone(),
    };
    write(context, found, fields, why, operation).await
}

/// Writes the lot unless somebody else has changed it meanwhile.
async fn write(
    context: &Context,
    found: Assembled,
    fields: toji_core::record::FieldMap,
    why: String,
    operation: &str,
) -> Result<Decided> {
    let lot = &found.all.lot;
    let put = Put { if_version: Some(lot.version), retired: lot.retired, ..Put::new("lot", lot.id.clone(), fields.clone()) };
    let commit = Commit { operation: operation.into(), reason: Some(why), puts: vec![put], ..Commit::default() };
    let receipt = context.session.store.commit(&context.access, context.now, commit).await?;
    let version = receipt.versions.first().copied().unwrap_or(lot.version);
    let mut decided = as_it_is(found);
    let of = |name: &str| text(&fields, name);
    decided.version = version;
    decided.changed = receipt.seq.is_some();
    decided.state = State::of(&fields);
    decided.decided_at = of("decided_at");
    decided.decided_by = of("decided_by");
    decided.decision_reason = of("decision_reason");
    Ok(decided)
}

fn as_it_is(found: Assembled) -> Decided {
    Decided {
        lot: found.all.lot.id.to_string(),
        version: found.all.lot.version,
        changed: false,
        state: found.state(),
        decided_at: found.text("decided_at"),
        decided_by: found.text("decided_by"),
        decision_reason: found.text("decision_reason"),
        sha256: found.sha256.clone(),
        findings: found.findings.into_iter().filter(|d| d.severity != Severity::Error).collect(),
    }
}
