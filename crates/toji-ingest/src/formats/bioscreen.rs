//! Bioscreen C growth curves: a column `Time`, then one column a well of the two honeycomb plates.
//!
//! Wells are numbered 101–200 and 201–300, in some exports 1–200; a column `Blank` may stand among
//! them. Times are elapsed (`0:15:05`), the file knows no clock. It states no unit either: the
//! instrument measures optical density, through a wide band (420–580 nm) or one of its filters, which
//! only lines above the table may name. A run a well.

use crate::analyser::{bracketed, header_key, note};
use crate::analyser_file::{Part, Search, head, open_end, parts, row_place};
use crate::cell::Cell;
use crate::delimited::Row;
use crate::format::{Evidence, Format, Site};
use crate::lines::{decimal, elapsed_ns};
use crate::plate::{Counted, OUT_OF_ORDER, Plate, PlateRun};
use crate::source::Source;
use jiff::civil::date;
use toji_core::clock::{HOUR_NS, SECOND_NS};
use toji_core::culture::{Channel, Fields, Instrument, NotRead, Origin, Points, Reading, Sampling};
use toji_core::{Diagnostic, Place, Quality, Result, Text, Unit};

/// The format.
pub struct Bioscreen;

/// Lines looked at for the header.
const HEADER_LINES_MAX: usize = 40;
/// Characters looked at when a text is asked whether it is of this format.
const HEAD_CHARS: usize = 30_000;
/// Fewest wells of a table that is recognised unasked.
const WELLS_MIN: usize = 8;
/// Readings that name an experiment: the first row up to here.
const MARK_WELLS: usize = 8;

/// Is this the name of a well column?
fn is_well(name: &str) -> bool {
    let number = name.strip_prefix("Well ").unwrap_or(name);
    let numbered = !number.starts_with('0') && number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit());
    (numbered && number.parse::<u16>().is_ok_and(|n| (1..=300).contains(&n))) || name.eq_ignore_ascii_case("blank")
}

/// Number of well columns of a header row; 0 for any other row.
fn wells_of(row: &Row) -> usize {
    let names: Vec<&str> = (1..row.cells.len()).map(|c| row.cell(c)).filter(|n| !n.is_empty()).collect();
    let is_header = header_key(row.cell(0)) == "time" && names.iter().all(|n| is_well(n));
    if is_header { names.len() } else { 0 }
}

/// Elapsed time: `0:15:05`, `24:00:05`, `1.00:15:05` (days), or a number in the unit of the header.
pub(super) fn elapsed(text: &str, header: &str) -> Option<i64> {
    let (days, clock) = match text.split_once('.') {
        Some((days, clock)) if clock.matches(':').count() == 2 => (days.parse::<i64>().ok()?, clock),
        _ => (0, text),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else {
        let unit_ns = match bracketed(header)?.to_ascii_lowercase().as_str() {
            "h" | "hours" => HOUR_NS,
            "min" | "minutes" => 60 * SECOND_NS,
            "s" | "sec" | "seconds" => SECOND_NS,
            _ => return None,
        };
        return elapsed_ns(decimal(text)?, unit_ns);
    };
    let whole = |part: &str, below: i64| {
        let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i64>().ok().filter(|n| plain && *n < below)
    };
    let hours = whole(hours, 100_000)?.checked_add(days.checked_mul(24)?)?;
    let seconds_ns = elapsed_ns(decimal(seconds).filter(|s| s.mantissa >= 0 && s.to_f64() < 60.0)?, SECOND_NS)?;
    let minutes = whole(minutes, 60)?;
    hours.checked_mul(HOUR_NS)?.checked_add(minutes * 60 * SECOND_NS)?.checked_add(seconds_ns)
}

/// A workbook keeps elapsed times as durations, or as dates counted from the last day of 1899.
fn time_text(cell: &Cell) -> String {
    let clock = |ns: i64| {
        let seconds = ns / SECOND_NS;
        format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    };
    match cell {
        // To the second: a workbook's day fraction is a binary number.
        Cell::Duration(ns) => clock(ns.saturating_add(SECOND_NS / 2)),
        Cell::Date(at) if at.year() <= 1900 => {
            let since = at.duration_since(date(1899, 12, 31).at(0, 0, 0, 0));
            clock(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX).saturating_add(SECOND_NS / 2))
        }
        other => other.to_string(),
    }
}

