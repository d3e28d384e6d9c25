//! Long tables: one row a value, with the name of the quantity beside it.

use super::apply::{CUT, DataRows, Skipped, new_run};
use super::columns::know;
use super::grid::text_at;
use super::header;
use super::plan::Plan;
use super::samples::{RunsSeen, value_of};
use super::{Column, Role, wide};
use std::collections::HashMap;
use toji_core::culture::{Assay, Channel, Fields, PointsBuilder, Reading, Run, Sample, When, ZeroTime};
use toji_core::{Cause, ClockTime, Quality, Status, Unit};

/// Words for quality. `None`: not a word of quality.
pub(crate) fn quality_of(text: &str) -> Option<Quality> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Quality::GOOD);
    }
    if let Ok(bits) = text.parse::<u16>() {
        return Quality::unpack(bits);
    }
    let flag = |status| Some(Quality::source(status, Cause::InstrumentFlag));
    match text.to_lowercase().as_str() {
        "good" | "ok" | "valid" | "normal" | "正常" | "良" | "良好" => Some(Quality::GOOD),
        "uncertain" | "suspect" | "questionable" | "warning" | "doubtful" | "疑問" | "不確か" | "要確認" => {
            flag(Status::Uncertain)
        }
        "bad" | "invalid" | "error" | "fail" | "failed" | "不良" | "異常" | "無効" => flag(Status::Bad),
        "below detection" | "below-detection" | "bdl" | "<lod" | "検出限界以下" => {
            Some(Quality::source(Status::BelowDetection, Cause::Range))
        }
        "above range" | "above-range" | "over range" | "範囲超過" => Some(Quality::source(Status::AboveRange, Cause::Range)),
        "substituted" | "imputed" | "interpolated" | "補間" | "代替" => flag(Status::Substituted),
        _ => None,
    }
}

/// A word nobody knows beside a value: kept as a doubt.
pub(crate) const UNKNOWN_QUALITY: Quality = Quality::source(Status::Uncertain, Cause::InstrumentFlag);

/// What a channel name and the unit beside it say.
pub(super) fn channel_of(name: &str, raw_unit: Option<&str>, points: toji_core::culture::Points) -> Channel {
    let mut split = header::split(name);
    if let Some(raw) = raw_unit.filter(|r| !r.is_empty()) {
        split.unit = Unit::parse(raw).ok();
        split.raw_unit = Some(raw.to_owned());
        split.from = Some(header::UnitFrom::UnitRow);
    }
    let known = know(&split, name);
    let mut channel = Channel::new(name, points);
    channel.variable = known.variable.filter(|_| !known.contradiction).map(|v| v.id.clone());
    channel.unit = split.unit;
    channel.raw_unit = split.raw_unit;
    channel.origin = header::origin(name);
    channel
}

struct Series {
    run: usize,
    name: String,
    unit: String,
    points: PointsBuilder,
    last: Option<i64>,
}

/// Reads all rows; returns how many gave something.
pub(super) fn read(plan: &Plan<'_>, reading: &mut Reading, skipped: &mut Skipped) -> u64 {
    if plan.first(Role::SampleId).is_some() {
        return read_samples(plan, reading, skipped);
    }
    let (Some(variable), Some(value)) = (plan.of(Role::Variable).next(), plan.of(Role::Value).next()) else { return 0 };
    let mut grouped = Grouped { plan, runs: Vec::new(), index: HashMap::new(), series: Vec::new(), by_name: HashMap::new() };
    let (unit, quality, run_column) = (plan.first(Role::Unit), plan.first(Role::Quality), plan.first(Role::RunKey));
    let mut rows = DataRows::new(plan);
    let mut row = Vec::new();
    let mut carried: Option<String> = None;
    let mut used = 0;
    while let Some(number) = rows.next(plan, &mut row, skipped) {
        let name = text_at(&row, variable.index);
        let Some(field) = row.get(value.index).filter(|f| !f.is_blank() && !name.is_empty()) else {
            skipped.row(plan, number, &row, "項目名または値がありません", "the row has no quantity or no value");
            continue;
        };
        let key = match run_column {
            None => plan.run.clone(),
            Some(column) => match (text_at(&row, column).into_owned(), &carried) {
                (key, Some(above)) if key.is_empty() => {
                    skipped.carried.add(number, column, above);
                    above.clone()
                }
                (key, _) => key,
            },
        };
        carried = Some(key.clone());
        let run = grouped.run(&key);
        let unit = unit.map(|u| text_at(&row, u)).unwrap_or_default();
        let at = grouped.series(run, &name, &unit, value);
        let Some(series) = grouped.series.get_mut(at) else { continue };
        let Some(stamp) = plan.clocks.first().and_then(|clock| clock.read(&row, series.last)) else {
            skipped.row(plan, number, &row, "時間として読めない行です", "the row's time cannot be read");
            continue;
        };
        let mut flag = stamp.quality;
        if series.last.is_some_and(|last| stamp.t_ns < last) {
            flag = Quality::source(Status::Uncertain, Cause::OutOfOrder);
            skipped.backwards.add(number, variable.index, &name);
        }
        if let Some(stated) = quality.map(|q| quality_of(&text_at(&row, q)).unwrap_or(UNKNOWN_QUALITY)).filter(|q| !q.is_good()) {
            flag = stated;
        }
        if rows.cut == Some(value.index) && flag.is_good() {
            flag = CUT;
        }
        series.last = Some(stamp.t_ns);
        used += u64::from(wide::push(&mut series.points, stamp.t_ns, field, flag, number, value, skipped));
        grouped.begin(run, stamp.at);
    }
    reading.runs.extend(grouped.finish());
    used
}

