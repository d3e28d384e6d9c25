//! `deposit check` and `deposit submit`: a strain with genome, runs and observations against versioned
//! lists of what a deposit must contain.

use super::table::{Row, distinct, rows_or_none};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use toji_core::{Category, Diagnostic, Error, Place, Record, Result, Severity, Text};
use toji_store::{Commit, Put};

/// Input of `deposit check`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CheckInput {
    /// Identifier of the deposit.
    ///
    /// 寄託の識別子。
    id: String,
    /// Item lists to check against; those of the deposit, else the lists in force, when missing.
    ///
    /// 照らす項目リスト。省略時は寄託のもの、それもなければ適用中のもの。
    #[serde(default)]
    item_lists: Vec<String>,
}

/// An item list as it was used.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct ListUsed {
    /// Record.
    id: String,
    /// Name.
    name: String,
    /// Number of the list's version, as its makers count.
    number: i64,
    /// Version of the record, as the ledger counts.
    record_version: u64,
    /// Kind it checks.
    for_kind: String,
    /// Records of the deposit that were checked against it.
    checked: usize,
}

/// A record of a deposit.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Content {
    /// Kind.
    pub(super) kind: String,
    /// Identifier.
    pub(super) id: String,
    /// Version.
    pub(super) version: u64,
    /// Title.
    pub(super) title: Text,
}

/// Output of `deposit check`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Outcome {
    /// Deposit.
    pub(super) deposit: String,
    /// Nothing required is missing.
    pub(super) ok: bool,
    /// Lists it was checked against.
    pub(super) item_lists: Vec<ListUsed>,
    /// What the deposit holds.
    pub(super) contents: Vec<Content>,
    /// What is missing or does not fit, each with its place (`genome/GEN-1/accession`).
    pub(super) findings: Vec<Diagnostic>,
}

/// Input of `deposit submit`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SubmitInput {
    /// Identifier of the deposit.
    ///
    /// 寄託の識別子。
    id: String,
    /// Why.
    ///
    /// 理由。
    #[serde(default)]
    reason: Option<String>,
}

/// Output of `deposit submit`.
#[derive(Debug, Serialize, JsonSchema)]
struct Submitted {
    /// Version of the deposit's record now.
    version: u64,
    /// Did anything change?
    changed: bool,
    /// State now.
    state: String,
    /// The check it passed.
    check: Outcome,
}

pub(super) fn check_operation() -> Operation {
    Operation::declare(
        Words {
            name: "deposit check",
            label: ["寄託の点検", "Check a deposit"],
            about: [
                "寄託に含まれる株・ゲノム・培養・観察を、版つきの項目リストに照らして点検します。足りない項目を、記録と項目の位置で示します。",
                "Checks the strain, genome, runs and observations of a deposit against versioned item lists, and names what is missing by record and field.",
            ],
            positional: &["id"],
            example: "toji deposit check DEP-1",
        },
        Effect::Read,
        |context: Context, input: CheckInput| async move {
            let deposit = find(&context, &input.id).await?;
            Ok(check(&context, &deposit, &input.item_lists).await?.0)
        },
    )
}

pub(super) fn submit_operation() -> Operation {
    Operation::declare(
        Words {
            name: "deposit submit",
            label: ["寄託の提出", "Submit a deposit"],
            about: [
                "寄託を点検し、合えば「点検済み」として、用いた項目リストの版とともに記録します。合わなければ、足りない箇所をすべて示して断ります。",
                "Checks a deposit and, when it fits, records it as checked with the versions of the item lists used. When it does not, it is refused with every place.",
            ],
            positional: &["id"],
            example: "toji deposit submit DEP-1 --reason 初回寄託",
        },
        Effect::Write,
        submit,
    )
}

pub(super) async fn find(context: &Context, id: &str) -> Result<Record> {
    context.session.store.record(&context.access, "deposit", id, None).await.map_err(|e| e.at(Place::field("id")))
}