/// The parts of the file, times of a workbook as text.
fn timed_parts<'a>(source: &'a Source<'_>) -> Result<Vec<Part<'a>>> {
    let mut all = parts(source)?;
    for part in &mut all {
        let sheet = source.is_workbook().then(|| source.sheets().ok()?.iter().find(|s| Some(s.name.as_str()) == part.sheet));
        let Some(sheet) = sheet.flatten() else { continue };
        for row in &mut part.rows {
            let cell = usize::try_from(row.line.saturating_sub(1)).map_or(&Cell::Empty, |line| sheet.cell(line, 0));
            if let Some(first) = row.cells.first_mut() {
                *first = time_text(cell);
            }
        }
    }
    Ok(all)
}

const SEARCH: Search = Search {
    rows_max: HEADER_LINES_MAX,
    codes: ["E-BIOSCREEN-001", "E-BIOSCREEN-002", "E-BIOSCREEN-003"],
    names: ("Time、101、102 …", "Time, 101, 102 …"),
};

impl Format for Bioscreen {
    fn id(&self) -> &'static str {
        "bioscreen-c"
    }
    fn label(&self) -> Text {
        Text::new("Bioscreen C（増殖曲線）", "Bioscreen C (growth curves)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        let parts = if source.is_workbook() { timed_parts(source).ok()? } else { head(source, HEAD_CHARS, HEADER_LINES_MAX)? };
        let wells_in = |rows: &[Row]| {
            let at = rows.iter().take(HEADER_LINES_MAX).position(|row| wells_of(row) > 0)?;
            let first = rows.get(at + 1).map_or("0:00:00", |row| row.cell(0));
            elapsed(first, rows.get(at)?.cell(0)).and(rows.get(at)).map(wells_of)
        };
        let wells = parts.iter().filter_map(|part| wells_in(&part.rows)).max()?;
        let score = if wells >= WELLS_MIN { 88 } else { 45 };
        Some(Evidence::new(
            score,
            format!("Time と {wells} 個のウェル番号の列"),
            format!("columns Time and {wells} well numbers"),
        ))
    }
    fn read(&self, source: &Source<'_>, _site: &Site) -> Result<Reading> {
        let parts = timed_parts(source)?;
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        reading.instrument = Some(Instrument {
            maker: Some("Oy Growth Curves Ab".to_owned()),
            model: Some("Bioscreen C".to_owned()),
            ..Instrument::default()
        });
        let tables = SEARCH.tables(source, &parts, |row| (wells_of(row) > 0).then_some(()), &mut reading)?;
        let line = tables.first().map_or(1, |t| t.header.line);
        for table in tables {
            Table { sheet: table.sheet, header: table.header, below: table.below }.read(table.above, &mut reading);
        }
        if reading.runs.is_empty() {
            return Err(SEARCH.nothing(source, line));
        }
        reading.diagnostics.push(Diagnostic::note(
            "N-BIOSCREEN-001",
            Place::line(line),
            "ファイルに単位も波長もないため、値を光学濃度 (OD) としました",
            "the file states neither unit nor wavelength; the values were taken as optical density (OD)",
        ));
        Ok(reading)
    }
}

/// One table of growth curves.
struct Table<'a> {
    sheet: Option<&'a str>,
    header: &'a Row,
    below: &'a [Row],
}

