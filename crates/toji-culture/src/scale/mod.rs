//! Engineering numbers of a stirred vessel at its settings: what a change of scale keeps and what it does not.
//!
//! They follow from geometry and settings by published correlations, not from a measurement of the vessel, and
//! are as sure as those: kLa to about 20–40 % by its author's own word. Where a correlation is used outside the
//! range it was found in, that is said beside the number.
//!
//! * Power: `P = n·Np·ρ·N³·D⁵` (Bates, Fondy and Corpstein, Ind. Eng. Chem. Process Des. Dev. 2 (1963) 310), and
//!   when gassed the share that G. A. Hughmark found (same journal 19 (1980) 638).
//! * kLa: `0.026·(P/V)^0.4·vs^0.5` for coalescing broths (K. van 't Riet, same journal 18 (1979) 357), found for
//!   500–10,000 W/m³ in 2–2,600 L; brought to temperature by 1.024 per K from 20 °C.
//! * Mixing: `5.9·T^⅔·ε^(−⅓)·(D/T)^(−⅓)` to 95 % (A. W. Nienow, Chem. Eng. Sci. 52 (1997) 2557), found for
//!   turbulent, baffled vessels as high as wide, of 10 to 10,000 L as others retell it.
//! * Reynolds: `ρ·N·D²/µ` with the viscosity of water.
//!
//! Beside the numbers of a vessel as it is: `library` holds the correlations as data, `geometric` the rules for vessels
//! of one shape, `tank` what a vessel with a demand delivers and how far its limits are, `map` the feasible settings and
//! those of a larger vessel, `risk` the chance of meeting each limit, `regime` what a cell goes through.

pub mod correlation;
pub mod geometric;
pub mod library;
pub mod map;
pub mod regime;
pub mod risk;
pub mod tank;

pub use correlation::{Correlation, Estimate, OutOfRange};
pub use library::{LIBRARY, correlation};

use serde::{Deserialize, Serialize};
use toji_core::Text;

/// Density of a dilute broth, kg/m³.
const DENSITY: f64 = 1000.0;
/// Pressure of the atmosphere, bar.
const ATMOSPHERE_BAR: f64 = 1.013_25;
/// A pressure below is an overpressure or a fault, not that of a vessel: the atmosphere's is taken then.
const LEAST_BAR: f64 = 0.8;
/// From here on a stirred tank is turbulent.
const TURBULENT: f64 = 1e4;

/// Geometry of a vessel. What is not known is `None`, and the numbers that need it say so.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Geometry {
    /// Inner diameter, m.
    pub diameter_m: Option<f64>,
    /// Impeller diameter, m.
    pub impeller_diameter_m: Option<f64>,
    /// Number of impellers.
    pub impellers: Option<f64>,
    /// Power number of one impeller, 1.
    pub power_number: Option<f64>,
}

/// Settings of a vessel.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Settings {
    /// Volume of the broth, L.
    pub volume_l: Option<f64>,
    /// Stirrer, 1/min.
    pub agitation_per_min: Option<f64>,
    /// Gas flow, standard L/min (0 °C, 1 atm).
    pub gas_flow_l_per_min: Option<f64>,
    /// Temperature, °C; 30 where it is not known.
    pub temperature_c: Option<f64>,
    /// Pressure of the head space, bar absolute; the atmosphere's where it is not known.
    pub pressure_bar: Option<f64>,
}

/// One engineering number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Number {
    /// `power-per-volume`, `tip-speed`, `kla`, `gas-flow`, `mixing-time` or `reynolds`.
    pub code: String,
    /// Label.
    pub label: Text,
    /// Value. `None` where something it needs is not known.
    pub value: Option<f64>,
    /// Unit, UCUM.
    pub unit: String,
    /// What is missing.
    pub why_missing: Option<Text>,
    /// Where the correlation is used outside the range it was found in, or what else limits it.
    pub limits: Option<Text>,
}

/// A positive finite number, or why there is none.
fn needed(value: Option<f64>, ja: &str, en: &str) -> Result<f64, Text> {
    value
        .filter(|v| v.is_finite() && *v > 0.0)
        .ok_or_else(|| Text::new(format!("{ja}が不明か 0 です"), format!("{en} is unknown or zero")))
}

