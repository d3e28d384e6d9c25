//! Migrations: records of an earlier version of a kind become records of the present one. Nothing is
//! dropped: a step renames, fills, maps, splits or converts.

use super::Kind;
use crate::error::{Error, Place, Result};
use crate::record::FieldMap;
use crate::unit::Unit;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The way from one version to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// The version it starts from; it leads to the next.
    pub from: u32,
    /// Steps, in order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// One step of a migration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// A field has a new name.
    Rename {
        /// Old name.
        field: String,
        /// New name.
        to: String,
    },
    /// A new field gets a value where there is none.
    Fill {
        /// Field.
        field: String,
        /// Value.
        value: Json,
    },
    /// Codes of a vocabulary have new names; others stay.
    Map {
        /// Field.
        field: String,
        /// Old code → new code.
        codes: BTreeMap<String, String>,
    },
    /// One text becomes a list of texts; blank parts go.
    Split {
        /// Field.
        field: String,
        /// What parts the texts.
        separator: String,
    },
    /// A number is kept in another unit.
    Convert {
        /// Field.
        field: String,
        /// Old unit.
        from_unit: Unit,
        /// New unit.
        to_unit: Unit,
    },
}

impl Kind {
    /// Brings the fields of a record of version `from` to the present version.
    ///
    /// # Errors
    /// The record is of a version this build does not know, or a number cannot be converted.
    pub fn migrate(&self, fields: &FieldMap, from: u32) -> Result<FieldMap> {
        if from == 0 || from > self.version {
            return Err(Error::input(
                "E-KIND-010",
                format!("種別 {} の版 {from} は、この Toji が知る版 {} より新しいか不正です", self.kind, self.version),
                format!("version {from} of kind {} is not known here (present: {})", self.kind, self.version),
            )
            .hint("Toji を新しくしてください", "use a newer Toji"));
        }
        let mut fields = fields.clone();
        for migration in self.migrations.iter().filter(|m| m.from >= from) {
            for step in &migration.steps {
                step.apply(&mut fields)?;
            }
        }
        Ok(fields)
    }
}

impl Step {
    fn apply(&self, fields: &mut FieldMap) -> Result<()> {
        match self {
            Self::Rename { field, to } => {
                if let Some(value) = fields.remove(field) {
                    fields.insert(to.clone(), value);
                }
            }
            Self::Fill { field, value } => {
                fields.entry(field.clone()).or_insert_with(|| value.clone());
            }
            Self::Map { field, codes } => {
                if let Some(new) = fields.get(field).and_then(Json::as_str).and_then(|old| codes.get(old)) {
                    fields.insert(field.clone(), Json::from(new.as_str()));
                }
            }
            Self::Split { field, separator } => {
                if let Some(text) = fields.get(field).and_then(Json::as_str) {
                    let parts: Vec<&str> = text.split(separator.as_str()).map(str::trim).filter(|p| !p.is_empty()).collect();
                    let list = Json::from(parts);
                    fields.insert(field.clone(), list);
                }
            }
            Self::Convert { field, from_unit, to_unit } => {
                if let Some(number) = fields.get(field).and_then(Json::as_f64) {
                    let converted = from_unit.convert(number, to_unit).map_err(|e| e.at(Place::field(field)))?;
                    fields.insert(field.clone(), Json::from(converted));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_record_becomes_a_new_one_without_loss() {
        let kind = Kind::parse(
            "t.toml",
            r#"
kind = "t"
version = 3
group = "g"
label = { ja = "試", en = "T" }
about = { ja = "試", en = "T" }
title = { ja = "name", en = "name" }
[[field]]
name = "name"
type = "text"
label = { ja = "名", en = "Name" }
[[field]]
name = "volume"
type = "number"
unit = "L"
label = { ja = "容量", en = "Volume" }
[[field]]
name = "state"
type = "text"
label = { ja = "状態", en = "State" }
[[migration]]
from = 1
step = [{ rename = { field = "title", to = "name" } }, { fill = { field = "state", value = "open" } }]
[[migration]]
from = 2
step = [{ convert = { field = "volume", from_unit = "mL", to_unit = "L" } }, { map = { field = "state", codes = { open = "running" } } }]
"#,
        )
        .unwrap();
        let old: FieldMap = serde_json::from_str(r#"{"title":"A","volume":250}"#).unwrap();
        let new = kind.migrate(&old, 1).unwrap();
        assert_eq!(serde_json::to_string(&new).unwrap(), r#"{"name":"A","state":"running","volume":0.25}"#);
        assert!(kind.migrate(&old, 4).is_err());
    }
}
