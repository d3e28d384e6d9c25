//! `sense record`: one observation on a controlled scale, entered at the tank.
//!
//! Entry may happen without a network: the device makes the identifier and sends the same entry until it is
//! acknowledged. A repeated entry changes nothing; another entry under the same identifier is refused.

use super::photo::{self, Photo};
use super::when;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::{file_id, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use toji_core::record::FieldMap;
use toji_core::vocabulary::{self, Term, Vocabulary};
use toji_core::{Category, Diagnostic, Error, Id, Instant, Place, Result, Text, Value};
use toji_sense::colour::Measured;
use toji_store::{Commit, Put};

/// The senses.
const ATTRIBUTES: [&str; 5] = ["odour", "colour", "appearance", "foam", "sound"];

/// Input of `sense record`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Run.
    ///
    /// 培養。
    run: String,
    /// Identifier made by the device, so that an entry can be sent again; made here when missing.
    ///
    /// 端末が付ける識別子。送り直しても二重にならない。省略時はここで採番。
    #[serde(default)]
    id: Option<String>,
    /// `odour`, `colour`, `appearance`, `foam` or `sound`; follows from the term when there is one.
    ///
    /// 観察項目：`odour`（香り）、`colour`（色）、`appearance`（外観）、`foam`（泡）、`sound`（音）。用語があれば用語から決まる。
    #[serde(default)]
    attribute: Option<String>,
    /// Term, e.g. `sake:110` or `foam:taka`.
    ///
    /// 用語。例：`sake:110`、`foam:taka`。
    #[serde(default)]
    term: Option<String>,
    /// Step on the term's scale.
    ///
    /// 用語の尺度での段階。
    #[serde(default)]
    level: Option<f64>,
    /// When it was sensed (RFC 3339); now when missing.
    ///
    /// 感じた時刻（RFC 3339）。省略時は現在。
    #[serde(default)]
    time: Option<String>,
    /// The same as seconds since the run's zero, for runs without a clock.
    ///
    /// 時刻の代わりに、零時刻からの経過時間（s）。時計のない培養向け。
    #[serde(default)]
    elapsed_s: Option<f64>,
    /// Observer, as a pseudonym.
    ///
    /// 観察者（仮名）。
    #[serde(default)]
    observer: Option<String>,
    /// Free words.
    ///
    /// 所見（自由な文）。
    #[serde(default)]
    note: Option<String>,
    /// How sure, 0 to 1.
    ///
    /// 確信度（0〜1）。
    #[serde(default)]
    sure: Option<f64>,
    /// Judged without knowing what it was.
    ///
    /// 何であるかを知らずに評価（目隠し）。
    #[serde(default)]
    blind: bool,
    /// Number of the blind sample; the same whenever the same sample is served again.
    ///
    /// 目隠し試料の番号。同じ試料を再び出すときは同じ番号。
    #[serde(default)]
    blind_sample: Option<String>,
    /// Reference standard smelt before.
    ///
    /// 直前に嗅いだ標準見本。
    #[serde(default)]
    standard: Option<String>,
    /// Photo, kept as it came; with a card in it the colour is measured.
    ///
    /// 写真。そのまま保存し、色票が写っていれば色を測定。
    #[serde(default)]
    photo: Option<Photo>,
    /// Clock of the device at entry.
    ///
    /// 入力時の端末の時計。
    #[serde(default)]
    entered_at: Option<String>,
}

/// Output of `sense record` and `decision record`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Recorded {
    /// Identifier.
    pub(super) id: String,
    /// Run.
    pub(super) run: String,
    /// Version.
    pub(super) version: u64,
    /// Is it new? A repeated entry is not.
    pub(super) changed: bool,
    /// s since the run's zero.
    pub(super) elapsed_s: Option<f64>,
    /// Measured colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) colour: Option<Measured>,
    /// What to look at.
    pub(super) diagnostics: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "sense record",
            label: ["官能観察の入力", "Record what was sensed"],
            about: [
                "香り・色・外観・泡・音を、公表された用語と尺度で、培養のその時刻に記録します。同じ識別子で送り直しても二重になりません。",
                "Records an odour, colour, appearance, foam or sound by a published term and scale at a time of a run. Sending it again under the same identifier changes nothing.",
            ],
            positional: &["run", "term", "level"],
            example: "toji sense record run-0a1b2c3d4e5f sake:120 3 --observer N-07",
        },
        Effect::Write,
        record,
    )
}