async fn submit(context: Context, input: SubmitInput) -> Result<Submitted> {
    let deposit = find(&context, &input.id).await?;
    if let Some("withdrawn") = deposit.fields.get("state").and_then(Json::as_str) {
        return Err(Error::new(Category::Conflict, "E-DEPOSIT-002", "取り下げられた寄託です", "the deposit was withdrawn")
            .at(Place::field("state"))
            .hint("新しい寄託として登録してください", "enter a new deposit"));
    }
    let (outcome, _) = check(&context, &deposit, &[]).await?;
    if !outcome.ok {
        let missing = outcome.findings.iter().filter(|f| f.severity == Severity::Error).count();
        let first = outcome.findings.iter().find(|f| f.severity == Severity::Error).map(|f| f.place.clone());
        return Err(Error::input(
            "E-DEPOSIT-001",
            format!("寄託は項目リストに合いません ({missing} か所)"),
            format!("the deposit does not fit its item lists ({missing} places)"),
        )
        .at(first.unwrap_or_default())
        .hint("示した項目を入れてから、もう一度提出してください", "fill in the fields named and submit again")
        .with(outcome.findings));
    }
    let mut fields = deposit.fields.clone();
    let findings = json!({ "item_lists": outcome.item_lists, "contents": outcome.contents, "findings": outcome.findings });
    let state = fields.get("state").and_then(Json::as_str).unwrap_or_default().to_owned();
    let same = fields.get("findings") == Some(&findings) && matches!(state.as_str(), "checked" | "accepted");
    let now = Json::from(context.now.to_string());
    if !same {
        // A changed deposit is checked anew: what a collection accepted was the earlier one.
        fields.insert("state".into(), Json::from("checked"));
        fields.insert("checked_at".into(), now.clone());
        fields.insert("findings".into(), findings);
        fields.insert("item_lists".into(), outcome.item_lists.iter().map(|l| l.id.as_str()).collect());
    }
    fields.entry("deposited_at").or_insert(now);
    let state = fields.get("state").and_then(Json::as_str).unwrap_or_default().to_owned();
    let put = Put { if_version: Some(deposit.version), ..Put::new("deposit", deposit.id, fields) };
    let commit = Commit { operation: "deposit submit".into(), reason: input.reason, puts: vec![put], ..Commit::default() };
    let receipt = context.session.store.commit(&context.access, context.now, commit).await?;
    Ok(Submitted {
        version: receipt.versions.first().copied().unwrap_or(deposit.version),
        changed: receipt.seq.is_some(),
        state,
        check: outcome,
    })
}

/// Parts of a deposit: field and kind of the records it names.
const PARTS: [(&str, &str); 4] = [("strain", "strain"), ("genome", "genome"), ("runs", "run"), ("observations", "observation")];

/// Checks a deposit; also returns the records it is made of.
pub(super) async fn check(context: &Context, deposit: &Record, wanted: &[String]) -> Result<(Outcome, Vec<Record>)> {
    let mut findings = Vec::new();
    let records = contents(context, deposit, &mut findings).await?;
    let lists = item_lists(context, deposit, wanted).await?;
    let mut used = Vec::new();
    for list in &lists {
        used.push(against(context, list, deposit, &records, &mut findings)?);
    }
    belong_together(deposit, &records, &mut findings);
    if deposit.fields.get("licence").is_none_or(Json::is_null) {
        findings.push(missing(&format!("deposit/{}/licence", deposit.id), "利用条件がありません", "there is no licence"));
    }
    for record in &records {
        for mut finding in context.session.store.kinds().get(&record.kind)?.validate(&record.fields) {
            let field = finding.place.field.take().unwrap_or_default();
            finding.place = Place::field(format!("{}/{}/{field}", record.kind, record.id));
            findings.push(finding);
        }
    }
    let store = &context.session.store;
    let contents =
        records.iter().map(|r| Content { kind: r.kind.clone(), id: r.id.to_string(), version: r.version, title: store.title(r) });
    let ok = !findings.iter().any(|f| f.severity == Severity::Error);
    Ok((Outcome { deposit: deposit.id.to_string(), ok, item_lists: used, contents: contents.collect(), findings }, records))
}

fn missing(place: &str, ja: impl Into<String>, en: impl Into<String>) -> Diagnostic {
    Diagnostic::error("E-DEPOSIT-003", Place::field(place), ja, en).remedy("値を入れてください", "fill it in")
}

