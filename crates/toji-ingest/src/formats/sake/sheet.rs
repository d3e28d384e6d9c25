//! Day sheets of koji, shubo and moromi, CSV or workbook, as breweries write them: a row a visit, columns such
//! as 日付, 時刻, 品温, 室温, ボーメ, 日本酒度, アルコール, 酸度, 操作, 状貌. Dates by era (令和7年1月16日),
//! without a year (1/16) where the sheet names the brewing year (R6BY), in full-width digits, or left
//! blank under the one above.

use super::{Brew, Quantity, find_quantity};
use crate::cell::{Cell, Sheet};
use crate::lines::name_and_unit;
use crate::plate::Counted;
use crate::{Evidence, Format, Site, Source};
use jiff::civil::Date;
use toji_core::clock::{DateOrder, WallClock};
use toji_core::culture::{NotRead, Reading};
use toji_core::value::fold_width;
use toji_core::{ClockTime, Diagnostic, Error, Place, Result, Text};

/// The format.
pub(crate) struct SakeSheet;

/// Rows above the table that may hold the brew's name, tank and year.
const HEAD_ROWS_MAX: usize = 30;
/// Words of the sake brewer that no other table has.
const CRAFT: [&str; 11] = ["品温", "ボーメ", "日本酒度", "手入", "湿球", "状貌", "アミノ酸度", "醪", "酒母", "暖気", "打瀬"];

/// What a column holds.
enum Role {
    Date,
    Time,
    /// Day of the mash: 留後3日目 and the like; kept with the row.
    Day,
    Value(&'static Quantity, String, Option<String>, usize),
    /// A number of unknown meaning, or words: decided cell by cell.
    Other(String),
    Step,
    /// What somebody sensed: attribute and header.
    Sensed(&'static str, String),
    Nothing,
}

/// Attribute of an observation column.
fn sensed(header: &str) -> Option<&'static str> {
    const WORDS: [(&str, &str); 15] = [
        ("香味", "flavour"),
        ("香", "odour"),
        ("味", "taste"),
        ("状貌", "appearance"),
        ("状ぼう", "appearance"),
        ("外観", "appearance"),
        ("面", "appearance"),
        ("泡", "foam"),
        ("色", "colour"),
        ("官能", "sensory"),
        ("所見", "note"),
        ("備考", "note"),
        ("記事", "note"),
        ("摘要", "note"),
        ("コメント", "note"),
    ];
    WORDS.iter().find(|(word, _)| header.contains(word)).map(|(_, attribute)| *attribute)
}

/// A header without spaces, folded, lower case.
fn plain(header: &str) -> String {
    fold_width(header)
        .replace('（', "(")
        .replace('）', ")")
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_lowercase()
}

fn role(header: &str, before: &[Role]) -> Role {
    let text = plain(header);
    let (name, _) = name_and_unit(&text);
    let folded = fold_width(header);
    let (_, unit) = name_and_unit(&folded);
    let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
    match name {
        "" => return Role::Nothing,
        "日付" | "月日" | "年月日" | "日時" | "date" => return Role::Date,
        "時刻" | "時間" | "時" | "time" => return Role::Time,
        _ => {}
    }
    if has(&["日順", "日数", "日目", "経過", "日程"]) {
        return Role::Day;
    }
    if has(&["操作", "手入", "作業", "行程", "工程", "仕事", "仕込"]) {
        return Role::Step;
    }
    if let Some(quantity) = find_quantity(name) {
        // 品温1, 品温2 or two columns 品温: readings of the same visit.
        let base = header
            .trim()
            .trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '１'..='９' | '①'..='⑨'))
            .trim()
            .to_owned();
        let nth =
            before.iter().filter(|r| matches!(r, Role::Value(q, b, ..) if q.variable == quantity.variable && *b == base)).count();
        return Role::Value(quantity, base, unit.map(str::to_owned), nth);
    }
    match sensed(name) {
        Some(attribute) => Role::Sensed(attribute, header.trim().to_owned()),
        None => Role::Other(header.trim().to_owned()),
    }
}

/// The table of a sheet: its header row and the role of each column.
struct Table {
    header_row: usize,
    roles: Vec<Role>,
    known: usize,
}

