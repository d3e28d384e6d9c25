//! ambr 15 / ambr 250 (Sartorius): every variable has its own clock, so a sheet holds pairs of columns
//! (time, value), one sheet a vessel; and the offline sheets kept beside them (samples and vessels).

use crate::analyser_file::open_end;
use crate::cell::{Cell, Sheet};
use crate::lines::{elapsed_ns, name_and_unit, split_line};
use crate::{Evidence, Format, Site, Source};
use toji_core::clock::{HOUR_NS, SECOND_NS};
use toji_core::culture::{Assay, Channel, NotRead, Origin, Points, PointsBuilder, Reading, Run, Sample, When};
use toji_core::decimal::Decimal;
use toji_core::{Diagnostic, Error, Place, Quality, Result, Text, Unit, Value, variable};

/// Pairs of columns (time, value).
pub(crate) struct Ambr;
/// Samples and vessels of an ambr experiment in one table.
pub(crate) struct AmbrOffline;

/// One column pair of a sheet.
struct Pair {
    time: usize,
    value: usize,
    header: String,
    unit_ns: i64,
}

/// Nanoseconds of the unit of a time header; `None` when the header is not a time.
fn time_unit(header: &str) -> Option<(i64, bool)> {
    let (name, unit) = name_and_unit(header);
    let name = name.trim().to_lowercase();
    if !matches!(name.as_str(), "time" | "elapsed time" | "process time" | "culture time" | "batch time" | "inoculation time") {
        return None;
    }
    match unit.map(str::to_lowercase).as_deref() {
        None => Some((HOUR_NS, true)),
        Some("h" | "hr" | "hrs" | "hour" | "hours") => Some((HOUR_NS, false)),
        Some("min" | "mins" | "minutes") => Some((60 * SECOND_NS, false)),
        Some("s" | "sec" | "seconds") => Some((SECOND_NS, false)),
        Some("d" | "day" | "days") => Some((24 * HOUR_NS, false)),
        Some(_) => None,
    }
}

/// The pairs in the first row. At least two, and the row must hold nothing else.
fn pairs(sheet: &Sheet) -> Option<(Vec<Pair>, bool)> {
    let row = sheet.rows.first()?;
    let headers: Vec<String> = row.iter().map(|c| c.to_string().trim().to_owned()).collect();
    let (mut out, mut assumed, mut at) = (Vec::new(), false, 0);
    while at < headers.len() {
        let header = headers.get(at)?;
        if header.is_empty() {
            at += 1;
            continue;
        }
        let (unit_ns, guess) = time_unit(header)?;
        let value = headers.get(at + 1).filter(|h| !h.is_empty() && time_unit(h).is_none())?;
        out.push(Pair { time: at, value: at + 1, header: value.clone(), unit_ns });
        assumed |= guess;
        at += 2;
    }
    (out.len() >= 2).then_some((out, assumed))
}

/// The sheets of a workbook, or one sheet made of a delimited text.
fn sheets(source: &Source<'_>, rows_max: usize) -> Option<Vec<Sheet>> {
    if source.is_workbook() {
        return source.sheets().ok().map(<[Sheet]>::to_vec);
    }
    let first = source.text().lines().next()?;
    let separator = [b'\t', b';', b','].into_iter().find(|s| first.bytes().filter(|b| b == s).count() >= 3)?;
    let mut cells = Vec::new();
    let row = |line| {
        split_line(line, separator, &mut cells);
        cells.iter().map(|c| if c.is_empty() { Cell::Empty } else { Cell::Text((*c).to_owned()) }).collect()
    };
    let rows = source.text().lines().take(rows_max).map(row).collect();
    Some(vec![Sheet { name: "vessel".into(), rows, hidden: false }])
}

