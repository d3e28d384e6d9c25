//! The face of the crate: build, step, read, command, compare with the truth.

use crate::analyser::Analysed;
use crate::config::PlantConfig;
use crate::control::Command;
use crate::fault::{Fault, FaultKind};
use crate::happening::Happening;
use crate::reactor::{Reactor, Stage, Truth};
use crate::sensor::{self, Said};
use crate::signal::{Reading, SIGNALS, SignalId, SignalInfo};
use crate::vessel::Vessel;
use toji_core::clock::SECOND_NS;
use toji_core::{Cause, Error, Instant, Place, Quality, Result, Status};

/// Longest inner step, s.
const STEP_S: f64 = 1.0;

/// Some reactors with instruments, controllers and people, in simulated time.
///
/// ```
/// use toji_plant::{Command, Loop, Plant, PlantConfig, Scale, SignalId};
///
/// let start = toji_core::Instant::parse("2026-10-05T00:00:00Z")?;
/// let mut plant = Plant::new(PlantConfig::parallel("hall-2", start, Scale::L1, 4), 7)?;
/// plant.command(0, Command::SetPoint { of: Loop::Temperature, value: 30.0 }, Some("slow growth"))?;
/// plant.step(3600.0);
/// let readings = plant.read(0);
/// let temperature = readings[SignalId::Temperature.index()];
/// assert!((temperature.value.unwrap_or(0.0) - 30.0).abs() < 0.5);
/// assert!((plant.truth(0).unwrap().temperature_c - 30.0).abs() < 0.5);
/// # Ok::<(), toji_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plant {
    name: String,
    start: Instant,
    elapsed_ns: i64,
    reactors: Vec<Reactor>,
}

