//! Records as plain tables: CSV whose columns, types and references are declared beside it.
//!
//! Columns come from the declarations of the kinds, so a field added there goes out from then on. A value
//! object becomes a number with its bounds and what censors it, and its original text: nothing turns
//! `< 10.04` into a number.

use super::content::Content;
use super::split::Dealt;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use toji_core::kind::FieldType;
use toji_core::{Error, KindSet, Record, Result, Text};

/// Type of a column, by its name in the Table Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Words,
    Integer,
    Number,
    Boolean,
    Instant,
}

impl Type {
    pub(super) fn frictionless(self) -> &'static str {
        match self {
            Self::Words => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Instant => "datetime",
        }
    }
    pub(super) fn croissant(self) -> &'static str {
        match self {
            Self::Words => "sc:Text",
            Self::Integer => "sc:Integer",
            Self::Number => "sc:Float",
            Self::Boolean => "sc:Boolean",
            Self::Instant => "sc:DateTime",
        }
    }
}

/// A column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) sort: Type,
    pub(super) label: Text,
    /// UCUM.
    pub(super) unit: Option<String>,
    /// Table whose `id` it names.
    pub(super) target: Option<&'static str>,
    pub(super) required: bool,
}

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Name; the file is `tables/NAME.csv`.
    pub(super) name: &'static str,
    pub(super) label: Text,
    /// Columns that tell rows apart.
    pub(super) key: Vec<&'static str>,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Kinds that go out, with the names of their tables.
const TABLES: [(&str, &str); 10] = [
    ("run", "runs"),
    ("channel", "channels"),
    ("sample", "samples"),
    ("assay", "assays"),
    ("event", "events"),
    ("observation", "observations"),
    ("decision", "decisions"),
    ("strain", "strains"),
    ("vessel", "vessels"),
    ("file", "files"),
];

fn table_of(kind: &str) -> Option<&'static str> {
    TABLES.iter().find(|(k, _)| *k == kind).map(|(_, table)| *table)
}

/// All tables of a data set, the split first.
pub(super) fn all(content: &Content, dealt: &[Dealt]) -> Result<Vec<Table>> {
    let mut out = vec![splits(content, dealt)];
    for (kind, name) in TABLES {
        out.push(of_kind(content, kind, name)?);
    }
    Ok(out)
}

fn column(name: &str, sort: Type, ja: &str, en: &str) -> Column {
    Column { name: name.into(), sort, label: Text::new(ja, en), unit: None, target: None, required: false }
}

fn splits(content: &Content, dealt: &[Dealt]) -> Table {
    let mut run = column("run", Type::Words, "培養", "Run");
    run.target = Some("runs");
    let rows = dealt.iter().map(|d| vec![d.run.clone(), d.part.as_str().to_owned(), d.group.clone()]).collect();
    let unit =
        serde_json::to_value(content.manifest.split.unit).ok().and_then(|u| u.as_str().map(str::to_owned)).unwrap_or_default();
    Table {
        name: "splits",
        label: Text::new(
            format!("学習・検証・試験の分割 (単位: {unit})"),
            format!("Training, validation and test (unit: {unit})"),
        ),
        key: vec!["run"],
        columns: vec![
            run,
            column("split", Type::Words, "分割", "Part"),
            column("group", Type::Words, "単位", "Unit, by its first run"),
        ],
        rows,
    }
}

