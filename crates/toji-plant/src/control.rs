//! Control loops of a reactor: temperature, pH, the oxygen cascade, the stirrer's drive, the feed.

use crate::broth::BASE_MMOL_PER_L;
use crate::config::{FeedPlan, FeedStart, Recipe};
use crate::gas::AIR_OXYGEN;
use crate::heat;
use crate::pid::{Pid, Tuning};
use crate::vessel::Vessel;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result};

/// A loop whose set-point may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Loop {
    /// pH by base and acid.
    ///
    /// 塩基と酸による pH。
    Ph,
    /// Temperature by heating and cooling, °C.
    ///
    /// 加熱と冷却による温度（°C）。
    Temperature,
    /// Dissolved oxygen by stirrer, then gas flow, then oxygen, %.
    ///
    /// 撹拌、通気量、酸素の順に動かす溶存酸素（%）。
    DissolvedOxygen,
    /// Stirrer, 1/min. While the cascade is on, it is the cascade that sets it.
    ///
    /// 撹拌速度（1/min）。カスケードの間はカスケードが設定。
    Agitation,
}

impl Loop {
    /// Name of the loop, as a field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ph => "ph",
            Self::Temperature => "temperature",
            Self::DissolvedOxygen => "dissolved-oxygen",
            Self::Agitation => "agitation",
        }
    }
    /// Lowest and highest set-point.
    const fn range(self) -> (f64, f64) {
        match self {
            Self::Ph => (2.0, 10.0),
            Self::Temperature => (4.0, 60.0),
            Self::DissolvedOxygen => (0.0, 150.0),
            Self::Agitation => (0.0, 3000.0),
        }
    }
    pub(crate) fn check(self, value: f64) -> Result<()> {
        let (low, high) = self.range();
        if value.is_finite() && (low..=high).contains(&value) {
            return Ok(());
        }
        let name = self.name();
        Err(Error::input(
            "E-PLANT-002",
            format!("設定値 {value} は {name} の範囲 {low}〜{high} の外です"),
            format!("the set-point {value} is outside {low} to {high} of {name}"),
        )
        .at(Place::field(name))
        .hint("範囲内の値を指定してください", "give a value inside the range"))
    }
}

/// What a client may tell a reactor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "command")]
pub enum Command {
    /// A new set-point.
    SetPoint {
        /// Which loop.
        #[serde(rename = "loop")]
        of: Loop,
        /// Value in the loop's unit.
        value: f64,
    },
    /// Oxygen cascade on, or off: then the stirrer keeps its last speed until it gets a set-point.
    Cascade {
        /// On?
        on: bool,
    },
    /// Feed on (its profile goes on, or begins now) or off.
    Feed {
        /// On?
        on: bool,
    },
    /// Feed at this share of its profile.
    FeedShare {
        /// Share, 0–5.
        share: f64,
    },
    /// Feed at this constant rate instead of the profile.
    FeedRate {
        /// Rate, mL/h.
        ml_per_h: f64,
    },
    /// Add the inoculum now.
    Inoculate,
    /// Take a sample.
    Sample {
        /// Volume, mL.
        ml: f64,
    },
    /// Add antifoam.
    Antifoam {
        /// Volume, mL.
        ml: f64,
    },
    /// End the batch: feed and loops stop, gas and stirrer go to their lowest.
    Stop,
}

/// What the probes say to the controllers; the last value where a probe is silent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) ph: f64,
    pub(crate) temperature_c: f64,
    pub(crate) oxygen_percent: f64,
    pub(crate) agitation_per_min: f64,
}

/// What the controllers ask for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    pub(crate) valve: f64,
    pub(crate) base_l_per_s: f64,
    pub(crate) acid_l_per_s: f64,
    /// Output of the stirrer's drive, share of its highest speed.
    pub(crate) drive: f64,
    pub(crate) gas_l_per_min: f64,
    pub(crate) inlet_oxygen: f64,
    pub(crate) feed_l_per_s: f64,
}

