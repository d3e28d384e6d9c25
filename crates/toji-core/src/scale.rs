//! Named scales: numbers that a formula defines, not units.
//!
//! 日本酒度, Baumé, Brix and Plato are read from a hydrometer or a refractometer and stand for a
//! density; OD600 is an attenuation that depends on the path of the light. Each has its formula and
//! reference temperature here, and converts only where the definition itself carries over: between
//! 15 °C and 20 °C scales lies the thermal expansion of a liquid nobody has named.

use crate::error::{Error, Result};
use crate::text::Text;
use crate::unit::Unit;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// A named scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Optical density at 600 nm.
    Od600,
    /// Mass percentage of sucrose at 20 °C (sugar industry).
    Brix,
    /// Mass percentage of sucrose at 20 °C (brewing).
    Plato,
    /// Baumé for heavy liquids as used in Japan, 15 °C.
    Baume,
    /// Sake meter value, 15 °C.
    Nihonshudo,
}

/// Coefficients, in kg/m³, of the density of sucrose solutions at 20 °C above that of water, for powers
/// 1 to 6 of the mass fraction: ICUMSA SPS-4 (the terms at the reference temperature).
const ICUMSA_DENSITY_KG_PER_M3: [f64; 6] = [385.1761, 135.3705, 40.9299, -3.9643, 13.4853, -17.2890];
/// Density of water at 20 °C that belongs to them, kg/m³.
const WATER_20_CEL_KG_PER_M3: f64 = 998.2012;
/// Cubic in specific gravity 20/20 fitted to the extract table of the American Society of Brewing
/// Chemists, constant first.
const ASBC_PLATO: [f64; 4] = [-616.868, 1111.14, -630.272, 135.997];
/// Modulus of the Japanese heavy-liquid Baumé scale; 日本酒度 uses ten times it.
const BAUME_MODULUS: f64 = 144.3;

impl Scale {
    /// Every scale.
    pub const ALL: [Self; 5] = [Self::Od600, Self::Brix, Self::Plato, Self::Baume, Self::Nihonshudo];

