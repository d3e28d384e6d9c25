//! The broth: amounts in the vessel and how they change in a short step, carbon and volume accounted for.
//!
//! Uptake of glucose, of the overflow product and of oxygen are each solved implicitly (a quadratic), so
//! that nothing becomes negative however fast the culture is; everything else follows from what was taken
//! up, so that carbon closes to rounding at any step. The method is of first order: halving the step from
//! one second changes the biomass of a fed-batch by less than a thousandth (tested).

use crate::acid_base::{self, Totals};
use crate::gas::{self, AIR_CO2, AIR_OXYGEN, ATMOSPHERE_BAR, Agitated, MOL_PER_STANDARD_L};
use crate::heat::{self, Heating};
use crate::mixing::mixing_time_s;
use crate::organism::{CARBON_GLUCOSE_MOL_PER_G, CARBON_PRODUCT_MOL_PER_G, Fluxes, Organism, Surroundings};
use crate::vessel::Vessel;

/// Ammonia of the base pump, mmol/L: a 25 % solution.
pub(crate) const BASE_MMOL_PER_L: f64 = 13_300.0;
/// Acid of the acid pump, mmol of strong acid per L: 1 mol/L sulphuric acid.
pub(crate) const ACID_MMOL_PER_L: f64 = 2_000.0;
/// Density of the feed, kg/L, and of everything else.
pub const FEED_KG_PER_L: f64 = 1.18;

/// What the actuators do in a step.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Inputs {
    pub(crate) agitation_per_min: f64,
    pub(crate) gas_l_per_min: f64,
    /// Oxygen in the inlet gas, mol/mol.
    pub(crate) inlet_oxygen: f64,
    pub(crate) feed_l_per_s: f64,
    pub(crate) feed_glucose_g_per_l: f64,
    pub(crate) base_l_per_s: f64,
    pub(crate) acid_l_per_s: f64,
    /// −1 full cooling to 1 full heating.
    pub(crate) valve: f64,
    pub(crate) cooling_c: f64,
    pub(crate) room_c: f64,
    /// Heat from outside, W.
    pub(crate) heat_w: f64,
}

/// What went in and out so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Ledger {
    pub(crate) carbon_in_mmol: f64,
    pub(crate) carbon_out_mmol: f64,
    pub(crate) volume_in_l: f64,
    pub(crate) volume_out_l: f64,
    pub(crate) feed_l: f64,
    pub(crate) base_l: f64,
    pub(crate) acid_l: f64,
}

/// Rates of the last step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) growth_per_h: f64,
    pub(crate) our_mmol_per_l_h: f64,
    pub(crate) cer_mmol_per_l_h: f64,
    pub(crate) kla_per_h: f64,
    pub(crate) power_w: f64,
    pub(crate) gas_m_per_s: f64,
}

/// Amounts in the vessel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Broth {
    pub(crate) volume_l: f64,
    pub(crate) biomass_g: f64,
    pub(crate) glucose_g: f64,
    pub(crate) overflow_g: f64,
    pub(crate) product_g: f64,
    pub(crate) oxygen_mmol: f64,
    pub(crate) carbonate_mmol: f64,
    pub(crate) ammonia_mmol: f64,
    pub(crate) phosphate_mmol: f64,
    pub(crate) strong_mmol: f64,
    /// Titrants poured in but not mixed yet.
    pub(crate) ammonia_unmixed_mmol: f64,
    pub(crate) strong_unmixed_mmol: f64,
    pub(crate) temperature_c: f64,
    pub(crate) jacket_c: f64,
    pub(crate) ph: f64,
    /// Height of the foam, m.
    pub(crate) foam_m: f64,
    pub(crate) antifoam_ml: f64,
    /// Dry gas of the head space, mol/mol.
    pub(crate) head_oxygen: f64,
    pub(crate) head_co2: f64,
    pub(crate) ledger: Ledger,
    pub(crate) rates: Rates,
}

