//! The document as it was written: names not yet looked up, formulas not yet evaluated.

use super::math::Math;
use crate::model::{Annotation, Compartment, GroupKind, Notes, Sense};
use std::collections::HashMap;

/// What an identifier, a name, notes and references are given to.
#[derive(Debug, Default)]
pub(super) struct Common {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) line: u64,
    pub(super) annotation: Annotation,
    pub(super) notes: Notes,
}

/// A species.
#[derive(Debug, Default)]
pub(super) struct Species {
    pub(super) common: Common,
    pub(super) compartment: Option<String>,
    pub(super) boundary: bool,
    pub(super) formula: Option<String>,
    pub(super) charge: Option<f64>,
}

/// A reactant or product.
#[derive(Debug)]
pub(super) struct Participant {
    /// Number of the species' name, see [`Raw::symbol`].
    pub(super) species: u32,
    /// −1 reactant, 1 product.
    pub(super) sign: f64,
    pub(super) stoichiometry: Option<f64>,
    /// Identifier of the stoichiometry, where it has one.
    pub(super) id: Option<Box<str>>,
    pub(super) math: Option<Box<Math>>,
    pub(super) line: u64,
}

/// Association of gene products by identifier.
#[derive(Debug)]
pub(super) enum Association {
    Gene(String, u64),
    And(Vec<Association>),
    Or(Vec<Association>),
}

/// A reaction.
#[derive(Debug, Default)]
pub(super) struct Reaction {
    pub(super) common: Common,
    pub(super) reversible: Option<bool>,
    /// Identifiers of parameters.
    pub(super) lower: Option<String>,
    pub(super) upper: Option<String>,
    pub(super) participants: Vec<Participant>,
    pub(super) association: Option<Association>,
    /// COBRA's parameters of the kinetic law.
    pub(super) lower_local: Option<f64>,
    pub(super) upper_local: Option<f64>,
    pub(super) objective_local: Option<f64>,
}

/// A flux bound of FBC version 1.
#[derive(Debug)]
pub(super) struct FluxBound {
    pub(super) reaction: String,
    /// Is it a lower bound, an upper bound.
    pub(super) side: (bool, bool),
    pub(super) value: f64,
    pub(super) line: u64,
}

/// A summand of an objective.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) reaction: String,
    pub(super) coefficient: f64,
    pub(super) quadratic: bool,
    pub(super) line: u64,
}

/// An objective.
#[derive(Debug, Default)]
pub(super) struct Objective {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) sense: Sense,
    pub(super) terms: Vec<Term>,
}

/// A summand of a user-defined constraint; the coefficient is the identifier of a parameter.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) coefficient: String,
    pub(super) variable: String,
    pub(super) quadratic: bool,
    pub(super) line: u64,
}

/// A user-defined constraint; bounds are identifiers of parameters.
#[derive(Debug, Default)]
pub(super) struct Constraint {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) lower: Option<String>,
    pub(super) upper: Option<String>,
    pub(super) components: Vec<Component>,
    pub(super) line: u64,
}

/// A group; members are identifiers (true: of meta-identifiers, which are not kept).
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) common: Common,
    pub(super) kind: GroupKind,
    pub(super) members: Vec<(String, u64)>,
}

/// A value with an identifier, by parameter or size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    pub(super) value: Option<f64>,
}

/// The document.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) level: u8,
    /// Is there FBC?
    pub(super) fbc: bool,
    pub(super) common: Common,
    pub(super) compartments: Vec<Compartment>,
    pub(super) species: Vec<Species>,
    pub(super) reactions: Vec<Reaction>,
    pub(super) genes: Vec<Common>,
    pub(super) bounds: Vec<FluxBound>,
    pub(super) objectives: Vec<Objective>,
    pub(super) active: Option<String>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) groups: Vec<Group>,
    /// Parameters, sizes and initial values.
    pub(super) values: HashMap<String, Value>,
    pub(super) initial: HashMap<String, Math>,
    pub(super) rules: HashMap<String, Math>,
    /// What a rule gives a rate.
    pub(super) rates: HashMap<String, u64>,
    pub(super) functions: HashMap<String, Math>,
    /// Numbers of names.
    pub(super) numbers: HashMap<String, u32>,
}

impl Raw {
    /// The number of a name, given on first sight.
    pub(super) fn symbol(&mut self, name: &str) -> u32 {
        match self.numbers.get(name) {
            Some(&known) => known,
            None => {
                let next = self.numbers.len() as u32;
                self.numbers.insert(name.to_owned(), next);
                next
            }
        }
    }

    /// The names by number.
    pub(super) fn symbols(&self) -> Vec<&str> {
        let mut names = vec![""; self.numbers.len()];
        for (name, number) in &self.numbers {
            names[*number as usize] = name;
        }
        names
    }
}
