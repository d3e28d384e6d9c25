//! Kinds: what a sort of record looks like, declared in `kinds/*.toml`.
//!
//! From the declaration alone come validation with located messages, import and export of tables,
//! search, SQL columns, forms, detail pages and documentation. Adding a register is adding one file.

mod cell;
mod check;
mod migrate;

pub use cell::{read_cell, write_cell};
pub use check::{Finding, SumCheck};
pub use migrate::{Migration, Step};

use crate::error::{Error, Place, Result};
use crate::text::Text;
use crate::unit::Unit;
use crate::vocabulary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldType {
    /// Words.
    Text,
    /// A whole number.
    Integer,
    /// A number; its unit is declared or stands in another field.
    Number,
    /// Yes or no.
    Boolean,
    /// A day (`2026-11-24`), or as much of one as is known (`2026-11`, `2026`).
    Date,
    /// An instant, RFC 3339 in UTC.
    Instant,
    /// One of the declared choices.
    Choice,
    /// Identifier of a record of the kind named by `ref`.
    Ref,
    /// A value object (see [`crate::value::Value`]).
    Value,
    /// Any JSON, for structures a standard defines elsewhere.
    Json,
}

/// One choice of a vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// As stored.
    pub code: String,
    /// As read.
    pub label: Text,
}

/// One field of a kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name in records, tables and SQL.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Label.
    pub label: Text,
    /// What to enter, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Text>,
    /// A record without it is refused.
    #[serde(default)]
    pub required: bool,
    /// Several values; in tables they stand in one cell, parted by `separator`.
    #[serde(default)]
    pub many: bool,
    /// What parts several values in a cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// Unit (UCUM, or a counted thing in braces) of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Field that holds the unit of this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_field: Option<String>,
    /// Vocabulary of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Names of declared vocabularies whose terms are choices too, after those that stand here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vocabulary: Vec<String>,
    /// Other values than the choices are kept with a warning instead of refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
    /// Kind of the record a `ref` names.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Field of the target that holds the shared identifier, when it is not the record id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_field: Option<String>,
    /// Smallest number accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Largest number accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Know-how stands in it: whoever shares the record is told, and a stricter area is proposed for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

/// The two fields (or one) a record's title is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TitleFields {
    /// Field with the Japanese title.
    pub ja: String,
    /// Field with the English title.
    pub en: String,
}

/// A declared kind of record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Name: kebab case, singular.
    pub kind: String,
    /// Version of the declaration.
    pub version: u32,
    /// Group in menus, e.g. `culture`, `programme`.
    pub group: String,
    /// Label.
    pub label: Text,
    /// What it is for.
    pub about: Text,
    /// Standard, paper or table it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// File of the policy tables that loads into this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Fields the title is made from.
    pub title: TitleFields,
    /// Field that holds the area of sharing, when records declare one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_field: Option<String>,
    /// What the house itself keeps of this kind is for everyone: published tables, licences, item lists. What a member
    /// of a commons enters stays its own until it is shared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub common: bool,
    /// Written by operations only (imports); no form.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub derived: bool,
    /// Fields, in the order of tables and forms. The record id is not among them.
    #[serde(rename = "field")]
    pub fields: Vec<Field>,
    /// Sums that should agree.
    #[serde(default, rename = "sum_check", skip_serializing_if = "Vec::is_empty")]
    pub sum_checks: Vec<SumCheck>,
    /// How records of earlier versions become records of this one.
    #[serde(default, rename = "migration", skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<Migration>,
}