impl Broth {
    /// Sterile medium at 25 °C, in equilibrium with air.
    pub(crate) fn medium(v: &Vessel, o: &Organism, glucose_g_per_l: f64) -> Self {
        let (volume_l, t) = (v.volume_start_l, 25.0);
        let pressure = ATMOSPHERE_BAR + v.overpressure_bar;
        let dry = pressure - gas::vapour_bar(t);
        let mut broth = Self {
            volume_l,
            biomass_g: 0.0,
            glucose_g: glucose_g_per_l * volume_l,
            overflow_g: 0.0,
            product_g: 0.0,
            oxygen_mmol: gas::oxygen_solubility(t) * AIR_OXYGEN * dry * volume_l,
            carbonate_mmol: 0.1 * volume_l,
            ammonia_mmol: 60.0 * volume_l,
            phosphate_mmol: 60.0 * volume_l,
            strong_mmol: 0.0,
            ammonia_unmixed_mmol: 0.0,
            strong_unmixed_mmol: 0.0,
            temperature_c: t,
            jacket_c: t,
            ph: o.medium_ph,
            foam_m: 0.0,
            antifoam_ml: 0.0,
            head_oxygen: AIR_OXYGEN,
            head_co2: AIR_CO2,
            ledger: Ledger::default(),
            rates: Rates::default(),
        };
        broth.strong_mmol = acid_base::strong_for(broth.totals(o), o.medium_ph) * volume_l;
        broth.ledger.carbon_in_mmol = broth.carbon_mmol(o);
        broth.ledger.volume_in_l = volume_l;
        broth
    }
    /// Carbon in the vessel, mmol.
    pub(crate) fn carbon_mmol(&self, o: &Organism) -> f64 {
        1000.0
            * (self.biomass_g * o.biomass_carbon_mol_per_g
                + self.glucose_g * CARBON_GLUCOSE_MOL_PER_G
                + self.overflow_g * o.overflow_carbon_mol_per_g
                + self.product_g * CARBON_PRODUCT_MOL_PER_G)
            + self.carbonate_mmol
    }
    fn totals(&self, o: &Organism) -> Totals {
        let per_l = 1.0 / self.volume_l;
        Totals {
            ammonia: self.ammonia_mmol * per_l,
            phosphate: self.phosphate_mmol * per_l,
            carbonate: self.carbonate_mmol * per_l,
            acetate: if o.overflow_is_acid { self.overflow_g / 0.060_05 * per_l } else { 0.0 },
            strong: self.strong_mmol * per_l,
            temperature_c: self.temperature_c,
        }
    }
    /// Dissolved oxygen in % of saturation with air at the pressure of the head space.
    pub(crate) fn oxygen_percent(&self, v: &Vessel) -> f64 {
        let dry = ATMOSPHERE_BAR + v.overpressure_bar - gas::vapour_bar(self.temperature_c);
        100.0 * self.oxygen_mmol / self.volume_l / (gas::oxygen_solubility(self.temperature_c) * AIR_OXYGEN * dry)
    }
    /// Mass, kg: of the feed its own density, of the rest 1 kg/L.
    pub(crate) fn mass_kg(&self) -> f64 {
        self.volume_l + self.ledger.feed_l * (FEED_KG_PER_L - 1.0)
    }
    /// Foam, % of the height above the broth.
    pub(crate) fn foam_percent(&self, v: &Vessel) -> f64 {
        let room = v.liquid_height_m((v.volume_total_l - self.volume_l).max(0.05 * v.volume_total_l));
        100.0 * self.foam_m / room
    }
    /// Adds the inoculum.
    pub(crate) fn inoculate(&mut self, o: &Organism, biomass_g_per_l: f64) {
        let before = self.carbon_mmol(o);
        self.biomass_g += biomass_g_per_l * self.volume_l;
        self.ledger.carbon_in_mmol += self.carbon_mmol(o) - before;
    }
    /// Pours glucose in.
    pub(crate) fn pour_glucose(&mut self, grams: f64) {
        self.glucose_g += grams;
        self.ledger.carbon_in_mmol += grams * CARBON_GLUCOSE_MOL_PER_G * 1000.0;
    }
    /// Takes a sample of well-mixed broth.
    pub(crate) fn draw(&mut self, o: &Organism, litres: f64) {
        let litres = litres.clamp(0.0, 0.5 * self.volume_l);
        let kept = 1.0 - litres / self.volume_l;
        self.ledger.carbon_out_mmol += self.carbon_mmol(o) * (1.0 - kept);
        self.ledger.volume_out_l += litres;
        for amount in [
            &mut self.volume_l,
            &mut self.biomass_g,
            &mut self.glucose_g,
            &mut self.overflow_g,
            &mut self.product_g,
            &mut self.oxygen_mmol,
            &mut self.carbonate_mmol,
            &mut self.ammonia_mmol,
            &mut self.phosphate_mmol,
            &mut self.strong_mmol,
            &mut self.ammonia_unmixed_mmol,
            &mut self.strong_unmixed_mmol,
            &mut self.antifoam_ml,
        ] {
            *amount *= kept;
        }
    }
    /// One step of at most some seconds.
    pub(crate) fn step(&mut self, o: &Organism, v: &Vessel, i: &Inputs, dt_s: f64) {
        let head = ATMOSPHERE_BAR + v.overpressure_bar;
        let pressure = head + 0.5 * v.liquid_height_m(self.volume_l) * 0.0981;
        let mixed = gas::agitate(v, self.volume_l, i.agitation_per_min, i.gas_l_per_min, pressure, self.temperature_c);
        self.pour(v, i, &mixed, dt_s);
        let (fluxes, oxygen_mmol) = self.live(o, i, &mixed, pressure, dt_s);
        self.breathe(v, i, &mixed, pressure, oxygen_mmol, dt_s);
        self.ph = acid_base::ph(&self.totals(o), self.ph);
        self.warm(v, i, &mixed, &fluxes, dt_s);
        self.foam(&mixed, dt_s);
        self.rates = Rates {
            growth_per_h: fluxes.growth_per_h,
            our_mmol_per_l_h: fluxes.oxygen_mmol_per_g_h * self.biomass_g / self.volume_l,
            cer_mmol_per_l_h: fluxes.co2_mmol_per_g_h * self.biomass_g / self.volume_l,
            kla_per_h: mixed.kla_per_s * 3600.0,
            power_w: mixed.power_w,
            gas_m_per_s: mixed.gas_m_per_s,
        };
    }
    /// Feed and titrants; titrants reach the broth with the mixing time (95 % are three time constants).
    fn pour(&mut self, v: &Vessel, i: &Inputs, mixed: &Agitated, dt_s: f64) {
        let (feed, base, acid) = (i.feed_l_per_s * dt_s, i.base_l_per_s * dt_s, i.acid_l_per_s * dt_s);
        self.glucose_g += feed * i.feed_glucose_g_per_l;
        self.ammonia_unmixed_mmol += base * BASE_MMOL_PER_L;
        self.strong_unmixed_mmol -= acid * ACID_MMOL_PER_L;
        let share = 1.0 - (-3.0 * dt_s / mixing_time_s(v, self.volume_l, mixed.power_w)).exp();
        let (ammonia, strong) = (self.ammonia_unmixed_mmol * share, self.strong_unmixed_mmol * share);
        self.ammonia_unmixed_mmol -= ammonia;
        self.strong_unmixed_mmol -= strong;
        self.ammonia_mmol += ammonia;
        self.strong_mmol += strong;
        self.volume_l += feed + base + acid;
        let l = &mut self.ledger;
        l.feed_l += feed;
        l.base_l += base;
        l.acid_l += acid;
        l.volume_in_l += feed + base + acid;
        l.carbon_in_mmol += feed * i.feed_glucose_g_per_l * CARBON_GLUCOSE_MOL_PER_G * 1000.0;
    }
    /// Uptake, respiration, growth; returns what one g of biomass did and the oxygen that came from the gas, mmol.
    fn live(&mut self, o: &Organism, i: &Inputs, mixed: &Agitated, pressure: f64, dt_s: f64) -> (Fluxes, f64) {
        let (v, x, dt_h) = (self.volume_l, self.biomass_g, dt_s / 3600.0);
        let capacity = o.capacity(&Surroundings {
            temperature_c: self.temperature_c,
            ph: self.ph,
            overflow_g_per_l: self.overflow_g / v,
            nitrogen_mmol_per_l: self.ammonia_mmol / v,
        });
        let (uptake, overflow_uptake) = if x > 0.0 {
            let taken = |amount: f64, ks: f64, most: f64| {
                let c = amount / v;
                let demand = most * x / v * dt_h;
                // c' = c − demand·c'/(ks + c')
                let after = gas::positive_root(ks + demand - c, c * ks);
                (c - after).max(0.0) * v / (x * dt_h)
            };
            (
                taken(self.glucose_g, o.ks_g_per_l, capacity.uptake_g_per_g_h),
                taken(self.overflow_g, o.overflow_ks_g_per_l, capacity.overflow_uptake_g_per_g_h),
            )
        } else {
            (0.0, 0.0)
        };
        let demand = o.oxygen_demand(&capacity, uptake, overflow_uptake) * x;
        let (consumed, transferred) = self.oxygen(o, mixed, pressure, i, demand * dt_h, dt_s);
        let per_g = if x > 0.0 { consumed / (x * dt_h) } else { 0.0 };
        let fluxes = o.split(&capacity, uptake, overflow_uptake, per_g);
        // Oxygen that was reserved but could not be used (rounding of the split) goes back.
        self.oxygen_mmol += (consumed - fluxes.oxygen_mmol_per_g_h * x * dt_h).max(0.0);
        let growth = fluxes.growth_per_h * x * dt_h;
        self.biomass_g += growth;
        self.product_g += fluxes.product_g_per_g_h * x * dt_h;
        self.glucose_g = (self.glucose_g - uptake * x * dt_h).max(0.0);
        if self.glucose_g < 1e-12 {
            // Numbers below the range of normal floats would be slow.
            self.glucose_g = 0.0;
        }
        self.overflow_g = (self.overflow_g + fluxes.overflow_g_per_g_h * x * dt_h).max(0.0);
        self.ammonia_mmol = (self.ammonia_mmol - growth * o.nitrogen_mmol_per_g).max(0.0);
        self.carbonate_mmol += fluxes.co2_mmol_per_g_h * x * dt_h;
        (fluxes, transferred)
    }
    /// Oxygen in a step: `demand_mmol` is asked for; returns what was consumed and what came from the gas.
    fn oxygen(&mut self, o: &Organism, mixed: &Agitated, pressure: f64, i: &Inputs, demand_mmol: f64, dt_s: f64) -> (f64, f64) {
        let v = self.volume_l;
        let solubility = gas::oxygen_solubility(self.temperature_c);
        let a = dt_s * self.effective_kla(mixed.kla_per_s, solubility, i.gas_l_per_min, pressure);
        let equilibrium = solubility * self.dry_bar(pressure) * i.inlet_oxygen;
        let (supply, demand) = (self.oxygen_mmol / v + a * equilibrium, demand_mmol / v);
        // (1+a) c' = supply − demand·c'/(K + c')
        let b = o.oxygen_ks_mmol_per_l - (supply - demand) / (1.0 + a);
        let after = gas::positive_root(b, o.oxygen_ks_mmol_per_l * supply / (1.0 + a));
        let consumed = (supply - (1.0 + a) * after).clamp(0.0, demand) * v;
        let transferred = a * (equilibrium - after) * v;
        self.oxygen_mmol = after * v;
        (consumed, transferred)
    }
    /// Pressure without the vapour, bar.
    fn dry_bar(&self, pressure: f64) -> f64 {
        (pressure - gas::vapour_bar(self.temperature_c)).max(0.01)
    }
    /// kLa to the inlet gas, 1/s. The gas is ideally mixed, so that what it loses lowers the driving force; with
    /// the gas in steady state the coefficient shrinks by `1 + kLa·V·H·p/Q`. Antifoam costs transfer too, half
    /// of it at about 2 mL/L (order of Morão and co-workers, Enzyme Microb. Technol. 25:62, 1999).
    fn effective_kla(&self, kla_per_s: f64, solubility: f64, gas_l_per_min: f64, pressure: f64) -> f64 {
        let flow_mmol_per_s = gas_l_per_min / 60.0 * MOL_PER_STANDARD_L * 1000.0;
        if flow_mmol_per_s <= 0.0 {
            return 0.0;
        }
        let kla = kla_per_s / (1.0 + 0.5 * self.antifoam_ml / self.volume_l);
        kla / (1.0 + kla * self.volume_l * solubility * self.dry_bar(pressure) / flow_mmol_per_s)
    }
    /// Carbon dioxide into the gas, the gas into the head space, vapour out of the condenser.
    fn breathe(&mut self, v: &Vessel, i: &Inputs, mixed: &Agitated, pressure: f64, oxygen_mmol: f64, dt_s: f64) {
        let solubility = gas::co2_solubility(self.temperature_c);
        // kLa of carbon dioxide by the root of the ratio of diffusivities, 0.89.
        let a = dt_s * self.effective_kla(0.89 * mixed.kla_per_s, solubility, i.gas_l_per_min, pressure);
        let equilibrium = solubility * self.dry_bar(pressure) * AIR_CO2 * self.volume_l;
        let share = acid_base::co2_share(self.ph);
        let after = (self.carbonate_mmol + a * equilibrium) / (1.0 + a * share);
        let stripped = self.carbonate_mmol - after;
        self.carbonate_mmol = after;
        self.ledger.carbon_out_mmol += stripped;
        let gas_mmol = i.gas_l_per_min / 60.0 * dt_s * MOL_PER_STANDARD_L * 1000.0;
        if gas_mmol <= 0.0 {
            return;
        }
        let out = (gas_mmol - oxygen_mmol + stripped).max(1e-9 * gas_mmol);
        let oxygen = ((gas_mmol * i.inlet_oxygen - oxygen_mmol) / out).clamp(0.0, 1.0);
        let co2 = ((gas_mmol * AIR_CO2 + stripped) / out).clamp(0.0, 1.0);
        let room_l = (v.volume_total_l - self.volume_l).max(0.05 * v.volume_total_l);
        let room_mmol = room_l * (ATMOSPHERE_BAR + v.overpressure_bar) / ATMOSPHERE_BAR * MOL_PER_STANDARD_L * 1000.0;
        let renewed = 1.0 - (-out / room_mmol).exp();
        self.head_oxygen += (oxygen - self.head_oxygen) * renewed;
        self.head_co2 += (co2 - self.head_co2) * renewed;
        // Gas leaves the condenser saturated at 10 °C.
        let vapour = gas::vapour_bar(10.0);
        let lost_l = out * vapour / (ATMOSPHERE_BAR + v.overpressure_bar - vapour) * 18.015e-6;
        self.volume_l -= lost_l;
        self.ledger.volume_out_l += lost_l;
    }
    fn warm(&mut self, v: &Vessel, i: &Inputs, mixed: &Agitated, fluxes: &Fluxes, dt_s: f64) {
        let per_s = self.biomass_g / 3600.0;
        let pressure = ATMOSPHERE_BAR + v.overpressure_bar;
        let vapour = gas::vapour_bar(self.temperature_c);
        let gas_mol_per_s = i.gas_l_per_min / 60.0 * MOL_PER_STANDARD_L;
        let evaporation_w = gas_mol_per_s * vapour / (pressure - vapour) * 18.015 * heat::EVAPORATION_J_PER_G;
        let metabolism_w = per_s
            * (fluxes.oxygen_mmol_per_g_h * heat::RESPIRATION_J_PER_MMOL
                + fluxes.fermented_g_per_g_h * heat::FERMENTATION_J_PER_G);
        let area_m2 = v.jacket_m2(self.volume_l);
        let heating = Heating {
            broth_kg: self.mass_kg(),
            start_l: v.volume_start_l,
            transfer_w_per_k: v.heat_transfer_w_per_m2_k * area_m2,
            area_m2,
            power_w: metabolism_w + mixed.power_w - evaporation_w + i.heat_w
                - i.feed_l_per_s * FEED_KG_PER_L * 4180.0 * (self.temperature_c - i.room_c),
            valve: i.valve,
            cooling_c: i.cooling_c,
            room_c: i.room_c,
        };
        (self.temperature_c, self.jacket_c) = heat::step(&heating, self.temperature_c, self.jacket_c, dt_s);
    }
    /// Foam stands as high as the gas lifts it in the life time of its bubbles ("foaminess", Bikerman, Foams,
    /// 1973); proteins of the cells lengthen that life, antifoam shortens it and is used up.
    fn foam(&mut self, mixed: &Agitated, dt_s: f64) {
        let biomass = self.biomass_g / self.volume_l;
        let antifoam = self.antifoam_ml / self.volume_l;
        let life_s = 25.0 * biomass / (biomass + 12.0) / (1.0 + antifoam / 0.05);
        let height = life_s * mixed.gas_m_per_s;
        self.foam_m += (height - self.foam_m) * (1.0 - (-dt_s / 30.0).exp());
        self.antifoam_ml *= (-dt_s / (3.0 * 3600.0)).exp();
    }
}
