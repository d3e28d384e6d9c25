//! Cells that live on gas: the net conversion of an optimum, its balances, its heat told in two ways, the gas it asks for, the
//! transfer that takes, and where the gas stands between the limits of flammability.
//!
//! Rates per gram of dry cells and hour as in the model; amounts given off are positive, those taken up negative.

mod compound;
mod demand;
mod flammable;
mod heat;
mod net;
mod report;

pub use compound::Given;
pub use demand::{Demand, GasNeed, Inlet, Need, Transfer, Vessel};
pub use flammable::{
    LIMITING_OXYGEN, LOWER_LIMIT, MARGIN_HYDROGEN, MARGIN_OXYGEN, Mix, Place, Standing, UPPER_LIMIT_AIR, UPPER_LIMIT_OXYGEN,
};
pub use heat::Heat;
pub use net::{Biomass, Net, Term};
pub use report::{GasTask, Report, assess};

use toji_core::{Error, Quantity, Result, Unit};

/// An input that cannot be.
fn wrong(field: impl Into<String>, ja: impl Into<String>, en: impl Into<String>) -> Error {
    let field = field.into();
    let (ja, en) = (ja.into(), en.into());
    Error::input("E-FLUX-110", format!("{field}: {ja}"), format!("{field}: {en}"))
        .at(toji_core::Place::field(field))
        .hint("この項目を直してください", "correct this entry")
}

/// A finite quantity in a unit.
fn value(of: &Quantity, unit: &str, field: &str) -> Result<f64> {
    let found = of.unit.convert(of.value, &Unit::parse(unit)?).map_err(|e| e.at(toji_core::Place::field(field)))?;
    if found.is_finite() {
        Ok(found)
    } else {
        Err(wrong(field, "有限の数ではありません", "it is not a finite number"))
    }
}

/// A quantity above zero.
fn above(of: &Quantity, unit: &str, field: &str) -> Result<f64> {
    let found = value(of, unit, field)?;
    if found > 0.0 {
        Ok(found)
    } else {
        Err(wrong(field, "0 より大きくなければなりません", "it must be above zero"))
    }
}
