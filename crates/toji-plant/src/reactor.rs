//! One reactor: its broth, its controllers, its instruments, and what is done to it.

use crate::analyser::{self, Noted};
use crate::broth::{Broth, Inputs};
use crate::config::{DisturbanceKind, ReactorConfig};
use crate::control::{Command, Controls, FeedClock, Loop, Measured, Wanted, sample_ml};
use crate::fault::{self, Fault, FaultKind};
use crate::gas::ATMOSPHERE_BAR;
use crate::happening::What;
use crate::operator::{Operator, Scene};
use crate::organism::Organism;
use crate::random::Random;
use crate::sensor::{Said, Sensors, Values};
use crate::signal::{COUNT, SignalId};
use crate::vessel::Vessel;
use serde::Serialize;
use toji_core::culture::{Event, Fields, When};
use toji_core::{Error, Place, Result};

/// What is true in a reactor, whatever its instruments say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Truth {
    /// Time since the start of the plant, h.
    pub elapsed_h: f64,
    /// Time since inoculation, h; `None` before.
    pub age_h: Option<f64>,
    /// Volume, L.
    pub volume_l: f64,
    /// Mass, kg.
    pub mass_kg: f64,
    /// Dry biomass, g/L.
    pub biomass_g_per_l: f64,
    /// Glucose, g/L.
    pub glucose_g_per_l: f64,
    /// Acetate or ethanol, g/L.
    pub overflow_g_per_l: f64,
    /// Product, g/L.
    pub product_g_per_l: f64,
    /// Ammonium and ammonia, mmol/L.
    pub ammonium_mmol_per_l: f64,
    /// Dissolved inorganic carbon, mmol/L.
    pub carbonate_mmol_per_l: f64,
    /// Dissolved oxygen, % of air saturation at the vessel's pressure.
    pub oxygen_percent: f64,
    /// pH.
    pub ph: f64,
    /// Temperature, °C.
    pub temperature_c: f64,
    /// Jacket, °C.
    pub jacket_c: f64,
    /// Stirrer, 1/min.
    pub agitation_per_min: f64,
    /// Gas flow, standard L/min.
    pub gas_l_per_min: f64,
    /// Oxygen in the inlet gas, %.
    pub inlet_oxygen_percent: f64,
    /// Oxygen in the exit gas, %.
    pub exit_oxygen_percent: f64,
    /// Carbon dioxide in the exit gas, %.
    pub exit_co2_percent: f64,
    /// Growth rate, 1/h.
    pub growth_per_h: f64,
    /// Oxygen uptake rate, mmol/(L·h).
    pub our_mmol_per_l_h: f64,
    /// Carbon dioxide evolution rate, mmol/(L·h).
    pub cer_mmol_per_l_h: f64,
    /// kLa, 1/h.
    pub kla_per_h: f64,
    /// Stirrer power in the broth, W.
    pub power_w: f64,
    /// Feed that really flowed, mL.
    pub feed_ml: f64,
    /// Base that really flowed, mL.
    pub base_ml: f64,
    /// Acid that really flowed, mL.
    pub acid_ml: f64,
    /// Foam, % of the room above the broth.
    pub foam_percent: f64,
    /// Carbon in the vessel and gone out, less carbon put in, mmol: 0 to rounding.
    pub carbon_gap_mmol: f64,
    /// Volume in the vessel and gone out, less volume put in, L: 0 to rounding.
    pub volume_gap_l: f64,
}

/// How far the batch of a reactor is, as its controller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Medium is in and the loops work; not inoculated.
    Ready,
    /// Inoculated.
    Running,
    /// Feed and loops have stopped.
    Ended,
}

