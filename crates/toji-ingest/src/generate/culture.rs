//! One small simulation behind all generated files: a batch or fed-batch of a growing culture.
//!
//! Growth by Monod (Annu. Rev. Microbiol. 3:371, 1949): `µ = µmax·S/(Ks+S)`; substrate uptake by yield
//! and maintenance (Pirt, Proc. R. Soc. B 163:224, 1965): `qS = µ/Yxs + m`; the exponential feed that
//! holds `µset`: `F = (µset/Yxs + m)·X·V/(Sf − S)`; oxygen uptake by yield, `OUR = µX/Yxo + mo·X`;
//! dissolved oxygen in quasi-steady state, `kLa(C* − C) = OUR`, with `kLa ∝ N^1.2·vs^0.5` after van 't
//! Riet's correlation (Ind. Eng. Chem. Process Des. Dev. 18:357, 1979: `kLa = 0.026 (P/V)^0.4 vs^0.5`, and
//! `P ∝ N³`); base as the ammonia taken up with biomass, 0.14 g nitrogen per g of dry weight.
//! Parameter values are of the order that the literature gives for *Escherichia coli* on glucose
//! (Xu, Jahic and Enfors, Biotechnol. Prog. 15:81, 1999: Ks 0.05 g/L, Yxs 0.5 g/g, m 0.04 g/(g·h)).

/// What is cultivated, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recipe {
    /// Start volume in litres.
    pub(super) volume_l: f64,
    pub(super) biomass_g_l: f64,
    pub(super) glucose_g_l: f64,
    pub(super) mu_max_per_h: f64,
    /// Growth rate held by the feed; 0 for a batch.
    pub(super) mu_set_per_h: f64,
    pub(super) feed_g_l: f64,
    pub(super) hours: f64,
    /// kLa at 1000 rpm and 1 vvm, per hour.
    pub(super) kla_per_h: f64,
    pub(super) stirrer_min_per_min: f64,
    pub(super) stirrer_max_per_min: f64,
    pub(super) temperature_c: f64,
    pub(super) ph: f64,
}

/// A culture at one time, as far as vendors' files show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    /// Time since inoculation, h.
    pub t_h: f64,
    /// Dry biomass, g/L.
    pub biomass_g_l: f64,
    /// Glucose, g/L.
    pub glucose_g_l: f64,
    /// Acetate, g/L.
    pub acetate_g_l: f64,
    /// Volume, L.
    pub volume_l: f64,
    /// Dissolved oxygen, % of air saturation.
    pub oxygen_percent: f64,
    /// Oxygen uptake rate, mmol/(L·h).
    pub our_mmol_l_h: f64,
    /// Stirrer, 1/min.
    pub stirrer_per_min: f64,
    /// Feed added, mL.
    pub feed_ml: f64,
    /// Feed rate, mL/h.
    pub feed_ml_h: f64,
    /// Base added, mL.
    pub base_ml: f64,
    /// pH.
    pub ph: f64,
    /// Temperature, °C.
    pub temperature_c: f64,
}

const KS_G_L: f64 = 0.05;
const YIELD_XS: f64 = 0.5;
const MAINTENANCE_G_G_H: f64 = 0.04;
/// Biomass per oxygen, g/mmol, and oxygen for maintenance, mmol/(g·h).
const YIELD_XO_G_MMOL: f64 = 0.035;
const MAINTENANCE_O2_MMOL_G_H: f64 = 1.0;
/// Oxygen in equilibrium with air at 37 °C, mmol/L (Henry's law, about 6.7 mg/L).
const SATURATION_MMOL_L: f64 = 0.21;
/// Nitrogen in dry biomass over that of ammonia solution of 25 % (13.3 mol/L), mL per g.
const BASE_ML_PER_G: f64 = 0.14 / 14.0 / 13.3 * 1000.0;
const STEP_H: f64 = 0.002;

/// Simulates and reports every `every_h` hours, from 0.
pub(super) fn simulate(recipe: &Recipe, every_h: f64) -> Vec<State> {
    let mut s = State {
        t_h: 0.0,
        biomass_g_l: recipe.biomass_g_l,
        glucose_g_l: recipe.glucose_g_l,
        acetate_g_l: 0.0,
        volume_l: recipe.volume_l,
        oxygen_percent: 100.0,
        our_mmol_l_h: 0.0,
        stirrer_per_min: recipe.stirrer_min_per_min,
        feed_ml: 0.0,
        feed_ml_h: 0.0,
        base_ml: 0.0,
        ph: recipe.ph,
        temperature_c: recipe.temperature_c,
    };
    let mut out = Vec::new();
    let mut feeding = false;
    let steps = (recipe.hours / STEP_H).round() as u64;
    let report = (every_h / STEP_H).round().max(1.0) as u64;
    for step in 0..=steps {
        s.t_h = step as f64 * STEP_H;
        feeding |= recipe.mu_set_per_h > 0.0 && s.glucose_g_l < 0.2;
        advance(&mut s, recipe, feeding);
        if step % report == 0 {
            out.push(s);
        }
    }
    out
}

