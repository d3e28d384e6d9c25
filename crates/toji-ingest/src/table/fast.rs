//! The fast path for plain long tables: `run, channel, t, value, quality`.
//!
//! Historians and our own generator write millions of such rows. Here bytes are split without
//! allocation, integers, decimals and RFC 3339 instants are parsed by hand, and whatever is not of
//! the plain kind is handed to the general readers, row by row. The result is the same as that of the
//! general path; a test holds the two together.

use super::bytes::{Clock, POWERS, decimal};
use super::long::{UNKNOWN_QUALITY, channel_of, quality_of};
use super::{Column, Layout, MAPPING_VERSION, Mapping, Role, TimeColumn, TimeRule, TimeUnit};
use crate::format::{Site, says_simulated};
use crate::source::Source;
use std::collections::HashMap;
use toji_core::clock::{DateOrder, WallClock};
use toji_core::culture::{NotRead, Numbers, Origin, Points, Reading, Run, SCALE_MAX, ZeroTime};
use toji_core::value::{NumberStyle, Value, ValueKind, fold_width};
use toji_core::{Cause, Decimal, Diagnostic, Error, Place, Quality, Result, Status};

/// Where the columns of a plain long table are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    delimiter: u8,
    names: Vec<String>,
    run: Option<usize>,
    channel: usize,
    time: usize,
    value: usize,
    quality: Option<usize>,
    unit: Option<usize>,
    /// Bytes up to the first row of data.
    header_bytes: usize,
}

/// Recognises the header of a plain long table; every column must be known.
pub(super) fn plan(bytes: &[u8]) -> Option<Plan> {
    let mark = usize::from(bytes.starts_with(b"\xef\xbb\xbf")) * 3;
    let rest = bytes.get(mark..)?;
    let end = memchr::memchr(b'\n', rest.get(..rest.len().min(512))?)?;
    let line = std::str::from_utf8(rest.get(..end)?).ok()?.trim_end_matches('\r');
    let delimiter = [',', '\t', ';'].into_iter().find(|d| line.contains(*d))?;
    let names: Vec<String> = line.split(delimiter).map(|n| n.trim().trim_matches('"').to_owned()).collect();
    let at = |words: &[&str]| {
        let found: Vec<usize> =
            names.iter().enumerate().filter(|(_, n)| words.contains(&n.to_lowercase().as_str())).map(|(i, _)| i).collect();
        match found.as_slice() {
            [] => Some(None),
            [one] => Some(Some(*one)),
            _ => None,
        }
    };
    let plan = Plan {
        delimiter: delimiter as u8,
        run: at(&["run", "run_id", "batch", "reactor", "vessel"])?,
        channel: at(&["channel", "variable", "parameter", "tag"])??,
        time: at(&["t", "time", "timestamp", "t_s", "time_s", "elapsed_s"])??,
        value: at(&["value"])??,
        quality: at(&["quality", "flag", "status"])?,
        unit: at(&["unit", "units"])?,
        header_bytes: mark + end + 1,
        names: Vec::new(),
    };
    let head = rest.get(end..rest.len().min(end + 4096)).unwrap_or(b"");
    if delimiter != ',' && memchr::memchr(b',', head).is_some() {
        // Decimal commas: the guided importer decides what they are.
        return None;
    }
    let known = 3 + [plan.run, plan.quality, plan.unit].iter().flatten().count();
    (known == names.len()).then_some(Plan { names, ..plan })
}

impl Plan {
    /// The same plan as a mapping, for the general path.
    pub(super) fn mapping(&self, by_clock: bool) -> Mapping {
        let role = |i: usize| match i {
            i if Some(i) == self.run => Role::RunKey,
            i if i == self.channel => Role::Variable,
            i if i == self.time => Role::Time,
            i if i == self.value => Role::Value,
            i if Some(i) == self.quality => Role::Quality,
            _ => Role::Unit,
        };
        let column = |(i, header): (usize, &String)| Column {
            column: i as u64 + 1,
            header: header.clone(),
            role: role(i),
            variable: None,
            unit: None,
            raw_unit: None,
            numbers: NumberStyle::Point,
            origin: Origin::Unknown,
            run: None,
            clock: None,
            optional: false,
            confidence: 1.0,
            evidence: None,
        };
        let rule =
            if by_clock { TimeRule::Clock { order: None } } else { TimeRule::Elapsed { unit: TimeUnit::S, assumed: false } };
        let header = self.names.get(self.time).cloned().unwrap_or_default();
        Mapping {
            name: "long".into(),
            version: MAPPING_VERSION,
            layout: Layout::Long,
            sheets: Vec::new(),
            delimiter: Some(char::from(self.delimiter)),
            header_row: 1,
            header_rows: 1,
            unit_row: None,
            zone: None,
            run: None,
            time: Some(TimeColumn { column: self.time as u64 + 1, header, rule, evidence: None }),
            columns: self.names.iter().enumerate().map(column).collect(),
        }
    }
}