struct Grouped<'p, 'a> {
    plan: &'p Plan<'a>,
    runs: Vec<(Run, Option<ClockTime>)>,
    index: HashMap<String, usize>,
    series: Vec<Series>,
    by_name: HashMap<(usize, String, String), usize>,
}

impl Grouped<'_, '_> {
    fn run(&mut self, key: &str) -> usize {
        if let Some(at) = self.index.get(key) {
            return *at;
        }
        let header = self.plan.of(Role::RunKey).map(|c| c.spec.header.as_str()).next();
        self.runs.push((new_run(self.plan, key, header), None));
        self.index.insert(key.to_owned(), self.runs.len() - 1);
        self.runs.len() - 1
    }
    fn series(&mut self, run: usize, name: &str, unit: &str, value: &super::plan::Placed) -> usize {
        let key = (run, name.to_owned(), unit.to_owned());
        if let Some(at) = self.by_name.get(&key) {
            return *at;
        }
        let points = PointsBuilder::new(value.spec.numbers);
        self.series.push(Series { run, name: name.to_owned(), unit: unit.to_owned(), points, last: None });
        self.by_name.insert(key, self.series.len() - 1);
        self.series.len() - 1
    }
    fn begin(&mut self, run: usize, at: Option<ClockTime>) {
        if let Some((_, zero)) = self.runs.get_mut(run)
            && zero.as_ref().is_none_or(|z| at.as_ref().is_some_and(|a| a.instant < z.instant))
        {
            *zero = at;
        }
    }
    fn finish(self) -> Vec<Run> {
        let by_clock = self.plan.clocks.first().is_some_and(super::clock::Reader::by_clock);
        let mut runs: Vec<Run> = self
            .runs
            .into_iter()
            .map(|(mut run, zero)| {
                if by_clock {
                    run.zero = zero;
                    run.zero_is = ZeroTime::FirstPoint;
                }
                run
            })
            .collect();
        for series in self.series {
            let Some(run) = runs.get_mut(series.run).filter(|_| !series.points.is_empty()) else { continue };
            let mut channel = channel_of(&series.name, Some(&series.unit), series.points.finish());
            // A quantity stated in two units is two series; nothing is converted here.
            if run.channels.iter().any(|c| c.key == channel.key) {
                channel.key = format!("{} ({})", channel.key, series.unit);
            }
            run.channels.push(channel);
        }
        runs.retain(|r| !r.channels.is_empty());
        runs
    }
}

/// Long tables that name samples: values are assays.
fn read_samples(plan: &Plan<'_>, reading: &mut Reading, skipped: &mut Skipped) -> u64 {
    let (Some(id), Some(variable), Some(value)) =
        (plan.first(Role::SampleId), plan.first(Role::Variable), plan.of(Role::Value).next())
    else {
        return 0;
    };
    let (unit, quality) = (plan.first(Role::Unit), plan.first(Role::Quality));
    let mut runs = RunsSeen::new(plan);
    let mut samples: Vec<Sample> = Vec::new();
    let mut by_key: HashMap<(String, Option<String>, String), usize> = HashMap::new();
    let mut rows = DataRows::new(plan);
    let mut row = Vec::new();
    let mut used = 0;
    while let Some(number) = rows.next(plan, &mut row, skipped) {
        let (key, name) = (text_at(&row, id).into_owned(), text_at(&row, variable).into_owned());
        let Some(field) = row.get(value.index).filter(|f| !f.is_blank() && !name.is_empty() && !key.is_empty()) else {
            skipped.row(plan, number, &row, "試料名、項目名または値がありません", "the row lacks its sample, quantity or value");
            continue;
        };
        let run = runs.of(number, &row, skipped);
        let clock = plan.clocks.first();
        let when = clock.and_then(|c| c.read(&row, None)).map_or(When::Unknown, |s| s.when());
        let raw_time = clock.map(|c| text_at(&row, c.column).into_owned()).unwrap_or_default();
        let at = *by_key.entry((key.clone(), run.clone(), raw_time)).or_insert_with(|| {
            samples.push(Sample { key, run, when: when.clone(), fields: Fields::new(), assays: Vec::new() });
            samples.len() - 1
        });
        let raw_unit = unit.map(|u| text_at(&row, u).into_owned()).filter(|u| !u.is_empty());
        let channel = channel_of(&name, raw_unit.as_deref(), toji_core::culture::Points::default());
        let spec = Column { unit: channel.unit, raw_unit: channel.raw_unit, ..value.spec.clone() };
        let mut assay = Assay::new(name, value_of(field, &spec), plan.grid.place(number, value.index));
        assay.variable = channel.variable;
        assay.when = when;
        let flag = quality.map(|q| text_at(&row, q).into_owned()).filter(|t| quality_of(t).is_none_or(|q| !q.is_good()));
        assay.flags.extend(flag);
        assay.flags.extend(super::samples::doubts(field, value, number, rows.cut, skipped));
        if let Some(sample) = samples.get_mut(at) {
            sample.assays.push(assay);
        }
        used += 1;
    }
    reading.samples.extend(samples);
    reading.runs.extend(runs.finish());
    used
}
