//! The state of a culture from its readings: an extended Kalman filter, continuous in time between discrete readings,
//! whose transition is the exact sensitivity of the model (Jazwinski, *Stochastic Processes and Filtering Theory*, 1970,
//! chapter 8). Constants that differ from run to run are estimated along with the state.

use super::sensor::{Health, Judged, Sensor, Verdict};
use crate::kernel::{Dual, Options};
use crate::linear::{Matrix, dot};
use crate::profile::Segment;
use toji_core::{Error, Place, Result};

/// Derivatives computed in one pass.
const DIRECTIONS: usize = 8;
/// A reading this many standard deviations away is an outlier.
const GATE: f64 = 4.5;

/// A constant that is estimated along with the state.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapted {
    /// Name.
    pub name: String,
    /// Relative standard deviation at the start.
    pub relative: f64,
    /// Relative standard deviation of its drift in a unit of time.
    pub drift: f64,
}

/// A state estimator.
#[derive(Debug, Clone)]
pub struct Estimator<'s> {
    segment: &'s Segment,
    options: Options,
    /// Time of the estimate.
    pub time: f64,
    /// Constants of the model, the adapted ones as estimated.
    pub constants: Vec<f64>,
    /// State as estimated, in the order of the system's states.
    pub state: Vec<f64>,
    /// Covariance of state and adapted constants.
    pub covariance: Matrix,
    /// Places of the inputs among the states: they are known.
    inputs: Vec<usize>,
    /// Relative standard deviation of what the model does not know, for a unit of time, of each state.
    unknown: Vec<f64>,
    /// Adapted constants: place, value at the start, drift.
    adapted: Vec<(usize, f64, f64)>,
    sensors: Vec<(Sensor, usize)>,
    health: Vec<Health>,
}

impl<'s> Estimator<'s> {
    /// An estimator at the start of a run. `start` and `unknown` are relative standard deviations of the states: at the
    /// start, and of what the model does not know in a unit of time. The volume is taken to be known ten times as well.
    ///
    /// # Errors
    /// A sensor or a constant that the model does not have; a standard deviation that is none; a start that cannot be
    /// computed.
    pub fn new(
        segment: &'s Segment,
        constants: &[f64],
        inputs: &[usize],
        sensors: &[Sensor],
        adapted: &[Adapted],
        (start, unknown): (f64, f64),
    ) -> Result<Self> {
        let system = &segment.system;
        let options = Options { relative: 1e-6, absolute: vec![1e-9], ..Options::default() };
        let begin = system.simulate(&segment.constants(constants, 0.0, 1.0), &[0.0], &options)?;
        let state: Vec<f64> = system.states().iter().map(|q| begin.at(0)[*q]).collect();
        let n = state.len();
        let wrong = |field: String, name: &str| {
            Error::input(
                "E-CONTROL-001",
                format!("«{name}» の標準偏差は正の有限の数にしてください"),
                format!("the standard deviation of «{name}» must be positive and finite"),
            )
            .at(Place::field(field))
        };
        let mut known = Vec::new();
        for sensor in sensors {
            let field = format!("sensors.{}", sensor.quantity);
            let quantity = system.quantity(&sensor.quantity).map_err(|e| e.at(Place::field(&field)))?;
            if !(sensor.sd.is_finite() && sensor.sd > 0.0) {
                return Err(wrong(field, &sensor.quantity));
            }
            known.push((sensor.clone(), quantity));
        }
        let mut places = Vec::new();
        let mut covariance = Matrix::zeros(n + adapted.len(), n + adapted.len());
        for (i, value) in state.iter().enumerate() {
            if !inputs.contains(&i) {
                let sd = start * value.abs();
                covariance[(i, i)] = sd * sd;
            }
        }
        for (i, it) in adapted.iter().enumerate() {
            let field = format!("adapt.{}", it.name);
            let place = system.constant(&it.name).map_err(|e| e.at(Place::field(&field)))?;
            if !(it.relative.is_finite() && it.relative > 0.0 && it.drift.is_finite() && it.drift >= 0.0) {
                return Err(wrong(field, &it.name));
            }
            let sd = it.relative * constants[place].abs();
            covariance[(n + i, n + i)] = sd * sd;
            places.push((place, constants[place], it.drift));
        }
        let volume = system.quantity(crate::model::VOLUME).ok().and_then(|q| segment.state(q));
        let unknown = (0..n)
            .map(|i| {
                if inputs.contains(&i) {
                    0.0
                } else if Some(i) == volume {
                    0.1 * unknown
                } else {
                    unknown
                }
            })
            .collect();
        Ok(Self {
            segment,
            options,
            time: 0.0,
            constants: constants.to_vec(),
            state,
            covariance,
            inputs: inputs.to_vec(),
            unknown,
            adapted: places,
            health: vec![Health::default(); known.len()],
            sensors: known,
        })
    }

    /// Health of each sensor.
    pub fn health(&self) -> impl Iterator<Item = (&Sensor, &Health)> {
        self.sensors.iter().map(|(sensor, _)| sensor).zip(&self.health)
    }

    /// Values of quantities as estimated, with their standard deviations.
    ///
    /// # Errors
    /// As [`crate::kernel::System::resume`].
    pub fn look(&self, quantities: &[usize]) -> Result<Vec<(f64, f64)>> {
        let slopes = self.slopes(quantities)?;
        Ok(slopes
            .into_iter()
            .map(|(value, slope)| (value, libm::sqrt(dot(&slope, &self.covariance.times(&slope)).max(0.0))))
            .collect())
    }

    fn directions(&self) -> usize {
        self.state.len() + self.adapted.len()
    }

