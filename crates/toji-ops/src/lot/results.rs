//! Results of a lot, each against the specification, and the specification against its results.

use super::gather::{Gathered, RunPart};
use super::materials::quantities;
use super::specification::{Entry, Which, label, together};
use crate::culture::elapsed_s;
use crate::run::{text, zero_ns};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use toji_core::limits::{Judged, Verdict};
use toji_core::{Record, Text, Unit, Value, variable};
use toji_culture::rates::NotDetermined;

/// A result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct ResultRow {
    /// Run.
    pub(super) run: String,
    /// Code of the standard analysis, or variable of an assay.
    pub(super) quantity: String,
    /// Label.
    label: Text,
    /// The value object, in the usual unit of its variable; its text as it was written.
    value: Json,
    /// Lower end of the 95 % interval, in the value's unit.
    pub(super) low: Option<f64>,
    /// Upper end.
    pub(super) high: Option<f64>,
    /// Verdict against the specification; none where it asks nothing of this result.
    pub(super) verdict: Option<Verdict>,
    /// Why it is undecided or not measured.
    pub(super) why: Option<Text>,
    /// When, UTC.
    time: Option<String>,
    /// s since the run's zero.
    elapsed_s: Option<f64>,
    /// Sample.
    sample: Option<String>,
    /// How it was found.
    method: Option<Text>,
    /// Record that says so: kind and identifier.
    pub(super) record: String,
}

/// What the specification asks, with what came of it in one run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct SpecificationRow {
    /// Place in the specification, from 0.
    pub(super) index: usize,
    /// Code of the standard analysis, or variable of assays.
    pub(super) quantity: String,
    /// Label.
    pub(super) label: Text,
    /// Lower limit.
    pub(super) low: Option<f64>,
    /// Upper limit.
    pub(super) high: Option<f64>,
    /// Unit of the limits, UCUM.
    pub(super) unit: String,
    /// Run; none where no run has the role it is asked of.
    pub(super) run: Option<String>,
    /// Verdict.
    pub(super) verdict: Verdict,
    /// Results that were judged, as they were written.
    pub(super) found: Vec<String>,
    /// Why it is undecided or not measured.
    pub(super) why: Option<Text>,
    /// The 95 % interval of the result reaches beyond a limit.
    pub(super) interval_beyond: bool,
}

/// A result before it is judged.
struct Candidate {
    row: ResultRow,
    value: Value,
}

/// Results in order of runs; analysis first, then assays by quantity and time. And the specification run by run.
pub(super) fn results(all: &Gathered, entries: &[Entry]) -> (Vec<ResultRow>, Vec<SpecificationRow>) {
    let (mut rows, mut asked) = (Vec::new(), Vec::new());
    for part in &all.runs {
        let mut found = of_analysis(part);
        found.extend(of_assays(part));
        for entry in entries.iter().filter(|e| e.role.is_none() || e.role == part.role) {
            asked.push(judge(part, entry, &mut found));
        }
        rows.extend(found.into_iter().map(|c| c.row));
    }
    let judged: BTreeSet<usize> = asked.iter().map(|row: &SpecificationRow| row.index).collect();
    for entry in entries.iter().filter(|e| !judged.contains(&e.index)) {
        let role = entry.role.clone().unwrap_or_default();
        let why = match entry.role {
            Some(_) => Text::new(format!("役割「{role}」の培養がありません"), format!("no run has the role \"{role}\"")),
            None => Text::new("培養がありません", "there is no run"),
        };
        asked.push(SpecificationRow { why: Some(why), ..row_of(entry, None) });
    }
    asked.sort_by_key(|row| row.index);
    (rows, asked)
}

fn row_of(entry: &Entry, run: Option<&RunPart>) -> SpecificationRow {
    SpecificationRow {
        index: entry.index,
        quantity: entry.quantity.clone(),
        label: entry.label(),
        low: entry.limits.low(),
        high: entry.limits.high(),
        unit: entry.limits.unit().code().to_owned(),
        run: run.map(|r| r.id().to_owned()),
        verdict: Verdict::NotMeasured,
        found: Vec::new(),
        why: None,
        interval_beyond: false,
    }
}

