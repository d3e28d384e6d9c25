//! Tables of one peak a row: sample, vial, injection, time, compound, retention time, area, amount.
//!
//! Headers are known by the words Empower, OpenLab and Chromeleon use. Rows of one sample, vial,
//! injection and time are one sample.

use super::variable_of;
use crate::analyser::{Clock, UnitSource, bracketed, fits, header_key, note, number_style, result};
use crate::analyser_file::{Found, Search, open_end, parts, row_place};
use crate::delimited::Row;
use crate::format::{Evidence, Format, Site};
use crate::source::Source;
use toji_core::clock::DateOrder;
use toji_core::culture::{Assay, Fields, NotRead, Reading, Sample, When};
use toji_core::value::NumberStyle;
use toji_core::{Place, Result, Text, Value, ValueKind};

/// The format.
pub(crate) struct PeakTable;

/// Lines looked at for the header.
const HEADER_LINES_MAX: usize = 20;
/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Sample,
    Vial,
    Injection,
    Time,
    Compound,
    Retention,
    Area,
    Height,
    Amount,
    Unit,
    Detector,
    /// A fact of the sample.
    Fact,
    /// A fact of the peak.
    PeakFact,
    Empty,
}

/// Headers, by key.
const HEADERS: [(Column, &[&str]); 13] = [
    (Column::Sample, &["samplename", "sample", "injectionname", "試料名", "サンプル名"]),
    (Column::Vial, &["vial", "vialposition", "location", "position", "バイアル"]),
    (Column::Injection, &["inj", "injection", "injectionnumber", "injectionno", "replicate", "注入"]),
    (
        Column::Time,
        &[
            "dateacquired",
            "acquired",
            "acquisitiondate",
            "acqdatetime",
            "injectiondate",
            "injdate",
            "injectiontime",
            "injtime",
            "acquisitiondatetime",
            "注入日時",
            "分析日時",
        ],
    ),
    (
        Column::Compound,
        &["compound", "compoundname", "component", "componentname", "peakname", "name", "analyte", "化合物名", "成分名"],
    ),
    (Column::Retention, &["rt", "rettime", "retentiontime", "rtime", "保持時間"]),
    (Column::Area, &["area", "peakarea", "面積"]),
    (Column::Height, &["height", "peakheight", "高さ"]),
    (Column::Amount, &["amount", "concentration", "conc", "finalconc", "calcconc", "calcamount", "濃度", "定量値"]),
    (Column::Unit, &["units", "unit", "amountunits", "amountunit", "concunits", "単位"]),
    (Column::Detector, &["signal", "signalname", "detector", "channel", "channelname", "検出器"]),
    (
        Column::Fact,
        &[
            "resultsetname",
            "samplesetname",
            "sampletype",
            "sequence",
            "acqmethod",
            "processingmethod",
            "acquiredby",
            "username",
            "datafile",
            "dilution",
            "samplecomment",
            "comment",
            "instrument",
        ],
    ),
    (
        Column::PeakFact,
        &[
            "%area",
            "area%",
            "peaktype",
            "inttype",
            "peak",
            "peakno",
            "no",
            "plates",
            "platecount",
            "resolution",
            "symmetry",
            "tailing",
            "width",
            "k",
        ],
    ),
];

fn column(header: &str) -> Column {
    let key = header_key(header);
    if key.is_empty() {
        return Column::Empty;
    }
    let known = HEADERS.iter().find(|(_, names)| names.contains(&key.as_str())).map(|(column, _)| *column);
    known.unwrap_or(Column::PeakFact)
}

/// The columns of a header row that names sample, compound, and retention time with area or amount.
fn header(row: &Row) -> Option<Vec<Column>> {
    let columns: Vec<Column> = row.cells.iter().map(|c| column(c)).collect();
    let has = |wanted: Column| columns.contains(&wanted);
    let known = row.cells.iter().filter(|c| HEADERS.iter().any(|(_, names)| names.contains(&header_key(c).as_str()))).count();
    let whole =
        has(Column::Sample) && has(Column::Compound) && has(Column::Retention) && (has(Column::Area) || has(Column::Amount));
    (whole && known * 2 > row.cells.iter().filter(|c| !c.trim().is_empty()).count()).then_some(columns)
}

