//! The state of the tank in the minute of a judgement: the latest good value of every sensor, and the latest
//! observations, at or before it and not older than asked.

use super::when::since_zero;
use crate::operation::Context;
use crate::run::{text, zero_ns};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Record, Result, Text, variable, vocabulary};
use toji_store::Base;

/// One quantity of a state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub(crate) struct Quantity {
    /// Variable of a sensor, else its name in the source; `term` or vocabulary of an observation.
    pub(crate) key: String,
    /// Unit, UCUM; `1` for levels.
    pub(crate) unit: String,
    /// Was it sensed by a person?
    pub(crate) sensed: bool,
}

impl Quantity {
    /// Name for people.
    pub(super) fn label(&self) -> Text {
        if self.sensed {
            if let Some((_, term)) = vocabulary::find(&self.key) {
                return term.label.clone();
            }
            return vocabulary::get(&self.key).map_or_else(|_| Text::same(&self.key), |v| v.label.clone());
        }
        variable::get(&self.key).map_or_else(|| Text::same(&self.key), |v| v.label.clone())
    }
}

/// A state: quantity → (value, age in s).
pub(super) type State = BTreeMap<Quantity, (f64, f64)>;

/// States of one run at some of its times, ns since its zero, in their order.
pub(super) struct States {
    /// For every time its state.
    pub(super) at: Vec<State>,
    /// Values left out since they were older than asked.
    pub(super) too_old: u64,
}

/// What of an observation is graded: the quantity and its level.
pub(super) fn graded(observation: &Record) -> Option<(Quantity, f64)> {
    let level = observation.fields.get("level").and_then(Json::as_f64)?;
    let code = text(&observation.fields, "term")?;
    let (vocabulary, _) = vocabulary::find(&code)?;
    // Terms of a scale of their own (foam stages) are one quantity; graded terms (odours) are one each.
    let key = if vocabulary.scale.is_some() { code } else { vocabulary.vocabulary.clone() };
    Some((Quantity { key, unit: "1".into(), sensed: true }, level))
}

/// The states of a run. `times` may be in any order. Observations are joined when `senses` says so.
pub(super) async fn states(context: &Context, run: &Record, times: &[i64], max_age_s: f64, senses: bool) -> Result<States> {
    let store = &context.session.store;
    let zero = zero_ns(&run.fields);
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by_key(|i| times.get(*i).copied().unwrap_or_default());
    let mut out = States { at: vec![State::new(); times.len()], too_old: 0 };
    let names: BTreeMap<String, Quantity> = store
        .linked(&context.access, "channel", "run", run.id.as_str())
        .await?
        .into_iter()
        .map(|c| {
            // A set-point is no reading: it keeps its own name, so that it never stands in for the sensor.
            let read = !matches!(text(&c.fields, "origin").as_deref(), Some("setpoint" | "actuator"));
            let key = text(&c.fields, "variable").filter(|_| read).or_else(|| text(&c.fields, "key")).unwrap_or_default();
            let unit = text(&c.fields, "unit").unwrap_or_default();
            (c.id.to_string(), Quantity { key, unit, sensed: false })
        })
        .collect();
    let ascending: Vec<i64> = order.iter().filter_map(|i| times.get(*i)).copied().collect();
    for base in [Base::Utc, Base::Elapsed] {
        let shift = if base == Base::Utc { zero.unwrap_or_default() } else { 0 };
        let shifted: Vec<i64> = ascending.iter().map(|t| t.saturating_add(shift)).collect();
        let (ours, others): (Vec<_>, Vec<_>) =
            store.latest_good(&context.access, &run.id, &[], &shifted).await?.into_iter().partition(|j| j.base == base);
        for joined in ours {
            let Some(quantity) = names.get(joined.channel.as_str()) else { continue };
            for (place, (value, age)) in order.iter().zip(joined.values).filter_map(|(i, v)| v.map(|v| (*i, v))) {
                let age_s = age as f64 / 1e9;
                if age_s > max_age_s {
                    out.too_old += 1;
                    continue;
                }
                let Some(state) = out.at.get_mut(place) else { continue };
                // Of several channels of one quantity the freshest speaks.
                let slot = state.entry(quantity.clone()).or_insert((value, age_s));
                if age_s < slot.1 {
                    *slot = (value, age_s);
                }
            }
        }
        // Channels of a run nearly always count from one base.
        if others.is_empty() {
            break;
        }
    }
    if senses {
        let observations = store.linked(&context.access, "observation", "run", run.id.as_str()).await?;
        add_senses(&observations, zero, times, max_age_s, &mut out);
    }
    Ok(out)
}

fn add_senses(observations: &[Record], zero: Option<i64>, times: &[i64], max_age_s: f64, out: &mut States) {
    for observation in observations {
        let (Some(at), Some((quantity, level))) = (since_zero(&observation.fields, zero), graded(observation)) else { continue };
        for (time, state) in times.iter().zip(&mut out.at) {
            let age_s = (time - at) as f64 / 1e9;
            if age_s < 0.0 || age_s > max_age_s {
                continue;
            }
            let slot = state.entry(quantity.clone()).or_insert((level, age_s));
            if age_s < slot.1 {
                *slot = (level, age_s);
            }
        }
    }
}

/// The runs named, or all that have a record of this kind.
pub(super) async fn runs_with(context: &Context, kind: &str, named: &[String]) -> Result<Vec<Record>> {
    let store = &context.session.store;
    let mut ids: Vec<String> = named.to_vec();
    if ids.is_empty() {
        ids = store.records(&context.access, kind, None, false).await?.iter().filter_map(|r| text(&r.fields, "run")).collect();
    }
    // A run named twice is one run: counting it twice would shorten every interval.
    ids.sort();
    ids.dedup();
    let mut out = Vec::new();
    for id in ids {
        out.push(store.record(&context.access, "run", &id, None).await?);
    }
    Ok(out)
}
