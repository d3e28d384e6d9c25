//! What each member gave, took and owes: a ledger in double entry.
//!
//! A member that takes cooperative data owes something back (還元義務, DUO:0000029 "return to database"),
//! by a date. Accepted feedback books the duty off; a dispute freezes it and deletes nothing; only a signed
//! waiver lets it go without feedback. Every transaction is a [`Cause`] from which its entries follow, so a
//! transaction that does not sum to zero cannot be written down.
//!
//! | cause | entries (data sets) | entries (duties) |
//! | --- | --- | --- |
//! | deposit of `n` | given `+n`, pool `−n` | |
//! | taking of `n`, duty of `k` | taken `−n`, pool `+n` | duty `−k`, claim `+k` |
//! | feedback of `k` accepted, or waived | | duty `+k`, claim `−k` |
//! | dispute of `k` | | duty `+k`, disputed `−k` |
//! | upheld | | duty `−k`, disputed `+k` |
//! | dismissed | | disputed `+k`, claim `−k` |
//! | reversal | the same with the other sign | the same with the other sign |
//!
//! **Invariants**, each held by a property test: the sum of all accounts is zero in each unit and agreement
//! at every instant; what a duty still asks for is never below zero at any instant; the same transactions
//! give the same ledger in whatever order they arrived; a refused transaction changes nothing.

mod cause;
mod duty;
mod ledger;
mod statement;

pub use cause::{Account, Cause, DutyTerms, Entry, Transaction, UNITS_MAX, Unit};
pub use duty::OpenDuty;
pub use ledger::{Ledger, Posted};
pub use statement::{Balance, Line, Statement};
