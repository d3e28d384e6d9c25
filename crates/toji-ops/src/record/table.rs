//! Tables of records in and out: CSV, XLSX, JSON.

use super::read::instant;
use crate::attach;
use crate::commons::{Candidate, Classified, Content, CopyView, classified, handing};
use crate::operation::{Answer, Attachment, Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_commons::mark::LABEL_COLUMN;
use toji_core::kind::{read_cell, write_cell};
use toji_core::record::FieldMap;
use toji_core::{Diagnostic, Error, Id, Kind, Place, Result, Severity};
use toji_ingest::Source;
use toji_store::{Commit, Put};

/// Input of `record import`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ImportInput {
    /// Kind.
    ///
    /// 種別。
    kind: String,
    /// CSV, XLSX or JSON file, or address (`sha256:…`) of an uploaded file.
    ///
    /// CSV・XLSX・JSON のファイル、または送信済みファイルのアドレス（`sha256:…`）。
    path: String,
    /// Only say what would be entered.
    ///
    /// 何が入るかを示すだけ。
    #[serde(default)]
    dry_run: bool,
    /// Why.
    ///
    /// 理由。
    #[serde(default)]
    reason: Option<String>,
}

/// Output of `record import`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TableReport {
    /// Kind.
    pub(crate) kind: String,
    /// Rows read.
    pub(crate) rows: usize,
    /// Did anything change?
    pub(crate) changed: bool,
    /// Warnings.
    pub(crate) warnings: Vec<Diagnostic>,
    /// Sums that do not agree.
    pub(crate) disagreements: Vec<Diagnostic>,
    /// Where the records should stand among what is shared, and why; in a commons alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) classification: Vec<Classified>,
    /// Nothing was stored.
    pub(crate) dry_run: bool,
}

pub(super) fn import_operation() -> Operation {
    Operation::declare(
        Words {
            name: "record import",
            label: ["記録の取込", "Import records"],
            about: [
                "表 (CSV・XLSX・JSON) を種別の記録として一度に取り込みます。一行でも合わなければ何も取り込まず、行と項目を示します。",
                "Takes a table (CSV, XLSX, JSON) in as records of a kind, all or nothing; rows and fields that do not fit are named.",
            ],
            positional: &["kind", "path"],
            example: "toji record import facility seeds/facilities.csv",
        },
        Effect::Write,
        |context: Context, input: ImportInput| async move {
            let (name, bytes) = crate::run::fetch(&context, &input.path).await?;
            import_table(&context, &input.kind, &name, &bytes, input.dry_run, input.reason).await
        },
    )
    .long()
}

/// One row: its place, identifier and fields.
type Row = (Place, Option<String>, FieldMap);

/// Enters a table as records, in one transaction.
pub(crate) async fn import_table(
    context: &Context,
    kind: &str,
    name: &str,
    bytes: &[u8],
    dry_run: bool,
    reason: Option<String>,
) -> Result<TableReport> {
    let store = &context.session.store;
    let kind = store.kinds().get(kind)?;
    let (rows, mut found) = read_rows(kind, name, bytes)?;
    let mut puts = Vec::with_capacity(rows.len());
    for (place, id, fields) in rows {
        let id = match id {
            Some(id) => match Id::parse(&id) {
                Ok(id) => id,
                Err(e) => {
                    let m = &e.fault().message;
                    found.push(Diagnostic::error("E-ROWS-003", place.at_field("id"), m.ja.clone(), m.en.clone()));
                    continue;
                }
            },
            None => {
                let maker = context.access.who.organisation.as_deref();
                crate::run::own_id(maker, &kind.kind, &[&toji_core::canonical::to_canonical(&fields)?])
            }
        };
        if let Some(double) = puts.iter().find(|p: &&Put| p.id == id && p.fields != fields) {
            found.push(Diagnostic::error(
                "E-ROWS-004",
                place.clone().at_field("id"),
                format!("識別子 {} が二つの行にあります", double.id),
                format!("the identifier {} stands in two rows", double.id),
            ));
        }
        for mut finding in kind.validate(&fields) {
            let field = finding.place.field.take();
            finding.place = Place { field, ..place.clone() };
            found.push(finding);
        }
        puts.push(Put::new(&kind.kind, id, fields));
    }
    for finding in &mut found {
        finding.place.file.get_or_insert_with(|| name.to_owned());
    }
    if found.iter().any(|d| d.severity == Severity::Error) {
        let errors = found.iter().filter(|d| d.severity == Severity::Error).count();
        return Err(Error::input(
            "E-ROWS-001",
            format!("{name}: {errors} か所が種別「{}」に合わないため、何も取り込んでいません", kind.label.ja),
            format!("{name}: {errors} places do not fit the kind \"{}\"; nothing was taken in", kind.label.en),
        )
        .hint("示した行と項目を直してください", "correct the rows and fields named")
        .with(found));
    }
    for put in &puts {
        super::write::may_put(context, &put.kind, &put.id, &put.fields).await.map_err(|e| e.in_file(name))?;
    }
    let disagreements = disagreements(kind, puts.iter().map(|p| (p.id.as_str(), &p.fields)));
    let rows = puts.len();
    let candidates: Vec<Candidate> = puts
        .iter()
        .map(|p| Candidate { kind: p.kind.clone(), id: p.id.clone(), fields: p.fields.clone(), file: Some(name.to_owned()) })
        .collect();
    let mut changed = false;
    if !dry_run {
        let (address, _) = store.keep(bytes.to_vec()).await?;
        let commit = Commit {
            operation: "record import".into(),
            reason,
            puts,
            blobs: vec![(address, bytes.len() as u64, name.to_owned())],
            ..Commit::default()
        };
        changed = store.commit(&context.access, context.now, commit).await?.seq.is_some();
    }
    // What is of no data set and in no run has no area: facilities, organisations, policies.
    let classification = if kind.area_field.is_some() { classified(context, &candidates).await? } else { Vec::new() };
    found.extend(classification.iter().filter_map(Classified::warning));
    Ok(TableReport { kind: kind.kind.clone(), rows, changed, warnings: found, disagreements, classification, dry_run })
}

