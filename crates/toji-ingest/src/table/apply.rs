//! Reads a whole table by a mapping.

use super::grid::{Field, Grid, Rows, text_at};
use super::plan::{self, Plan};
use super::{Layout, Mapping, long, samples, wide};
use crate::format::{Site, says_simulated};
use crate::source::Source;
use serde_json::Value as Json;
use toji_core::culture::{Fields, NotRead, Reading, Run};
use toji_core::{Cause, Diagnostic, Error, Place, Quality, Result, Status};

/// Rows that were not read are listed one by one up to this number, and counted beyond.
const ROWS_LISTED_MAX: usize = 200;

/// Reads a table by a mapping.
///
/// Faults in single cells are flags and diagnostics of the reading.
///
/// # Errors
/// `E-TABLE-011` the mapping does not hang together; `E-TABLE-013` a sheet is missing; `E-TABLE-020`
/// a column is missing; `E-TABLE-004` there are no data; all with their place.
pub fn apply(source: &Source<'_>, mapping: &Mapping, site: &Site) -> Result<Reading> {
    apply_grids(source, mapping, site).map_err(|e| e.in_file(source.name()))
}

fn apply_grids(source: &Source<'_>, mapping: &Mapping, site: &Site) -> Result<Reading> {
    mapping.check()?;
    let grids = Grid::all(source, mapping.delimiter)?;
    let mut reading = Reading { format: "table".into(), ..Reading::default() };
    if !source.is_workbook() {
        reading.encoding = Some(source.decoded().encoding.to_owned());
        reading.diagnostics.extend(doubts_of_text(source));
    }
    let chosen = choose(&grids, mapping)?;
    let several = chosen.len() > 1;
    let mut rows = 0;
    for grid in chosen {
        let mut plan = plan::lay(grid.clone(), mapping, site, source.name(), several)?;
        reading.diagnostics.append(&mut plan.diagnostics);
        reading.not_read.append(&mut plan.not_read);
        let mut skipped = Skipped::default();
        rows += match plan.layout {
            Layout::Wide => wide::read(&plan, &mut reading, &mut skipped),
            Layout::Long => long::read(&plan, &mut reading, &mut skipped),
            Layout::Samples => samples::read(&plan, &mut reading, &mut skipped),
            Layout::Runs => samples::read_runs(&plan, &mut reading, &mut skipped),
        };
        skipped.finish(&plan, &mut reading);
    }
    for grid in
        grids.iter().filter(|g| !mapping.sheets.is_empty() && g.sheet.is_some_and(|s| !mapping.sheets.iter().any(|m| m == s)))
    {
        let name = grid.sheet.unwrap_or("");
        if grid.head(1000).iter().any(|(_, row)| row.iter().any(|f| !f.is_blank())) {
            let hidden = if grid.hidden { ("（非表示）", " (hidden)") } else { ("", "") };
            reading.not_read.push(NotRead::new(
                Place::default().in_sheet(name),
                name,
                format!("対応付けが読まないシート{}です", hidden.0),
                format!("a sheet{} that the mapping does not read", hidden.1),
            ));
        }
    }
    if rows == 0 {
        return Err(Error::input("E-TABLE-004", "読めるデータの行がありません", "there is no row of data that can be read")
            .at(Place::line(mapping.header_row))
            .hint("見出しの行と時間の列を確かめてください", "check the header row and the time column of the mapping")
            .with(reading.diagnostics));
    }
    crate::workbook::tell(source, &mut reading);
    Ok(reading)
}

