//! What went into a lot: material lots, strain, medium, inoculum and what was added on the way, each with its amount
//! where one is stored. Nothing is read out of words.

use super::gather::{Gathered, MaterialPart, RunPart};
use super::rows::label;
use crate::run::text;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;
use toji_core::record::FieldMap;
use toji_core::{Record, Text, Unit, Value};
use toji_culture::rates::{self, Quantity};

/// What pumps added in total, as the analysis has it.
const TOTALS: [&str; 2] = ["feed-total", "base-total"];

/// Something that went into the lot.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct MaterialRow {
    /// `material-lot`, `strain`, `medium`, `inoculum`, `parent`, `addition` or `total`.
    category: String,
    /// What it is.
    label: Text,
    /// How much.
    amount_used: Option<f64>,
    /// Unit, UCUM.
    unit: Option<String>,
    /// Run it went into.
    pub(super) run: Option<String>,
    /// When it was added, UTC.
    time: Option<String>,
    /// Material.
    material: Option<String>,
    /// Material lot.
    pub(super) material_lot: Option<String>,
    /// State of the material lot.
    pub(super) state: Option<String>,
    /// Expiry of the material lot.
    pub(super) expires: Option<String>,
    /// Record that says so: kind and identifier.
    record: String,
}

impl MaterialRow {
    fn of(category: &str, label: Text, record: String) -> Self {
        Self {
            category: category.to_owned(),
            label,
            amount_used: None,
            unit: None,
            run: None,
            time: None,
            material: None,
            material_lot: None,
            state: None,
            expires: None,
            record,
        }
    }
    fn with(mut self, amount: Option<(f64, String)>) -> Self {
        (self.amount_used, self.unit) = amount.unzip();
        self
    }
    fn made_of(mut self, part: &MaterialPart) -> Self {
        let fields = &part.lot.fields;
        self.material = text(fields, "material");
        self.material_lot = Some(part.lot.id.to_string());
        self.state = text(fields, "state");
        self.expires = text(fields, "expires");
        self
    }
}

pub(super) fn materials(all: &Gathered) -> Vec<MaterialRow> {
    let mut out = Vec::new();
    let amounts = all.lot.fields.get("amounts").cloned().unwrap_or(Json::Null);
    let named = super::gather::list(&all.lot.fields, "materials");
    for part in all.materials.iter().filter(|m| named.iter().any(|id| id == m.lot.id.as_str())) {
        let amount = amounts.get(part.lot.id.as_str()).and_then(|of| amount_in(of, None));
        out.push(MaterialRow::of("material-lot", name(part), format!("lot/{}", all.lot.id)).with(amount).made_of(part));
    }
    for part in &all.runs {
        let from = out.len();
        of_run(part, all, &mut out);
        out.iter_mut().skip(from).for_each(|row| row.run = Some(part.id().to_owned()));
    }
    out
}

fn name(part: &MaterialPart) -> Text {
    let lot = text(&part.lot.fields, "lot").unwrap_or_else(|| part.lot.id.to_string());
    let material = part.material.as_ref().map(|m| {
        let of = |name: &str| text(&m.fields, name);
        let ja = of("name").unwrap_or_else(|| m.id.to_string());
        Text::new(ja.clone(), of("name_en").unwrap_or(ja))
    });
    match material {
        Some(name) => Text::new(format!("{} ({lot})", name.ja), format!("{} ({lot})", name.en)),
        None => Text::same(&lot),
    }
}