/// Totals of a kind's records that are not the sum of their parts; both sides stay as printed.
pub(crate) fn disagreements<'a>(kind: &Kind, records: impl Iterator<Item = (&'a str, &'a FieldMap)> + Clone) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for check in &kind.sum_checks {
        for finding in check.run(records.clone()) {
            let group = finding.group.join(" / ");
            out.push(
                Diagnostic::warning(
                    "W-SUM-001",
                    Place::field(&finding.record),
                    format!("{}: {group} の合計 {} と内訳の和 {} が合いません", check.label.ja, finding.total, finding.sum),
                    format!(
                        "{}: the total of {group} is {}, but its parts sum to {}",
                        check.label.en, finding.total, finding.sum
                    ),
                )
                .remedy("原典のとおり両方を残しています", "both are kept as printed in the source"),
            );
        }
    }
    out
}

fn read_rows(kind: &Kind, name: &str, bytes: &[u8]) -> Result<(Vec<Row>, Vec<Diagnostic>)> {
    let source = Source::new(name, bytes)?;
    if source.is_workbook() {
        let sheet = source.sheets()?.iter().find(|s| !s.hidden && !s.rows.is_empty()).ok_or_else(|| empty(name))?;
        let rows = (0..sheet.rows.len())
            .map(|r| (r as u64 + 1, (0..sheet.rows.get(r).map_or(0, Vec::len)).map(|c| sheet.text(r, c)).collect()));
        return table_rows(kind, rows.collect());
    }
    if source.text().trim_start().starts_with(['[', '{']) {
        return json_rows(source.text());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(source.text().as_bytes());
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| {
            let line = e.position().map_or(0, csv::Position::line);
            Error::input("E-ROWS-005", format!("CSV として読めません: {e}"), format!("not readable as CSV: {e}"))
                .at(Place::line(line))
                .in_file(name)
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.iter().map(str::to_owned).collect()));
    }
    table_rows(kind, rows)
}

fn empty(name: &str) -> Error {
    Error::input("E-ROWS-006", "表が空です", "the table is empty")
        .hint("見出し行と一行以上が必要です", "a header and one row are needed")
        .in_file(name)
}

