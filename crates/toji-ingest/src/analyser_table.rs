//! Tables with one sample a row, as bench analysers and cell counters export them.
//!
//! A format names the columns it knows; order, missing columns and further columns do not matter.
//! Unknown columns with a unit are results under their own name, other unknown columns are facts of the
//! sample under their own header. Text under no header is reported as not read.

use crate::analyser::{Clock, UnitSource, decided_order, dilution_factor, fits, note, number_style, result};
use crate::analyser_file::open_end;
use crate::delimited::Row;
use crate::format::Site;
use std::collections::HashSet;
use toji_core::clock::DateOrder;
use toji_core::culture::{Assay, NotRead, Reading, Sample, When};
use toji_core::value::NumberStyle;
use toji_core::{Diagnostic, Place, Text, Unit, ValueKind, variable};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Name of the sample.
    Sample,
    /// When it was analysed.
    Analysed,
    /// When it was taken.
    Taken,
    /// A fact of the sample, under this field name.
    Field(&'static str),
    /// A fact of the sample, under its own header; never a result, even where the header states a unit.
    Fact,
    /// A result: common name, variable (empty when none), fixed unit (empty when none).
    Result(&'static str, &'static str, &'static str),
    /// A result that the instrument has multiplied by the sample's dilution.
    Diluted(&'static str, &'static str, &'static str),
}

/// A column a format knows, by [`crate::analyser::header_key`].
pub(crate) type Known = (&'static str, Role);

/// A column as the file has it.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Header as written.
    pub(crate) header: String,
    /// Unit as written, when there is one.
    pub(crate) unit: Option<String>,
    /// What it holds; `None` for unknown columns.
    pub(crate) role: Option<Role>,
}

impl Column {
    /// A column under a header; the role is the one its key is known by.
    pub(crate) fn new(header: &str, key: &str, unit: Option<String>, known: &[Known]) -> Self {
        let role = known.iter().find(|(k, _)| *k == key).map(|(_, role)| *role);
        Self { header: header.split_whitespace().collect::<Vec<_>>().join(" "), unit, role }
    }
    fn is_result(&self) -> bool {
        match self.role {
            Some(Role::Result(..) | Role::Diluted(..)) => true,
            Some(_) => false,
            None => self.unit.as_deref().is_some_and(|u| u != "-" && Unit::parse(u).is_ok()),
        }
    }
}

/// A table with its columns.
pub(crate) struct Table<'a> {
    /// Columns from the left.
    pub(crate) columns: Vec<Column>,
    /// Rows below the headers.
    pub(crate) rows: &'a [Row],
    /// Sheet of a workbook.
    pub(crate) sheet: Option<&'a str>,
    /// Line of the header.
    pub(crate) header_line: u64,
    /// Date order the instrument writes unless told otherwise.
    pub(crate) usual: DateOrder,
}

impl Table<'_> {
    fn find(&self, role: Role) -> Option<usize> {
        self.columns.iter().position(|c| c.role == Some(role))
    }
    fn place(&self, row: &Row, column: usize) -> Place {
        let place = row.place(column);
        match self.sheet {
            Some(sheet) => place.in_sheet(sheet),
            None => place,
        }
    }
    fn header_place(&self, column: usize) -> Place {
        let place = Place::line(self.header_line).at_column(column as u64 + 1);
        match self.sheet {
            Some(sheet) => place.in_sheet(sheet),
            None => place,
        }
    }

    /// Reads all rows into samples of the reading.
    pub(crate) fn read(&self, site: &Site, reading: &mut Reading) {
        self.missing_columns(reading);
        let style = number_style(
            self.rows
                .iter()
                .flat_map(|row| self.columns.iter().enumerate().filter(|(_, c)| c.is_result()).map(|(i, _)| row.cell(i))),
        );
        let (analysed, taken) = self.clocks(site, reading);
        let mut assumed = HashSet::new();
        for row in self.rows {
            self.read_row(row, style, (analysed, taken), &mut assumed, reading);
        }
        self.report_assumed(&assumed, reading);
    }

    fn missing_columns(&self, reading: &mut Reading) {
        let found = &mut reading.diagnostics;
        if self.find(Role::Analysed).is_none() && self.find(Role::Taken).is_none() {
            found.push(
                Diagnostic::warning("W-TABLE-001", self.header_place(0), "日時の列がありません", "there is no column of times")
                    .remedy("日時の列を含めて書き出してください", "export the table with its time column"),
            );
        }
        if self.find(Role::Sample).is_none() {
            found.push(
                Diagnostic::warning(
                    "W-TABLE-002",
                    self.header_place(0),
                    "試料名の列がありません",
                    "there is no column of sample names",
                )
                .remedy("試料名の列を含めて書き出してください", "export the table with its sample column"),
            );
        }
        let mut seen = HashSet::new();
        for (index, column) in self.columns.iter().enumerate() {
            if column.role.is_some_and(|role| role != Role::Fact && !seen.insert(format!("{role:?}"))) {
                let message = Text::new(
                    format!("列「{}」が二つあります", column.header),
                    format!("the column \"{}\" stands twice", column.header),
                );
                found.push(Diagnostic::warning("W-TABLE-003", self.header_place(index), message.ja, message.en));
            }
        }
    }

    /// The two clocks of a row; each column decides its own date order where it can, else the other does.
    fn clocks<'s>(&self, site: &'s Site, reading: &mut Reading) -> (Clock<'s>, Clock<'s>) {
        let cells = |role: Role| -> Vec<&str> {
            self.find(role).map_or_else(Vec::new, |c| self.rows.iter().map(|r| r.cell(c)).collect())
        };
        let (analysed, taken) = (cells(Role::Analysed), cells(Role::Taken));
        let plain = Clock::of(site);
        let turned = || taken.iter().copied().zip(analysed.iter().copied()).collect::<Vec<_>>();
        let straight = || analysed.iter().copied().zip(taken.iter().copied()).collect::<Vec<_>>();
        match (decided_order(&analysed), decided_order(&taken)) {
            (Some(a), Some(t)) => (plain.with_order(a), plain.with_order(t)),
            (Some(a), None) => {
                let a = plain.with_order(a);
                (a, plain.nearest_to(a, &turned()))
            }
            (None, Some(t)) => {
                let t = plain.with_order(t);
                (plain.nearest_to(t, &straight()), t)
            }
            (None, None) => {
                let first = self.find(Role::Analysed).or_else(|| self.find(Role::Taken)).unwrap_or(0);
                let place = self.header_place(first);
                let texts = if analysed.is_empty() { &taken } else { &analysed };
                let clock = Clock::for_column(site, self.usual, texts, &place, &mut reading.diagnostics);
                (clock, if analysed.is_empty() { clock } else { clock.nearest_to(clock, &turned()) })
            }
        }
    }

    fn read_row(
        &self,
        row: &Row,
        style: NumberStyle,
        clocks: (Clock<'_>, Clock<'_>),
        assumed: &mut HashSet<usize>,
        reading: &mut Reading,
    ) {
        let mut found = Vec::new();
        let cut = row.cut_column(self.columns.len());
        if let Some(column) = cut {
            let (ja, en) = ("最後の行が途中で切れています", "the last line is cut off here");
            reading.not_read.push(NotRead::new(self.place(row, column), row.cell(column), ja, en));
            found.push(open_end(self.place(row, column), true));
        }
        if cut.is_none()
            && row.open
            && let Some(last) = self.columns.len().checked_sub(1).filter(|c| self.columns.get(*c).is_some_and(Column::is_result))
        {
            found.push(open_end(self.place(row, last), false));
        }
        let usable = |column: usize| if Some(column) == cut { "" } else { row.cell(column) };
        let mut time = |role: Role, clock: Clock<'_>| match self.find(role) {
            Some(column) => clock.when(usable(column), &self.place(row, column), &mut found),
            None => When::Unknown,
        };
        let analysed = time(Role::Analysed, clocks.0);
        let taken = match time(Role::Taken, clocks.1) {
            When::Unknown => analysed.clone(),
            taken => taken,
        };
        let key = self.find(Role::Sample).map_or("", usable).to_owned();
        let mut sample = Sample { key, run: None, when: taken, fields: Default::default(), assays: Vec::new() };
        for (index, column) in self.columns.iter().enumerate() {
            match column.role {
                Some(Role::Field(name)) => note(&mut sample.fields, name, usable(index)),
                None if column.header.is_empty() || column.is_result() => {}
                Some(Role::Fact) | None => note(&mut sample.fields, &column.header, usable(index)),
                Some(_) => {}
            }
        }
        for (index, column) in self.columns.iter().enumerate().filter(|(_, c)| c.is_result()) {
            let text = usable(index);
            if !text.is_empty() {
                let place = self.place(row, index);
                let mut assay = self.assay(column, text, style, place, &mut found);
                assay.when = analysed.clone();
                if matches!(column.role, Some(Role::Diluted(..))) {
                    let dilution = sample.fields.get("dilution").and_then(|d| d.as_str());
                    assay.value.dilution = dilution.and_then(dilution_factor).map(|d| d.to_f64());
                }
                if assay.value.kind != ValueKind::Missing {
                    if column.unit.is_none()
                        && assay.value.raw_unit.is_none()
                        && assay.value.unit.as_ref().is_some_and(|u| !u.is_one() && u.code() != "{cell}")
                    {
                        assumed.insert(index);
                    }
                    sample.assays.push(assay);
                }
            }
        }
        self.headless(row, reading);
        self.check(&sample, row, &mut found);
        reading.diagnostics.append(&mut found);
        if !sample.assays.is_empty() || !sample.key.is_empty() {
            reading.samples.push(sample);
        } else {
            let (ja, en) = ("結果も試料名もない行です", "a line with neither a result nor a sample name");
            reading.not_read.push(NotRead::new(self.place(row, 0), &row.text(), ja, en));
        }
    }

    fn assay(&self, column: &Column, text: &str, style: NumberStyle, place: Place, found: &mut Vec<Diagnostic>) -> Assay {
        let (name, variable, fixed) = match column.role {
            Some(Role::Result(name, variable, unit) | Role::Diluted(name, variable, unit)) => {
                (name, (!variable.is_empty()).then(|| variable.to_owned()), unit)
            }
            _ => ("", variable::find(&column.header).map(|(v, _)| v.id.clone()), ""),
        };
        let unit = match &column.unit {
            // "-" under a pH column says "no unit"; the fixed unit of the quantity is meant.
            Some(unit) if unit != "-" => UnitSource::Written(unit),
            _ if fixed.is_empty() => UnitSource::Unknown,
            _ => UnitSource::Format(fixed),
        };
        let value = result(text, unit, style, &place, found);
        let variable = variable.filter(|v| fits(v, &value));
        let mut assay = Assay::new(&column.header, value, place);
        assay.variable = variable;
        note(&mut assay.fields, "name", name);
        assay
    }

    /// Cells with text under no header.
    fn headless(&self, row: &Row, reading: &mut Reading) {
        for index in 0..row.cells.len() {
            let no_header = self.columns.get(index).is_none_or(|c| c.header.is_empty());
            if no_header && !row.cell(index).is_empty() {
                let (ja, en) = ("見出しのない列の値です", "a value in a column without header");
                reading.not_read.push(NotRead::new(self.place(row, index), row.cell(index), ja, en));
            }
        }
    }

    fn check(&self, sample: &Sample, row: &Row, found: &mut Vec<Diagnostic>) {
        if sample.key.is_empty() && self.find(Role::Sample).is_some() && !sample.assays.is_empty() {
            let place = self.place(row, self.find(Role::Sample).unwrap_or(0));
            found.push(Diagnostic::warning("W-TABLE-005", place, "試料名が空です", "the sample name is empty"));
        }
        let time = self.find(Role::Analysed).or_else(|| self.find(Role::Taken));
        if let (Some(column), When::Unknown) = (time, &sample.when)
            && row.cell(column).is_empty()
        {
            found.push(Diagnostic::warning("W-TABLE-006", self.place(row, column), "日時が空です", "the time is empty").remedy(
                "試料の時刻が分からないため、ランと並べられません",
                "without a time the sample cannot be set beside a run",
            ));
        }
    }

    fn report_assumed(&self, assumed: &HashSet<usize>, reading: &mut Reading) {
        let names: Vec<&str> =
            self.columns.iter().enumerate().filter(|(i, _)| assumed.contains(i)).map(|(_, c)| c.header.as_str()).collect();
        if !names.is_empty() {
            let list = names.join(", ");
            reading.diagnostics.push(Diagnostic::note(
                "N-TABLE-001",
                self.header_place(0),
                format!("ファイルに単位がないため、装置の既定の単位を用いました: {list}"),
                format!("the file states no units for these; the instrument's default units were used: {list}"),
            ));
        }
    }
}

