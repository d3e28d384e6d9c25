//! A vessel with a broth and its demand, at settings: what it delivers, and how far each limit is.
//!
//! Gas and liquid are well mixed. For tall vessels that understates oxygen (plug flow of gas would give more) and so
//! errs on the safe side. Gas in the broth stands at the pressure of its mid-depth. Evaporation carries no heat away.

use super::library;
use super::{ATMOSPHERE_BAR, Geometry, viscosity};
use crate::gas::henry::{Gas, solubility};
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text};

/// Gas constant, J/(mol·K) (CODATA 2018).
const GAS_CONSTANT: f64 = 8.314_462_618;
/// Heat of a mole of oxygen taken up, J.
pub const HEAT_J_PER_MOL: f64 = 460e3;

/// A stirred vessel as built. What is not built in is zero or `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Tank {
    /// Volume of the broth, L.
    pub volume_l: f64,
    /// Inner diameter, m.
    pub diameter_m: f64,
    /// Impeller diameter, m.
    pub impeller_diameter_m: f64,
    /// Number of impellers.
    pub impellers: f64,
    /// Power number of one impeller, 1.
    pub power_number: f64,
    /// Power of the motor at the shaft, W. `None`: not known, no limit by it.
    pub power_w: Option<f64>,
    /// Area of a coil, m². The jacket is the wetted wall.
    pub coil_m2: f64,
    /// Coefficient of wall and cooling side together, W/(m²·K).
    pub cooling_w_per_m2_k: f64,
    /// Mean temperature of the cooling water, °C.
    pub cooling_c: f64,
}

/// The broth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Broth {
    /// Temperature, °C.
    pub temperature_c: f64,
    /// Density, kg/m³.
    pub density_kg_per_m3: f64,
    /// Viscosity, Pa·s. `None`: that of water.
    pub viscosity_pa_s: Option<f64>,
    /// Do bubbles coalesce? Broths with much salt and no antifoam do not.
    pub coalescing: bool,
}

impl Default for Broth {
    fn default() -> Self {
        Self { temperature_c: 30.0, density_kg_per_m3: 1000.0, viscosity_pa_s: None, coalescing: true }
    }
}

/// What the culture asks for, and what must not be exceeded. A bound that is `None` is not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Demand {
    /// Oxygen uptake rate, mmol/(L·h).
    pub oxygen_mmol_per_l_h: f64,
    /// Respiratory quotient, mol/mol.
    pub respiratory_quotient: f64,
    /// Least dissolved oxygen, % of saturation with air at 1 atm.
    pub oxygen_least_percent: f64,
    /// Oxygen of the gas that goes in, mol/mol.
    pub oxygen_in: f64,
    /// Highest partial pressure of carbon dioxide in the broth, bar.
    pub co2_most_bar: Option<f64>,
    /// Highest tip speed, m/s.
    pub tip_speed_most_m_per_s: Option<f64>,
    /// Highest superficial gas velocity, m/s.
    pub gas_velocity_most_m_per_s: Option<f64>,
    /// Heat beside that of the culture and the stirrer, W/m³.
    pub heat_extra_w_per_m3: f64,
}

/// Settings of the vessel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Operation {
    /// Stirrer, 1/min.
    pub agitation_per_min: f64,
    /// Gas, standard L/min (0 °C, 101.325 kPa).
    pub gas_l_per_min: f64,
    /// Pressure of the head space, bar absolute.
    pub pressure_bar: f64,
}

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Oxygen transfer against uptake.
    Oxygen,
    /// Gas flow number against flooding.
    Flooding,
    /// Heat removal against heat.
    Heat,
    /// Partial pressure of carbon dioxide in the broth.
    CarbonDioxide,
    /// Power of the motor, without gas.
    Power,
    /// Tip speed.
    TipSpeed,
    /// Superficial gas velocity.
    GasVelocity,
}

impl Limit {
    /// Label.
    #[must_use]
    pub fn label(self) -> Text {
        match self {
            Self::Oxygen => Text::new("酸素供給", "Oxygen"),
            Self::Flooding => Text::new("フラッディング", "Flooding"),
            Self::Heat => Text::new("除熱", "Heat removal"),
            Self::CarbonDioxide => Text::new("溶存 CO2", "Carbon dioxide"),
            Self::Power => Text::new("撹拌動力", "Power of the motor"),
            Self::TipSpeed => Text::new("翼端速度", "Tip speed"),
            Self::GasVelocity => Text::new("ガス空塔速度", "Gas velocity"),
        }
    }
    /// Unit of value and bound, UCUM.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Oxygen => "mmol/L/h",
            Self::Flooding => "1",
            Self::Heat | Self::Power => "W",
            Self::CarbonDioxide => "bar",
            Self::TipSpeed | Self::GasVelocity => "m/s",
        }
    }
}

