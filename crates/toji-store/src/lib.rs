//! Keeps things: the ledger, the files as they came, records, series, and SQL over all of it.
//!
//! **Architecture invariant:** the store knows `toji-core` and no engine, no instrument format and no
//! operation. Every read passes [`Store::allow`] or the gate behind it.

mod align;
mod blob;
mod blocking;
mod catalogue;
mod columns;
mod commit;
mod data;
mod fault;
mod homes;
mod jobs;
mod ledger;
mod merge;
mod parcel;
mod past;
mod plot;
mod reads;
mod rebuild;
mod records;
mod search;
mod secrets;
mod series;
mod shelf;
mod sight;
mod sql;
mod store;
mod strays;
mod tail;
mod trail;
mod vault;
mod verify;

pub use align::{Aligned, Grid, align, as_of, thin};
pub use catalogue::Backend;
pub use columns::{Column, to_parquet};
pub use commit::{Commit, Put, Receipt, RunSeries};
pub use data::{AsOf, ChannelSummary, Summaries};
pub use jobs::{JobOwner, JobRow, JobState};
pub use ledger::{Body, Change, Event, Head};
pub use merge::Merged;
pub use parcel::{Piece, unpack_series};
pub use past::PartsAt;
pub use plot::{Plotted, column_width_ns};
pub use reads::{AllowedReads, NotedDecision};
pub use rebuild::Rebuilt;
pub use records::{Link, Version};
pub use search::{Hit, SearchAnswer};
pub use secrets::SessionRow;
pub use series::{Base, Series};
pub use sql::Table;
pub use store::Store;
pub use tail::{LatestPoint, Limits as LiveLimits, LiveState, Outage, Sealed, live_channel_id, live_run_id, silence};
pub use trail::{ERASED, Pseudonym, Trail, TrailRow};
pub use verify::Checked;