async fn contents(context: &Context, deposit: &Record, findings: &mut Vec<Diagnostic>) -> Result<Vec<Record>> {
    let row = Row { id: deposit.id.to_string(), fields: deposit.fields.clone() };
    let mut out = Vec::new();
    for (field, kind) in PARTS {
        for id in row.list(field) {
            match context.session.store.record(&context.access, kind, &id, None).await {
                Ok(record) => out.push(record),
                Err(error) if error.category() == Category::NotFound => {
                    let m = error.fault().message.clone();
                    findings.push(missing(&format!("deposit/{}/{field}", deposit.id), m.ja, m.en));
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(out)
}

/// The lists asked for, else those of the deposit, else those in force today.
async fn item_lists(context: &Context, deposit: &Record, wanted: &[String]) -> Result<Vec<Record>> {
    let store = &context.session.store;
    let row = Row { id: deposit.id.to_string(), fields: deposit.fields.clone() };
    let named = if wanted.is_empty() { row.list("item_lists") } else { wanted.to_vec() };
    let mut out = Vec::new();
    for id in distinct(named.into_iter()) {
        out.push(store.record(&context.access, "item-list", &id, None).await.map_err(|e| e.at(Place::field("item_lists")))?);
    }
    if out.is_empty() {
        let all = rows_or_none(context, "item-list").await?;
        let replaced: Vec<String> = all.iter().filter_map(|r| r.text("replaces")).collect();
        let today: String = context.now.to_string().chars().take(10).collect();
        // A date known to the year or month begins with it.
        let begun = |r: &&Row| r.text("valid_from").is_none_or(|from| from <= today);
        for list in all.iter().filter(|r| !replaced.contains(&r.id)).filter(begun) {
            out.push(store.record(&context.access, "item-list", &list.id, None).await?);
        }
    }
    if out.is_empty() {
        return Err(Error::not_found(
            "E-DEPOSIT-004",
            "点検に用いる項目リストがありません",
            "there is no item list to check against",
        )
        .at(Place::field("item_lists"))
        .hint("`toji record put item-list` で登録してください", "enter one with `toji record put item-list`"));
    }
    Ok(out)
}

/// Checks the records of one kind against one list.
fn against(
    context: &Context,
    list: &Record,
    deposit: &Record,
    records: &[Record],
    findings: &mut Vec<Diagnostic>,
) -> Result<ListUsed> {
    let row = Row { id: list.id.to_string(), fields: list.fields.clone() };
    let for_kind = row.text("for_kind").unwrap_or_default();
    let used = |checked| ListUsed {
        id: row.id.clone(),
        name: row.text("name").unwrap_or_default(),
        number: row.whole("number").unwrap_or_default(),
        record_version: list.version,
        for_kind: for_kind.clone(),
        checked,
    };
    let Ok(kind) = context.session.store.kinds().get(&for_kind) else {
        let place = format!("item-list/{}/for_kind", row.id);
        findings.push(missing(&place, format!("種別「{for_kind}」はありません"), format!("there is no kind \"{for_kind}\"")));
        return Ok(used(0));
    };
    let of: Vec<&Record> =
        if for_kind == "deposit" { vec![deposit] } else { records.iter().filter(|r| r.kind == for_kind).collect() };
    for (names, required) in [(row.list("required_fields"), true), (row.list("recommended_fields"), false)] {
        for name in names {
            let Some(field) = kind.field(&name) else {
                let place = format!("item-list/{}/{}", row.id, if required { "required_fields" } else { "recommended_fields" });
                findings.push(missing(
                    &place,
                    format!("種別 {for_kind} に項目「{name}」はありません"),
                    format!("kind {for_kind} has no field \"{name}\""),
                ));
                continue;
            };
            for record in &of {
                let values = Row { id: record.id.to_string(), fields: record.fields.clone() };
                if values.text(&name).is_some() {
                    continue;
                }
                let place = format!("{for_kind}/{}/{name}", record.id);
                let (ja, en) = (format!("「{}」がありません", field.label.ja), format!("\"{}\" is missing", field.label.en));
                findings.push(if required {
                    missing(&place, ja, en)
                } else {
                    Diagnostic::warning("W-DEPOSIT-001", Place::field(place), ja, en)
                });
            }
        }
    }
    for linked in row.list("linked_kinds") {
        if !records.iter().any(|r| r.kind == linked) {
            let field = PARTS.iter().find(|(_, kind)| *kind == linked).map_or(linked.as_str(), |(field, _)| field);
            let place = format!("deposit/{}/{field}", deposit.id);
            findings.push(missing(
                &place,
                format!("種別 {linked} の記録が含まれていません"),
                format!("there is no {linked} in the deposit"),
            ));
        }
    }
    Ok(used(of.len()))
}

/// Genome and runs must be of the deposit's strain, observations of its runs.
fn belong_together(deposit: &Record, records: &[Record], findings: &mut Vec<Diagnostic>) {
    let text = |r: &Record, name: &str| r.fields.get(name).and_then(Json::as_str).map(str::to_owned);
    let strain = text(deposit, "strain").unwrap_or_default();
    let runs: Vec<&str> = records.iter().filter(|r| r.kind == "run").map(|r| r.id.as_str()).collect();
    for record in records {
        let field = match record.kind.as_str() {
            "genome" | "run" => "strain",
            "observation" => "run",
            _ => continue,
        };
        let fits = |named: &str| if field == "strain" { named == strain } else { runs.contains(&named) };
        let place = format!("{}/{}/{field}", record.kind, record.id);
        match text(record, field) {
            Some(named) if fits(&named) => {}
            Some(named) => findings.push(
                Diagnostic::error(
                    "E-DEPOSIT-005",
                    Place::field(place),
                    format!("{named} はこの寄託のものではありません"),
                    format!("{named} does not belong to this deposit"),
                )
                .remedy("寄託に含める記録を直してください", "correct what the deposit names"),
            ),
            None => findings.push(Diagnostic::warning(
                "W-DEPOSIT-002",
                Place::field(place),
                "寄託の株との結び付きが記録されていません",
                "the link to the deposit's strain is not recorded",
            )),
        }
    }
}