/// How far a limit is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Margin {
    /// Limit.
    pub limit: Limit,
    /// What is asked for or reached, in the unit of the limit.
    pub value: f64,
    /// What is possible or permitted.
    pub bound: f64,
    /// Bound over value: the limit is met from 1 on.
    pub ratio: f64,
}

/// What the tank does at settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct State {
    /// Reynolds number of the stirrer.
    pub reynolds: f64,
    /// Power in the broth, W/m³.
    pub power_w_per_m3: f64,
    /// Superficial gas velocity, m/s.
    pub gas_velocity_m_per_s: f64,
    /// kLa, 1/h.
    pub kla_per_h: f64,
    /// Partial pressure of carbon dioxide in the broth, bar.
    pub co2_bar: f64,
    /// Mixing time (95 %), s.
    pub mixing_time_s: f64,
    /// Kolmogorov length of the mean eddy, m.
    pub kolmogorov_m: f64,
    /// Limits that are asked for.
    pub margins: Vec<Margin>,
}

impl State {
    /// The limit that is nearest, or exceeded most.
    #[must_use]
    pub fn binding(&self) -> Option<&Margin> {
        self.margins.iter().min_by(|a, b| a.ratio.total_cmp(&b.ratio))
    }
    /// Is every limit met?
    #[must_use]
    pub fn feasible(&self) -> bool {
        self.margins.iter().all(|m| m.ratio >= 1.0)
    }
}

/// Factors on what correlations say: 1 is what they say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factors {
    /// kLa.
    pub kla: f64,
    /// Share of the power left when gassed.
    pub gassed: f64,
    /// Power number.
    pub power_number: f64,
    /// Film coefficient.
    pub film: f64,
    /// Metabolic heat.
    pub heat: f64,
    /// Solubility of oxygen.
    pub solubility: f64,
    /// Gas flow number at flooding.
    pub flooding: f64,
    /// kLa of carbon dioxide beside that of oxygen.
    pub kla_co2: f64,
    /// Oxygen uptake of the culture beside what was asked for.
    pub uptake: f64,
}

impl Default for Factors {
    fn default() -> Self {
        Self {
            kla: 1.0,
            gassed: 1.0,
            power_number: 1.0,
            film: 1.0,
            heat: 1.0,
            solubility: 1.0,
            flooding: 1.0,
            kla_co2: 1.0,
            uptake: 1.0,
        }
    }
}

/// A tank with a broth and a demand that were looked through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    tank: Tank,
    broth: Broth,
    demand: Demand,
}

