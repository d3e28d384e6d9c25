//! Machine proofs about the Cedar text of the commons (`crates/toji-commons/policy/`).
//!
//! * [`text`]: the schema, policy sets named by their `@id`, edits of rules.
//! * [`prover`]: Cedar's symbolic compiler with cvc5, over every kind of request that the schema has.
//! * [`property`]: what must hold (`properties.cedar`): never permitted, or always.
//! * [`mutant`]: altered rules, each with the property that it must break.
//! * [`change`]: who gains and who loses by a change of the rules.
//!
//! What is proved holds for all requests and entities that fit the schema, and says nothing about entities that do not
//! tell the truth: a wrong owner, a wrong area, a clock that lies.

pub mod change;
pub mod mutant;
pub mod property;
pub mod prover;
pub mod text;

/// Whatever goes wrong ends the proof.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
