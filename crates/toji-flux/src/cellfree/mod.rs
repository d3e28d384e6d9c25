//! Cell-free cascades: enzymes in a vessel, followed to conversion, with their loadings chosen and the cells' way beside it.
//!
//! A [`Cascade`] is declared: species with formulas, enzymes with loadings, reactions with rate laws, feeds. Reading it proves
//! that every reaction keeps elements and charge, in exact arithmetic. [`simulate`] follows it over time, [`control`] tells
//! which enzyme decides, [`best_loading`] spends a budget of protein, [`compare`] sets the answer beside a metabolic model.
//!
//! Inside: mmol/L, hours, litres. At the boundary every number has its unit.

mod balance;
mod cascade;
mod control;
mod law;
mod loading;
mod moiety;
mod number;
mod rate;
mod rodas;
mod route;
mod simulate;
mod system;

pub use cascade::{Cascade, Cofactor, Enzyme, Feed, Inhibition, InhibitionKind, Law, Pair, Reaction, Species, Task};
pub use control::{Control, Measure, control};
pub use loading::{Goal, Loading, Share, best_loading};
pub use moiety::Moiety;
pub use route::{CellRoute, CellTask, Comparison, Way, cell_route, compare};
pub use simulate::{Course, Outcome, Summary, Turnover, simulate};

use toji_core::{Error, Place};

/// An input that cannot be.
fn wrong(field: impl Into<String>, ja: impl Into<String>, en: impl Into<String>) -> Error {
    let field = field.into();
    let (ja, en) = (ja.into(), en.into());
    Error::input("E-FLUX-100", format!("{field}: {ja}"), format!("{field}: {en}"))
        .at(Place::field(field))
        .hint("カスケードの記述のこの項目を直してください", "correct this entry of the cascade")
}
