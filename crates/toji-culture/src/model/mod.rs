//! The model file: species, reactions, streams, gas transfer and events with a unit on every number; compiled to the
//! kernel's definition with derived mass balances, and refused where an element or the electrons do not balance.

mod balance;
mod build;
mod dimension;
mod file;
mod shipped;
#[cfg(test)]
mod tests;

pub use balance::{Balance, Composition};
pub use build::VOLUME;
pub use file::{File, Profile};
pub use shipped::{SHIPPED, shipped};

use crate::kernel::{Definition, System};
use toji_core::{Result, Text, Unit};

/// What a quantity of a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The volume of the broth.
    Volume,
    /// A constant.
    Constant,
    /// A concentration in the broth.
    Species,
    /// Another quantity that changes.
    State,
    /// Follows a table.
    Profile,
    /// Always something of others.
    Defined,
    /// What is looked at.
    Observed,
}

/// A quantity of a model.
#[derive(Debug, Clone)]
pub struct Described {
    /// Name in expressions.
    pub name: String,
    /// Unit of its value.
    pub unit: Unit,
    /// What it is.
    pub kind: Kind,
    /// What people call it.
    pub label: Text,
}

/// A compiled model.
#[derive(Debug, Clone)]
pub struct Model {
    /// Identifier.
    pub id: String,
    /// Title.
    pub title: Text,
    /// Where it comes from.
    pub source: String,
    /// Unit of time.
    pub time: Unit,
    /// Quantities.
    pub described: Vec<Described>,
    /// What the kernel sees.
    pub definition: Definition,
    /// Compiled.
    pub system: System,
    /// Element and electron balances of the reactions.
    pub balances: Vec<Balance>,
}

impl Model {
    /// Reads and compiles a model file.
    ///
    /// # Errors
    /// As [`File::read`]; names, units, species and balances that are wrong: all of them at once, each at its field.
    pub fn read(text: &str) -> Result<Self> {
        Self::of(&File::read(text)?)
    }

    /// Compiles a model file.
    ///
    /// # Errors
    /// Names, units, species, balances and factors that are wrong: all of them at once, each at its field.
    pub fn of(file: &File) -> Result<Self> {
        build::build(file)
    }

    /// A quantity by name.
    #[must_use]
    pub fn described(&self, name: &str) -> Option<&Described> {
        self.described.iter().find(|d| d.name == name)
    }
}