fn table_rows(kind: &Kind, rows: Vec<(u64, Vec<String>)>) -> Result<(Vec<Row>, Vec<Diagnostic>)> {
    let mut rows = rows.into_iter();
    let Some((_, header)) = rows.next() else { return Err(empty("")) };
    let header: Vec<String> = header.iter().map(|h| h.trim().to_owned()).collect();
    let unknown: Vec<&String> =
        header.iter().filter(|h| *h != "id" && *h != LABEL_COLUMN && !h.is_empty() && kind.field(h).is_none()).collect();
    if !unknown.is_empty() {
        let list = unknown.iter().map(|h| h.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Error::input(
            "E-ROWS-002",
            format!("種別「{}」にない列があります: {list}", kind.label.ja),
            format!("the kind \"{}\" has no columns {list}", kind.label.en),
        )
        .at(Place::line(1))
        .hint(
            format!("`toji kind show {}` の項目名にしてください", kind.kind),
            format!("use the field names of `toji kind show {}`", kind.kind),
        ));
    }
    let (mut out, mut found) = (Vec::new(), Vec::new());
    for (line, cells) in rows {
        if cells.iter().all(|c| c.trim().is_empty()) {
            continue;
        }
        let (mut id, mut fields) = (None, FieldMap::new());
        for (i, cell) in cells.iter().enumerate() {
            let place = || Place::line(line).at_column(i as u64 + 1);
            let Some(name) = header.get(i).filter(|h| !h.is_empty()) else {
                if !cell.trim().is_empty() {
                    found.push(Diagnostic::error(
                        "E-ROWS-007",
                        place(),
                        "見出しのない列に値があります",
                        "a value stands in a column without a header",
                    ));
                }
                continue;
            };
            if name == "id" {
                id = Some(cell.trim().to_owned()).filter(|c| !c.is_empty());
            } else if let Some(field) = kind.field(name) {
                match read_cell(field, cell) {
                    Ok(Some(value)) => {
                        fields.insert(name.clone(), value);
                    }
                    Ok(None) => {}
                    Err((ja, en)) => found.push(
                        Diagnostic::error(
                            "E-ROWS-008",
                            place().at_field(name),
                            format!("「{}」の「{cell}」が読めません", field.label.ja),
                            format!("\"{cell}\" for \"{}\" is not readable", field.label.en),
                        )
                        .remedy(ja, en),
                    ),
                }
            }
        }
        out.push((Place::line(line), id, fields));
    }
    Ok((out, found))
}

fn json_rows(text: &str) -> Result<(Vec<Row>, Vec<Diagnostic>)> {
    let fault = |detail: String| {
        Error::input("E-ROWS-009", format!("JSON として読めません: {detail}"), format!("not readable as JSON records: {detail}"))
            .hint("[{\"id\": …, 項目…}] の形にしてください", "give an array of objects with an id and the fields")
    };
    let json: Json = serde_json::from_str(text)
        .map_err(|e| fault(e.to_string()).at(Place::line(e.line() as u64).at_column(e.column() as u64)))?;
    let list = match json {
        Json::Array(list) => list,
        Json::Object(mut map) if map.get("records").is_some_and(Json::is_array) => match map.remove("records") {
            Some(Json::Array(list)) => list,
            _ => Vec::new(),
        },
        other => vec![other],
    };
    let mut out = Vec::new();
    for (i, entry) in list.into_iter().enumerate() {
        let Json::Object(mut fields) = entry else { return Err(fault(format!("entry {}", i + 1))) };
        // Of which copy a table came is no field of what it says.
        fields.remove(LABEL_COLUMN);
        let id = fields.remove("id").and_then(|v| v.as_str().map(str::to_owned));
        let fields = match fields.remove("fields") {
            Some(Json::Object(inner)) => inner,
            Some(other) => {
                fields.insert("fields".into(), other);
                fields
            }
            None => fields,
        };
        out.push((Place::field(format!("[{i}]")), id, fields));
    }
    Ok((out, Vec::new()))
}

/// Form of an exported table.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TableFormat {
    /// Comma-separated, UTF-8.
    ///
    /// カンマ区切り、UTF-8。
    #[default]
    Csv,
    /// An array of records.
    ///
    /// 記録の配列。
    Json,
    /// A workbook.
    ///
    /// ワークブック。
    Xlsx,
}

/// Input of `record export`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExportInput {
    /// Kind.
    ///
    /// 種別。
    kind: String,
    /// Form.
    ///
    /// 形式。
    #[serde(default)]
    format: TableFormat,
    /// As the store knew it at this instant (RFC 3339).
    ///
    /// この時点で保存先にあった内容（RFC 3339）。
    #[serde(default)]
    as_of: Option<String>,
    /// Organisation the table is given to: its copy is marked. What others own is marked for whoever asks anyway.
    ///
    /// 表の渡し先の組織。複製に透かしを入れる。他者のデータは、指定がなくても取り出す人の組織への複製として透かしを入れる。
    #[serde(default)]
    recipient: Option<String>,
}

/// Output of `record export`.
#[derive(Debug, Serialize, JsonSchema)]
struct Exported {
    /// Kind.
    kind: String,
    /// Rows.
    rows: usize,
    /// Columns.
    columns: Vec<String>,
    /// The records, as fields.
    records: Vec<Json>,
    /// The mark of the copy, when it carries one.
    #[serde(rename = "marked_copy", skip_serializing_if = "Option::is_none")]
    mark: Option<CopyView>,
}

