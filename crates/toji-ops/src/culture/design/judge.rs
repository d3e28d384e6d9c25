//! Constraints that the strain of a test was built for: met, missed, or met in vain.

use super::gather::Tested;
use super::ids;
use super::rows::refers;
use crate::operation::Context;
use crate::run::text;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use toji_core::special::t_quantile_975;
use toji_core::{Record, Result, Text};
use toji_culture::lesson::Cause;
use toji_culture::scale::tank::HEAT_J_PER_MOL;

/// Half a 95 % interval in standard errors.
const HALF: f64 = 1.959_963_984_540_054;
/// Most strains above one.
const ABOVE_MAX: usize = 50;

/// What became of a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fate {
    /// The strain keeps the limit.
    Met,
    /// It does not.
    Missed,
    /// It keeps the limit, and the larger scale is limited by the same all the same: the limit asked did not suffice.
    Refuted,
    /// The data do not tell.
    Undecided,
}

/// A constraint of an earlier cycle, held against this test.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DesignJudged")]
pub(super) struct Judged {
    /// Constraint.
    pub(super) constraint: String,
    /// Title.
    pub(super) title: String,
    /// Edit by which the strain answers it.
    pub(super) edit: String,
    /// What became of it.
    pub(super) fate: Fate,
    /// Value of the strain.
    pub(super) value: Option<f64>,
    /// Lower end of its 95 % interval.
    pub(super) low: Option<f64>,
    /// Upper end.
    pub(super) high: Option<f64>,
    /// Limit.
    pub(super) limit: f64,
    /// Unit of all, UCUM.
    pub(super) unit: String,
    /// Why nothing can be said.
    pub(super) why: Option<Text>,
}

/// A strain and those above it, the strain first.
pub(super) async fn above(context: &Context, strain: &str) -> Vec<String> {
    let store = &context.session.store;
    let (mut out, mut next) = (Vec::new(), Some(strain.to_owned()));
    while let Some(id) = next.take().filter(|id| !out.contains(id) && out.len() < ABOVE_MAX) {
        next = store.record(&context.access, "strain", &id, None).await.ok().and_then(|r| text(&r.fields, "parent"));
        out.push(id);
    }
    out
}

/// Constraints that edits of a strain and of those above it answer, each with its edit.
async fn answered(context: &Context, strain: &str) -> Result<Vec<(Record, String)>> {
    let store = &context.session.store;
    let (mut out, mut seen) = (Vec::new(), BTreeSet::new());
    for strain in above(context, strain).await {
        for edit in store.linked(&context.access, "strain-edit", "strain", &strain).await? {
            if edit.retired || !refers(&edit, "strain", &strain) {
                continue;
            }
            for id in ids(&edit.fields, "constraints") {
                if !seen.insert(id.clone()) {
                    continue;
                }
                if let Ok(record) = store.record(&context.access, "design-constraint", &id, None).await {
                    out.push((record, edit.id.to_string()));
                }
            }
        }
    }
    Ok(out)
}

/// The value of a run for what a constraint asks, with its standard error.
fn value(tested: &Tested, variable: &str) -> Option<(f64, f64)> {
    let uptake = || tested.known("oxygen-uptake-max", "mmol/L/h").map(|k| (k.value, k.error));
    let specific = || {
        let ((u, e), b) = (uptake()?, tested.known("biomass-max", "g/L")?);
        let value = u / b.value;
        (b.value > 0.0).then(|| (value, value * (e / u).hypot(b.error / b.value)))
    };
    let heat = |(v, e): (f64, f64)| {
        let factor = HEAT_J_PER_MOL * 1e-3 / 3600.0;
        (v * factor, e * factor)
    };
    match variable {
        "specific-oxygen-uptake" => specific(),
        "specific-heat" => specific().map(heat),
        "oxygen-uptake-max" => uptake(),
        "heat-output" => uptake().map(heat),
        "overflow-max" => tested.known("overflow-max", "g/L").map(|k| (k.value, k.error)),
        _ => None,
    }
}