impl Table<'_> {
    fn place(&self, row: &Row, column: usize) -> Place {
        row_place(self.sheet, row, column)
    }
    fn not_read(&self, row: &Row, column: usize, text: &str, why: (&str, &str), reading: &mut Reading) {
        reading.not_read.push(NotRead::new(self.place(row, column), text, why.0, why.1));
    }

    fn read(&self, above: &[Row], reading: &mut Reading) {
        let mut fields = Fields::new();
        for row in above {
            let (name, value) = match row.cell(0).split_once(':') {
                Some((name, value)) if row.cells.iter().skip(1).all(|c| c.trim().is_empty()) => (name.trim(), value.trim()),
                _ => (row.cell(0), row.cell(1)),
            };
            match (name, value) {
                ("", _) | (_, "") => {
                    self.not_read(row, 0, &row.text(), ("名前と値の行ではありません", "not a line of name and value"), reading)
                }
                (name, value) => note(&mut fields, name, value),
            }
        }
        let mut channel = Channel::new("OD", Points::default());
        channel.variable = Some("optical-density".to_owned());
        channel.unit = Unit::parse("{OD}").ok();
        channel.origin = Origin::Sensor;
        channel.sampling = Sampling::Periodic;
        let mut plate = Plate::new(vec![channel], 1);
        self.rows(&mut plate, reading);
        let mark = self.mark();
        let experiment =
            ["TEST NAME", "Test name", "Experiment"].iter().find_map(|n| fields.get(*n)?.as_str()).unwrap_or("").to_owned();
        let runs = plate.into_runs(&PlateRun {
            key: format!("bioscreen | {experiment} | {mark}"),
            title: if experiment.is_empty() { "Bioscreen".to_owned() } else { experiment },
            zero: None,
            fields,
        });
        reading.runs.extend(runs);
    }

    /// Says what an open last line may have lost.
    fn say_end(&self, row: &Row, cut: Option<usize>, reading: &mut Reading) {
        let place = self.place(row, row.cells.len().saturating_sub(1));
        reading.diagnostics.extend(row.open.then(|| open_end(place, cut.is_some())));
    }

    /// The export names no experiment: its first row tells two apart, and stays the same when the
    /// experiment is exported again with more rows.
    fn mark(&self) -> String {
        let first = self.below.iter().find(|row| elapsed(row.cell(0), self.header.cell(0)).is_some());
        first
            .map_or_else(String::new, |row| row.cells.iter().take(MARK_WELLS + 1).map(|c| c.trim()).collect::<Vec<_>>().join(" "))
    }

    fn rows<'p>(&'p self, plate: &mut Plate<'p>, reading: &mut Reading) {
        let names: Vec<&str> = (0..self.header.cells.len()).map(|c| self.header.cell(c)).collect();
        let wells: Vec<Option<usize>> =
            names.iter().enumerate().map(|(c, name)| (c > 0 && !name.is_empty()).then(|| plate.well(name))).collect();
        let (mut before, mut earlier) = (i64::MIN, Counted::default());
        for row in self.below {
            let cut = row.cut_column(names.len());
            let time = elapsed(row.cell(0), names.first().copied().unwrap_or(""));
            self.say_end(row, cut, reading);
            let Some(t_ns) = time.filter(|_| cut != Some(0)) else {
                self.not_read(row, 0, &row.text(), ("時刻の読めない行です", "a line without a readable time"), reading);
                continue;
            };
            if t_ns < before {
                earlier.at(row.line);
            }
            let quality = if t_ns < before { OUT_OF_ORDER } else { Quality::GOOD };
            before = before.max(t_ns);
            for column in (1..row.cells.len()).filter(|c| !row.cell(*c).is_empty()) {
                let text = row.cell(column);
                match wells.get(column).copied().flatten().and_then(|well| plate.get_mut(well)) {
                    _ if cut == Some(column) => {
                        self.not_read(
                            row,
                            column,
                            text,
                            ("最後の行が途中で切れています", "the last line is cut off here"),
                            reading,
                        );
                    }
                    Some(well) => well.push(0, t_ns, text, quality),
                    None => self.not_read(
                        row,
                        column,
                        text,
                        ("見出しのない列の値です", "a value in a column without header"),
                        reading,
                    ),
                }
            }
        }
        reading.diagnostics.extend(earlier.say(
            "W-BIOSCREEN-001",
            "時刻が前後する行が % 行あります。印を付けて残しました",
            "time runs backwards at % rows; they are kept and flagged",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{check_damage, every_cut};
    use proptest::prelude::*;
    use toji_core::culture::Numbers;

    const FILE: &str = "TEST NAME:simulated growth\nFILTER:wb\nTime,Blank,101,102,103,104,105,106,201,202\n0:00:04,0.08,0.137,0.115,0.108,0.1,0.1,0.1,0.1,0.12\n\
        0:15:05,0.08,0.205,OVER,0.094,0.1,0.1,0.1,,0.13\n24:00:05,0.08,1.105,0.097,0.094,0.1,0.1,0.1,0.1,0.131\n";

    fn read(text: &str) -> Result<Reading> {
        Bioscreen.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn a_run_a_well_on_elapsed_time() {
        assert_eq!(Bioscreen.detect(&Source::new("x", FILE.as_bytes()).unwrap()).unwrap().score, 88);
        let reading = read(FILE).unwrap();
        assert_eq!((reading.runs.len(), reading.not_read.len()), (9, 0));
        let well = |name: &str| reading.runs.iter().find(|r| r.vessel.as_deref() == Some(name)).unwrap();
        let od = &well("101").channels[0];
        assert_eq!(od.points.t_ns, [4 * SECOND_NS, 905 * SECOND_NS, 86_405 * SECOND_NS]);
        assert_eq!(od.points.numbers, Numbers::Scaled { scale: 3, mantissa: vec![137, 205, 1105] });
        assert_eq!((od.unit.as_ref().map(Unit::code), od.variable.as_deref()), (Some("{OD}"), Some("optical-density")));
        assert_eq!(well("102").channels[0].points.texts, [(1, "OVER".to_owned())]);
        assert_eq!(well("201").channels[0].points.len(), 2, "an empty cell adds nothing");
        assert_eq!((&well("101").fields["FILTER"], well("101").zero.is_none()), (&"wb".into(), true));
        assert!(well("101").key.contains("simulated growth | 0:00:04 0.08 0.137"));
    }

    #[test]
    fn times_as_instruments_and_workbooks_write_them() {
        let ns = |text: &str| elapsed(text, "Time");
        assert_eq!((ns("1.00:15:05"), ns("0:00:04.5")), (Some(24 * HOUR_NS + 905 * SECOND_NS), Some(4_500_000_000)));
        assert_eq!((ns("0:60:00"), ns("0:00:60"), ns("1:2"), ns("")), (None, None, None, None));
        assert_eq!(elapsed("1,5", "Time [h]"), Some(HOUR_NS * 3 / 2));
        let day = Cell::Date(date(1900, 1, 1).at(0, 15, 4, 999_000_000));
        assert_eq!((time_text(&day), time_text(&Cell::Duration(905 * SECOND_NS))), ("24:15:05".into(), "0:15:05".into()));
    }

    #[test]
    fn workbooks_are_read_as_text_is() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        let clock = rust_xlsxwriter::Format::new().set_num_format("h:mm:ss");
        sheet.write(0, 0, "Time").unwrap();
        for column in 1..=9u16 {
            sheet.write(0, column, f64::from(100 + column)).unwrap();
            sheet.write(1, column, 0.1).unwrap();
            sheet.write(2, column, 0.2).unwrap();
        }
        sheet.write_with_format(1, 0, 4.0 / 86_400.0, &clock).unwrap();
        sheet.write_with_format(2, 0, 87_305.0 / 86_400.0, &clock).unwrap();
        let bytes = book.save_to_buffer().unwrap();
        let source = Source::new("x", &bytes).unwrap();
        assert!(Bioscreen.detect(&source).is_some());
        let reading = Bioscreen.read(&source, &Site::default()).unwrap();
        assert_eq!((reading.runs.len(), reading.runs[0].vessel.as_deref()), (9, Some("101")));
        assert_eq!(reading.runs[0].channels[0].points.t_ns, [4 * SECOND_NS, 87_305 * SECOND_NS]);
    }

    #[test]
    fn broken_files_say_where() {
        assert_eq!(read("\n").unwrap_err().code(), "E-BIOSCREEN-001");
        assert_eq!(read("a,b\n1,2\n").unwrap_err().code(), "E-BIOSCREEN-002");
        assert_eq!(read("Time,101,102\n").unwrap_err().code(), "E-BIOSCREEN-003");
        let back = read(&FILE.replace("24:00:05", "0:10:00")).unwrap();
        assert!(back.diagnostics.iter().any(|d| d.code == "W-BIOSCREEN-001" && d.place.line == Some(6)));
        let odd = read(&FILE.replace("0:15:05", "later")).unwrap();
        assert_eq!(odd.not_read[0].place.line, Some(5));
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&Bioscreen, FILE);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_is_never_silent(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..400, byte in any::<u8>()) {
            check_damage(&Bioscreen, FILE, &bytes, at, byte);
        }
    }
}
