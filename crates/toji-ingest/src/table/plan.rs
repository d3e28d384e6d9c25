//! A mapping laid over a real file: where each column stands now, and what is missing or new.

use super::apply::Again;
use super::clock::{self, Order, Reader};
use super::columns::unit_fits;
use super::grid::{Field, Grid, text_at};
use super::header;
use super::preamble::{self, Preamble};
use super::profile::Profile;
use super::words::plain;
use super::{Column, Layout, Mapping, Role, TimeRule};
use crate::cell::Cell;
use crate::format::Site;
use toji_core::clock::{DateOrder, Zone, ZoneEvidence};
use toji_core::culture::{NotRead, Origin};
use toji_core::value::NumberStyle;
use toji_core::{Diagnostic, Error, Place, Result, Text, Unit, variable};

/// Rows looked at for headers and for what columns hold.
pub(super) const HEAD_ROWS: usize = 400;

/// The caption of a column: its header, and the label above it where the header line repeats names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Caption {
    pub(super) header: String,
    pub(super) over: Option<String>,
}

/// Captions from the header lines. With two lines, a lower line that repeats names is told apart by
/// the labels above (one vessel a label); else the lines are joined.
pub(super) fn captions(head: &[(u64, Vec<Field<'_>>)], header_row: u64, header_rows: u64) -> Vec<Caption> {
    let row = |number: u64| head.iter().find(|(n, _)| *n == number).map(|(_, row)| row.as_slice()).unwrap_or(&[]);
    let lower = row(header_row);
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out: Vec<Caption> = (0..lower.len()).map(|i| Caption { header: squeeze(&text_at(lower, i)), over: None }).collect();
    for above in 1..header_rows {
        let upper = row(header_row - above);
        let repeats = repeats(&out);
        out.resize(out.len().max(upper.len()), Caption::default());
        let mut label = String::new();
        for (i, caption) in out.iter_mut().enumerate() {
            let own = squeeze(&text_at(upper, i));
            if !own.is_empty() {
                label.clone_from(&own);
            }
            if caption.header.is_empty() {
                caption.header = own;
                label.clear();
            } else if repeats && !label.is_empty() {
                caption.over = Some(label.clone());
            } else if !label.is_empty() {
                caption.header = format!("{label} / {}", caption.header);
            }
        }
    }
    out
}

/// Do names other than blanks stand twice?
pub(super) fn repeats(captions: &[Caption]) -> bool {
    let mut names: Vec<&str> = captions.iter().map(|c| c.header.as_str()).filter(|h| !h.is_empty()).collect();
    names.sort_unstable();
    names.windows(2).any(|w| w.first() == w.last())
}

/// One column of the mapping at its place in this file.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    /// Position, from 0.
    pub(super) index: usize,
    pub(super) spec: Column,
    /// For channels with their own clock.
    pub(super) clock: Option<usize>,
    /// The column itself shows which sign groups thousands (`1,234.5`, `1,234,567`).
    pub(super) groups_sure: bool,
}

/// A mapping laid over one grid.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) grid: Grid<'a>,
    pub(super) layout: Layout,
    pub(super) columns: Vec<Placed>,
    /// Clocks: the time column first, then those of column pairs.
    pub(super) clocks: Vec<Reader>,
    /// Data begins after this row.
    pub(super) after_row: u64,
    pub(super) preamble: Preamble,
    /// Put before run keys when several sheets are read.
    pub(super) prefix: Option<String>,
    /// Run where no column tells it.
    pub(super) run: String,
    /// Cells of the header.
    pub(super) width: usize,
    /// Headers in plain form, by position.
    headers: Vec<String>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) not_read: Vec<NotRead>,
}

