//! A simulated bed: a culture whose constants differ from the model's and are hidden from the controller, read by sensors
//! with noise and faults. The same seed gives the same culture and the same noise to whatever controls it, so that two
//! ways of control are compared pair by pair.

use super::filter::{Context, Guard};
use super::recipe::Recipe;
use super::sensor::Sensor;
use super::supervisor::{Step, Supervisor};
use crate::kernel::Options;
use crate::profile::{Limit, Over, Segment, Spread};
use toji_core::chance::Chance;
use toji_core::special::t_two_sided;
use toji_core::{Error, Place, Result};

/// What happens to a sensor.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorFault {
    /// The sensor, by its place.
    pub sensor: usize,
    /// From this time.
    pub from: f64,
    /// Until this time.
    pub until: f64,
    /// What it does.
    pub how: How,
}

/// What a faulty sensor does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum How {
    /// It says nothing.
    Silent,
    /// It repeats what it said last.
    Frozen,
    /// It says this.
    Says(f64),
    /// It says so much more than it should.
    Off(f64),
}

/// A simulated culture.
#[derive(Debug, Clone)]
pub struct Bed<'s> {
    segment: &'s Segment,
    /// Hidden constants.
    constants: Vec<f64>,
    state: Vec<f64>,
    time: f64,
    inputs: Vec<usize>,
    sensors: Vec<(Sensor, usize)>,
    faults: Vec<SensorFault>,
    said: Vec<Option<f64>>,
    chance: Chance,
    limits: Vec<(usize, Limit)>,
    /// Worst excess of each limit so far, in its unit; negative: kept by so much.
    pub excess: Vec<f64>,
}

/// What a run on the bed gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// Steps of control; none where the recipe ran alone.
    pub steps: Vec<Step>,
    /// Times.
    pub times: Vec<f64>,
    /// Watched quantities as they truly were, at each time.
    pub truth: Vec<Vec<f64>>,
    /// Commands as carried out, one a step.
    pub commands: Vec<Vec<f64>>,
    /// Worst excess of each limit.
    pub excess: Vec<f64>,
}

/// Instants of a step at which limits are looked at.
const LOOKS: usize = 8;

