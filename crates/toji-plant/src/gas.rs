//! Oxygen and carbon dioxide between gas and broth: stirrer power, kLa, solubility, vapour.

use crate::vessel::Vessel;

/// Oxygen in dry air, mol/mol.
pub(crate) const AIR_OXYGEN: f64 = 0.2095;
/// Carbon dioxide in dry air, mol/mol.
pub(crate) const AIR_CO2: f64 = 0.000_42;
/// Mol of gas in a standard litre (0 °C, 1 atm).
pub(crate) const MOL_PER_STANDARD_L: f64 = 1.0 / 22.414;
/// Pressure of the atmosphere, bar.
pub(crate) const ATMOSPHERE_BAR: f64 = 1.013_25;

/// Solubility of oxygen in water, mmol/(L·bar): 1.3e-3 mol/(L·atm) at 25 °C, temperature term 1500 K
/// (Sander, Atmos. Chem. Phys. 15:4399, 2015). Salting-out is neglected.
pub(crate) fn oxygen_solubility(t_c: f64) -> f64 {
    1.3 / ATMOSPHERE_BAR * (1500.0 * (1.0 / (t_c + 273.15) - 1.0 / 298.15)).exp()
}

/// Solubility of carbon dioxide, mmol/(L·bar): 3.4e-2 mol/(L·atm) at 25 °C, 2400 K (same source).
pub(crate) fn co2_solubility(t_c: f64) -> f64 {
    34.0 / ATMOSPHERE_BAR * (2400.0 * (1.0 / (t_c + 273.15) - 1.0 / 298.15)).exp()
}

/// Vapour pressure of water, bar (Alduchov and Eskridge, J. Appl. Meteorol. 35:601, 1996).
pub(crate) fn vapour_bar(t_c: f64) -> f64 {
    0.006_109_4 * (17.625 * t_c / (t_c + 243.04)).exp()
}

/// Stirring and gassing at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Agitated {
    /// Power that the stirrer gives to the broth, W.
    pub(crate) power_w: f64,
    /// Superficial gas velocity, m/s.
    pub(crate) gas_m_per_s: f64,
    /// kLa of oxygen, 1/s.
    pub(crate) kla_per_s: f64,
}

/// Power `Np·ρ·N³·D⁵` of the impellers, less what gas takes away (Hughmark, Ind. Eng. Chem. Process Des. Dev.
/// 19:638, 1980), and kLa for broths with salts by van 't Riet (same journal 18:357, 1979):
/// `0.002·(P/V)^0.7·vs^0.2`, brought to temperature by 1.024 per K from 20 °C.
pub(crate) fn agitate(v: &Vessel, volume_l: f64, per_min: f64, gas_l_per_min: f64, pressure_bar: f64, t_c: f64) -> Agitated {
    const DENSITY: f64 = 1000.0;
    let (n, d) = (per_min / 60.0, v.impeller_diameter_m);
    let volume_m3 = volume_l * 1e-3;
    // Standard litres at the pressure and temperature of the broth.
    let gas_m3_per_s = gas_l_per_min / 60_000.0 * (t_c + 273.15) / 273.15 * ATMOSPHERE_BAR / pressure_bar;
    let ungassed = v.impellers * v.power_number * DENSITY * n.powi(3) * d.powi(5);
    let share = if n > 0.0 && gas_m3_per_s > 0.0 {
        let width = 0.2 * d;
        let flow = (n * volume_m3 / gas_m3_per_s).powf(0.25);
        let froude = (n * n * d.powi(4) / (9.81 * width * volume_m3.powf(2.0 / 3.0))).powf(-0.2);
        (0.10 * flow * froude).clamp(0.3, 1.0)
    } else {
        1.0
    };
    let power_w = ungassed * share;
    let gas_m_per_s = gas_m3_per_s / v.area_m2();
    let kla = 0.002 * (power_w / volume_m3).max(0.0).powf(0.7) * gas_m_per_s.powf(0.2) * 1.024f64.powf(t_c - 20.0);
    Agitated { power_w, gas_m_per_s, kla_per_s: if gas_m_per_s > 0.0 { kla } else { 0.0 } }
}

/// The positive root of `c² + b·c − q = 0` for `q ≥ 0`, without cancellation.
pub(crate) fn positive_root(b: f64, q: f64) -> f64 {
    let root = (b * b + 4.0 * q).sqrt();
    if b > 0.0 { 2.0 * q / (b + root) } else { 0.5 * (root - b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vessel::Scale;

    #[test]
    fn solubilities_are_those_of_the_tables() {
        // 8.26 mg/L of oxygen in water under air of 1 atm at 25 °C, 6.7 at 37 °C (Benson and Krause,
        // Limnol. Oceanogr. 29:620, 1984).
        let under_air = |t: f64| oxygen_solubility(t) * AIR_OXYGEN * (ATMOSPHERE_BAR - vapour_bar(t)) * 32.0;
        assert!((under_air(25.0) - 8.26).abs() < 0.35, "{}", under_air(25.0));
        assert!((under_air(37.0) - 6.7).abs() < 0.4, "{}", under_air(37.0));
        assert!((vapour_bar(37.0) - 0.0628).abs() < 0.0005);
    }

    #[test]
    fn kla_is_of_the_order_each_scale_reaches() {
        for (scale, range) in
            [(Scale::L025, 200.0..3000.0), (Scale::L1, 300.0..4000.0), (Scale::L30, 300.0..4000.0), (Scale::L3000, 150.0..2000.0)]
        {
            let v = scale.vessel();
            let kla = |share: f64| {
                let n = v.agitation_min_per_min + share * (v.agitation_max_per_min - v.agitation_min_per_min);
                agitate(&v, v.volume_start_l, n, v.gas_flow_max_l_per_min, 1.1, 37.0).kla_per_s * 3600.0
            };
            assert!(range.contains(&kla(1.0)), "{scale:?}: {}", kla(1.0));
            assert!(kla(0.0) < 0.4 * kla(1.0), "{scale:?}");
        }
    }

    #[test]
    fn roots_hold_where_the_formula_would_cancel() {
        for (b, q) in [(1e8, 1.0), (-1e8, 1.0), (0.0, 4.0), (3.0, 0.0)] {
            let c = positive_root(b, q);
            assert!((c * c + b * c - q).abs() <= 1e-9 * (c * c + q).max(1e-12), "{b} {q} {c}");
        }
    }
}
