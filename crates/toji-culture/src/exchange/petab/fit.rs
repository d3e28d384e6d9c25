//! A problem as something to fit: its parameters to be estimated, between their bounds, on their scales.

use super::compile::Likelihood;
use super::{Distribution, Measurement, PETAB_005, Problem, Scale, Setting};
use crate::fit::{self, Landscape, Local, Unknown};
use crate::kernel::{Dual, Elementary, Expression, Number, Options};
use std::collections::BTreeSet;
use std::sync::Arc;
use toji_core::{Error, Place, Result};

/// Derivatives computed in one simulation.
const DIRECTIONS: usize = 8;

/// A compiled problem with what is to be estimated: −2 ln of likelihood and priors.
///
/// A parameter that is nothing but the noise of measurements follows from their residuals in closed form and is not
/// searched for (Loos et al. 2018, doi:10.1093/bioinformatics/bty514).
#[derive(Debug, Clone)]
pub struct ToFit {
    likelihood: Likelihood,
    options: Options,
    /// Parameters to be searched for: place among all, and how.
    unknowns: Vec<(usize, Unknown)>,
    /// Those that follow: place among all and bounds.
    noises: Vec<(usize, Unknown)>,
    names: Vec<String>,
    /// The noise that follows, of each measurement that has one.
    noise_of: Vec<Option<usize>>,
    /// All parameters, those to be estimated at their nominal values.
    parameters: Vec<f64>,
}

impl Problem {
    /// Compiles the problem for fitting.
    ///
    /// # Errors
    /// As [`Problem::compile`]; `E-PETAB-005`: bounds that are missing or in the wrong order, or not positive on a
    /// logarithmic scale; nothing to estimate.
    pub fn to_fit(&self, options: Options) -> Result<ToFit> {
        let likelihood = self.compile()?;
        let only_noise = self.only_noise();
        let (mut unknowns, mut noises) = (Vec::new(), Vec::new());
        for (place, parameter) in self.parameters.iter().enumerate().filter(|(_, p)| p.estimate) {
            let (low, high) = parameter.bounds;
            let scale = if parameter.scale == Scale::Linear { fit::Scale::Linear } else { fit::Scale::Log };
            let fits = low.is_finite() && high.is_finite() && low < high && (scale == fit::Scale::Linear || low > 0.0);
            if !fits {
                return Err(Error::input(
                    PETAB_005,
                    format!("{} の範囲 {low}…{high} では推定できません", parameter.id),
                    format!("{} cannot be estimated between {low} and {high}", parameter.id),
                )
                .at(Place::field(&*parameter.id))
                .hint(
                    "lowerBound < upperBound とし、対数の尺度では正にしてください",
                    "give lowerBound < upperBound, positive on a logarithmic scale",
                ));
            }
            let follows = only_noise.contains(&parameter.id) && low > 0.0 && parameter.prior.is_none();
            let of = if follows { &mut noises } else { &mut unknowns };
            of.push((place, Unknown { name: parameter.id.to_string(), scale, low, high }));
        }
        if unknowns.is_empty() {
            return Err(Error::input(PETAB_005, "推定する母数がありません", "there is no parameter to estimate")
                .at(Place::field("estimate"))
                .hint("母数の表の estimate を 1 にしてください", "set estimate to 1 in the table of parameters"));
        }
        let parameters = likelihood.parameters().iter().map(|(_, value)| *value).collect();
        let noise_of = self.measurements.iter().map(|m| {
            let name = self.noise_name(m)?;
            noises.iter().position(|(place, _)| self.parameters[*place].id == name)
        });
        Ok(ToFit {
            noise_of: noise_of.collect(),
            names: noises.iter().map(|(_, u)| u.name.clone()).collect(),
            likelihood,
            options,
            unknowns,
            noises,
            parameters,
        })
    }

