//! What Toji does: every operation, declared once.
//!
//! **Architecture invariant:** only this crate joins the store with ingest and the engines. Faces call
//! operations and nothing below them. To add an operation: write its function in a file of its group,
//! and list it in the group's `operations()`.

mod attach;
mod commons;
mod culture;
mod dataset;
mod flux;
mod job;
pub mod live;
mod lot;
mod operation;
mod programme;
mod progress;
mod protocol;
mod random;
mod record;
mod run;
mod sense;
mod session;
mod simulate;
mod store;
mod user;

pub use job::{Job, JobView};
pub use operation::{Answer, Attachment, Context, Effect, Operation, Output, Words};
pub use progress::{Progress, Step};
pub use session::{Asker, Options, Session, Staged};
pub use toji_commons::people::provider;
pub use user::{
    Assertion, Caller, Challenge, Client, LoggedIn, NewKey, NotIn, Party, PasskeyShown, Registration, RoleShown, WhoAmI,
};

use std::sync::OnceLock;

/// Every operation, by name.
#[must_use]
pub fn operations() -> &'static [Operation] {
    static ALL: OnceLock<Vec<Operation>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<Operation> = [
            run::operations(),
            live::operations(),
            protocol::operations(),
            sense::operations(),
            culture::operations(),
            flux::operations(),
            commons::operations(),
            lot::operations(),
            simulate::operations(),
            dataset::operations(),
            record::operations(),
            store::operations(),
            programme::operations(),
            user::operations(),
        ]
        .into_iter()
        .flatten()
        .collect();
        all.sort_by_key(|o| o.name);
        all
    })
}

/// The operation of this name.
///
/// # Errors
/// No such operation.
pub fn operation(name: &str) -> toji_core::Result<&'static Operation> {
    operations().iter().find(|o| o.name == name).ok_or_else(|| {
        toji_core::Error::not_found(
            "E-OP-003",
            format!("操作「{name}」はありません"),
            format!("there is no operation \"{name}\""),
        )
        .hint("`toji --help` で一覧できます", "list them with `toji --help`")
    })
}
