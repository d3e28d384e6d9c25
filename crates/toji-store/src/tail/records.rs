//! A live run as records: the run, its channels, its marks. Made once, before the first point is acknowledged, by the
//! same commit as everything else; what people set on them stays.

use crate::commit::Put;
use crate::store::Store;
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use toji_core::culture::{Origin, Sampling};
use toji_core::live::{Batch, Mark, Signal};
use toji_core::record::FieldMap;
use toji_core::variable::{self, Variable};
use toji_core::{Error, Id, Instant, Result, Unit};

/// What is known to stand in the store.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownRun {
    /// Zero of elapsed time, nanoseconds since 1970.
    zero_ns: i64,
    /// By key: identifier and what the source said of it.
    channels: HashMap<String, (Id, Signal)>,
}

/// Identifier of the run that a source calls `run`.
#[must_use]
pub fn live_run_id(source: &str, run: &str) -> Id {
    Id::derive("run", &["live", source, run])
}
/// Identifier of a channel of a live run.
#[must_use]
pub fn live_channel_id(run: &Id, key: &str) -> Id {
    Id::derive("ch", &[run.as_str(), key])
}

/// Key of the channel that holds the difference between arrival and source time.
pub(super) const OFFSET_KEY: &str = "clock-offset";

fn offset_signal(source: &str) -> Signal {
    Signal {
        key: OFFSET_KEY.into(),
        address: source.to_owned(),
        variable: None,
        raw_unit: Some("s".into()),
        origin: Origin::Calculated,
        sampling: Sampling::Irregular,
    }
}

/// Records that must stand before this batch may be acknowledged, and what is known once they do.
pub(super) async fn needed(store: &Store, at: Instant, batch: &Batch, known: Option<&KnownRun>) -> Result<(Vec<Put>, KnownRun)> {
    let run = live_run_id(&batch.source, &batch.run);
    let mut puts = Vec::new();
    let mut next = match known {
        Some(known) => known.clone(),
        None => {
            let (put, zero_ns) = run_put(store, at, batch, &run).await?;
            puts.extend(put);
            KnownRun { zero_ns, channels: HashMap::new() }
        }
    };
    // A run may be known by marks alone before its first point.
    let offset = (!batch.points.is_empty() && !next.channels.contains_key(OFFSET_KEY)).then(|| offset_signal(&batch.source));
    for signal in batch.signals.iter().chain(&offset) {
        if next.channels.get(&signal.key).is_some_and(|(_, said)| said == signal) {
            continue;
        }
        let id = live_channel_id(&run, &signal.key);
        puts.push(channel_put(store, &run, &id, &batch.source, signal).await?);
        next.channels.insert(signal.key.clone(), (id, signal.clone()));
    }
    for mark in &batch.marks {
        let put = mark_put(&run, &batch.source, mark, next.zero_ns);
        // A batch begins and ends once: what a source says again after a restart changes nothing.
        if mark.kind.is_of_batch() && store.present_record("event", put.id.as_str()).await?.is_some() {
            continue;
        }
        puts.push(put);
    }
    Ok((puts, next))
}

impl KnownRun {
    /// Does the batch say anything that is not in the records yet?
    pub(super) fn covers(&self, batch: &Batch) -> bool {
        let known = |s: &Signal| self.channels.get(&s.key).is_some_and(|(_, said)| said == s);
        batch.marks.is_empty()
            && batch.signals.iter().all(known)
            && (batch.points.is_empty() || self.channels.contains_key(OFFSET_KEY))
    }
    pub(super) fn channel(&self, key: &str) -> Option<&Id> {
        self.channels.get(key).map(|(id, _)| id)
    }
}

fn instant_ns(fields: &FieldMap, name: &str) -> Option<i64> {
    fields.get(name).and_then(Json::as_str).and_then(|t| Instant::parse(t).ok()).map(|t| t.0)
}

/// The run's record when there is none yet, and its zero of time.
async fn run_put(store: &Store, at: Instant, batch: &Batch, run: &Id) -> Result<(Option<Put>, i64)> {
    let first = batch.points.iter().map(|p| p.t_ns).min().or_else(|| batch.marks.iter().map(|m| m.t_ns).min());
    let zero_ns = first.unwrap_or(at.0);
    if let Some(present) = store.present_record("run", run.as_str()).await? {
        return Ok((None, instant_ns(&present.fields, "started").unwrap_or(zero_ns)));
    }
    let title = match &batch.vessel {
        Some(vessel) if !batch.run.contains(vessel.as_str()) => format!("{vessel} {}", batch.run),
        _ => batch.run.clone(),
    };
    let mut fields = object(json!({
        "title": title,
        "key": batch.run,
        "format": "live",
        "simulated": batch.simulated,
        "started": Instant(zero_ns).to_string(),
        "zero_is": "first-point",
        "zone": "UTC",
        "zone_evidence": "file",
        "fields": {"source": batch.source},
    }));
    if let Some(vessel) = &batch.vessel {
        fields.insert("vessel_name".into(), vessel.as_str().into());
    }
    Ok((Some(Put::new("run", run.clone(), fields)), zero_ns))
}

