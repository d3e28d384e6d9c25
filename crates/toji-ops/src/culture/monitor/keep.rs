//! Monitor models as records, by which later runs are judged, and alarms as events of their runs.

use super::axis::Alignment;
use super::gather::Course;
use super::judged::{Conformity, Judged};
use super::learnt::{Learnt, ReferenceRun, Settings};
use crate::operation::Context;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use toji_core::record::FieldMap;
use toji_core::{Category, Digest, Error, Id, Instant, Place, Record, Result};
use toji_culture::monitor::{ENGINE, Known, VERSION};
use toji_store::{Commit, Put};

const KIND: &str = "monitor-model";

/// A stored model, before its references are read again.
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) references: Vec<ReferenceRun>,
    pub(super) alignment: Alignment,
    pub(super) settings: Settings,
    pub(super) known: Vec<Known>,
    limits: Json,
    version: String,
}

fn json_of<T: serde::Serialize>(value: &T) -> Result<Json> {
    serde_json::to_value(value).map_err(|e| Error::bug("E-MONITOR-041", e))
}

fn part<T: DeserializeOwned>(record: &Record, field: &str) -> Result<T> {
    let value = record.fields.get(field).cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|e| {
        let id = &record.id;
        Error::input(
            "E-MONITOR-040",
            format!("監視モデル {id} の {field} を読めません: {e}"),
            format!("{field} of the monitor model {id} is not readable: {e}"),
        )
        .at(Place::field("model"))
        .hint("基準の培養から学び直してください（--store）", "learn it anew from its reference runs (--store)")
    })
}

impl Stored {
    /// Reads a model.
    ///
    /// # Errors
    /// No such model, or one that this version does not read.
    pub(super) async fn load(context: &Context, id: &str) -> Result<Self> {
        let record =
            context.session.store.record(&context.access, KIND, id, None).await.map_err(|e| e.at(Place::field("model")))?;
        Ok(Self {
            references: part(&record, "references")?,
            alignment: part(&record, "axis")?,
            settings: part(&record, "settings")?,
            known: part(&record, "known")?,
            limits: part(&record, "limits")?,
            version: part(&record, "engine_version")?,
            id: record.id.to_string(),
        })
    }

    /// Refuses references whose readings are no longer those that were learnt from.
    ///
    /// # Errors
    /// A reference has changed.
    pub(super) fn unchanged(&self, courses: &[Course]) -> Result<()> {
        let changed: Vec<&str> = self
            .references
            .iter()
            .zip(courses)
            .filter(|(before, now)| before.sha256 != now.sha256)
            .map(|(before, _)| before.run.as_str())
            .collect();
        if changed.is_empty() {
            return Ok(());
        }
        let runs = changed.join(", ");
        Err(Error::new(
            Category::Conflict,
            "E-MONITOR-042",
            format!("基準の培養の測定値が学習後に変わっています: {runs}"),
            format!("readings of reference runs have changed since they were learnt from: {runs}"),
        )
        .at(Place::field("model"))
        .hint(
            "変更を確かめ、監視モデルを学び直してください（--store）",
            "see what has changed, then learn the model anew (--store)",
        ))
    }

    /// Refuses limits that are not those that were kept: another version of the engine made them.
    ///
    /// # Errors
    /// The limits differ.
    pub(super) fn same_limits(&self, learnt: &Learnt) -> Result<()> {
        let now = json_of(&learnt.limits)?;
        let differs = |name: &str| {
            let numbers = |of: &Json| -> Vec<f64> {
                let list = of[name].as_array().cloned().unwrap_or_else(|| vec![of[name].clone()]);
                list.iter().filter_map(Json::as_f64).collect()
            };
            let (before, now) = (numbers(&self.limits), numbers(&now));
            before.len() != now.len() || before.iter().zip(&now).any(|(a, b)| (a - b).abs() > 1e-9 * a.abs().max(b.abs()))
        };
        if !["t2", "spe", "run_factor", "run_confidence"].into_iter().any(differs) {
            return Ok(());
        }
        let version = &self.version;
        Err(Error::new(
            Category::Conflict,
            "E-MONITOR-043",
            format!("計算器の版 {version} の限界を版 {VERSION} で再現できません"),
            format!("limits of engine version {version} are not reproduced by version {VERSION}"),
        )
        .at(Place::field("model"))
        .hint("監視モデルを学び直してください（--store）", "learn the model anew (--store)"))
    }
}