fn advance(s: &mut State, recipe: &Recipe, feeding: bool) {
    let monod = s.glucose_g_l / (KS_G_L + s.glucose_g_l);
    // Growth slows where oxygen is short.
    let oxygen = s.oxygen_percent / (2.0 + s.oxygen_percent);
    let mu = recipe.mu_max_per_h * monod * oxygen;
    let uptake = (mu / YIELD_XS + MAINTENANCE_G_G_H * monod) * s.biomass_g_l;
    let demand = (recipe.mu_set_per_h / YIELD_XS + MAINTENANCE_G_G_H) * s.biomass_g_l * s.volume_l;
    let feed_l_h = if feeding { (demand / (recipe.feed_g_l - s.glucose_g_l)).min(recipe.volume_l * 0.03) } else { 0.0 };
    let dilution = feed_l_h / s.volume_l;
    let overflow = 0.12 * (mu - 0.35).max(0.0) * s.biomass_g_l;
    let reuse = if s.glucose_g_l < 0.1 { 0.1 * s.biomass_g_l * s.acetate_g_l / (0.05 + s.acetate_g_l) } else { 0.0 };
    let growth = mu * s.biomass_g_l;
    s.biomass_g_l += (growth - dilution * s.biomass_g_l) * STEP_H;
    s.glucose_g_l = (s.glucose_g_l + (dilution * (recipe.feed_g_l - s.glucose_g_l) - uptake) * STEP_H).max(0.0);
    s.acetate_g_l = (s.acetate_g_l + (overflow - reuse - dilution * s.acetate_g_l) * STEP_H).max(0.0);
    s.volume_l += feed_l_h * STEP_H;
    s.feed_ml += feed_l_h * 1000.0 * STEP_H;
    s.feed_ml_h = feed_l_h * 1000.0;
    s.base_ml += BASE_ML_PER_G * growth * s.volume_l * STEP_H;
    s.our_mmol_l_h = growth / YIELD_XO_G_MMOL + MAINTENANCE_O2_MMOL_G_H * s.biomass_g_l * oxygen;
    // The controller raises the stirrer until 30 % of air saturation are held.
    let needed = s.our_mmol_l_h / (SATURATION_MMOL_L * 0.7) / recipe.kla_per_h;
    let wanted = 1000.0 * needed.max(0.0).powf(1.0 / 1.2);
    s.stirrer_per_min += (wanted.clamp(recipe.stirrer_min_per_min, recipe.stirrer_max_per_min) - s.stirrer_per_min) * 0.2;
    let kla = recipe.kla_per_h * (s.stirrer_per_min / 1000.0).powf(1.2);
    s.oxygen_percent = (100.0 * (1.0 - s.our_mmol_l_h / (kla * SATURATION_MMOL_L))).clamp(0.0, 110.0);
    // Between two strokes of the base pump the pH drops with the ammonia taken up.
    s.ph = recipe.ph - 0.03 * (s.base_ml * 50.0 / recipe.volume_l).fract() * f64::from(u8::from(growth > 0.01));
}

/// A recipe for a scale.
pub(super) fn recipe(volume_l: f64) -> Recipe {
    Recipe {
        volume_l,
        biomass_g_l: 0.15,
        glucose_g_l: 15.0,
        mu_max_per_h: 0.55,
        mu_set_per_h: 0.18,
        feed_g_l: 500.0,
        hours: 24.0,
        // Larger vessels transfer less: lower power per volume, longer mixing.
        kla_per_h: 700.0 * (volume_l / 1.0).powf(-0.04),
        stirrer_min_per_min: if volume_l > 500.0 { 60.0 } else { 300.0 },
        stirrer_max_per_min: if volume_l > 20.0 { 1000.0 } else { 1600.0 },
        temperature_c: 37.0,
        ph: 6.9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mass_is_conserved_and_the_feed_holds_the_growth_rate() {
        let recipe = recipe(1.0);
        let states = simulate(&recipe, 0.1);
        let (first, last) = (states[0], states[states.len() - 1]);
        let made = last.biomass_g_l * last.volume_l - first.biomass_g_l * first.volume_l;
        let given =
            first.glucose_g_l * first.volume_l + last.feed_ml / 1000.0 * recipe.feed_g_l - last.glucose_g_l * last.volume_l;
        // Maintenance takes some of the glucose, so the overall yield lies below Yxs, not above.
        let yield_xs = made / given;
        assert!((0.35..YIELD_XS).contains(&yield_xs), "overall yield {yield_xs}");
        // While fed below the pump's limit, biomass doubles in ln 2 / µset.
        let fed: Vec<&State> =
            states.iter().filter(|s| s.feed_ml_h > 0.0 && s.feed_ml_h < 25.0 && s.oxygen_percent > 20.0).collect();
        let (a, b) = (fed[fed.len() / 2], fed[fed.len() - 1]);
        let rate = ((b.biomass_g_l * b.volume_l) / (a.biomass_g_l * a.volume_l)).ln() / (b.t_h - a.t_h);
        assert!((rate - recipe.mu_set_per_h).abs() < 0.03, "growth rate {rate}");
        assert!(states.iter().all(|s| s.oxygen_percent >= 0.0 && s.glucose_g_l >= 0.0));
    }

    #[test]
    fn scales_differ_in_oxygen_transfer() {
        assert!(recipe(3000.0).kla_per_h < recipe(1.0).kla_per_h);
    }
}
