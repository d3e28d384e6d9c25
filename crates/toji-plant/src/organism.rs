//! Organisms: uptake, respiration, overflow and growth by the respiratory bottleneck.
//!
//! *E. coli* after Xu, Jahic and Enfors (Biotechnol. Prog. 15:81, 1999), baker's yeast after Sonnleitner and
//! Käppeli (Biotechnol. Bioeng. 28:927, 1986): glucose is taken up by Monod (Annu. Rev. Microbiol. 3:371,
//! 1949); what the limited respiration cannot burn overflows to acetate or ethanol, which is respired later.
//! Flux that serves anabolism becomes biomass, flux that serves energy becomes CO2 and needs oxygen; so
//! carbon closes to rounding. As in the first model, oxygen needed to make acetate is neglected.
//! Parameters are those of the papers or lie within the ranges these models are used with.
//!
//! Temperature and pH act by the cardinal models of Rosso and co-workers (J. Theor. Biol. 162:447, 1993;
//! Appl. Environ. Microbiol. 61:610, 1995); cardinal temperatures of *E. coli* from the first, of
//! *S. cerevisiae* near those of Salvadó and co-workers (Appl. Environ. Microbiol. 77:2292, 2011).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A known organism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OrganismName {
    /// *Escherichia coli* K-12, overflow to acetate.
    ///
    /// 大腸菌 Escherichia coli K-12。酢酸への溢流。
    #[default]
    EColi,
    /// *Saccharomyces cerevisiae*, overflow to ethanol.
    ///
    /// 酵母 Saccharomyces cerevisiae。エタノールへの溢流。
    Yeast,
}

/// Carbon of glucose, mol per g (6/180.16).
pub(crate) const CARBON_GLUCOSE_MOL_PER_G: f64 = 6.0 / 180.16;
/// Carbon of protein, mol per g (53 % by mass).
pub(crate) const CARBON_PRODUCT_MOL_PER_G: f64 = 0.53 / 12.011;
/// Oxygen to burn glucose, mmol per g (6/180.16).
const OXYGEN_GLUCOSE_MMOL_PER_G: f64 = 6.0 / 180.16 * 1000.0;

/// Three points of a cardinal model: no growth below the first and above the last, best at the second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cardinal {
    /// Lowest.
    pub low: f64,
    /// Best.
    pub best: f64,
    /// Highest.
    pub high: f64,
}

/// Parameters of an organism.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Organism {
    /// Name as a strain field would state it.
    pub strain: &'static str,
    /// What overflows.
    pub overflow: &'static str,
    /// Largest glucose uptake at the reference, g/(g·h).
    pub uptake_max_g_per_g_h: f64,
    /// Monod constant of glucose, g/L.
    pub ks_g_per_l: f64,
    /// Maintenance, g glucose/(g·h).
    pub maintenance_g_per_g_h: f64,
    /// Biomass per respired glucose, maintenance excluded, g/g.
    pub yield_respired: f64,
    /// Biomass per overflowing glucose, g/g.
    pub yield_overflow: f64,
    /// Overflow product per glucose that serves its energy, g/g (stoichiometric).
    pub overflow_per_glucose: f64,
    /// Carbon of the overflow product, mol/g.
    pub overflow_carbon_mol_per_g: f64,
    /// Oxygen to burn the overflow product, mmol/g.
    pub overflow_oxygen_mmol_per_g: f64,
    /// Is the overflow product an acid (acetic acid)?
    pub overflow_is_acid: bool,
    /// Largest uptake of the overflow product, g/(g·h).
    pub overflow_uptake_max_g_per_g_h: f64,
    /// Monod constant of the overflow product, g/L.
    pub overflow_ks_g_per_l: f64,
    /// Biomass per overflow product, g/g.
    pub yield_on_overflow: f64,
    /// Overflow product that halves the glucose uptake, g/L.
    pub uptake_inhibition_g_per_l: f64,
    /// Overflow product that halves the respiration, g/L.
    pub respiration_inhibition_g_per_l: f64,
    /// Largest respiration, mmol O2/(g·h).
    pub respiration_max_mmol_per_g_h: f64,
    /// Monod constant of oxygen, mmol/L.
    pub oxygen_ks_mmol_per_l: f64,
    /// Nitrogen of biomass, mmol/g.
    pub nitrogen_mmol_per_g: f64,
    /// Product made with growth, g/g.
    pub product_per_biomass: f64,
    /// Carbon of biomass, mol/g.
    pub biomass_carbon_mol_per_g: f64,
    /// Optical density at 600 nm per dry mass, 1/(g/L).
    pub density_per_g_per_l: f64,
    /// Temperatures, °C.
    pub temperature_c: Cardinal,
    /// Temperature at which the rates are stated, °C.
    pub reference_c: f64,
    /// pH values.
    pub ph: Cardinal,
    /// pH of the medium as it is made.
    pub medium_ph: f64,
}