/// Reads a plain long table.
///
/// # Errors
/// `E-TABLE-004`: no row could be read; and what the general path refuses.
pub(super) fn read(source: &Source<'_>, plan: &Plan, site: &Site) -> Result<Reading> {
    let bytes = source.bytes();
    let body = bytes.get(plan.header_bytes..).unwrap_or(b"");
    // Quotes, other encodings, commas inside numbers and a missing end are for the general path.
    let commas = plan.delimiter != b',' && memchr::memchr(b',', body).is_some();
    if commas || !body.ends_with(b"\n") || memchr::memchr(b'"', body).is_some() || std::str::from_utf8(body).is_err() {
        return super::apply(source, &plan.mapping(first_is_clock(body, plan)), site);
    }
    let mut table = Table::new(plan, site, source.name());
    let mut line = 1u64;
    let mut at = 0;
    while let Some(rest) = body.get(at..).filter(|r| !r.is_empty()) {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        line += 1;
        at += end + 1;
        let row = rest.get(..end).unwrap_or(b"");
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        if !row.is_empty() {
            table.take(line, row);
        }
    }
    table.finish()
}

fn first_is_clock(body: &[u8], plan: &Plan) -> bool {
    let line = body.split(|b| *b == b'\n').next().unwrap_or(b"");
    let time = line.split(|b| *b == plan.delimiter).nth(plan.time).unwrap_or(b"");
    let time = String::from_utf8_lossy(time);
    NumberStyle::Point.read(time.trim().trim_matches('"')).is_none()
}

/// Most columns of a plain long table.
const COLUMNS_MAX: usize = 6;

/// One channel of one run.
#[derive(Debug)]
struct Series {
    run: usize,
    key: [Vec<u8>; 3],
    t_ns: Vec<i64>,
    mantissa: Vec<i64>,
    scale: u8,
    /// Set when numbers no longer fit scaled integers.
    floats: Option<Vec<f64>>,
    quality: Vec<u16>,
    texts: Vec<(u32, String)>,
    /// The series that followed this one last time.
    next: usize,
}

impl Series {
    fn number(&mut self, mantissa: i64, scale: u8) {
        if let Some(floats) = &mut self.floats {
            floats.push(to_f64(mantissa, scale));
            return;
        }
        if scale == self.scale {
            self.mantissa.push(mantissa);
            return;
        }
        if let Some(numbers) = self.rescaled(mantissa, scale) {
            self.mantissa.push(numbers);
            return;
        }
        self.floats().push(to_f64(mantissa, scale));
    }
    /// Brings number and series to one scale; `None` when that does not fit.
    fn rescaled(&mut self, mantissa: i64, scale: u8) -> Option<i64> {
        if scale < self.scale {
            return mantissa.checked_mul(*POWERS.get(usize::from(self.scale - scale))?);
        }
        if scale > SCALE_MAX {
            return None;
        }
        let power = *POWERS.get(usize::from(scale - self.scale))?;
        let fits = |m: &i64| *m == Points::NO_NUMBER || m.checked_mul(power).is_some_and(|m| m != i64::MIN);
        if !self.mantissa.iter().all(fits) {
            return None;
        }
        self.mantissa.iter_mut().filter(|m| **m != Points::NO_NUMBER).for_each(|m| *m *= power);
        self.scale = scale;
        Some(mantissa)
    }
    fn floats(&mut self) -> &mut Vec<f64> {
        let (mantissa, scale) = (std::mem::take(&mut self.mantissa), self.scale);
        self.floats.get_or_insert_with(|| {
            mantissa.iter().map(|m| if *m == Points::NO_NUMBER { f64::NAN } else { to_f64(*m, scale) }).collect()
        })
    }
    /// A number of unusual form, exactly.
    fn decimal(&mut self, number: Decimal) {
        let scale = u8::try_from(number.scale.max(0)).ok().filter(|s| *s <= SCALE_MAX);
        match scale.and_then(|s| Some((number.at_scale(i32::from(s))?, s))) {
            Some((mantissa, scale)) => self.number(mantissa, scale),
            None => self.floats().push(number.to_f64()),
        }
    }
    fn nothing(&mut self, text: &str) {
        self.texts.push((u32::try_from(self.t_ns.len()).unwrap_or(u32::MAX), text.to_owned()));
        match &mut self.floats {
            Some(floats) => floats.push(f64::NAN),
            None => self.mantissa.push(Points::NO_NUMBER),
        }
    }
    fn into_points(self) -> Points {
        let numbers = match self.floats {
            Some(floats) => Numbers::Float(floats),
            None => Numbers::Scaled { scale: self.scale, mantissa: self.mantissa },
        };
        Points { t_ns: self.t_ns, numbers, quality: self.quality, texts: self.texts }
    }
}

