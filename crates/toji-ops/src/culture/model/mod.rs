//! Models: shown with their proofs, simulated, fitted to runs and handed on as PEtab problems, corrected by what runs
//! teach, their forecasts beside what came of them, their inputs optimised, cultures controlled by them, and the steady
//! states of continuous ones.

mod calibration;
mod check;
mod continuous;
mod control;
mod course;
mod fit;
mod hybrid;
mod optimise;
mod petab;
mod predict;
mod problem;
mod readings;
mod simulate;
mod together;

pub(in crate::culture) use calibration::between;
pub(crate) use fit::Sought;
pub(in crate::culture) use readings::{Read, begins_s, thinned};
pub(crate) use together::{Asked, Together};

use crate::operation::{Context, Operation};
use crate::run::fetch;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result, Unit};
use toji_culture::model::{File, Model, SHIPPED, shipped};

pub(super) fn operations() -> [Operation; 10] {
    [
        check::operation(),
        simulate::operation(),
        fit::operation(),
        petab::operation(),
        hybrid::operation(),
        predict::operation(),
        calibration::operation(),
        optimise::operation(),
        control::operation(),
        continuous::operation(),
    ]
}

/// A model by the name of one that ships, by path or address of its file, or as the text itself.
pub(in crate::culture) async fn model(context: &Context, named: &str) -> Result<Model> {
    let (text, file) = text(context, named).await?;
    Model::read(&text).map_err(|error| if file.is_empty() { error } else { error.in_file(&file) })
}

/// The file of a model, with constants set.
async fn model_file(context: &Context, named: &str, set: &BTreeMap<String, Json>) -> Result<File> {
    let (text, name) = text(context, named).await?;
    let mut file = File::read(&text).map_err(|error| if name.is_empty() { error } else { error.in_file(&name) })?;
    for (constant, given) in set {
        let field = format!("set.{constant}");
        let Some(it) = file.constant.get_mut(constant) else {
            let names: Vec<&str> = file.constant.keys().map(String::as_str).collect();
            return Err(Error::not_found(
                "E-MODEL-020",
                format!("定数 «{constant}» はモデルファイルにありません"),
                format!("the model file has no constant «{constant}»"),
            )
            .at(Place::field(field))
            .hint(format!("定数: {}", names.join("、")), format!("constants: {}", names.join(", "))));
        };
        let unit = Unit::parse(&it.unit)?;
        (it.value, it.expression) = (Some(given_quantity(given, &unit, &field)?), None);
    }
    Ok(file)
}

/// A number in the usual unit, or text with a unit.
fn given_quantity(given: &Json, unit: &Unit, field: &str) -> Result<f64> {
    match given {
        Json::String(text) => quantity(text, unit, field),
        other => quantity(&other.to_string(), unit, field),
    }
}

/// The text of a model, and the name of its file where it is one.
async fn text(context: &Context, named: &str) -> Result<(String, String)> {
    if let Some(text) = shipped(named) {
        return Ok((text.to_owned(), String::new()));
    }
    if named.contains('\n') {
        return Ok((named.to_owned(), String::new()));
    }
    let names = SHIPPED.map(|(name, _)| name).join(", ");
    let (file, bytes) = fetch(context, named).await.map_err(|error| {
        let fault = error.fault();
        Error::new(fault.category, fault.code, fault.message.ja.clone(), fault.message.en.clone()).at(Place::field("model")).hint(
            format!("付属のモデル: {names}。またはモデルファイルの場所か sha256: アドレス"),
            format!("models that ship: {names}; or the path or sha256: address of a model file"),
        )
    })?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Error::input("E-MODEL-015", "モデルファイルが UTF-8 ではありません", "the model file is not UTF-8")
            .at(Place::default().in_file(&file))
            .hint("UTF-8 の TOML で保存してください", "save it as TOML in UTF-8")
    })?;
    Ok((text, file))
}

/// A constant as it is given: a number in the model's unit, or text with a unit; its place and value.
fn constant(model: &Model, name: &str, given: &Json, field: &str) -> Result<(usize, f64)> {
    let place = model.system.constant(name).map_err(|error| error.at(Place::field(field)))?;
    Ok((place, given_quantity(given, &unit_of(model, name), field)?))
}

/// Unit of a quantity of the model.
fn unit_of(model: &Model, name: &str) -> Unit {
    model.described(name).map_or_else(Unit::one, |d| d.unit.clone())
}

/// `30 h`, `0.4 /h` or a number in the usual unit, as a number in that unit.
pub(in crate::culture) fn quantity(text: &str, unit: &Unit, field: &str) -> Result<f64> {
    let text = text.trim();
    let (number, code) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let value: f64 = number.parse().ok().filter(|v: &f64| v.is_finite()).ok_or_else(|| {
        Error::input("E-MODEL-016", format!("«{text}» は数と単位ではありません"), format!("«{text}» is no number with a unit"))
            .at(Place::field(field))
            .hint(format!("例: 12.5 {unit}"), format!("example: 12.5 {unit}"))
    })?;
    if code.trim().is_empty() {
        return Ok(value);
    }
    Unit::parse(code.trim()).and_then(|given| given.convert(value, unit)).map_err(|error| error.at(Place::field(field)))
}
