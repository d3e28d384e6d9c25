//! Wide tables: one row a time, one column a quantity; one or several runs.

use super::apply::{CUT, DataRows, FactsSeen, Skipped, new_run};
use super::clock::Stamp;
use super::grid::{Field, text_at};
use super::plan::{Placed, Plan};
use super::words::attribute;
use super::{Role, long::quality_of};
use crate::cell::Cell;
use std::collections::HashMap;
use toji_core::culture::{Channel, Event, Observation, PointsBuilder, Reading, Run, When, ZeroTime};
use toji_core::value::NumberStyle;
use toji_core::{Cause, ClockTime, Quality, Status, Value};

/// What has been read of one run.
struct Growing {
    run: Run,
    zero: Option<ClockTime>,
    previous: Option<i64>,
    series: Vec<PointsBuilder>,
    last: Vec<Option<i64>>,
    facts: FactsSeen,
}

/// Reads all rows; returns how many gave something.
pub(super) fn read(plan: &Plan<'_>, reading: &mut Reading, skipped: &mut Skipped) -> u64 {
    let mut table = Table {
        plan,
        channels: plan.of(Role::Channel).collect(),
        run_column: plan.first(Role::RunKey),
        run_header: plan.of(Role::RunKey).map(|c| c.spec.header.clone()).next(),
        runs: Vec::new(),
        index: HashMap::new(),
        cut: None,
    };
    let mut rows = DataRows::new(plan);
    let mut row = Vec::new();
    let mut used = 0;
    let mut carried = None;
    while let Some(number) = rows.next(plan, &mut row, skipped) {
        table.cut = rows.cut;
        used += u64::from(table.take(number, &row, &mut carried, skipped));
    }
    for growing in table.runs {
        let run = finish(plan, &table.channels, growing);
        if !(run.channels.is_empty() && run.events.is_empty() && run.observations.is_empty()) {
            reading.runs.push(run);
        }
    }
    used
}

struct Table<'p, 'a> {
    plan: &'p Plan<'a>,
    channels: Vec<&'p Placed>,
    run_column: Option<usize>,
    run_header: Option<String>,
    runs: Vec<Growing>,
    index: HashMap<String, usize>,
    /// Column of the cell that may be cut off, in this row.
    cut: Option<usize>,
}

