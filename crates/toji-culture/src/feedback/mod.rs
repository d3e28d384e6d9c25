//! What each learner hears about the own culture: what went well, what to watch, what to do differently, with numbers
//! and times, and where the own result stands in the class.
//!
//! **Invariant:** nobody else is named, and no number of one other run is told but the best of the class: others
//! appear as median, best and rank.

mod facts;
mod words;

pub use facts::{Facts, Sensed, facts};

use crate::rates::{Quantity, label};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::Text;

/// How a point went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Keep doing it.
    Good,
    /// Have an eye on it.
    Watch,
    /// Do it differently next time.
    Improve,
}

/// A point of the feedback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// `feed-start`, `overflow`, `loop-ph`, `loop-temperature`, `oxygen`, `foam`, `alarms`, or the code of a quantity.
    pub topic: String,
    /// How it went.
    pub verdict: Verdict,
    /// What to know and do.
    pub message: Text,
    /// The number behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Unit, UCUM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Lower end of its 95 % interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Time it speaks of, s since the run's zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_s: Option<f64>,
    /// Until.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_s: Option<f64>,
}

/// Where an own number stands in the class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// Code of the quantity.
    pub code: String,
    /// Label.
    pub label: Text,
    /// Unit, UCUM.
    pub unit: String,
    /// Own number.
    pub own: f64,
    /// Median of the class, the own run among it.
    pub median: f64,
    /// Best of the class.
    pub best: f64,
    /// Place of the own run, 1 for the best; equal numbers share a place.
    pub rank: usize,
    /// Runs of the class with this number.
    pub of: usize,
}

/// Codes that are compared, and whether less is better.
const COMPARED: [(&str, bool); 8] = [
    ("titre-final", false),
    ("biomass-final", false),
    ("yield-biomass-substrate", false),
    ("yield-product-substrate", false),
    ("productivity", false),
    ("growth-rate-max", false),
    ("overflow-max", true),
    ("oxygen-uptake-max", false),
];
/// Of these a point is made as well.
const POINTED: [&str; 3] = ["titre-final", "yield-biomass-substrate", "yield-product-substrate"];
/// A result below this share of the median is one to work on.
const FAR_BELOW: f64 = 0.8;

/// Feedback on one run of a class; the own run is among the class.
#[must_use]
pub fn review(own: &Facts, class: &[Facts]) -> (Vec<Point>, Vec<Compared>) {
    let compared: Vec<Compared> = COMPARED.iter().filter_map(|(code, less)| compare(own.quantity(code)?, class, *less)).collect();
    let mut points = Vec::new();
    points.extend(words::feed_start(own));
    let overflow = compared.iter().find(|c| c.code == "overflow-max");
    points.extend(own.quantity("overflow-max").map(|q| words::overflow(q, overflow.filter(|c| c.of > 1))));
    for (topic, code) in [("loop-ph", "time-in-band-ph"), ("loop-temperature", "time-in-band-temperature")] {
        points.extend(own.quantity(code).map(|q| words::held(topic, q, own.worst(code))));
    }
    points.extend(words::oxygen(own));
    for code in POINTED {
        let place = compared.iter().find(|c| c.code == code && c.of > 1);
        points.extend(own.quantity(code).zip(place).map(|(q, c)| words::result(q, c, FAR_BELOW)));
    }
    points.extend(words::foam(own));
    points.extend(words::alarms(own));
    (points, compared)
}

fn compare(own: &Quantity, class: &[Facts], less_is_better: bool) -> Option<Compared> {
    let same = |q: &&Quantity| q.unit == own.unit && q.value.is_finite();
    let mut values: Vec<f64> = class.iter().filter_map(|f| f.quantity(&own.code)).filter(same).map(|q| q.value).collect();
    if values.is_empty() {
        values.push(own.value);
    }
    values.sort_by(f64::total_cmp);
    if less_is_better {
        values.reverse();
    }
    // Ascending in goodness.
    let better = |v: &&f64| if less_is_better { **v < own.value } else { **v > own.value };
    let half = values.len() / 2;
    let upper = *values.get(half)?;
    let median = if values.len() % 2 == 1 { upper } else { 0.5 * (upper + values.get(half.checked_sub(1)?)?) };
    Some(Compared {
        code: own.code.clone(),
        label: label(&own.code),
        unit: own.unit.clone(),
        own: own.value,
        median,
        best: *values.last()?,
        rank: values.iter().filter(better).count() + 1,
        of: values.len(),
    })
}