fn of_run(part: &RunPart, all: &Gathered, out: &mut Vec<MaterialRow>) {
    let of_record = format!("run/{}", part.id());
    let strain = part.referred("strain").and_then(|s| text(&s.fields, "name"));
    if let Some(strain) = strain.or_else(|| part.text("strain_name")).or_else(|| part.text("strain")) {
        out.push(MaterialRow::of("strain", Text::same(&strain), of_record.clone()));
    }
    for field in ["medium", "inoculum", "parent"] {
        if let Some(words) = part.text(field) {
            out.push(MaterialRow::of(field, Text::same(&words), of_record.clone()));
        }
    }
    for event in part.whole.of("event") {
        let facts = event.fields.get("fields").unwrap_or(&Json::Null);
        let lot = facts.get("material_lot").and_then(Json::as_str);
        let is_addition = text(&event.fields, "sort").as_deref() == Some("addition");
        if !is_addition && lot.is_none() && facts.get("material").is_none() {
            continue;
        }
        let known = lot.and_then(|id| all.materials.iter().find(|m| m.lot.id.as_str() == id));
        let mut row = MaterialRow::of("addition", label(event), format!("event/{}", event.id)).with(amount(facts));
        row.time = text(&event.fields, "time");
        row.material = facts.get("material").and_then(Json::as_str).map(str::to_owned);
        row.material_lot = lot.map(str::to_owned);
        out.push(match known {
            Some(part) => row.made_of(part),
            None => row,
        });
    }
    for quantity in quantities(part.analysis.as_ref()).into_iter().filter(|q| TOTALS.contains(&q.code.as_str())) {
        let from = part.analysis.as_ref().map(|a| format!("analysis/{}", a.id)).unwrap_or_default();
        out.push(MaterialRow::of("total", rates::label(&quantity.code), from).with(Some((quantity.value, quantity.unit))));
    }
}

/// The quantities of a kept analysis.
pub(super) fn quantities(analysis: Option<&Record>) -> Vec<Quantity> {
    let kept = analysis.and_then(|a| a.fields.get("quantities")).cloned();
    kept.and_then(|q| serde_json::from_value(q).ok()).unwrap_or_default()
}

/// An amount with its unit: a value object, `{ "value": 1, "unit": "kg" }`, or a number beside its unit.
fn amount_in(of: &Json, unit_beside: Option<&str>) -> Option<(f64, String)> {
    let (number, unit) = match of {
        Json::Object(parts) => {
            let number = ["value", "number"].iter().find_map(|name| parts.get(*name)?.as_f64())?;
            (number, parts.get("unit")?.as_str()?)
        }
        other => (other.as_f64()?, unit_beside?),
    };
    Some((number, Unit::parse(unit).ok()?.code().to_owned()))
}

/// The amount that the facts of an event state.
fn amount(facts: &Json) -> Option<(f64, String)> {
    let beside = facts.get("unit").and_then(Json::as_str);
    if let Some(found) = ["amount", "quantity", "value"].iter().find_map(|name| amount_in(facts.get(*name)?, beside)) {
        return Some(found);
    }
    for (name, unit) in [("volume_ml", "mL"), ("volume_l", "L"), ("mass_g", "g"), ("mass_kg", "kg")] {
        if let Some(number) = facts.get(name).and_then(Json::as_f64) {
            return Some((number, unit.to_owned()));
        }
    }
    // As batch records of B2MML write it: `12.5 kg`.
    let (number, unit) = facts.get("Value")?.as_str()?.trim().split_once(' ')?;
    Some((Value::parse(number).number?, Unit::parse(unit).ok()?.code().to_owned()))
}

/// Does the record of a run say what it was grown in?
pub(super) fn has_medium(fields: &FieldMap) -> bool {
    text(fields, "medium").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_are_read_where_they_are_stored_and_nowhere_else() {
        let check = |facts: Json, expected: Option<(f64, &str)>| {
            assert_eq!(amount(&facts), expected.map(|(n, u)| (n, u.to_owned())), "{facts}");
        };
        check(json!({ "amount": { "value": 12.5, "unit": "kg" } }), Some((12.5, "kg")));
        check(json!({ "amount": { "kind": "exact", "number": 3, "unit": "g", "text": "3" } }), Some((3.0, "g")));
        check(json!({ "amount": 20, "unit": "mL" }), Some((20.0, "mL")));
        check(json!({ "volume_ml": 1.5 }), Some((1.5, "mL")));
        check(json!({ "Value": "12.5 kg" }), Some((12.5, "kg")));
        check(json!({ "amount": 20 }), None);
        check(json!({ "amount": { "value": 1, "unit": "spoons full" } }), None);
        check(json!({ "note": "2 kg of glucose" }), None);
        check(json!(null), None);
    }
}
