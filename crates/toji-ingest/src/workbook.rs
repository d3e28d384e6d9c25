//! What an .xlsx workbook says beside its values: hidden rows and columns, remarks on cells, formulas that
//! were never calculated, numbers shown as percent.
//!
//! The workbook library gives values only. A percent cell holds 0.5 where everybody reads 50 %, a formula
//! written by a program holds nothing until a spreadsheet opens it, and a remark on a cell is often the
//! only place where an operator wrote down why a value is wrong. Losing them is losing data.

use crate::source::Source;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};
use toji_core::culture::{NotRead, Reading};
use toji_core::{Diagnostic, Place};

/// Most bytes one part of a workbook may unpack to; larger parts are not looked into.
const PART_BYTES_MAX: u64 = 256 << 20;

/// What one sheet says beside its values; rows and columns count from 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Beside {
    /// Hidden rows that hold something.
    pub(crate) hidden_rows: BTreeSet<u32>,
    /// Hidden columns: first and last.
    pub(crate) hidden_columns: Vec<(u32, u32)>,
    /// Remarks: row, column, text.
    pub(crate) remarks: Vec<(u32, u32, String)>,
    /// Cells shown as percent.
    pub(crate) percent: BTreeSet<(u32, u32)>,
    /// Formulas without a calculated value.
    pub(crate) uncalculated: BTreeMap<(u32, u32), String>,
}

type Archive<'b> = zip::ZipArchive<Cursor<&'b [u8]>>;

/// Reads it for each sheet, by name. Empty for workbooks of other kinds and parts that are damaged: the
/// values are judged by the reader of values.
pub(crate) fn beside(bytes: &[u8]) -> BTreeMap<String, Beside> {
    let mut out = BTreeMap::new();
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { return out };
    let targets = relations(&mut archive, "xl/_rels/workbook.xml.rels", "xl");
    let percent_styles = part(&mut archive, "xl/styles.xml").map(|xml| percent_styles(&xml)).unwrap_or_default();
    let Some(workbook) = part(&mut archive, "xl/workbook.xml") else { return out };
    let mut sheets = Vec::new();
    each(&workbook, |start, _| {
        if start.local_name().as_ref() == "sheet"
            && let (Some(name), Some(id)) = (attribute(start, "name"), attribute(start, "id"))
        {
            sheets.push((name, id));
        }
    });
    for (name, id) in sheets {
        let Some((_, path)) = targets.get(&id).cloned() else { continue };
        let Some(xml) = part(&mut archive, &path) else { continue };
        let mut beside = sheet(&xml, &percent_styles);
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        for (kind, target) in relations(&mut archive, &format!("{folder}/_rels/{file}.rels"), folder).into_values() {
            if kind.ends_with("/comments")
                && let Some(xml) = part(&mut archive, &target)
            {
                beside.remarks.extend(remarks(&xml));
            }
        }
        out.insert(name, beside);
    }
    out
}

