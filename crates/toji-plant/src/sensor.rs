//! Instruments: lag, calibration error, drift, noise, digits, and the faults that sit on them.
//!
//! Sizes are those of common probes: pH ±0.02 after calibration, Pt100 ±0.05 K, optical oxygen ±1 % of the
//! reading, paramagnetic and infrared gas analysers with a sampling line of 20 s.

use crate::fault::{Fault, FaultKind};
use crate::random::Random;
use crate::signal::{COUNT, SIGNALS, SignalId};
use crate::vessel::Scale;

/// True values of all signals, by index.
pub(crate) type Values = [f64; COUNT];
/// What devices say, by index.
pub(crate) type Said = [Option<f64>; COUNT];

/// Number of signals that come from a probe; the others are known to the controller exactly.
const PROBES: usize = 11;

/// Probes whose devices print nothing below zero: speed, flow, turbidity, fractions and foam.
const NEVER_NEGATIVE: [SignalId; 6] = [
    SignalId::Agitation,
    SignalId::GasFlow,
    SignalId::OpticalDensity,
    SignalId::OffgasOxygen,
    SignalId::OffgasCo2,
    SignalId::Foam,
];

#[derive(Debug, Clone, Copy)]
struct Probe {
    lag_s: f64,
    noise: f64,
    /// Noise relative to the value.
    relative_noise: f64,
    offset: f64,
    gain: f64,
    drift_per_h: f64,
    state: Option<f64>,
}

/// The instruments of a reactor.
#[derive(Debug, Clone)]
pub(crate) struct Sensors {
    probes: [Probe; PROBES],
    /// Values that a stuck probe keeps.
    kept: [Option<f64>; COUNT],
    /// What was subtracted by re-zeroing.
    zero: [f64; COUNT],
    digits: [u8; COUNT],
    random: Random,
}

/// Decimals a device of this scale prints.
pub(crate) fn digits(scale: Scale, signal: SignalId) -> u8 {
    let coarse = match scale {
        Scale::L025 | Scale::L1 => 0,
        Scale::L30 => 1,
        Scale::L3000 => 3,
    };
    match signal {
        SignalId::Weight | SignalId::FeedRate | SignalId::FeedTotal | SignalId::BaseTotal | SignalId::AcidTotal => {
            signal.info().digits - coarse
        }
        SignalId::GasFlow => signal.info().digits - coarse.min(2),
        _ => signal.info().digits,
    }
}

impl Sensors {
    pub(crate) fn new(scale: Scale, mut random: Random) -> Self {
        let v = scale.vessel();
        let mut probe = |lag_s: f64, noise: f64, offset_sd: f64, gain_sd: f64, drift_per_day: f64| Probe {
            lag_s,
            noise,
            relative_noise: 0.0,
            offset: offset_sd * random.normal(),
            gain: 1.0 + gain_sd * random.normal(),
            drift_per_h: drift_per_day / 24.0 * random.normal(),
            state: None,
        };
        let probes = [
            probe(5.0, 0.004, 0.01, 0.0, 0.01),
            probe(4.0, 0.01, 0.02, 0.0, 0.0),
            probe(v.oxygen_probe_s, 0.2, 0.0, 0.01, 0.3),
            probe(0.0, 0.0005 * v.agitation_max_per_min, 0.0, 0.001, 0.0),
            probe(1.0, 0.002 * v.gas_flow_max_l_per_min, 0.0, 0.005, 0.0),
            probe(0.5, 0.0005, 0.001, 0.0, 0.0),
            probe(2.0, 2e-5 * v.volume_total_l, 0.0, 0.0005, 0.0),
            Probe { relative_noise: 0.01, ..probe(5.0, 0.02, 0.0, 0.03, 0.0) },
            probe(20.0, 0.008, 0.02, 0.0, 0.01),
            probe(20.0, 0.006, 0.02, 0.0, 0.01),
            probe(2.0, 0.4, 0.0, 0.0, 0.0),
        ];
        let digits = std::array::from_fn(|i| SIGNALS.get(i).map_or(0, |s| digits(scale, s.id)));
        Self { probes, kept: [None; COUNT], zero: [0.0; COUNT], digits, random }
    }
    /// What the probes say of the truth, before their faults.
    pub(crate) fn sense(&mut self, truth: &Values, now_h: f64, dt_s: f64) -> Said {
        let mut said: Said = truth.map(Some);
        for ((probe, truth), said) in self.probes.iter_mut().zip(truth).zip(&mut said) {
            let before = probe.state.unwrap_or(*truth);
            let share = if probe.lag_s > 0.0 { 1.0 - (-dt_s / probe.lag_s).exp() } else { 1.0 };
            let now = before + (truth - before) * share;
            probe.state = Some(now);
            let noise = (probe.noise + probe.relative_noise * now.abs()) * self.random.normal();
            *said = Some(now * probe.gain + probe.offset + probe.drift_per_h * now_h + noise);
        }
        for signal in NEVER_NEGATIVE {
            if let Some(said) = said.get_mut(signal.index()) {
                *said = said.map(|v| v.max(0.0));
            }
        }
        said
    }
    /// Puts the faults of this moment on, and prints on the device's digits.
    pub(crate) fn spoil(&mut self, said: &mut Said, faults: &[Fault], now_h: f64, dt_s: f64) {
        for fault in faults {
            let Some(i) = fault.kind.signal().map(SignalId::index) else { continue };
            let (Some(value), Some(kept), Some(zero)) = (said.get_mut(i), self.kept.get_mut(i), self.zero.get_mut(i)) else {
                continue;
            };
            let on = fault.is_on(now_h);
            match fault.kind {
                FaultKind::Stuck { .. } if on => *value = Some(*kept.get_or_insert(value.unwrap_or(0.0))),
                FaultKind::Stuck { .. } => *kept = None,
                FaultKind::Drift { per_h, .. } if on => *value = value.map(|v| v + per_h * (now_h - fault.from_h)),
                FaultKind::Spikes { size, .. } if on => {
                    let due = self.random.unit() < dt_s / 60.0;
                    *value = value.map(|v| if due { v + size } else { v });
                }
                FaultKind::DropOut { .. } if on => *value = None,
                // Zeroed once, when the fault begins; the counter goes on from there for good.
                FaultKind::ReZeroed { .. } if now_h >= fault.from_h && now_h - dt_s / 3600.0 < fault.from_h => {
                    *zero = value.unwrap_or(0.0);
                }
                _ => {}
            }
        }
        for (i, value) in said.iter_mut().enumerate() {
            let zero = self.zero.get(i).copied().unwrap_or(0.0);
            let scale = 10f64.powi(i32::from(self.digits.get(i).copied().unwrap_or(3)));
            *value = value.map(|v| ((v - zero) * scale).round() / scale + 0.0);
        }
    }
}