fn table(sheet: &Sheet) -> Option<Table> {
    let rows = sheet.rows.iter().enumerate().take(HEAD_ROWS_MAX);
    rows.filter_map(|(header_row, row)| {
        let texts: Vec<String> = row.iter().map(ToString::to_string).collect();
        if !texts.iter().any(|t| CRAFT.iter().any(|w| plain(t).contains(w))) {
            return None;
        }
        let mut roles: Vec<Role> = Vec::new();
        for text in &texts {
            let role = role(text, &roles);
            roles.push(role);
        }
        let dated = roles.iter().any(|r| matches!(r, Role::Date));
        let known = roles.iter().filter(|r| !matches!(r, Role::Nothing | Role::Other(_))).count();
        (dated && known >= 3).then_some(Table { header_row, roles, known })
    })
    .max_by_key(|t| t.known)
}

fn sheets(source: &Source<'_>) -> Option<Vec<Sheet>> {
    if source.is_workbook() {
        return source.sheets().ok().map(<[Sheet]>::to_vec);
    }
    let text = source.text();
    let head: String = text.lines().take(HEAD_ROWS_MAX).collect::<Vec<_>>().join("\n");
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|d| head.bytes().filter(|b| b == d).count())?;
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let cell = |text: &str| if text.trim().is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
    let mut out: Vec<Vec<Cell>> = Vec::new();
    for record in rows.records().map_while(std::result::Result::ok) {
        // Blank lines are skipped by the reader; places count them.
        let line = record.position().map_or(0, csv::Position::line);
        out.resize(usize::try_from(line).unwrap_or(0).saturating_sub(1).max(out.len()), Vec::new());
        out.push(record.iter().map(cell).collect());
    }
    Some(vec![Sheet { name: String::new(), rows: out, hidden: false }])
}

impl Format for SakeSheet {
    fn id(&self) -> &'static str {
        "sake-day-sheet"
    }
    fn label(&self) -> Text {
        Text::new("麹・醪の経過簿", "Koji and moromi day sheet")
    }
    fn version(&self) -> u32 {
        1
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        // The craft's words first: splitting a large foreign file costs more than looking for them.
        if !source.is_workbook() {
            let head: String = source.text().lines().take(HEAD_ROWS_MAX).collect();
            let head = plain(&head);
            if !CRAFT.iter().any(|w| head.contains(w)) {
                return None;
            }
        }
        let known = sheets(source)?.iter().filter_map(table).map(|t| t.known).max()?;
        let score = if known >= 4 { 88 } else { 70 };
        Some(Evidence::new(
            score,
            format!("日付と経過簿の見出し {known} 欄"),
            format!("a date column and {known} headers of a brewing sheet"),
        ))
    }
    fn read(&self, source: &Source<'_>, site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().into(), ..Reading::default() };
        for sheet in sheets(source).unwrap_or_default() {
            match table(&sheet) {
                Some(table) => read_sheet(&sheet, &table, site, &mut reading),
                None if sheet.rows.iter().flatten().all(Cell::is_blank) => {}
                None => reading.not_read.push(NotRead::new(
                    Place::default().in_sheet(&sheet.name),
                    &sheet.text(0, 0),
                    "経過簿の見出しがありません",
                    "no header of a brewing sheet",
                )),
            }
        }
        if reading.runs.is_empty() {
            return Err(Error::input("E-SAKE-004", "読める経過の行がありません", "no row of progress could be read")
                .with(reading.diagnostics)
                .hint(
                    "日付の欄と品温・ボーメなどの欄を確認してください",
                    "check the date column and columns such as 品温 or ボーメ",
                ));
        }
        Ok(reading)
    }
}

/// What stands above the table: names and values, the title, the year.
struct Head {
    title: String,
    fields: Vec<(String, String)>,
    year: Option<Year>,
}

/// The year of dates without one.
#[derive(Clone, Copy)]
enum Year {
    /// The calendar year of the first date.
    Calendar(i16),
    /// A brewing year: July to June.
    Brewing(i16),
}

