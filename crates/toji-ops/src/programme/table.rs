//! Rows of a register as the operations of this group read them, with the place they come from.

use crate::operation::Context;
use crate::record::natural;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Error, Kind, Place, Record, Result, Text};

/// Where a figure stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Evidence {
    /// Record it was read from.
    pub(super) record: String,
    /// Paper.
    pub(super) source: Option<String>,
    /// Heading in the paper.
    pub(super) section: Option<String>,
    /// Line of the paper's text.
    pub(super) line: Option<i64>,
}

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) fields: FieldMap,
}

impl Row {
    /// A field's text; blank counts as missing, several values are joined.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Json::String(text) => Some(text.trim().to_owned()).filter(|t| !t.is_empty()),
            Json::Array(parts) => {
                Some(parts.iter().filter_map(Json::as_str).collect::<Vec<_>>().join("; ")).filter(|t| !t.is_empty())
            }
            Json::Null => None,
            other => Some(other.to_string()),
        }
    }
    /// A field's values, one or several.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        match self.fields.get(name) {
            Some(Json::Array(parts)) => parts.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            Some(Json::String(text)) if !text.trim().is_empty() => vec![text.clone()],
            _ => Vec::new(),
        }
    }
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.fields.get(name).and_then(Json::as_f64)
    }
    pub(super) fn whole(&self, name: &str) -> Option<i64> {
        self.fields.get(name).and_then(Json::as_i64)
    }
    /// `…_ja` and `…_en` of a stem; where one is missing the other stands in.
    pub(super) fn words(&self, stem: &str) -> Text {
        let (ja, en) = (self.text(&format!("{stem}_ja")), self.text(&format!("{stem}_en")));
        let first = |a: &Option<String>, b: &Option<String>| a.clone().or_else(|| b.clone()).unwrap_or_default();
        Text::new(first(&ja, &en), first(&en, &ja))
    }
    pub(super) fn evidence(&self) -> Evidence {
        Evidence { record: self.id.clone(), source: self.text("source"), section: self.text("section"), line: self.whole("line") }
    }
}

impl From<Record> for Row {
    fn from(record: Record) -> Self {
        Self { id: record.id.to_string(), fields: record.fields }
    }
}

/// All rows of a kind that the asker may see, FD2 before FD10; none is an empty list.
pub(super) async fn rows_or_none(context: &Context, kind: &str) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> =
        context.session.store.records(&context.access, kind, None, false).await?.into_iter().map(Row::from).collect();
    rows.sort_by_key(|r| natural(&r.id));
    Ok(rows)
}

/// As [`rows_or_none`]; an empty table is refused, because every sum over it would be a wrong zero.
///
/// # Errors
/// `E-POLICY-001`: there are no records of the kind.
pub(super) async fn rows(context: &Context, kind: &str) -> Result<Vec<Row>> {
    let found = rows_or_none(context, kind).await?;
    if !found.is_empty() {
        return Ok(found);
    }
    let declared = context.session.store.kinds().get(kind)?;
    Err(Error::not_found(
        "E-POLICY-001",
        format!("「{}」の記録がまだありません", declared.label.ja),
        format!("there are no records of \"{}\" yet", declared.label.en),
    )
    .at(Place::field(kind))
    .hint(
        format!("`toji seed load` または `toji record import {kind} FILE` で取り込んでください"),
        format!("take them in with `toji seed load` or `toji record import {kind} FILE`"),
    ))
}

/// How people read a code of a choice field; codes outside the vocabulary stand as they are.
pub(super) fn spoken(kind: &Kind, field: &str, code: &str) -> Text {
    let known = kind.field(field).and_then(|f| f.choices.iter().find(|c| c.code == code));
    known.map_or_else(|| Text::same(code), |c| c.label.clone())
}

/// What stands where a table says nothing.
pub(super) fn not_stated() -> Text {
    Text::new("記載なし", "not stated")
}

/// Decimal noise off a sum: 9.2 + 0.91 is 10.11 and not 10.109999999999999.
pub(super) fn tidy(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// Singles in order of their first appearance.
pub(super) fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut out: Vec<T> = Vec::new();
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_fields_count_as_missing_and_sums_lose_their_noise() {
        let fields = serde_json::from_str(r#"{"a": " ", "b_en": "x", "many": ["p", "q"]}"#).unwrap();
        let row = Row { id: "R1".into(), fields };
        assert_eq!((row.text("a"), row.text("many").as_deref()), (None, Some("p; q")));
        assert_eq!(row.words("b"), Text::same("x"));
        assert_eq!(tidy(9.2 + 0.91), 10.11);
        assert_eq!(distinct([2, 1, 2].into_iter()), [2, 1]);
    }
}
