//! Validation: a record against its kind, and sums across records.

use super::{Field, FieldType, Kind, cell};
use crate::clock::Instant;
use crate::error::{Diagnostic, Place};
use crate::id::Id;
use crate::record::FieldMap;
use crate::text::Text;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

impl Kind {
    /// All findings about the fields of one record. Errors refuse it, warnings are kept with it.
    #[must_use]
    pub fn validate(&self, fields: &FieldMap) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (name, value) in fields {
            match self.field(name) {
                Some(field) => check_field(field, value, &mut found),
                None => found.push(
                    Diagnostic::error(
                        "E-FIELD-001",
                        Place::field(name),
                        format!("種別 {} に項目「{name}」はありません", self.kind),
                        format!("kind {} has no field \"{name}\"", self.kind),
                    )
                    .remedy(
                        format!("`toji kind show {}` で項目を確認してください", self.kind),
                        format!("see the fields with `toji kind show {}`", self.kind),
                    ),
                ),
            }
        }
        for field in self.fields.iter().filter(|f| f.required) {
            if fields.get(&field.name).is_none_or(is_blank) {
                found.push(
                    Diagnostic::error(
                        "E-FIELD-002",
                        Place::field(&field.name),
                        format!("必須項目「{}」がありません", field.label.ja),
                        format!("the required field \"{}\" is missing", field.label.en),
                    )
                    .remedy("値を入れてください", "fill it in"),
                );
            }
        }
        found
    }
}

fn is_blank(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(parts) => parts.is_empty(),
        _ => false,
    }
}

fn check_field(field: &Field, value: &Json, found: &mut Vec<Diagnostic>) {
    match value {
        Json::Null => {}
        Json::Array(parts) if field.many => parts.iter().for_each(|p| check_one(field, p, found)),
        _ if field.many && field.field_type != FieldType::Json => {
            wrong(field, "配列", "an array", found);
        }
        _ => check_one(field, value, found),
    }
}

fn wrong(field: &Field, ja: &str, en: &str, found: &mut Vec<Diagnostic>) {
    found.push(
        Diagnostic::error(
            "E-FIELD-003",
            Place::field(&field.name),
            format!("「{}」の値が型に合いません", field.label.ja),
            format!("the value of \"{}\" does not fit its type", field.label.en),
        )
        .remedy(format!("{ja}にしてください"), format!("give {en}")),
    );
}

fn check_one(field: &Field, value: &Json, found: &mut Vec<Diagnostic>) {
    match field.field_type {
        FieldType::Text if value.is_string() => {}
        FieldType::Text => wrong(field, "文字列", "text", found),
        FieldType::Integer if value.as_i64().is_some() => check_range(field, value.as_f64(), found),
        FieldType::Integer => wrong(field, "整数", "a whole number", found),
        FieldType::Number if value.is_number() => check_range(field, value.as_f64(), found),
        FieldType::Number => wrong(field, "数値", "a number", found),
        FieldType::Boolean if value.is_boolean() => {}
        FieldType::Boolean => wrong(field, "true か false", "true or false", found),
        FieldType::Date if value.as_str().is_some_and(cell::is_date) => {}
        FieldType::Date => wrong(field, "日付 (2026-11-24、2026-11、2026)", "a date such as 2026-11-24, 2026-11 or 2026", found),
        FieldType::Instant if value.as_str().is_some_and(|t| Instant::parse(t).is_ok()) => {}
        FieldType::Instant => wrong(field, "時刻 (2026-11-24T15:02:39Z)", "an instant such as 2026-11-24T15:02:39Z", found),
        FieldType::Choice => check_choice(field, value, found),
        FieldType::Ref if value.as_str().is_some_and(|t| field.ref_field.is_some() || Id::parse(t).is_ok()) => {}
        FieldType::Ref => wrong(field, "記録の識別子", "the identifier of a record", found),
        FieldType::Value => check_value(field, value, found),
        FieldType::Json => {}
    }
}

