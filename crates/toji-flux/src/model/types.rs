//! The lists a model is made of.

use super::error::{MODEL_003, MODEL_004, fault};
use super::gpr::Gpr;
use crate::network::Sense;
use std::sync::Arc;
use toji_core::Diagnostic;

/// A statement that a thing is (or is part of, a version of, …) an entry of a database, as MIRIAM has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// How they are related: `is`, `isDescribedBy`, … of the BioModels qualifiers.
    pub qualifier: Arc<str>,
    /// The collection by its identifiers.org prefix: `chebi`, `kegg.reaction`, `sbo`; empty for an address of no collection.
    pub collection: Arc<str>,
    /// The entry: `CHEBI:16001`.
    pub id: String,
}

/// All references of a thing, in the order of the source.
pub type Annotation = Vec<Reference>;

/// Free notes, key and value, in the order of the source.
pub type Notes = Vec<(String, String)>;

/// A space metabolites are in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compartment {
    /// Identifier.
    pub id: String,
    /// Name for people.
    pub name: Option<String>,
    /// What it is.
    pub annotation: Annotation,
}

/// A pool that reactions draw from and fill.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metabolite {
    /// Identifier.
    pub id: String,
    /// Name for people.
    pub name: Option<String>,
    /// Identifier of the compartment.
    pub compartment: Option<String>,
    /// Chemical formula as written.
    pub formula: Option<String>,
    /// Electric charge in elementary charges.
    pub charge: Option<f64>,
    /// Held from outside: without a balance.
    pub boundary: bool,
    /// What it is.
    pub annotation: Annotation,
    /// Notes.
    pub notes: Notes,
}

/// A reaction, transport, exchange or pseudo-reaction.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reaction {
    /// Identifier.
    pub id: String,
    /// Name for people.
    pub name: Option<String>,
    /// Metabolite by index and coefficient: negative is consumed, positive is made.
    pub stoichiometry: Vec<(usize, f64)>,
    /// Least flux; may be −∞.
    pub lower: f64,
    /// Greatest flux; may be ∞.
    pub upper: f64,
    /// Which genes it needs.
    pub gpr: Option<Gpr>,
    /// Pathway it is counted to.
    pub subsystem: Option<String>,
    /// What it is.
    pub annotation: Annotation,
    /// Notes.
    pub notes: Notes,
}

/// A gene, or the product of one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gene {
    /// Identifier.
    pub id: String,
    /// Name for people.
    pub name: Option<String>,
    /// What it is.
    pub annotation: Annotation,
    /// Notes.
    pub notes: Notes,
}

/// A sum of fluxes to be maximised or minimised.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Objective {
    /// Identifier.
    pub id: String,
    /// Name for people.
    pub name: Option<String>,
    /// Direction.
    pub sense: Sense,
    /// Reaction by index and coefficient of its flux.
    pub terms: Vec<(usize, f64)>,
    /// Reaction by index and coefficient of the square of its flux (FBC version 3). No linear programme takes these.
    pub quadratic: Vec<(usize, f64)>,
}

/// What a user-defined constraint speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// The flux of a reaction, by index.
    Flux(usize),
    /// A free variable of the constraints, by name.
    Free(String),
}

/// One summand of a user-defined constraint.
#[derive(Debug, Clone, PartialEq)]
pub struct ConstraintTerm {
    /// Coefficient.
    pub coefficient: f64,
    /// Of what.
    pub variable: Variable,
    /// Of its square.
    pub quadratic: bool,
}

/// A user-defined constraint (FBC version 3): a sum between two bounds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Constraint {
    /// Identifier; may be empty.
    pub id: String,
    /// Name for people.
    pub name: Option<String>,
    /// Least value; may be −∞.
    pub lower: f64,
    /// Greatest value; may be ∞.
    pub upper: f64,
    /// Summands.
    pub terms: Vec<ConstraintTerm>,
}

/// What belonging to a group says (SBML groups).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GroupKind {
    /// Members are gathered.
    #[default]
    Collection,
    /// Members are parts of it.
    Partonomy,
    /// Members are kinds of it.
    Classification,
}

/// A member of a group, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// A metabolite.
    Metabolite(usize),
    /// A reaction.
    Reaction(usize),
    /// A gene.
    Gene(usize),
    /// Another group.
    Group(usize),
}

/// A named set of things, often a pathway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Identifier; may be empty.
    pub id: String,
    /// Name for people.
    pub name: Option<String>,
    /// What membership says.
    pub kind: GroupKind,
    /// Members.
    pub members: Vec<Member>,
    /// What it is; `SBO:0000633` says that it is a subsystem.
    pub annotation: Annotation,
}