impl OrganismName {
    /// Parameters.
    #[must_use]
    pub const fn parameters(self) -> Organism {
        match self {
            Self::EColi => Organism {
                strain: "Escherichia coli K-12 (simulated)",
                overflow: "acetate",
                uptake_max_g_per_g_h: 1.25,
                ks_g_per_l: 0.05,
                maintenance_g_per_g_h: 0.04,
                yield_respired: 0.5,
                yield_overflow: 0.15,
                overflow_per_glucose: 2.0 * 60.05 / 180.16,
                overflow_carbon_mol_per_g: 2.0 / 60.05,
                overflow_oxygen_mmol_per_g: 2.0 / 60.05 * 1000.0,
                overflow_is_acid: true,
                overflow_uptake_max_g_per_g_h: 0.2,
                overflow_ks_g_per_l: 0.05,
                yield_on_overflow: 0.4,
                uptake_inhibition_g_per_l: 5.0,
                respiration_inhibition_g_per_l: 4.0,
                respiration_max_mmol_per_g_h: 13.4,
                oxygen_ks_mmol_per_l: 0.003,
                nitrogen_mmol_per_g: 10.0,
                product_per_biomass: 0.05,
                biomass_carbon_mol_per_g: 0.04,
                density_per_g_per_l: 2.8,
                temperature_c: Cardinal { low: 4.9, best: 41.3, high: 47.5 },
                reference_c: 37.0,
                ph: Cardinal { low: 4.4, best: 7.0, high: 9.5 },
                medium_ph: 6.8,
            },
            Self::Yeast => Organism {
                strain: "Saccharomyces cerevisiae (simulated)",
                overflow: "ethanol",
                uptake_max_g_per_g_h: 3.5,
                ks_g_per_l: 0.2,
                maintenance_g_per_g_h: 0.01,
                yield_respired: 0.49,
                yield_overflow: 0.10,
                overflow_per_glucose: 2.0 * 46.07 / 180.16,
                overflow_carbon_mol_per_g: 2.0 / 46.07,
                overflow_oxygen_mmol_per_g: 3.0 / 46.07 * 1000.0,
                overflow_is_acid: false,
                overflow_uptake_max_g_per_g_h: 0.24,
                overflow_ks_g_per_l: 0.1,
                yield_on_overflow: 0.72,
                uptake_inhibition_g_per_l: 60.0,
                respiration_inhibition_g_per_l: 200.0,
                respiration_max_mmol_per_g_h: 8.0,
                oxygen_ks_mmol_per_l: 0.003,
                nitrogen_mmol_per_g: 5.7,
                product_per_biomass: 0.0,
                biomass_carbon_mol_per_g: 0.04,
                density_per_g_per_l: 2.2,
                temperature_c: Cardinal { low: 2.8, best: 32.3, high: 45.4 },
                reference_c: 30.0,
                ph: Cardinal { low: 2.5, best: 5.0, high: 8.0 },
                medium_ph: 5.2,
            },
        }
    }
}

/// Rosso's temperature model, 1 at the best temperature.
fn cardinal_temperature(t: f64, c: &Cardinal) -> f64 {
    if t <= c.low || t >= c.high {
        return 0.0;
    }
    let top = (t - c.high) * (t - c.low) * (t - c.low);
    let range = c.best - c.low;
    let below = range * (range * (t - c.best) - (c.best - c.high) * (c.best + c.low - 2.0 * t));
    (top / below).clamp(0.0, 1.0)
}

/// Rosso's pH model, 1 at the best pH.
fn cardinal_ph(ph: f64, c: &Cardinal) -> f64 {
    if ph <= c.low || ph >= c.high {
        return 0.0;
    }
    let product = (ph - c.low) * (ph - c.high);
    (product / (product - (ph - c.best) * (ph - c.best))).clamp(0.0, 1.0)
}

/// What the cells meet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings {
    pub(crate) temperature_c: f64,
    pub(crate) ph: f64,
    /// Overflow product, g/L.
    pub(crate) overflow_g_per_l: f64,
    /// Ammonium, mmol/L.
    pub(crate) nitrogen_mmol_per_l: f64,
}

