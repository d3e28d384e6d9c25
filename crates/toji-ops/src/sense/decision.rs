//! `decision record` and `decision verdict`: what was done and why, and later whether it came as expected.

use super::record::{Recorded, both, put};
use super::when;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Category, Diagnostic, Error, Instant, Place, Result, vocabulary};
use toji_store::{Commit, Put};

/// Input of `decision record`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Run.
    ///
    /// 培養。
    run: String,
    /// Why.
    ///
    /// 理由。
    why: String,
    /// Identifier made by the device, so that an entry can be sent again; made here when missing.
    ///
    /// 端末が付ける識別子。送り直しても二重にならない。省略時はここで採番。
    #[serde(default)]
    id: Option<String>,
    /// Class of what was done, e.g. `do:cool`; `do:hold` for doing nothing on purpose.
    ///
    /// 行った処置の分類。例：`do:cool`。あえて何もしない場合は `do:hold`。
    #[serde(default)]
    action: Option<String>,
    /// What was done, in words; the action's name when missing.
    ///
    /// 行ったこと（文）。省略時は処置の名前。
    #[serde(default)]
    done: Option<String>,
    /// Observations it rests on.
    ///
    /// 根拠の観察。
    #[serde(default)]
    sensed: Vec<String>,
    /// What was seen, in words; made from the observations when missing.
    ///
    /// 見たもの（文）。省略時は観察から作成。
    #[serde(default)]
    seen: Option<String>,
    /// What was considered and rejected.
    ///
    /// 検討して退けた選択肢。
    #[serde(default)]
    rejected: Option<String>,
    /// How sure, 0 to 1.
    ///
    /// 確信度（0〜1）。
    #[serde(default)]
    confidence: Option<f64>,
    /// What is expected.
    ///
    /// 期待する結果。
    #[serde(default)]
    expected: Option<String>,
    /// By when (RFC 3339).
    ///
    /// 期待の期限（RFC 3339）。
    #[serde(default)]
    expected_by: Option<String>,
    /// Author, as a pseudonym.
    ///
    /// 判断者（仮名）。
    #[serde(default)]
    author: Option<String>,
    /// Event it led to.
    ///
    /// 行った操作の記録（事象）。
    #[serde(default)]
    event: Option<String>,
    /// When it was decided (RFC 3339); now when missing.
    ///
    /// 判断した時刻（RFC 3339）。省略時は現在。
    #[serde(default)]
    time: Option<String>,
    /// The same as seconds since the run's zero, for runs without a clock.
    ///
    /// 時刻の代わりに、零時刻からの経過時間（s）。時計のない培養向け。
    #[serde(default)]
    elapsed_s: Option<f64>,
    /// Clock of the device at entry.
    ///
    /// 入力時の端末の時計。
    #[serde(default)]
    entered_at: Option<String>,
}

pub(super) fn record_operation() -> Operation {
    Operation::declare(
        Words {
            name: "decision record",
            label: ["判断の入力", "Record a decision"],
            about: [
                "何を感じ、何を、なぜ行い、何を退け、どれほど確かで、何をいつまでに期待するかを記録します。結果は後から `decision verdict` で判定します。",
                "Records what was sensed, what was done and why, what was rejected, how sure one is, and what is expected by when. `decision verdict` judges it later.",
            ],
            positional: &["run", "action"],
            example: "toji decision record run-0a1b2c3d4e5f do:cool --why 香りが立ちすぎたため --expected 品温が下がる",
        },
        Effect::Write,
        decide,
    )
}

async fn decide(context: Context, input: Input) -> Result<Recorded> {
    let store = &context.session.store;
    let run = store.record(&context.access, "run", &input.run, None).await.map_err(|e| e.at(Place::field("run")))?;
    let mut found = Vec::new();
    let mut fields = FieldMap::new();
    fields.insert("run".into(), Json::from(run.id.as_str()));
    when::set(&context, &run, input.time.as_deref(), input.elapsed_s, &mut fields, &mut found)?;
    let mut seen = Vec::new();
    for id in &input.sensed {
        let observation =
            store.record(&context.access, "observation", id, None).await.map_err(|e| e.at(Place::field("sensed")))?;
        if text(&observation.fields, "run").as_deref() != Some(run.id.as_str()) {
            let (ja, en) = (format!("観察 {id} は別の培養のものです"), format!("observation {id} belongs to another run"));
            return Err(Error::input("E-SENSE-012", ja, en)
                .at(Place::field("sensed"))
                .hint("同じ培養の観察を指定してください", "name observations of the same run"));
        }
        seen.push(words_of(&observation.fields));
    }
    let action = match &input.action {
        Some(code) => Some(vocabulary::find(code).filter(|(v, _)| v.attribute == "action").ok_or_else(|| {
            Error::input("E-SENSE-013", format!("処置「{code}」はありません"), format!("there is no action \"{code}\""))
                .at(Place::field("action"))
                .hint("`toji sense vocabulary action` で確認してください", "see `toji sense vocabulary action`")
        })?),
        None => None,
    };
    let done = input.done.clone().or_else(|| action.map(|(_, term)| both(&term.label)));
    let seen = input.seen.clone().or_else(|| (!seen.is_empty()).then(|| seen.join("; ")));
    for (name, value) in [
        ("why", Some(input.why.clone())),
        ("done", done),
        ("seen", seen),
        ("action", input.action.clone()),
        ("rejected", input.rejected),
        ("expected", input.expected),
        ("author", input.author),
        ("event", input.event),
    ] {
        if let Some(value) = value.filter(|v| !v.trim().is_empty()) {
            fields.insert(name.into(), Json::from(value.trim()));
        }
    }
    for (name, time) in [("expected_by", &input.expected_by), ("entered_at", &input.entered_at)] {
        if let Some(time) = time {
            let at = Instant::parse(time).map_err(|e| e.at(Place::field(name)))?;
            fields.insert(name.into(), Json::from(at.to_string()));
        }
    }
    if let Some(sure) = input.confidence {
        fields.insert("confidence".into(), Json::from(sure));
    }
    if !input.sensed.is_empty() {
        fields.insert("sensed".into(), Json::from(input.sensed));
    }
    if let Some(event) = text(&fields, "event") {
        store.record(&context.access, "event", &event, None).await.map_err(|e| e.at(Place::field("event")))?;
    }
    let commit = Commit { operation: "decision record".into(), ..Commit::default() };
    put(&context, "decision", "dec", input.id.as_deref(), fields, commit, None, found).await
}

