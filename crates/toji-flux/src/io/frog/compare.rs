//! Two reports side by side.

use super::Report;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A value in which two reports differ. `None`: infeasible, or not in the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FrogDifference")]
pub struct Difference {
    /// `objective`, `minimum`, `maximum`, `gene` or `reaction`.
    pub what: String,
    /// Of which reaction or gene.
    pub id: String,
    /// In the first report.
    pub first: Option<f64>,
    /// In the second.
    pub second: Option<f64>,
}

/// Every value in which the reports differ by more than `absolute + relative · |second|`. The flux at the optimum is not
/// compared: it is not unique.
#[must_use]
pub fn compare(first: &Report, second: &Report, absolute: f64, relative: f64) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut put = |what: &str, id: &str, a: Option<f64>, b: Option<f64>| {
        let same = match (a, b) {
            (Some(a), Some(b)) => a == b || (a - b).abs() <= absolute + relative * b.abs(),
            (None, None) => true,
            _ => false,
        };
        if !same {
            found.push(Difference { what: what.into(), id: id.into(), first: a, second: b });
        }
    };
    put("objective", &second.objective, first.value, second.value);
    let ids: BTreeSet<&String> = first.ranges.keys().chain(second.ranges.keys()).collect();
    let range = |report: &Report, id: &str| report.ranges.get(id).copied().flatten();
    for id in ids {
        let (a, b) = (range(first, id), range(second, id));
        put("minimum", id, a.map(|r| r.minimum), b.map(|r| r.minimum));
        put("maximum", id, a.map(|r| r.maximum), b.map(|r| r.maximum));
    }
    type Values = BTreeMap<String, Option<f64>>;
    let mut all = |what: &str, a: &Values, b: &Values| {
        let ids: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for id in ids {
            put(what, id, a.get(id).copied().flatten(), b.get(id).copied().flatten());
        }
    };
    all("gene", &first.genes, &second.genes);
    all("reaction", &first.reactions, &second.reactions);
    found
}
