//! pH from the balance of charges: ammonia, phosphate, carbonate, acetate, strong ions.
//!
//! Growth that takes up ammonia, acetate that is made and CO2 that dissolves so make the broth sour, and
//! ammonia as base brings it back, without any fitted "acid per biomass". Dissociation constants are those
//! of the tables (CRC Handbook of Chemistry and Physics) at an ionic strength near 0.15 mol/L; only that
//! of ammonium depends on temperature enough to matter (−0.031 per K).

/// Totals in the broth, mmol/L.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Totals {
    pub(crate) ammonia: f64,
    pub(crate) phosphate: f64,
    pub(crate) carbonate: f64,
    pub(crate) acetate: f64,
    /// Strong cations less strong anions (sodium, potassium; sulphate, chloride).
    pub(crate) strong: f64,
    pub(crate) temperature_c: f64,
}

const PK_CO2: f64 = 6.10;
const PK_BICARBONATE: f64 = 9.90;
const PK_PHOSPHATE_1: f64 = 1.95;
const PK_PHOSPHATE_2: f64 = 6.75;
const PK_ACETATE: f64 = 4.60;
/// Ion product of water at 37 °C and this ionic strength, −log10.
const PK_WATER: f64 = 13.40;

fn pk_ammonium(t_c: f64) -> f64 {
    9.30 - 0.031 * (t_c - 25.0)
}

fn power(x: f64) -> f64 {
    (x * std::f64::consts::LN_10).exp()
}

/// Share of dissolved inorganic carbon that is CO2 and can leave.
pub(crate) fn co2_share(ph: f64) -> f64 {
    let first = power(ph - PK_CO2);
    1.0 / (1.0 + first + first * power(ph - PK_BICARBONATE))
}

/// Net charge at a pH, mmol/L, and its slope per pH (negative).
fn charge(t: &Totals, ph: f64) -> (f64, f64) {
    let h = power(-ph) * 1000.0;
    let oh = power(ph - PK_WATER) * 1000.0;
    let acid = |total: f64, pk: f64| {
        let alpha = 1.0 / (1.0 + power(pk - ph));
        (total * alpha, total * alpha * (1.0 - alpha))
    };
    let (ammonia, ammonia_slope) = acid(t.ammonia, pk_ammonium(t.temperature_c));
    let (first, first_slope) = acid(t.phosphate, PK_PHOSPHATE_1);
    let (second, second_slope) = acid(t.phosphate, PK_PHOSPHATE_2);
    let (bicarbonate, bicarbonate_slope) = acid(t.carbonate, PK_CO2);
    let (carbonate, carbonate_slope) = acid(t.carbonate, PK_BICARBONATE);
    let (acetate, acetate_slope) = acid(t.acetate, PK_ACETATE);
    let positive = h + (t.ammonia - ammonia) + t.strong;
    let negative = oh + first + second + bicarbonate + carbonate + acetate;
    let slope = h + oh + ammonia_slope + first_slope + second_slope + bicarbonate_slope + carbonate_slope + acetate_slope;
    (positive - negative, -slope * std::f64::consts::LN_10)
}

/// The pH at which charges balance, from a guess: Newton's method kept inside a bracket.
pub(crate) fn ph(t: &Totals, guess: f64) -> f64 {
    let (mut low, mut high) = (0.5, 13.5);
    let mut ph = guess.clamp(low, high);
    for _ in 0..60 {
        let (excess, slope) = charge(t, ph);
        if excess > 0.0 {
            low = ph;
        } else {
            high = ph;
        }
        let step = excess / slope;
        let next = ph - step;
        let next = if (low..=high).contains(&next) { next } else { 0.5 * (low + high) };
        if (next - ph).abs() < 1e-9 {
            return next;
        }
        ph = next;
    }
    ph
}

/// The strong ions that give this pH, mmol/L.
pub(crate) fn strong_for(mut t: Totals, ph: f64) -> f64 {
    t.strong = 0.0;
    -charge(&t, ph).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn medium() -> Totals {
        Totals { ammonia: 60.0, phosphate: 60.0, carbonate: 0.5, acetate: 0.0, strong: 0.0, temperature_c: 37.0 }
    }

    #[test]
    fn a_phosphate_buffer_is_at_its_pk_when_half_of_it_is_titrated() {
        // Half as dihydrogen, half as hydrogen phosphate needs 1.5 strong cations each.
        let t = Totals { ammonia: 0.0, phosphate: 100.0, carbonate: 0.0, acetate: 0.0, strong: 150.0, temperature_c: 25.0 };
        assert!((ph(&t, 7.0) - PK_PHOSPHATE_2).abs() < 0.01);
    }

    #[test]
    fn uptake_of_ammonia_acidifies_and_ammonia_as_base_restores() {
        let mut t = medium();
        t.strong = strong_for(t, 7.0);
        assert!((ph(&t, 5.0) - 7.0).abs() < 1e-6);
        let taken = Totals { ammonia: t.ammonia - 5.0, ..t };
        assert!(ph(&taken, 7.0) < 6.9);
        assert!((ph(&Totals { ammonia: taken.ammonia + 5.0, ..taken }, 7.0) - 7.0).abs() < 1e-6);
        let sour = Totals { acetate: 5.0, ..t };
        assert!(ph(&sour, 7.0) < 6.9);
    }

    proptest! {
        #[test]
        fn the_balance_is_met_for_any_totals(
            ammonia in 0.0..500.0f64, phosphate in 0.0..200.0f64, carbonate in 0.0..50.0f64,
            acetate in 0.0..300.0f64, strong in -50.0..600.0f64, guess in 2.0..12.0f64,
        ) {
            let t = Totals { ammonia, phosphate, carbonate, acetate, strong, temperature_c: 37.0 };
            let found = ph(&t, guess);
            let (excess, slope) = charge(&t, found);
            // Within a billionth of a pH, or at the end of the scale for impossible broths.
            prop_assert!(excess.abs() <= slope.abs() * 1e-7 + 1e-9 || !(0.51..=13.49).contains(&found), "{} {}", found, excess);
            prop_assert!((ph(&t, 14.0 - guess) - found).abs() < 1e-6);
        }
    }
}
