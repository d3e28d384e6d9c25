//! An SBML model as it is written, before it is translated: plain data.

use super::xml::Spot;
use crate::kernel::Function;
use std::sync::Arc;

/// An identifier.
pub type Id = Arc<str>;

/// A formula as MathML says it; functions of the model are still calls.
#[derive(Debug, Clone, PartialEq)]
pub enum Math {
    /// A number.
    Number(f64),
    /// The time of the simulation.
    Time,
    /// Whatever has this identifier.
    Name(Id),
    /// A function of MathML.
    Apply(Function, Vec<Math>),
    /// Values with their conditions, and otherwise.
    Piecewise(Vec<(Math, Math)>, Option<Box<Math>>),
    /// A function of the model.
    Call(Id, Vec<Math>),
    /// The change per unit of time of what has this identifier.
    RateOf(Id),
}

/// A formula and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// The formula.
    pub math: Math,
    /// Where.
    pub spot: Spot,
}

/// A model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// Level of SBML: 2 or 3.
    pub level: u8,
    /// Version of the level.
    pub version: u8,
    /// Identifier.
    pub id: Option<Id>,
    /// Name for people.
    pub name: Option<String>,
    /// Units of the model by what they are of: `time`, `substance`, `volume`, `area`, `length`, `extent`.
    pub units: Vec<(&'static str, String)>,
    /// Parameter that turns the extent of reactions into the unit of species.
    pub conversion_factor: Option<Id>,
    /// Definitions of units.
    pub unit_definitions: Vec<UnitDefinition>,
    /// Functions.
    pub functions: Vec<FunctionDefinition>,
    /// Compartments.
    pub compartments: Vec<Compartment>,
    /// Species.
    pub species: Vec<Species>,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// Initial assignments: symbol and formula.
    pub initial_assignments: Vec<(Id, Formula)>,
    /// Assignment rules: variable and formula.
    pub assignment_rules: Vec<(Id, Formula)>,
    /// Rate rules: variable and formula.
    pub rate_rules: Vec<(Id, Formula)>,
    /// Reactions.
    pub reactions: Vec<Reaction>,
    /// Events.
    pub events: Vec<Event>,
}

/// A unit as a product of others.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitDefinition {
    /// Identifier.
    pub id: Id,
    /// Factors.
    pub units: Vec<UnitFactor>,
}

/// (multiplier × 10^scale × kind)^exponent.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitFactor {
    /// Base unit by SBML's name.
    pub kind: String,
    /// Exponent.
    pub exponent: f64,
    /// Power of ten.
    pub scale: i32,
    /// Factor.
    pub multiplier: f64,
}

/// A function.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDefinition {
    /// Identifier.
    pub id: Id,
    /// Names of the arguments.
    pub arguments: Vec<Id>,
    /// Body; none: the function may not be used.
    pub body: Option<Formula>,
    /// Where.
    pub spot: Spot,
}

/// A compartment.
#[derive(Debug, Clone, PartialEq)]
pub struct Compartment {
    /// Identifier.
    pub id: Id,
    /// Dimensions; of none there is no size.
    pub dimensions: f64,
    /// Size.
    pub size: Option<f64>,
    /// Unit of the size.
    pub units: Option<String>,
    /// The size never changes.
    pub constant: bool,
    /// Where.
    pub spot: Spot,
}

/// A species.
#[derive(Debug, Clone, PartialEq)]
pub struct Species {
    /// Identifier.
    pub id: Id,
    /// Compartment.
    pub compartment: Id,
    /// Amount at the start.
    pub initial_amount: Option<f64>,
    /// Concentration at the start.
    pub initial_concentration: Option<f64>,
    /// Unit of the amount.
    pub units: Option<String>,
    /// The identifier means the amount, not the concentration.
    pub only_substance: bool,
    /// Reactions do not change it.
    pub boundary: bool,
    /// The amount never changes.
    pub constant: bool,
    /// Parameter that turns the extent of reactions into its unit.
    pub conversion_factor: Option<Id>,
    /// Where.
    pub spot: Spot,
}

/// A parameter, of the model or of a reaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Identifier.
    pub id: Id,
    /// Value.
    pub value: Option<f64>,
    /// Unit.
    pub units: Option<String>,
    /// The value never changes.
    pub constant: bool,
    /// Where.
    pub spot: Spot,
}

/// A species that takes part in a reaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Participant {
    /// Identifier of its stoichiometry.
    pub id: Option<Id>,
    /// Species.
    pub species: Id,
    /// How much of it.
    pub stoichiometry: Option<f64>,
    /// How much of it, as a formula (level 2).
    pub formula: Option<Formula>,
    /// The stoichiometry never changes.
    pub constant: bool,
    /// Where.
    pub spot: Spot,
}

/// A reaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaction {
    /// Identifier.
    pub id: Id,
    /// What it uses.
    pub reactants: Vec<Participant>,
    /// What it makes.
    pub products: Vec<Participant>,
    /// Extent per unit of time.
    pub law: Option<Formula>,
    /// Parameters that only its law knows.
    pub parameters: Vec<Parameter>,
    /// Where.
    pub spot: Spot,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Identifier.
    pub id: Option<Id>,
    /// Condition; none: it never happens.
    pub trigger: Option<Formula>,
    /// What the trigger is taken to have been before the start.
    pub was_true: bool,
    /// A delayed execution happens although the trigger is false again.
    pub persistent: bool,
    /// From the trigger to the execution.
    pub delay: Option<Formula>,
    /// Which of several comes first.
    pub priority: Option<Formula>,
    /// Values are those at the trigger.
    pub at_trigger: bool,
    /// What it sets.
    pub assignments: Vec<(Id, Formula)>,
    /// Where.
    pub spot: Spot,
}