fn to_f64(mantissa: i64, scale: u8) -> f64 {
    const EXACT: u64 = 1 << 53;
    match POWERS.get(usize::from(scale)) {
        // Both are exact doubles, so the quotient is the nearest one.
        Some(power) if mantissa.unsigned_abs() <= EXACT => mantissa as f64 / *power as f64,
        _ => Decimal { mantissa: i128::from(mantissa), scale: i32::from(scale) }.to_f64(),
    }
}

/// A run while it grows.
#[derive(Debug)]
struct Growing {
    key: String,
    /// Time by the clock?
    clock: bool,
    earliest: i64,
    earliest_raw: String,
}

struct Table<'p> {
    plan: &'p Plan,
    site: &'p Site,
    file_run: String,
    series: Vec<Series>,
    index: HashMap<Vec<u8>, usize>,
    runs: Vec<Growing>,
    previous: usize,
    clock: Clock,
    word: (Vec<u8>, Quality),
    unknown_words: Vec<(u64, String)>,
    not_read: Vec<NotRead>,
    skipped: u64,
    first_backwards: Option<(u64, u64)>,
    first_word: Option<(u64, u64, String)>,
    first_doubt: Option<(u64, u64, String)>,
}

impl<'p> Table<'p> {
    fn new(plan: &'p Plan, site: &'p Site, name: &str) -> Self {
        let name = name.strip_suffix(".gz").unwrap_or(name);
        Self {
            plan,
            site,
            file_run: name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned(),
            series: Vec::new(),
            index: HashMap::new(),
            runs: Vec::new(),
            previous: 0,
            clock: Clock::default(),
            word: (Vec::new(), Quality::GOOD),
            unknown_words: Vec::new(),
            not_read: Vec::new(),
            skipped: 0,
            first_backwards: None,
            first_word: None,
            first_doubt: None,
        }
    }

    fn take(&mut self, line: u64, row: &[u8]) {
        let mut fields: [&[u8]; COLUMNS_MAX] = [b""; COLUMNS_MAX];
        let mut slots = fields.iter_mut();
        let mut start = 0;
        let mut count = 0;
        for i in memchr::memchr_iter(self.plan.delimiter, row) {
            if let Some(slot) = slots.next() {
                *slot = row.get(start..i).unwrap_or(b"");
            }
            start = i + 1;
            count += 1;
        }
        if let Some(slot) = slots.next() {
            *slot = row.get(start..).unwrap_or(b"");
        }
        let field = |at: usize| fields.get(at).copied().unwrap_or(b"").trim_ascii();
        let optional = |at: Option<usize>| at.map_or(&b""[..], field);
        let (channel, value) = (field(self.plan.channel), field(self.plan.value));
        if count + 1 > self.plan.names.len() || channel.is_empty() || value.is_empty() {
            return self.skip(line, row, "項目名または値がないか、列が多すぎます", "no quantity or no value, or too many fields");
        }
        let run = optional(self.plan.run);
        let at = self.find(run, channel, optional(self.plan.unit));
        let time = field(self.plan.time);
        let Some((t_ns, clock, doubt)) = self.clock.read(time, self.site) else {
            return self.skip(line, row, "時間として読めない行です", "the row's time cannot be read");
        };
        if !self.begin(at, t_ns, clock, time) {
            return self.skip(
                line,
                row,
                "同じ培養に時刻と経過時間が混ざっています",
                "clock times and elapsed times stand in one run",
            );
        }
        let quality = self.quality(line, optional(self.plan.quality));
        self.push(line, at, t_ns, value, quality, doubt.then_some(time));
    }