async fn record(context: Context, input: Input) -> Result<Recorded> {
    let store = &context.session.store;
    let run = store.record(&context.access, "run", &input.run, None).await.map_err(|e| e.at(Place::field("run")))?;
    let mut found = Vec::new();
    let mut fields = FieldMap::new();
    fields.insert("run".into(), Json::from(run.id.as_str()));
    when::set(&context, &run, input.time.as_deref(), input.elapsed_s, &mut fields, &mut found)?;
    let value = judged(&input, &mut fields)?;
    people(&context, &input, &mut fields).await?;
    let mut commit = Commit { operation: "sense record".into(), ..Commit::default() };
    let colour = match &input.photo {
        Some(photo) => photographed(&context, photo, &mut fields, &mut commit, &mut found).await?,
        None => None,
    };
    let value = match &colour {
        Some(m) if value.is_none() => {
            Value::text(&format!("L* {:.1}, a* {:.1}, b* {:.1} (ΔE ±{:.1})", m.lab.l, m.lab.a, m.lab.b, m.error))
        }
        _ => value.unwrap_or_else(|| Value::text(input.note.as_deref().unwrap_or("photo"))),
    };
    fields.insert("value".into(), serde_json::to_value(value).map_err(|e| Error::bug("E-SENSE-020", e))?);
    put(&context, "observation", "obs", input.id.as_deref(), fields, commit, colour, found).await
}

/// Attribute, term and level; the value they make, when they make one.
fn judged(input: &Input, fields: &mut FieldMap) -> Result<Option<Value>> {
    let Some(code) = &input.term else {
        let attribute = input.attribute.as_deref().or(input.photo.as_ref().map(|_| "colour"));
        let Some(attribute) = attribute.filter(|a| ATTRIBUTES.contains(a)) else {
            return Err(Error::input("E-SENSE-004", "用語も感覚の区分もありません", "there is neither a term nor a sense")
                .at(Place::field("term"))
                .hint(
                    format!("term か attribute ({})", ATTRIBUTES.join(", ")),
                    format!("give term, or attribute: {}", ATTRIBUTES.join(", ")),
                ));
        };
        if input.level.is_some() {
            return Err(level_fault("用語のない段階は意味を持ちません", "a level without a term means nothing", "term"));
        }
        if input.note.as_deref().is_none_or(|n| n.trim().is_empty()) && input.photo.is_none() {
            return Err(Error::input("E-SENSE-005", "観察の内容がありません", "nothing was sensed")
                .at(Place::field("note"))
                .hint("用語・所見・写真のいずれかを入れてください", "give a term, a note or a photo"));
        }
        fields.insert("attribute".into(), Json::from(attribute));
        return Ok(None);
    };
    let Some((vocabulary, term)) = vocabulary::find(code).filter(|(v, _)| ATTRIBUTES.contains(&v.attribute.as_str())) else {
        return Err(Error::input("E-SENSE-006", format!("用語「{code}」はありません"), format!("there is no term \"{code}\""))
            .at(Place::field("term"))
            .hint("`toji sense vocabulary` で確認してください", "see `toji sense vocabulary`"));
    };
    if input.attribute.as_ref().is_some_and(|a| *a != vocabulary.attribute) {
        let (ja, en) = (
            format!("用語「{code}」は {} の用語です", vocabulary.attribute),
            format!("the term \"{code}\" speaks of {}", vocabulary.attribute),
        );
        return Err(Error::input("E-SENSE-007", ja, en)
            .at(Place::field("attribute"))
            .hint("attribute を省いてください", "leave attribute out"));
    }
    fields.insert("attribute".into(), Json::from(vocabulary.attribute.as_str()));
    fields.insert("term".into(), Json::from(code.as_str()));
    graded(vocabulary, term, input.level, fields).map(Some)
}

