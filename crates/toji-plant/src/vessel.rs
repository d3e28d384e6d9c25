//! Vessels: geometry, stirrer, gassing and heat exchange of the scales a process passes through.
//!
//! The geometry is of the usual kind for each scale (liquid height 1–1.5 diameters, impeller about 0.35–0.45
//! diameters); no maker's drawing is copied. Power numbers: about 5 for a Rushton turbine and 1.6 for a
//! pitched blade in the turbulent range (Bates, Fondy and Corpstein, Ind. Eng. Chem. Process Des. Dev.
//! 2:310, 1963).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A scale with standard geometry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub enum Scale {
    /// 0.25 L single-use vessel, one of 24.
    ///
    /// 0.25 L の使い捨て槽（24 基の一つ）。
    #[serde(rename = "0.25-l")]
    L025,
    /// 1 L glass vessel, one of 12.
    ///
    /// 1 L のガラス槽（12 基の一つ）。
    #[default]
    #[serde(rename = "1-l")]
    L1,
    /// 30 L steel vessel.
    ///
    /// 30 L のステンレス槽。
    #[serde(rename = "30-l")]
    L30,
    /// 3,000 L steel vessel.
    ///
    /// 3,000 L のステンレス槽。
    #[serde(rename = "3000-l")]
    L3000,
}

/// Geometry and limits of a vessel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Vessel {
    /// Total volume, L.
    pub volume_total_l: f64,
    /// Volume at the start of a culture, L; a fed-batch grows from it.
    pub volume_start_l: f64,
    /// Inner diameter, m.
    pub diameter_m: f64,
    /// Impeller diameter, m.
    pub impeller_diameter_m: f64,
    /// Number of impellers.
    pub impellers: f64,
    /// Power number of one impeller, 1.
    pub power_number: f64,
    /// Slowest stirrer speed, 1/min.
    pub agitation_min_per_min: f64,
    /// Fastest stirrer speed, 1/min.
    pub agitation_max_per_min: f64,
    /// Lowest gas flow, standard L/min.
    pub gas_flow_min_l_per_min: f64,
    /// Highest gas flow, standard L/min.
    pub gas_flow_max_l_per_min: f64,
    /// Overpressure of the head space, bar.
    pub overpressure_bar: f64,
    /// Overall heat transfer coefficient of the jacket, W/(m²·K): glass about 250, steel about 450.
    pub heat_transfer_w_per_m2_k: f64,
    /// Power of the stirrer's motor, W.
    pub motor_w: f64,
    /// Time constant of the oxygen probe, s.
    pub oxygen_probe_s: f64,
}

impl Scale {
    /// Geometry and limits.
    #[must_use]
    pub const fn vessel(self) -> Vessel {
        match self {
            Self::L025 => Vessel {
                volume_total_l: 0.25,
                volume_start_l: 0.15,
                diameter_m: 0.062,
                impeller_diameter_m: 0.027,
                impellers: 2.0,
                power_number: 1.6,
                agitation_min_per_min: 400.0,
                agitation_max_per_min: 3000.0,
                gas_flow_min_l_per_min: 0.1,
                gas_flow_max_l_per_min: 0.4,
                overpressure_bar: 0.0,
                heat_transfer_w_per_m2_k: 250.0,
                motor_w: 8.0,
                oxygen_probe_s: 8.0,
            },
            Self::L1 => Vessel {
                volume_total_l: 1.0,
                volume_start_l: 0.5,
                diameter_m: 0.10,
                impeller_diameter_m: 0.044,
                impellers: 2.0,
                power_number: 5.0,
                agitation_min_per_min: 300.0,
                agitation_max_per_min: 1500.0,
                gas_flow_min_l_per_min: 0.3,
                gas_flow_max_l_per_min: 1.5,
                overpressure_bar: 0.0,
                heat_transfer_w_per_m2_k: 250.0,
                motor_w: 40.0,
                oxygen_probe_s: 15.0,
            },
            Self::L30 => Vessel {
                volume_total_l: 30.0,
                volume_start_l: 15.0,
                diameter_m: 0.28,
                impeller_diameter_m: 0.10,
                impellers: 3.0,
                power_number: 5.0,
                agitation_min_per_min: 150.0,
                agitation_max_per_min: 900.0,
                gas_flow_min_l_per_min: 6.0,
                gas_flow_max_l_per_min: 40.0,
                overpressure_bar: 0.3,
                heat_transfer_w_per_m2_k: 450.0,
                motor_w: 1000.0,
                oxygen_probe_s: 20.0,
            },
            Self::L3000 => Vessel {
                volume_total_l: 3000.0,
                volume_start_l: 1500.0,
                diameter_m: 1.25,
                impeller_diameter_m: 0.42,
                impellers: 3.0,
                power_number: 5.0,
                agitation_min_per_min: 50.0,
                agitation_max_per_min: 250.0,
                gas_flow_min_l_per_min: 300.0,
                gas_flow_max_l_per_min: 3000.0,
                overpressure_bar: 0.5,
                heat_transfer_w_per_m2_k: 450.0,
                motor_w: 30_000.0,
                oxygen_probe_s: 30.0,
            },
        }
    }
}

impl Vessel {
    /// Cross section, m².
    #[must_use]
    pub fn area_m2(&self) -> f64 {
        std::f64::consts::FRAC_PI_4 * self.diameter_m * self.diameter_m
    }
    /// Height of this volume of liquid, m.
    #[must_use]
    pub fn liquid_height_m(&self, volume_l: f64) -> f64 {
        volume_l * 1e-3 / self.area_m2()
    }
    /// Wetted area of the jacket, m².
    #[must_use]
    pub fn jacket_m2(&self, volume_l: f64) -> f64 {
        std::f64::consts::PI * self.diameter_m * self.liquid_height_m(volume_l) + self.area_m2()
    }
    /// Largest flow of the acid and of the base pump, L/s: 25 mL per hour and litre of start volume.
    pub(crate) fn titrant_max_l_per_s(&self) -> f64 {
        0.025 * self.volume_start_l / 3600.0
    }
    /// Largest flow of the feed pump, L/s: 60 mL per hour and litre of start volume.
    pub(crate) fn feed_max_l_per_s(&self) -> f64 {
        0.060 * self.volume_start_l / 3600.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_volume_leaves_room_and_stands_one_to_two_diameters_high() {
        for scale in [Scale::L025, Scale::L1, Scale::L30, Scale::L3000] {
            let v = scale.vessel();
            assert!(v.volume_start_l < 0.7 * v.volume_total_l);
            let slim = v.liquid_height_m(v.volume_start_l) / v.diameter_m;
            assert!((0.6..2.0).contains(&slim), "{scale:?}: {slim}");
            let share = v.impeller_diameter_m / v.diameter_m;
            assert!((0.3..0.5).contains(&share), "{scale:?}: {share}");
        }
    }
}