    fn skip(&mut self, line: u64, row: &[u8], ja: &str, en: &str) {
        const LISTED_MAX: usize = 200;
        if self.not_read.len() < LISTED_MAX {
            self.not_read.push(NotRead::new(Place::line(line), &String::from_utf8_lossy(row), ja, en));
        } else {
            self.skipped += 1;
        }
    }

    /// The series of this run, channel and unit: first the one that came next last time.
    fn find(&mut self, run: &[u8], channel: &[u8], unit: &[u8]) -> usize {
        let is = |s: &Series| {
            let [r, c, u] = &s.key;
            c == channel && r == run && u == unit
        };
        let guess = self.series.get(self.previous).map_or(0, |s| s.next);
        if self.series.get(guess).is_some_and(is) {
            self.previous = guess;
            return guess;
        }
        let key = [run, b"\n", channel, b"\n", unit].concat();
        let at = match self.index.get(&key) {
            Some(at) => *at,
            None => {
                let at = self.series.len();
                let run_at = self.run(run);
                self.index.insert(key, at);
                self.series.push(Series {
                    run: run_at,
                    key: [run.to_vec(), channel.to_vec(), unit.to_vec()],
                    t_ns: Vec::new(),
                    mantissa: Vec::new(),
                    scale: 0,
                    floats: None,
                    quality: Vec::new(),
                    texts: Vec::new(),
                    next: at,
                });
                at
            }
        };
        if let Some(previous) = self.series.get_mut(self.previous) {
            previous.next = at;
        }
        self.previous = at;
        at
    }

    fn run(&mut self, run: &[u8]) -> usize {
        let key = if run.is_empty() { self.file_run.clone() } else { String::from_utf8_lossy(run).into_owned() };
        self.runs.iter().position(|r| r.key == key).unwrap_or_else(|| {
            self.runs.push(Growing { key, clock: false, earliest: i64::MAX, earliest_raw: String::new() });
            self.runs.len() - 1
        })
    }

    /// Notes the run's earliest time; `false` when clock and elapsed times mix.
    fn begin(&mut self, at: usize, t_ns: i64, clock: bool, raw: &[u8]) -> bool {
        let Some(run) = self.series.get(at).and_then(|s| self.runs.get_mut(s.run)) else { return false };
        if run.earliest == i64::MAX {
            run.clock = clock;
        }
        if run.clock != clock {
            return false;
        }
        if t_ns < run.earliest {
            run.earliest = t_ns;
            run.earliest_raw = String::from_utf8_lossy(raw).into_owned();
        }
        true
    }

    fn quality(&mut self, line: u64, word: &[u8]) -> Quality {
        if matches!(word, b"" | b"0" | b"good") {
            return Quality::GOOD;
        }
        if self.word.0 != word {
            let text = String::from_utf8_lossy(word).into_owned();
            let quality = quality_of(&text).unwrap_or_else(|| {
                if self.unknown_words.len() < 20 && !self.unknown_words.iter().any(|(_, t)| *t == text) {
                    self.unknown_words.push((line, text));
                }
                UNKNOWN_QUALITY
            });
            self.word = (word.to_vec(), quality);
        }
        self.word.1
    }