fn part(archive: &mut Archive<'_>, path: &str) -> Option<String> {
    let mut file = archive.by_name(path).ok()?;
    if file.size() > PART_BYTES_MAX {
        return None;
    }
    let mut bytes = Vec::new();
    file.by_ref().take(PART_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    String::from_utf8(bytes).ok()
}

/// Relations of a part: id → (kind, path inside the archive).
fn relations(archive: &mut Archive<'_>, path: &str, folder: &str) -> BTreeMap<String, (String, String)> {
    let mut out = BTreeMap::new();
    let Some(xml) = part(archive, path) else { return out };
    each(&xml, |start, _| {
        if let (Some(id), Some(kind), Some(target)) =
            (attribute(start, "Id"), attribute(start, "Type"), attribute(start, "Target"))
        {
            let path = match (target.strip_prefix('/'), target.strip_prefix("../")) {
                (Some(absolute), _) => absolute.to_owned(),
                (_, Some(above)) => format!("{}/{above}", folder.rsplit_once('/').map_or("", |(up, _)| up)),
                _ => format!("{folder}/{target}"),
            };
            out.insert(id, (kind, path));
        }
    });
    out
}

/// Calls `visit` with every element that begins and the text that follows it directly.
fn each(xml: &str, mut visit: impl FnMut(&BytesStart<'_>, &str)) {
    let mut reader = Reader::from_str(xml);
    let mut open: Option<(BytesStart<'static>, String)> = None;
    loop {
        let event = reader.read_event();
        match event {
            Ok(Event::Text(text)) => {
                if let Some((_, inside)) = &mut open {
                    inside.push_str(&text.xml_content(quick_xml::XmlVersion::Implicit1_0));
                }
            }
            Ok(Event::GeneralRef(reference)) => {
                if let Some((_, inside)) = &mut open {
                    inside.push_str(&entity(&reference));
                }
            }
            Ok(other) => {
                if let Some((start, inside)) = open.take() {
                    visit(&start, &inside);
                }
                match other {
                    Event::Start(start) => open = Some((start.into_owned(), String::new())),
                    Event::Empty(start) => visit(&start, ""),
                    Event::Eof => return,
                    _ => {}
                }
            }
            Err(_) => return,
        }
    }
}

/// The character an entity stands for; unknown ones as written.
pub(crate) fn entity(reference: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return c.to_string();
    }
    match &**reference {
        "lt" => "<".into(),
        "gt" => ">".into(),
        "amp" => "&".into(),
        "quot" => "\"".into(),
        "apos" => "'".into(),
        other => format!("&{other};"),
    }
}

fn attribute(start: &BytesStart<'_>, local: &str) -> Option<String> {
    start
        .attributes()
        .flatten()
        .find(|a| a.key.local_name().as_ref() == local)
        .and_then(|a| a.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned))
}

/// Styles of cells that show percent: positions in `cellXfs`.
fn percent_styles(xml: &str) -> BTreeSet<usize> {
    let mut codes: BTreeSet<String> = ["9".to_owned(), "10".to_owned()].into();
    let mut out = BTreeSet::new();
    // `xf` stands in two lists; those of cells are inside `cellXfs`.
    let inside = xml.find("<cellXfs").and_then(|from| {
        let to = xml.get(from..)?.find("</cellXfs>")?;
        xml.get(from..from + to)
    });
    each(xml, |start, _| {
        if start.local_name().as_ref() == "numFmt"
            && let (Some(id), Some(code)) = (attribute(start, "numFmtId"), attribute(start, "formatCode"))
            && code.split('"').step_by(2).any(|outside| outside.replace("\\%", "").contains('%'))
        {
            codes.insert(id);
        }
    });
    let mut at = 0;
    each(inside.unwrap_or(""), |start, _| {
        if start.local_name().as_ref() == "xf" {
            if attribute(start, "numFmtId").is_some_and(|id| codes.contains(&id)) {
                out.insert(at);
            }
            at += 1;
        }
    });
    out
}

fn sheet(xml: &str, percent_styles: &BTreeSet<usize>) -> Beside {
    let mut out = Beside::default();
    let yes = |text: Option<String>| text.is_some_and(|t| t == "1" || t == "true");
    let mut row_hidden = false;
    let mut cell: Option<(u32, u32)> = None;
    let mut formula: Option<String> = None;
    each(xml, |start, text| match start.local_name().as_ref() {
        "col" => {
            let number = |name: &str| attribute(start, name).and_then(|t| t.parse::<u32>().ok()).and_then(|n| n.checked_sub(1));
            if yes(attribute(start, "hidden"))
                && let (Some(first), Some(last)) = (number("min"), number("max"))
            {
                out.hidden_columns.push((first, last));
            }
        }
        "row" => row_hidden = yes(attribute(start, "hidden")),
        "c" => {
            if let (Some(at), Some(text)) = (cell, formula.take()) {
                out.uncalculated.insert(at, text);
            }
            cell = attribute(start, "r").and_then(|r| reference(&r));
            let style = attribute(start, "s").and_then(|s| s.parse::<usize>().ok());
            if let Some(at) = cell
                && style.is_some_and(|s| percent_styles.contains(&s))
            {
                out.percent.insert(at);
            }
        }
        "f" => formula = Some(format!("={text}")),
        "v" | "is" => {
            formula = None;
            if let Some((row, _)) = cell.filter(|_| row_hidden) {
                out.hidden_rows.insert(row);
            }
        }
        _ => {}
    });
    if let (Some(at), Some(text)) = (cell, formula) {
        out.uncalculated.insert(at, text);
    }
    out
}

/// `B3` as row and column from 0.
fn reference(text: &str) -> Option<(u32, u32)> {
    let split = text.find(|c: char| c.is_ascii_digit())?;
    let column = text.get(..split)?.bytes().try_fold(0u32, |sum, b| {
        b.is_ascii_uppercase().then_some(())?;
        sum.checked_mul(26)?.checked_add(u32::from(b - b'A') + 1)
    })?;
    let row: u32 = text.get(split..)?.parse().ok()?;
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}

fn remarks(xml: &str) -> Vec<(u32, u32, String)> {
    let mut out: Vec<(u32, u32, String)> = Vec::new();
    each(xml, |start, text| match start.local_name().as_ref() {
        "comment" => {
            if let Some((row, column)) = attribute(start, "ref").and_then(|r| reference(&r)) {
                out.push((row, column, String::new()));
            }
        }
        "t" => {
            if let Some((_, _, words)) = out.last_mut() {
                words.push_str(text);
            }
        }
        _ => {}
    });
    out.retain(|(_, _, words)| !words.trim().is_empty());
    out
}

/// Adds to a reading what its workbook says beside the values. Does nothing the second time.
pub(crate) fn tell(source: &Source<'_>, reading: &mut Reading) {
    for (name, beside) in source.beside() {
        let place = |row: u32, column: u32| {
            Place::line(u64::from(row) + 1).at_column(u64::from(column) + 1).in_sheet(name).in_file(source.name())
        };
        for (row, column, words) in &beside.remarks {
            let item = NotRead::new(place(*row, *column), words, "セルに付けられたコメントです", "a remark attached to a cell");
            if !reading.not_read.contains(&item) {
                reading.not_read.push(item);
            }
        }
        let mut say = |place: Place, ja: String, en: String| {
            let said = Diagnostic::warning("W-XLS-010", place, ja, en)
                .remedy("隠した理由を確かめてください", "find out why they were hidden");
            if !reading.diagnostics.contains(&said) {
                reading.diagnostics.push(said);
            }
        };
        if let Some(first) = beside.hidden_rows.first() {
            let rows: Vec<String> = beside.hidden_rows.iter().take(12).map(|r| (r + 1).to_string()).collect();
            let (count, rows) = (beside.hidden_rows.len(), rows.join(", "));
            say(
                place(*first, 0),
                format!("非表示の行が {count} 行あります（{rows}）。ほかの行と同じに読みました"),
                format!("{count} rows are hidden ({rows}); they were read like the others"),
            );
        }
        for (first, last) in &beside.hidden_columns {
            say(
                place(0, *first),
                format!("非表示の列があります（{}–{} 列目）。ほかの列と同じに扱いました", first + 1, last + 1),
                format!("columns {} to {} are hidden; they were treated like the others", first + 1, last + 1),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_xlsxwriter::{Format, Note, Workbook};

    #[test]
    fn hidden_percent_and_remarks_are_seen() {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write(0, 0, "a").unwrap();
        sheet.write_with_format(1, 1, 0.5, &Format::new().set_num_format("0.0%")).unwrap();
        sheet.write_with_format(2, 1, 0.5, &Format::new().set_num_format("0\"%\"")).unwrap();
        sheet.write(3, 0, 7).unwrap();
        sheet.set_row_hidden(3).unwrap();
        sheet.set_column_hidden(2).unwrap();
        sheet.insert_note(1, 1, &Note::new("electrode < 5 mV & drifting").add_author_prefix(false)).unwrap();
        let bytes = book.save_to_buffer().unwrap();
        let all = beside(&bytes);
        let beside = &all["Sheet1"];
        assert_eq!(beside.percent, [(1, 1)].into());
        assert_eq!(beside.hidden_rows, [3].into());
        assert_eq!(beside.hidden_columns, [(2, 2)]);
        assert_eq!(beside.remarks, [(1, 1, "electrode < 5 mV & drifting".to_owned())]);
        assert!(beside.uncalculated.is_empty());
    }

    #[test]
    fn formulas_without_a_value_are_seen() {
        let xml = r#"<sheetData><row r="1"><c r="A1"><f>B1*2</f></c><c r="B1"><f>1+1</f><v>2</v></c><c r="AA1"><f>C1</f><v/></c></row></sheetData>"#;
        let beside = sheet(xml, &BTreeSet::new());
        assert_eq!(beside.uncalculated, [((0, 0), "=B1*2".to_owned())].into());
    }

    #[test]
    fn damaged_archives_say_nothing() {
        assert!(beside(b"PK\x03\x04 not really").is_empty());
        assert!(sheet("<sheetData><row><c r=", &BTreeSet::new()).percent.is_empty());
    }
}