    fn seeded(&self, first: usize, origin: f64, length: f64) -> (Vec<Dual<DIRECTIONS>>, Vec<Dual<DIRECTIONS>>) {
        let plain = |v: f64| Dual { value: v, slopes: [0.0; DIRECTIONS] };
        let mut constants: Vec<_> = self.segment.constants(&self.constants, origin, length).into_iter().map(plain).collect();
        let mut state: Vec<_> = self.state.iter().copied().map(plain).collect();
        for direction in first..self.directions().min(first + DIRECTIONS) {
            if let Some(state) = state.get_mut(direction) {
                state.slopes[direction - first] = 1.0;
            } else {
                constants[self.adapted[direction - self.state.len()].0].slopes[direction - first] = 1.0;
            }
        }
        (constants, state)
    }

    /// Quantities now, and their slopes by state and adapted constants.
    fn slopes(&self, quantities: &[usize]) -> Result<Vec<(f64, Vec<f64>)>> {
        let d = self.directions();
        let mut all = vec![(0.0, vec![0.0; d]); quantities.len()];
        for first in (0..d).step_by(DIRECTIONS) {
            let (constants, state) = self.seeded(first, self.time, 1.0);
            let now = self.segment.system.resume(&constants, &state, &[0.0], &self.options)?;
            for (into, quantity) in all.iter_mut().zip(quantities) {
                let dual = now.at(0)[*quantity];
                into.0 = dual.value;
                let width = (d - first).min(DIRECTIONS);
                into.1[first..first + width].copy_from_slice(&dual.slopes[..width]);
            }
        }
        Ok(all)
    }

    /// Goes on to a later time with these values of the inputs.
    ///
    /// # Errors
    /// As [`crate::kernel::System::resume`].
    pub fn predict(&mut self, until: f64, inputs: &[f64]) -> Result<()> {
        let length = until - self.time;
        if length <= 0.0 {
            return Ok(());
        }
        for (place, value) in self.inputs.iter().zip(inputs) {
            self.state[*place] = *value;
        }
        let (n, d) = (self.state.len(), self.directions());
        let mut transition = Matrix::identity(d);
        let mut next = self.state.clone();
        for first in (0..d).step_by(DIRECTIONS) {
            let (constants, state) = self.seeded(first, self.time, length);
            let after = self.segment.system.resume(&constants, &state, &[0.0, 1.0], &self.options)?;
            let width = (d - first).min(DIRECTIONS);
            for (i, quantity) in self.segment.system.states().iter().enumerate() {
                let dual = after.at(1)[*quantity];
                next[i] = dual.value;
                transition.row_mut(i)[first..first + width].copy_from_slice(&dual.slopes[..width]);
            }
        }
        let mut covariance = transition.product(&self.covariance).product(&transition.transposed());
        for (i, share) in self.unknown.iter().enumerate() {
            let sd = share * next[i].abs().max(self.state[i].abs());
            covariance[(i, i)] += sd * sd * length;
        }
        for (i, (_, value, drift)) in self.adapted.iter().enumerate() {
            let sd = drift * value.abs();
            covariance[(n + i, n + i)] += sd * sd * length;
        }
        (self.state, self.covariance, self.time) = (next, covariance, until);
        Ok(())
    }

    /// Takes in the readings of the sensors at the time of the estimate, none where a sensor gave none. Those that cannot
    /// be are not believed.
    ///
    /// # Errors
    /// As [`crate::kernel::System::resume`].
    pub fn update(&mut self, readings: &[Option<f64>]) -> Result<Vec<Judged>> {
        let (n, d) = (self.state.len(), self.directions());
        let quantities: Vec<usize> = self.sensors.iter().map(|(_, q)| *q).collect();
        let seen = self.slopes(&quantities)?;
        let mut off = vec![0.0; d];
        let mut judged = Vec::new();
        for (s, (expected, slope)) in seen.iter().enumerate() {
            let sensor = &self.sensors[s].0;
            let reading = readings.get(s).copied().flatten();
            let expected = expected + dot(slope, &off);
            let across = self.covariance.times(slope);
            let noise = sensor.sd * sensor.sd;
            let variance = (dot(slope, &across) + noise).max(noise);
            let sd = libm::sqrt(variance);
            let mut verdict = self.health[s].precheck(sensor, reading);
            if verdict.is_none() && reading.is_some_and(|value| (value - expected).abs() > GATE * sd) {
                verdict = Some(Verdict::Outlier);
            }
            let verdict = verdict.unwrap_or(Verdict::Used);
            self.health[s].count(verdict);
            judged.push(Judged { reading, expected, sd, verdict });
            let (Some(value), Verdict::Used) = (reading, verdict) else { continue };
            let gain: Vec<f64> = across.iter().map(|c| c / variance).collect();
            for (o, g) in off.iter_mut().zip(&gain) {
                *o += g * (value - expected);
            }
            // Joseph's form stays symmetric and positive.
            let keep = Matrix::from_fn(d, d, |i, j| f64::from(u8::from(i == j)) - gain[i] * slope[j]);
            let mut covariance = keep.product(&self.covariance).product(&keep.transposed());
            for i in 0..d {
                for j in 0..d {
                    covariance[(i, j)] += gain[i] * gain[j] * noise;
                }
            }
            self.covariance = covariance;
        }
        for (state, by) in self.state.iter_mut().zip(&off) {
            // Amounts and volumes are not negative where they were not.
            *state = if *state >= 0.0 { (*state + by).max(0.0) } else { *state + by };
        }
        for ((place, start, _), by) in self.adapted.iter().zip(&off[n..]) {
            let (low, high) = (start.min(5.0 * start).min(0.2 * start), (5.0 * start).max(0.2 * start));
            self.constants[*place] = (self.constants[*place] + by).max(low).min(high);
        }
        Ok(judged)
    }
}