impl Table<'_, '_> {
    /// Takes one row; `false` when nothing of it could be read.
    fn take(&mut self, number: u64, row: &[Field<'_>], carried: &mut Option<String>, skipped: &mut Skipped) -> bool {
        let key = match self.run_column {
            None => self.plan.run.clone(),
            Some(column) => match (text_at(row, column).into_owned(), carried.clone()) {
                (key, Some(above)) if key.is_empty() => {
                    skipped.carried.add(number, column, &above);
                    above
                }
                (key, None) if key.is_empty() => {
                    skipped.row(self.plan, number, row, "培養の名前がありません", "the row does not name its run");
                    return false;
                }
                (key, _) => {
                    skipped.name(number, column, row);
                    *carried = Some(key.clone());
                    key
                }
            },
        };
        let paired = self.plan.clocks.len() > 1;
        let at = self.run(&key);
        let previous = self.runs.get(at).and_then(|r| r.previous);
        let stamp = self.plan.clocks.first().and_then(|clock| clock.read(row, previous));
        if stamp.is_none() && !paired {
            skipped.row(self.plan, number, row, "時間として読めない行です", "the row's time cannot be read");
            return false;
        }
        if let Some(stamp) = &stamp {
            self.begin(at, stamp, number, row, skipped);
        }
        let mut used = false;
        for i in 0..self.channels.len() {
            used |= self.cell(i, at, number, row, stamp.as_ref(), skipped);
        }
        used | self.words(at, row, stamp.as_ref())
    }

    fn run(&mut self, key: &str) -> usize {
        if let Some(at) = self.index.get(key) {
            return *at;
        }
        let channels = self.channels.len();
        self.runs.push(Growing {
            run: new_run(self.plan, key, self.run_header.as_deref()),
            zero: None,
            previous: None,
            series: self.channels.iter().map(|c| PointsBuilder::new(c.spec.numbers)).collect(),
            last: vec![None; channels],
            facts: FactsSeen::default(),
        });
        self.index.insert(key.to_owned(), self.runs.len() - 1);
        self.runs.len() - 1
    }

    fn begin(&mut self, at: usize, stamp: &Stamp, number: u64, row: &[Field<'_>], skipped: &mut Skipped) {
        let Some(clock) = self.plan.clocks.first() else { return };
        let Some(growing) = self.runs.get_mut(at) else { return };
        if !stamp.quality.is_good() {
            skipped.clock.add(number, clock.column, &text_at(row, clock.column));
        }
        if growing.previous.is_some_and(|p| stamp.t_ns < p) {
            skipped.backwards.add(number, clock.column, &text_at(row, clock.column));
        }
        growing.previous = Some(stamp.t_ns);
        if growing.zero.as_ref().is_none_or(|zero| stamp.at.as_ref().is_some_and(|at| at.instant < zero.instant)) {
            growing.zero.clone_from(&stamp.at);
        }
    }

    fn cell(&mut self, i: usize, at: usize, number: u64, row: &[Field<'_>], main: Option<&Stamp>, skipped: &mut Skipped) -> bool {
        let Some(placed) = self.channels.get(i).copied() else { return false };
        let Some(field) = row.get(placed.index).filter(|f| !f.is_blank()) else { return false };
        let at = match &placed.spec.run {
            Some(key) => {
                let key = key.clone();
                self.run(&key)
            }
            None => at,
        };
        let previous = self.runs.get(at).and_then(|r| r.last.get(i).copied().flatten());
        let own = placed.clock.and_then(|c| self.plan.clocks.get(c)).map(|clock| clock.read(row, previous));
        let Some(stamp) = own.unwrap_or_else(|| main.cloned()) else {
            skipped.row(self.plan, number, std::slice::from_ref(field), "値の時間がありません", "the value has no time");
            return false;
        };
        let Some(growing) = self.runs.get_mut(at) else { return false };
        if placed.spec.run.is_some() && growing.zero.is_none() {
            growing.zero.clone_from(&stamp.at);
        }
        let mut quality = stamp.quality;
        if previous.is_some_and(|p| stamp.t_ns < p) && quality.is_good() {
            quality = Quality::source(Status::Uncertain, Cause::OutOfOrder);
            if placed.clock.is_some() {
                skipped.backwards.add(number, placed.index, &field.text());
            }
        }
        if let Some(flag) = self.plan.of(Role::Quality).find(|q| q.index == placed.index + 1)
            && let Some(stated) = quality_of(&text_at(row, flag.index)).filter(|q| !q.is_good())
        {
            quality = stated;
        }
        if self.cut == Some(placed.index) && quality.is_good() {
            quality = CUT;
        }
        let (Some(series), Some(last)) = (growing.series.get_mut(i), growing.last.get_mut(i)) else { return false };
        *last = Some(stamp.t_ns);
        push(series, stamp.t_ns, field, quality, number, placed, skipped)
    }

    /// Notes, events, observations and facts of the row.
    fn words(&mut self, at: usize, row: &[Field<'_>], stamp: Option<&Stamp>) -> bool {
        let when = stamp.map_or(When::Unknown, Stamp::when);
        let Some(growing) = self.runs.get_mut(at) else { return false };
        let mut used = false;
        for placed in &self.plan.columns {
            let text = text_at(row, placed.index);
            if text.is_empty() {
                continue;
            }
            let header = &placed.spec.header;
            match placed.spec.role {
                Role::Fact => growing.facts.add(header, &text),
                Role::Note | Role::Event => {
                    used = true;
                    let sort = if placed.spec.role == Role::Note { "note" } else { sort_of(&text) };
                    growing.run.events.push(Event {
                        when: when.clone(),
                        sort: sort.to_owned(),
                        label: text.into_owned(),
                        reason: None,
                        fields: [("column".to_owned(), serde_json::Value::String(header.clone()))].into(),
                    });
                }
                Role::Observation => {
                    used = true;
                    let attribute = attribute(header).map_or_else(|| header.clone(), |(_, attribute, _)| attribute.to_owned());
                    growing.run.observations.push(Observation {
                        when: when.clone(),
                        attribute,
                        value: observed(&text),
                        observer: None,
                        note: Some(header.clone()),
                    });
                }
                _ => {}
            }
        }
        used
    }
}

fn observed(text: &str) -> Value {
    let value = Value::parse(text);
    if value.number.is_some() || value.is_censored() { value } else { Value::text(text) }
}

/// Adds a cell to a series; numbers of a workbook as they are, words flagged with their text.
pub(super) fn push(
    series: &mut PointsBuilder,
    t_ns: i64,
    field: &Field<'_>,
    mut quality: Quality,
    number: u64,
    placed: &Placed,
    skipped: &mut Skipped,
) -> bool {
    let (column, spec) = (placed.index, &placed.spec);
    if let Some(Cell::Number(value)) = field.cell() {
        series.push_f64(t_ns, *value, quality);
        return true;
    }
    let text = field.text();
    // "99.5%" under a header in percent is the number 99.5.
    let text = match text.strip_suffix(['%', '％']) {
        Some(number) if spec.unit.as_ref().is_some_and(|u| u.code().starts_with('%')) => number.trim_end().to_owned().into(),
        _ => text,
    };
    if !placed.groups_sure && grouped(&text, spec.numbers) {
        skipped.grouped.add(number, column, &text);
        if quality.is_good() {
            quality = Quality::source(Status::Uncertain, Cause::NotANumber);
        }
    }
    let before = series.words();
    let added = series.push_flagged(t_ns, &text, quality);
    if series.words() > before && !text.starts_with(['<', '>', '＜', '＞']) {
        skipped.words.add(number, column, &text);
    }
    added
}

/// `1,234`: one sign between groups of three digits and no other, so that it may be a decimal sign too.
pub(super) fn grouped(text: &str, style: NumberStyle) -> bool {
    let group = if style == NumberStyle::Comma { '.' } else { ',' };
    let plain = toji_core::value::fold_width(text);
    let digits = plain.trim_start_matches(['<', '>', '=', '≤', '≥', ' ', '+', '-']);
    plain.matches(['.', ',']).count() == 1
        && digits.split_once(group).is_some_and(|(head, tail)| tail.len() == 3 && head != "0")
        && style.read(digits).is_some()
}

fn finish(plan: &Plan<'_>, channels: &[&Placed], growing: Growing) -> Run {
    let Growing { mut run, zero, series, facts, .. } = growing;
    if plan.clocks.first().is_some_and(super::clock::Reader::by_clock) {
        run.zero = zero;
        run.zero_is = ZeroTime::FirstPoint;
    }
    facts.into_run(&mut run);
    for (placed, series) in channels.iter().zip(series) {
        if series.is_empty() {
            continue;
        }
        let spec = &placed.spec;
        let mut key = spec.header.clone();
        let mut copy = 1;
        while run.channels.iter().any(|c| c.key == key) {
            copy += 1;
            key = format!("{} ({copy})", spec.header);
        }
        let mut channel = Channel::new(key, series.finish());
        channel.variable.clone_from(&spec.variable);
        channel.unit.clone_from(&spec.unit);
        channel.raw_unit.clone_from(&spec.raw_unit);
        channel.origin = spec.origin;
        run.channels.push(channel);
    }
    run
}

/// Sort of an event by its words.
fn sort_of(text: &str) -> &'static str {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    if has(&["inoc", "接種", "植菌"]) {
        "inoculation"
    } else if has(&["alarm", "警報", "アラーム"]) {
        "alarm"
    } else if has(&["setpoint", "set point", "設定"]) {
        "setpoint"
    } else if has(&["feed", "add", "添加", "流加", "投入", "初添", "仲添", "留添"]) {
        "addition"
    } else if has(&["transfer", "移送", "移し"]) {
        "transfer"
    } else if has(&["sampl", "採取", "サンプリング"]) {
        "sample"
    } else {
        "step"
    }
}