/// The last line of a text without a line end: where it is shorter than the header, its last cell may be
/// half a number and is not read.
fn open_end_of(sheets: &mut [Sheet], reading: &mut Reading) {
    for sheet in sheets {
        let width = sheet.rows.first().map_or(0, Vec::len);
        let Some(last) = sheet.rows.len().checked_sub(1).filter(|r| *r > 0) else { continue };
        let column = sheet.rows.get(last).map_or(0, Vec::len).saturating_sub(1);
        let is_cut = column + 1 < width;
        reading.diagnostics.push(open_end(Place::line(last as u64 + 1).at_column(column as u64 + 1), is_cut));
        if let Some(cell) = sheet.rows.get_mut(last).and_then(|row| row.get_mut(column)).filter(|_| is_cut) {
            let (ja, en) = ("最後の行が途中で切れています", "the last line is cut off here");
            let place = Place::line(last as u64 + 1).at_column(column as u64 + 1);
            reading.not_read.push(NotRead::new(place, &cell.to_string(), ja, en));
            *cell = Cell::Empty;
        }
    }
}

/// A number of a cell, with the digits a person sees.
fn cell_decimal(cell: &Cell) -> Option<Decimal> {
    match cell {
        Cell::Number(number) => Decimal::parse(&number.to_string()),
        Cell::Text(text) => crate::lines::decimal(text),
        _ => None,
    }
}

impl Format for Ambr {
    fn id(&self) -> &'static str {
        "sartorius-ambr"
    }
    fn label(&self) -> Text {
        Text::new("ambr 15/250 (時刻と値の列の組)", "ambr 15/250 (time and value column pairs)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        let sheets = sheets(source, 1)?;
        let pairs = sheets.iter().filter_map(pairs).map(|(pairs, _)| pairs.len()).max()?;
        let score = if pairs >= 4 { 90 } else { 70 };
        Some(Evidence::new(score, format!("時刻と値の列の組が {pairs} 組"), format!("{pairs} pairs of time and value columns")))
    }
    fn read(&self, source: &Source<'_>, _site: &Site) -> Result<Reading> {
        let sheets = sheets(source, usize::MAX).ok_or_else(|| no_table("時刻と値の列の組", "pairs of time and value columns"))?;
        let mut reading = Reading { format: self.id().into(), ..Reading::default() };
        let mut sheets = sheets;
        if !source.is_workbook() && !source.text().ends_with(['\n', '\r']) {
            open_end_of(&mut sheets, &mut reading);
        }
        let mut assumed = false;
        for sheet in &sheets {
            match pairs(sheet) {
                Some((pairs, guess)) => {
                    assumed |= guess;
                    read_sheet(sheet, &pairs, &mut reading);
                }
                None if sheet.rows.iter().flatten().all(Cell::is_blank) => {}
                None => reading.not_read.push(NotRead::new(
                    Place::default().in_sheet(&sheet.name),
                    &sheet.rows.first().map(|r| join(r)).unwrap_or_default(),
                    "時刻と値の列の組ではありません",
                    "not pairs of time and value columns",
                )),
            }
        }
        if reading.runs.is_empty() {
            return Err(no_table("時刻と値の列の組", "pairs of time and value columns"));
        }
        if assumed {
            reading.diagnostics.push(Diagnostic::note(
                "N-AMBR-001",
                Place::line(1),
                "時刻の単位が書かれていません。ambr の書き出しどおり時間 (h) とみなしました",
                "the time columns state no unit; hours, as ambr exports them, were taken",
            ));
        }
        Ok(reading)
    }
}