/// Judges the results an entry speaks of, and notes the verdict on each; the gravest stands.
fn judge(part: &RunPart, entry: &Entry, found: &mut [Candidate]) -> SpecificationRow {
    let mut row = row_of(entry, Some(part));
    let of_entry = |c: &&mut Candidate| c.row.quantity == entry.quantity;
    let mut asked: Vec<&mut Candidate> = found.iter_mut().filter(of_entry).collect();
    if entry.which == Which::Last && asked.len() > 1 {
        let unplaced = asked.iter().any(|c| c.row.elapsed_s.is_none());
        if unplaced {
            row.verdict = Verdict::Undecided;
            row.why = Some(Text::new(
                "時刻のない結果があり、最後の結果が決まりません",
                "a result has no time, so it is not known which is the last",
            ));
            return row;
        }
        let last = asked.iter().filter_map(|c| c.row.elapsed_s).fold(f64::NEG_INFINITY, f64::max);
        asked.retain(|c| c.row.elapsed_s == Some(last));
    }
    let known = variable::get(&entry.quantity);
    let mut verdicts = Vec::new();
    for candidate in asked {
        let Judged { verdict, why } = entry.limits.judge(&candidate.value, known);
        row.found.push(candidate.value.to_string());
        if verdicts.iter().all(|v| *v < verdict) {
            row.why.clone_from(&why);
        }
        verdicts.push(verdict);
        row.interval_beyond |= beyond(entry, &candidate.row, &candidate.value);
        if candidate.row.verdict.is_none_or(|before| before < verdict) {
            candidate.row.verdict = Some(verdict);
            candidate.row.why = why;
        }
    }
    row.verdict = together(verdicts.iter().copied());
    if verdicts.is_empty() {
        row.why = Some(missing(part, entry));
    } else if matches!(row.verdict, Verdict::Within | Verdict::Outside) {
        row.why = None;
    }
    row
}

/// Does the interval of a number reach beyond the limits that the number keeps?
fn beyond(entry: &Entry, row: &ResultRow, value: &Value) -> bool {
    let end = |at: Option<f64>| Some(Value { number: Some(at?), ..value.clone() });
    let outside = |v: Value| entry.limits.judge(&v, None).verdict == Verdict::Outside;
    !outside(value.clone()) && [end(row.low), end(row.high)].into_iter().flatten().any(outside)
}

fn missing(part: &RunPart, entry: &Entry) -> Text {
    if !entry.is_of_analysis() {
        return Text::new("分析値がありません", "there is no result of an assay");
    }
    let Some(analysis) = &part.analysis else {
        return Text::new("標準解析がありません", "there is no standard analysis");
    };
    let lacking = analysis.fields.get("not_determined").cloned();
    let lacking: Vec<NotDetermined> = lacking.and_then(|l| serde_json::from_value(l).ok()).unwrap_or_default();
    lacking
        .into_iter()
        .find(|l| l.code == entry.quantity)
        .map_or_else(|| Text::new("標準解析にこの量がありません", "the standard analysis does not have it"), |l| l.why)
}

fn of_analysis(part: &RunPart) -> Vec<Candidate> {
    let record = part.analysis.as_ref().map(|a| format!("analysis/{}", a.id)).unwrap_or_default();
    let one = |q: toji_culture::rates::Quantity| {
        // Six digits to read; the number behind them is whole.
        let short = format!("{:.5e}", q.value).parse::<f64>().unwrap_or(q.value);
        let mut value = Value::exact(q.value, &short.to_string());
        value.unit = Unit::parse(&q.unit).ok();
        let row = ResultRow {
            run: part.id().to_owned(),
            quantity: q.code,
            label: q.label,
            value: serde_json::to_value(&value).unwrap_or(Json::Null),
            low: q.low,
            high: q.high,
            verdict: None,
            why: None,
            time: None,
            elapsed_s: q.to_s,
            sample: None,
            method: Some(q.method),
            record: record.clone(),
        };
        Candidate { row, value }
    };
    quantities(part.analysis.as_ref()).into_iter().map(one).collect()
}

fn of_assays(part: &RunPart) -> Vec<Candidate> {
    let zero = zero_ns(&part.whole.run.fields);
    let mut out: Vec<Candidate> = part.whole.of("assay").iter().filter_map(|assay| of_assay(part, assay, zero)).collect();
    out.sort_by(|a, b| {
        let at = |c: &Candidate| c.row.elapsed_s.unwrap_or(f64::INFINITY);
        a.row.quantity.cmp(&b.row.quantity).then_with(|| at(a).total_cmp(&at(b))).then_with(|| a.row.record.cmp(&b.row.record))
    });
    out
}

fn of_assay(part: &RunPart, assay: &Record, zero: Option<i64>) -> Option<Candidate> {
    let fields = &assay.fields;
    let value: Value = serde_json::from_value(fields.get("value")?.clone()).ok()?;
    let quantity = text(fields, "variable").or_else(|| text(fields, "analyte"))?;
    let sample = text(fields, "sample");
    let taken = sample.as_deref().and_then(|id| part.whole.of("sample").iter().find(|s| s.id.as_str() == id));
    let usual = variable::get(&quantity).and_then(|v| Unit::parse(&v.unit).ok());
    let shown = usual.and_then(|unit| value.to_unit(&unit).ok()).unwrap_or_else(|| value.clone());
    let row = ResultRow {
        run: part.id().to_owned(),
        label: label(&quantity),
        quantity,
        value: serde_json::to_value(&shown).ok()?,
        low: None,
        high: None,
        verdict: None,
        why: None,
        time: text(fields, "time").or_else(|| taken.and_then(|s| text(&s.fields, "time"))),
        elapsed_s: elapsed_s(assay, zero).or_else(|| taken.and_then(|s| elapsed_s(s, zero))),
        sample,
        method: text(fields, "method").map(Text::same),
        record: format!("assay/{}", assay.id),
    };
    Some(Candidate { row, value })
}