/// Capacities per g of biomass and hour in these surroundings, before substrate and oxygen limit them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capacity {
    pub(crate) uptake_g_per_g_h: f64,
    pub(crate) overflow_uptake_g_per_g_h: f64,
    pub(crate) respiration_mmol_per_g_h: f64,
    maintenance_g_per_g_h: f64,
}

/// What one g of biomass does in an hour.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Fluxes {
    pub(crate) growth_per_h: f64,
    pub(crate) product_g_per_g_h: f64,
    /// Overflow made, less overflow used, g/(g·h).
    pub(crate) overflow_g_per_g_h: f64,
    pub(crate) oxygen_mmol_per_g_h: f64,
    pub(crate) co2_mmol_per_g_h: f64,
    /// Glucose whose energy was gained by fermentation, g/(g·h): for the heat.
    pub(crate) fermented_g_per_g_h: f64,
}

impl Organism {
    /// Carbon of a respired g of glucose that ends in biomass, 1.
    fn anabolic_respired(&self) -> f64 {
        self.yield_respired * self.biomass_carbon_mol_per_g / CARBON_GLUCOSE_MOL_PER_G
    }
    pub(crate) fn capacity(&self, s: &Surroundings) -> Capacity {
        let warmth = cardinal_temperature(s.temperature_c, &self.temperature_c)
            / cardinal_temperature(self.reference_c, &self.temperature_c);
        let acid = cardinal_ph(s.ph, &self.ph);
        // Ammonium limits growth below some hundredths of a mmol/L; without it uptake stops too.
        let nitrogen = s.nitrogen_mmol_per_l / (0.1 + s.nitrogen_mmol_per_l);
        let all = warmth * acid * nitrogen;
        Capacity {
            uptake_g_per_g_h: self.uptake_max_g_per_g_h * all / (1.0 + s.overflow_g_per_l / self.uptake_inhibition_g_per_l),
            overflow_uptake_g_per_g_h: self.overflow_uptake_max_g_per_g_h * all,
            respiration_mmol_per_g_h: self.respiration_max_mmol_per_g_h * warmth * acid
                / (1.0 + s.overflow_g_per_l / self.respiration_inhibition_g_per_l),
            maintenance_g_per_g_h: self.maintenance_g_per_g_h * warmth,
        }
    }
    /// Glucose burnt for energy when so much is respired, g/(g·h).
    fn burnt(&self, respired: f64, maintenance: f64) -> f64 {
        let y = self.anabolic_respired();
        respired * (1.0 - y) + maintenance * y
    }
    /// Oxygen asked for at this uptake of glucose and overflow product, mmol/(g·h), within the respiration.
    pub(crate) fn oxygen_demand(&self, capacity: &Capacity, uptake: f64, overflow_uptake: f64) -> f64 {
        let glucose = OXYGEN_GLUCOSE_MMOL_PER_G * self.burnt(uptake, capacity.maintenance_g_per_g_h);
        let overflow = self.oxygen_of_overflow() * overflow_uptake;
        (glucose + overflow).min(capacity.respiration_mmol_per_g_h)
    }
    fn oxygen_of_overflow(&self) -> f64 {
        let built = self.yield_on_overflow * self.biomass_carbon_mol_per_g / self.overflow_carbon_mol_per_g;
        self.overflow_oxygen_mmol_per_g * (1.0 - built)
    }
    /// Splits an uptake by the oxygen that is there, `oxygen` in mmol/(g·h); at most `overflow_uptake` of the
    /// overflow product is used.
    pub(crate) fn split(&self, capacity: &Capacity, uptake: f64, overflow_uptake: f64, oxygen: f64) -> Fluxes {
        let y = self.anabolic_respired();
        let maintenance = capacity.maintenance_g_per_g_h;
        let burnable = oxygen / OXYGEN_GLUCOSE_MMOL_PER_G;
        let wanted = self.burnt(uptake, maintenance);
        let burnt = wanted.min(burnable);
        let respired = ((burnt - maintenance * y) / (1.0 - y)).clamp(0.0, uptake);
        // Without glucose the cells burn themselves, as far as there is oxygen.
        let maintained = maintenance.min(burnt / y);
        let overflowing = uptake - respired;
        let fermented = overflowing * (1.0 - self.yield_overflow * self.biomass_carbon_mol_per_g / CARBON_GLUCOSE_MOL_PER_G);
        let made = fermented * self.overflow_per_glucose;
        let left = (oxygen - burnt * OXYGEN_GLUCOSE_MMOL_PER_G).max(0.0);
        let used = overflow_uptake.min(left / self.oxygen_of_overflow());
        let biomass =
            (respired - maintained) * self.yield_respired + overflowing * self.yield_overflow + used * self.yield_on_overflow;
        let product = self.product_per_biomass * biomass.max(0.0);
        let growth = biomass - product * CARBON_PRODUCT_MOL_PER_G / self.biomass_carbon_mol_per_g;
        let carbon = uptake * CARBON_GLUCOSE_MOL_PER_G
            - growth * self.biomass_carbon_mol_per_g
            - product * CARBON_PRODUCT_MOL_PER_G
            - (made - used) * self.overflow_carbon_mol_per_g;
        Fluxes {
            growth_per_h: growth,
            product_g_per_g_h: product,
            overflow_g_per_g_h: made - used,
            oxygen_mmol_per_g_h: burnt * OXYGEN_GLUCOSE_MMOL_PER_G + used * self.oxygen_of_overflow(),
            co2_mmol_per_g_h: carbon * 1000.0,
            fermented_g_per_g_h: fermented,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_best(name: OrganismName) -> (Organism, Capacity) {
        let organism = name.parameters();
        let surroundings = Surroundings {
            temperature_c: organism.reference_c,
            ph: organism.ph.best,
            overflow_g_per_l: 0.0,
            nitrogen_mmol_per_l: 100.0,
        };
        (organism, organism.capacity(&surroundings))
    }

    #[test]
    fn growth_and_overflow_are_those_the_literature_reports() {
        // E. coli on glucose: about 0.5/h with 0.1-0.3 g/(g h) of acetate; no acetate at 0.3/h.
        let (ecoli, capacity) = at_best(OrganismName::EColi);
        let full = ecoli.split(&capacity, 1.25, 0.0, capacity.respiration_mmol_per_g_h);
        assert!((0.40..0.60).contains(&full.growth_per_h), "{full:?}");
        assert!((0.10..0.30).contains(&full.overflow_g_per_g_h), "{full:?}");
        let fed = ecoli.split(&capacity, 0.6, 0.0, capacity.respiration_mmol_per_g_h);
        assert!(fed.overflow_g_per_g_h.abs() < 1e-12 && (0.2..0.35).contains(&fed.growth_per_h), "{fed:?}");
        // Respiratory quotient near 1 when all is respired.
        assert!((fed.co2_mmol_per_g_h / fed.oxygen_mmol_per_g_h - 1.0).abs() < 0.06, "{fed:?}");
        // Yeast at full uptake ferments: RQ far above 1, about 0.45/h.
        let (yeast, capacity) = at_best(OrganismName::Yeast);
        let full = yeast.split(&capacity, 3.5, 0.0, capacity.respiration_mmol_per_g_h);
        assert!((0.35..0.60).contains(&full.growth_per_h), "{full:?}");
        assert!(full.co2_mmol_per_g_h / full.oxygen_mmol_per_g_h > 3.0, "{full:?}");
    }

    #[test]
    fn starved_cells_burn_themselves_and_suffocated_cells_ferment() {
        let (ecoli, capacity) = at_best(OrganismName::EColi);
        let demand = ecoli.oxygen_demand(&capacity, 0.0, 0.0);
        let starved = ecoli.split(&capacity, 0.0, 0.0, demand);
        assert!(starved.growth_per_h < 0.0 && starved.co2_mmol_per_g_h > 0.0, "{starved:?}");
        let suffocated = ecoli.split(&capacity, 1.0, 0.0, 0.0);
        assert_eq!(suffocated.oxygen_mmol_per_g_h, 0.0);
        assert!(suffocated.overflow_g_per_g_h > 0.4, "{suffocated:?}");
    }

    #[test]
    fn cardinal_points_bound_growth() {
        let c = OrganismName::EColi.parameters().temperature_c;
        assert_eq!(cardinal_temperature(4.0, &c), 0.0);
        assert_eq!(cardinal_temperature(48.0, &c), 0.0);
        assert!((cardinal_temperature(41.3, &c) - 1.0).abs() < 1e-12);
        assert!(cardinal_temperature(30.0, &c) < cardinal_temperature(37.0, &c));
        let p = OrganismName::EColi.parameters().ph;
        assert!(cardinal_ph(5.0, &p) < 0.5 && (cardinal_ph(7.0, &p) - 1.0).abs() < 1e-12);
    }
}