/// Viscosity of water, Pa·s, at a temperature between 0 and 100 °C:
/// `2.414e-5·10^(247.8/(T−140))` with T in kelvin, within 2.5 % of the tables.
fn viscosity(temperature_c: f64) -> f64 {
    2.414e-5 * 10_f64.powf(247.8 / (temperature_c + 273.15 - 140.0))
}

/// A number with what limits it.
type Found = Result<(f64, Option<Text>), Text>;

/// The engineering numbers, always the same six in the same order.
#[must_use]
pub fn numbers(geometry: &Geometry, settings: &Settings) -> Vec<Number> {
    let vessel = Vessel { geometry, settings };
    let whole: [(&str, [&str; 2], &str, Found); 6] = [
        ("power-per-volume", ["単位容積当たりの撹拌動力", "Power per volume"], "W/m3", vessel.power_per_volume()),
        ("tip-speed", ["翼端速度", "Tip speed"], "m/s", vessel.tip_speed()),
        ("kla", ["酸素移動容量係数 kLa", "Oxygen transfer coefficient kLa"], "/h", vessel.kla()),
        // A volume of gas a volume of broth and minute ("vvm"): in UCUM litres a litre and minute.
        ("gas-flow", ["通気量（vvm）", "Gas flow (vvm)"], "L/L/min", vessel.vvm()),
        ("mixing-time", ["混合時間（95 %）", "Mixing time (95 %)"], "s", vessel.mixing_time()),
        ("reynolds", ["撹拌レイノルズ数", "Reynolds number of the stirrer"], "1", vessel.reynolds().map(|v| (v, None))),
    ];
    whole
        .into_iter()
        .map(|(code, [ja, en], unit, found)| {
            let (value, why_missing, limits) = match found {
                Ok((value, limits)) => (Some(value), None, limits),
                Err(why) => (None, Some(why), None),
            };
            Number { code: code.to_owned(), label: Text::new(ja, en), value, unit: unit.to_owned(), why_missing, limits }
        })
        .collect()
}

struct Vessel<'a> {
    geometry: &'a Geometry,
    settings: &'a Settings,
}