/// A model in plain lists. Indices into a list count from 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    /// Identifier; may be empty.
    pub id: String,
    /// Name for people.
    pub name: Option<String>,
    /// Compartments.
    pub compartments: Vec<Compartment>,
    /// Metabolites.
    pub metabolites: Vec<Metabolite>,
    /// Reactions.
    pub reactions: Vec<Reaction>,
    /// Genes.
    pub genes: Vec<Gene>,
    /// Objectives.
    pub objectives: Vec<Objective>,
    /// Which of the objectives counts.
    pub active: Option<usize>,
    /// Further linear constraints.
    pub constraints: Vec<Constraint>,
    /// Groups.
    pub groups: Vec<Group>,
    /// What the model is.
    pub annotation: Annotation,
    /// Notes on the model.
    pub notes: Notes,
}

const NOWHERE: (&str, &str) = ("参照先を加えるか、参照を除いてください", "add what it refers to, or remove the reference");
const NUMBER: (&str, &str) = ("有限の数を書いてください", "write a finite number");

/// Checks indices and numbers.
pub(super) fn check(parts: &Parts, faults: &mut Vec<Diagnostic>) {
    let counts = [parts.metabolites.len(), parts.reactions.len(), parts.genes.len(), parts.groups.len()];
    let nowhere = |id: &str, ja: &str, en: &str| {
        fault(
            MODEL_003,
            id,
            format!("{ja}がモデルにないものを指しています"),
            format!("{en} refers to something the model does not have"),
            NOWHERE,
        )
    };
    let number = |id: &str, ja: &str, en: &str| {
        fault(MODEL_004, id, format!("{ja}が有限の数ではありません"), format!("{en} is not a finite number"), NUMBER)
    };
    for reaction in &parts.reactions {
        bounds(&reaction.id, reaction.lower, reaction.upper, faults);
        if reaction.gpr.as_ref().and_then(Gpr::greatest).is_some_and(|g| g >= counts[2]) {
            faults.push(nowhere(&reaction.id, "遺伝子の規則", "the gene rule"));
        }
        if reaction.stoichiometry.iter().any(|t| t.0 >= counts[0]) {
            faults.push(nowhere(&reaction.id, "量論係数", "the stoichiometry"));
        }
        if reaction.stoichiometry.iter().any(|t| !t.1.is_finite()) {
            faults.push(number(&reaction.id, "量論係数", "a stoichiometric coefficient"));
        }
    }
    for objective in &parts.objectives {
        let mut terms = objective.terms.iter().chain(&objective.quadratic);
        if terms.clone().any(|t| t.0 >= counts[1]) {
            faults.push(nowhere(&objective.id, "目的関数", "the objective"));
        }
        if terms.any(|t| !t.1.is_finite()) {
            faults.push(number(&objective.id, "目的関数の係数", "a coefficient of the objective"));
        }
    }
    if parts.active.is_some_and(|a| a >= parts.objectives.len()) {
        faults.push(nowhere("", "有効な目的関数", "the active objective"));
    }
    for constraint in &parts.constraints {
        bounds(&constraint.id, constraint.lower, constraint.upper, faults);
        if constraint.terms.iter().any(|t| matches!(t.variable, Variable::Flux(r) if r >= counts[1])) {
            faults.push(nowhere(&constraint.id, "制約", "the constraint"));
        }
        if constraint.terms.iter().any(|t| !t.coefficient.is_finite()) {
            faults.push(number(&constraint.id, "制約の係数", "a coefficient of the constraint"));
        }
    }
    for group in &parts.groups {
        let out = |m: &Member| match *m {
            Member::Metabolite(i) => i >= counts[0],
            Member::Reaction(i) => i >= counts[1],
            Member::Gene(i) => i >= counts[2],
            Member::Group(i) => i >= counts[3],
        };
        if group.members.iter().any(out) {
            faults.push(nowhere(&group.id, "グループ", "the group"));
        }
    }
}

/// Bounds are numbers, none the infinity of the wrong side.
fn bounds(id: &str, lower: f64, upper: f64, faults: &mut Vec<Diagnostic>) {
    if lower.is_nan() || upper.is_nan() || lower == f64::INFINITY || upper == f64::NEG_INFINITY {
        faults.push(fault(
            MODEL_004,
            id,
            format!("流束の上下限 [{lower}, {upper}] は範囲になりません"),
            format!("the bounds [{lower}, {upper}] are no range"),
            ("下限は数か −∞、上限は数か ∞ にしてください", "let the lower bound be a number or −∞, the upper one a number or ∞"),
        ));
    }
}