impl Plan<'_> {
    /// Columns of a role.
    pub(super) fn of(&self, role: Role) -> impl Iterator<Item = &Placed> {
        self.columns.iter().filter(move |c| c.spec.role == role)
    }
    /// The only or first column of a role.
    pub(super) fn first(&self, role: Role) -> Option<usize> {
        self.of(role).map(|c| c.index).next()
    }
    /// Does a line of text hold more than the header has room for?
    pub(super) fn overflows(&self, row: &[Field<'_>]) -> bool {
        self.grid.delimiter().is_some() && row.iter().skip(self.width).any(|f| !f.is_blank())
    }
    /// Is the row a header: this one again, or that of another table?
    pub(super) fn header_again(&self, row: &[Field<'_>]) -> Again {
        let mut names = row.iter().enumerate().filter(|(_, f)| !f.is_blank());
        let (mut known, mut same, mut filled) = (0, true, 0);
        for (i, field) in names.by_ref() {
            if field.cell().is_some_and(|c| !matches!(c, Cell::Text(_))) {
                return Again::No;
            }
            let text = plain(&field.text());
            filled += 1;
            let here = self.headers.get(i).is_some_and(|h| *h == text && !text.is_empty());
            known += usize::from(here || (!text.is_empty() && self.headers.contains(&text)));
            same &= here;
        }
        match (known >= 2 && known * 2 > filled, same) {
            (false, _) => Again::No,
            (true, true) => Again::Same,
            (true, false) => Again::Other,
        }
    }
    /// The run a key of a column names.
    pub(super) fn run_key(&self, key: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{key}"),
            None => key.to_owned(),
        }
    }
}

/// Lays the mapping over the grid.
///
/// # Errors
/// The header row or columns that the mapping needs are not in the file, each with its place.
pub(super) fn lay<'a>(grid: Grid<'a>, mapping: &Mapping, site: &Site, name: &str, several: bool) -> Result<Plan<'a>> {
    let head = grid.head(HEAD_ROWS.max(usize::try_from(mapping.header_row).unwrap_or(HEAD_ROWS).saturating_add(50)));
    let captions = captions(&head, mapping.header_row, mapping.header_rows);
    let above = mapping.header_row.saturating_sub(mapping.header_rows);
    let rows_above: Vec<_> = head.iter().filter(|(n, _)| *n <= above).cloned().collect();
    let preamble = preamble::read(&rows_above);
    let after_row = mapping.header_row.max(mapping.unit_row.unwrap_or(0));
    let mut not_read: Vec<NotRead> = preamble
        .lines
        .iter()
        .map(|(row, text)| NotRead::new(grid.place(*row, 0), text, "表の前の行です", "a line before the table"))
        .collect();
    let mut diagnostics = Vec::new();
    let (mut columns, mut taken) = place_columns(&grid, mapping, &captions)?;
    let clocks = clocks(&grid, mapping, site, &mut columns, &preamble, after_row, &mut diagnostics)?;
    for clock in &clocks {
        taken.extend([Some(clock.column), clock.time_column].into_iter().flatten());
    }
    extra_columns(&grid, mapping, &head, &captions, after_row, &taken, &mut columns, &mut diagnostics, &mut not_read);
    check_units(&grid, mapping, &mut columns, &mut diagnostics, &mut not_read);
    let run = mapping.run.clone().or_else(|| preamble.run.clone()).unwrap_or_else(|| stem(name).to_owned());
    let prefix = (several).then(|| grid.sheet.map(str::to_owned)).flatten();
    let headers: Vec<String> = captions.iter().map(|c| plain(&c.header)).collect();
    let width = head.iter().find(|(n, _)| *n == mapping.header_row).map_or(0, |(_, row)| row.len()).max(headers.len());
    for placed in &mut columns {
        let mut profile = Profile::default();
        for (_, row) in head.iter().filter(|(n, _)| *n > after_row) {
            row.get(placed.index).into_iter().for_each(|f| profile.add(f));
        }
        placed.groups_sure = profile.groups_sure > 0;
    }
    Ok(Plan {
        layout: mapping.layout,
        grid,
        columns,
        clocks,
        after_row,
        preamble,
        prefix,
        run,
        width,
        headers,
        diagnostics,
        not_read,
    })
}

