//! What is said with every proposal: why, what is expected, how sure.

use serde::{Deserialize, Serialize};

/// Why a point is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It is expected to be better than what is expected of the best point so far.
    Exploit,
    /// It is not expected to be better, but so little is known of it that it may be.
    Explore,
    /// It was tried; measuring it again tells which point is the best.
    Replicate,
    /// Nothing is known yet, or no point promises more than noise hides: the points fill the space, where least is known.
    FillSpace,
}

/// What is expected of an output.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Expected {
    /// Index of the output.
    pub output: usize,
    /// Mean, in its unit.
    pub mean: f64,
    /// Standard deviation of what lies behind the noise.
    pub sd: f64,
    /// Lower end of the interval in which a measurement is expected.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Probability that what lies behind the noise keeps the limits of this output; 1 without limits.
    pub holds: f64,
}

/// A proposed run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Proposed {
    /// Group.
    pub group: String,
    /// Place.
    pub position: String,
    /// Does the place stand on the edge?
    pub edge: bool,
    /// Values of the factors, in their units; a choice is the index of its option.
    pub point: Vec<f64>,
    /// Why.
    pub why: Why,
    /// Which of the runs of the history it repeats, the first such.
    pub repeats: Option<usize>,
    /// What is expected, for the goal first and then for every output with limits; empty where nothing is known.
    pub expected: Vec<Expected>,
    /// Probability that all limits hold, taking the outputs as independent.
    pub holds: f64,
    /// What it adds to the expected best, in the unit of the goal, in the light of the units chosen before it.
    pub gain: Option<f64>,
    /// The share of that which comes from the expected mean; the rest comes from what is not known.
    pub gain_from_mean: Option<f64>,
}

/// How well a model foretells runs that it has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Check {
    /// Index of the output.
    pub output: usize,
    /// Runs.
    pub runs: usize,
    /// Standard deviation of the noise between runs, in the unit of the output.
    pub noise_sd: f64,
    /// Root mean square of what single runs lie off what the others say of them.
    pub left_out_rms: f64,
    /// Share of runs inside the interval that the others give for them.
    pub left_out_inside: f64,
    /// Confidence of these intervals.
    pub confidence: f64,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Stopping {
    /// What the batch adds to the expected best, in the unit of the goal.
    pub gain: f64,
    /// Standard deviation of the noise of the goal.
    pub noise_sd: f64,
    /// The gain below which a rule ends the campaign: the greatest of those that apply.
    pub needed: Option<f64>,
    /// Is the gain below it?
    pub stop: bool,
}