pub(super) fn export_operation() -> Operation {
    Operation::declare_filed(
        Words {
            name: "record export",
            label: ["記録の書出し", "Export records"],
            about: [
                "ある種別の記録を CSV・JSON・XLSX に書き出します。取り込んだ表と同じ列・同じ文字になります。",
                "Writes the records of a kind as CSV, JSON or XLSX, with the columns and texts they came with.",
            ],
            positional: &["kind"],
            example: "toji record export adopted-project --format csv --out adopted.csv",
        },
        Effect::Read,
        export,
    )
}

async fn export(context: Context, input: ExportInput) -> Result<Answer<Exported>> {
    let store = &context.session.store;
    let kind = store.kinds().get(&input.kind)?;
    let seen = store.records(&context.access, &input.kind, instant(input.as_of.as_deref())?, false).await?;
    let mut records = store.allowed_of(&context.access, toji_core::Action::Export, seen).await?;
    // Natural order: AP2 before AP10.
    records.sort_by_key(|r| natural(r.id.as_str()));
    let leaves: Vec<&toji_core::Record> = records.iter().collect();
    let what = format!("record export {} {:?}", kind.kind, input.format);
    let handing = handing(&context, what, input.recipient.as_deref(), Content::Records(&leaves)).await?;
    let columns: Vec<String> = std::iter::once("id".to_owned()).chain(kind.fields.iter().map(|f| f.name.clone())).collect();
    let rows: Vec<Vec<String>> = records
        .iter()
        .map(|r| {
            std::iter::once(r.id.to_string()).chain(kind.fields.iter().map(|f| write_cell(f, r.fields.get(&f.name)))).collect()
        })
        .collect();
    let mut objects: Vec<serde_json::Map<String, Json>> = records
        .into_iter()
        .map(|r| {
            let mut object = serde_json::Map::from_iter([("id".to_owned(), Json::from(r.id.as_str()))]);
            object.extend(r.fields);
            object
        })
        .collect();
    // Records have no order of their own, so their rows may change places in a marked copy.
    let marked = handing.as_ref().map(|h| h.mark(&columns, &rows, &vec![0; rows.len()])).transpose()?;
    let (mut header, mut cells) = (columns, rows);
    if let Some(marked) = &marked {
        (header, cells) = marked.arrange(&header, &cells);
        objects = marked.order.iter().filter_map(|i| objects.get(*i).cloned()).collect();
        for (object, label) in objects.iter_mut().zip(&marked.labels) {
            object.insert(LABEL_COLUMN.to_owned(), label.as_str().into());
        }
    }
    let attachment = match (input.format, &marked) {
        (TableFormat::Csv, Some(marked)) => Attachment {
            name: format!("{}.csv", kind.kind),
            media_type: "text/csv; charset=utf-8",
            bytes: marked.csv(&header, &cells),
        },
        (TableFormat::Csv, None) => attach::table(&kind.kind, "csv", &header, &cells)?,
        (TableFormat::Xlsx, _) => attach::table(&kind.kind, "xlsx", &header, &cells)?,
        (TableFormat::Json, _) => Attachment {
            name: format!("{}.json", kind.kind),
            media_type: "application/json",
            bytes: serde_json::to_vec_pretty(&objects).map_err(|e| Error::bug("E-ROWS-010", e))?,
        },
    };
    let mark = match (handing, &marked) {
        (Some(handing), Some(marked)) => Some(handing.keep(&context, marked).await?),
        _ => None,
    };
    let records = objects.into_iter().map(Json::Object).collect();
    Ok(Answer {
        output: Exported { kind: kind.kind.clone(), rows: cells.len(), columns: header, records, mark },
        attachment: Some(attachment),
    })
}

/// A key that sorts digits as numbers.
pub(crate) fn natural(text: &str) -> Vec<(String, u64)> {
    let mut out: Vec<(String, u64)> = vec![(String::new(), 0)];
    let mut digits = false;
    for c in text.chars() {
        match c.to_digit(10) {
            Some(d) => {
                if let Some(last) = out.last_mut() {
                    last.1 = last.1.saturating_mul(10).saturating_add(u64::from(d));
                }
                digits = true;
            }
            None => {
                if digits {
                    out.push((String::new(), 0));
                    digits = false;
                }
                if let Some(last) = out.last_mut() {
                    last.0.push(c);
                }
            }
        }
    }
    out
}
