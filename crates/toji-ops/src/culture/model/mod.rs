//! Models: shown with their proofs, and simulated.

mod check;
mod simulate;

use crate::operation::{Context, Operation};
use crate::run::fetch;
use toji_core::{Error, Place, Result, Unit};
use toji_culture::model::{Model, SHIPPED, shipped};

pub(super) fn operations() -> [Operation; 2] {
    [check::operation(), simulate::operation()]
}

/// A model by the name of one that ships, by path or address of its file, or as the text itself.
async fn model(context: &Context, named: &str) -> Result<Model> {
    if let Some(text) = shipped(named) {
        return Model::read(text);
    }
    if named.contains('\n') {
        return Model::read(named);
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
    Model::read(&text).map_err(|error| error.in_file(&file))
}

/// `30 h`, `0.4 /h` or a number in the usual unit, as a number in that unit.
fn quantity(text: &str, unit: &Unit, field: &str) -> Result<f64> {
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