impl Case {
    /// Looks the numbers through.
    ///
    /// # Errors
    /// A number that cannot be, with its field.
    pub fn new(tank: Tank, broth: Broth, demand: Demand) -> Result<Self> {
        let inside = |field: &str, [ja, en]: [&str; 2], value: f64, low: f64, high: f64| {
            if value.is_finite() && (low..=high).contains(&value) {
                return Ok(());
            }
            Err(Error::input(
                "E-SCALE-004",
                format!("{ja}は {low}〜{high} の数です: {value}"),
                format!("the {en} lies between {low} and {high}, not {value}"),
            )
            .at(Place::field(field))
            .hint("値と単位を確認してください", "check the value and its unit"))
        };
        inside("volume_l", ["液容積 [L]", "volume in L"], tank.volume_l, 1e-3, 1e7)?;
        inside("diameter_m", ["槽内径 [m]", "diameter of the vessel in m"], tank.diameter_m, 1e-3, 100.0)?;
        let impeller = ["撹拌翼径 [m]", "diameter of the impeller in m"];
        inside("impeller_diameter_m", impeller, tank.impeller_diameter_m, 1e-4, tank.diameter_m)?;
        inside("impellers", ["撹拌翼の段数", "number of impellers"], tank.impellers, 1.0, 20.0)?;
        inside("power_number", ["動力数", "power number"], tank.power_number, 0.05, 50.0)?;
        inside("power_w", ["撹拌動力 [W]", "power of the motor in W"], tank.power_w.unwrap_or(1.0), 1e-6, 1e9)?;
        inside("coil_m2", ["コイル面積 [m²]", "area of the coil in m²"], tank.coil_m2, 0.0, 1e5)?;
        let cooling = ["冷却側の伝熱係数 [W/m²/K]", "coefficient of the cooling side in W/(m²·K)"];
        inside("cooling_w_per_m2_k", cooling, tank.cooling_w_per_m2_k, 1.0, 1e5)?;
        inside("cooling_c", ["冷却水温 [°C]", "temperature of the cooling water in °C"], tank.cooling_c, -50.0, 100.0)?;
        inside("temperature_c", ["培養温度 [°C]", "temperature in °C"], broth.temperature_c, 0.0, 100.0)?;
        inside("density_kg_per_m3", ["密度 [kg/m³]", "density in kg/m³"], broth.density_kg_per_m3, 500.0, 2000.0)?;
        inside("viscosity_pa_s", ["粘度 [Pa·s]", "viscosity in Pa·s"], broth.viscosity_pa_s.unwrap_or(1e-3), 1e-5, 1e3)?;
        let uptake = ["酸素消費速度 [mmol/L/h]", "oxygen uptake rate in mmol/(L·h)"];
        inside("oxygen_mmol_per_l_h", uptake, demand.oxygen_mmol_per_l_h, 1e-6, 1e4)?;
        inside("respiratory_quotient", ["呼吸商", "respiratory quotient"], demand.respiratory_quotient, 0.0, 5.0)?;
        let least = ["溶存酸素の下限 [%]", "least dissolved oxygen in %"];
        inside("oxygen_least_percent", least, demand.oxygen_least_percent, 0.0, 500.0)?;
        inside("oxygen_in", ["通気の酸素分率", "oxygen of the gas in mol/mol"], demand.oxygen_in, 1e-3, 1.0)?;
        for (field, bound) in [
            ("co2_most_bar", demand.co2_most_bar),
            ("tip_speed_most_m_per_s", demand.tip_speed_most_m_per_s),
            ("gas_velocity_most_m_per_s", demand.gas_velocity_most_m_per_s),
        ] {
            inside(field, ["上限", "bound"], bound.unwrap_or(1.0), 1e-9, 1e9)?;
        }
        inside("heat_extra_w_per_m3", ["その他の発熱 [W/m³]", "other heat in W/m³"], demand.heat_extra_w_per_m3, 0.0, 1e6)?;
        Ok(Self { tank, broth, demand })
    }

    /// The vessel.
    #[must_use]
    pub fn tank(&self) -> &Tank {
        &self.tank
    }
    /// The broth.
    #[must_use]
    pub fn broth(&self) -> &Broth {
        &self.broth
    }
    /// The demand.
    #[must_use]
    pub fn demand(&self) -> &Demand {
        &self.demand
    }
    /// Its geometry, for the engineering numbers.
    #[must_use]
    pub fn geometry(&self) -> Geometry {
        Geometry {
            diameter_m: Some(self.tank.diameter_m),
            impeller_diameter_m: Some(self.tank.impeller_diameter_m),
            impellers: Some(self.tank.impellers),
            power_number: Some(self.tank.power_number),
        }
    }

    fn volume_m3(&self) -> f64 {
        self.tank.volume_l * 1e-3
    }
    fn area_m2(&self) -> f64 {
        std::f64::consts::FRAC_PI_4 * self.tank.diameter_m * self.tank.diameter_m
    }
    /// Height of the broth without gas, m.
    #[must_use]
    pub fn height_m(&self) -> f64 {
        self.volume_m3() / self.area_m2()
    }
    fn viscosity_pa_s(&self) -> f64 {
        self.broth.viscosity_pa_s.unwrap_or_else(|| viscosity(self.broth.temperature_c))
    }
    /// Pressure at mid-depth, Pa.
    fn pressure_pa(&self, at: &Operation) -> f64 {
        at.pressure_bar * 1e5 + 0.5 * self.broth.density_kg_per_m3 * library::GRAVITY * self.height_m()
    }
    /// Power of all impellers without gas, W.
    #[must_use]
    pub fn power_ungassed_w(&self, speed_per_s: f64, factors: &Factors) -> f64 {
        let number = self.tank.power_number * self.tank.impellers * factors.power_number;
        library::power(number, self.broth.density_kg_per_m3, speed_per_s, self.tank.impeller_diameter_m)
    }

    /// Settings with every number positive and finite, or why not.
    ///
    /// # Errors
    /// A setting that is not positive and finite.
    pub fn check(at: &Operation) -> Result<()> {
        for (field, label, value) in [
            ("agitation_per_min", ["撹拌速度", "speed of the stirrer"], at.agitation_per_min),
            ("gas_l_per_min", ["通気量", "gas flow"], at.gas_l_per_min),
            ("pressure_bar", ["槽内圧", "pressure"], at.pressure_bar),
        ] {
            if !value.is_finite() || value <= 0.0 {
                return Err(super::correlation::not_positive(field, label, value));
            }
        }
        Ok(())
    }

