//! Which ASM property a result is, and its number in that property's unit.

use crate::asm_terms::{self, CONCENTRATIONS, Group, SPECTRUM, SPECTRUM_UNIT, WAVELENGTH};
use serde_json::{Value as Json, json};
use toji_core::culture::Assay;
use toji_core::value::fold_width;
use toji_core::{Decimal, Unit, Value, ValueKind};

/// How a result stands in a measurement document.
pub(super) struct Placed {
    /// Where.
    pub(super) group: Group,
    /// Property, or property of the analyte document; the source's name for custom information.
    pub(super) property: String,
    /// Name for people and for error documents: the analyte's name or the property.
    pub(super) name: String,
    /// Number and unit, for results that are numbers.
    pub(super) quantity: Option<Json>,
    /// Unit of `quantity`, as ASM writes it.
    pub(super) unit: Option<String>,
}

/// The group a result belongs to.
pub(super) fn group(assay: &Assay) -> Group {
    place(assay).group
}

/// The place of a result. Results whose unit fits no property are custom information.
pub(super) fn place(assay: &Assay) -> Placed {
    let name = assay.fields.get("name").and_then(|n| n.as_str()).unwrap_or(&assay.analyte).to_owned();
    let custom = |group: Group, property: &str| {
        let unit = assay.value.raw_unit.clone().or_else(|| assay.value.unit.as_ref().map(|u| u.code().to_owned()));
        let quantity = assay.value.number.and_then(serde_json::Number::from_f64).map(Json::Number);
        Placed { group, property: property.to_owned(), name: name.clone(), quantity, unit: unit.filter(|u| u != "1") }
    };
    let is_number = assay.value.kind == ValueKind::Exact;
    if let Some(term) = assay.variable.as_deref().and_then(asm_terms::of_variable) {
        let placed = |quantity| Placed {
            group: term.group,
            property: term.property.to_owned(),
            name: term.property.to_owned(),
            quantity,
            unit: Some(term.unit.to_owned()),
        };
        if !is_number {
            return placed(None);
        }
        return match converted(&assay.value, term.unit) {
            Some(number) => placed(Some(json!({"value": number, "unit": term.unit}))),
            None => custom(Group::Custom, &assay.analyte),
        };
    }
    if let Some(wavelength_nm) = wavelength_nm(assay).filter(|_| assay.variable.is_none() && is_absorbance(&assay.value)) {
        let quantity = is_number.then(|| converted(&assay.value, SPECTRUM_UNIT)).flatten();
        return Placed {
            group: Group::Spectrum,
            property: SPECTRUM.to_owned(),
            name: asm_terms::spectral_name(wavelength_nm),
            quantity: quantity.map(|number| json!({"value": number, "unit": SPECTRUM_UNIT})),
            unit: Some(SPECTRUM_UNIT.to_owned()),
        };
    }
    // Only what is written as so much per volume: a percentage converts to mL/L, a pH to mol/L, but
    // neither is a concentration of the analyte.
    let concentration = assay
        .value
        .unit
        .as_ref()
        .filter(|unit| unit.code().contains('/'))
        .and_then(|unit| CONCENTRATIONS.iter().find(|(_, to)| asm_terms::unit(to).is_some_and(|to| unit.commensurable(&to))));
    match concentration {
        Some((property, unit)) if is_number => match converted(&assay.value, unit) {
            Some(number) => Placed {
                group: Group::Analyte,
                property: (*property).to_owned(),
                name: name.clone(),
                quantity: Some(json!({"value": number, "unit": unit})),
                unit: Some((*unit).to_owned()),
            },
            None => custom(Group::Custom, &assay.analyte),
        },
        Some((property, unit)) => Placed {
            group: Group::Analyte,
            property: (*property).to_owned(),
            name: name.clone(),
            quantity: None,
            unit: Some((*unit).to_owned()),
        },
        None => custom(Group::Custom, &assay.analyte),
    }
}

/// The number in ASM's unit, exactly where that has a finite decimal form. Optical density counts as
/// absorbance: both are the decadic logarithm at 1 cm, so OD 6.32 is 6320 mAU.
fn converted(value: &Value, to: &str) -> Option<serde_json::Number> {
    let unit = value.unit.as_ref()?;
    let to = asm_terms::unit(to)?;
    let decimal = Decimal::parse(&fold_width(&value.text)).filter(|d| Some(d.to_f64()) == value.number);
    let number = if is_density(unit) && to.code() == "10*-3.{AU}" {
        match decimal {
            Some(decimal) => decimal.shift(3).to_f64(),
            None => value.number? * 1000.0,
        }
    } else {
        value.to_unit(&to).ok()?.number?
    };
    serde_json::Number::from_f64(number)
}

/// The wavelength a result was measured at.
pub(super) fn wavelength_nm(assay: &Assay) -> Option<f64> {
    let text = assay.fields.get(WAVELENGTH)?.as_str()?;
    Decimal::parse(&text.replace(',', ".")).map(Decimal::to_f64)
}

fn is_absorbance(value: &Value) -> bool {
    let absorbance = asm_terms::unit(SPECTRUM_UNIT);
    value.unit.as_ref().zip(absorbance).is_some_and(|(unit, absorbance)| unit.commensurable(&absorbance))
}

fn is_density(unit: &Unit) -> bool {
    unit.code().starts_with("{OD")
}

/// The text as the source wrote it, with its unit.
pub(super) fn written(value: &Value) -> String {
    match value.raw_unit.as_deref() {
        Some(raw) if !raw.is_empty() && !value.text.ends_with(raw) => format!("{} {raw}", value.text),
        _ => value.text.clone(),
    }
}

/// Does the number in the document say all that the text says?
pub(super) fn says_all(value: &Value, placed: &Placed) -> bool {
    let number = placed.quantity.as_ref().and_then(|q| q.get("value").or(Some(q))).and_then(Json::as_f64);
    let same_number = number.is_some_and(|n| n.to_string() == value.text);
    let same_unit = value.raw_unit.as_ref().is_none_or(|raw| Some(raw) == placed.unit.as_ref());
    same_number && same_unit
}