    fn push(&mut self, line: u64, at: usize, t_ns: i64, value: &[u8], stated: Quality, doubt: Option<&[u8]>) {
        let column = self.plan.value as u64 + 1;
        let Some(series) = self.series.get_mut(at) else { return };
        let mut quality = stated;
        if let Some(time) = doubt {
            let text = String::from_utf8_lossy(time).into_owned();
            self.first_doubt.get_or_insert((line, self.plan.time as u64 + 1, text));
            if quality.is_good() {
                quality = Quality::source(Status::Uncertain, Cause::ClockUncertain);
            }
        }
        if series.t_ns.last().is_some_and(|last| t_ns < *last) {
            self.first_backwards.get_or_insert((line, self.plan.time as u64 + 1));
            if stated.is_good() {
                quality = Quality::source(Status::Uncertain, Cause::OutOfOrder);
            }
        }
        match decimal(value) {
            Some((mantissa, scale)) => series.number(mantissa, scale),
            None => {
                let text = String::from_utf8_lossy(value);
                match NumberStyle::Point.read(&fold_width(&text)) {
                    Some(number) => series.decimal(number),
                    None => {
                        series.nothing(&text);
                        quality = match Value::parse(&text).kind {
                            ValueKind::LessThan | ValueKind::BelowDetection => {
                                Quality::source(Status::BelowDetection, Cause::Range)
                            }
                            ValueKind::GreaterThan => Quality::source(Status::AboveRange, Cause::Range),
                            _ => {
                                self.first_word.get_or_insert_with(|| (line, column, text.into_owned()));
                                Quality::source(Status::Bad, Cause::NotANumber)
                            }
                        };
                    }
                }
            }
        }
        series.t_ns.push(t_ns);
        series.quality.push(quality.pack());
    }

    fn finish(self) -> Result<Reading> {
        let mut reading = Reading { format: "table".into(), encoding: Some("UTF-8".into()), ..Reading::default() };
        self.say(&mut reading.diagnostics);
        for growing in &self.runs {
            let mut run = Run::new(&growing.key, &growing.key);
            run.simulated = says_simulated(&growing.key);
            if growing.clock {
                let wall = WallClock::parse(&growing.earliest_raw, DateOrder::YearMonthDay);
                run.zero = wall.and_then(|w| w.in_zone(&self.site.zone, &growing.earliest_raw).ok());
                run.zero_is = ZeroTime::FirstPoint;
            }
            reading.runs.push(run);
        }
        for series in self.series.into_iter().filter(|s| !s.t_ns.is_empty()) {
            let Some(run) = reading.runs.get_mut(series.run) else { continue };
            let [_, channel, unit] = &series.key;
            let (name, unit) = (String::from_utf8_lossy(channel).into_owned(), String::from_utf8_lossy(unit).into_owned());
            let mut channel = channel_of(&name, Some(&unit), series.into_points());
            if run.channels.iter().any(|c| c.key == channel.key) {
                channel.key = format!("{} ({unit})", channel.key);
            }
            run.channels.push(channel);
        }
        reading.not_read = self.not_read;
        reading.runs.retain(|r| !r.channels.is_empty());
        if reading.runs.is_empty() {
            return Err(Error::input("E-TABLE-004", "読めるデータの行がありません", "there is no row of data that can be read")
                .at(Place::line(2))
                .with(reading.diagnostics));
        }
        Ok(reading)
    }

    fn say(&self, diagnostics: &mut Vec<Diagnostic>) {
        let mut say =
            |code: &str, place: Place, ja: String, en: String| diagnostics.push(Diagnostic::warning(code, place, ja, en));
        if let Some((line, column)) = self.first_backwards {
            say(
                "W-TABLE-030",
                Place::line(line).at_column(column),
                "時間が前の行より戻っています。印を付けて残しました".into(),
                "time runs backwards; kept and flagged".into(),
            );
        }
        if let Some((line, column, text)) = &self.first_doubt {
            say(
                "W-CLOCK-003",
                Place::line(*line).at_column(*column),
                format!("時刻が一つに決まりません（夏時間の切り替え、最初は「{text}」）。印を付けて残しました"),
                format!("the time is not certain (change of summer time, the first is \"{text}\"); kept and flagged"),
            );
        }
        if let Some((line, column, text)) = &self.first_word {
            say(
                "W-TABLE-031",
                Place::line(*line).at_column(*column),
                format!("数値でないセルがあります（最初は「{text}」）。元の文字のまま残しました"),
                format!("cells that are not numbers (the first is \"{text}\"); kept with their text"),
            );
        }
        for (line, text) in &self.unknown_words {
            say(
                "W-TABLE-034",
                Place::line(*line),
                format!("品質の語「{text}」を知りません。「疑問」として残しました"),
                format!("the quality word \"{text}\" is not known; kept as uncertain"),
            );
        }
        if self.skipped > 0 {
            say(
                "W-TABLE-033",
                Place::default(),
                format!("ほかに {} 行を読みませんでした", self.skipped),
                format!("{} more rows were not read", self.skipped),
            );
        }
    }
}
