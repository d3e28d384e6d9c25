//! Rules that repeat an expert's decisions: a short list "if …, then …, else …", learnt from decisions with
//! the state they were made in, and judged on runs it has not seen.
//!
//! A list is read from the top; the first rule whose conditions hold decides, and the last line is what is
//! done otherwise. It is kept short on purpose: the expert must be able to read it and say no.

mod learn;
mod list;

pub use learn::{Case, HeldOut, Learning, held_out, learn};
pub use list::{Condition, Rule, RuleList, Side};