/// The record of a model; the same runs and settings are the same record.
pub(super) fn model_id(learnt: &Learnt) -> Result<Id> {
    let what = json!({
        "references": json_of(&learnt.references)?,
        "axis": json_of(&learnt.alignment)?,
        "settings": json_of(&learnt.settings)?,
        "known": json_of(&learnt.known)?,
        "engine": VERSION,
    });
    let mark = Digest::of(toji_core::canonical::to_canonical(&what)?.as_bytes()).hex();
    Ok(Id::derive("mon", &[&mark]))
}

fn model_put(id: &Id, learnt: &Learnt, title: &str, area: Option<&str>, now: Instant) -> Result<Put> {
    let mut fields = FieldMap::from_iter([
        ("title".to_owned(), Json::from(title)),
        ("references".to_owned(), json_of(&learnt.references)?),
        ("channels".to_owned(), json_of(&learnt.alignment.watched())?),
        ("axis".to_owned(), json_of(&learnt.alignment)?),
        ("settings".to_owned(), json_of(&learnt.settings)?),
        ("limits".to_owned(), json_of(&learnt.limits)?),
        ("known".to_owned(), json_of(&learnt.known)?),
        ("engine".to_owned(), ENGINE.into()),
        ("engine_version".to_owned(), VERSION.into()),
        ("made_at".to_owned(), now.to_string().into()),
    ]);
    fields.extend(area.map(|a| ("area".to_owned(), Json::from(a))));
    Ok(Put::new(KIND, id.clone(), fields))
}

/// The alarm of a run under a model: one event, a new version when it says something else.
fn event_put(model: &str, judged: &Judged, course: &Course) -> Result<(Id, Put)> {
    let id = Id::derive("evt", &[&judged.run, "culture monitor", model]);
    let first = judged.alarms.first();
    let said = first.map(|a| format!("{} / {}", a.evidence.ja, a.evidence.en)).unwrap_or_default();
    let mut fields = FieldMap::from_iter([
        ("run".to_owned(), Json::from(judged.run.as_str())),
        ("sort".to_owned(), "alarm".into()),
        ("label".to_owned(), said.into()),
        (
            "fields".to_owned(),
            json!({ "operation": "culture monitor", "monitor_model": model, "alarms": json_of(&judged.alarms)? }),
        ),
    ]);
    if let Some(time_h) = first.and_then(|a| a.time_h) {
        let elapsed_s = course.begins_s + time_h * 3600.0;
        fields.insert("elapsed_s".to_owned(), json!(elapsed_s));
        fields.extend(
            course
                .zero_ns
                .map(|zero| ("time".to_owned(), Json::from(Instant(zero.saturating_add((elapsed_s * 1e9) as i64)).to_string()))),
        );
    }
    Ok((id.clone(), Put::new("event", id, fields)))
}

/// Keeps the model where it is new, and an event for every run that departs, in one commit. Answers the model.
///
/// # Errors
/// Storage faults.
pub(super) async fn keep(
    context: &Context,
    learnt: &Learnt,
    stored: Option<&str>,
    title: &str,
    area: Option<&str>,
    judged: &mut [(Judged, Course)],
) -> Result<String> {
    let store = &context.session.store;
    let mut puts = Vec::new();
    let model = match stored {
        Some(id) => id.to_owned(),
        None => {
            let id = model_id(learnt)?;
            if store.record(&context.access, KIND, id.as_str(), None).await.is_err() {
                puts.push(model_put(&id, learnt, title, area, context.now)?);
            }
            id.to_string()
        }
    };
    for (judged, course) in judged.iter_mut().filter(|(j, _)| j.conformity == Conformity::Departs) {
        let (id, put) = event_put(&model, judged, course)?;
        judged.event = Some(id.to_string());
        let before = store.record(&context.access, "event", id.as_str(), None).await.ok();
        if before.is_none_or(|b| b.fields != put.fields) {
            puts.push(put);
        }
    }
    if !puts.is_empty() {
        let commit = Commit { operation: "culture monitor".into(), puts, ..Commit::default() };
        store.commit(&context.access, context.now, commit).await?;
    }
    Ok(model)
}
