//! Heat of broth and jacket, solved implicitly: two bodies, a heater, cooling water and the surroundings.

/// Heat capacity of broth and of the jacket's water, J/(kg·K).
const CP: f64 = 4180.0;
/// Volume of the jacket per volume of broth.
const JACKET_SHARE: f64 = 0.3;
/// Power of the heater, W per litre of start volume.
const HEATER_W_PER_L: f64 = 100.0;
/// Cooling water at full flow, renewals of the jacket's content per second.
const COOLING_PER_S: f64 = 0.004;
/// Loss to the room, W/(m²·K), over the jacket's area.
const LOSS_W_PER_M2_K: f64 = 5.0;
/// Heat of respiration, J/mmol O2 (Cooney, Wang and Mateles, Biotechnol. Bioeng. 11:269, 1969: 0.124 kcal/mmol
/// for all organisms they tried; the oxycaloric equivalent is 0.45 kJ/mmol: Gnaiger and Kemp 1990).
pub(crate) const RESPIRATION_J_PER_MMOL: f64 = 460.0;
/// Heat of fermentation, J per g of glucose (about 100 kJ/mol, von Stockar and Liu, Biochim. Biophys. Acta
/// 1412:191, 1999).
pub(crate) const FERMENTATION_J_PER_G: f64 = 560.0;
/// Heat of evaporation of water, J/g.
pub(crate) const EVAPORATION_J_PER_G: f64 = 2410.0;

/// What heats and cools.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heating {
    /// Broth, kg.
    pub(crate) broth_kg: f64,
    /// Start volume, L: sizes heater and jacket.
    pub(crate) start_l: f64,
    /// Heat transfer from jacket to broth, W/K.
    pub(crate) transfer_w_per_k: f64,
    /// Area that loses to the room, m².
    pub(crate) area_m2: f64,
    /// Everything that heats the broth directly, W.
    pub(crate) power_w: f64,
    /// Controller: −1 full cooling to 1 full heating.
    pub(crate) valve: f64,
    /// Cooling water, °C.
    pub(crate) cooling_c: f64,
    /// Room, °C.
    pub(crate) room_c: f64,
}

/// Temperatures of broth and jacket after a time step: implicit Euler, so any step is stable.
pub(crate) fn step(h: &Heating, broth_c: f64, jacket_c: f64, dt_s: f64) -> (f64, f64) {
    let broth_j = h.broth_kg * CP;
    let jacket_j = JACKET_SHARE * h.start_l * CP;
    let loss = LOSS_W_PER_M2_K * h.area_m2;
    let heater = h.valve.clamp(0.0, 1.0) * HEATER_W_PER_L * h.start_l;
    let cooling = (-h.valve).clamp(0.0, 1.0) * COOLING_PER_S * jacket_j;
    let u = h.transfer_w_per_k;
    // Cb (T' − T)/dt = P + u (J' − T') − loss (T' − room);  Cj (J' − J)/dt = heater − u (J' − T') − cooling (J' − cold)
    let (a, b) = (broth_j / dt_s + u + loss, -u);
    let d = jacket_j / dt_s + u + cooling;
    let p = broth_j / dt_s * broth_c + h.power_w + loss * h.room_c;
    let q = jacket_j / dt_s * jacket_c + heater + cooling * h.cooling_c;
    let determinant = a * d - b * b;
    ((p * d - b * q) / determinant, (a * q - b * p) / determinant)
}

/// Jacket temperature a second of full heating adds, K: for the tuning of the inner loop.
pub(crate) fn jacket_rate_k_per_s() -> f64 {
    HEATER_W_PER_L / (JACKET_SHARE * CP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn still() -> Heating {
        Heating {
            broth_kg: 1.0,
            start_l: 1.0,
            transfer_w_per_k: 10.0,
            area_m2: 0.03,
            power_w: 0.0,
            valve: 0.0,
            cooling_c: 10.0,
            room_c: 37.0,
        }
    }

    #[test]
    fn heat_goes_into_temperature_and_nowhere_else() {
        let h = Heating { area_m2: 0.0, power_w: 5.0, ..still() };
        let (mut broth, mut jacket) = (30.0, 40.0);
        for _ in 0..600 {
            (broth, jacket) = step(&h, broth, jacket, 1.0);
        }
        let stored = (broth - 30.0) * CP + (jacket - 40.0) * JACKET_SHARE * CP;
        assert!((stored - 5.0 * 600.0).abs() < 1e-6, "{stored}");
    }

    #[test]
    fn full_heating_and_cooling_go_their_ways() {
        let run = |valve: f64| {
            let h = Heating { valve, ..still() };
            (0..3600).fold((37.0, 37.0), |(b, j), _| step(&h, b, j, 1.0)).0
        };
        assert!(run(1.0) > 60.0 && run(-1.0) < 20.0 && (run(0.0) - 37.0).abs() < 1e-9);
    }
}
