//! How well parameters explain what was measured: residuals with their derivatives, and −2 ln L.

use super::landscape::{Landscape, Local, Unknown};
use super::problem::{At, Placed, Problem, Reading};
use super::share::Share;
use crate::kernel::{Dual, Trajectory};
use toji_core::Result;

/// Derivatives computed in one simulation.
const DIRECTIONS: usize = 8;

/// A residual (value less model, in standard deviations where these are known) with its derivatives.
#[derive(Debug, Clone)]
struct Residual {
    value: f64,
    slopes: Vec<f64>,
    /// Place of the estimated noise it belongs to.
    noise: Option<usize>,
}

impl Landscape for Problem<'_> {
    fn unknowns(&self) -> Vec<&Unknown> {
        self.unknowns.iter().map(|u| &u.unknown).collect()
    }

    fn noises(&self) -> &[String] {
        &self.noises
    }

    fn measurements(&self) -> usize {
        self.runs.iter().map(|r| r.measured.len()).sum()
    }

    /// Priors are further measurements; estimated spreads are those of their residuals.
    fn at(&self, point: &[f64]) -> Result<Local> {
        let mut local = Local::nothing(self.unknowns.len());
        let mut residuals = Vec::new();
        for run in &self.runs {
            self.run(run, point, &mut residuals, &mut local.minus_two_log)?;
        }
        for (i, sought) in self.unknowns.iter().enumerate() {
            if let Some(prior) = sought.prior {
                let mut slopes = vec![0.0; self.unknowns.len()];
                slopes[i] = -1.0 / prior.sd;
                residuals.push(Residual { value: (prior.mean - point[i]) / prior.sd, slopes, noise: None });
                local.minus_two_log += libm::log(2.0 * std::f64::consts::PI * prior.sd * prior.sd);
            }
        }
        for noise in 0..self.noises.len() {
            let (sum, n) = residuals
                .iter()
                .filter(|r| r.noise == Some(noise))
                .fold((0.0, 0.0), |(s, n), r| (s + r.value * r.value, n + 1.0));
            let variance = (sum / n).max(f64::MIN_POSITIVE);
            local.minus_two_log += n * (libm::log(2.0 * std::f64::consts::PI * variance) + 1.0);
            local.spreads.push(libm::sqrt(variance));
        }
        for residual in &residuals {
            let weight = residual.noise.map_or(1.0, |noise| 1.0 / (local.spreads[noise] * local.spreads[noise]));
            local.add(residual.value, &residual.slopes, weight);
            if residual.noise.is_none() {
                local.minus_two_log += residual.value * residual.value;
            }
        }
        Ok(local)
    }
}