/// A reactor in time.
#[derive(Debug, Clone)]
pub(crate) struct Reactor {
    pub(crate) config: ReactorConfig,
    pub(crate) vessel: Vessel,
    pub(crate) organism: Organism,
    pub(crate) broth: Broth,
    pub(crate) controls: Controls,
    pub(crate) faults: Vec<Fault>,
    pub(crate) said: Said,
    pub(crate) now_h: f64,
    sensors: Sensors,
    wanted: Wanted,
    agitation_per_min: f64,
    inputs: Inputs,
    /// What the feed pump counts, L: more than what flowed when the tube is blocked.
    pumped_l: f64,
    inoculated_h: Option<f64>,
    samples: u32,
    analyser: Random,
    analysed: Vec<Noted>,
    antifoam_h: f64,
    feed_seen: bool,
    full_seen: bool,
    held: Measured,
    operator: Option<Operator>,
    happened: Vec<(f64, What)>,
}

/// `日本語 / English`, as bilingual plants label their logs.
fn both(ja: &str, en: &str) -> String {
    format!("{ja} / {en}")
}

pub(crate) fn event(sort: &str, label: String, reason: Option<&str>) -> What {
    What::Event(Event {
        when: When::Unknown,
        sort: sort.to_owned(),
        label,
        reason: reason.map(str::to_owned),
        fields: Fields::new(),
    })
}

