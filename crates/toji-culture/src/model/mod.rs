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
pub use file::{File, Formula, Profile, Start, State};
pub use shipped::{SHIPPED, shipped};

use crate::kernel::{Definition, System};
use std::collections::BTreeMap;
use toji_core::{Error, Result, Text, Unit};

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
    /// Times of the values of each profile, in the unit of time: the constant `NAME_k` is that from the k-th on.
    pub profiles: BTreeMap<String, Vec<f64>>,
    /// What the kernel sees.
    pub definition: Definition,
    /// Compiled.
    pub system: System,
    /// Element and electron balances of the reactions.
    pub balances: Vec<Balance>,
    /// What it was made of.
    pub file: File,
}

/// Compiles a model file that was read or made.
///
/// # Errors
/// As [`Model::read`], without those of the text.
pub fn compile(file: &File) -> Result<Model> {
    build::build(file)
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

    /// The same model with a profile that follows another table, in the units of the model: the feed of a run.
    ///
    /// # Errors
    /// No such profile; a table that [`Model::read`] would refuse.
    pub fn following(&self, profile: &str, at: Vec<f64>, values: Vec<f64>) -> Result<Self> {
        let mut file = self.file.clone();
        let Some(it) = file.profile.get_mut(profile) else {
            let names: Vec<&str> = file.profile.keys().map(String::as_str).collect();
            let known = if names.is_empty() { "—".to_owned() } else { names.join(", ") };
            return Err(Error::input(
                "E-MODEL-024",
                format!("モデルに «{profile}» という時間表はありません"),
                format!("the model has no profile «{profile}»"),
            )
            .hint(format!("モデルの時間表: {known}"), format!("profiles of the model: {known}")));
        };
        (it.at, it.values) = (at, values);
        build::build(&file)
    }

    /// A quantity by name.
    #[must_use]
    pub fn described(&self, name: &str) -> Option<&Described> {
        self.described.iter().find(|d| d.name == name)
    }
}