/// What is not certain about the encoding of a text.
fn doubts_of_text(source: &Source<'_>) -> Option<Diagnostic> {
    let decoded = source.decoded();
    let encoding = decoded.encoding;
    let (number, line) = decoded.text.lines().zip(1u64..).find(|(l, _)| !l.is_ascii()).map(|(l, n)| (n, l))?;
    let shown: String = line.chars().filter(|c| !c.is_ascii()).take(20).collect();
    if decoded.damaged {
        return Some(Diagnostic::warning(
            "W-TEXT-001",
            Place::default(),
            format!("文字コード {encoding} に合わないバイトがあります（�と表示）"),
            format!("some bytes do not fit the encoding {encoding}; they stand as �"),
        ));
    }
    if decoded.doubtful {
        return Some(
            Diagnostic::warning(
                "W-TEXT-002",
                Place::line(number),
                format!("文字コードが決まりません。{encoding} として読みました（最初は「{shown}」）"),
                format!("the encoding is not certain; read as {encoding} (the first such text is \"{shown}\")"),
            )
            .remedy("文字が崩れていれば UTF-8 で保存し直してください", "if letters are wrong, save the file again as UTF-8"),
        );
    }
    (encoding == "windows-1252").then(|| {
        Diagnostic::note(
            "N-TEXT-003",
            Place::line(number),
            format!("文字コードの手掛かりがないため windows-1252 とみなしました（最初は「{shown}」）"),
            format!("nothing tells the encoding; windows-1252 was taken (the first such text is \"{shown}\")"),
        )
    })
}

fn choose<'a, 'g>(grids: &'g [Grid<'a>], mapping: &Mapping) -> Result<Vec<&'g Grid<'a>>> {
    if mapping.sheets.is_empty() {
        let first = grids.iter().find(|g| !g.hidden).or_else(|| grids.first());
        return Ok(first.into_iter().collect());
    }
    mapping
        .sheets
        .iter()
        .map(|name| {
            grids.iter().find(|g| g.sheet.is_none() || g.sheet == Some(name)).ok_or_else(|| {
                let names: Vec<&str> = grids.iter().filter_map(|g| g.sheet).collect();
                Error::input("E-TABLE-013", format!("シート「{name}」がありません"), format!("there is no sheet \"{name}\""))
                    .at(Place::default().in_sheet(name))
                    .hint(format!("あるシート: {}", names.join(", ")), format!("sheets of the file: {}", names.join(", ")))
            })
        })
        .collect()
}

/// The rows of data of a plan: below the header, not blank, and not another table.
#[derive(Debug)]
pub(super) struct DataRows<'a> {
    rows: Rows<'a>,
    other_table: bool,
    /// Column of the cell that the end of the file may have cut off, in the row just given.
    pub(super) cut: Option<usize>,
}

impl<'a> DataRows<'a> {
    pub(super) fn new(plan: &Plan<'a>) -> Self {
        Self { rows: plan.grid.rows(), other_table: false, cut: None }
    }
    /// Fills `row` with the next row of data and returns its number; what is passed over is listed.
    pub(super) fn next(&mut self, plan: &Plan<'a>, row: &mut Vec<Field<'a>>, skipped: &mut Skipped) -> Option<u64> {
        loop {
            let number = self.rows.next_row(row)?;
            if number <= plan.after_row || row.iter().all(Field::is_blank) {
                continue;
            }
            if !self.other_table {
                match plan.header_again(row) {
                    Again::No => {}
                    Again::Same => {
                        skipped.row(plan, number, row, "見出しの繰り返しです", "the header again");
                        continue;
                    }
                    Again::Other => {
                        self.other_table = true;
                        skipped.other_table.add(number, 0, &text_at(row, 0));
                    }
                }
            }
            if self.other_table {
                skipped.row(plan, number, row, "下に続く別の表です", "another table below the first");
                continue;
            }
            if plan.overflows(row) {
                skipped.row(
                    plan,
                    number,
                    row,
                    "見出しより多くのセルがあり、どの列の値か決まりません",
                    "more cells than the header: which column they belong to is not certain",
                );
                skipped.ragged.add(number, plan.width, &text_at(row, plan.width));
                continue;
            }
            self.cut = None;
            if self.rows.open() {
                let last = row.len().saturating_sub(1);
                let short = row.len() < plan.width;
                self.cut = short.then_some(last);
                let said = if short { &mut skipped.cut } else { &mut skipped.open_end };
                said.add(number, last, &text_at(row, last));
            }
            return Some(number);
        }
    }
}

/// Is a row the header once more?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    No,
    Same,
    Other,
}