impl Reactor {
    pub(crate) fn new(config: &ReactorConfig, seed: u64) -> Self {
        let vessel = config.scale.vessel();
        let organism = config.organism.parameters();
        let broth = Broth::medium(&vessel, &organism, config.recipe.glucose_g_per_l);
        let mut faults = config.faults.clone();
        let mut chance = Random::new(seed, &format!("{} faults", config.name));
        faults.extend(fault::by_chance(&mut chance, config.faults_per_day, config.recipe.stop_at_h));
        let held = Measured {
            ph: broth.ph,
            temperature_c: broth.temperature_c,
            oxygen_percent: 100.0,
            agitation_per_min: vessel.agitation_min_per_min,
        };
        let mut reactor = Self {
            controls: Controls::new(&vessel, &config.recipe),
            sensors: Sensors::new(config.scale, Random::new(seed, &config.name)),
            config: config.clone(),
            agitation_per_min: vessel.agitation_min_per_min,
            vessel,
            organism,
            broth,
            faults,
            said: [None; COUNT],
            now_h: 0.0,
            wanted: Wanted { inlet_oxygen: crate::gas::AIR_OXYGEN, ..Wanted::default() },
            inputs: Inputs::default(),
            pumped_l: 0.0,
            inoculated_h: None,
            samples: 0,
            analyser: Random::new(seed, &format!("{} analyser", config.name)),
            analysed: Vec::new(),
            antifoam_h: -1.0,
            feed_seen: false,
            full_seen: false,
            held,
            operator: config.operator.clone().map(|o| Operator::new(o, Random::new(seed, &format!("{} operator", config.name)))),
            happened: Vec::new(),
        };
        reactor.happened.push((0.0, event("start", both("培地調製・通気開始", "medium in, gas on"), None)));
        reactor
    }
    /// Physics and probes over a short step; what the probes say, before faults.
    pub(crate) fn live(&mut self, dt_s: f64) -> Said {
        let from_h = self.now_h;
        self.now_h += dt_s / 3600.0;
        self.planned(from_h);
        let mut load = 0.0;
        let mut gas_share = 1.0;
        let (mut cooling_c, mut heat_w) = (10.0, 0.0);
        for d in self.config.recipe.disturbances.iter().filter(|d| (d.at_h..d.at_h + d.for_h).contains(&from_h)) {
            match d.kind {
                DisturbanceKind::WarmCoolingWater { kelvin } => cooling_c += kelvin,
                DisturbanceKind::Heat { w_per_l } => heat_w += w_per_l * self.broth.volume_l,
                DisturbanceKind::GasSupply { share } => gas_share *= share,
                DisturbanceKind::StirrerLoad { share } => load += share,
                DisturbanceKind::AcidPulse { .. } | DisturbanceKind::GlucosePulse { .. } => {}
            }
        }
        let target = self.wanted.drive * self.vessel.agitation_max_per_min * (1.0 - load.min(1.0));
        self.agitation_per_min += (target - self.agitation_per_min) * (1.0 - (-dt_s / 2.0).exp());
        let blocked = self.faults.iter().any(|f| f.kind == FaultKind::FeedBlocked && f.is_on(from_h));
        self.pumped_l += self.wanted.feed_l_per_s * dt_s;
        self.inputs = Inputs {
            agitation_per_min: self.agitation_per_min,
            gas_l_per_min: self.wanted.gas_l_per_min * gas_share,
            inlet_oxygen: self.wanted.inlet_oxygen,
            feed_l_per_s: if blocked { 0.0 } else { self.wanted.feed_l_per_s },
            feed_glucose_g_per_l: self.config.recipe.feed_glucose_g_per_l,
            base_l_per_s: self.wanted.base_l_per_s,
            acid_l_per_s: self.wanted.acid_l_per_s,
            valve: self.wanted.valve,
            cooling_c,
            room_c: 22.0,
            heat_w,
        };
        self.broth.step(&self.organism, &self.vessel, &self.inputs, dt_s);
        let truth = self.values();
        self.sensors.sense(&truth, self.now_h, dt_s)
    }
    /// Takes what the probes say (perhaps another reactor's), spoils it by the faults, and lets the loops act.
    pub(crate) fn hear(&mut self, mut said: Said, dt_s: f64) {
        self.sensors.spoil(&mut said, &self.faults, self.now_h, dt_s);
        self.said = said;
        let value = |signal: SignalId, held: f64| said.get(signal.index()).copied().flatten().unwrap_or(held);
        self.held = Measured {
            ph: value(SignalId::Ph, self.held.ph),
            temperature_c: value(SignalId::Temperature, self.held.temperature_c),
            oxygen_percent: value(SignalId::DissolvedOxygen, self.held.oxygen_percent),
            agitation_per_min: value(SignalId::Agitation, self.held.agitation_per_min),
        };
        let clock =
            FeedClock { now_h: self.now_h, inoculated_h: self.inoculated_h, agitation_per_min: self.controls.agitation_per_min };
        self.wanted = self.controls.step(&self.vessel, &self.held, self.broth.jacket_c, &clock, dt_s);
        self.guard(value(SignalId::Foam, 0.0));
        self.attend();
    }
    /// The person comes by when it is time, while the batch runs.
    fn attend(&mut self) {
        let (Some(operator), true) = (self.operator.as_mut(), self.controls.running && self.inoculated_h.is_some()) else {
            return;
        };
        let b = &self.broth;
        let scene = Scene {
            now_h: self.now_h,
            overflow_g_per_l: b.overflow_g / b.volume_l,
            biomass_g_per_l: b.biomass_g / b.volume_l,
            foam_percent: b.foam_percent(&self.vessel),
            volume_l: b.volume_l,
            oxygen_shown_percent: self.held.oxygen_percent,
            temperature_set_c: self.controls.temperature_c,
            feeding: self.wanted.feed_l_per_s > 0.0,
            feed_share: self.controls.feed.share,
        };
        let Some(visit) = operator.visit(&scene) else { return };
        let at = self.now_h;
        self.happened.extend(visit.sensed.into_iter().map(|s| (at, What::Observation(s))));
        let why = visit.decision.as_ref().map(|d| d.why.clone());
        self.happened.extend(visit.decision.map(|d| (at, What::Decision(d))));
        if let Some(command) = visit.command {
            self.act(command, why.as_deref());
        }
    }
    /// Interlocks: antifoam on the foam probe, no feed into a full vessel.
    fn guard(&mut self, foam_percent: f64) {
        if foam_percent > 80.0 && self.now_h - self.antifoam_h > 0.25 && self.controls.running {
            self.antifoam_h = self.now_h;
            let ml = 0.05 * self.broth.volume_l;
            self.broth.antifoam_ml += ml;
            let label = both(&format!("消泡剤 {ml:.2} mL 自動添加"), &format!("antifoam {ml:.2} mL, by the foam probe"));
            self.happened.push((self.now_h, event("addition", label, None)));
        }
        if !self.feed_seen && self.controls.feed.started_h.is_some() {
            self.feed_seen = true;
            self.happened.push((self.now_h, event("step", both("流加開始", "feed started"), None)));
        }
        if self.broth.volume_l > 0.92 * self.vessel.volume_total_l {
            self.wanted.feed_l_per_s = 0.0;
            if !self.full_seen {
                self.full_seen = true;
                self.happened.push((self.now_h, event("alarm", both("液面上限、流加停止", "vessel full, feed stopped"), None)));
            }
        }
    }
    /// What the recipe plans between then and now.
    fn planned(&mut self, from_h: f64) {
        let due = |at_h: f64| (from_h..self.now_h).contains(&at_h);
        let recipe = &self.config.recipe;
        let (inoculate, stop) = (due(recipe.inoculate_at_h), due(recipe.stop_at_h));
        let changes: Vec<_> = recipe.set_points.iter().filter(|c| due(c.at_h)).copied().collect();
        let poured: Vec<_> = recipe.disturbances.iter().filter(|d| due(d.at_h)).copied().collect();
        let every = recipe.sample_every_h;
        let sampled = every > 0.0
            && self.inoculated_h.is_some_and(|at| {
                let count = |h: f64| ((h - at) / every).floor();
                count(self.now_h) > count(from_h)
            });
        if inoculate && self.inoculated_h.is_none() {
            self.act(Command::Inoculate, None);
        }
        for change in changes {
            self.act(Command::SetPoint { of: change.of, value: change.value }, Some("recipe"));
        }
        for disturbance in poured {
            self.disturb(disturbance.kind);
        }
        if sampled && self.controls.running {
            self.act(Command::Sample { ml: sample_ml(&self.vessel) }, None);
        }
        if stop {
            self.act(Command::Stop, Some("recipe"));
        }
    }
    fn disturb(&mut self, kind: DisturbanceKind) {
        let volume = self.broth.volume_l;
        match kind {
            DisturbanceKind::AcidPulse { mmol_per_l } => self.broth.strong_unmixed_mmol -= mmol_per_l * volume,
            DisturbanceKind::GlucosePulse { g_per_l } => self.broth.pour_glucose(g_per_l * volume),
            _ => {}
        }
    }
    /// Refuses what cannot be done.
    pub(crate) fn check(&self, command: &Command) -> Result<()> {
        let refuse = |field: &str, ja: &str, en: &str| {
            Err(Error::input("E-PLANT-004", format!("{}: {ja}", self.config.name), format!("{}: {en}", self.config.name))
                .at(Place::field(field))
                .hint("反応器の状態を確認してください", "look at the state of the reactor"))
        };
        match *command {
            Command::SetPoint { of, value } => of.check(value),
            Command::FeedShare { share } if !(0.0..=5.0).contains(&share) => {
                refuse("share", "流加の割合は 0〜5 です", "the share of the feed is between 0 and 5")
            }
            Command::FeedRate { ml_per_h } if !(0.0..=self.vessel.feed_max_l_per_s() * 3.6e6).contains(&ml_per_h) => {
                let high = self.vessel.feed_max_l_per_s() * 3.6e6;
                refuse(
                    "ml_per_h",
                    &format!("流加速度は 0〜{high:.1} mL/h です"),
                    &format!("the feed rate is between 0 and {high:.1} mL/h"),
                )
            }
            Command::Sample { ml } if !(ml > 0.0 && ml <= self.broth.volume_l * 100.0) => {
                refuse("ml", "試料は 0 より大きく液量の 1 割以下です", "a sample is more than 0 and at most a tenth of the broth")
            }
            Command::Antifoam { ml } if !(ml > 0.0 && ml <= self.broth.volume_l * 5.0) => {
                refuse("ml", "消泡剤は 1 L あたり 5 mL 以下です", "antifoam is at most 5 mL per litre")
            }
            Command::Inoculate if self.inoculated_h.is_some() => {
                refuse("command", "すでに植菌されています", "it is inoculated already")
            }
            _ if !self.controls.running => refuse("command", "培養は終了しています", "the batch has ended"),
            _ => Ok(()),
        }
    }
    /// Does it. [`Reactor::check`] was asked before.
    pub(crate) fn act(&mut self, command: Command, reason: Option<&str>) {
        let what = match command {
            Command::SetPoint { of, value } => {
                match of {
                    Loop::Ph => self.controls.ph = value,
                    Loop::Temperature => self.controls.temperature_c = value,
                    Loop::DissolvedOxygen => self.controls.oxygen_percent = value,
                    Loop::Agitation => {
                        self.controls.set_cascade(false, &self.held);
                        self.controls.agitation_per_min = value.min(self.vessel.agitation_max_per_min);
                    }
                }
                event(
                    "setpoint",
                    both(&format!("設定変更 {} = {value}", of.name()), &format!("set-point {} = {value}", of.name())),
                    reason,
                )
            }
            Command::Cascade { on } => {
                self.controls.set_cascade(on, &self.held);
                let (ja, en) = if on {
                    ("DO カスケード入", "oxygen cascade on")
                } else {
                    ("DO カスケード切", "oxygen cascade off")
                };
                event("setpoint", both(ja, en), reason)
            }
            Command::Feed { on } => {
                self.controls.feed.held = !on;
                if on && self.controls.feed.started_h.is_none() {
                    self.controls.feed.started_h = Some(self.now_h);
                    self.feed_seen = true;
                }
                let (ja, en) = if on { ("流加 入", "feed on") } else { ("流加 切", "feed off") };
                event("step", both(ja, en), reason)
            }
            Command::FeedShare { share } => {
                self.controls.feed.share = share;
                let percent = share * 100.0;
                event(
                    "setpoint",
                    both(&format!("流加を計画の {percent:.0} % に"), &format!("feed at {percent:.0} % of its profile")),
                    reason,
                )
            }
            Command::FeedRate { ml_per_h } => {
                let feed = &mut self.controls.feed;
                (feed.set_l_per_h, feed.held) = (Some(ml_per_h * 1e-3), false);
                feed.started_h.get_or_insert(self.now_h);
                self.feed_seen = true;
                event("setpoint", both(&format!("流加速度 {ml_per_h:.3} mL/h"), &format!("feed rate {ml_per_h:.3} mL/h")), reason)
            }
            Command::Inoculate => {
                self.inoculated_h = Some(self.now_h);
                self.broth.inoculate(&self.organism, self.config.recipe.biomass_g_per_l);
                event("inoculation", both("植菌", "inoculation"), reason)
            }
            Command::Sample { ml } => {
                self.samples += 1;
                let name = format!("{}-S{:02}", self.config.batch, self.samples);
                let results = analyser::analyse(&self.broth, &self.organism, &mut self.analyser);
                self.analysed.push((self.now_h, name.clone(), ml, results));
                self.broth.draw(&self.organism, ml * 1e-3);
                let mut what =
                    event("sample", both(&format!("試料 {name} {ml:.1} mL"), &format!("sample {name} {ml:.1} mL")), reason);
                if let What::Event(event) = &mut what {
                    event.fields.insert("sample".to_owned(), name.into());
                    event.fields.insert("volume_ml".to_owned(), ml.into());
                }
                what
            }
            Command::Antifoam { ml } => {
                self.broth.antifoam_ml += ml;
                event("addition", both(&format!("消泡剤 {ml:.2} mL"), &format!("antifoam {ml:.2} mL")), reason)
            }
            Command::Stop => {
                self.controls.running = false;
                self.controls.cascade = false;
                event("stop", both("培養終了", "batch ended"), reason)
            }
        };
        self.happened.push((self.now_h, what));
    }
    pub(crate) fn take_analysed(&mut self) -> Vec<Noted> {
        std::mem::take(&mut self.analysed)
    }
    pub(crate) fn take_happened(&mut self) -> Vec<(f64, What)> {
        std::mem::take(&mut self.happened)
    }
    /// How far the batch is.
    pub(crate) fn stage(&self) -> Stage {
        match (self.controls.running, self.inoculated_h) {
            (false, _) => Stage::Ended,
            (true, Some(_)) => Stage::Running,
            (true, None) => Stage::Ready,
        }
    }
    /// Error of the device's clock, ns.
    pub(crate) fn clock_error_ns(&self) -> i64 {
        let seconds: f64 = self
            .faults
            .iter()
            .filter(|f| f.is_on(self.now_h))
            .map(|f| match f.kind {
                FaultKind::ClockOffset { seconds } => seconds,
                FaultKind::ClockDrift { ppm } => (self.now_h - f.from_h) * 3600.0 * ppm * 1e-6,
                _ => 0.0,
            })
            .sum();
        (seconds * 1e9).round() as i64
    }
    /// True values in the order of the signals.
    fn values(&self) -> Values {
        let b = &self.broth;
        let c = &self.controls;
        [
            b.ph,
            b.temperature_c,
            b.oxygen_percent(&self.vessel),
            self.agitation_per_min,
            self.inputs.gas_l_per_min,
            ATMOSPHERE_BAR + self.vessel.overpressure_bar,
            b.mass_kg(),
            b.biomass_g / b.volume_l * self.organism.density_per_g_per_l,
            b.head_oxygen * 100.0,
            b.head_co2 * 100.0,
            b.foam_percent(&self.vessel),
            self.wanted.inlet_oxygen * 100.0,
            self.wanted.feed_l_per_s * 3.6e6,
            self.pumped_l * 1000.0,
            b.ledger.base_l * 1000.0,
            b.ledger.acid_l * 1000.0,
            c.ph,
            c.temperature_c,
            c.oxygen_percent,
            c.agitation_per_min,
        ]
    }
    pub(crate) fn truth(&self) -> Truth {
        let b = &self.broth;
        let per_l = 1.0 / b.volume_l;
        Truth {
            elapsed_h: self.now_h,
            age_h: self.inoculated_h.map(|at| self.now_h - at),
            volume_l: b.volume_l,
            mass_kg: b.mass_kg(),
            biomass_g_per_l: b.biomass_g * per_l,
            glucose_g_per_l: b.glucose_g * per_l,
            overflow_g_per_l: b.overflow_g * per_l,
            product_g_per_l: b.product_g * per_l,
            ammonium_mmol_per_l: b.ammonia_mmol * per_l,
            carbonate_mmol_per_l: b.carbonate_mmol * per_l,
            oxygen_percent: b.oxygen_percent(&self.vessel),
            ph: b.ph,
            temperature_c: b.temperature_c,
            jacket_c: b.jacket_c,
            agitation_per_min: self.agitation_per_min,
            gas_l_per_min: self.inputs.gas_l_per_min,
            inlet_oxygen_percent: self.inputs.inlet_oxygen * 100.0,
            exit_oxygen_percent: b.head_oxygen * 100.0,
            exit_co2_percent: b.head_co2 * 100.0,
            growth_per_h: b.rates.growth_per_h,
            our_mmol_per_l_h: b.rates.our_mmol_per_l_h,
            cer_mmol_per_l_h: b.rates.cer_mmol_per_l_h,
            kla_per_h: b.rates.kla_per_h,
            power_w: b.rates.power_w,
            feed_ml: b.ledger.feed_l * 1000.0,
            base_ml: b.ledger.base_l * 1000.0,
            acid_ml: b.ledger.acid_l * 1000.0,
            foam_percent: b.foam_percent(&self.vessel),
            carbon_gap_mmol: b.carbon_mmol(&self.organism) + b.ledger.carbon_out_mmol - b.ledger.carbon_in_mmol,
            volume_gap_l: b.volume_l + b.ledger.volume_out_l - b.ledger.volume_in_l,
        }
    }
}