/// `R6BY`, `令和6酒造年度`, `令和6年`, `2024年`.
fn year(text: &str) -> Option<Year> {
    let text = plain(text);
    let brewing = text.contains("by") || text.contains("酒造年度");
    for (mark, first) in [("令和", 2018i16), ("平成", 1988), ("昭和", 1925), ("r", 2018), ("h", 1988), ("s", 1925)] {
        for (at, _) in text.match_indices(mark) {
            let rest = text.get(at + mark.len()..).unwrap_or("");
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let behind = rest.get(digits.len()..).unwrap_or("");
            let number = if rest.starts_with('元') { Some(1) } else { digits.parse::<i16>().ok() };
            let marked = mark.len() > 1 || behind.starts_with("by") || behind.starts_with("酒造年度") || behind.starts_with('年');
            if let Some(number) = number.filter(|n| (1..=64).contains(n) && marked) {
                return Some(if brewing { Year::Brewing(first + number) } else { Year::Calendar(first + number) });
            }
        }
    }
    let digits: Vec<i16> =
        text.split(|c: char| !c.is_ascii_digit()).filter(|t| t.len() == 4).filter_map(|t| t.parse().ok()).collect();
    let year = digits.into_iter().find(|y| (1900..2200).contains(y))?;
    Some(if brewing { Year::Brewing(year) } else { Year::Calendar(year) })
}

fn head(sheet: &Sheet, header_row: usize) -> Head {
    let mut head = Head { title: String::new(), fields: Vec::new(), year: None };
    for row in sheet.rows.iter().take(header_row) {
        let texts: Vec<String> = row.iter().map(|c| c.to_string().trim().to_owned()).filter(|t| !t.is_empty()).collect();
        for text in &texts {
            head.year = head.year.or_else(|| year(text));
        }
        let split = |text: &String| text.split_once([':', '：']).map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()));
        if let Some(pairs) = texts.iter().map(split).collect::<Option<Vec<_>>>().filter(|p| !p.is_empty()) {
            head.fields.extend(pairs);
        } else if texts.len() >= 2 && texts.len().is_multiple_of(2) {
            head.fields.extend(texts.chunks_exact(2).filter_map(|c| Some((c.first()?.clone(), c.get(1)?.clone()))));
        } else {
            let words = texts.join(" ");
            match head.title.is_empty() {
                true => head.title = words,
                false if words.is_empty() => {}
                false => head.fields.push((format!("heading {}", head.fields.len() + 1), words)),
            }
        }
    }
    head
}

/// `1/16` or `1月16日`: a day without a year.
fn month_day(text: &str) -> Option<(i8, i8)> {
    let text = fold_width(text.trim()).replace(['月', '.', '-'], "/").replace('日', "");
    let (month, day) = text.trim().split_once('/')?;
    let (month, day) = (month.trim().parse().ok()?, day.trim().parse().ok()?);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((month, day))
}

/// The date of each row, carried down where it is left blank.
struct Dates {
    year: Option<Year>,
    last: Option<Date>,
    order: DateOrder,
    missing_year: bool,
}

impl Dates {
    fn read(&mut self, cell: &Cell) -> Option<Date> {
        let date = match cell {
            Cell::Empty => self.last?,
            Cell::Date(at) => at.date(),
            other => {
                let text = other.to_string();
                if text.trim().is_empty() || matches!(text.trim(), "〃" | "″" | "\"" | "同" | "同上") {
                    self.last?
                } else if let Some(wall) = WallClock::parse(&text, self.order) {
                    wall.at.date()
                } else {
                    self.of_month_day(&text)?
                }
            }
        };
        self.last = Some(date);
        Some(date)
    }
    fn of_month_day(&mut self, text: &str) -> Option<Date> {
        // A weekday may stand behind: 1/16(火).
        let text = text.split(['(', '（']).next().unwrap_or(text);
        let (month, day) = month_day(text)?;
        let year = match (self.last, self.year) {
            // A month long past the one above belongs to the next year.
            (Some(last), _) if month + 6 < last.month() => last.year() + 1,
            (Some(last), _) => last.year(),
            (None, Some(Year::Calendar(year))) => year,
            (None, Some(Year::Brewing(year))) if month >= 7 => year,
            (None, Some(Year::Brewing(year))) => year + 1,
            (None, None) => {
                self.missing_year = true;
                return None;
            }
        };
        Date::new(year, month, day).ok()
    }
}

/// The time of day of a cell, as text that reads behind a date.
fn time_text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Date(at) => Some(at.strftime("%H:%M:%S").to_string()),
        Cell::Duration(ns) => of_day(ns / 1_000_000_000),
        Cell::Number(day) if (0.0..1.0).contains(day) => of_day((day * 86_400.0).round() as i64),
        Cell::Number(hour) if (0.0..24.0).contains(hour) && hour.fract() == 0.0 => Some(format!("{hour}:00")),
        Cell::Text(text) if !text.trim().is_empty() => {
            let text = fold_width(text.trim());
            let bare = text.strip_suffix('時').map(|hour| format!("{hour}:00"));
            Some(bare.unwrap_or(text))
        }
        _ => None,
    }
}