/// A value whose end may be missing.
pub(super) const CUT: Quality = Quality::source(Status::Uncertain, Cause::None);

/// Rows and cells that were not read, and points that stand out.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    rows: Vec<NotRead>,
    more: u64,
    /// Points whose time goes back, with the first place.
    pub(super) backwards: Marked,
    /// Times in an hour that a clock change repeats or skips, or of a mixed date order.
    pub(super) clock: Marked,
    /// Cells that are not numbers.
    pub(super) words: Marked,
    /// Run names carried down over blank cells.
    pub(super) carried: Marked,
    /// Numbers such as `1,234` where nothing tells a separator of thousands from a decimal sign.
    pub(super) grouped: Marked,
    /// Names of runs and samples that the workbook holds as dates.
    pub(super) name_dates: Marked,
    /// Rows with more cells than the header.
    ragged: Marked,
    /// Where another table begins.
    other_table: Marked,
    /// The last row is cut off, or only its line end is missing.
    cut: Marked,
    open_end: Marked,
}

/// A count with the first place.
#[derive(Debug, Default)]
pub(super) struct Marked {
    count: u64,
    first: Option<(u64, usize, String)>,
}

impl Marked {
    /// Counts one.
    pub(super) fn add(&mut self, row: u64, column: usize, text: &str) {
        self.count += 1;
        self.first.get_or_insert_with(|| (row, column, text.chars().take(60).collect()));
    }
}

impl Skipped {
    /// A row that was not read.
    pub(super) fn row(&mut self, plan: &Plan<'_>, number: u64, row: &[Field<'_>], ja: &str, en: &str) {
        if self.rows.len() >= ROWS_LISTED_MAX {
            self.more += 1;
            return;
        }
        let first = row.iter().position(|f| !f.is_blank()).unwrap_or(0);
        let words: Vec<String> = (0..row.len()).map(|i| text_at(row, i).into_owned()).filter(|t| !t.is_empty()).collect();
        self.rows.push(NotRead::new(plan.grid.place(number, first), &words.join(" | "), ja, en));
    }

    /// A name of a run or sample: noted when the workbook holds it as a date.
    pub(super) fn name(&mut self, number: u64, column: usize, row: &[Field<'_>]) {
        if row.get(column).and_then(Field::cell).is_some_and(|c| matches!(c, crate::cell::Cell::Date(_))) {
            self.name_dates.add(number, column, &text_at(row, column));
        }
    }

    fn finish(self, plan: &Plan<'_>, reading: &mut Reading) {
        reading.not_read.extend(self.rows);
        let mut say = |marked: &Marked, code: &str, ja: &str, en: &str| {
            if let Some((row, column, text)) = &marked.first {
                let count = marked.count;
                reading.diagnostics.push(Diagnostic::warning(
                    code,
                    plan.grid.place(*row, *column),
                    format!("{ja}（{count} 件、最初は「{text}」）"),
                    format!("{en} ({count} of them, the first is \"{text}\")"),
                ));
            }
        };
        say(
            &self.backwards,
            "W-TABLE-030",
            "時間が前の行より戻っています。印を付けて残しました",
            "time runs backwards; kept and flagged",
        );
        say(
            &self.clock,
            "W-CLOCK-003",
            "時刻が一つに決まりません（夏時間の切り替え、または日付順の混在）。印を付けて残しました",
            "the time is not certain (change of summer time, or mixed date orders); kept and flagged",
        );
        say(
            &self.words,
            "W-TABLE-031",
            "数値でないセルがあります。元の文字のまま残しました",
            "cells that are not numbers; kept with their text",
        );
        say(
            &self.grouped,
            "W-TABLE-038",
            "「,」または「.」が桁区切りか小数点か決まらない数があります。桁区切りとして読み、印を付けました",
            "numbers in which nothing tells a separator of thousands from a decimal sign; read as thousands and flagged",
        );
        say(
            &self.name_dates,
            "W-TABLE-037",
            "試料または培養の名前が日付になっています。表計算ソフトが名前を日付に変えた疑いがあります",
            "a name of a sample or run is a date: the spreadsheet may have changed the name into one",
        );
        say(
            &self.ragged,
            "W-TABLE-039",
            "見出しより多くのセルを持つ行があり、読みませんでした。小数点のコンマや余分な区切りがないか確かめてください",
            "rows with more cells than the header were not read; look for decimal commas or stray separators",
        );
        say(
            &self.other_table,
            "W-TABLE-036",
            "下に別の表が続きます。読みませんでした。表ごとにファイルを分けてください",
            "another table follows below; it was not read: give each table its own file",
        );
        say(
            &self.cut,
            "W-TABLE-035",
            "最後の行が途中で切れています。残った値に印を付けました",
            "the last row is cut off; what is left of it is flagged",
        );
        if let Some((row, column, text)) = &self.open_end.first {
            reading.diagnostics.push(Diagnostic::note(
                "N-TABLE-035",
                plan.grid.place(*row, *column),
                format!("ファイルが改行なしで終わります。最後の値「{text}」が途中で切れていないか確かめてください"),
                format!("the file ends without a line end: check that its last value \"{text}\" is not cut off"),
            ));
        }
        if let Some((row, column, text)) = &self.carried.first {
            reading.diagnostics.push(Diagnostic::note(
                "N-TABLE-032",
                plan.grid.place(*row, *column),
                format!("空のセルは上の名前「{text}」の続きとみなしました（{} 行）", self.carried.count),
                format!("blank cells were taken as a continuation of \"{text}\" above ({} rows)", self.carried.count),
            ));
        }
        if self.more > 0 {
            reading.diagnostics.push(Diagnostic::warning(
                "W-TABLE-033",
                Place::default(),
                format!("ほかに {} 行を読みませんでした", self.more),
                format!("{} more rows were not read", self.more),
            ));
        }
    }
}

