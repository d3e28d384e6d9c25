//! The analyser beside the reactor: what is found in a sample, with the errors such analyses have.
//!
//! Dry mass by filter (2 % and 0.05 g/L) and concentrations by liquid chromatography (2 %, detection limit
//! 0.02 g/L): the order of what such methods report. A result below the limit is a bound, not a number.

use crate::broth::Broth;
use crate::organism::Organism;
use crate::random::Random;
use toji_core::value::ValueKind;
use toji_core::{Instant, Unit, Value};

/// Relative error of every result.
const RELATIVE: f64 = 0.02;
/// Absolute error of the dry mass, g/L.
const FILTER_G_PER_L: f64 = 0.05;
/// Detection limit of the chromatograph, g/L, and its error there.
const DETECTION_G_PER_L: f64 = 0.02;
const BASELINE_G_PER_L: f64 = 0.005;

/// A sample with what was found in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysed {
    /// Index of the reactor.
    pub reactor: usize,
    /// When it was drawn, by true time.
    pub at: Instant,
    /// Name of the sample, as its event has it.
    pub sample: String,
    /// Volume, mL.
    pub volume_ml: f64,
    /// Results.
    pub results: Vec<Found>,
}

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Term of `toji_core::variable`.
    pub variable: &'static str,
    /// Method, as a record states it.
    pub method: &'static str,
    /// The result in g/L, with its standard uncertainty.
    pub value: Value,
}

/// A sample as the reactor notes it: at, name, mL, results.
pub(crate) type Noted = (f64, String, f64, Vec<Found>);

/// Analyses the broth.
pub(crate) fn analyse(broth: &Broth, o: &Organism, random: &mut Random) -> Vec<Found> {
    let per_l = 1.0 / broth.volume_l;
    let chromatograph = "HPLC (simulated / 模擬)";
    let mut results = vec![weighed(broth.biomass_g * per_l, random)];
    for (variable, truth) in
        [("glucose", broth.glucose_g), (o.overflow, broth.overflow_g), ("titre", broth.product_g)].map(|(v, g)| (v, g * per_l))
    {
        // An organism that makes no product has no result for one; the chance is drawn all the same.
        let value = eluted(truth, random);
        if variable != "titre" || o.product_per_biomass > 0.0 {
            results.push(Found { variable, method: chromatograph, value });
        }
    }
    results
}

fn stated(number: f64, sigma: f64) -> Value {
    let text = format!("{number:.3}");
    let mut value = Value::exact(text.parse().unwrap_or(number), &text);
    value.unit = Unit::parse("g/L").ok();
    value.uncertainty = Some((sigma * 1e4).round() / 1e4);
    value
}

fn weighed(truth: f64, random: &mut Random) -> Found {
    let sigma = (RELATIVE * truth).hypot(FILTER_G_PER_L);
    let number = (truth + sigma * random.normal()).max(0.0);
    // What is stated follows from what was found: the truth is not known to the analyst.
    let value = stated(number, (RELATIVE * number).hypot(FILTER_G_PER_L));
    Found { variable: "dry-weight", method: "filter, 105 °C (simulated / 模擬)", value }
}

fn eluted(truth: f64, random: &mut Random) -> Value {
    let sigma = (RELATIVE * truth).hypot(BASELINE_G_PER_L);
    let number = truth + sigma * random.normal();
    if number < DETECTION_G_PER_L {
        let mut bound = Value::exact(0.0, &format!("< {DETECTION_G_PER_L}"));
        bound.kind = ValueKind::LessThan;
        bound.number = None;
        bound.high = Some(DETECTION_G_PER_L);
        bound.unit = Unit::parse("g/L").ok();
        return bound;
    }
    stated(number, (RELATIVE * number).hypot(BASELINE_G_PER_L))
}