fn level_fault(ja: &str, en: &str, field: &str) -> Error {
    Error::input("E-SENSE-008", ja, en)
        .at(Place::field(field))
        .hint("`toji sense vocabulary` で尺度を確認してください", "see the scale with `toji sense vocabulary`")
}

fn graded(vocabulary: &Vocabulary, term: &Term, level: Option<f64>, fields: &mut FieldMap) -> Result<Value> {
    if let Some(scale) = &vocabulary.scale {
        let steps: Vec<f64> = vocabulary::get(scale)?.terms.iter().filter_map(|t| t.number).collect();
        let Some(level) = level.filter(|l| steps.contains(l)) else {
            let shown = steps.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
            return Err(level_fault(&format!("強さは {shown} のいずれかです"), &format!("the level is one of {shown}"), "level"));
        };
        fields.insert("level".into(), Json::from(level));
        return Ok(Value { basis: Some(scale.clone()), ..Value::number(level) });
    }
    if level.is_some() && level != term.number {
        return Err(level_fault("この用語の段階は用語自体で決まります", "the level of this term is the term's own", "level"));
    }
    if let Some(number) = term.number {
        fields.insert("level".into(), Json::from(number));
    }
    Ok(Value { basis: Some(vocabulary.vocabulary.clone()), ..Value::category(&both(&term.label)) })
}

/// Both languages in one text, for values that carry one.
pub(super) fn both(label: &Text) -> String {
    if label.ja == label.en { label.ja.clone() } else { format!("{} / {}", label.ja, label.en) }
}

async fn people(context: &Context, input: &Input, fields: &mut FieldMap) -> Result<()> {
    let given = |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let (observer, sample) = (given(&input.observer), given(&input.blind_sample));
    if input.blind && (observer.is_none() || sample.is_none()) {
        let field = if observer.is_none() { "observer" } else { "blind_sample" };
        return Err(Error::input(
            "E-SENSE-009",
            "目隠し評価には観察者と試料番号が要ります",
            "a blind judgement needs an observer and the sample's number",
        )
        .at(Place::field(field))
        .hint("同じ試料には同じ番号を付けてください", "give the same number to the same sample"));
    }
    for (name, value) in [("observer", observer), ("blind_sample", sample), ("note", given(&input.note))] {
        if let Some(value) = value {
            fields.insert(name.into(), Json::from(value));
        }
    }
    if input.blind {
        fields.insert("blind".into(), Json::Bool(true));
    }
    if let Some(sure) = input.sure {
        fields.insert("sure".into(), Json::from(sure));
    }
    if let Some(standard) = given(&input.standard) {
        let store = &context.session.store;
        store.record(&context.access, "reference-standard", &standard, None).await.map_err(|e| e.at(Place::field("standard")))?;
        fields.insert("standard".into(), Json::from(standard));
    }
    if let Some(at) = &input.entered_at {
        let at = Instant::parse(at).map_err(|e| e.at(Place::field("entered_at")))?;
        fields.insert("entered_at".into(), Json::from(at.to_string()));
    }
    Ok(())
}

