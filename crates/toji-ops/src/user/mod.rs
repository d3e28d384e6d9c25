//! Accounts: who can log in, with which roles, and how they prove who they are.
//!
//! Passwords, codes and tokens never pass through the input of an operation, for inputs are kept with jobs: they come
//! by [`crate::Session`] alone ([`login`], [`second`]). What is public of an account is a record of kind `user`;
//! what must stay secret stands in `toji_store`'s secrets, beside the ledger.

mod account;
mod ceremonies;
mod change;
mod doors;
mod enrolment;
mod household;
mod invite;
mod list;
mod login;
mod node_key;
#[cfg(test)]
mod passkey_tests;
mod passkeys;
mod provider;
mod second;
mod sessions;
#[cfg(test)]
mod tests;

pub(crate) use doors::Doors;
pub use login::{Caller, Client, LoggedIn, NotIn, RoleShown, WhoAmI};
pub use node_key::Challenge;
pub(crate) use node_key::answer_challenge;
pub use passkeys::PasskeyShown;
pub use second::NewKey;
pub use toji_commons::people::passkey::{Assertion, Party, Registration};

use crate::operation::Operation;
use toji_core::{Error, Place, Result};

/// Accounts go out of use by the operations that end their sessions too, and by those who may.
///
/// # Errors
/// `E-USER-011`.
pub(crate) fn may_retire(kind: &str) -> Result<()> {
    if kind != account::KIND {
        return Ok(());
    }
    Err(Error::input("E-USER-011", "利用者は使用停止にできません", "a user is not retired as a record")
        .at(Place::field("kind"))
        .hint("toji user lock か toji user close を使ってください", "use `toji user lock` or `toji user close`"))
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        invite::operation(),
        node_key::operation(),
        list::operation(),
        change::roles_operation(),
        change::lock_operation(),
        change::unlock_operation(),
        enrolment::reset_operation(),
        change::close_operation(),
        sessions::list_operation(),
        sessions::end_operation(),
    ]
}
