//! What a run says of ln(rate / mechanism), interval by interval.
//!
//! Each target is multiplied by exp(offset), the offset a profile of one constant an interval, and the whole run is
//! fitted with these constants unknown: integrated from its start, with the noise of its sensors, so that no rate is
//! taken from the difference of two readings and what an early interval leaves carries on into the later ones.

use super::learn::Learn;
use crate::fit::{Parameter, Prior, Problem, Run, Scale};
use crate::kernel::Options;
use crate::linear::{Cholesky, Matrix};
use crate::model::{File, Model, Profile};
use toji_core::{Error, Place, Result};

/// Instants of an interval at which the inputs are looked at.
const LOOKS: usize = 5;
/// Bounds of an offset.
const OFFSET_MAX: f64 = 3.0;

/// What is multiplied: a reaction or a defined quantity.
pub type Target = String;

/// Name of the profile of a target's offsets.
pub(super) fn offset_of(target: &str) -> String {
    format!("offset_{target}")
}

/// The file with an offset on each target, 0 in every interval.
///
/// # Errors
/// A target that is no reaction and no defined quantity, or intervals that do not increase.
pub fn with_offsets(file: &File, targets: &[Target], knots: &[f64]) -> Result<File> {
    let mut file = file.clone();
    for target in targets {
        let name = offset_of(target);
        if let Some(it) = file.define.get_mut(target) {
            it.expression = format!("({}) * exp({name})", it.expression);
        } else if let Some(it) = file.reaction.get_mut(target) {
            it.rate = format!("({}) * exp({name})", it.rate);
        } else {
            return Err(no_target(&file, target));
        }
        let values = vec![0.0; knots.len()];
        let profile = Profile { unit: "1".into(), at: knots.to_vec(), values, line: false, label: None };
        file.profile.insert(name, profile);
    }
    Ok(file)
}

pub(crate) fn no_target(file: &File, target: &str) -> Error {
    let names = file.define.keys().chain(file.reaction.keys()).cloned().collect::<Vec<_>>().join(", ");
    Error::input(
        "E-HYBRID-002",
        format!("«{target}» は define の量でも反応でもないため、係数を掛けられません"),
        format!("«{target}» is no defined quantity and no reaction, so no factor multiplies it"),
    )
    .at(Place::field("on"))
    .hint(format!("掛けられるもの: {names}"), format!("a factor may multiply: {names}"))
}

/// What one run says: target after target, interval after interval.
#[derive(Debug, Clone)]
pub struct Offsets {
    /// Run.
    pub run: String,
    /// Precision of what the data say of the offsets, without what was thought before.
    pub precision: Matrix,
    /// Precision times the offsets that the data say by themselves.
    pub pull: Vec<f64>,
    /// Best offsets, with what was thought before.
    pub at: Vec<f64>,
    /// Inputs of each, the mean over the interval.
    pub inputs: Vec<Vec<f64>>,
}

impl Offsets {
    /// The offsets of one run under a model that has them.
    ///
    /// # Errors
    /// As [`Problem::new`] and [`Problem::posterior`]; an input the model does not have.
    pub fn of(model: &Model, what: &[Learn], knots: &[f64], run: &Run, sd: f64, options: &Options) -> Result<Self> {
        let names: Vec<String> =
            what.iter().flat_map(|w| (1..=knots.len()).map(|i| format!("{}_{i}", offset_of(&w.on)))).collect();
        let prior = Some(Prior { mean: 0.0, sd });
        let parameter = |name: &String| Parameter {
            name: name.clone(),
            scale: Scale::Linear,
            low: -OFFSET_MAX,
            high: OFFSET_MAX,
            prior,
            by_group: false,
        };
        let parameters: Vec<Parameter> = names.iter().map(parameter).collect();
        let start = knots.first().copied().unwrap_or(0.0);
        let problem = Problem::new(&model.system, &parameters, std::slice::from_ref(run), start, options.clone())?;
        let posterior = problem.posterior_from(&vec![0.0; names.len()])?;
        let inverse = Cholesky::new(&posterior.covariance)?;
        let pull = inverse.solve(&posterior.at);
        let mut precision = inverse.inverse();
        for i in 0..names.len() {
            precision[(i, i)] -= 1.0 / (sd * sd);
        }
        let mut constants = model.system.constants();
        for (name, value) in run.set.iter().map(|(n, v)| (n, *v)).chain(names.iter().zip(posterior.at.iter().copied())) {
            constants[model.system.constant(name)?] = value;
        }
        let last = run.measured.iter().map(|m| m.time).fold(start, f64::max);
        let ends: Vec<f64> = knots.iter().skip(1).copied().chain([last.max(knots.last().copied().unwrap_or(last))]).collect();
        let within = |(from, to): (&f64, &f64)| -> Vec<f64> {
            (0..LOOKS).map(|i| from + (to - from) * (i as f64 + 0.5) / LOOKS as f64).collect()
        };
        let times: Vec<f64> = std::iter::once(start).chain(knots.iter().zip(&ends).flat_map(within)).collect();
        let trajectory = model.system.simulate(&constants, &times, options)?;
        let mut inputs = Vec::new();
        for one in what {
            let places = one
                .inputs
                .iter()
                .map(|name| if name == "time" { Ok(None) } else { model.system.quantity(name).map(Some) })
                .collect::<Result<Vec<_>>>()?;
            for interval in 0..knots.len() {
                let looks: Vec<usize> = (0..LOOKS).map(|i| 1 + interval * LOOKS + i).collect();
                let mean = |place: &Option<usize>| {
                    let value = |look: &usize| place.map_or(times[*look], |p| trajectory.at(*look)[p]);
                    looks.iter().map(value).sum::<f64>() / LOOKS as f64
                };
                inputs.push(places.iter().map(mean).collect());
            }
        }
        Ok(Self { run: run.name.clone(), precision, pull, at: posterior.at, inputs })
    }
}
