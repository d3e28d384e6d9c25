//! Tables of samples (one row a sample, one column an analyte) and of runs (one row a run).

use super::apply::{DataRows, FactsSeen, Skipped, new_run};
use super::grid::{Field, text_at};
use super::plan::{Placed, Plan};
use super::{Column, Role};
use crate::cell::Cell;
use serde_json::Value as Json;
use toji_core::Value;
use toji_core::culture::{Assay, Fields, Reading, Run, Sample, When};

/// Reads a table of samples; returns how many rows gave one.
pub(super) fn read(plan: &Plan<'_>, reading: &mut Reading, skipped: &mut Skipped) -> u64 {
    let Some(sample_column) = plan.first(Role::SampleId) else { return 0 };
    let mut runs = RunsSeen::new(plan);
    let mut rows = DataRows::new(plan);
    let mut row = Vec::new();
    let mut used = 0;
    while let Some(number) = rows.next(plan, &mut row, skipped) {
        let key = text_at(&row, sample_column).into_owned();
        if key.is_empty() {
            skipped.row(plan, number, &row, "試料名がありません", "the row does not name its sample");
            continue;
        }
        skipped.name(number, sample_column, &row);
        let when = when(plan, number, &row, skipped);
        let run = runs.of(number, &row, skipped);
        let mut fields = Fields::new();
        for placed in &plan.columns {
            let text = text_at(&row, placed.index);
            if !text.is_empty() && matches!(placed.spec.role, Role::Fact | Role::Note | Role::Event | Role::Observation) {
                fields.insert(placed.spec.header.clone(), Json::String(text.clone().into_owned()));
                if placed.spec.role == Role::Fact && is_of_run(&placed.spec.header) {
                    runs.fact(run.as_deref(), &placed.spec.header, &text);
                }
            }
        }
        let assays = plan
            .of(Role::Assay)
            .filter_map(|placed| {
                let field = row.get(placed.index).filter(|f| !f.is_blank())?;
                let mut assay =
                    Assay::new(&placed.spec.header, value_of(field, &placed.spec), plan.grid.place(number, placed.index));
                assay.variable.clone_from(&placed.spec.variable);
                assay.when.clone_from(&when);
                assay.flags.extend(doubts(field, placed, number, rows.cut, skipped));
                Some(assay)
            })
            .collect();
        reading.samples.push(Sample { key, run, when, fields, assays });
        used += 1;
    }
    reading.runs.extend(runs.finish());
    used
}

/// What speaks against a value: it may be cut off, or its separator may be a decimal sign.
pub(super) fn doubts(
    field: &Field<'_>,
    placed: &Placed,
    number: u64,
    cut: Option<usize>,
    skipped: &mut Skipped,
) -> Option<String> {
    let text = field.text();
    if !placed.groups_sure && field.cell().and_then(Cell::number).is_none() && super::wide::grouped(&text, placed.spec.numbers) {
        skipped.grouped.add(number, placed.index, &text);
        return Some("thousands or decimals?".to_owned());
    }
    (cut == Some(placed.index)).then(|| "cut off?".to_owned())
}

/// Facts that belong to the run as much as to the sample.
fn is_of_run(header: &str) -> bool {
    super::preamble::is_strain(header) || super::preamble::is_vessel(header)
}

/// The time of a row; a cell that is not a time is reported and the sample kept without one.
fn when(plan: &Plan<'_>, number: u64, row: &[Field<'_>], skipped: &mut Skipped) -> When {
    let Some(clock) = plan.clocks.first() else { return When::Unknown };
    match clock.read(row, None) {
        Some(stamp) => {
            if !stamp.quality.is_good() {
                skipped.clock.add(number, clock.column, &text_at(row, clock.column));
            }
            stamp.when()
        }
        None => {
            if row.get(clock.column).is_some_and(|f| !f.is_blank()) {
                let field = row.get(clock.column..=clock.column).unwrap_or(&[]);
                skipped.row(
                    plan,
                    number,
                    field,
                    "時間として読めません。試料は時間なしで残しました",
                    "not readable as a time; the sample is kept without one",
                );
            }
            When::Unknown
        }
    }
}