impl Kind {
    /// Reads one declaration.
    ///
    /// # Errors
    /// TOML faults, unknown keys, and declarations that contradict themselves, with the file's name.
    pub fn parse(file: &str, toml_text: &str) -> Result<Self> {
        let mut kind: Self = toml::from_str(toml_text).map_err(|e| {
            let line = e.span().map(|s| toml_text[..s.start.min(toml_text.len())].matches('\n').count() as u64 + 1);
            Error::input(
                "E-KIND-001",
                format!("種別の宣言を読めません: {}", e.message()),
                format!("the kind's declaration is not readable: {}", e.message()),
            )
            .at(Place { file: Some(file.to_owned()), line, ..Place::default() })
            .hint("docs の「種別の追加」をご覧ください", "see \"Adding a kind\" in the docs")
        })?;
        for field in &mut kind.fields {
            for name in &field.vocabulary {
                let place = Place::field(&field.name).in_file(file);
                field.choices.extend(vocabulary::get(name).map_err(|e| e.at(place))?.choices());
            }
        }
        kind.check_self().map_err(|e| e.in_file(file))?;
        Ok(kind)
    }

    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    fn check_self(&self) -> Result<()> {
        let fault = |field: &str, ja: &str, en: &str| {
            Err(Error::input("E-KIND-002", format!("種別 {}: {ja}", self.kind), format!("kind {}: {en}", self.kind))
                .at(Place::field(field)))
        };
        for name in [&self.title.ja, &self.title.en] {
            if name != "id" && self.field(name).is_none() {
                return fault(name, "標題の項目がありません", "the title names a field that is not declared");
            }
        }
        for (i, field) in self.fields.iter().enumerate() {
            if field.name == "id" || self.fields[..i].iter().any(|f| f.name == field.name) {
                return fault(&field.name, "項目名が重複しています", "this field name is taken");
            }
            if (field.field_type == FieldType::Choice) == field.choices.is_empty() {
                return fault(&field.name, "選択肢と型が合いません", "choices and type do not agree");
            }
            if (field.field_type == FieldType::Ref) != field.target.is_some() {
                return fault(&field.name, "参照先と型が合いません", "ref and type do not agree");
            }
            if let Some(unit) = &field.unit
                && Unit::parse(unit).is_err()
            {
                return fault(&field.name, "単位が読めません", "the unit is not readable");
            }
            if let Some(name) = &field.unit_field
                && self.field(name).is_none()
            {
                return fault(&field.name, "単位の項目がありません", "unit_field names a field that is not declared");
            }
            if field.many && field.separator.is_none() && field.field_type != FieldType::Json {
                return fault(&field.name, "区切り文字がありません", "a field of many values needs a separator");
            }
        }
        let steps: Vec<u32> = self.migrations.iter().map(|m| m.from).collect();
        if steps != (1..self.version).collect::<Vec<u32>>() {
            return fault(
                "migration",
                "移行手順が版と合いません",
                "there must be one migration from every earlier version, in order",
            );
        }
        Ok(())
    }
}

/// All kinds a store knows.
#[derive(Debug, Clone, Default)]
pub struct KindSet {
    kinds: BTreeMap<String, Kind>,
}

impl KindSet {
    /// The kinds that ship with Toji.
    ///
    /// # Errors
    /// Never for a released build: a test reads every declaration.
    pub fn builtin() -> Result<&'static Self> {
        static SET: OnceLock<std::result::Result<KindSet, Error>> = OnceLock::new();
        const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/kinds.rs"));
        SET.get_or_init(|| Self::from_files(FILES)).as_ref().map_err(|e| Error::bug("E-KIND-003", e))
    }
    /// Reads declarations: (file name, text).
    ///
    /// # Errors
    /// As [`Kind::parse`]; also two files for one kind, and references to kinds that are not there.
    pub fn from_files(files: &[(&str, &str)]) -> Result<Self> {
        let mut kinds = BTreeMap::new();
        for (file, text) in files {
            let kind = Kind::parse(file, text)?;
            if let Some(other) = kinds.insert(kind.kind.clone(), kind) {
                return Err(Error::input(
                    "E-KIND-004",
                    format!("種別 {} が二重に宣言されています", other.kind),
                    format!("kind {} is declared twice", other.kind),
                )
                .at(Place::default().in_file(*file)));
            }
        }
        let set = Self { kinds };
        for kind in set.iter() {
            for field in &kind.fields {
                if let Some(target) = &field.target
                    && set.kinds.get(target).is_none_or(|t| field.ref_field.as_ref().is_some_and(|f| t.field(f).is_none()))
                {
                    return Err(Error::input(
                        "E-KIND-005",
                        format!("種別 {} の参照先 {target} がありません", kind.kind),
                        format!("kind {} refers to {target}, which is not declared so", kind.kind),
                    )
                    .at(Place::field(&field.name)));
                }
            }
        }
        Ok(set)
    }
    /// The kind of this name.
    ///
    /// # Errors
    /// No such kind; names the nearest.
    pub fn get(&self, name: &str) -> Result<&Kind> {
        self.kinds.get(name).ok_or_else(|| {
            let all: Vec<&str> = self.kinds.keys().map(String::as_str).collect();
            let near: Vec<&str> = all.iter().copied().filter(|k| k.contains(name) || name.contains(k)).collect();
            let shown = if near.is_empty() { all } else { near }.join(", ");
            Error::not_found("E-KIND-006", format!("種別「{name}」はありません"), format!("there is no kind \"{name}\""))
                .hint(format!("次から選んでください: {shown}"), format!("choose one of: {shown}"))
        })
    }
    /// All kinds by name.
    pub fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_that_ships_is_sound() {
        let set = KindSet::builtin().unwrap();
        assert!(set.iter().count() >= 30);
        for kind in set.iter() {
            assert!(!kind.label.ja.is_empty() && !kind.label.en.is_empty(), "{}", kind.kind);
            for field in &kind.fields {
                assert!(!field.label.ja.is_empty() && !field.label.en.is_empty(), "{}.{}", kind.kind, field.name);
            }
        }
    }

    #[test]
    fn a_faulty_declaration_names_file_and_line() {
        let error = Kind::parse("x.toml", "kind = \"x\"\nversion = \"one\"\n").unwrap_err();
        let place = error.fault().place.clone().unwrap();
        assert_eq!((place.file.as_deref(), place.line), (Some("x.toml"), Some(2)));
    }
}