/// Highest oxygen in the inlet gas, mol/mol.
const OXYGEN_MAX: f64 = 0.6;
/// Thirds of the cascade: stirrer, gas flow, oxygen.
const CASCADE_TOP: f64 = 3.0;

/// The controllers of a reactor with their set-points.
#[derive(Debug, Clone)]
pub(crate) struct Controls {
    pub(crate) ph: f64,
    pub(crate) temperature_c: f64,
    pub(crate) oxygen_percent: f64,
    pub(crate) agitation_per_min: f64,
    pub(crate) cascade: bool,
    pub(crate) running: bool,
    pub(crate) feed: Feed,
    ph_loop: Pid,
    temperature_loop: Pid,
    oxygen_loop: Pid,
    drive_loop: Pid,
    jacket_gain: f64,
    process_gain: ProcessGain,
}

/// For the gain schedule of the oxygen loop.
#[derive(Debug, Clone, Copy)]
struct ProcessGain {
    low_per_min: f64,
    range_per_min: f64,
    probe_s: f64,
}

impl Controls {
    pub(crate) fn new(v: &Vessel, r: &Recipe) -> Self {
        let range_per_min = v.agitation_max_per_min - v.agitation_min_per_min;
        let agitation = v.agitation_min_per_min + r.agitation_share * range_per_min;
        // Broth against jacket: first order, time constant of the broth's heat.
        let lag_s = v.volume_start_l * 4180.0 / (v.heat_transfer_w_per_m2_k * v.jacket_m2(v.volume_start_l));
        // pH against the base pump: integrating; 60 mmol/L of phosphate buffer near 30 mmol/L per pH.
        let slope = v.titrant_max_l_per_s() * BASE_MMOL_PER_L / v.volume_start_l / 30.0;
        let dead_s = 10.0 + crate::mixing::mixing_time_s(v, v.volume_start_l, v.volume_start_l);
        let mut ph = Tuning::integrating(slope, dead_s, 2.0 * dead_s, -1.0, 1.0);
        ph.dead_band = 0.01;
        Self {
            ph: r.ph,
            temperature_c: r.temperature_c,
            oxygen_percent: r.dissolved_oxygen_percent,
            agitation_per_min: agitation,
            cascade: r.cascade,
            running: true,
            feed: Feed::new(v, r),
            ph_loop: Pid::new(ph, 0.0),
            temperature_loop: Pid::new(Tuning::first_order(1.0, lag_s, 40.0, 60.0, 2.0, 70.0), 25.0),
            oxygen_loop: Pid::new(
                Tuning {
                    gain: 0.0,
                    integral_s: v.oxygen_probe_s.max(10.0),
                    derivative_s: 0.0,
                    dead_band: 0.0,
                    low: 0.0,
                    high: CASCADE_TOP,
                },
                r.agitation_share,
            ),
            drive_loop: Pid::new(
                Tuning::first_order(v.agitation_max_per_min, 2.0, 0.5, 2.0, 0.0, 1.0),
                agitation / v.agitation_max_per_min,
            ),
            jacket_gain: 1.0 / (heat::jacket_rate_k_per_s() * 25.0),
            process_gain: ProcessGain { low_per_min: v.agitation_min_per_min, range_per_min, probe_s: v.oxygen_probe_s },
        }
    }
    /// Switches the cascade without a jump: it begins where the stirrer is.
    pub(crate) fn set_cascade(&mut self, on: bool, measured: &Measured) {
        if on && !self.cascade {
            let share = (self.agitation_per_min - self.process_gain.low_per_min) / self.process_gain.range_per_min;
            self.oxygen_loop.track(self.oxygen_percent, measured.oxygen_percent, share.clamp(0.0, 1.0));
        }
        self.cascade = on;
    }
    /// One step of all loops.
    pub(crate) fn step(&mut self, v: &Vessel, m: &Measured, jacket_c: f64, t: &FeedClock, dt_s: f64) -> Wanted {
        let mut out = Wanted { inlet_oxygen: AIR_OXYGEN, gas_l_per_min: v.gas_flow_min_l_per_min, ..Wanted::default() };
        if self.cascade && self.running {
            self.cascade(v, m, &mut out, dt_s);
        } else if !self.running {
            self.agitation_per_min = v.agitation_min_per_min;
        }
        out.drive = self.drive_loop.step(self.agitation_per_min, m.agitation_per_min, dt_s);
        let jacket = self.temperature_loop.step(self.temperature_c, m.temperature_c, dt_s);
        if self.running {
            out.valve = ((jacket - jacket_c) * self.jacket_gain).clamp(-1.0, 1.0);
            let titrant = self.ph_loop.step(self.ph, m.ph, dt_s);
            out.base_l_per_s = titrant.max(0.0) * v.titrant_max_l_per_s();
            out.acid_l_per_s = (-titrant).max(0.0) * v.titrant_max_l_per_s();
            out.feed_l_per_s = self.feed.rate_l_per_s(v, m.oxygen_percent, t, dt_s);
        } else {
            self.temperature_loop.track(self.temperature_c, m.temperature_c, jacket_c);
            self.ph_loop.track(self.ph, m.ph, 0.0);
        }
        out
    }
    /// Stirrer, then gas flow, then oxygen. The gain follows the stirrer: near the set-point dissolved oxygen
    /// answers a relative change of kLa with the distance from saturation, and kLa goes with about the square
    /// of the speed.
    fn cascade(&mut self, v: &Vessel, m: &Measured, out: &mut Wanted, dt_s: f64) {
        let p = self.process_gain;
        let distance = (100.0 - self.oxygen_percent).max(20.0);
        let per_output = match self.oxygen_loop.output() {
            u if u <= 1.0 => 2.1 * distance * p.range_per_min / self.agitation_per_min.max(1.0),
            // The gas flow acts weakly on kLa but renews the gas; oxygen acts on the driving force.
            u if u <= 2.0 => 0.6 * distance * (v.gas_flow_max_l_per_min / v.gas_flow_min_l_per_min).ln(),
            _ => 100.0 * (OXYGEN_MAX / AIR_OXYGEN - 1.0),
        };
        let tuned = Tuning::first_order(per_output, p.probe_s + 5.0, 6.0, 2.0 * p.probe_s + 10.0, 0.0, CASCADE_TOP);
        self.oxygen_loop.tuning.gain = tuned.gain;
        self.oxygen_loop.tuning.integral_s = tuned.integral_s;
        let u = self.oxygen_loop.step(self.oxygen_percent, m.oxygen_percent, dt_s);
        self.agitation_per_min = p.low_per_min + u.min(1.0) * p.range_per_min;
        let gas = (u - 1.0).clamp(0.0, 1.0);
        out.gas_l_per_min = v.gas_flow_min_l_per_min + gas * (v.gas_flow_max_l_per_min - v.gas_flow_min_l_per_min);
        out.inlet_oxygen = AIR_OXYGEN + (u - 2.0).clamp(0.0, 1.0) * (OXYGEN_MAX - AIR_OXYGEN);
    }
}

