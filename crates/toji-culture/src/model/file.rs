//! The model file: what stands in it, as declared.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result, Text};

/// A model as its author declares it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What it is.
    pub model: Head,
    /// Constants.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constant: BTreeMap<String, Constant>,
    /// The broth; its volume is the quantity `V`.
    pub vessel: Vessel,
    /// What is dissolved or suspended in it, as concentrations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub species: BTreeMap<String, Species>,
    /// Other quantities that change: temperature, a mode.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub state: BTreeMap<String, State>,
    /// Set points that follow a table of times: feeds, temperatures.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profile: BTreeMap<String, Profile>,
    /// Quantities that are always something of others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub define: BTreeMap<String, Formula>,
    /// Reactions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reaction: BTreeMap<String, Reaction>,
    /// What flows in or out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stream: BTreeMap<String, Stream>,
    /// What passes between gas and broth.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub transfer: BTreeMap<String, Transfer>,
    /// What happens at an instant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub event: BTreeMap<String, Occasion>,
    /// Factors on rates, learnt from runs.
    #[serde(default)]
    pub factor: BTreeMap<String, crate::hybrid::Factor>,
    /// What is looked at, in the unit it is shown in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub observe: BTreeMap<String, Formula>,
}

/// What a model is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Identifier.
    pub id: String,
    /// Title.
    pub title: Text,
    /// Where equations and values come from.
    pub source: String,
    /// Unit of time.
    pub time: String,
}

/// A constant: a number, or an expression of other constants.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// Number.
    pub value: Option<f64>,
    /// Expression.
    pub expression: Option<String>,
    /// Unit, UCUM.
    pub unit: String,
    /// What it is called.
    pub label: Option<Text>,
    /// Where the value comes from, where that is not the source of the model.
    pub source: Option<String>,
}

/// The broth.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vessel {
    /// Volume at the start: a number in the unit, or an expression.
    pub volume: Start,
    /// Unit of the volume, UCUM.
    pub unit: String,
}

/// A value at the start.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Start {
    /// A number, in the unit of the quantity.
    Number(f64),
    /// An expression of constants.
    Expression(String),
}

/// A species in the broth.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Species {
    /// Unit of the concentration, UCUM.
    pub unit: String,
    /// Concentration at the start.
    pub initial: Start,
    /// What it is called.
    pub label: Option<Text>,
    /// Elements, such as `C6H12O6` or, per carbon, `CH1.8O0.5N0.2`; then every reaction's elements are balanced, and
    /// the constant `M_NAME` is its molar mass.
    pub formula: Option<String>,
}

/// A quantity that changes by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Unit, UCUM.
    pub unit: String,
    /// Value at the start.
    pub initial: Start,
    /// Change in time; none: only events change it.
    pub rate: Option<String>,
    /// What it is called.
    pub label: Option<Text>,
}

/// A quantity that follows a table. Its values are the constants `NAME_1`, `NAME_2`, … and may be set as such.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Unit of the values, UCUM.
    pub unit: String,
    /// Times, in the unit of the model's time; the first is the start.
    pub at: Vec<f64>,
    /// Value from each time on.
    pub values: Vec<f64>,
    /// Straight lines from value to value instead of steps.
    #[serde(default)]
    pub line: bool,
    /// What it is called.
    pub label: Option<Text>,
}

/// An expression with its unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Formula {
    /// Expression.
    pub expression: String,
    /// Unit, UCUM.
    pub unit: String,
    /// What it is called.
    pub label: Option<Text>,
}

/// A reaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reaction {
    /// Rate per volume of broth.
    pub rate: String,
    /// Unit of the rate, UCUM.
    pub unit: String,
    /// Species made (positive) and used (negative) per unit of the rate, as expressions.
    pub makes: BTreeMap<String, String>,
    /// Elements that species outside the model take or give (water, carbon dioxide), and therefore need not balance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
}

/// A flow.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Flow into the broth.
    pub inflow: Option<String>,
    /// Flow out of the broth.
    pub outflow: Option<String>,
    /// Unit of the flow, UCUM.
    pub unit: String,
    /// Concentrations of an inflow, as expressions; what is not named is not in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contains: BTreeMap<String, String>,
    /// Share of species that an outflow keeps back, 0…1: cells behind the filter of a perfusion.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retains: BTreeMap<String, String>,
}

/// Gas transfer: kLa (c* − c).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// Dissolved species.
    pub species: String,
    /// Volumetric transfer coefficient, as an expression of unit 1/time.
    pub kla: String,
    /// Concentration in equilibrium with the gas, as an expression of the species' unit.
    pub saturation: String,
}

/// What happens at an instant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occasion {
    /// Condition; it happens when this turns true.
    pub when: String,
    /// What is added to the broth.
    pub add: Option<Addition>,
    /// Volume that is taken from the well-mixed broth, as an expression.
    pub withdraw: Option<String>,
    /// States (not species) and their new values, as expressions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
}

/// An addition.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addition {
    /// Volume, as an expression with unit: `0.02 [L]`.
    pub volume: String,
    /// Concentrations in it, as expressions with unit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contains: BTreeMap<String, String>,
}

impl File {
    /// Reads a model file.
    ///
    /// # Errors
    /// What is not TOML, or a field that is unknown, missing or of another type, with line and column.
    pub fn read(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
            let place = Place {
                line: Some(before.matches('\n').count() as u64 + 1),
                column: Some(before.rsplit('\n').next().map_or(0, |l| l.chars().count()) as u64 + 1),
                ..Place::default()
            };
            Error::input(
                "E-MODEL-010",
                format!("モデルファイルを読めません: {}", error.message()),
                format!("the model file is not readable: {}", error.message()),
            )
            .at(place)
            .hint(
                "書き方は文書の「培養モデル」にあります。付属のモデルは toji culture check monod-fed-batch で見られます",
                "the documentation's page «Models of a culture» shows one that works; toji culture check monod-fed-batch shows one that ships",
            )
        })
    }

    /// The file as text; comments are not kept.
    ///
    /// # Errors
    /// A number that TOML cannot say.
    pub fn write(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| {
            Error::input(
                "E-MODEL-019",
                format!("モデルファイルを書けません: {error}"),
                format!("the model file cannot be written: {error}"),
            )
        })
    }
}