/// Mean with its 95 % interval over runs: by the spread between them, or of one run by its own error.
fn interval(values: &[(f64, f64)]) -> Option<(f64, Option<(f64, f64)>)> {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| v.0).sum::<f64>() / n;
    match values {
        [] => None,
        [(_, error)] => Some((mean, (*error > 0.0).then_some((mean - HALF * error, mean + HALF * error)))),
        _ => {
            let variance = values.iter().map(|v| (v.0 - mean).powi(2)).sum::<f64>() / (n - 1.0);
            let half = t_quantile_975(n - 1.0) * (variance / n).sqrt();
            Some((mean, Some((mean - half, mean + half))))
        }
    }
}

/// Holds the constraints that a strain was built for against its runs. `shown`: what limits the larger scale still,
/// where it is poorer beyond doubt.
///
/// # Errors
/// Storage faults.
pub(super) async fn judged(context: &Context, large: &Tested, small: &[Tested], shown: &[Cause]) -> Result<Vec<Judged>> {
    let Some(strain) = &large.strain else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    for (record, edit) in answered(context, strain).await? {
        let Some(limit) = record.fields.get("limit").and_then(Json::as_f64) else { continue };
        let variable = text(&record.fields, "variable").unwrap_or_default();
        // What a strain asks for is seen where nothing limits it: on the smaller scale. A by-product of mixing is seen on
        // the larger one.
        let values: Vec<(f64, f64)> = if variable == "overflow-max" {
            value(large, &variable).into_iter().collect()
        } else {
            small.iter().filter_map(|t| value(t, &variable)).collect()
        };
        let found = interval(&values);
        let most = text(&record.fields, "direction").as_deref() != Some("at-least");
        let same = shown.iter().any(|c| text(&record.fields, "cause").as_deref() == Some(c.code()));
        let (inside, outside) = match found.and_then(|f| f.1) {
            Some((low, high)) if most => (high <= limit, low > limit),
            Some((low, high)) => (low >= limit, high < limit),
            None => (false, false),
        };
        let fate = match (inside, outside) {
            (true, _) if same => Fate::Refuted,
            (true, _) => Fate::Met,
            (_, true) => Fate::Missed,
            _ => Fate::Undecided,
        };
        let why = (fate == Fate::Undecided).then(|| match found {
            None => Text::new("この量が測られていません", "the quantity was not measured"),
            Some((_, None)) => Text::new("一培養で区間がありません", "one run without an interval"),
            Some(_) => Text::new("区間が限界値を含みます", "the interval holds the limit"),
        });
        let (low, high) = found.and_then(|f| f.1).unzip();
        out.push(Judged {
            constraint: record.id.to_string(),
            title: text(&record.fields, "title").unwrap_or_default(),
            edit,
            fate,
            value: found.map(|f| f.0),
            low,
            high,
            limit,
            unit: text(&record.fields, "unit").unwrap_or_default(),
            why,
        });
    }
    Ok(out)
}

/// The record of a constraint whose fate is settled; none where it stays as it is.
///
/// # Errors
/// Storage faults.
pub(super) async fn settled(context: &Context, judged: &Judged, large: &Tested, small: &[Tested]) -> Result<Option<Record>> {
    let state = match judged.fate {
        Fate::Met => "met",
        Fate::Refuted => "refuted",
        Fate::Missed | Fate::Undecided => return Ok(None),
    };
    let mut record = context.session.store.record(&context.access, "design-constraint", &judged.constraint, None).await?;
    let by = json!({
        "run": large.run.id.as_str(),
        "small_runs": small.iter().map(|t| t.run.id.to_string()).collect::<Vec<_>>(),
        "value": judged.value,
        "low": judged.low,
        "high": judged.high,
        "unit": judged.unit,
    });
    if text(&record.fields, "state").as_deref() == Some(state) && record.fields.get("judged_by") == Some(&by) {
        return Ok(None);
    }
    record.fields.insert("state".to_owned(), state.into());
    record.fields.insert("judged_by".to_owned(), by);
    Ok(Some(record))
}
