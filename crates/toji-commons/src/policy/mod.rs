//! The decision as a Cedar text, for others to read, check and prove.
//!
//! [`decide`](crate::decide) is what decides; it is called for every record that is read. Whoever has to trust it
//! (counsel, a member's own engineer) should not have to read Rust: the same rules stand in `policy/` as Cedar, a
//! language for policies with a published semantics and its own tools.
//!
//! | text | what |
//! | --- | --- |
//! | [`SCHEMA`] | what there is: persons, organisations, data sets, areas, purposes, actions |
//! | [`RULES`] | what holds whatever is agreed, clause by clause, each with its name and reason in two languages |
//! | [`any_agreement`] | what an agreement permits, with its terms as data: for proofs about every agreement there can be |
//! | [`compile`] | the rules and the agreements of a commons, each with its terms in its text, and its entities |
//!
//! `proofs/`, a workspace of its own, holds the texts to the decision: the same answer on all worlds tried, properties
//! proved by Cedar's symbolic compiler, altered rules refuted. This module only writes text and depends on nothing.
//!
//! **Architecture invariant:** whatever a name or a country contains, it ends up inside one string of the text
//! ([`quoted`]); nothing that a member chose can become a rule.

mod compile;
mod entities;
mod question;
mod total;
mod words;

pub use compile::{Compiled, agreement_rules, compile};
pub use question::question;
pub use total::Total;
pub use words::quoted;

use toji_core::Id;

/// What the rules speak of, as a Cedar schema.
pub const SCHEMA: &str = include_str!("../../policy/commons.cedarschema");
/// The rules that hold whatever is agreed.
pub const RULES: &str = include_str!("../../policy/commons.cedar");
/// What an agreement permits, for `Agreement::"any"`.
pub const ANY_AGREEMENT: &str = include_str!("../../policy/agreement.cedar");

/// What an agreement permits, with its terms read from the entity of this name.
#[must_use]
pub fn any_agreement(id: &Id) -> String {
    let named = |of: &str| format!("@id({})", quoted(&format!("any:{id}:{of}")));
    let text = ANY_AGREEMENT.replace("@id(\"agreement-describe\")", &named("describe"));
    let text = text.replace("@id(\"agreement-take\")", &named("take"));
    text.replace("Agreement::\"any\"", &words::entity("Agreement", id.as_str()))
}