const SEARCH: Search = Search {
    rows_max: HEADER_LINES_MAX,
    codes: ["E-HPLC-001", "E-HPLC-002", "E-HPLC-003"],
    names: ("試料名、成分名、保持時間、面積", "sample, compound, retention time, area"),
};

impl Format for PeakTable {
    fn id(&self) -> &'static str {
        "hplc-peak-table"
    }
    fn label(&self) -> Text {
        Text::new("HPLC の結果表（1 行 1 ピーク）", "HPLC result table (one peak a row)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        SEARCH.holds(source, header).then(|| {
            Evidence::new(
                80,
                "試料名・成分名・保持時間・面積または量の列があります",
                "it has columns of sample, compound, retention time, and area or amount",
            )
        })
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let parts = parts(source)?;
        let mut reading = Reading { format: self.id().to_owned(), ..Reading::default() };
        let tables = SEARCH.tables(source, &parts, header, &mut reading)?;
        let line = tables.first().map_or(1, |t| t.header.line);
        for Found { sheet, above, header, below, columns } in tables {
            for row in above {
                let (ja, en) = ("見出しより上の行です", "a line above the header");
                reading.not_read.push(NotRead::new(row_place(sheet, row, 0), &row.text(), ja, en));
            }
            Table { sheet, header, columns }.read(below, site, &mut reading);
        }
        if reading.samples.is_empty() {
            return Err(SEARCH.nothing(source, line));
        }
        Ok(reading)
    }
}

struct Table<'a> {
    sheet: Option<&'a str>,
    header: &'a Row,
    columns: Vec<Column>,
}