impl Problem<'_> {
    /// What each run says at a point on the scales of the search, in their order, without priors. With what
    /// [`Problem::priors`] says once, their sum is what [`Landscape::at`] says.
    ///
    /// # Errors
    /// Of a run: what its simulation refuses.
    #[must_use]
    pub fn shares(&self, point: &[f64]) -> Vec<Result<Share>> {
        let of_run = |run: &Placed| {
            let mut share = Share::nothing(self.unknowns.len(), self.noises.len());
            let mut residuals = Vec::new();
            self.run(run, point, &mut residuals, &mut share.constant)?;
            residuals.iter().for_each(|r| share.add(r.value, &r.slopes, r.noise));
            Ok(share)
        };
        self.runs.iter().map(of_run).collect()
    }

    /// What the priors say at a point.
    #[must_use]
    pub fn priors(&self, point: &[f64]) -> Share {
        let mut share = Share::nothing(self.unknowns.len(), self.noises.len());
        for (i, sought) in self.unknowns.iter().enumerate() {
            if let Some(prior) = sought.prior {
                let mut slopes = vec![0.0; self.unknowns.len()];
                slopes[i] = -1.0 / prior.sd;
                share.add((prior.mean - point[i]) / prior.sd, &slopes, None);
                share.constant += libm::log(2.0 * std::f64::consts::PI * prior.sd * prior.sd);
            }
        }
        share
    }

    fn run(&self, run: &Placed, at: &[f64], residuals: &mut Vec<Residual>, constant: &mut f64) -> Result<()> {
        let first = residuals.len();
        let n = self.unknowns.len();
        // At least one simulation, also of a run that no unknown is of.
        let chunks = run.unknowns.chunks(DIRECTIONS).chain(run.unknowns.is_empty().then_some(&[][..]));
        for (pass, chunk) in chunks.enumerate() {
            let mut constants: Vec<Dual<DIRECTIONS>> = run.constants.iter().map(|c| Dual::along(*c, DIRECTIONS)).collect();
            for (unknown, constant) in &run.unknowns {
                constants[*constant] = Dual::along(self.unknowns[*unknown].unknown.outward(at[*unknown]), DIRECTIONS);
            }
            for (direction, (unknown, constant)) in chunk.iter().enumerate() {
                let it = &self.unknowns[*unknown].unknown;
                constants[*constant].slopes[direction] = it.slope(it.outward(at[*unknown]));
            }
            let trajectory = run.system.simulate(&constants, &run.times, &self.options)?;
            for (i, measured) in run.measured.iter().enumerate() {
                let (value, slope, part) = residual(measured, &trajectory);
                if pass == 0 {
                    residuals.push(Residual { value, slopes: vec![0.0; n], noise: measured.noise.err() });
                    *constant += part;
                }
                let seen = trajectory.at(measured.time)[measured.quantity];
                for (direction, (unknown, _)) in chunk.iter().enumerate() {
                    residuals[first + i].slopes[*unknown] = slope * seen.slopes[direction];
                }
            }
        }
        Ok(())
    }
}

/// A residual, its slope by the model's value, and its part of −2 ln L that is no square.
fn residual(measured: &At, trajectory: &Trajectory<Dual<DIRECTIONS>>) -> (f64, f64, f64) {
    let model = trajectory.at(measured.time)[measured.quantity].value;
    match (measured.reading, measured.noise) {
        (Reading::Value(value), Ok(sd)) => ((value - model) / sd, -1.0 / sd, libm::log(2.0 * std::f64::consts::PI * sd * sd)),
        (Reading::Value(value), Err(_)) => (value - model, -1.0, 0.0),
        (Reading::Below(limit), noise) => beyond((limit - model) / noise.unwrap_or(1.0), -1.0 / noise.unwrap_or(1.0)),
        (Reading::Above(limit), noise) => beyond((model - limit) / noise.unwrap_or(1.0), 1.0 / noise.unwrap_or(1.0)),
    }
}

/// A reading beyond a limit: −2 ln Φ(z) as the square of a residual.
fn beyond(z: f64, slope_of_z: f64) -> (f64, f64, f64) {
    let log = log_normal_below(z);
    let value = libm::sqrt((-2.0 * log).max(0.0));
    // d ln Φ / dz = φ / Φ.
    let density = -0.5 * z * z - 0.5 * libm::log(2.0 * std::f64::consts::PI);
    let slope = if value > 1e-150 { -libm::exp(density - log) / value } else { 0.0 };
    (value, slope * slope_of_z, 0.0)
}

/// ln Φ(z), also far below where Φ itself is 0.
fn log_normal_below(z: f64) -> f64 {
    if z > -30.0 {
        let below = 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
        libm::log(below)
    } else {
        // Asymptotic: φ(z)/|z| (1 − 1/z² + 3/z⁴).
        let s = 1.0 / (z * z);
        -0.5 * z * z - 0.5 * libm::log(2.0 * std::f64::consts::PI) - libm::log(-z) + libm::log1p(-s + 3.0 * s * s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_the_normal_is_known() {
        // scipy 1.14 norm.logcdf.
        for (z, log) in [
            (0.0, -std::f64::consts::LN_2),
            (-5.0, -15.064_998_393_988_727),
            (-40.0, -804.608_442_013_754_1),
            (3.0, -0.001_350_809_964_748_193_8),
        ] {
            assert!((log_normal_below(z) - log).abs() < 1e-9 * log.abs(), "{z}");
        }
        assert!((log_normal_below(-29.999_999) - log_normal_below(-30.000_001)).abs() < 1e-3);
    }
}