fn join(row: &[Cell]) -> String {
    row.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

fn no_table(ja: &str, en: &str) -> Error {
    Error::input("E-AMBR-001", format!("{ja}が見つかりません"), format!("no {en} found"))
        .hint("書き出し直すか、汎用の取り込みを使ってください", "export it again or use the generic importer")
}

fn read_sheet(sheet: &Sheet, pairs: &[Pair], reading: &mut Reading) {
    let mut channels: Vec<Channel> = Vec::new();
    let mut earliest: Option<(i64, String)> = None;
    for pair in pairs {
        let points = read_pair(sheet, pair, reading);
        if let (Some(t), Some(value)) = (points.t_ns.first().copied(), points.number(0)) {
            let mark = format!("{}={value}", pair.header);
            if earliest.as_ref().is_none_or(|(best, text)| (t, &mark) < (*best, text)) {
                earliest = Some((t, mark));
            }
        }
        let (name, unit) = name_and_unit(&pair.header);
        let same = channels.iter().filter(|c| c.key == pair.header || c.key.starts_with(&format!("{} #", pair.header))).count();
        let key = if same == 0 { pair.header.clone() } else { format!("{} #{}", pair.header, same + 1) };
        let mut channel = Channel::new(key, points);
        channel.variable = variable::find(name).map(|(v, _)| v.id.clone());
        channel.unit = unit.and_then(|u| Unit::parse(u).ok());
        channel.raw_unit = unit.map(str::to_owned);
        channel.origin = origin(name);
        channels.push(channel);
    }
    // The export names no experiment: its first reading tells two of the same vessel apart, and stays
    // the same when the experiment is exported again with more readings.
    let mark = earliest.map(|(t, mark)| format!("{t} ns {mark}")).unwrap_or_default();
    let mut run = Run::new(format!("ambr | {} | {mark}", sheet.name), format!("ambr {}", sheet.name));
    run.vessel = Some(sheet.name.clone());
    channels.retain(|c| !c.points.is_empty());
    run.channels = channels;
    run.simulated = crate::plate::says_simulated(&run);
    reading.runs.push(run);
}

/// What a name says of where its values come from.
fn origin(name: &str) -> Origin {
    let name = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
    if has(&["setpoint", "set point", " sp"]) {
        Origin::Setpoint
    } else if has(&["our", "cer", "rq"]) && name.len() <= 4 {
        Origin::Calculated
    } else if has(&["pumped", "pump", "flow"]) {
        Origin::Actuator
    } else {
        Origin::Sensor
    }
}

fn read_pair(sheet: &Sheet, pair: &Pair, reading: &mut Reading) -> Points {
    let mut builder = PointsBuilder::default();
    let mut before = i64::MIN;
    for (row, cells) in sheet.rows.iter().enumerate().skip(1) {
        let (time, value) = (cells.get(pair.time).unwrap_or(&Cell::Empty), cells.get(pair.value).unwrap_or(&Cell::Empty));
        if value.is_blank() {
            continue;
        }
        let Some(t_ns) = cell_decimal(time).and_then(|t| elapsed_ns(t, pair.unit_ns)) else {
            let text = format!("{time} | {value}");
            let item = NotRead::new(sheet.place(row, pair.time), &text, "時刻のない値です", "a value without a time");
            reading.not_read.push(item);
            continue;
        };
        let quality = if t_ns < before { crate::plate::OUT_OF_ORDER } else { Quality::GOOD };
        before = before.max(t_ns);
        match value {
            Cell::Number(number) => builder.push_f64(t_ns, *number, quality),
            other => {
                builder.push_flagged(t_ns, &other.to_string(), quality);
            }
        }
    }
    builder.finish()
}

/// The columns of an offline table that say what a row is about.
struct OfflineColumns {
    culture: usize,
    sample: Option<usize>,
    hours: Option<usize>,
}

fn offline_columns(sheet: &Sheet) -> Option<OfflineColumns> {
    let row = sheet.rows.first()?;
    let at = |name: &str| row.iter().position(|c| c.to_string().trim().eq_ignore_ascii_case(name));
    let vessel = at("Reactor/Plate/Flask Number").or_else(|| at("Container Type"))?;
    let _ = vessel;
    Some(OfflineColumns { culture: at("Parent Culture")?, sample: at("Timepoint Sample"), hours: at("Timepoint (h)") })
}

impl Format for AmbrOffline {
    fn id(&self) -> &'static str {
        "ambr-offline-table"
    }
    fn label(&self) -> Text {
        Text::new("ambr の試料表・培養表", "ambr table of samples or cultures")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        if !source.is_workbook() {
            return None;
        }
        let found = source.sheets().ok()?.iter().any(|s| offline_columns(s).is_some());
        found.then(|| Evidence::new(85, "Parent Culture と Reactor の列", "the columns Parent Culture and Reactor"))
    }
    fn read(&self, source: &Source<'_>, _site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().into(), ..Reading::default() };
        for sheet in source.sheets()? {
            match offline_columns(sheet) {
                Some(columns) if columns.sample.is_some() => read_samples(sheet, &columns, &mut reading),
                Some(columns) => read_cultures(sheet, &columns, &mut reading),
                None if sheet.rows.iter().flatten().all(Cell::is_blank) => {}
                None => reading.not_read.push(NotRead::new(
                    Place::default().in_sheet(&sheet.name),
                    &sheet.rows.first().map(|r| join(r)).unwrap_or_default(),
                    "試料表でも培養表でもありません",
                    "neither a table of samples nor of cultures",
                )),
            }
        }
        if reading.runs.is_empty() {
            return Err(no_table("培養の行", "rows of cultures"));
        }
        Ok(reading)
    }
}