impl<'s> Bed<'s> {
    /// A culture of a seed: the constants differ from the model's by the spreads.
    ///
    /// # Errors
    /// A constant or quantity that the model does not have; a start that cannot be computed.
    pub fn new(
        segment: &'s Segment,
        constants: &[f64],
        inputs: &[usize],
        sensors: &[Sensor],
        (spreads, faults, limits): (&[Spread], &[SensorFault], &[Limit]),
        seed: u64,
    ) -> Result<Self> {
        let system = &segment.system;
        let mut chance = Chance::new(seed);
        let mut hidden = constants.to_vec();
        for spread in spreads {
            let place = system.constant(&spread.name).map_err(|e| e.at(Place::field(format!("uncertain.{}", spread.name))))?;
            hidden[place] *= libm::exp(spread.relative * chance.normal());
        }
        let begin = system.simulate(&segment.constants(&hidden, 0.0, 1.0), &[0.0], &Options::default())?;
        let sensors = sensors.iter().map(|s| Ok((s.clone(), system.quantity(&s.quantity)?))).collect::<Result<Vec<_>>>()?;
        let limits = limits.iter().map(|l| Ok((system.quantity(&l.quantity)?, l.clone()))).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            segment,
            constants: hidden,
            state: system.states().iter().map(|q| begin.at(0)[*q]).collect(),
            time: 0.0,
            inputs: inputs.to_vec(),
            said: vec![None; sensors.len()],
            sensors,
            faults: faults.to_vec(),
            chance,
            excess: vec![f64::NEG_INFINITY; limits.len()],
            limits,
        })
    }

    /// The constants that the controller does not know.
    #[must_use]
    pub fn hidden(&self) -> &[f64] {
        &self.constants
    }

    /// What the sensors say now.
    ///
    /// # Errors
    /// As [`crate::kernel::System::resume`].
    pub fn read(&mut self) -> Result<Vec<Option<f64>>> {
        let constants = self.segment.constants(&self.constants, self.time, 1.0);
        let now = self.segment.system.resume(&constants, &self.state, &[0.0], &Options::default())?;
        let mut all = Vec::new();
        for (s, (sensor, quantity)) in self.sensors.iter().enumerate() {
            let true_reading = now.at(0)[*quantity] + sensor.sd * self.chance.normal();
            let fault = self.faults.iter().find(|f| f.sensor == s && (f.from..f.until).contains(&self.time));
            let reading = match fault.map(|f| f.how) {
                None => Some(true_reading),
                Some(How::Silent) => None,
                Some(How::Frozen) => self.said[s].or(Some(true_reading)),
                Some(How::Says(value)) => Some(value),
                Some(How::Off(by)) => Some(true_reading + by),
            };
            self.said[s] = reading;
            all.push(reading);
        }
        Ok(all)
    }

    /// Goes on with these commands.
    ///
    /// # Errors
    /// As [`crate::kernel::System::resume`].
    pub fn go(&mut self, length: f64, commands: &[f64]) -> Result<()> {
        for (place, value) in self.inputs.iter().zip(commands) {
            self.state[*place] = *value;
        }
        let constants = self.segment.constants(&self.constants, self.time, length);
        let times: Vec<f64> = (0..=LOOKS).map(|i| i as f64 / LOOKS as f64).collect();
        let options = Options { relative: 1e-9, absolute: vec![1e-12], ..Options::default() };
        let run = self.segment.system.resume(&constants, &self.state, &times, &options)?;
        for l in 0..=LOOKS {
            for (excess, (quantity, limit)) in self.excess.iter_mut().zip(&self.limits) {
                if limit.over == Over::Course || l == LOOKS {
                    let value = run.at(l)[*quantity];
                    let over = limit.high.map_or(f64::NEG_INFINITY, |high| value - high);
                    let under = limit.low.map_or(f64::NEG_INFINITY, |low| low - value);
                    let this = over.max(under);
                    // At the end alone the last word counts.
                    *excess = if limit.over == Over::Course { excess.max(this) } else { this };
                }
            }
        }
        self.state = self.segment.system.states().iter().map(|q| run.at(LOOKS)[*q]).collect();
        self.time += length;
        Ok(())
    }

    /// Quantities as they truly are.
    ///
    /// # Errors
    /// As [`crate::kernel::System::resume`].
    pub fn truth(&self, quantities: &[usize]) -> Result<Vec<f64>> {
        let constants = self.segment.constants(&self.constants, self.time, 1.0);
        let now = self.segment.system.resume(&constants, &self.state, &[0.0], &Options::default())?;
        Ok(quantities.iter().map(|q| now.at(0)[*q]).collect())
    }

    /// Runs under a supervisor. `watch` is told of each step done and ends the run by an error.
    ///
    /// # Errors
    /// The culture cannot be simulated on; what `watch` says.
    pub fn controlled(
        mut self,
        supervisor: &mut Supervisor<'_>,
        steps: usize,
        length: f64,
        quantities: &[usize],
        watch: &dyn Fn(usize) -> Result<()>,
    ) -> Result<Ran> {
        let mut ran = Ran { steps: Vec::new(), times: Vec::new(), truth: Vec::new(), commands: Vec::new(), excess: Vec::new() };
        for k in 0..steps {
            watch(k)?;
            ran.times.push(self.time);
            ran.truth.push(self.truth(quantities)?);
            let readings = self.read()?;
            let step = supervisor.step(length * k as f64, &readings);
            let commands: Vec<f64> = step.commands.iter().map(|c| c.given).collect();
            self.go(length, &commands)?;
            ran.steps.push(step);
            ran.commands.push(commands);
        }
        self.end(ran, quantities)
    }

    /// Runs by the recipe alone, through the same filter.
    ///
    /// # Errors
    /// The culture cannot be simulated on.
    pub fn by_recipe(
        mut self,
        recipe: &Recipe,
        guards: &[Guard],
        steps: usize,
        length: f64,
        quantities: &[usize],
    ) -> Result<Ran> {
        let mut ran = Ran { steps: Vec::new(), times: Vec::new(), truth: Vec::new(), commands: Vec::new(), excess: Vec::new() };
        let mut held: Option<Vec<f64>> = None;
        for k in 0..steps {
            ran.times.push(self.time);
            ran.truth.push(self.truth(quantities)?);
            let readings = self.read()?;
            let measured: Vec<(String, Option<f64>)> =
                self.sensors.iter().zip(readings).map(|((sensor, _), reading)| (sensor.quantity.clone(), reading)).collect();
            let asked = recipe.at(length * k as f64);
            let commands: Vec<f64> = guards
                .iter()
                .enumerate()
                .map(|(c, guard)| {
                    let previous = held.as_ref().map_or(f64::NAN, |h| h[c]);
                    guard.filter(asked[c], &Context { previous, elapsed: length, measured: measured.clone() }).given
                })
                .collect();
            self.go(length, &commands)?;
            held = Some(commands.clone());
            ran.commands.push(commands);
        }
        self.end(ran, quantities)
    }

    fn end(self, mut ran: Ran, quantities: &[usize]) -> Result<Ran> {
        ran.times.push(self.time);
        ran.truth.push(self.truth(quantities)?);
        ran.excess = self.excess;
        Ok(ran)
    }
}

/// Two ways of control over the same seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// Pairs.
    pub n: usize,
    /// Mean and standard deviation of the first.
    pub first: (f64, f64),
    /// Mean and standard deviation of the second.
    pub second: (f64, f64),
    /// Mean of second − first and its 95 % interval (Student's t of the pairs).
    pub difference: (f64, f64, f64),
    /// Pairs in which the second is greater.
    pub greater: usize,
}

/// Compares two ways pair by pair.
///
/// # Errors
/// Fewer than two pairs.
pub fn paired(first: &[f64], second: &[f64]) -> Result<Paired> {
    let n = first.len().min(second.len());
    if n < 2 {
        return Err(Error::input("E-CONTROL-006", "比較には二つ以上の組が必要です", "a comparison needs at least two pairs")
            .at(Place::field("seeds")));
    }
    let spread = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / n as f64;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n as f64 - 1.0);
        (mean, libm::sqrt(variance))
    };
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| b - a).collect();
    let (mean, sd) = spread(&differences);
    let half = t_two_sided(0.95, n as f64 - 1.0) * sd / libm::sqrt(n as f64);
    let greater = differences.iter().filter(|d| **d > 0.0).count();
    Ok(Paired {
        n,
        first: spread(&first[..n]),
        second: spread(&second[..n]),
        difference: (mean, mean - half, mean + half),
        greater,
    })
}