    /// The parameter that is the noise of a measurement as it stands.
    fn noise_name(&self, measurement: &Measurement) -> Option<Arc<str>> {
        let observable = self.observables.iter().find(|o| o.id == measurement.observable)?;
        match super::compile::filled(&observable.noise, observable, measurement).ok()? {
            Expression::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Parameters that are the noise of measurements, as they stand, and appear nowhere else.
    fn only_noise(&self) -> BTreeSet<Arc<str>> {
        let mut found: BTreeSet<Arc<str>> = self.measurements.iter().filter_map(|m| self.noise_name(m)).collect();
        let quantities = &self.model.definition.quantities;
        found.retain(|name| quantities.iter().all(|q| q.name != *name));
        let mut elsewhere = |expression: &Expression| {
            expression.names(&mut |name| {
                found.remove(name);
            });
        };
        for observable in &self.observables {
            elsewhere(&observable.formula);
            if !matches!(observable.noise, Expression::Name(_)) {
                elsewhere(&observable.noise);
            }
        }
        let placed = self.measurements.iter().flat_map(|m| {
            let noise = if self.noise_name(m).is_some() { &[][..] } else { &m.noise_parameters };
            m.observable_parameters.iter().chain(noise)
        });
        for setting in self.conditions.iter().flat_map(|c| c.sets.iter().map(|(_, s)| s)).chain(placed) {
            match setting {
                Setting::Name(name) => {
                    found.remove(name);
                }
                Setting::Formula(formula) => formula.names(&mut |name| {
                    found.remove(name);
                }),
                Setting::Number(_) | Setting::Kept => {}
            }
        }
        found
    }
}

impl ToFit {
    /// All parameters of the problem at a point on the scales of the search; noises that follow as they were.
    #[must_use]
    pub fn parameters(&self, point: &[f64]) -> Vec<f64> {
        let mut all = self.parameters.clone();
        for ((place, unknown), at) in self.unknowns.iter().zip(point) {
            all[*place] = unknown.outward(*at);
        }
        all
    }
}

impl Landscape for ToFit {
    fn unknowns(&self) -> Vec<&Unknown> {
        self.unknowns.iter().map(|(_, u)| u).collect()
    }

    fn noises(&self) -> &[String] {
        &self.names
    }

    fn measurements(&self) -> usize {
        self.likelihood.measurements()
    }

    /// With z the residual by its noise σ and μ the simulated value on its scale, the expected curvature of −ln L is
    /// (∂μ/σ)² + 2 (∂ ln σ)² for a normal and (∂μ/σ)² + (∂ ln σ)² for a Laplace distribution.
    fn at(&self, point: &[f64]) -> Result<Local> {
        let mut values = self.parameters(point);
        self.noises.iter().for_each(|(place, _)| values[*place] = 1.0);
        let n = self.unknowns.len();
        let mut rows: Vec<Row> = vec![Row::default(); self.likelihood.measurements()];
        let all: Vec<usize> = (0..n).collect();
        for chunk in all.chunks(DIRECTIONS) {
            let mut parameters: Vec<Dual<DIRECTIONS>> = values.iter().map(|v| Dual::along(*v, DIRECTIONS)).collect();
            for (direction, i) in chunk.iter().enumerate() {
                let (place, unknown) = &self.unknowns[*i];
                parameters[*place].slopes[direction] = unknown.slope(values[*place]);
            }
            self.likelihood.each(&parameters, &self.options, &mut |seen| {
                let (density, z) = seen.density();
                let log_noise = seen.noise.elementary(Elementary::Ln);
                let row = &mut rows[seen.measurement];
                (row.minus_two_log, row.z) = (-2.0 * density.value(), z.value());
                row.laplace = seen.distribution == Distribution::Laplace;
                for direction in 0..chunk.len() {
                    row.noise.push(log_noise.slopes[direction]);
                    row.mean.push(-z.slopes[direction] - z.value() * log_noise.slopes[direction]);
                }
            })?;
        }
        let spreads = self.spreads(&rows);
        let mut local = Local::nothing(n);
        for (row, noise) in rows.iter().zip(&self.noise_of) {
            let spread = noise.map_or(1.0, |noise| spreads[noise]);
            local.minus_two_log += row.minus_two_log + row.square(spread) - row.square(1.0) + 2.0 * libm::log(spread);
            let z = row.z / spread;
            let (pull, push, weight) = if row.laplace { (sign(z), z.abs(), 1.0) } else { (z, z * z, 2.0) };
            for i in 0..n {
                local.gradient[i] += row.noise[i] * (1.0 - push) - pull * row.mean[i] / spread;
                local.curve(i, n, row.mean[i] / (spread * spread), &row.mean);
                local.curve(i, n, weight * row.noise[i], &row.noise);
            }
        }
        local.spreads = spreads;
        self.priors(&values, &mut local);
        if local.minus_two_log.is_finite() { Ok(local) } else { Err(super::compile::no_number()) }
    }
}

/// A measurement at a point: −2 ln L and residual with a noise of 1 where that follows, slopes of μ/σ and ln σ.
#[derive(Debug, Clone, Default)]
struct Row {
    minus_two_log: f64,
    z: f64,
    laplace: bool,
    mean: Vec<f64>,
    noise: Vec<f64>,
}

impl Row {
    /// The part of −2 ln L that is of the residual.
    fn square(&self, spread: f64) -> f64 {
        let z = self.z / spread;
        if self.laplace { 2.0 * z.abs() } else { z * z }
    }
}

fn sign(z: f64) -> f64 {
    if z == 0.0 { 0.0 } else { z.signum() }
}

impl ToFit {
    /// Adds −2 ln of the priors; their curvature is by the difference of slopes, and never negative.
    fn priors(&self, values: &[f64], local: &mut Local) {
        let n = self.unknowns.len();
        // Noises that follow have none of their own, but a uniform one may be implied: a constant.
        let mut following = values.to_vec();
        self.noises.iter().zip(&local.spreads).for_each(|((place, _), spread)| following[*place] = *spread);
        for (place, density) in self.likelihood.log_priors(&following) {
            if self.noises.iter().any(|(noise, _)| *noise == place) {
                local.minus_two_log -= 2.0 * density;
            }
        }
        for (i, (place, unknown)) in self.unknowns.iter().enumerate() {
            let at = |searched: f64| {
                // Rounding must not leave the bounds, where there is no density.
                let value = unknown.outward(searched).clamp(unknown.low, unknown.high);
                let mut parameters: Vec<Dual<1>> = values.iter().map(|v| Dual::along(*v, 1)).collect();
                parameters[*place] = Dual { value, slopes: [unknown.slope(value)] };
                self.likelihood.log_priors(&parameters).into_iter().find(|(of, _)| of == place).map(|(_, density)| density)
            };
            let here = unknown.inward(values[*place]);
            let Some(density) = at(here) else { continue };
            local.minus_two_log -= 2.0 * density.value;
            local.gradient[i] -= density.slopes[0];
            let step = 1e-5 * (1.0 + here.abs());
            let slopes = [here - step, here + step].map(|x| at(x).filter(|d| d.value.is_finite()).map(|d| d.slopes[0]));
            if let [Some(before), Some(after)] = slopes {
                local.curvature[i * n + i] += (0.5 * (before - after) / step).max(0.0);
            }
        }
    }

    /// Noises that follow from the residuals, within their bounds: root of the mean square, or mean of the amounts.
    fn spreads(&self, rows: &[Row]) -> Vec<f64> {
        let of = |noise: usize| rows.iter().zip(&self.noise_of).filter(move |(_, n)| **n == Some(noise)).map(|(row, _)| row);
        let spread = |(noise, (_, unknown)): (usize, &(usize, Unknown))| {
            let count = of(noise).count() as f64;
            let laplace = of(noise).all(|row| row.laplace);
            let sum: f64 = of(noise).map(|row| if laplace { row.z.abs() } else { row.z * row.z }).sum();
            let spread = if laplace { sum / count } else { libm::sqrt(sum / count) };
            spread.clamp(unknown.low, unknown.high)
        };
        self.noises.iter().enumerate().map(spread).collect()
    }
}