/// File name without its last extension.
fn stem(name: &str) -> &str {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

/// Finds a header: at its old position if it still stands there, else the same occurrence of it.
fn find(captions: &[Caption], header: &str, over: Option<&str>, position: u64, nth: usize) -> Option<usize> {
    let wanted = plain(header);
    let same = |c: &Caption| {
        (c.header == header || (!wanted.is_empty() && plain(&c.header) == wanted))
            && (over.is_none() || c.over.is_none() || c.over.as_deref() == over)
    };
    let position = usize::try_from(position.saturating_sub(1)).ok();
    position
        .filter(|at| captions.get(*at).is_some_and(same))
        .or_else(|| captions.iter().enumerate().filter(|(_, c)| same(c)).map(|(i, _)| i).nth(nth))
}

fn place_columns(grid: &Grid<'_>, mapping: &Mapping, captions: &[Caption]) -> Result<(Vec<Placed>, Vec<usize>)> {
    let mut columns = Vec::new();
    let mut taken = Vec::new();
    let mut missing = Vec::new();
    for (i, spec) in mapping.columns.iter().enumerate() {
        let nth = mapping.columns.iter().take(i).filter(|c| c.header == spec.header && c.run == spec.run).count();
        match find(captions, &spec.header, spec.run.as_deref(), spec.column, nth).filter(|at| !taken.contains(at)) {
            Some(index) => {
                taken.push(index);
                columns.push(Placed { index, spec: spec.clone(), clock: None, groups_sure: false });
            }
            None if spec.optional || spec.role == Role::Ignore => {}
            None => missing.push(&spec.header),
        }
    }
    let time_missing = mapping.time.as_ref().filter(|t| find(captions, &t.header, None, t.column, 0).is_none());
    missing.extend(time_missing.map(|t| &t.header).filter(|h| !missing.contains(h)).into_iter().collect::<Vec<_>>());
    if missing.is_empty() {
        return Ok((columns, taken));
    }
    let row_place = || {
        let place = Place::line(mapping.header_row);
        grid.sheet.map_or(place.clone(), |s| place.in_sheet(s))
    };
    let found: Vec<&str> = captions.iter().map(|c| c.header.as_str()).filter(|h| !h.is_empty()).take(12).collect();
    let diagnostics: Vec<Diagnostic> = missing
        .iter()
        .map(|header| {
            Diagnostic::error(
                "E-TABLE-020",
                row_place().at_field(header.as_str()),
                format!("必要な列「{header}」がありません"),
                format!("the required column \"{header}\" is missing"),
            )
        })
        .collect();
    let names = missing.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(", ");
    let first = missing.first().map_or("", |m| m.as_str());
    Err(Error::input(
        "E-TABLE-020",
        format!("対応付けにある列がファイルにありません: {names}"),
        format!("columns of the mapping are missing from the file: {names}"),
    )
    .at(row_place().at_field(first))
    .hint(
        format!("この行の見出しは: {}。見出しを直すか、対応付けで optional にしてください", found.join(", ")),
        format!("this row's headers are: {}. Correct the header, or mark the column optional in the mapping", found.join(", ")),
    )
    .with(diagnostics))
}

/// Readers for the time column and for the own time columns of channels.
fn clocks(
    grid: &Grid<'_>,
    mapping: &Mapping,
    site: &Site,
    columns: &mut [Placed],
    preamble: &Preamble,
    after_row: u64,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Vec<Reader>> {
    let Some(time) = &mapping.time else { return Ok(Vec::new()) };
    let at = |position: u64| columns.iter().find(|c| c.spec.column == position && c.spec.role == Role::Time);
    let Some(placed) =
        at(time.column).or_else(|| columns.iter().find(|c| c.spec.role == Role::Time && c.spec.header == time.header))
    else {
        return Err(
            Error::input("E-TABLE-011", "役割 time の列がありません", "no column has the role time").at(Place::field("time"))
        );
    };
    let (main, main_style) = (placed.index, placed.spec.numbers);
    let time_column = match &time.rule {
        TimeRule::DateAndTime { time, .. } => {
            Some(columns.iter().find(|c| c.spec.header == *time).map(|c| c.index).ok_or_else(|| {
                Error::input(
                    "E-TABLE-020",
                    format!("時刻の列「{time}」がありません"),
                    format!("the column \"{time}\" with the time of day is missing"),
                )
                .at(Place::line(mapping.header_row).at_field(time))
            })?)
        }
        _ => None,
    };
    let zone = zone(mapping, site, preamble, &time.header)?;
    let main_order = order(grid, &time.rule, main, after_row, site, diagnostics);
    let mut clocks =
        vec![Reader { column: main, time_column, rule: time.rule.clone(), style: main_style, order: main_order, zone }];
    let owns: Vec<(usize, u64)> = columns.iter().enumerate().filter_map(|(i, c)| c.spec.clock.map(|clock| (i, clock))).collect();
    for (i, clock) in owns {
        let Some((index, style)) = columns.iter().find(|c| c.spec.column == clock).map(|c| (c.index, c.spec.numbers)) else {
            continue;
        };
        let at = match clocks.iter().position(|c| c.column == index) {
            Some(at) => at,
            None => {
                let order = order(grid, &time.rule, index, after_row, site, diagnostics);
                let reader = clocks.first().map(|first| Reader { column: index, style, order, ..first.clone() });
                clocks.extend(reader);
                clocks.len() - 1
            }
        };
        if let Some(column) = columns.get_mut(i) {
            column.clock = Some(at);
        }
    }
    Ok(clocks)
}

fn zone(mapping: &Mapping, site: &Site, preamble: &Preamble, header: &str) -> Result<Zone> {
    if let Some(zone) = header::split(header).zone.as_ref().or(preamble.zone.as_ref()) {
        return Zone::named(zone, ZoneEvidence::File);
    }
    match &mapping.zone {
        Some(zone) => Zone::named(zone, ZoneEvidence::SiteDefault),
        None => Ok(site.zone.clone()),
    }
}

fn order(
    grid: &Grid<'_>,
    rule: &TimeRule,
    column: usize,
    after_row: u64,
    site: &Site,
    diagnostics: &mut Vec<Diagnostic>,
) -> Order {
    let fixed = match rule {
        TimeRule::Clock { order } | TimeRule::DateAndTime { order, .. } => *order,
        TimeRule::Elapsed { .. } => Some(DateOrder::YearMonthDay),
    };
    if let Some(order) = fixed {
        return Order {
            order,
            open: false,
            mixed: false,
            short_years: false,
            evidence: Text::new("対応付けの指定", "stated by the mapping"),
        };
    }
    let order = clock::order_of(&clock::dates_of(grid, column, after_row), site.date_order);
    if order.mixed || order.open {
        let code = if order.mixed { "W-CLOCK-002" } else { "W-CLOCK-001" };
        diagnostics.push(
            Diagnostic::warning(code, grid.place(after_row, column), order.evidence.ja.clone(), order.evidence.en.clone())
                .remedy(
                    "拠点の日付順を設定するか、対応付けの time.rule.order で指定してください",
                    "set the site's date order, or state time.rule.order in the mapping",
                ),
        );
    }
    order
}

/// Columns of the file that the mapping does not know: kept when numeric, listed otherwise.
#[expect(clippy::too_many_arguments, reason = "one step of laying a plan")]
fn extra_columns(
    grid: &Grid<'_>,
    mapping: &Mapping,
    head: &[(u64, Vec<Field<'_>>)],
    captions: &[Caption],
    after_row: u64,
    taken: &[usize],
    columns: &mut Vec<Placed>,
    diagnostics: &mut Vec<Diagnostic>,
    not_read: &mut Vec<NotRead>,
) {
    for placed in columns.iter().filter(|c| c.spec.role == Role::Ignore && !c.spec.header.is_empty()) {
        let why = placed.spec.evidence.clone().unwrap_or_else(|| Text::new("対応付けの指定", "stated by the mapping"));
        not_read.push(NotRead::new(
            grid.place(mapping.header_row, placed.index).at_field(&placed.spec.header),
            &placed.spec.header,
            format!("列を読みません: {}", why.ja),
            format!("column not read: {}", why.en),
        ));
    }
    let width = head.iter().map(|(_, row)| row.len()).max().unwrap_or(0);
    let role = match mapping.layout {
        Layout::Wide => Some(Role::Channel),
        Layout::Samples => Some(Role::Assay),
        Layout::Runs => Some(Role::Fact),
        Layout::Long => None,
    };
    for index in (0..width).filter(|i| !taken.contains(i)) {
        let mut profile = Profile::default();
        for (_, row) in head.iter().filter(|(n, _)| *n > after_row) {
            row.get(index).into_iter().for_each(|f| profile.add(f));
        }
        let caption = captions.get(index).cloned().unwrap_or_default();
        if profile.filled == 0 && caption.header.is_empty() {
            continue;
        }
        let place = grid.place(mapping.header_row, index).at_field(&caption.header);
        let Some(role) = role.filter(|_| profile.numeric() && !caption.header.is_empty()) else {
            let what = if caption.header.is_empty() { profile.distinct.join(" | ") } else { caption.header.clone() };
            not_read.push(NotRead::new(place, &what, "対応付けにない列です", "a column that the mapping does not know"));
            continue;
        };
        diagnostics.push(Diagnostic::note(
            "N-TABLE-021",
            place,
            format!("対応付けにない列「{}」を見出しのまま残しました", caption.header),
            format!("the column \"{}\", which the mapping does not know, is kept under its own header", caption.header),
        ));
        let split = header::split(&caption.header);
        let spec = Column {
            column: index as u64 + 1,
            header: caption.header,
            role,
            variable: None,
            unit: split.unit,
            raw_unit: split.raw_unit,
            numbers: profile.style().unwrap_or(NumberStyle::Point),
            origin: Origin::Unknown,
            run: caption.over,
            clock: None,
            optional: true,
            confidence: 0.0,
            evidence: None,
        };
        columns.push(Placed { index, spec, clock: None, groups_sure: false });
    }
}

/// A unit that cannot be of the variable is refused; a unit nobody understands is warned of.
fn check_units(
    grid: &Grid<'_>,
    mapping: &Mapping,
    columns: &mut Vec<Placed>,
    diagnostics: &mut Vec<Diagnostic>,
    not_read: &mut Vec<NotRead>,
) {
    columns.retain(|placed| {
        let spec = &placed.spec;
        if !matches!(spec.role, Role::Channel | Role::Assay) {
            return true;
        }
        let place = || grid.place(mapping.unit_row.unwrap_or(mapping.header_row), placed.index).at_field(&spec.header);
        match (&spec.unit, spec.variable.as_deref().and_then(variable::get)) {
            (Some(unit), Some(variable)) if !unit_fits(variable, unit) => {
                diagnostics.push(wrong_unit(place(), &spec.header, unit, &variable.label, &variable.unit));
                not_read.push(NotRead::new(
                    place(),
                    &spec.header,
                    format!("単位 {unit} は{}の単位ではありません", variable.label.ja),
                    format!("{unit} is not a unit of {}", variable.label.en),
                ));
                false
            }
            (None, _) if spec.raw_unit.is_some() => {
                let raw = spec.raw_unit.as_deref().unwrap_or("");
                diagnostics.push(
                    Diagnostic::warning(
                        "W-UNIT-001",
                        place(),
                        format!("単位「{raw}」が分かりません。書かれたまま残します"),
                        format!("the unit \"{raw}\" is not understood; kept as written"),
                    )
                    .remedy("対応付けの unit に UCUM の単位を指定してください", "state a UCUM unit in the mapping"),
                );
                true
            }
            _ => true,
        }
    });
}

fn wrong_unit(place: Place, header: &str, unit: &Unit, label: &Text, usual: &str) -> Diagnostic {
    Diagnostic::error(
        "E-TABLE-021",
        place,
        format!("列「{header}」: 単位 {unit} は{}の単位ではありません（通常は {usual}）", label.ja),
        format!("column \"{header}\": {unit} is not a unit of {} (usually {usual})", label.en),
    )
    .remedy(
        "見出しの単位を直すか、対応付けでこの列の quantity を外してください",
        "correct the unit in the header, or take the quantity off this column in the mapping",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'a>(rows: &[&[&'a str]]) -> Vec<(u64, Vec<Field<'a>>)> {
        rows.iter().enumerate().map(|(i, row)| (i as u64 + 1, row.iter().map(|t| Field::Text((*t).into())).collect())).collect()
    }

    #[test]
    fn two_header_lines_name_vessels_or_join() {
        let over = captions(&head(&[&["", "V1", "", "V2", ""], &["Time", "pH", "DO", "pH", "DO"]]), 2, 2);
        let named: Vec<_> = over.iter().map(|c| (c.header.as_str(), c.over.as_deref())).collect();
        assert_eq!(named, [("Time", None), ("pH", Some("V1")), ("DO", Some("V1")), ("pH", Some("V2")), ("DO", Some("V2"))]);
        let joined = captions(&head(&[&["時刻", "温度", "", "pH"], &["", "品温", "室温", ""]]), 2, 2);
        let named: Vec<_> = joined.iter().map(|c| c.header.as_str()).collect();
        assert_eq!(named, ["時刻", "温度 / 品温", "温度 / 室温", "pH"]);
    }
}