    /// The UCUM code that stands for it.
    #[must_use]
    pub const fn unit_code(self) -> &'static str {
        match self {
            Self::Od600 => "{OD600}",
            Self::Brix => "{Brix}",
            Self::Plato => "{Plato}",
            Self::Baume => "{Be}",
            Self::Nihonshudo => "{SMV}",
        }
    }

    /// The unit that stands for it.
    ///
    /// # Errors
    /// None in practice: the codes are constants.
    pub fn unit(self) -> Result<Unit> {
        Unit::parse(self.unit_code())
    }

    /// Its name.
    #[must_use]
    pub fn label(self) -> Text {
        match self {
            Self::Od600 => Text::new("濁度（600 nm）", "Optical density at 600 nm"),
            Self::Brix => Text::new("ブリックス度", "Degrees Brix"),
            Self::Plato => Text::new("プラート度", "Degrees Plato"),
            Self::Baume => Text::new("ボーメ度（重ボーメ度）", "Degrees Baumé (heavy, Japan)"),
            Self::Nihonshudo => Text::new("日本酒度", "Sake meter value"),
        }
    }

    /// Its definition, S being the specific gravity.
    #[must_use]
    pub const fn formula(self) -> &'static str {
        match self {
            Self::Od600 => "A = log10(I0/I) = ε·c·l at 600 nm",
            Self::Brix => {
                "S(20/20) = 1 + (385.1761w + 135.3705w² + 40.9299w³ − 3.9643w⁴ + 13.4853w⁵ − 17.2890w⁶)/998.2012, w = Bx/100"
            }
            Self::Plato => "°P = −616.868 + 1111.14S − 630.272S² + 135.997S³, S(20/20)",
            Self::Baume => "Bé = 144.3 − 144.3/S, S(15/4)",
            Self::Nihonshudo => "SMV = 1443/S − 1443, S(15/4)",
        }
    }

    /// Where the definition comes from.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Od600 => "Beer-Lambert law; turbidity follows it only where the sample is dilute",
            Self::Brix => "ICUMSA Specification and Standard SPS-4, density of sucrose solutions, at 20 °C",
            Self::Plato => "cubic fit to the ASBC extract table (Methods of Analysis), specific gravity 20/20 °C",
            Self::Baume => "計量単位規則 別表第一 重ボーメ度 (Measurement Act, heavy Baumé, symbol Bh), read at 15/4 °C",
            Self::Nihonshudo => "国税庁所定分析法 日本酒度 (analysis methods of the National Tax Agency; NRIB), 15/4 °C",
        }
    }

    /// Temperature at which the value holds, °C; `None` for optical density.
    #[must_use]
    pub const fn reference_temperature_cel(self) -> Option<f64> {
        match self {
            Self::Od600 => None,
            Self::Brix | Self::Plato => Some(20.0),
            Self::Baume | Self::Nihonshudo => Some(15.0),
        }
    }

    /// The specific gravity it stands on: sample temperature / water temperature, °C.
    #[must_use]
    pub const fn specific_gravity_reference(self) -> Option<&'static str> {
        match self {
            Self::Od600 => None,
            Self::Brix | Self::Plato => Some("20/20"),
            Self::Baume | Self::Nihonshudo => Some("15/4"),
        }
    }

    /// Values for which the formula holds: the span of the tables behind Brix (saturated sucrose) and
    /// Plato, and of hydrometers from distillate to thick syrup for the others.
    #[must_use]
    pub const fn range(self) -> RangeInclusive<f64> {
        match self {
            Self::Od600 => 0.0..=f64::MAX,
            Self::Brix => 0.0..=70.0,
            Self::Plato => 0.0..=20.0,
            Self::Baume => -30.0..=40.0,
            Self::Nihonshudo => -400.0..=300.0,
        }
    }

    /// The specific gravity for a value, in the reference of [`Scale::specific_gravity_reference`].
    ///
    /// # Errors
    /// `E-SCALE-001` outside [`Scale::range`]; `E-SCALE-002` the scale is not one of density.
    pub fn to_specific_gravity(self, value: f64) -> Result<f64> {
        self.check(value)?;
        match self {
            Self::Od600 => Err(self.no_density()),
            Self::Brix => Ok(brix_gravity(value)),
            Self::Plato => Ok(invert(plato_of, value, 0.99..=1.1)),
            Self::Baume => Ok(BAUME_MODULUS / (BAUME_MODULUS - value)),
            Self::Nihonshudo => Ok(10.0 * BAUME_MODULUS / (10.0 * BAUME_MODULUS + value)),
        }
    }

    /// The value for a specific gravity in the reference of [`Scale::specific_gravity_reference`].
    ///
    /// # Errors
    /// As [`Scale::to_specific_gravity`].
    pub fn from_specific_gravity(self, gravity: f64) -> Result<f64> {
        if self == Self::Od600 {
            return Err(self.no_density());
        }
        if !(gravity.is_finite() && gravity > 0.5 && gravity < 2.0) {
            return Err(Error::input(
                "E-SCALE-001",
                format!("比重 {gravity} は液体の比重の範囲（0.5〜2）にありません"),
                format!("{gravity} is not the specific gravity of a liquid here (0.5 to 2)"),
            )
            .hint("比重（水 = 1）で指定してください", "give the specific gravity, water being 1"));
        }
        let value = match self {
            Self::Brix => invert(brix_gravity, gravity, -1.0..=71.0),
            Self::Plato => plato_of(gravity),
            Self::Baume => BAUME_MODULUS - BAUME_MODULUS / gravity,
            Self::Nihonshudo | Self::Od600 => 10.0 * BAUME_MODULUS / gravity - 10.0 * BAUME_MODULUS,
        };
        // The published cubic gives −0.003 °P for water: within its rounding, not below the scale.
        let value = if (-0.005..0.0).contains(&value) && matches!(self, Self::Plato | Self::Brix) { 0.0 } else { value };
        self.check(value).map(|()| value)
    }

    /// A value of this scale on another one, where the definitions carry it over: Brix and Plato are
    /// both the mass percentage of sucrose at 20 °C; 日本酒度 is −10 × Baumé over the same 15/4 gravity.
    ///
    /// # Errors
    /// `E-SCALE-001` out of range; `E-SCALE-002` not density scales; `E-SCALE-003` different reference
    /// temperatures.
    pub fn convert(self, value: f64, to: Self) -> Result<f64> {
        self.check(value)?;
        let converted = match (self, to) {
            (a, b) if a == b => value,
            (Self::Brix, Self::Plato) | (Self::Plato, Self::Brix) => value,
            (Self::Baume, Self::Nihonshudo) => -10.0 * value,
            (Self::Nihonshudo, Self::Baume) => value / -10.0,
            (Self::Od600, _) | (_, Self::Od600) => return Err(Self::Od600.no_density()),
            _ => return Err(self.other_temperature(to)),
        };
        to.check(converted).map(|()| converted)
    }

    fn check(self, value: f64) -> Result<()> {
        let range = self.range();
        if range.contains(&value) {
            return Ok(());
        }
        let Text { ja, en } = self.label();
        let (low, high) = range.into_inner();
        let bounds = if high == f64::MAX { format!("≥ {low}") } else { format!("{low} … {high}") };
        Err(Error::input(
            "E-SCALE-001",
            format!("{ja} {value} は式の成り立つ範囲（{bounds}）の外です"),
            format!("{value} is outside the range of {en} ({bounds})"),
        )
        .hint("値と目盛の名前を確かめてください", "check the value and the name of its scale"))
    }

    fn no_density(self) -> Error {
        let Text { ja, en } = self.label();
        Error::input("E-SCALE-002", format!("{ja}は密度の目盛ではありません"), format!("{en} is not a scale of density")).hint(
            "密度の目盛（Brix、Plato、ボーメ、日本酒度）を指定してください",
            "choose Brix, Plato, Baumé or sake meter value",
        )
    }

    fn other_temperature(self, to: Self) -> Error {
        let temperature = |scale: Self| scale.reference_temperature_cel().unwrap_or(f64::NAN);
        let (a, b, at, bt) = (self.label(), to.label(), temperature(self), temperature(to));
        Error::input(
            "E-SCALE-003",
            format!("{}（{at} °C）は{}（{bt} °C）に換算できません", a.ja, b.ja),
            format!("{} ({at} °C) does not convert to {} ({bt} °C)", a.en, b.en),
        )
        .hint(
            "基準温度が違うため、その液の熱膨張が必要です。同じ温度の目盛で測ってください",
            "their reference temperatures differ, so the liquid's thermal expansion is needed: measure on a scale of the same temperature",
        )
    }
}

