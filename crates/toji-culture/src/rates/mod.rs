//! What one culture did: growth, lag, yields, titre, gas exchange, totals and how its loops held, each with a 95 %
//! interval where one can be had, the method in words, and the reason where the data cannot give it.
//!
//! [`analyse`] is the face. The order of points and lines leaves no trace in the numbers; points that are flagged or
//! censored are left out and counted in the method's words.

mod band;
mod gas;
mod growth;
mod line;
mod regression;
mod report;
mod resample;
mod steps;
mod yields;

pub use gas::{AIR, Gas, MOLAR_L_PER_MOL, Moment, Reference, exchange};
pub use growth::{Basis, Biomass};
pub use line::{Line, Point, Standing};
pub use regression::{Fit, fit};
pub use report::{CODES, label};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::Text;

/// Name of the engine.
pub const ENGINE: &str = "toji-culture/rates";
/// Version of its rules: a change of any number adds one.
pub const VERSION: &str = "1";

/// A compound that a quantity needs.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Named {
    /// Its results.
    Known(Line),
    /// Several could be meant and nobody said which.
    Ambiguous(Vec<String>),
    /// There is none.
    #[default]
    Missing,
}

/// A control loop.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Loop {
    /// Measured.
    pub measured: Option<Line>,
    /// Set-point, in the same unit.
    pub wanted: Option<Line>,
    /// Half width of the band around the set-point.
    pub band: f64,
}

/// What is known of a culture. Times count from the run's zero, s.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Culture {
    /// Inoculation.
    pub inoculated_s: Option<f64>,
    /// End of the batch; the last point when missing.
    pub ended_s: Option<f64>,
    /// Biomass signals.
    pub biomass: Vec<Biomass>,
    /// Substrate, g/L.
    pub substrate: Named,
    /// Product, g/L or its own unit.
    pub product: Named,
    /// Overflow metabolites, g/L.
    pub overflow: Vec<Line>,
    /// Gas.
    pub gas: Gas,
    /// Volume of the broth, L.
    pub volume: Option<Line>,
    /// Weight of the broth, kg.
    pub weight: Option<Line>,
    /// Volume at the start, L.
    pub start_l: Option<f64>,
    /// Feed added, mL in total.
    pub feed: Option<Line>,
    /// Base added, mL in total.
    pub base: Option<Line>,
    /// Acid added, mL in total.
    pub acid: Option<Line>,
    /// Substrate of the feed, g/L.
    pub feed_substrate_g_per_l: Option<f64>,
    /// Density of the feed, kg/L.
    pub feed_density_kg_per_l: Option<f64>,
    /// Samples drawn: time (s) and volume (L).
    pub drawn: Vec<(f64, f64)>,
    /// pH.
    pub ph: Loop,
    /// Temperature, °C.
    pub temperature: Loop,
    /// Dissolved oxygen, % of saturation.
    pub oxygen: Loop,
    /// Seed of the resampling.
    pub seed: u64,
}

/// A quantity of a culture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantity {
    /// Code, one of [`CODES`].
    pub code: String,
    /// Label.
    pub label: Text,
    /// Value.
    pub value: f64,
    /// Lower end of the 95 % interval; `null` where none can be stated.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Unit, UCUM.
    pub unit: String,
    /// How it was found, and what was left out.
    pub method: Text,
    /// Points behind it.
    pub n: usize,
    /// Time it speaks of, s since the run's zero.
    pub from_s: Option<f64>,
    /// Until.
    pub to_s: Option<f64>,
}

/// A quantity that the data cannot give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotDetermined {
    /// Code.
    pub code: String,
    /// Label.
    pub label: Text,
    /// Why.
    pub why: Text,
}

/// Growth rate over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Growth {
    /// Time, s since the run's zero.
    pub t_s: Vec<f64>,
    /// Growth rate there, 1/h.
    pub rate_per_h: Vec<f64>,
}

/// The standard analysis of a culture: every code of [`CODES`] is in one of the two lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// What was determined.
    pub quantities: Vec<Quantity>,
    /// What was not, with the reason.
    pub not_determined: Vec<NotDetermined>,
    /// Growth rate over time, where there is a biomass signal.
    pub growth: Option<Growth>,
}

/// The longest stretch in which a loop was outside its band, s since the run's zero; none when it never was.
#[must_use]
pub fn longest_outside(culture: &Culture, of: &Loop) -> Option<(f64, f64)> {
    steps::longest_outside(culture, of)
}

/// The standard analysis.
#[must_use]
pub fn analyse(culture: &Culture) -> Analysis {
    steps::all(culture)
}