/// The value of a cell in the unit of its column.
pub(super) fn value_of(field: &Field<'_>, spec: &Column) -> Value {
    let mut value = match field.cell() {
        Some(Cell::Number(number)) => Value::exact(*number, &field.text()),
        _ => parsed(&field.text(), spec),
    };
    if value.number.is_some() || value.low.is_some() || value.high.is_some() || spec.raw_unit.is_some() {
        value.unit.clone_from(&spec.unit);
        value.raw_unit.clone_from(&spec.raw_unit);
    }
    value
}

/// A cell of text; "99.5%" under a header in percent is the number 99.5.
fn parsed(text: &str, spec: &Column) -> Value {
    match text.trim_end().strip_suffix(['%', '％']) {
        Some(number) if spec.unit.as_ref().is_some_and(|u| u.code().starts_with('%')) => {
            Value { text: text.trim().to_owned(), ..Value::parse_with(number, spec.numbers) }
        }
        _ => Value::parse_with(text, spec.numbers),
    }
}

/// Runs named by a column of a table of samples.
pub(super) struct RunsSeen<'p, 'a> {
    plan: &'p Plan<'a>,
    column: Option<usize>,
    header: Option<String>,
    runs: Vec<(Run, FactsSeen)>,
    carried: Option<String>,
}

impl<'p, 'a> RunsSeen<'p, 'a> {
    pub(super) fn new(plan: &'p Plan<'a>) -> Self {
        let header = plan.of(Role::RunKey).map(|c| c.spec.header.clone()).next();
        Self { plan, column: plan.first(Role::RunKey), header, runs: Vec::new(), carried: None }
    }
    /// Key of the row's run, when a column names runs.
    pub(super) fn of(&mut self, number: u64, row: &[Field<'_>], skipped: &mut Skipped) -> Option<String> {
        let column = self.column?;
        let mut key = text_at(row, column).into_owned();
        if key.is_empty() {
            key = self.carried.clone()?;
            skipped.carried.add(number, column, &key);
        }
        skipped.name(number, column, row);
        self.carried = Some(key.clone());
        let full = self.plan.run_key(&key);
        if !self.runs.iter().rev().any(|(r, _)| r.key == full) {
            self.runs.push((new_run(self.plan, &key, self.header.as_deref()), FactsSeen::default()));
        }
        Some(full)
    }
    /// A fact of a run.
    pub(super) fn fact(&mut self, run: Option<&str>, field: &str, value: &str) {
        if let Some((_, facts)) = self.runs.iter_mut().rev().find(|(r, _)| Some(r.key.as_str()) == run) {
            facts.add(field, value);
        }
    }
    pub(super) fn finish(self) -> impl Iterator<Item = Run> {
        self.runs.into_iter().map(|(mut run, facts)| {
            facts.into_run(&mut run);
            run
        })
    }
}

/// Reads a table with one run a row.
pub(super) fn read_runs(plan: &Plan<'_>, reading: &mut Reading, skipped: &mut Skipped) -> u64 {
    let mut runs = RunsSeen::new(plan);
    let mut rows = DataRows::new(plan);
    let mut row = Vec::new();
    let mut used = 0;
    while let Some(number) = rows.next(plan, &mut row, skipped) {
        let Some(run) = runs.of(number, &row, skipped) else {
            skipped.row(plan, number, &row, "培養の名前がありません", "the row does not name its run");
            continue;
        };
        for placed in plan.columns.iter().filter(|c| !matches!(c.spec.role, Role::RunKey | Role::Ignore)) {
            runs.fact(Some(&run), &placed.spec.header, &text_at(&row, placed.index));
        }
        used += 1;
    }
    reading.runs.extend(runs.finish());
    used
}
