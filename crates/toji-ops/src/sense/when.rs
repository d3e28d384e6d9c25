//! When something was sensed or decided: on the run's own axis, from a clock or from elapsed time.

use crate::operation::Context;
use crate::run::{text, zero_ns};
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Diagnostic, Error, Instant, Place, Record, Result};

/// A clock of a tablet may differ from the server's by this much without a word.
const AHEAD_NS: i64 = 120 * toji_core::clock::SECOND_NS;

/// Sets `time` and `elapsed_s` of a thing of `run`; without either it is now.
pub(super) fn set(
    context: &Context,
    run: &Record,
    time: Option<&str>,
    elapsed_s: Option<f64>,
    fields: &mut FieldMap,
    found: &mut Vec<Diagnostic>,
) -> Result<()> {
    let zero = zero_ns(&run.fields);
    if let Some(elapsed) = elapsed_s {
        if time.is_some() || !elapsed.is_finite() || elapsed.abs() > 1e9 {
            return Err(Error::input(
                "E-SENSE-001",
                "時刻は time か elapsed_s のどちらか一つで指定してください",
                "say when by either time or elapsed_s, not both",
            )
            .at(Place::field("elapsed_s"))
            .hint("elapsed_s は培養の零時刻からの秒数です", "elapsed_s is seconds since the run's zero"));
        }
        fields.insert("elapsed_s".into(), Json::from(elapsed));
        if let Some(at) = zero.and_then(|z| z.checked_add((elapsed * 1e9) as i64)) {
            fields.insert("time".into(), Json::from(Instant(at).to_string()));
        }
        return Ok(());
    }
    let at = match time {
        Some(time) => Instant::parse(time).map_err(|e| e.at(Place::field("time")))?,
        None => context.now,
    };
    if at.0 > context.now.0.saturating_add(AHEAD_NS) {
        found.push(
            Diagnostic::warning(
                "W-SENSE-002",
                Place::field("time"),
                format!("時刻 {at} はこの端末の時計より先です"),
                format!("the time {at} lies ahead of this machine's clock"),
            )
            .remedy("入力した端末の時計を確かめてください", "check the clock of the device it was entered on"),
        );
    }
    fields.insert("time".into(), Json::from(at.to_string()));
    match zero {
        Some(zero) => {
            fields.insert("elapsed_s".into(), Json::from((at.0 - zero) as f64 / 1e9));
        }
        None => found.push(
            Diagnostic::warning(
                "W-SENSE-003",
                Place::field("time"),
                "培養に時計がないため、系列の時間軸に置けません",
                "the run has no clock, so this cannot be placed on its axis of time",
            )
            .remedy("elapsed_s で指定してください", "give elapsed_s instead"),
        ),
    }
    Ok(())
}

/// Where a record lies on the run's axis of time, ns since its zero.
pub(super) fn since_zero(fields: &FieldMap, zero: Option<i64>) -> Option<i64> {
    let clock = text(fields, "time").and_then(|t| Instant::parse(&t).ok()).zip(zero).map(|(t, z)| t.0 - z);
    clock.or_else(|| fields.get("elapsed_s").and_then(Json::as_f64).map(|s| (s * 1e9).round() as i64))
}
