//! `lot show`: the record of a lot, assembled from what is stored and from nothing else.

use super::findings::findings;
use super::gather::{Gathered, SeriesRow, gather};
use super::materials::{MaterialRow, materials};
use super::results::{ResultRow, SpecificationRow, results};
use super::rows::{DeviationRow, FileRow, RunRow, StepRow, deviations, files, runs, steps};
use super::sources::{SourceRow, sources};
use super::specification::entries;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::record::FieldMap;
use toji_core::{Diagnostic, Result, Severity};

/// What was decided on a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// Nothing yet.
    Open,
    /// It may leave.
    Released,
    /// It may not.
    Rejected,
}

impl State {
    /// Of a lot's record.
    pub(super) fn of(fields: &FieldMap) -> Self {
        match text(fields, "state").as_deref() {
            Some("released") => Self::Released,
            Some("rejected") => Self::Rejected,
            _ => Self::Open,
        }
    }
    /// Its code in the record.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Released => "released",
            Self::Rejected => "rejected",
        }
    }
}

/// Input of `lot show`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Lot.
    ///
    /// 製造ロット。
    lot: String,
}

/// The rows of a lot's record.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Rows {
    /// Runs.
    pub(super) runs: Vec<RunRow>,
    /// The specification, run by run.
    pub(super) specification: Vec<SpecificationRow>,
    /// Results of the standard analysis and of assays.
    pub(super) results: Vec<ResultRow>,
    /// Steps in order of time.
    pub(super) steps: Vec<StepRow>,
    /// What went into it.
    pub(super) materials: Vec<MaterialRow>,
    /// What was measured continuously.
    pub(super) series: Vec<SeriesRow>,
    /// Instruments and live sources.
    pub(super) sources: Vec<SourceRow>,
    /// Files.
    pub(super) files: Vec<FileRow>,
    /// Deviations.
    pub(super) deviations: Vec<DeviationRow>,
}

/// How a part of the record differs from what was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Change {
    /// It was not there.
    Added,
    /// It has another content.
    Changed,
    /// It is not there any more.
    Removed,
}

/// A part of the record that differs from what was decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct Difference {
    /// Kind and identifier, or `series`, run and channel.
    record: String,
    /// How.
    change: Change,
}

/// Output of `lot show`.
#[derive(Debug, Serialize, JsonSchema)]
struct Shown {
    /// Lot.
    lot: String,
    /// Title.
    title: String,
    /// Lot number.
    lot_number: String,
    /// Product.
    product: Option<String>,
    /// A simulated lot.
    simulated: bool,
    /// Planned amount.
    planned: Option<Json>,
    /// What was decided.
    state: State,
    /// Decided when.
    decided_at: Option<String>,
    /// Decided by.
    decided_by: Option<String>,
    /// Why.
    decision_reason: Option<String>,
    /// SHA-256 of everything the record is made of now.
    sha256: String,
    /// The same when it was decided.
    sha256_decided: Option<String>,
    /// Is the record another than the one decided on? None while nothing is decided.
    differs: Option<bool>,
    /// What differs.
    differences: Vec<Difference>,
    /// Would `lot release` release it?
    may_release: bool,
    /// The record.
    #[serde(flatten)]
    rows: Rows,
    /// What stands against the release, and what else is missing.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "lot show",
            label: ["製造ロット記録", "Show the record of a lot"],
            about: [
                "製造ロットの記録を、保存されているものだけから組み立てます。操作（手順の命令・事象・判断・観察・採取）を時刻の順に、原料、規格に照らした結果、系列、装置と製造者、ファイル、逸脱を示し、出荷を妨げるものと足りないものを所見に挙げます。判定の後に元の記録が変わっていれば、どこが違うかを示します。",
                "Assembles the record of a lot from what is stored and from nothing else: every step in order of time, materials, results against the specification, series, instruments with their makers, files and deviations. What stands against the release and what is missing are findings. When something has changed since the decision, it is named.",
            ],
            positional: &["lot"],
            example: "toji lot show LOT-1",
        },
        Effect::Read,
        |context: Context, input: Input| async move { show(&context, &input.lot).await },
    )
}

/// A lot with its record and what stands against it.
pub(super) struct Assembled {
    pub(super) all: Gathered,
    pub(super) rows: Rows,
    pub(super) findings: Vec<Diagnostic>,
    /// SHA-256 of all it is made of.
    pub(super) sha256: String,
}