/// Facts of a run gathered from rows: one value, or the list of values where they differ.
#[derive(Debug, Clone, Default)]
pub(super) struct FactsSeen(Vec<(String, Vec<String>)>);

impl FactsSeen {
    /// Adds a value of a field.
    pub(super) fn add(&mut self, field: &str, value: &str) {
        const VALUES_MAX: usize = 50;
        if value.is_empty() {
            return;
        }
        let at = self.0.iter().position(|(f, _)| f == field).unwrap_or_else(|| {
            self.0.push((field.to_owned(), Vec::new()));
            self.0.len() - 1
        });
        if let Some((_, values)) = self.0.get_mut(at)
            && values.len() < VALUES_MAX
            && !values.iter().any(|v| v == value)
        {
            values.push(value.to_owned());
        }
    }
    /// As fields of a run.
    pub(super) fn into_run(self, run: &mut Run) {
        for (field, mut values) in self.0 {
            run.simulated |= values.iter().any(|v| says_simulated(v));
            let one = if values.len() == 1 { values.pop() } else { None };
            match one {
                Some(value) => {
                    if super::preamble::is_strain(&field) {
                        run.strain.get_or_insert_with(|| value.clone());
                    } else if super::preamble::is_vessel(&field) {
                        run.vessel.get_or_insert_with(|| value.clone());
                    }
                    run.fields.insert(field, Json::String(value));
                }
                None => {
                    run.fields.insert(field, Json::Array(values.into_iter().map(Json::String).collect()));
                }
            }
        }
    }
}

/// A run of this key with what the lines above the table say.
pub(super) fn new_run(plan: &Plan<'_>, key: &str, run_header: Option<&str>) -> Run {
    let mut run = Run::new(plan.run_key(key), plan.run_key(key));
    let preamble = &plan.preamble;
    run.vessel.clone_from(&preamble.vessel);
    run.strain.clone_from(&preamble.strain);
    run.simulated = preamble.simulated || says_simulated(key);
    if run_header.is_some_and(super::preamble::is_vessel) {
        run.vessel = Some(key.to_owned());
    }
    let mut fields = Fields::new();
    for (_, field, value) in &preamble.facts {
        fields.insert(field.clone(), Json::String(value.clone()));
    }
    run.fields = fields;
    run
}