impl Plant {
    /// A plant at its start: medium in the vessels, nothing inoculated.
    ///
    /// # Errors
    /// A configuration with impossible values, with the field.
    pub fn new(config: PlantConfig, seed: u64) -> Result<Self> {
        config.check()?;
        let reactors = config.reactors.iter().map(|r| Reactor::new(r, seed)).collect();
        let mut plant = Self { name: config.name, start: config.start, elapsed_ns: 0, reactors };
        plant.tick(1e-3);
        plant.elapsed_ns = 0;
        for reactor in &mut plant.reactors {
            reactor.now_h = 0.0;
        }
        Ok(plant)
    }
    /// Name of the plant.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
    /// True time.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant(self.start.0.saturating_add(self.elapsed_ns))
    }
    /// Time since the start, s.
    #[must_use]
    pub fn elapsed_s(&self) -> f64 {
        self.elapsed_ns as f64 / SECOND_NS as f64
    }
    /// Number of reactors.
    #[must_use]
    pub fn reactors(&self) -> usize {
        self.reactors.len()
    }
    /// Name of a reactor.
    #[must_use]
    pub fn reactor_name(&self, reactor: usize) -> Option<&str> {
        self.reactors.get(reactor).map(|r| r.config.name.as_str())
    }
    /// Batch in a reactor.
    #[must_use]
    pub fn batch(&self, reactor: usize) -> Option<&str> {
        self.reactors.get(reactor).map(|r| r.config.batch.as_str())
    }
    /// Strain in a reactor, as a run states it.
    #[must_use]
    pub fn strain(&self, reactor: usize) -> Option<&'static str> {
        self.reactors.get(reactor).map(|r| r.organism.strain)
    }
    /// Geometry of a reactor.
    #[must_use]
    pub fn vessel(&self, reactor: usize) -> Option<&Vessel> {
        self.reactors.get(reactor).map(|r| &r.vessel)
    }
    /// How far the batch in a reactor is.
    #[must_use]
    pub fn stage(&self, reactor: usize) -> Option<Stage> {
        self.reactors.get(reactor).map(Reactor::stage)
    }
    /// The signals of every reactor; [`Plant::read`] returns them in this order.
    #[must_use]
    pub fn signals() -> &'static [SignalInfo] {
        &SIGNALS
    }
    /// Decimals with which a reactor's device prints a signal.
    #[must_use]
    pub fn digits(&self, reactor: usize, signal: SignalId) -> u8 {
        self.reactors.get(reactor).map_or(signal.info().digits, |r| sensor::digits(r.config.scale, signal))
    }
    /// Lets time pass, seconds. Inner steps are at most one second long; stepping ten times by one second and
    /// once by ten seconds is the same. Not finite or negative times pass nothing.
    pub fn step(&mut self, seconds: f64) {
        if !seconds.is_finite() || seconds <= 0.0 {
            return;
        }
        let whole = (seconds / STEP_S).floor();
        for _ in 0..whole as u64 {
            self.tick(STEP_S);
        }
        let rest = seconds - whole * STEP_S;
        if rest > 1e-6 {
            self.tick(rest);
        }
    }
    fn tick(&mut self, dt_s: f64) {
        let mut said: Vec<Said> = self.reactors.iter_mut().map(|r| r.live(dt_s)).collect();
        self.elapsed_ns = self.elapsed_ns.saturating_add((dt_s * 1e9).round() as i64);
        self.swap(&mut said);
        for (reactor, said) in self.reactors.iter_mut().zip(said) {
            reactor.hear(said, dt_s);
        }
    }
    /// Probes that were plugged into each other's reactor.
    fn swap(&self, said: &mut [Said]) {
        for (i, reactor) in self.reactors.iter().enumerate() {
            for fault in reactor.faults.iter().filter(|f| f.is_on(reactor.now_h)) {
                if let FaultKind::Swapped { signal, with } = fault.kind
                    && let (Some(mine), Some(theirs)) =
                        (said.get(i).map(|s| s[signal.index()]), said.get(with).map(|s| s[signal.index()]))
                {
                    said[i][signal.index()] = theirs;
                    said[with][signal.index()] = mine;
                }
            }
        }
    }
    /// What the devices of a reactor say now, in the order of [`Plant::signals`]. Empty for no such reactor.
    #[must_use]
    pub fn read(&self, reactor: usize) -> Vec<Reading> {
        let mut out = Vec::with_capacity(SIGNALS.len());
        self.read_into(reactor, &mut out);
        out
    }
    /// As [`Plant::read`], into a buffer that is emptied first.
    pub fn read_into(&self, reactor: usize, out: &mut Vec<Reading>) {
        out.clear();
        let Some(r) = self.reactors.get(reactor) else { return };
        let t_ns = self.now().0.saturating_add(r.clock_error_ns());
        out.extend(SIGNALS.iter().zip(r.said).map(|(info, value)| {
            let quality = match value {
                Some(_) => Quality::GOOD,
                None => Quality::source(Status::Bad, Cause::InstrumentFlag),
            };
            Reading { signal: info.id, t_ns, value, quality }
        }));
    }
    /// Tells a reactor to do something, with the reason that its event will keep.
    ///
    /// # Errors
    /// No such reactor; a value outside its range; a batch that has ended.
    pub fn command(&mut self, reactor: usize, command: Command, reason: Option<&str>) -> Result<()> {
        let count = self.reactors.len();
        let Some(r) = self.reactors.get_mut(reactor) else {
            return Err(Error::not_found(
                "E-PLANT-005",
                format!("反応器 {reactor} はありません (全 {count} 基)"),
                format!("there is no reactor {reactor}, only {count}"),
            )
            .at(Place::field("reactor"))
            .hint("0 から数えた番号を指定してください", "give its number, counted from 0"));
        };
        r.check(&command)?;
        r.act(command, reason);
        Ok(())
    }
    /// What is true in a reactor.
    #[must_use]
    pub fn truth(&self, reactor: usize) -> Option<Truth> {
        self.reactors.get(reactor).map(Reactor::truth)
    }
    /// Faults of a reactor, planned and by chance: the labels to find.
    #[must_use]
    pub fn faults(&self, reactor: usize) -> &[Fault] {
        self.reactors.get(reactor).map_or(&[], |r| &r.faults)
    }
    /// Takes the samples that were drawn since the last call with what the analyser found in them, in order of time.
    pub fn take_analysed(&mut self) -> Vec<Analysed> {
        let start = self.start;
        let mut out: Vec<Analysed> = Vec::new();
        for (reactor, of) in self.reactors.iter_mut().enumerate() {
            out.extend(of.take_analysed().into_iter().map(|(at_h, sample, volume_ml, results)| Analysed {
                reactor,
                at: Instant(start.0.saturating_add((at_h * 3600.0 * 1e9).round() as i64)),
                sample,
                volume_ml,
                results,
            }));
        }
        out.sort_by_key(|a| a.at);
        out
    }
    /// Takes what happened since the last call, in order of time.
    pub fn take_happenings(&mut self) -> Vec<Happening> {
        let start = self.start;
        let mut out: Vec<Happening> = Vec::new();
        for (i, reactor) in self.reactors.iter_mut().enumerate() {
            out.extend(reactor.take_happened().into_iter().map(|(at_h, what)| Happening {
                reactor: i,
                at: Instant(start.0.saturating_add((at_h * 3600.0 * 1e9).round() as i64)),
                what,
            }));
        }
        out.sort_by_key(|h| h.at);
        out
    }
}
