//! What a model is once every notation is left behind: quantities that are constant, that change by a rate or
//! at events, or that are always something of the others; and events.
//!
//! A model file and SBML both end here; the kernel starts here.

use super::expression::Expression;
use std::sync::Arc;

/// A model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definition {
    /// Quantities, each name once.
    pub quantities: Vec<Quantity>,
    /// Events; of those due at one instant and of one priority the earlier in the list comes first.
    pub events: Vec<Event>,
}

/// A named quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// Name that expressions use.
    pub name: Arc<str>,
    /// What it does in time.
    pub role: Role,
}

/// What a quantity does in time.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// Never changes. Its value may be of other quantities as they are at the start. A value that is a plain
    /// number may be set for each simulation.
    Constant(Expression),
    /// Changes.
    State {
        /// Value at the start; it may be of other quantities at the start.
        initial: Expression,
        /// Change per unit of time; 0 where only events change it.
        rate: Expression,
    },
    /// Is always this, of the quantities of the same instant.
    Assigned(Expression),
}

/// Something that happens at an instant, when its trigger goes from false to true.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Name.
    pub name: Arc<str>,
    /// Condition.
    pub trigger: Expression,
    /// What the trigger is taken to have been just before the start: an event whose trigger is true at the start
    /// happens there only if this is false.
    pub was_true: bool,
    /// Between the trigger and a delayed execution: does it execute although the trigger is false again?
    pub persistent: bool,
    /// Time from the trigger to the execution.
    pub delay: Option<Expression>,
    /// Of several due at one instant the greater comes first. One that is the number +∞ comes before the triggers of all
    /// others are looked at: they see what it set.
    pub priority: Option<Expression>,
    /// The values that are set are those computed at the trigger, not at the execution.
    pub at_trigger: bool,
    /// States and what they are set to, all at once.
    pub sets: Vec<(Arc<str>, Expression)>,
}