/// Headers that tell about the culture, not about a sample.
fn culture_header(header: &str) -> bool {
    matches!(
        header,
        "Experiment"
            | "Reactor/Plate/Flask Number"
            | "Strain Batch"
            | "Condition"
            | "Strain"
            | "batch_end"
            | "feed_time"
            | "average_feed_time"
    )
}

/// The run of a row, made when it is new.
fn run_of<'r>(reading: &'r mut Reading, key: &str) -> &'r mut Run {
    let at = reading.runs.iter().position(|r| r.key == key).unwrap_or_else(|| {
        reading.runs.push(Run::new(key, key.trim_matches('_').replace('_', " ")));
        reading.runs.len() - 1
    });
    &mut reading.runs[at]
}

fn set_fact(run: &mut Run, header: &str, cell: &Cell) {
    let text = cell.to_string().trim().to_owned();
    if text.is_empty() {
        return;
    }
    match header {
        "Reactor/Plate/Flask Number" => run.vessel = Some(text.clone()),
        "Strain" => run.strain = Some(text.clone()),
        _ => {}
    }
    run.fields.entry(header.to_owned()).or_insert_with(|| text.into());
}

fn read_cultures(sheet: &Sheet, columns: &OfflineColumns, reading: &mut Reading) {
    let headers: Vec<String> = (0..sheet.rows.first().map_or(0, Vec::len)).map(|c| sheet.text(0, c)).collect();
    for row in 1..sheet.rows.len() {
        let key = sheet.text(row, columns.culture);
        if key.is_empty() {
            skip_row(sheet, row, reading);
            continue;
        }
        let run = run_of(reading, &key);
        for (column, header) in headers.iter().enumerate().filter(|(c, h)| *c != columns.culture && !h.is_empty()) {
            set_fact(run, header, sheet.cell(row, column));
        }
    }
}

fn skip_row(sheet: &Sheet, row: usize, reading: &mut Reading) {
    let cells = sheet.rows.get(row).map(Vec::as_slice).unwrap_or_default();
    if !cells.iter().all(Cell::is_blank) {
        reading.not_read.push(NotRead::new(
            sheet.place(row, 0),
            &join(cells),
            "培養の名前がありません",
            "the row names no culture",
        ));
    }
}