async fn channel_put(store: &Store, run: &Id, id: &Id, source: &str, signal: &Signal) -> Result<Put> {
    let mut fields = store.present_record("channel", id.as_str()).await?.map(|r| r.fields).unwrap_or_default();
    let unit = signal.raw_unit.as_deref().map(str::trim).filter(|u| !u.is_empty()).and_then(|u| Unit::parse(u).ok());
    let known = match &signal.variable {
        Some(id) => variable::get(id),
        None => recognised(&signal.key, unit.as_ref()),
    };
    let (sampling, deadband) = match signal.sampling {
        Sampling::Periodic => ("periodic", None),
        Sampling::OnChange { deadband } => ("on-change", deadband),
        Sampling::Irregular => ("irregular", None),
    };
    let said = json!({
        "run": run.as_str(),
        "key": signal.key,
        "variable": known.map(|v| v.id.as_str()).or(signal.variable.as_deref()),
        "unit": unit.as_ref().map(Unit::code),
        "raw_unit": signal.raw_unit,
        "origin": serde_json::to_value(signal.origin).map_err(|e| Error::bug("E-LIVE-010", e))?,
        "sampling": sampling,
        "deadband": deadband,
        "base": "utc",
        "method": (signal.key == OFFSET_KEY).then_some("median of arrival − source time, by the minute"),
    });
    for (name, value) in object(said) {
        if value.is_null() {
            fields.remove(&name);
        } else {
            fields.insert(name, value);
        }
    }
    let mut further = match fields.remove("fields") {
        Some(Json::Object(further)) => further,
        _ => FieldMap::new(),
    };
    further.insert("source".into(), source.into());
    further.insert("address".into(), signal.address.as_str().into());
    fields.insert("fields".into(), Json::Object(further));
    Ok(Put::new("channel", id.clone(), fields))
}

/// The variable a key names, when its unit does not contradict it. Words of one or two letters must be the whole name.
fn recognised(key: &str, unit: Option<&Unit>) -> Option<&'static Variable> {
    let (found, word) = variable::find(key)?;
    let whole = key.trim().eq_ignore_ascii_case(word);
    if !whole && word.chars().count() <= 2 && word.is_ascii() && !matches!(word, "ph" | "do" | "od") {
        return None;
    }
    let usual = Unit::parse(&found.unit).ok();
    let fits = match (unit, &usual) {
        // Annotations such as `{sat}` say more about a unit, not another unit.
        (Some(unit), Some(usual)) => unit.commensurable(usual) || bare(unit.code()) == bare(usual.code()),
        _ => true,
    };
    fits.then_some(found)
}

fn bare(code: &str) -> &str {
    code.split('{').next().unwrap_or(code)
}

fn mark_put(run: &Id, source: &str, mark: &Mark, zero_ns: i64) -> Put {
    use toji_core::live::MarkKind::{Birth, Death, Disconnected, Ended, Lost, Reconnected, Started};
    let (code, sort) = match mark.kind {
        Birth => ("birth", "source-on"),
        Death => ("death", "source-off"),
        Disconnected => ("disconnected", "outage"),
        Reconnected => ("reconnected", "reconnected"),
        Lost => ("lost", "gap"),
        Started => ("started", "start"),
        Ended => ("ended", "stop"),
    };
    let time = Instant(mark.t_ns).to_string();
    let mut fields = object(json!({
        "run": run.as_str(),
        "sort": sort,
        "label": source,
        "time": time,
        "elapsed_s": (mark.t_ns.saturating_sub(zero_ns)) as f64 / 1e9,
        "fields": {"mark": code, "source": source},
    }));
    if let Some(note) = &mark.note {
        fields.insert("reason".into(), note.as_str().into());
    }
    let when = if mark.kind.is_of_batch() { "" } else { &time };
    Put::new("event", Id::derive("evt", &[run.as_str(), "live", source, code, when]), fields)
}

fn object(value: Json) -> FieldMap {
    match value {
        Json::Object(map) => map,
        _ => FieldMap::new(),
    }
}