fn of_kind(content: &Content, kind: &str, name: &'static str) -> Result<Table> {
    let declared = KindSet::builtin()?.get(kind)?;
    let records = content.of(kind);
    let mut columns = vec![column("id", Type::Words, "識別子", "Identifier"), column("version", Type::Integer, "版", "Version")];
    columns.iter_mut().for_each(|c| c.required = true);
    let mut fields: Vec<(&str, FieldType, &'static str)> = Vec::new();
    for field in &declared.fields {
        let sort = match field.field_type {
            FieldType::Integer if !field.many => Type::Integer,
            FieldType::Number if !field.many => Type::Number,
            FieldType::Boolean if !field.many => Type::Boolean,
            FieldType::Instant if !field.many => Type::Instant,
            FieldType::Value => {
                for (part, sort, ja, en) in VALUE_PARTS {
                    let name = if part.is_empty() { field.name.clone() } else { format!("{}_{part}", field.name) };
                    let (ja, en) = (format!("{}{ja}", field.label.ja), format!("{}{en}", field.label.en));
                    columns.push(column(&name, sort, &ja, &en));
                    fields.push((&field.name, FieldType::Value, part));
                }
                continue;
            }
            _ => Type::Words,
        };
        let target = field.target.as_deref().filter(|_| !field.many).and_then(table_of);
        let named = |r: &Record| r.fields.get(&field.name).and_then(Json::as_str).map(str::to_owned);
        // A reference is declared only where all of it is in the release.
        let whole =
            field.target.as_deref().is_some_and(|t| records.iter().filter_map(named).all(|id| content.get(t, &id).is_some()));
        columns.push(Column {
            name: field.name.clone(),
            sort,
            label: field.label.clone(),
            unit: field.unit.clone(),
            target: target.filter(|_| whole),
            required: false,
        });
        fields.push((&field.name, field.field_type, ""));
    }
    let rows = records
        .iter()
        .map(|record| {
            let lead = [record.id.to_string(), record.version.to_string()];
            lead.into_iter().chain(fields.iter().map(|(name, sort, part)| cell(record.fields.get(*name), *sort, part))).collect()
        })
        .collect();
    Ok(Table { name, label: declared.label.clone(), key: vec!["id"], columns, rows })
}

/// Columns of a value object: suffix, type, words after the field's label.
const VALUE_PARTS: [(&str, Type, &str, &str); 13] = [
    ("", Type::Number, "", ""),
    ("kind", Type::Words, ": 種類", ": kind of statement"),
    ("low", Type::Number, ": 下限", ": lower bound"),
    ("high", Type::Number, ": 上限", ": upper bound"),
    ("censoring", Type::Words, ": 打切り", ": censoring (none, left, right, interval, absent, words)"),
    ("unit", Type::Words, ": 単位 (UCUM)", ": unit (UCUM)"),
    ("text", Type::Words, ": 原文", ": as written"),
    ("raw_unit", Type::Words, ": 単位の原文", ": unit as written"),
    ("uncertainty", Type::Number, ": 標準不確かさ", ": standard uncertainty"),
    ("n", Type::Integer, ": 測定回数", ": readings"),
    ("dilution", Type::Number, ": 希釈倍率", ": dilution already applied"),
    ("basis", Type::Words, ": 基準", ": basis"),
    ("substance", Type::Words, ": 物質", ": substance"),
];

fn cell(value: Option<&Json>, sort: FieldType, part: &str) -> String {
    let Some(value) = value else { return String::new() };
    if sort == FieldType::Value {
        return match part {
            "" => value.get("number").map(plain).unwrap_or_default(),
            "censoring" => censoring(value.get("kind").and_then(Json::as_str).unwrap_or_default()).to_owned(),
            part => value.get(part).map(plain).unwrap_or_default(),
        };
    }
    plain(value)
}

fn plain(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        // Numbers, booleans, and lists and objects as JSON.
        other => other.to_string(),
    }
}

/// In which direction the true value lies.
fn censoring(kind: &str) -> &'static str {
    match kind {
        "exact" => "none",
        "less-than" | "below-detection" => "left",
        "greater-than" => "right",
        "range" => "interval",
        "text" | "category" => "words",
        _ => "absent",
    }
}

impl Table {
    /// The table as CSV: UTF-8, comma, line feed, header first.
    pub(super) fn csv(&self) -> Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        let header: BTreeSet<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        if header.len() != self.columns.len() {
            return Err(Error::bug("E-DATASET-030", format!("two columns of {} have one name", self.name)));
        }
        writer.write_record(self.columns.iter().map(|c| c.name.as_str())).map_err(|e| Error::bug("E-CSV-001", e))?;
        for row in &self.rows {
            writer.write_record(row).map_err(|e| Error::bug("E-CSV-001", e))?;
        }
        writer.into_inner().map_err(|e| Error::bug("E-CSV-002", e))
    }
    /// Path in the release.
    pub(super) fn path(&self) -> String {
        if self.name == "splits" { "splits.csv".into() } else { format!("tables/{}.csv", self.name) }
    }
}
