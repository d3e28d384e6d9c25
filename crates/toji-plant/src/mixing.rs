//! Mixing time: how long a drop of base takes to reach the probe.

use crate::vessel::Vessel;

/// Time to 95 % homogeneity in a turbulent stirred tank, s:
/// `5.9·T^(2/3)·(ρV/P)^(1/3)·(D/T)^(-1/3)` (Nienow, Chem. Eng. Sci. 52:2557, 1997).
pub(crate) fn mixing_time_s(v: &Vessel, volume_l: f64, power_w: f64) -> f64 {
    let per_kg = (power_w / volume_l).max(0.01);
    let slender = v.impeller_diameter_m / v.diameter_m;
    5.9 * v.diameter_m.powf(2.0 / 3.0) * per_kg.powf(-1.0 / 3.0) * slender.powf(-1.0 / 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vessel::Scale;

    #[test]
    fn large_vessels_mix_slowly() {
        let time = |scale: Scale, w_per_l: f64| {
            let v = scale.vessel();
            mixing_time_s(&v, v.volume_start_l, w_per_l * v.volume_start_l)
        };
        assert!(time(Scale::L1, 2.0) < 3.0);
        assert!((4.0..20.0).contains(&time(Scale::L3000, 2.0)), "{}", time(Scale::L3000, 2.0));
    }
}
