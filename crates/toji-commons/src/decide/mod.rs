//! May this person do this with this data set, for this purpose, now? One decision with its clause.
//!
//! Clauses are asked in this order; the first that applies decides. *Own* data belongs to the asker's
//! organisation; data is *open* when its area is public and no embargo runs.
//!
//! | clause | applies | decision |
//! | --- | --- | --- |
//! | `clock-set-back` | the time lies before the last signed checkpoint | no |
//! | `unknown` | the data set is not known | no |
//! | `covered-person` | human-derived, and the asker's organisation is covered or not known | no |
//! | `open` | open, and not to write | yes |
//! | `no-account` | the asker is not known | no |
//! | `separation-of-duties` | operator or auditor, to do more than describe | no |
//! | `role` | none of the asker's roles may do it | no |
//! | `own` | own data | yes |
//! | `write-own-only` | to write | no |
//! | `listed` / `listing-review` | the organisation is blocked by, or under review for, a list | no |
//! | `clean-room` | clean room, to read, export or train | no |
//! | `never-exported` | cooperative, to export | no |
//! | `membership` | the organisation is no member at this time | no |
//! | `feedback-overdue` | cooperative, not only to describe, and a duty is overdue | no |
//! | `catalogue` | cooperative, to describe | yes |
//! | `no-agreement` … `embargo` | each agreement is asked in turn, see below | no |
//! | `agreement` | an agreement permits it | yes |
//!
//! An agreement is asked: does it cover the data set with both organisations as parties (`no-agreement`), is it
//! in force (`not-in-force`), does it reach the asker's country (`territory`), and, beyond describing: does it
//! grant the action (`not-granted`), for the purpose (`purpose`), and is the embargo over or the asker's
//! organisation among early access (`embargo`)? If none permits, the clause is that of the agreement that came
//! furthest.
//!
//! The owner's own data stays readable to the owner whatever lists, duties or agreements say; only separation of
//! duties, roles, the clock and the rule on human-derived data stand before it. Time is an input: an embargo
//! ends and a duty falls overdue without any job.
//!
//! **Why plain code and not Cedar.** The decision stands before every record that is read and every build pays for its
//! dependencies: `cedar-policy` 4.14.1 without default features brings 88 crates and took 156 CPU-seconds to build
//! in the dev profile. The clauses are therefore plain code, held to a second, naive evaluator over every combination,
//! and to a Cedar text of the same rules ([`policy`](crate::policy)), about which properties are proved in `proofs/`.

mod clause;
mod commons;
mod compare;
mod gate;
mod request;
mod role;

pub use clause::{Clause, Decision, Obligation};
pub use commons::Commons;
pub use compare::{Changed, compare};
pub use gate::{Place, Places, Ruled, Seat};
pub use request::{Action, Request};
pub use role::may;