/// An observation in words: term and level, or its value.
pub(super) fn words_of(fields: &FieldMap) -> String {
    let value = fields.get("value").and_then(|v| v.get("text")).and_then(Json::as_str).unwrap_or_default();
    match text(fields, "term").as_deref().and_then(vocabulary::find) {
        Some((vocabulary, term)) if vocabulary.scale.is_some() => format!("{} {value}", both(&term.label)),
        Some((_, term)) => both(&term.label),
        None => value.to_owned(),
    }
}

/// Input of `decision verdict`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VerdictInput {
    /// Decision.
    ///
    /// 判断。
    id: String,
    /// `as-expected`, `better`, `worse` or `cannot-tell`.
    ///
    /// 結果：`as-expected`（期待どおり）、`better`（期待以上）、`worse`（期待以下）、`cannot-tell`（判定できない）。
    outcome: String,
    /// The verdict in words.
    ///
    /// 判定（文）。
    #[serde(default)]
    verdict: Option<String>,
    /// Who judges, as a pseudonym.
    ///
    /// 判定者（仮名）。
    #[serde(default)]
    judged_by: Option<String>,
    /// Why a verdict that stands is changed.
    ///
    /// 既にある判定を改める理由。
    #[serde(default)]
    reason: Option<String>,
}

/// Output of `decision verdict`.
#[derive(Debug, Serialize, JsonSchema)]
struct Judged {
    /// Decision.
    id: String,
    /// Version.
    version: u64,
    /// Did anything change?
    changed: bool,
    /// What to look at.
    diagnostics: Vec<Diagnostic>,
}

pub(super) fn verdict_operation() -> Operation {
    Operation::declare(
        Words {
            name: "decision verdict",
            label: ["判断の判定", "Judge a decision"],
            about: [
                "判断が期待どおりだったかを後から判定します。判定を改めるには理由が要ります。以前の判定も履歴に残ります。",
                "Says later whether a decision came as expected. Changing a verdict needs a reason; the earlier one stays in the history.",
            ],
            positional: &["id", "outcome"],
            example: "toji decision verdict dec-0a1b2c3d4e5f as-expected --verdict 翌朝に品温が0.8度下がった",
        },
        Effect::Write,
        judge,
    )
}

async fn judge(context: Context, input: VerdictInput) -> Result<Judged> {
    let store = &context.session.store;
    let record = store.record(&context.access, "decision", &input.id, None).await?;
    let mut fields = record.fields.clone();
    let mut diagnostics = Vec::new();
    let same = text(&fields, "outcome").as_deref() == Some(&input.outcome) && text(&fields, "verdict") == input.verdict;
    if same {
        return Ok(Judged { id: record.id.to_string(), version: record.version, changed: false, diagnostics });
    }
    if fields.contains_key("outcome") && input.reason.as_deref().is_none_or(|r| r.trim().is_empty()) {
        return Err(Error::new(Category::Conflict, "E-SENSE-014", "判定済みです", "this decision has its verdict")
            .at(Place::field("reason"))
            .hint("改めるには reason に理由を書いてください", "give a reason to change it"));
    }
    let due = text(&fields, "expected_by").and_then(|t| Instant::parse(&t).ok());
    if due.is_some_and(|due| context.now < due) {
        diagnostics.push(Diagnostic::note(
            "N-SENSE-015",
            Place::field("expected_by"),
            "期待の期限より前の判定です",
            "this verdict comes before what was expected was due",
        ));
    }
    fields.insert("outcome".into(), Json::from(input.outcome));
    fields.insert("judged_at".into(), Json::from(context.now.to_string()));
    for (name, value) in [("verdict", input.verdict), ("judged_by", input.judged_by)] {
        match value {
            Some(value) => fields.insert(name.into(), Json::from(value)),
            None => fields.remove(name),
        };
    }
    let put = Put { if_version: Some(record.version), ..Put::new("decision", record.id.clone(), fields) };
    let commit = Commit { operation: "decision verdict".into(), reason: input.reason, puts: vec![put], ..Commit::default() };
    let receipt = store.commit(&context.access, context.now, commit).await?;
    diagnostics.extend(receipt.diagnostics);
    let version = receipt.versions.first().copied().unwrap_or_default();
    Ok(Judged { id: record.id.to_string(), version, changed: receipt.seq.is_some(), diagnostics })
}