fn read_samples(sheet: &Sheet, columns: &OfflineColumns, reading: &mut Reading) {
    let headers: Vec<String> = (0..sheet.rows.first().map_or(0, Vec::len)).map(|c| sheet.text(0, c)).collect();
    // What stands right of the strain was worked out from the columns before it.
    let derived = headers.iter().position(|h| h == "Average Timepoint (h)").unwrap_or(headers.len());
    let units: Vec<(String, Option<Unit>, Option<String>)> = headers.iter().map(|h| analyte(h)).collect();
    for row in 1..sheet.rows.len() {
        let key = sheet.text(row, columns.culture);
        if key.is_empty() {
            skip_row(sheet, row, reading);
            continue;
        }
        let hours = columns.hours.and_then(|c| cell_decimal(sheet.cell(row, c))).and_then(|h| elapsed_ns(h, HOUR_NS));
        let name = columns.sample.map(|c| sheet.text(row, c)).unwrap_or_default();
        let mut sample = Sample {
            key: name,
            run: Some(key.clone()),
            when: hours.map_or(When::Unknown, When::Elapsed),
            fields: toji_core::culture::Fields::new(),
            assays: Vec::new(),
        };
        for (column, header) in headers.iter().enumerate() {
            let cell = sheet.cell(row, column);
            if cell.is_blank() || header.is_empty() || Some(column) == columns.sample || column == columns.culture {
                continue;
            }
            if culture_header(header) {
                set_fact(run_of(reading, &key), header, cell);
            } else if matches!(header.as_str(), "Timepoint (#)" | "Timepoint (h)" | "Sample volume (mL)") {
                sample.fields.insert(header.clone(), cell.to_string().into());
            } else if let Some((name, unit, raw)) = units.get(column) {
                sample.assays.push(assay(name, unit.as_ref(), raw.as_deref(), cell, sheet.place(row, column), column >= derived));
            }
        }
        run_of(reading, &key);
        reading.samples.push(sample);
    }
}

/// Name, unit and raw unit of a result column.
fn analyte(header: &str) -> (String, Option<Unit>, Option<String>) {
    match name_and_unit(header) {
        (name, Some(unit)) => match Unit::parse(unit) {
            Ok(parsed) => (name.to_owned(), Some(parsed), Some(unit.to_owned())),
            Err(_) => (header.to_owned(), None, Some(unit.to_owned())),
        },
        (name, None) => (name.to_owned(), None, None),
    }
}

