//! Reads the head of a file and proposes a mapping, with the evidence for every choice.

use super::clock;
use super::columns::{Known, know};
use super::grid::{Field, Grid, text_at};
use super::header::{self, Header, UnitFrom};
use super::plan::{Caption, HEAD_ROWS, captions};
use super::preamble::{self, is_vessel};
use super::profile::Profile;
use super::shape::{Shape, shape};
use super::words::{Fit, attribute, fit, plain};
use super::{Column, Layout, MAPPING_VERSION, Mapping, Role, TimeColumn, TimeRule, TimeUnit};
use crate::format::Site;
use crate::source::Source;
use serde::Serialize;
use toji_core::culture::Origin;
use toji_core::value::NumberStyle;
use toji_core::{Diagnostic, Error, Result, Text, Unit, variable};

/// A proposed mapping and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Proposal {
    /// Always `table`.
    pub format: String,
    /// Text encoding; `None` for workbooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The sheets of a workbook.
    pub sheets: Vec<SheetInfo>,
    /// The proposal.
    pub mapping: Mapping,
    /// A recognised time and a recognised quantity: may be imported unasked.
    pub confident: bool,
    /// What the table was taken for, and why.
    pub evidence: Text,
    /// The first rows as text.
    pub preview: Vec<Vec<String>>,
    /// What to look at before using the mapping.
    pub diagnostics: Vec<Diagnostic>,
}

/// A sheet of the workbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct SheetInfo {
    /// Name.
    pub name: String,
    /// Hidden in the workbook.
    pub hidden: bool,
    /// Rows in use, up to the number looked at.
    pub rows: u64,
    /// The mapping reads it.
    pub read: bool,
}

/// What is known of one column before roles are given.
pub(super) struct Facts {
    index: usize,
    caption: Caption,
    split: Header,
    profile: Profile,
}

const PREVIEW_ROWS: usize = 20;

/// Proposes a mapping for a table.
///
/// # Errors
/// `E-TABLE-001`: no line looks like a header above data, with what to do.
pub fn propose(source: &Source<'_>, site: &Site) -> Result<Proposal> {
    let grids = Grid::all(source, None).map_err(|e| e.in_file(source.name()))?;
    let heads: Vec<_> = grids.iter().map(|g| g.head(HEAD_ROWS)).collect();
    let shapes: Vec<Option<Shape>> = heads.iter().map(|h| shape(h)).collect();
    let best = (0..grids.len())
        .filter_map(|i| Some((i, shapes.get(i)?.as_ref()?, grids.get(i)?)))
        .max_by_key(|(i, shape, grid)| (!grid.hidden, shape.score, std::cmp::Reverse(*i)));
    let Some((at, shape, grid)) = best else { return Err(no_header(source)) };
    let head = heads.get(at).map(Vec::as_slice).unwrap_or(&[]);
    let captions_here = captions(head, shape.header_row, shape.header_rows);
    let mut sheets = Vec::new();
    for ((other, head), shape_there) in grids.iter().zip(&heads).zip(&shapes) {
        let Some(name) = other.sheet else { continue };
        let same = shape_there.as_ref().is_some_and(|s| {
            !other.hidden && s.header_row == shape.header_row && captions(head, s.header_row, s.header_rows) == captions_here
        });
        let rows = head.iter().filter(|(_, row)| row.iter().any(|f| !f.is_blank())).count() as u64;
        sheets.push(SheetInfo { name: name.to_owned(), hidden: other.hidden, rows, read: same || grid.sheet == Some(name) });
    }
    let mut proposal = build(source, site, grid, head, shape, captions_here, &sheets)?;
    for sheet in sheets.iter().filter(|s| !s.read && s.rows > 0) {
        let hidden = if sheet.hidden { ("非表示の", "hidden ") } else { ("", "") };
        proposal.diagnostics.push(Diagnostic::note(
            "N-TABLE-002",
            toji_core::Place::default().in_sheet(&sheet.name),
            format!("{}シート「{}」は読みません", hidden.0, sheet.name),
            format!("the {}sheet \"{}\" is not read", hidden.1, sheet.name),
        ));
    }
    proposal.sheets = sheets;
    Ok(proposal)
}