/// Keeps the photo as it came and measures its colour when there is a card in it.
async fn photographed(
    context: &Context,
    asked: &Photo,
    fields: &mut FieldMap,
    commit: &mut Commit,
    found: &mut Vec<Diagnostic>,
) -> Result<Option<Measured>> {
    let (name, bytes) = photo::load(context, asked).await?;
    let (address, bytes) = context.session.store.keep(bytes).await?;
    let size = bytes.len() as u64;
    let id = file_id(context.access.who.organisation.as_deref(), address);
    if context.session.store.record(&context.access, "file", id.as_str(), None).await.is_err() {
        let at = context.now.to_string();
        let file = json!({ "name": name, "blob": address.to_string(), "bytes": size, "format": "photo", "imported_at": at });
        if let Json::Object(file) = file {
            commit.puts.push(Put::new("file", id.clone(), file));
        }
    }
    commit.blobs.push((address, size, name));
    fields.insert("photo".into(), Json::from(id.as_str()));
    let measured = match photo::colour(bytes, asked).await {
        Ok(measured) => measured,
        Err(error) if asked.keep_unmeasured => {
            // The picture is worth keeping even where its colour cannot be measured; no number is made up.
            let fault = error.fault();
            found.push(
                Diagnostic::warning("W-SENSE-011", Place::field("photo"), &fault.message.ja, &fault.message.en)
                    .remedy("写真は残し、色は記録していません", "the photo is kept, its colour is not recorded"),
            );
            None
        }
        Err(error) => return Err(error),
    };
    if let Some(m) = &measured {
        for (name, number) in
            [("lightness", m.lab.l), ("green_red", m.lab.a), ("blue_yellow", m.lab.b), ("colour_error", m.error)]
        {
            fields.insert(name.into(), Json::from(number));
        }
        let how = json!({ "card": asked.card, "corners": asked.corners, "subject": asked.subject, "measured": m, "engine": env!("CARGO_PKG_VERSION") });
        fields.insert("measurement".into(), how);
    }
    Ok(measured)
}

/// Writes one observation or decision under its identifier: new, known already, or refused.
#[allow(clippy::too_many_arguments, reason = "the parts of one entry, used by the two operations that enter one")]
pub(super) async fn put(
    context: &Context,
    kind: &str,
    prefix: &str,
    id: Option<&str>,
    fields: FieldMap,
    mut commit: Commit,
    colour: Option<Measured>,
    mut found: Vec<Diagnostic>,
) -> Result<Recorded> {
    let store = &context.session.store;
    let id = match id {
        Some(id) => Id::parse(id).map_err(|e| e.at(Place::field("id")))?,
        None => Id::derive(prefix, &[&toji_core::canonical::to_canonical(&fields)?, &context.now.to_string()]),
    };
    let run = text(&fields, "run").unwrap_or_default();
    let elapsed_s = fields.get("elapsed_s").and_then(Json::as_f64);
    let told = |version, changed, diagnostics| Recorded {
        id: id.to_string(),
        run: run.clone(),
        version,
        changed,
        elapsed_s,
        colour,
        diagnostics,
    };
    match store.record(&context.access, kind, id.as_str(), None).await {
        // A verdict may have been added since, and a label corrected: what was entered must still be there.
        Ok(known) if known.version == 1 && known.fields == fields => return Ok(told(1, false, found)),
        Ok(known) if known.version > 1 && first_is(context, kind, &id, &fields).await? => {
            return Ok(told(known.version, false, found));
        }
        Ok(_) => {
            return Err(Error::new(
                Category::Conflict,
                "E-SENSE-010",
                format!("識別子 {id} には別の入力があります"),
                format!("another entry stands under the identifier {id}"),
            )
            .at(Place::field("id"))
            .hint(
                "新しい識別子で送ってください。修正は `toji record put` で",
                "send it under a new identifier; correct the old one with `toji record put`",
            ));
        }
        Err(error) if error.code() == "E-RECORD-004" => {}
        Err(error) => return Err(error),
    }
    commit.puts.push(Put { if_version: Some(0), ..Put::new(kind, id.clone(), fields) });
    let receipt = store.commit(&context.access, context.now, commit).await?;
    found.extend(receipt.diagnostics);
    Ok(told(receipt.versions.last().copied().unwrap_or_default(), receipt.seq.is_some(), found))
}

async fn first_is(context: &Context, kind: &str, id: &Id, fields: &FieldMap) -> Result<bool> {
    let history = context.session.store.history(&context.access, kind, id.as_str()).await?;
    Ok(history.first().is_some_and(|v| v.record.fields == *fields))
}
