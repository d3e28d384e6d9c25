//! The live tail: what connected sources said lately, durable at once and readable at once.
//!
//! A database transaction for every message of every vessel would wear out the disk, and a Parquet file for every
//! second could not be read. So live points go first into a *journal*: files that are only ever appended to,
//! frame by frame, each frame with its length, its hash, and the hash of the frame before. Many appends share one
//! `fsync`, and only then are they acknowledged. The same points stand in memory, where every reader of series
//! finds them behind the stored parts. After some minutes or some number of points the journal is *sealed*: a new
//! journal file is begun, and what the old one holds goes run by run through the ordinary commit into Parquet parts
//! and the ledger. In the same transaction the catalogue notes how far the run is sealed, so a crash at any moment
//! neither loses nor doubles a point.
//!
//! * `cell.rs`: what a point says, as it is compared and kept. `column.rs`: the points of a channel in memory.
//! * `frame.rs`: a frame's content as bytes. `journal.rs`: frames in files; torn ends and altered bytes told apart.
//! * `state.rs`: everything of the tail in memory, by journal file, run and channel; the view of readers.
//! * `records.rs`: the run, its channels and its marks as records. `offset.rs`: how far a source's clock is off.
//! * `append.rs`: the group commit. `seal.rs`: from the journal into parts. `check.rs`: verification.
//!
//! One process at a time appends (it holds a lock on `live/lock`); any number of others read along.

mod append;
mod cell;
mod check;
mod column;
mod frame;
mod journal;
mod offset;
mod outage;
mod records;
mod seal;
mod state;

pub use append::Limits;
pub use outage::{Outage, silence};
pub use records::{live_channel_id, live_run_id};
pub use seal::Sealed;
pub use state::{LatestPoint, LiveState};
pub(crate) use state::{Tail, add};