fn no_header(source: &Source<'_>) -> Error {
    Error::input("E-TABLE-001", "表の見出しが見つかりません", "no line looks like the header of a table")
        .hint("先頭付近に列名の行（時刻、pH など）を置いてください", "put a line of column names (time, pH …) above the data")
        .in_file(source.name())
}

fn build(
    source: &Source<'_>,
    site: &Site,
    grid: &Grid<'_>,
    head: &[(u64, Vec<Field<'_>>)],
    shape: &Shape,
    captions: Vec<Caption>,
    sheets: &[SheetInfo],
) -> Result<Proposal> {
    let after_row = shape.header_row.max(shape.unit_row.unwrap_or(0));
    let units = shape.unit_row.and_then(|n| head.iter().find(|(m, _)| *m == n)).map(|(_, row)| row.as_slice());
    let facts = facts(head, &captions, units, after_row);
    let mut roles = Roles::new(&facts);
    let diagnostics_order = roles.assign(grid, after_row, site);
    let mut mapping = Mapping {
        name: source.name().to_owned(),
        version: MAPPING_VERSION,
        layout: roles.layout,
        sheets: sheets.iter().filter(|s| s.read).map(|s| s.name.clone()).collect(),
        delimiter: grid.delimiter(),
        header_row: shape.header_row,
        header_rows: shape.header_rows,
        unit_row: shape.unit_row,
        zone: None,
        run: None,
        time: roles.time.clone(),
        columns: roles.columns,
    };
    unite_styles(&mut mapping, &facts);
    let rows_above: Vec<_> = head.iter().filter(|(n, _)| n + shape.header_rows <= shape.header_row).cloned().collect();
    let preamble = preamble::read(&rows_above);
    mapping.run = preamble.run;
    let mut diagnostics = diagnostics_order;
    diagnostics.extend(doubts(grid, &mapping));
    let (confident, evidence) = verdict(&mapping);
    let preview = head
        .iter()
        .filter(|(_, row)| row.iter().any(|f| !f.is_blank()))
        .take(PREVIEW_ROWS)
        .map(|(_, row)| {
            let width = row.iter().rposition(|f| !f.is_blank()).map_or(0, |i| i + 1);
            (0..width).map(|i| text_at(row, i).chars().take(80).collect()).collect()
        })
        .collect();
    let encoding = (!source.is_workbook()).then(|| source.decoded().encoding.to_owned());
    Ok(Proposal { format: "table".into(), encoding, sheets: Vec::new(), mapping, confident, evidence, preview, diagnostics })
}

fn facts(head: &[(u64, Vec<Field<'_>>)], captions: &[Caption], units: Option<&[Field<'_>]>, after_row: u64) -> Vec<Facts> {
    let width = head.iter().map(|(_, row)| row.len()).max().unwrap_or(0);
    let mut out = Vec::new();
    // What stands beyond the header has no column: it is listed row by row when the table is read.
    for index in 0..width.min(captions.len()) {
        let mut profile = Profile::default();
        for (_, row) in head.iter().filter(|(n, _)| *n > after_row) {
            row.get(index).into_iter().for_each(|f| profile.add(f));
        }
        let caption = captions.get(index).cloned().unwrap_or_default();
        if caption.header.is_empty() && profile.filled == 0 {
            continue;
        }
        let mut split = header::split(&caption.header);
        let raw = units.map(|row| text_at(row, index)).unwrap_or_default();
        let raw = raw.trim_matches(['[', ']', '(', ')', '（', '）', '［', '］']);
        if !raw.is_empty() && !raw.to_lowercase().contains("yyyy") {
            split.unit = Unit::parse(raw).ok();
            split.raw_unit = Some(raw.to_owned());
            split.from = Some(UnitFrom::UnitRow);
        }
        out.push(Facts { index, caption, split, profile });
    }
    out
}

/// Columns whose cells do not decide the decimal sign follow the file: one comma column, and numbers
/// such as `1,234` elsewhere are decimal too.
fn unite_styles(mapping: &mut Mapping, facts: &[Facts]) {
    let comma = facts.iter().any(|f| f.profile.style() == Some(NumberStyle::Comma));
    let point = facts.iter().any(|f| f.profile.style() == Some(NumberStyle::Point) && f.profile.point_only > 0);
    let default = if comma && (!point || mapping.delimiter == Some(';')) { NumberStyle::Comma } else { NumberStyle::Point };
    for column in &mut mapping.columns {
        let Some(fact) = facts.iter().find(|f| f.index as u64 + 1 == column.column) else { continue };
        column.numbers = fact.profile.style().unwrap_or(default);
        if column.numbers == NumberStyle::Comma
            && fact.profile.numbers > 0
            && let Some(evidence) = &mut column.evidence
        {
            let example = fact.profile.comma_example.as_deref().unwrap_or("");
            evidence.ja.push_str(&format!("。小数点はコンマ（例「{example}」）"));
            evidence.en.push_str(&format!("; the decimal sign is a comma (for example \"{example}\")"));
        }
    }
}

/// What a person should look at.
fn doubts(grid: &Grid<'_>, mapping: &Mapping) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    if let Some(TimeColumn { column, header, rule: TimeRule::Elapsed { assumed: true, .. }, .. }) = &mapping.time {
        out.push(
            Diagnostic::warning(
                "W-TABLE-003",
                grid.place(mapping.header_row, *column as usize - 1).at_field(header),
                format!("列「{header}」の時間の単位が書かれていません。時間（h）とみなした案です"),
                format!("the column \"{header}\" does not state its unit of time; hours are proposed"),
            )
            .remedy("time.rule.unit を確かめ、assumed を外してください", "check time.rule.unit and drop \"assumed\""),
        );
    }
    if mapping.time.is_none() && mapping.layout == Layout::Wide {
        out.push(Diagnostic::warning(
            "W-TABLE-004",
            toji_core::Place::line(mapping.header_row),
            "時間の列が見つかりません",
            "no time column was found",
        ));
    }
    for column in &mapping.columns {
        if let (Some(unit), Some(variable)) = (&column.unit, column.variable.as_deref().and_then(variable::get))
            && !super::columns::unit_fits(variable, unit)
        {
            out.push(Diagnostic::error(
                "E-TABLE-021",
                grid.place(mapping.unit_row.unwrap_or(mapping.header_row), column.column as usize - 1).at_field(&column.header),
                format!("単位 {unit} は{}の単位ではありません", variable.label.ja),
                format!("{unit} is not a unit of {}", variable.label.en),
            ));
        }
    }
    out
}

/// May the table be read unasked?
fn verdict(mapping: &Mapping) -> (bool, Text) {
    let time_sure = mapping.time.as_ref().is_some_and(|t| !matches!(t.rule, TimeRule::Elapsed { assumed: true, .. }));
    let known: Vec<&Column> = mapping
        .columns
        .iter()
        .filter(|c| {
            matches!(c.role, Role::Channel | Role::Assay) && c.variable.is_some() && (c.confidence >= 0.75 || c.confidence <= 0.1)
        })
        .collect();
    let names = known.iter().take(4).map(|c| c.header.as_str()).collect::<Vec<_>>().join(", ");
    let time = mapping.time.as_ref().map_or("-", |t| t.header.as_str());
    let (confident, ja, en) = match mapping.layout {
        Layout::Wide => (time_sure && !known.is_empty(), "時間×項目の表", "a table of quantities over time"),
        Layout::Samples => (time_sure && !known.is_empty(), "試料×分析項目の表", "a table of samples and analytes"),
        Layout::Long => (time_sure, "1 行 1 値の縦長の表", "a long table, one value a row"),
        Layout::Runs => (false, "培養ごとの条件の表", "a table of facts about runs"),
    };
    (
        confident,
        Text::new(format!("{ja}。時間: {time}。認識した列: {names}"), format!("{en}; time: {time}; recognised columns: {names}")),
    )
}

/// Roles given to columns, step by step.
struct Roles<'f> {
    facts: &'f [Facts],
    layout: Layout,
    time: Option<TimeColumn>,
    columns: Vec<Column>,
    given: Vec<Option<(Role, f64, Text)>>,
}

impl<'f> Roles<'f> {
    fn new(facts: &'f [Facts]) -> Self {
        Self { facts, layout: Layout::Wide, time: None, columns: Vec::new(), given: vec![None; facts.len()] }
    }

    fn assign(&mut self, grid: &Grid<'_>, after_row: u64, site: &Site) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        let long = self.find_long();
        self.find_time(grid, after_row, site, long, &mut diagnostics);
        let sample = self.best(Role::SampleId, |f| {
            let whole_header = matches!(fit(Role::SampleId, &f.split.name), Some((Fit::Whole, _))) && f.split.unit.is_none();
            f.profile.filled > 0 && (f.profile.can_name() || whole_header) && !f.profile.mostly(f.profile.dates)
        });
        // A name that never changes is not the name of samples.
        let sample = sample.filter(|(i, how)| {
            self.facts.get(*i).is_some_and(|f| f.profile.filled == 1 || f.profile.distinct.len() > 1 || *how == Fit::Whole)
        });
        if let Some((i, how)) = sample {
            self.give(i, Role::SampleId, how, "試料名");
        }
        self.find_run();
        self.layout = match (long, sample) {
            (true, _) => Layout::Long,
            (false, Some(_)) => Layout::Samples,
            (false, None) if self.time.is_none() && self.given.iter().flatten().any(|(r, ..)| *r == Role::RunKey) => Layout::Runs,
            _ => Layout::Wide,
        };
        let pairs = self.own_clocks();
        for at in 0..self.facts.len() {
            let column = self.column(at, pairs.get(at).copied().flatten());
            self.columns.extend(column);
        }
        diagnostics
    }

    fn give(&mut self, at: usize, role: Role, how: Fit, ja: &str) {
        let Some(header) = self.facts.get(at).map(|f| f.caption.header.clone()) else { return };
        let confidence = if how == Fit::Whole { 0.95 } else { 0.75 };
        let evidence =
            Text::new(format!("見出し「{header}」は{ja}の語です"), format!("the header \"{header}\" is a word for this"));
        if let Some(slot) = self.given.get_mut(at) {
            *slot = Some((role, confidence, evidence));
        }
    }

    /// The free column whose header names this role best and whose content allows it.
    fn best(&self, role: Role, allows: impl Fn(&Facts) -> bool) -> Option<(usize, Fit)> {
        self.facts
            .iter()
            .enumerate()
            .filter(|(i, f)| self.given.get(*i).is_some_and(Option::is_none) && allows(f))
            .filter_map(|(i, f)| fit(role, &f.split.name).map(|(how, _)| (i, how)))
            .max_by_key(|(i, how)| (*how, std::cmp::Reverse(*i)))
    }

    fn find_long(&mut self) -> bool {
        let value = self.best(Role::Value, |f| f.profile.filled == 0 || f.profile.numeric());
        let variable = self.best(Role::Variable, |f| !f.profile.numeric() && f.profile.filled > 0);
        let (Some((value, Fit::Whole)), Some((variable, Fit::Whole))) = (value, variable) else { return false };
        self.give(value, Role::Value, Fit::Whole, "値");
        self.give(variable, Role::Variable, Fit::Whole, "項目");
        if let Some((unit, Fit::Whole)) = self.best(Role::Unit, |f| !f.profile.numeric()) {
            self.give(unit, Role::Unit, Fit::Whole, "単位");
        }
        if let Some((quality, Fit::Whole)) = self.best(Role::Quality, |_| true) {
            self.give(quality, Role::Quality, Fit::Whole, "品質");
        }
        true
    }

    fn find_run(&mut self) {
        let allows = |f: &Facts| {
            let p = &f.profile;
            p.filled > 0
                && !p.mostly(p.dates)
                && p.can_name()
                && (!p.numeric() || p.numbers == p.absent || p.distinct.len() * 2 <= p.filled.max(2))
                && f.split.unit.as_ref().is_none_or(Unit::is_one)
                && variable::find(&f.split.name).is_none()
        };
        // Several columns may name the run; prefer one that tells runs apart.
        let varied = self.best(Role::RunKey, |f| allows(f) && !f.profile.constant());
        if let Some((i, how)) = varied.or_else(|| self.best(Role::RunKey, allows)) {
            self.give(i, Role::RunKey, how, "培養（ラン）");
        }
    }

    /// Finds the time: a clock first, then date and time of day, then elapsed time.
    fn find_time(&mut self, grid: &Grid<'_>, after_row: u64, site: &Site, long: bool, diagnostics: &mut Vec<Diagnostic>) {
        let named = |f: &Facts| fit(Role::Time, &f.split.name).map(|(how, _)| how);
        let free: Vec<(usize, &Facts)> =
            self.facts.iter().enumerate().filter(|(i, _)| self.given.get(*i).is_some_and(Option::is_none)).collect();
        let dated = |f: &Facts| f.profile.mostly(f.profile.dates) && (named(f).is_some() || !f.profile.numeric());
        let rank = |f: &Facts| (f.profile.filled, plain(&f.split.name).contains("sample"), named(f));
        let clock = free
            .iter()
            .filter(|(_, f)| dated(f) && f.profile.dates_with_time * 2 >= f.profile.dates)
            .max_by_key(|(i, f)| (rank(f), std::cmp::Reverse(*i)));
        let date = free.iter().filter(|(_, f)| dated(f)).max_by_key(|(i, f)| (rank(f), std::cmp::Reverse(*i)));
        let day_time =
            free.iter().find(|(_, f)| f.profile.mostly(f.profile.times_of_day) && (named(f).is_some() || !f.profile.numeric()));
        let elapsed = free
            .iter()
            .filter(|(_, f)| named(f).is_some())
            .filter_map(|(i, f)| elapsed(f, long).map(|(unit, assumed)| (*i, unit, assumed)));
        let elapsed = elapsed.min_by_key(|(i, _, assumed)| (*assumed, *i));
        let header = |i: usize| self.facts.get(i).map(|f| f.caption.header.clone()).unwrap_or_default();
        let (at, second, rule, why) = match (clock, date, day_time, elapsed) {
            (Some((i, _)), ..) => {
                (*i, None, TimeRule::Clock { order: None }, Text::new("日付と時刻の列", "cells are dates with a time of day"))
            }
            (None, Some((i, _)), Some((j, _)), _) if i != j => (
                *i,
                Some(*j),
                TimeRule::DateAndTime { time: header(*j), order: None },
                Text::new(
                    format!("日付の列と、時刻の列「{}」", header(*j)),
                    format!("a column of dates, and the time of day in \"{}\"", header(*j)),
                ),
            ),
            (_, _, _, Some((i, unit, false))) => (
                i,
                None,
                TimeRule::Elapsed { unit, assumed: false },
                Text::new(format!("経過時間（{unit:?}）"), format!("elapsed time ({unit:?})")),
            ),
            (None, Some((i, _)), ..) => (*i, None, TimeRule::Clock { order: None }, Text::new("日付の列", "cells are dates")),
            (_, _, _, Some((i, unit, true))) => (
                i,
                None,
                TimeRule::Elapsed { unit, assumed: true },
                Text::new(
                    "時間の語の見出しに数値。単位は書かれていないため h とみなした案",
                    "numbers under a word for time; the unit is not stated, hours are proposed",
                ),
            ),
            _ => return,
        };
        let mut evidence = why;
        if !matches!(rule, TimeRule::Elapsed { .. })
            && let Some(fact) = self.facts.get(at)
        {
            let order = clock::order_of(&clock::dates_of(grid, fact.index, after_row), site.date_order);
            evidence.ja.push_str(&format!("。{}", order.evidence.ja));
            evidence.en.push_str(&format!("; {}", order.evidence.en));
            if order.open || order.mixed {
                diagnostics.push(Diagnostic::warning(
                    if order.mixed { "W-CLOCK-002" } else { "W-CLOCK-001" },
                    grid.place(after_row, fact.index).at_field(&fact.caption.header),
                    order.evidence.ja,
                    order.evidence.en,
                ));
            }
        }
        let column = self.facts.get(at).map_or(1, |f| f.index as u64 + 1);
        self.time = Some(TimeColumn { column, header: header(at), rule, evidence: Some(evidence) });
        for i in [Some(at), second].into_iter().flatten() {
            let how = self.facts.get(i).and_then(named).unwrap_or(Fit::Part);
            self.give(i, Role::Time, how, "時間");
        }
    }

    /// Time columns of the same header, each followed by its own channels: per column, the clock.
    fn own_clocks(&mut self) -> Vec<Option<u64>> {
        let mut out = vec![None; self.facts.len()];
        let Some(main) = &self.time else { return out };
        if self.layout != Layout::Wide || !matches!(main.rule, TimeRule::Elapsed { .. } | TimeRule::Clock { .. }) {
            return out;
        }
        let wanted = plain(&main.header);
        let same: Vec<usize> =
            (0..self.facts.len()).filter(|i| self.facts.get(*i).is_some_and(|f| plain(&f.caption.header) == wanted)).collect();
        if same.len() < 2 {
            return out;
        }
        for at in &same {
            self.give(*at, Role::Time, Fit::Whole, "時間");
        }
        let mut current = None;
        for (i, slot) in out.iter_mut().enumerate() {
            let Some(fact) = self.facts.get(i) else { continue };
            if same.contains(&i) {
                current = Some(fact.index as u64 + 1);
            } else {
                *slot = current;
            }
        }
        out
    }

    fn column(&self, at: usize, clock: Option<u64>) -> Option<Column> {
        let fact = self.facts.get(at)?;
        let known = know(&fact.split, &fact.caption.header);
        let (role, confidence, evidence) = match self.given.get(at)? {
            Some(given) => given.clone(),
            None => rest(fact, &known, self.layout),
        };
        let measured = matches!(role, Role::Channel | Role::Assay | Role::Value);
        let own_run = fact.caption.over.clone().filter(|_| role != Role::Time || clock.is_some());
        Some(Column {
            column: fact.index as u64 + 1,
            header: fact.caption.header.clone(),
            role,
            variable: known.variable.filter(|_| matches!(role, Role::Channel | Role::Assay)).map(|v| v.id.clone()),
            unit: fact.split.unit.clone().filter(|_| measured),
            raw_unit: fact.split.raw_unit.clone().filter(|_| measured),
            numbers: NumberStyle::Point,
            origin: if role == Role::Channel { header::origin(&fact.split.name) } else { Origin::Unknown },
            run: own_run,
            clock: clock.filter(|_| role == Role::Channel),
            optional: !matches!(
                role,
                Role::Time | Role::RunKey | Role::SampleId | Role::Variable | Role::Value | Role::Channel | Role::Assay
            ),
            confidence,
            evidence: Some(evidence),
        })
    }
}

/// Elapsed time: its unit, and whether that had to be assumed.
fn elapsed(fact: &Facts, long: bool) -> Option<(TimeUnit, bool)> {
    let profile = &fact.profile;
    if let Some(unit) = fact.split.unit.as_ref().and_then(TimeUnit::of) {
        return profile.numeric().then_some((unit, false));
    }
    if profile.mostly(profile.durations) {
        let header = fact.caption.header.to_lowercase();
        let told = header.contains("h:m") || header.contains("hh:") || header.contains("時:");
        return Some((TimeUnit::Hms, profile.two_part_durations() && !told));
    }
    if !profile.numeric() || profile.filled == 0 {
        return None;
    }
    let name = plain(&fact.split.name);
    match name.as_str() {
        "hours" | "hour" | "elapsed hours" | "culture hours" => Some((TimeUnit::H, false)),
        "days" | "day" | "日数" | "もろみ日数" | "醪日数" | "elapsed days" => Some((TimeUnit::D, false)),
        "t" if long => Some((TimeUnit::S, false)),
        _ => Some((TimeUnit::H, true)),
    }
}

/// The role of a column that is neither time, run, sample nor part of a long table.
fn rest(fact: &Facts, known: &Known, layout: Layout) -> (Role, f64, Text) {
    let (name, profile) = (&fact.split.name, &fact.profile);
    let measured = if layout == Layout::Samples { Role::Assay } else { Role::Channel };
    let by_word = |role: Role| fit(role, name).map(|(how, word)| (role, how, word));
    let words_inside = !profile.numeric();
    if profile.filled == 0 {
        return (Role::Ignore, 0.9, Text::new("空の列です", "the column is empty"));
    }
    if layout == Layout::Runs {
        return (Role::Fact, 0.7, Text::new("培養の条件として残します", "kept as a fact of the run"));
    }
    let said = |(role, how, word): (Role, Fit, &str)| {
        let confidence = if how == Fit::Whole { 0.9 } else { 0.6 };
        (role, confidence, Text::new(format!("見出しの語「{word}」"), format!("the word \"{word}\" in the header")))
    };
    let free = [Role::Note, Role::Event, Role::Observation, Role::Fact];
    let worded: Vec<_> = free.into_iter().filter(|_| words_inside).filter_map(by_word).collect();
    if let Some(whole) = worded.iter().find(|(_, how, _)| *how == Fit::Whole) {
        return said(*whole);
    }
    if layout == Layout::Wide
        && let Some(quality @ (_, Fit::Whole, _)) = by_word(Role::Quality)
    {
        return said(quality);
    }
    if layout == Layout::Long {
        return match (by_word(Role::Fact).or_else(|| by_word(Role::RunKey)), by_word(Role::Note)) {
            (_, Some(note)) if words_inside => said(note),
            (Some((_, how, word)), _) => said((Role::Fact, how, word)),
            _ => (Role::Ignore, 0.3, Text::new("見出しの語が語彙にありません", "the header is not in the vocabulary")),
        };
    }
    if !words_inside && !profile.mostly(profile.dates) {
        return (measured, known.confidence, known.evidence.clone());
    }
    if let Some(part) = worded.first() {
        return said(*part);
    }
    if let Some((_, how, word)) = by_word(Role::RunKey) {
        return said((Role::Fact, how, word));
    }
    if profile.mostly(profile.dates) || profile.mostly(profile.times_of_day) {
        let role = if layout == Layout::Samples { Role::Fact } else { Role::Ignore };
        return (role, 0.5, Text::new("別の時間の列があります", "another column already gives the time"));
    }
    if known.variable.is_some() || attribute(name).is_some() {
        return (Role::Note, 0.4, Text::new("言葉の列なので、覚え書きとして残します", "a column of words; kept as notes"));
    }
    if profile.constant() || layout == Layout::Samples || is_vessel(name) {
        return (
            Role::Fact,
            0.5,
            Text::new("変わらない言葉の列なので、条件として残します", "words that do not change; kept as a fact"),
        );
    }
    (
        Role::Ignore,
        0.3,
        Text::new("言葉の列で、見出しが語彙にありません", "a column of words whose header is not in the vocabulary"),
    )
}