impl Table<'_> {
    fn place(&self, row: &Row, column: usize) -> Place {
        row_place(self.sheet, row, column)
    }
    fn at(&self, wanted: Column) -> Option<usize> {
        self.columns.iter().position(|c| *c == wanted)
    }

    fn read(&self, below: &[Row], site: &Site, reading: &mut Reading) {
        let numeric = [Column::Retention, Column::Area, Column::Height, Column::Amount].map(|c| self.at(c));
        let style = number_style(below.iter().flat_map(|row| numeric.iter().flatten().map(|c| row.cell(*c))));
        let times: Vec<&str> = self.at(Column::Time).map_or_else(Vec::new, |c| below.iter().map(|row| row.cell(c)).collect());
        let header = self.place(self.header, self.at(Column::Time).unwrap_or(0));
        let clock = Clock::for_column(site, DateOrder::MonthDayYear, &times, &header, &mut reading.diagnostics);
        if self.at(Column::Time).is_none() {
            let (ja, en) = ("日時の列がありません", "there is no column of times");
            reading.diagnostics.push(
                toji_core::Diagnostic::warning("W-TABLE-001", header, ja, en)
                    .remedy("日時の列を含めて書き出してください", "export the table with its time column"),
            );
        }
        // Sample, vial, injection and time as written, and the sample's index.
        let mut seen: Vec<(Vec<String>, usize)> = Vec::new();
        for row in below {
            let cut = row.cut_column(self.columns.len());
            if row.open {
                reading.diagnostics.push(open_end(self.place(row, row.cells.len().saturating_sub(1)), cut.is_some()));
            }
            if cut.is_some() {
                let (ja, en) = ("最後の行が途中で切れています", "the last line is cut off here");
                reading.not_read.push(NotRead::new(self.place(row, 0), &row.text(), ja, en));
                continue;
            }
            let key: Vec<String> = [Column::Sample, Column::Vial, Column::Injection, Column::Time]
                .map(|c| self.at(c).map_or("", |c| row.cell(c)).to_owned())
                .to_vec();
            let index = match seen.iter().find(|(k, _)| *k == key) {
                Some((_, index)) => *index,
                None => {
                    let sample = self.sample(row, clock, reading);
                    reading.samples.push(sample);
                    seen.push((key, reading.samples.len() - 1));
                    reading.samples.len() - 1
                }
            };
            let assay = self.assay(row, style, reading);
            if let (Some(sample), Some(mut assay)) = (reading.samples.get_mut(index), assay) {
                assay.when = sample.when.clone();
                sample.assays.push(assay);
            }
        }
        reading.samples.retain(|s| !s.assays.is_empty());
    }

    fn sample(&self, row: &Row, clock: Clock<'_>, reading: &mut Reading) -> Sample {
        let text = |wanted: Column| self.at(wanted).map_or("", |c| row.cell(c));
        let mut fields = Fields::new();
        note(&mut fields, "position", text(Column::Vial));
        note(&mut fields, "injection", text(Column::Injection));
        for (index, _) in self.columns.iter().enumerate().filter(|(_, c)| **c == Column::Fact) {
            let name = match header_key(self.header.cell(index)).as_str() {
                "acquiredby" | "username" => "operator",
                "dilution" => "dilution",
                "datafile" => "data-file",
                "comment" | "samplecomment" => "comment",
                _ => self.header.cell(index),
            };
            note(&mut fields, name, row.cell(index));
        }
        let when = match self.at(Column::Time) {
            Some(column) => clock.when(row.cell(column), &self.place(row, column), &mut reading.diagnostics),
            None => When::Unknown,
        };
        Sample { key: text(Column::Sample).to_owned(), run: None, when, fields, assays: Vec::new() }
    }

    /// The result of a peak: its amount, or in a table without amounts its area.
    fn assay(&self, row: &Row, style: NumberStyle, reading: &mut Reading) -> Option<Assay> {
        let text = |wanted: Column| self.at(wanted).map_or("", |c| row.cell(c));
        let (compound, retention) = (text(Column::Compound), text(Column::Retention));
        let analyte = match (compound, retention) {
            ("", "") => {
                let (ja, en) = ("成分名も保持時間もない行です", "a line with neither a compound nor a retention time");
                reading.not_read.push(NotRead::new(self.place(row, 0), &row.text(), ja, en));
                return None;
            }
            ("", retention) => format!("peak at {retention}"),
            (compound, _) => compound.to_owned(),
        };
        let of = self.at(Column::Amount).or(self.at(Column::Area))?;
        let is_amount = self.columns.get(of) == Some(&Column::Amount);
        let place = self.place(row, of);
        let unit = match (text(Column::Unit), bracketed(self.header.cell(of))) {
            (stated, _) if is_amount && !stated.is_empty() => UnitSource::Written(stated),
            (_, Some(stated)) => UnitSource::Written(stated),
            _ => UnitSource::Unknown,
        };
        let value = match result(row.cell(of), unit, style, &place, &mut reading.diagnostics) {
            value if value.kind == ValueKind::Missing => Value::not_determined(row.cell(of)),
            value => value,
        };
        let mut assay = Assay::new(if is_amount { analyte } else { format!("{analyte} area") }, value, place);
        assay.variable = is_amount.then(|| variable_of(compound)).flatten().filter(|v| fits(v, &assay.value));
        assay.method = Some(text(Column::Detector)).filter(|d| !d.is_empty()).map(str::to_owned);
        for (wanted, name) in [(Column::Retention, "retention-time"), (Column::Area, "area"), (Column::Height, "height")] {
            if self.at(wanted) != Some(of) {
                note(&mut assay.fields, name, text(wanted));
            }
        }
        for (index, _) in self.columns.iter().enumerate().filter(|(_, c)| **c == Column::PeakFact) {
            note(&mut assay.fields, self.header.cell(index), row.cell(index));
        }
        for index in 0..row.cells.len() {
            if matches!(self.columns.get(index), None | Some(Column::Empty)) && !row.cell(index).is_empty() {
                let (ja, en) = ("見出しのない列の値です", "a value in a column without header");
                reading.not_read.push(NotRead::new(self.place(row, index), row.cell(index), ja, en));
            }
        }
        Some(assay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{check_damage, every_cut};
    use proptest::prelude::*;
    use toji_core::Unit;

    const FILE: &str = "SampleName,Vial,Inj,Date Acquired,Name,Retention Time (min),Area (uV*sec),Amount,Units,Channel Name,Acquired By\n\
        S1,1:A,1,3/14/2026 10:00:00 AM,D-Glucose,9.12,150233,4.20,g/L,RI,simulated\nS1,1:A,1,3/14/2026 10:00:00 AM,Acetic acid,15.2,5033,< 0.05,g/L,RI,simulated\n\
        S1,1:A,1,3/14/2026 10:00:00 AM,,17.0,401,,,RI,simulated\nS2,1:B,1,3/14/2026 10:30:00 AM,D-Glucose,9.13,90233,n.d.,g/L,RI,simulated\n";

    fn read(text: &str) -> Result<Reading> {
        PeakTable.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn amounts_with_their_peaks() {
        assert!(PeakTable.detect(&Source::new("x", FILE.as_bytes()).unwrap()).is_some());
        let reading = read(FILE).unwrap();
        let [first, second] = reading.samples.as_slice() else { panic!("two samples") };
        assert_eq!((first.key.as_str(), first.assays.len(), &first.fields["position"]), ("S1", 3, &"1:A".into()));
        let glucose = &first.assays[0];
        assert_eq!((glucose.analyte.as_str(), glucose.variable.as_deref()), ("D-Glucose", Some("glucose")));
        assert_eq!((glucose.value.number, glucose.value.unit.as_ref().map(Unit::code)), (Some(4.2), Some("g/L")));
        assert_eq!((&glucose.fields["retention-time"], &glucose.fields["area"]), (&"9.12".into(), &"150233".into()));
        assert_eq!((glucose.method.as_deref(), glucose.place.column), (Some("RI"), Some(8)));
        assert_eq!((first.assays[1].value.kind, first.assays[1].value.high), (ValueKind::LessThan, Some(0.05)));
        assert_eq!((first.assays[2].analyte.as_str(), first.assays[2].value.kind), ("peak at 17.0", ValueKind::NotDetermined));
        assert_eq!(second.assays[0].value.kind, ValueKind::NotDetermined);
        let When::At(at) = &second.assays[0].when else { panic!("a time") };
        assert_eq!(at.instant.to_string(), "2026-03-14T10:30:00Z");
        assert!(reading.not_read.is_empty(), "{:?}", reading.not_read);
    }

    #[test]
    fn a_table_without_amounts_gives_areas_called_so() {
        let reading = read("Sample;Compound;RT [min];Area [mAU*min]\nS1;Glucose;9,12;1502,5\n").unwrap();
        let assay = &reading.samples[0].assays[0];
        assert_eq!((assay.analyte.as_str(), assay.variable.as_deref(), assay.value.number), ("Glucose area", None, Some(1502.5)));
        assert_eq!(assay.value.raw_unit.as_deref(), Some("mAU*min"));
        assert!(reading.diagnostics.iter().any(|d| d.code == "W-TABLE-001"));
    }

    #[test]
    fn broken_files_say_where() {
        assert_eq!(read("\n").unwrap_err().code(), "E-HPLC-001");
        assert_eq!(read("a,b\n1,2\n").unwrap_err().code(), "E-HPLC-002");
        assert_eq!(read(&format!("{}\n", FILE.lines().next().unwrap())).unwrap_err().code(), "E-HPLC-003");
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&PeakTable, FILE);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_is_never_silent(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..600, byte in any::<u8>()) {
            check_damage(&PeakTable, FILE, &bytes, at, byte);
        }
    }
}
