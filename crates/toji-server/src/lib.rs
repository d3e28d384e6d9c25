//! The HTTP face of Toji: every operation as an endpoint, OpenAPI 3.1, jobs, uploads and the pages.
//!
//! Written over the registry of operations: a new operation needs no change here.
//!
//! **Architecture invariant:** no operation is named in this crate, and no rule of the field lives
//! here. It turns HTTP into `(operation, JSON)` and the answer back, and guards the way.

mod call;
mod entry;
mod face;
mod guard;
mod jobs;
mod live;
mod login;
pub mod openapi;
mod pages;
mod passkeys;
mod problem;
mod provider;
mod query;
pub mod schema;
mod serve;
mod upload;
mod who;

pub use entry::{router, router_of, router_over};
pub use face::{Front, Limits, now};
pub use guard::Hosts;
pub use problem::Problem;
pub use provider::{Provider, ProviderSettings};
pub use serve::{ServeOptions, Server, serve, stop_signal};
pub use toji_ops::Party;