    /// What the tank does at settings that were looked through.
    #[must_use]
    pub fn state(&self, at: &Operation, factors: &Factors) -> State {
        let (tank, broth, volume) = (&self.tank, &self.broth, self.volume_m3());
        let (speed, d, kelvin) = (at.agitation_per_min / 60.0, tank.impeller_diameter_m, broth.temperature_c + 273.15);
        let pressure = self.pressure_pa(at);
        let moles_in = at.gas_l_per_min / 60.0 / crate::rates::MOLAR_L_PER_MOL;
        let gas = moles_in * GAS_CONSTANT * kelvin / pressure;
        let velocity = gas / self.area_m2();
        let ungassed = self.power_ungassed_w(speed, factors);
        let share = (library::gassed_share(gas, speed, volume, d) * factors.gassed).clamp(0.3, 1.0);
        let power = ungassed * share;
        let per_volume = power / volume;
        let correlated = if broth.coalescing { library::kla_coalescing } else { library::kla_non_coalescing };
        let kla = correlated(per_volume, velocity) * 1.024_f64.powf(broth.temperature_c - 20.0) * factors.kla;
        let gases = self.gases(kla, moles_in, pressure, kelvin, factors);
        let reynolds = broth.density_kg_per_m3 * speed * d * d / self.viscosity_pa_s();
        let per_kg = per_volume / broth.density_kg_per_m3;
        let (tip, froude) = (std::f64::consts::PI * speed * d, speed * speed * d / library::GRAVITY);
        let (heat, removed) = self.heat(reynolds, power, factors);
        let demand = &self.demand;
        let mut margins = Vec::with_capacity(7);
        let mut add = |limit: Limit, value: f64, bound: f64| {
            margins.push(Margin { limit, value, bound, ratio: bound / value.max(1e-12) });
        };
        add(Limit::Oxygen, demand.oxygen_mmol_per_l_h * factors.uptake, gases.oxygen_mmol_per_l_h);
        add(Limit::Flooding, gas / (speed * d.powi(3)), library::flooding(d / tank.diameter_m, froude) * factors.flooding);
        add(Limit::Heat, heat, removed);
        if let Some(most) = demand.co2_most_bar {
            add(Limit::CarbonDioxide, gases.co2_bar, most);
        }
        if let Some(most) = tank.power_w {
            add(Limit::Power, ungassed, most);
        }
        if let Some(most) = demand.tip_speed_most_m_per_s {
            add(Limit::TipSpeed, tip, most);
        }
        if let Some(most) = demand.gas_velocity_most_m_per_s {
            add(Limit::GasVelocity, velocity, most);
        }
        State {
            reynolds,
            power_w_per_m3: per_volume,
            gas_velocity_m_per_s: velocity,
            kla_per_h: kla * 3600.0,
            co2_bar: gases.co2_bar,
            mixing_time_s: 5.9
                * tank.diameter_m.powf(2.0 / 3.0)
                * per_kg.powf(-1.0 / 3.0)
                * (d / tank.diameter_m).powf(-1.0 / 3.0),
            kolmogorov_m: ((self.viscosity_pa_s() / broth.density_kg_per_m3).powi(3) / per_kg).powf(0.25),
            margins,
        }
    }

    /// kLa as the culture itself shows it, 1/h: `OUR = kLa (H p y − c)` with the uptake asked for, oxygen `y` of the exit
    /// gas (mol/mol, dry) and dissolved oxygen in % of saturation with air at 1 atm. `None` where nothing drives the
    /// transfer, so that kLa cannot be told.
    ///
    /// # Errors
    /// Settings that are not positive and finite.
    pub fn kla_measured(&self, at: &Operation, exit_oxygen: f64, dissolved_percent: f64) -> Result<Option<f64>> {
        Self::check(at)?;
        let oxygen = solubility(Gas::Oxygen, self.broth.temperature_c + 273.15);
        let dissolved = dissolved_percent / 100.0 * oxygen * 0.2095 * ATMOSPHERE_BAR * 1e5;
        let drives = oxygen * self.pressure_pa(at) * exit_oxygen - dissolved;
        // A drive below a twentieth of saturation is lost in the errors of the probe.
        let least = 0.05 * oxygen * 0.2095 * ATMOSPHERE_BAR * 1e5;
        Ok((drives.is_finite() && drives >= least).then(|| self.demand.oxygen_mmol_per_l_h / drives))
    }

    /// Heat of the culture, W: 460 kJ a mole of oxygen taken up.
    #[must_use]
    pub fn culture_heat_w(&self) -> f64 {
        HEAT_J_PER_MOL * self.demand.oxygen_mmol_per_l_h / 3600.0 * self.volume_m3()
    }

