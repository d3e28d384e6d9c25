//! Experiment description: one culture line a row, with what was planned for it.
//!
//! No column states a unit ("Culture Volume 50"), so none is given: values are kept as written.

use super::{Header, not_read_row, not_read_sheet, nothing_read, plain};
use crate::{Evidence, Format, Site, Source};
use toji_core::culture::{Reading, Run};
use toji_core::{Diagnostic, Result, Text};

/// The format.
pub(crate) struct EddDescription;

/// Names that a description has beside the line's, and tables of values do not.
const SIGNS: [&str; 12] = [
    "line description",
    "replicate count",
    "starting od",
    "culture volume",
    "flask volume",
    "growth temperature",
    "shaking speed",
    "media",
    "part id",
    "line experimenter",
    "line contact",
    "carbon source",
];

impl Format for EddDescription {
    fn id(&self) -> &'static str {
        "edd-experiment-description"
    }
    fn label(&self) -> Text {
        Text::new("実験の記述（ラインの一覧）", "Experiment description (list of lines)")
    }
    fn version(&self) -> u32 {
        1
    }
    fn score_max(&self) -> u8 {
        80
    }
    fn detect(&self, source: &Source<'_>) -> Option<Evidence> {
        let sheets = source.tables(super::HEAD_ROWS_MAX + 1).ok()?;
        let header = sheets.iter().find_map(|s| Header::find(s, &["line name"]))?;
        let signs = SIGNS.iter().filter(|s| header.column(s).is_some()).count();
        let values = header.column("value").is_some() || header.column("time").is_some();
        (signs >= 2 && !values).then(|| {
            Evidence::new(
                80,
                format!("Line Name と記述の列 {signs} 本"),
                format!("Line Name and {signs} columns of a description"),
            )
        })
    }
    fn read(&self, source: &Source<'_>, _site: &Site) -> Result<Reading> {
        let mut reading = Reading { format: self.id().into(), ..Reading::default() };
        let sheets = source.tables(usize::MAX)?;
        for sheet in &sheets {
            let Some(header) = Header::find(sheet, &["line name"]) else {
                not_read_sheet(sheet, &mut reading);
                continue;
            };
            let Some(line) = header.column("line name") else { continue };
            for row in header.row + 1..sheet.rows.len() {
                let name = sheet.text(row, line);
                if name.is_empty() {
                    not_read_row(sheet, row, &mut reading, "ライン名がありません", "the row names no line");
                    continue;
                }
                if reading.runs.iter().any(|r| r.key == name) {
                    reading.diagnostics.push(
                        Diagnostic::warning(
                            "W-EDD-001",
                            sheet.place(row, line),
                            format!("ライン名「{name}」が二度あります。後の行は読みませんでした"),
                            format!("the line name \"{name}\" stands twice; the later row was not read"),
                        )
                        .remedy("ラインごとに別の名前を付けてください", "give each line its own name"),
                    );
                    not_read_row(sheet, row, &mut reading, "同じライン名の行です", "a row of the same line name");
                    continue;
                }
                let mut run = Run::new(&name, &name);
                for column in (0..header.names.len()).filter(|c| *c != line) {
                    let (key, value) = (sheet.text(header.row, column), sheet.text(row, column));
                    if value.is_empty() {
                        continue;
                    }
                    if matches!(plain(&key).as_str(), "part id" | "strain" | "strain(s)") {
                        run.strain = Some(value.clone());
                    }
                    let key = if key.is_empty() { format!("column {}", column + 1) } else { key };
                    run.fields.insert(key, value.into());
                }
                reading.runs.push(run);
            }
            for row in 0..header.row {
                not_read_row(sheet, row, &mut reading, "表の前の行です", "a line before the table");
            }
        }
        if reading.runs.is_empty() {
            return Err(nothing_read(sheets.first()));
        }
        reading.diagnostics.push(Diagnostic::note(
            "N-EDD-002",
            toji_core::Place::default(),
            "記述の列は単位を書いていません。値は書かれたまま残しました",
            "the columns of a description state no units; values are kept as written",
        ));
        Ok(reading)
    }
}