fn assay(name: &str, unit: Option<&Unit>, raw: Option<&str>, cell: &Cell, place: Place, derived: bool) -> Assay {
    let text = cell.to_string();
    let mut value = match cell {
        Cell::Number(number) => Value::exact(*number, &text),
        _ => Value::parse(&text),
    };
    value.unit = unit.cloned();
    value.raw_unit = raw.map(str::to_owned);
    let mut assay = Assay::new(name, value, place.at_field(name));
    if derived {
        assay.fields.insert("calculated".into(), true.into());
    } else {
        assay.variable = variable::find(name).map(|(v, _)| v.id.clone());
    }
    assay
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{any_bytes, every_cut, mutated};
    use proptest::prelude::*;
    use toji_core::culture::Numbers;

    /// Four pairs with their own clocks, values ours.
    const FILE: &str = "Time (h)\tpH\tTime (min)\tDO (%sat)\tTime (h)\tpH setpoint\tTime (h)\tOUR\n\
        0.0\t7.01\t0.5\t99.5\t0\t7.0\t0.1\t1.25\n0.1\t7.02\t3\t98.4\t1\t6.9\t0.2\tNaN\n0.2\t< 6.5\t\t97.1\t\t\t0.15\t1.5\n";

    fn read(text: &str) -> Result<Reading> {
        Ambr.read(&Source::new("x", text.as_bytes()).unwrap(), &Site::default())
    }

    #[test]
    fn each_pair_keeps_its_own_clock_and_its_digits() {
        assert_eq!(Ambr.detect(&Source::new("x", FILE.as_bytes()).unwrap()).unwrap().score, 90);
        let reading = read(FILE).unwrap();
        let run = &reading.runs[0];
        let by = |key: &str| run.channels.iter().find(|c| c.key == key).unwrap();
        assert_eq!(by("pH").points.t_ns, [0, 360 * SECOND_NS, 720 * SECOND_NS]);
        assert_eq!(by("pH").points.numbers, Numbers::Scaled { scale: 2, mantissa: vec![701, 702, i64::MIN] });
        assert_eq!(by("pH").points.texts, [(2, "< 6.5".to_owned())]);
        assert_eq!((by("DO (%sat)").points.t_ns[0], by("DO (%sat)").points.len()), (30 * SECOND_NS, 2));
        assert_eq!(by("DO (%sat)").unit.as_ref().map(Unit::code), Some("%{sat}"));
        assert_eq!((by("pH setpoint").origin, by("OUR").origin), (Origin::Setpoint, Origin::Calculated));
        assert_ne!(by("OUR").points.quality[2], 0, "an earlier time is flagged");
        assert_eq!((reading.not_read.len(), reading.not_read[0].place.line), (1, Some(4)), "a value without a time");
    }

    #[test]
    fn hours_are_assumed_aloud_and_other_tables_are_refused() {
        let bare = read(&FILE.replace("Time (h)", "Time")).unwrap();
        assert!(bare.diagnostics.iter().any(|d| d.code == "N-AMBR-001"));
        assert_eq!(read("a,b,c,d\n1,2,3,4\n").unwrap_err().code(), "E-AMBR-001");
        let twice = read(&FILE.replace("pH setpoint", "pH")).unwrap();
        assert!(twice.runs[0].channels.iter().any(|c| c.key == "pH #2"), "two columns of one name are told apart");
    }

    #[test]
    fn no_cut_makes_another_number() {
        every_cut(&Ambr, FILE);
    }

    /// A workbook of samples and cultures as they are kept beside the reactor's own file.
    fn offline() -> Vec<u8> {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        let headers = [
            "Parent Culture",
            "Reactor/Plate/Flask Number",
            "Strain",
            "Timepoint Sample",
            "Timepoint (h)",
            "D-glucose (g/L)",
            "Average Timepoint (h)",
            "CDW_avg",
        ];
        for (column, header) in headers.iter().enumerate() {
            sheet.write(0, column as u16, *header).unwrap();
        }
        for (row, (sample, hours, glucose)) in [("S1", 1.5, "11.25"), ("S2", 3.0, "< 0.1")].iter().enumerate() {
            let row = row as u32 + 1;
            sheet.write(row, 0, "simulated_R1").unwrap();
            sheet.write(row, 1, "R1").unwrap();
            sheet.write(row, 2, "T7").unwrap();
            sheet.write(row, 3, *sample).unwrap();
            sheet.write(row, 4, *hours).unwrap();
            sheet.write(row, 5, *glucose).unwrap();
            sheet.write(row, 7, 2.5).unwrap();
        }
        sheet.write(3, 5, "stray").unwrap();
        book.save_to_buffer().unwrap()
    }

    #[test]
    fn samples_of_a_culture_with_bounds_and_derived_columns() {
        let bytes = offline();
        let source = Source::new("x", &bytes).unwrap();
        assert!(AmbrOffline.detect(&source).is_some());
        let reading = AmbrOffline.read(&source, &Site::default()).unwrap();
        let [first, second] = reading.samples.as_slice() else { panic!("two samples") };
        assert_eq!(
            (first.key.as_str(), first.run.as_deref(), &first.when),
            ("S1", Some("simulated_R1"), &When::Elapsed(HOUR_NS * 3 / 2))
        );
        let glucose = &first.assays[0];
        assert_eq!((glucose.value.number, glucose.variable.as_deref()), (Some(11.25), Some("glucose")));
        assert_eq!((second.assays[0].value.number, second.assays[0].value.high), (None, Some(0.1)));
        assert_eq!(first.assays[1].fields["calculated"], true);
        assert_eq!((reading.runs[0].vessel.as_deref(), reading.runs[0].strain.as_deref()), (Some("R1"), Some("T7")));
        assert_eq!(reading.not_read[0].place.line, Some(4));
    }

    proptest! {
        #[test]
        fn damage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..300, at in 0usize..300, junk in "[\t\n0-9.<>a-z\u{fc}\"]{0,6}") {
            any_bytes(&Ambr, &bytes);
            mutated(&Ambr, FILE, cut, at, &junk);
        }
        #[test]
        fn damaged_workbooks_never_panic(at in 0usize..8000, byte in any::<u8>(), keep in 0usize..8000) {
            let mut bytes = offline();
            let place = at % bytes.len();
            bytes[place] = byte;
            any_bytes(&AmbrOffline, &bytes);
            bytes.truncate(keep);
            any_bytes(&AmbrOffline, &bytes);
        }
    }
}