impl Vessel<'_> {
    fn volume_m3(&self) -> Result<f64, Text> {
        needed(self.settings.volume_l, "張込み容量", "the working volume").map(|l| l * 1e-3)
    }
    fn per_s(&self) -> Result<f64, Text> {
        needed(self.settings.agitation_per_min, "撹拌速度", "the stirrer's speed").map(|n| n / 60.0)
    }
    fn impeller_m(&self) -> Result<f64, Text> {
        needed(self.geometry.impeller_diameter_m, "撹拌翼径", "the impeller's diameter")
    }
    fn diameter_m(&self) -> Result<f64, Text> {
        needed(self.geometry.diameter_m, "槽内径", "the vessel's diameter")
    }
    fn temperature_c(&self) -> f64 {
        self.settings.temperature_c.filter(|t| (0.0..=100.0).contains(t)).unwrap_or(30.0)
    }
    /// Gas at the temperature of the broth and the pressure of the head space, m³/s.
    fn gas_m3_per_s(&self) -> Result<f64, Text> {
        let standard = needed(self.settings.gas_flow_l_per_min, "通気量", "the gas flow")?;
        let pressure = self.settings.pressure_bar.filter(|p| *p > LEAST_BAR).unwrap_or(ATMOSPHERE_BAR);
        Ok(standard / 60_000.0 * (self.temperature_c() + 273.15) / 273.15 * ATMOSPHERE_BAR / pressure)
    }
    fn reynolds(&self) -> Result<f64, Text> {
        Ok(DENSITY * self.per_s()? * self.impeller_m()?.powi(2) / viscosity(self.temperature_c()))
    }
    /// Power in the broth, W, and whether it is that of a gassed vessel.
    fn power_w(&self) -> Result<(f64, bool), Text> {
        let (n, d, volume) = (self.per_s()?, self.impeller_m()?, self.volume_m3()?);
        let number = needed(self.geometry.power_number, "動力数", "the power number")?;
        let impellers = needed(self.geometry.impellers, "撹拌翼の段数", "the number of impellers")?;
        let ungassed = impellers * number * DENSITY * n.powi(3) * d.powi(5);
        let Ok(gas) = self.gas_m3_per_s() else { return Ok((ungassed, false)) };
        // Hughmark's width of a blade is that of a standard turbine, D/5.
        let froude = n * n * d.powi(4) / (9.81 * 0.2 * d * volume.powf(2.0 / 3.0));
        let share = 0.10 * (n * volume / gas).powf(0.25) * froude.powf(-0.2);
        Ok((ungassed * share.clamp(0.3, 1.0), true))
    }
    fn power_per_volume(&self) -> Found {
        let ((power, gassed), volume) = (self.power_w()?, self.volume_m3()?);
        let reynolds = self.reynolds()?;
        let limits = if reynolds < TURBULENT {
            Some(Text::new(
                format!("Re = {reynolds:.0} は乱流域（10,000 以上）の外で、動力数は一定ではありません"),
                format!("Re = {reynolds:.0} is below the turbulent range (10,000), where the power number is not constant"),
            ))
        } else if gassed {
            None
        } else {
            Some(Text::new("通気量が分からないため無通気の動力です", "without gas, since the gas flow is not known"))
        };
        Ok((power / volume, limits))
    }
    fn tip_speed(&self) -> Found {
        Ok((std::f64::consts::PI * self.per_s()? * self.impeller_m()?, None))
    }
    fn kla(&self) -> Found {
        let (gas, diameter, volume) = (self.gas_m3_per_s()?, self.diameter_m()?, self.volume_m3()?);
        let per_volume = self.power_w()?.0 / volume;
        let velocity = gas / (std::f64::consts::FRAC_PI_4 * diameter * diameter);
        let per_s = 0.026 * per_volume.powf(0.4) * velocity.sqrt() * 1.024_f64.powf(self.temperature_c() - 20.0);
        let (litres, mut ja, mut en) = (volume * 1e3, Vec::new(), Vec::new());
        if !(500.0..=10_000.0).contains(&per_volume) {
            ja.push(format!("動力 {per_volume:.0} W/m³（範囲 500〜10,000）"));
            en.push(format!("{per_volume:.0} W/m³ (range 500 to 10,000)"));
        }
        if !(2.0..=2_600.0).contains(&litres) {
            ja.push(format!("容積 {litres} L（範囲 2〜2,600）"));
            en.push(format!("{litres} L (range 2 to 2,600)"));
        }
        let limits = (!ja.is_empty()).then(|| {
            Text::new(
                format!("相関式の範囲外: {}", ja.join("、")),
                format!("outside the range of the correlation: {}", en.join(", ")),
            )
        });
        Ok((per_s * 3600.0, limits))
    }
    fn vvm(&self) -> Found {
        let flow = needed(self.settings.gas_flow_l_per_min, "通気量", "the gas flow")?;
        Ok((flow / (self.volume_m3()? * 1e3), None))
    }
    fn mixing_time(&self) -> Found {
        let (diameter, impeller, volume) = (self.diameter_m()?, self.impeller_m()?, self.volume_m3()?);
        let per_kg = self.power_w()?.0 / (volume * DENSITY);
        let time = 5.9 * diameter.powf(2.0 / 3.0) * per_kg.powf(-1.0 / 3.0) * (impeller / diameter).powf(-1.0 / 3.0);
        let slim = volume / (std::f64::consts::FRAC_PI_4 * diameter.powi(3));
        let reynolds = self.reynolds()?;
        let limits = if reynolds < TURBULENT {
            Some(Text::new(
                format!("Re = {reynolds:.0} は乱流域（10,000 以上）の外です"),
                format!("Re = {reynolds:.0} is below the turbulent range (10,000)"),
            ))
        } else if (0.8..=1.2).contains(&slim) {
            let litres = volume * 1e3;
            (!(10.0..=10_000.0).contains(&litres)).then(|| {
                Text::new(
                    format!("容積 {litres} L は相関式の範囲（10〜10,000 L）の外です"),
                    format!("{litres} L is outside the range of the correlation (10 to 10,000 L)"),
                )
            })
        } else {
            Some(Text::new(
                format!("液深/槽径 = {slim:.2}。式は 1 前後で得られたもので、深い槽ではより長くなります"),
                format!("height/diameter = {slim:.2}: found for about 1, deeper vessels take longer"),
            ))
        };
        Ok((time, limits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toji_core::Unit;

    const PILOT: Geometry =
        Geometry { diameter_m: Some(1.25), impeller_diameter_m: Some(0.42), impellers: Some(3.0), power_number: Some(5.0) };

    fn set(volume_l: f64, agitation: f64, gas: f64) -> Settings {
        Settings {
            volume_l: Some(volume_l),
            agitation_per_min: Some(agitation),
            gas_flow_l_per_min: Some(gas),
            temperature_c: Some(20.0),
            pressure_bar: None,
        }
    }

    fn value(of: &[Number], code: &str) -> f64 {
        of.iter().find(|n| n.code == code).unwrap().value.unwrap()
    }

    #[track_caller]
    fn near(found: f64, wanted: f64, tolerance: f64) {
        assert!((found - wanted).abs() <= tolerance, "{found} instead of {wanted}");
    }

    #[test]
    fn worked_by_hand() {
        let found = numbers(&PILOT, &set(1500.0, 120.0, 1500.0));
        near(value(&found, "tip-speed"), std::f64::consts::PI * 2.0 * 0.42, 1e-12);
        near(value(&found, "gas-flow"), 1.0, 1e-12);
        // Ungassed 3·5·1000·8·0.42^5 = 1568 W. Hughmark: 0.1·(2·1.5/0.026830)^0.25·(4·0.031117/(9.81·0.084·1.31037))^-0.2
        // = 0.1·3.2518·1.5405 = 0.50093; P = 785.6 W.
        near(value(&found, "power-per-volume"), 523.74, 0.01);
        // vs = 0.026830/1.22718 = 0.021863 m/s; 0.026·523.7^0.4·0.14786 = 0.047041 1/s.
        near(value(&found, "kla"), 169.35, 0.01);
        // 5.9·1.16040·0.52374^(-1/3)·0.336^(-1/3) = 12.217 s.
        near(value(&found, "mixing-time"), 12.217, 0.001);
        // Water at 20 °C: 1.002 mPa·s.
        near(value(&found, "reynolds") / (1000.0 * 2.0 * 0.42 * 0.42 / 1.002e-3), 1.0, 0.01);
        let limits: Vec<&str> = found.iter().filter(|n| n.limits.is_some()).map(|n| n.code.as_str()).collect();
        assert_eq!(limits, Vec::<&str>::new());
        assert!(found.iter().all(|n| Unit::parse(&n.unit).is_ok()));
    }

    #[test]
    fn tables_of_water() {
        // CRC Handbook of Chemistry and Physics: viscosity of water, mPa·s.
        for (celsius, wanted) in [(10.0, 1.306), (20.0, 1.002), (37.0, 0.692), (50.0, 0.547)] {
            near(viscosity(celsius) * 1e3 / wanted, 1.0, 0.025);
        }
    }

    #[test]
    fn what_is_outside_its_range_or_missing_is_said() {
        let small =
            Geometry { diameter_m: Some(0.062), impeller_diameter_m: Some(0.027), impellers: Some(2.0), power_number: Some(1.6) };
        let found = numbers(&small, &set(0.15, 400.0, 0.1));
        let said = |code: &str| found.iter().find(|n| n.code == code).unwrap().limits.clone().unwrap().en;
        assert!(said("kla").contains("0.15 L") && said("kla").contains("W/m³"), "{}", said("kla"));
        assert!(said("power-per-volume").contains("turbulent"));
        // Without gas the power is that of the ungassed vessel, and kLa and vvm are not guessed.
        let mut still = set(1500.0, 120.0, 0.0);
        let found = numbers(&PILOT, &still);
        near(value(&found, "power-per-volume"), 15.0 * 8.0 * 0.42_f64.powi(5) / 1.5 * 1000.0, 1e-6);
        for code in ["kla", "gas-flow"] {
            let number = found.iter().find(|n| n.code == code).unwrap();
            assert_eq!(
                (number.value, number.why_missing.as_ref().unwrap().en.as_str()),
                (None, "the gas flow is unknown or zero")
            );
        }
        still.agitation_per_min = Some(f64::NAN);
        let found = numbers(&Geometry::default(), &still);
        assert_eq!(found.len(), 6);
        assert!(found.iter().all(|n| n.value.is_none() && n.why_missing.is_some()));
    }
}