    /// Oxygen that can be transferred, mmol/(L·h), and carbon dioxide in the broth, bar.
    fn gases(&self, kla: f64, moles_in: f64, pressure: f64, kelvin: f64, factors: &Factors) -> Gases {
        let (demand, volume) = (&self.demand, self.volume_m3());
        let uptake = demand.oxygen_mmol_per_l_h * factors.uptake / 3600.0;
        let oxygen = solubility(Gas::Oxygen, kelvin) * factors.solubility;
        let least = demand.oxygen_least_percent / 100.0 * oxygen * 0.2095 * ATMOSPHERE_BAR * 1e5;
        // What leaves, once the uptake is met: oxygen gone, carbon dioxide come.
        let moles_out = (moles_in + (demand.respiratory_quotient - 1.0) * uptake * volume).max(1e-3 * moles_in);
        // OTR = kLa (H p y − c), y = (n_in y_in − OTR V)/n_out.
        let slope = oxygen * pressure / moles_out;
        let transfer = kla * (slope * moles_in * demand.oxygen_in - least) / (1.0 + kla * slope * volume);
        let produced = demand.respiratory_quotient * uptake;
        let exit_bar = pressure * 1e-5 * (moles_in * 0.000_42 + produced * volume) / moles_out;
        let kla_co2 = 0.89 * kla * factors.kla_co2;
        let co2_bar = exit_bar + produced / (kla_co2 * solubility(Gas::CarbonDioxide, kelvin)) * 1e-5;
        Gases { oxygen_mmol_per_l_h: transfer.max(0.0) * 3600.0, co2_bar }
    }

    /// Heat that arises and heat that can be taken away, W.
    fn heat(&self, reynolds: f64, power: f64, factors: &Factors) -> (f64, f64) {
        let (tank, volume) = (&self.tank, self.volume_m3());
        let uptake = self.demand.oxygen_mmol_per_l_h * factors.uptake / 3600.0;
        let arises = HEAT_J_PER_MOL * factors.heat * uptake * volume + power + self.demand.heat_extra_w_per_m3 * volume;
        // Water: 4,180 J/(kg·K) and 0.62 W/(m·K) near 30 °C.
        let prandtl = 4180.0 * self.viscosity_pa_s() / 0.62;
        let through = |film: f64, area: f64| area / (1.0 / (film * factors.film) + 1.0 / tank.cooling_w_per_m2_k);
        let wall = std::f64::consts::PI * tank.diameter_m * self.height_m();
        let jacket = through(library::film_jacket(reynolds, prandtl, 0.62, tank.diameter_m), wall);
        let coil = through(library::film_coil(reynolds, prandtl, 0.62, tank.diameter_m), tank.coil_m2);
        (arises, ((jacket + coil) * (self.broth.temperature_c - tank.cooling_c)).max(0.0))
    }

    /// Correlations used here outside their range.
    ///
    /// # Errors
    /// A setting that is not positive and finite.
    pub fn warnings(&self, at: &Operation) -> Result<Vec<super::OutOfRange>> {
        Self::check(at)?;
        let state = self.state(at, &Factors::default());
        let (tank, volume) = (&self.tank, self.volume_m3());
        let ratio = tank.impeller_diameter_m / tank.diameter_m;
        let speed = at.agitation_per_min / 60.0;
        let kla = if self.broth.coalescing { "kla-van-t-riet-coalescing" } else { "kla-van-t-riet-non-coalescing" };
        let froude = speed * speed * tank.impeller_diameter_m / library::GRAVITY;
        let density = self.broth.density_kg_per_m3;
        let per_kg = state.power_w_per_m3 / density;
        let mut out = Vec::new();
        for (id, values) in [
            (kla, vec![state.power_w_per_m3, state.gas_velocity_m_per_s, volume]),
            ("power", vec![tank.power_number, density, speed, tank.impeller_diameter_m, state.reynolds]),
            ("mixing-ruszkowski", vec![tank.diameter_m, per_kg, ratio, state.reynolds, self.height_m() / tank.diameter_m]),
            ("heat-jacket", vec![state.reynolds, 1.0, 1.0, tank.diameter_m]),
            ("flooding", vec![ratio, froude]),
        ] {
            out.extend(library::correlation(id)?.outside(&values));
        }
        if tank.coil_m2 > 0.0 {
            out.extend(library::correlation("heat-coil")?.outside(&[state.reynolds, 1.0, 1.0, tank.diameter_m]));
        }
        Ok(out)
    }
}

struct Gases {
    oxygen_mmol_per_l_h: f64,
    co2_bar: f64,
}