fn check_range(field: &Field, number: Option<f64>, found: &mut Vec<Diagnostic>) {
    let Some(number) = number else { return };
    if field.low.is_some_and(|low| number < low) || field.high.is_some_and(|high| number > high) {
        let bound = |b: Option<f64>| b.map_or(String::new(), |b| b.to_string());
        let range = format!("{}..{}", bound(field.low), bound(field.high));
        found.push(Diagnostic::error(
            "E-FIELD-004",
            Place::field(&field.name),
            format!("「{}」の {number} は範囲 {range} の外です", field.label.ja),
            format!("{number} for \"{}\" is outside {range}", field.label.en),
        ));
    }
}

fn check_choice(field: &Field, value: &Json, found: &mut Vec<Diagnostic>) {
    let Some(text) = value.as_str() else { return wrong(field, "文字列", "text", found) };
    if field.choices.iter().any(|c| c.code == text) {
        return;
    }
    let codes = field.choices.iter().map(|c| c.code.as_str()).collect::<Vec<_>>().join(", ");
    let place = Place::field(&field.name);
    let (ja, en) = (
        format!("「{}」の選択肢に「{text}」はありません", field.label.ja),
        format!("\"{text}\" is not among the choices of \"{}\"", field.label.en),
    );
    let finding = if field.open {
        Diagnostic::warning("W-FIELD-005", place, ja, en)
    } else {
        Diagnostic::error("E-FIELD-005", place, ja, en)
    };
    found.push(finding.remedy(format!("選択肢: {codes}"), format!("choices: {codes}")));
}

fn check_value(field: &Field, value: &Json, found: &mut Vec<Diagnostic>) {
    let Ok(value) = serde_json::from_value::<Value>(value.clone()) else {
        return wrong(field, "値オブジェクト (kind と text を持つ)", "a value object with kind and text", found);
    };
    if let (Some(expected), Some(unit)) = (field.unit.as_deref().and_then(|u| crate::unit::Unit::parse(u).ok()), &value.unit)
        && !unit.commensurable(&expected)
    {
        found.push(
            Diagnostic::error(
                "E-FIELD-006",
                Place::field(&field.name),
                format!("「{}」の単位 {unit} は {expected} に換算できません", field.label.ja),
                format!("the unit {unit} of \"{}\" cannot be converted to {expected}", field.label.en),
            )
            .remedy(format!("{expected} に換算できる単位にしてください"), format!("use a unit that converts to {expected}")),
        );
    }
    check_range(field, value.number, found);
}

/// A sum that should agree: within each group, the parts add up to the total.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SumCheck {
    /// Fields that make a group.
    pub group: Vec<String>,
    /// Field that tells totals from parts.
    pub by: String,
    /// Its value for the total.
    pub total: String,
    /// Its value for the parts.
    pub parts: String,
    /// The number.
    pub value: String,
    /// What is being added up.
    pub label: Text,
}

/// What a sum check found in one group.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Finding {
    /// The group's values.
    pub group: Vec<String>,
    /// Stated total.
    pub total: f64,
    /// Sum of the parts.
    pub sum: f64,
    /// Identifier of the record with the total.
    pub record: String,
}

impl SumCheck {
    /// Runs the check over records (id, fields). Groups without both a total and parts are skipped;
    /// only disagreements are returned, in order of the groups.
    pub fn run<'a>(&self, records: impl Iterator<Item = (&'a str, &'a FieldMap)>) -> Vec<Finding> {
        // Per group: the stated total with its record, and the sum of the parts.
        type Sides = (Option<(f64, String)>, Option<f64>);
        let mut groups: BTreeMap<Vec<String>, Sides> = BTreeMap::new();
        let text =
            |fields: &FieldMap, name: &str| fields.get(name).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
        for (id, fields) in records {
            let Some(number) = fields.get(&self.value).and_then(Json::as_f64) else { continue };
            let group = self.group.iter().map(|g| text(fields, g).unwrap_or_default()).collect();
            let slot = groups.entry(group).or_default();
            match text(fields, &self.by) {
                Some(by) if by == self.total => slot.0 = Some((number, id.to_owned())),
                Some(by) if by == self.parts => *slot.1.get_or_insert(0.0) += number,
                _ => {}
            }
        }
        groups
            .into_iter()
            .filter_map(|(group, slot)| match slot {
                (Some((total, record)), Some(sum)) if (total - sum).abs() > 1e-9 => Some(Finding { group, total, sum, record }),
                _ => None,
            })
            .collect()
    }
}