fn of_day(seconds: i64) -> Option<String> {
    (0..86_400).contains(&seconds).then(|| format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60))
}

/// The clock time of a row. The flag says that only the day is known.
fn row_clock(date: Date, date_cell: &Cell, time: Option<&Cell>, site: &Site) -> Option<(ClockTime, bool)> {
    let written = date_cell.to_string();
    if let Some(text) = time.and_then(time_text)
        && let Some(wall) = WallClock::parse(&format!("{date} {text}"), DateOrder::YearMonthDay)
    {
        return wall.in_zone(&site.zone, &format!("{date} {text}")).ok().map(|c| (c, false));
    }
    // Date and time in one cell.
    let at = match date_cell {
        Cell::Date(at) if at.time() != jiff::civil::Time::midnight() => Some(*at),
        Cell::Text(text) => WallClock::parse(text, DateOrder::YearMonthDay).filter(|w| !w.date_only).map(|w| w.at),
        _ => None,
    };
    let raw = if written.trim().is_empty() { date.to_string() } else { written };
    match at {
        Some(at) => site.zone.resolve(at, &raw).ok().map(|c| (c, false)),
        None => site.zone.resolve(date.to_datetime(jiff::civil::Time::midnight()), &date.to_string()).ok().map(|c| (c, true)),
    }
}

/// Several readings in one cell: `14.8/11.0`, `32→31`.
fn readings(text: &str) -> Vec<String> {
    let text = fold_width(text.trim());
    let parts: Vec<&str> = text.split(['/', '→', '・', '、', '⇒', '>']).map(str::trim).collect();
    if parts.len() > 1 && parts.iter().all(|p| crate::lines::decimal(p).is_some()) {
        return parts.into_iter().map(str::to_owned).collect();
    }
    // Degrees behind the number.
    let bare = text.trim_end_matches(['℃', '°', '度']).trim_end_matches("°C").trim();
    vec![if crate::lines::decimal(bare).is_some() { bare.to_owned() } else { text }]
}

fn read_sheet(sheet: &Sheet, table: &Table, site: &Site, reading: &mut Reading) {
    let head = head(sheet, table.header_row);
    let mut dates = Dates { year: head.year, last: None, order: site.date_order.unwrap_or_default(), missing_year: false };
    let mut brew = Brew::default();
    let mut undated = Counted::default();
    let column = |wanted: fn(&Role) -> bool| table.roles.iter().position(wanted);
    let (date_at, time_at) = (column(|r| matches!(r, Role::Date)), column(|r| matches!(r, Role::Time)));
    for row in table.header_row + 1..sheet.rows.len() {
        let cells = sheet.rows.get(row).map(Vec::as_slice).unwrap_or_default();
        if cells.iter().all(Cell::is_blank) {
            continue;
        }
        let date_cell = date_at.map_or(&Cell::Empty, |c| sheet.cell(row, c));
        let time = time_at.map(|c| sheet.cell(row, c));
        let clock = dates.read(date_cell).and_then(|date| row_clock(date, date_cell, time, site));
        let Some((clock, day_only)) = clock else {
            undated.at(row as u64 + 1);
            let text: Vec<String> = cells.iter().map(ToString::to_string).collect();
            reading.not_read.push(NotRead::new(
                sheet.place(row, date_at.unwrap_or(0)),
                &text.join(" | "),
                "日付が読めません",
                "the date is not readable",
            ));
            continue;
        };
        brew.row(Some(&clock), clock.instant.0);
        brew.day_precision |= day_only;
        // A time in words (朝, 夕) is not a time, and not lost.
        if let Some(cell) = time.filter(|c| day_only && !c.is_blank()) {
            brew.observe(clock.instant.0, "time-of-day", "", &cell.to_string());
        }
        for (role, cell) in table.roles.iter().zip(cells).filter(|(_, c)| !c.is_blank()) {
            read_cell(&mut brew, role, cell, clock.instant.0);
        }
    }
    if let Some(said) = undated.say("W-SAKE-005", "日付の読めない行が % 行あります", "% rows have no readable date")
    {
        let said = if dates.missing_year {
            said.remedy(
                "見出しに年 (令和7年、R6BY など) を書いてください",
                "write the year above the table (令和7年, R6BY, 2025年 …)",
            )
        } else {
            said
        };
        reading.diagnostics.push(said);
    }
    if brew.is_empty() {
        return;
    }
    let named: Vec<String> = head.fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
    for (key, value) in head.fields {
        brew.fields.insert(key, value.into());
    }
    if brew.is_shubo() || super::shubo::named(&head.title) || super::shubo::named(&sheet.name) {
        brew.fields.insert("kind".into(), "shubo".into());
    }
    let first = brew.first_text();
    let parts = [head.title.as_str(), sheet.name.as_str(), &named.join(", "), &first];
    let title = if head.title.is_empty() { format!("経過 {} {first}", sheet.name) } else { format!("{} {first}", head.title) };
    let (run, said) = brew.finish(format!("sake sheet | {}", parts.join(" | ")), title);
    reading.runs.push(run);
    for diagnostic in said {
        push_once(reading, diagnostic);
    }
}