/// Times the feed needs, h from the start of the plant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FeedClock {
    pub(crate) now_h: f64,
    pub(crate) inoculated_h: Option<f64>,
    pub(crate) agitation_per_min: f64,
}

/// The feed pump's controller.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    plan: FeedPlan,
    /// First rate of an exponential profile, L/h.
    first_l_per_h: f64,
    pub(crate) started_h: Option<f64>,
    /// Held by a person.
    pub(crate) held: bool,
    /// Share of the profile that is given.
    pub(crate) share: f64,
    /// Rate that a client set, L/h; it stands instead of the profile.
    pub(crate) set_l_per_h: Option<f64>,
    /// Slow averages of the oxygen probe and of the stirrer, to see the demand for oxygen fall.
    slow_percent: f64,
    slow_per_min: f64,
    low_seen: bool,
}

impl Feed {
    fn new(v: &Vessel, r: &Recipe) -> Self {
        // What the medium's glucose will have made is estimated by the overall yield of 0.4 g/g, as a recipe would.
        let biomass_g = (r.biomass_g_per_l + 0.4 * r.glucose_g_per_l) * v.volume_start_l;
        let first_l_per_h = match &r.feed {
            FeedPlan::Exponential { growth_rate_per_h, .. } => {
                (growth_rate_per_h / 0.5 + 0.04) * biomass_g / r.feed_glucose_g_per_l
            }
            FeedPlan::Constant { rate_ml_per_l_h, .. } => rate_ml_per_l_h * 1e-3 * v.volume_start_l,
            // Steps have rates of their own.
            FeedPlan::None | FeedPlan::Steps { .. } => 0.0,
        };
        Self {
            plan: r.feed.clone(),
            first_l_per_h,
            started_h: None,
            held: false,
            share: 1.0,
            set_l_per_h: None,
            slow_percent: 100.0,
            slow_per_min: 0.0,
            low_seen: false,
        }
    }
    fn starts(&mut self, start: FeedStart, oxygen_percent: f64, t: &FeedClock, dt_s: f64) -> bool {
        let stirrer = t.agitation_per_min;
        match start {
            FeedStart::Hour { h } => t.now_h >= h,
            FeedStart::OxygenRise => {
                let share = (dt_s / 300.0).min(1.0);
                self.slow_percent += (oxygen_percent - self.slow_percent) * share;
                self.slow_per_min += (stirrer - self.slow_per_min) * share;
                let growing = t.inoculated_h.is_some_and(|at| t.now_h - at > 2.0);
                self.low_seen |= growing && self.slow_percent < 60.0;
                // A cascade takes the rise away at once: then it is the stirrer that falls.
                self.low_seen && (oxygen_percent - self.slow_percent > 15.0 || stirrer < 0.85 * self.slow_per_min)
            }
        }
    }
    fn rate_l_per_s(&mut self, v: &Vessel, oxygen_percent: f64, t: &FeedClock, dt_s: f64) -> f64 {
        if let Some(rate) = self.set_l_per_h {
            return if self.held { 0.0 } else { (rate / 3600.0).min(v.feed_max_l_per_s()) };
        }
        let (start, growth) = match &self.plan {
            FeedPlan::None => return 0.0,
            FeedPlan::Constant { start, .. } => (*start, 0.0),
            FeedPlan::Exponential { start, growth_rate_per_h } => (*start, *growth_rate_per_h),
            FeedPlan::Steps { steps } => {
                let at = steps.partition_point(|step| step.from_h <= t.now_h);
                let rate = at.checked_sub(1).and_then(|i| steps.get(i)).map_or(0.0, |step| step.rate_ml_per_l_h);
                if rate > 0.0 && self.started_h.is_none() {
                    self.started_h = Some(t.now_h);
                }
                let given = if self.held { 0.0 } else { rate * self.share };
                return (given * 1e-3 * v.volume_start_l / 3600.0).min(v.feed_max_l_per_s());
            }
        };
        if self.started_h.is_none() && self.starts(start, oxygen_percent, t, dt_s) {
            self.started_h = Some(t.now_h);
        }
        match self.started_h {
            Some(at) if !self.held => {
                let rate = self.first_l_per_h * (growth * (t.now_h - at)).exp() * self.share;
                (rate / 3600.0).min(v.feed_max_l_per_s())
            }
            _ => 0.0,
        }
    }
}

/// Volume of a sample, mL: enough for an analyser, little for the vessel.
pub(crate) fn sample_ml(v: &Vessel) -> f64 {
    (v.volume_start_l * 5.0).clamp(0.5, 50.0)
}