impl Assembled {
    /// A text of the lot's record.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        text(&self.all.lot.fields, name)
    }
    /// What was decided.
    pub(super) fn state(&self) -> State {
        State::of(&self.all.lot.fields)
    }
    /// What stands against the release.
    pub(super) fn against(&self) -> impl Iterator<Item = &Diagnostic> {
        self.findings.iter().filter(|d| d.severity == Severity::Error)
    }
}

/// Assembles the record of a lot.
///
/// # Errors
/// No such lot, storage faults.
pub(super) async fn assemble(context: &Context, lot: &str) -> Result<Assembled> {
    let all = gather(context, lot).await?;
    let (entries, unreadable) = entries(&all.lot.fields);
    let (results, specification) = results(&all, &entries);
    let rows = Rows {
        runs: runs(&all),
        specification,
        results,
        steps: steps(&all),
        materials: materials(&all),
        series: all.runs.iter().flat_map(|r| r.series.iter().cloned()).collect(),
        sources: sources(&all),
        files: files(&all),
        deviations: deviations(&all),
    };
    let findings = findings(&all, &rows, unreadable, &context.now.to_string());
    let sha256 = all.sha256()?;
    Ok(Assembled { all, rows, findings, sha256 })
}

async fn show(context: &Context, lot: &str) -> Result<Shown> {
    let found = assemble(context, lot).await?;
    let fields = &found.all.lot.fields;
    let decided = found.text("record_sha256");
    let state = found.state();
    let product = match (found.text("product_name"), found.text("product")) {
        (Some(name), _) => Some(name),
        (None, Some(id)) => {
            let record = context.session.store.record(&context.access, "product", &id, None).await.ok();
            record.and_then(|r| text(&r.fields, "name")).or(Some(id))
        }
        (None, None) => None,
    };
    Ok(Shown {
        lot: found.all.lot.id.to_string(),
        title: found.text("title").unwrap_or_default(),
        lot_number: found.text("number").unwrap_or_default(),
        product,
        simulated: fields.get("simulated").and_then(Json::as_bool).unwrap_or(false),
        planned: fields.get("planned").cloned(),
        decided_at: found.text("decided_at"),
        decided_by: found.text("decided_by"),
        decision_reason: found.text("decision_reason"),
        differs: decided.as_ref().map(|d| *d != found.sha256),
        differences: differences(fields.get("record_of"), &found.all.content),
        may_release: state == State::Open && found.against().next().is_none(),
        state,
        sha256: found.sha256,
        sha256_decided: decided,
        rows: found.rows,
        findings: found.findings,
    })
}

/// What differs between the content that was decided on and the present one, by name.
fn differences(decided: Option<&Json>, now: &BTreeMap<String, String>) -> Vec<Difference> {
    let Some(decided) = decided.and_then(Json::as_object) else { return Vec::new() };
    let then: BTreeMap<&str, &str> = decided.iter().filter_map(|(name, sha)| Some((name.as_str(), sha.as_str()?))).collect();
    let mut out = Vec::new();
    for (name, sha) in now {
        match then.get(name.as_str()) {
            None => out.push(Difference { record: name.clone(), change: Change::Added }),
            Some(before) if before != sha => out.push(Difference { record: name.clone(), change: Change::Changed }),
            Some(_) => {}
        }
    }
    let removed = then.keys().filter(|name| !now.contains_key(**name));
    out.extend(removed.map(|name| Difference { record: (*name).to_owned(), change: Change::Removed }));
    out.sort_by(|a, b| a.record.cmp(&b.record));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_named() {
        let now = [("run/a", "1"), ("run/b", "2"), ("assay/c", "3")].map(|(n, s)| (n.to_owned(), s.to_owned()));
        let now = BTreeMap::from(now);
        let check = |decided: Json, expected: &[(&str, Change)]| {
            let found = differences(Some(&decided), &now);
            let found: Vec<(&str, Change)> = found.iter().map(|d| (d.record.as_str(), d.change)).collect();
            assert_eq!(found, expected);
        };
        check(json!({ "run/a": "1", "run/b": "2", "assay/c": "3" }), &[]);
        check(
            json!({ "run/a": "9", "run/b": "2", "event/d": "4" }),
            &[("assay/c", Change::Added), ("event/d", Change::Removed), ("run/a", Change::Changed)],
        );
        assert!(differences(None, &now).is_empty());
    }
}