fn push_once(reading: &mut Reading, diagnostic: Diagnostic) {
    if !reading.diagnostics.iter().any(|d| d.code == diagnostic.code && d.message == diagnostic.message) {
        reading.diagnostics.push(diagnostic);
    }
}

fn read_cell(brew: &mut Brew, role: &Role, cell: &Cell, t_ns: i64) {
    let text = cell.to_string();
    match role {
        Role::Date | Role::Time | Role::Nothing => {}
        // 添・踊・仲・留 are steps; 5日目 is a label of the row.
        Role::Day if ["添", "踊", "仲", "留", "上槽", "水麹"].iter().any(|w| text.contains(w)) && !text.contains("日目") => {
            brew.step(t_ns, &text)
        }
        Role::Day => brew.observe(t_ns, "day-of-mash", "", &text),
        Role::Step => brew.step(t_ns, &text),
        Role::Sensed(attribute, header) => brew.observe(t_ns, attribute, header, &text),
        Role::Value(quantity, key, unit, nth) => {
            let many = if quantity.variable == "temperature" { readings(&text) } else { vec![text] };
            for (i, text) in many.iter().enumerate() {
                brew.value(key, Some(quantity), unit.as_deref(), nth + i, t_ns, text);
            }
        }
        Role::Other(header) => match crate::lines::decimal(&fold_width(&text)) {
            Some(_) => brew.value(header, None, None, 0, t_ns, &fold_width(&text)),
            None if super::shubo::is_warming(header) => brew.step(t_ns, &format!("{header} {}", text.trim())),
            None => brew.observe(t_ns, "note", header, &text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use toji_core::culture::When;
    use toji_core::value::ValueKind;

    const MOROMI: &str = "醪経過簿\nタンク,３号,仕込号数,12\n令和6酒造年度\n\n月日,日順,時刻,品温,品温,室温（℃）,ボーメ,日本酒度,アルコール(%),酸度,操作,状貌,備考,櫂入れ回数\n\
12/30,添,９時,１４．８,11.0,9,,,,,初添,,,1\n\
１/２(火),留,8:30,7.5/8.0,,6,,,,,留添,,,\n\
,,17:00,7.9,,6,,,,,,筋泡,バナナ様の香り,2\n\
1/8,5日目,朝,11.9,,8,8.6,,,1.4,,水泡,,\n\
x,,,1,,,,,,,,,,\n\
1/15,,,12.0,,7,,-27,12.7,<0.1,,,,\n";

    fn read(bytes: &[u8]) -> Reading {
        let source = Source::new("x.csv", bytes).unwrap();
        assert!(SakeSheet.detect(&source).unwrap().score > 50);
        SakeSheet.read(&source, &Site::default()).unwrap()
    }

    #[track_caller]
    fn check(reading: &Reading) {
        let run = &reading.runs[0];
        let channels: Vec<_> =
            run.channels.iter().map(|c| (c.key.as_str(), c.variable.as_deref().unwrap_or("-"), c.points.len())).collect();
        assert_eq!(
            channels,
            [
                ("品温", "temperature", 5),
                ("品温 #2", "temperature", 2),
                ("室温（℃）", "room-temperature", 5),
                ("櫂入れ回数", "-", 2),
                ("ボーメ", "baume", 1),
                ("酸度", "acidity", 2),
                ("日本酒度", "nihonshudo", 1),
                ("アルコール(%)", "alcohol", 1),
            ]
        );
        assert_eq!(run.channels[0].points.number(0), Some(14.8), "full-width digits");
        assert_eq!(run.channels[1].points.number(1), Some(8.0), "two readings in one cell");
        assert_eq!(run.channels[5].points.texts, [(1, "<0.1".to_owned())]);
        let zero = run.zero.as_ref().unwrap();
        assert_eq!(zero.instant.to_string(), "2024-12-30T09:00:00Z", "R6BY: December 2024, then January 2025");
        assert_eq!(toji_core::Instant(run.channels[0].points.t_ns[1]).to_string(), "2025-01-02T08:30:00Z");
        assert_eq!(toji_core::Instant(run.channels[0].points.t_ns[2]).to_string(), "2025-01-02T17:00:00Z");
        let steps: Vec<_> = run.events.iter().map(|e| e.label.as_str()).collect();
        assert_eq!(steps, ["添", "初添", "留", "留添"]);
        assert_eq!(run.events[0].when, When::Elapsed(0));
        let seen: Vec<_> = run.observations.iter().map(|o| (o.attribute.as_str(), o.value.text.as_str())).collect();
        assert_eq!(
            seen,
            [
                ("appearance", "筋泡"),
                ("note", "バナナ様の香り"),
                ("time-of-day", "朝"),
                ("day-of-mash", "5日目"),
                ("appearance", "水泡")
            ]
        );
        assert_eq!(run.observations[0].value.kind, ValueKind::Text);
        assert_eq!((run.fields["タンク"].as_str(), run.fields["仕込号数"].as_str()), (Some("３号"), Some("12")));
        assert_eq!(reading.not_read.len(), 1);
        assert_eq!(reading.not_read[0].place.line, Some(10));
        assert!(reading.diagnostics.iter().any(|d| d.code == "W-SAKE-005"));
    }

    #[test]
    fn a_moromi_sheet_in_utf_8() {
        check(&read(MOROMI.as_bytes()));
    }

    #[test]
    fn the_same_sheet_in_cp932() {
        let (bytes, _, damaged) = encoding_rs::SHIFT_JIS.encode(MOROMI);
        assert!(!damaged);
        check(&read(&bytes));
    }

    #[test]
    fn years_of_eras_and_brewing_years() {
        let check = |text: &str, expected: Option<(bool, i16)>| {
            let found = year(text).map(|y| match y {
                Year::Brewing(y) => (true, y),
                Year::Calendar(y) => (false, y),
            });
            assert_eq!(found, expected, "{text}");
        };
        check("R6BY", Some((true, 2024)));
        check("令和６酒造年度", Some((true, 2024)));
        check("令和元年", Some((false, 2019)));
        check("2025年1月", Some((false, 2025)));
        check("タンク12", None);
        check("R6", None);
    }

    #[test]
    fn dates_without_any_year_are_told() {
        let text = MOROMI.replace("令和6酒造年度", "");
        let source = Source::new("x", text.as_bytes()).unwrap();
        let error = SakeSheet.read(&source, &Site::default()).unwrap_err();
        assert_eq!(error.code(), "E-SAKE-004");
        assert!(error.fault().diagnostics[0].remedy.as_ref().unwrap().en.contains("R6BY"));
    }

    #[test]
    fn a_sheet_of_era_dates_needs_no_year() {
        let text = "日付,時刻,品温,湿球,手入れ\n令和7年1月16日,9:00,35,24,盛り\n〃,15:00,37/35,24,仲仕事\n";
        let reading = read(text.as_bytes());
        let run = &reading.runs[0];
        assert_eq!(toji_core::Instant(run.channels[0].points.t_ns[1]).to_string(), "2025-01-16T15:00:00Z");
        assert_eq!(run.events[1].when, When::Elapsed(6 * 3_600_000_000_000));
    }

    proptest! {
        #[test]
        fn mutated_sheets_never_panic(cut in 0usize..600, at in 0usize..600, junk in "\\PC{0,6}") {
            let mut text: String = MOROMI.chars().take(cut).collect();
            let at = text.char_indices().map(|(i, _)| i).nth(at).unwrap_or(0);
            text.insert_str(at, &junk);
            let source = Source::new("x", text.as_bytes()).unwrap();
            let _ = SakeSheet.detect(&source);
            let _ = SakeSheet.read(&source, &Site::default());
        }
    }
}