/// Reads one sample given as labels and values, each with its place in the file.
pub(crate) fn read_pairs(
    pairs: Vec<(String, String, Place)>,
    column: fn(&str) -> Column,
    usual: DateOrder,
    site: &Site,
    reading: &mut Reading,
) {
    let columns: Vec<Column> = pairs.iter().map(|(label, ..)| column(label)).collect();
    let row = Row { line: 1, cells: pairs.iter().map(|(_, value, _)| value.clone()).collect(), open: false };
    let (samples, findings, lost) = (reading.samples.len(), reading.diagnostics.len(), reading.not_read.len());
    Table { columns, rows: &[row], sheet: None, header_line: 1, usual }.read(site, reading);
    // The table counted pairs as columns; give each its place in the file back.
    let real = |place: &mut Place| {
        let at = place.column.and_then(|c| usize::try_from(c).ok()).and_then(|c| pairs.get(c.saturating_sub(1)));
        if let Some((.., original)) = at {
            *place = original.clone();
        }
    };
    reading.samples.iter_mut().skip(samples).flat_map(|s| s.assays.iter_mut()).for_each(|a| real(&mut a.place));
    reading.diagnostics.iter_mut().skip(findings).for_each(|d| real(&mut d.place));
    reading.not_read.iter_mut().skip(lost).for_each(|n| real(&mut n.place));
}
