//! What Toji speaks of: quantities and units, values as they were measured, clocks, quality,
//! declared kinds and records, cultures, provenance, the access gate and errors.
//!
//! **Architecture invariant:** this crate does no I/O, reads no clock and holds no global state.
//! Everything above it (store, ingest, engines, operations, faces) shares these words.

pub mod canonical;
pub mod chance;
pub mod clock;
pub mod culture;
pub mod decimal;
pub mod error;
pub mod flammable;
pub mod gate;
pub mod id;
pub mod kind;
pub mod kinetics;
pub mod limits;
pub mod live;
pub mod provenance;
pub mod quality;
pub mod record;
pub mod scale;
pub mod special;
pub mod strain;
pub mod substance;
pub mod text;
pub mod unit;
pub mod value;
pub mod variable;
pub mod vocabulary;

pub use canonical::Digest;
pub use clock::{ClockTime, Instant, ZoneEvidence};
pub use decimal::Decimal;
pub use error::{Category, Diagnostic, Error, Place, Result, Severity};
pub use gate::{Access, Action, Belongs, Decision, Gate, OwnerGate, Principal, Resource};
pub use id::Id;
pub use kind::{Kind, KindSet};
pub use kinetics::{Kinetics, Law, Margin};
pub use provenance::Provenance;
pub use quality::{Cause, Quality, Status};
pub use record::Record;
pub use text::{Lang, Text};
pub use unit::{Quantity, Unit};
pub use value::{Value, ValueKind};