/// Optical density brought to a path of 10 mm by the Beer-Lambert law.
///
/// # Errors
/// `E-SCALE-004` the path length is not given or not positive: a plate well of unknown filling has none.
pub fn od_at_10_mm(od: f64, path_length_mm: Option<f64>) -> Result<f64> {
    match path_length_mm {
        Some(path) if path.is_finite() && path > 0.0 => Ok(od * 10.0 / path),
        _ => Err(Error::input(
            "E-SCALE-004",
            "光路長が分からないため、OD を 10 mm に換算できません",
            "the path length is not known, so the OD cannot be brought to 10 mm",
        )
        .hint("光路長を mm で指定してください", "state the path length in mm")),
    }
}

fn brix_gravity(brix: f64) -> f64 {
    let w = brix / 100.0;
    let above_water = ICUMSA_DENSITY_KG_PER_M3.iter().rev().fold(0.0, |sum, c| (sum + c) * w);
    1.0 + above_water / WATER_20_CEL_KG_PER_M3
}

fn plato_of(gravity: f64) -> f64 {
    ASBC_PLATO.iter().rev().fold(0.0, |sum, c| sum * gravity + c)
}

/// The argument for which a rising function has a value, by bisection to the last bit; the nearer end
/// where the value is beyond it.
fn invert(function: fn(f64) -> f64, value: f64, range: RangeInclusive<f64>) -> f64 {
    let (mut low, mut high) = range.into_inner();
    // 64 halvings exhaust the 53 bits of an f64 for any range used here.
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if function(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn close(have: f64, want: f64, tolerance: f64) {
        assert!((have - want).abs() <= tolerance, "{have} is not {want} ± {tolerance}");
    }

    #[test]
    fn every_scale_has_its_unit_and_back() {
        for scale in Scale::ALL {
            assert_eq!(scale.unit().unwrap().scale(), Some(scale));
            assert_eq!(scale.unit().unwrap().code(), scale.unit_code());
        }
        assert_eq!(Unit::parse("g/L").unwrap().scale(), None);
    }

    #[test]
    fn pure_water_at_15_cel_has_a_sake_meter_value_of_1_26() {
        // Density of water at 15 °C is 0.999 103 kg/L, at 4 °C 0.999 975 kg/L (CIPM 2001); the sake
        // trade states +1.26 for water.
        close(Scale::Nihonshudo.from_specific_gravity(0.999_103 / 0.999_975).unwrap(), 1.26, 0.005);
        // The definition's own zero.
        assert_eq!(Scale::Nihonshudo.from_specific_gravity(1.0).unwrap(), 0.0);
        assert_eq!(Scale::Baume.convert(3.0, Scale::Nihonshudo).unwrap(), -30.0);
    }

    #[test]
    fn published_plato_and_brix_values() {
        // Brewers' tables: 1.040 is 9.99 °P, 1.048 is 11.91 °P.
        close(Scale::Plato.from_specific_gravity(1.040).unwrap(), 9.99, 0.01);
        close(Scale::Plato.from_specific_gravity(1.048).unwrap(), 11.91, 0.01);
        // Sucrose solutions at 20 °C, true density: 10 % 1.0381 g/mL, 50 % 1.2296 g/mL (CRC Handbook).
        for (brix, density) in [(10.0, 1.0381), (20.0, 1.0810), (50.0, 1.2296)] {
            close(Scale::Brix.to_specific_gravity(brix).unwrap() * 0.998_201_2, density, 1e-4);
        }
        // Two independent fits to sucrose solutions must agree on the same mass percentage.
        for percent in [5.0, 10.0, 15.0, 20.0] {
            close(Scale::Brix.to_specific_gravity(percent).unwrap(), Scale::Plato.to_specific_gravity(percent).unwrap(), 1e-4);
        }
    }

    #[test]
    fn refuses_with_the_reason() {
        assert_eq!(Scale::Brix.convert(10.0, Scale::Baume).unwrap_err().code(), "E-SCALE-003");
        assert_eq!(Scale::Od600.convert(1.0, Scale::Brix).unwrap_err().code(), "E-SCALE-002");
        assert_eq!(Scale::Od600.to_specific_gravity(1.0).unwrap_err().code(), "E-SCALE-002");
        assert_eq!(Scale::Brix.convert(30.0, Scale::Plato).unwrap_err().code(), "E-SCALE-001");
        assert_eq!(od_at_10_mm(0.5, None).unwrap_err().code(), "E-SCALE-004");
        assert_eq!(od_at_10_mm(0.5, Some(5.0)).unwrap(), 1.0);
        for scale in Scale::ALL {
            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(scale.to_specific_gravity(bad).is_err() && scale.from_specific_gravity(bad).is_err());
            }
        }
    }

    proptest! {
        #[test]
        fn gravity_there_and_back(share in 0.001f64..1.0, which in 1usize..5) {
            let scale = Scale::ALL[which];
            let (low, high) = scale.range().into_inner();
            let value = low + share * (high - low);
            let back = scale.from_specific_gravity(scale.to_specific_gravity(value).unwrap()).unwrap();
            prop_assert!((back - value).abs() <= 1e-11 * (high - low), "{scale:?} {value} {back}");
        }
        #[test]
        fn sake_meter_value_is_baume_over_the_same_gravity(be in -30.0f64..40.0) {
            let gravity = Scale::Baume.to_specific_gravity(be).unwrap();
            let smv = Scale::Nihonshudo.from_specific_gravity(gravity).unwrap();
            prop_assert!((smv - Scale::Baume.convert(be, Scale::Nihonshudo).unwrap()).abs() < 1e-9);
        }
        #[test]
        fn any_number_is_converted_or_refused(value in any::<f64>(), a in 0usize..5, b in 0usize..5) {
            let _ = (Scale::ALL[a].convert(value, Scale::ALL[b]), Scale::ALL[a].from_specific_gravity(value));
        }
    }
}
