//! Units of measure: UCUM codes, what the floor writes for them, and conversion that is exact where
//! it can be and refused where it is meaningless.
//!
//! UCUM gives annotations such as `{OD600}` no meaning. Here they keep quantities apart: units whose
//! annotations differ do not convert into each other, so a standard litre is not an actual one and a
//! percentage of saturation is not a percentage of volume. UCUM also counts a mole as a bare number;
//! here amount of substance is a dimension, so that mmol/L never becomes cells/mL.
//!
//! Brackets belong to UCUM (`[g]` is the standard acceleration): take a header's brackets off before
//! reading the unit inside.

mod floor;
mod reading;

use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::scale::Scale;
use octofhir_ucum::{Case, EvalResult, Number, SpecialKind, lookup_unit};
use reading::{Factor, Refusal};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A unit, known by its canonical UCUM code. Cheap to clone.
#[derive(Clone)]
pub struct Unit(Arc<Meaning>);

struct Meaning {
    code: String,
    ucum: EvalResult,
    /// Annotations and kinds of amount with their exponents, sorted: equal when commensurable.
    kinds: Vec<(String, i32)>,
    /// Size in base units as an exact fraction; `None` for special units and rounded constants.
    exact: Option<Ratio>,
}

/// Marks of the dimensions that UCUM lacks; no annotation can hold a space.
const AMOUNT: &str = " amount";
const OSMOLES: &str = " osmoles";
const EQUIVALENTS: &str = " equivalents";

/// Units of length, mass and so on of a unit, for telling why two of them do not convert.
const MASS: usize = 2;

impl Unit {
    /// Reads a UCUM code or what people write for one (`°C`, `x10^6 Cells / mL`, `rpm`, `mM`, `気圧`).
    ///
    /// # Errors
    /// `E-UNIT-001` unknown, with the nearest known units; `E-UNIT-005` readable in two ways.
    pub fn parse(text: &str) -> Result<Self> {
        let (code, factors) = reading::read(text).map_err(|refusal| refused(text, &refusal))?;
        let expression = octofhir_ucum::parse_expression(&code).ok();
        let ucum = expression
            .and_then(|expression| octofhir_ucum::evaluate(&expression).ok())
            .ok_or_else(|| refused(text, &Refusal::Unknown))?;
        Ok(Self(Arc::new(Meaning { kinds: kinds(&factors), exact: Ratio::of(&factors), code, ucum })))
    }

    /// The canonical UCUM code: `g/L`, `Cel`, `mmol/L`, `/min`, `%`, `{OD600}`, `10*6/mL`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// How people read it: `°C`, `µm`, `10⁶ cells/mL`, `%sat`.
    #[must_use]
    pub fn label(&self) -> String {
        if let Some(label) = floor::label(self.code()) {
            return label.to_owned();
        }
        if self.is_one() {
            return "1".to_owned();
        }
        reading::read(self.code()).map_or_else(|_| self.code().to_owned(), |(_, factors)| self.spell(&factors))
    }

    fn spell(&self, factors: &[Factor]) -> String {
        let below: Vec<&Factor> = factors.iter().filter(|f| f.power < 0 && f.symbol != "10*").collect();
        let mut above: Vec<String> =
            factors.iter().filter(|f| f.power >= 0 || f.symbol == "10*").map(|f| word(f, f.power)).collect();
        let per_volume = self.0.ucum.dim.0 == [-3, 0, 0, 0, 0, 0, 0];
        if per_volume && self.0.kinds.is_empty() && factors.iter().all(|f| f.symbol == "10*" || f.power < 0) {
            above.push("cells".into());
        }
        if above.is_empty() {
            return below.iter().map(|f| word(f, f.power)).collect::<Vec<_>>().join("·");
        }
        let glue = if above.last().is_some_and(|w| w == "cells") { " " } else { "·" };
        let mut out = above.join(glue);
        for factor in below {
            out.push('/');
            out.push_str(&word(factor, -factor.power));
        }
        out
    }

    /// Is it the number one, without any annotation?
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.code() == "1"
    }

    /// The unit with turns as bare counts: `{rev}/min` is `/min`. Annotations keep quantities apart, but whoever says
    /// `rpm` and whoever says `/min` of a stirrer mean the same.
    #[must_use]
    pub fn with_turns_counted(&self) -> Self {
        if !self.code().contains("{rev}") {
            return self.clone();
        }
        // `{rev}` alone is the number one.
        let code = self.code().replace("{rev}", "");
        Self::parse(if code.is_empty() { "1" } else { &code }).unwrap_or_else(|_| self.clone())
    }

    /// Do values of one unit convert into the other?
    #[must_use]
    pub fn commensurable(&self, other: &Self) -> bool {
        self == other || (self.0.ucum.is_commensurable(&other.0.ucum) && self.0.kinds == other.0.kinds)
    }

    /// A value of this unit in another unit; temperatures shift as well as scale.
    ///
    /// # Errors
    /// `E-UNIT-002` the units measure different things; `E-UNIT-003` one is a mass, the other an amount
    /// of substance (see [`crate::substance`]); `E-UNIT-004` the value has no counterpart.
    pub fn convert(&self, value: f64, to: &Self) -> Result<f64> {
        if self == to {
            return Ok(value);
        }
        if !self.commensurable(to) {
            return Err(self.incommensurable(to));
        }
        let (a, b) = (&self.0.ucum, &to.0.ucum);
        let converted = if a.special.is_none() && b.special.is_none() {
            // Decimal arithmetic of 28 digits, so that 136.229 mg/L is 0.136229 g/L.
            let exact = Number::from_f64(value).and_then(|v| v.checked_mul(a.factor)?.checked_div(b.factor));
            exact.map(Number::to_f64).filter(|v| v.is_finite() && (*v != 0.0 || value == 0.0))
        } else {
            octofhir_ucum::convert(value, self.code(), to.code()).ok()
        };
        converted.ok_or_else(|| {
            Error::input(
                "E-UNIT-004",
                format!("値 {value} {self} は {to} に換算できません"),
                format!("the value {value} {self} has no counterpart in {to}"),
            )
            .hint("有限の値で、単位の定義域の中にあるか確かめてください", "check that it is finite and in the domain of the unit")
        })
    }

    /// A decimal value of this unit, exactly, in another unit; `None` where the result has no finite
    /// decimal form or the factor itself is not exactly known.
    ///
    /// # Errors
    /// As [`Unit::convert`] for units that do not convert.
    pub fn convert_exact(&self, value: Decimal, to: &Self) -> Result<Option<Decimal>> {
        if self == to {
            return Ok(Some(value));
        }
        if !self.commensurable(to) {
            return Err(self.incommensurable(to));
        }
        let (a, b) = (&self.0.ucum, &to.0.ucum);
        if a.special.is_none() && b.special.is_none() {
            let ratio = self.0.exact.zip(to.0.exact).and_then(|(a, b)| a.by(b.inverse()));
            return Ok(ratio.and_then(|ratio| ratio.times(value)));
        }
        let (Some((shift_a, factor_a)), Some((shift_b, factor_b))) = (self.thermometer(), to.thermometer()) else {
            return Ok(None);
        };
        let minus_b = Decimal { mantissa: -shift_b.mantissa, ..shift_b };
        Ok(add(value, shift_a)
            .and_then(|kelvin| factor_a.times(kelvin))
            .and_then(|kelvin| factor_b.inverse().times(kelvin))
            .and_then(|out| add(out, minus_b)))
    }

    /// The unit of the product of a value in this unit and one in the other: `g/L` times `L` is `g`.
    ///
    /// # Errors
    /// `E-UNIT-006` one of them has no products, as `Cel` and `[pH]` have none.
    pub fn times(&self, other: &Self) -> Result<Self> {
        self.product(other, 1)
    }

    /// The unit of a quotient.
    ///
    /// # Errors
    /// As [`Self::times`].
    pub fn per(&self, other: &Self) -> Result<Self> {
        self.product(other, -1)
    }

    /// The unit of a whole power.
    ///
    /// # Errors
    /// As [`Self::times`].
    pub fn to_the(&self, power: i32) -> Result<Self> {
        Self::one().product(self, power)
    }

    /// The number one.
    #[must_use]
    pub fn one() -> Self {
        Self::parse("1").unwrap_or_else(|_| unreachable!("1 is a unit"))
    }

    fn product(&self, other: &Self, power: i32) -> Result<Self> {
        let refused = || {
            Error::input(
                "E-UNIT-006",
                format!("{self} と {other} の積や商の単位は作れません"),
                format!("there is no unit for a product or quotient of {self} and {other}"),
            )
            .hint(
                "差や比例の計算には K のような普通の単位を使ってください",
                "use an ordinary unit such as K where values are multiplied",
            )
        };
        let special = |unit: &Self| unit.0.ucum.special.is_some();
        if power == 0 || other.is_one() {
            return Ok(self.clone());
        }
        if special(self) || special(other) {
            return Err(refused());
        }
        let (_, mut factors) = reading::read(self.code()).map_err(|_| refused())?;
        let (_, others) = reading::read(other.code()).map_err(|_| refused())?;
        for mut factor in others {
            factor.power = factor.power.checked_mul(power).ok_or_else(refused)?;
            match factors.iter_mut().find(|f| f.symbol == factor.symbol && f.note == factor.note) {
                Some(same) => same.power = same.power.checked_add(factor.power).ok_or_else(refused)?,
                None => factors.push(factor),
            }
        }
        factors.retain(|f| f.power != 0 && !(f.symbol == "1" && f.note.is_none()));
        if factors.is_empty() {
            return Ok(Self::one());
        }
        Self::parse(&reading::write(&factors).ok_or_else(refused)?).map_err(|_| refused())
    }

    /// The named scale that this unit stands for.
    #[must_use]
    pub fn scale(&self) -> Option<Scale> {
        Scale::ALL.into_iter().find(|scale| scale.unit_code() == self.code())
    }

    /// Exponent of mass, and of amount of substance.
    pub(crate) fn mass_and_amount(&self) -> (i32, i32) {
        let amount = self.0.kinds.iter().find(|(kind, _)| kind == AMOUNT).map_or(0, |(_, power)| *power);
        (self.0.ucum.dim.0.get(MASS).copied().map_or(0, i32::from), amount)
    }

    /// This unit with one factor of `from` (such as `mol`) replaced by `to` (such as `g`).
    pub(crate) fn swapped(&self, from: &str, to: &str) -> Option<Self> {
        let (_, mut factors) = reading::read(self.code()).ok()?;
        let ends = |f: &Factor| lookup_unit(&f.symbol, Case::Sensitive).is_some_and(|(_, atom)| atom.code == from);
        // An annotation says that the mass is of something else, such as dry cells.
        let factor = factors.iter_mut().find(|f| f.power == 1 && f.note.is_none() && ends(f))?;
        let prefix = lookup_unit(&factor.symbol, Case::Sensitive).and_then(|(prefix, _)| prefix).map_or("", |p| p.symbol);
        factor.symbol = format!("{prefix}{to}");
        Self::parse(&reading::write(&factors)?).ok()
    }

    /// `(shift, factor)` such that `(value + shift) × factor` is kelvin.
    fn thermometer(&self) -> Option<(Decimal, Ratio)> {
        let zero = Decimal { mantissa: 0, scale: 0 };
        match &self.0.ucum.special {
            None => Some((zero, self.0.exact?)),
            Some(special) if special.scale != Number::ONE => None,
            Some(special) => match special.unit.special {
                SpecialKind::Celsius => Some((Decimal { mantissa: 27_315, scale: 2 }, Ratio::ONE)),
                SpecialKind::Fahrenheit => Some((Decimal { mantissa: 45_967, scale: 2 }, Ratio { above: 5, below: 9, tens: 0 })),
                _ => None,
            },
        }
    }

    fn incommensurable(&self, to: &Self) -> Error {
        let ((mass_a, amount_a), (mass_b, amount_b)) = (self.mass_and_amount(), to.mass_and_amount());
        if mass_a + amount_a == mass_b + amount_b && amount_a != amount_b {
            return Error::input(
                "E-UNIT-003",
                format!("{self} と {to} の間は、物質が決まらないと換算できません"),
                format!("{self} and {to} convert only for a named substance"),
            )
            .hint(
                "物質を指定してください（toji_core::substance がモル質量を使って換算します）",
                "name the substance: toji_core::substance converts with its molar mass",
            );
        }
        let error = Error::input(
            "E-UNIT-002",
            format!("{self} は {to} に換算できません（異なる量の単位です）"),
            format!("{self} does not convert to {to}: they measure different things"),
        );
        let flows = |unit: &Self| unit.0.kinds.iter().any(|(kind, _)| kind == "std" || kind == "norm");
        if self.scale().is_some() && to.scale().is_some() {
            error.hint(
                "名前付き目盛の間の換算は toji_core::scale を使ってください",
                "named scales convert through toji_core::scale, where that has a meaning",
            )
        } else if self.0.ucum.is_commensurable(&to.0.ucum) && (flows(self) || flows(to)) {
            error.hint(
                "標準状態・基準状態と実際の体積は、温度と圧力が分からないと換算できません",
                "standard, normal and actual volumes differ by temperature and pressure: state both",
            )
        } else {
            error.hint("量の種類が同じ単位を指定してください", "choose a unit of the same quantity")
        }
    }
}

/// The typed error for a text that is not a unit.
fn refused(text: &str, refusal: &Refusal) -> Error {
    let shown: String = text.chars().take(60).collect();
    match refusal {
        Refusal::Ambiguous => Error::input(
            "E-UNIT-005",
            format!("単位「{shown}」は二通りに読めます"),
            format!("the unit \"{shown}\" can be read in two ways"),
        )
        .hint("g/L/h や g/(L·h) のように書いてください", "write it like g/L/h or g/(L·h)"),
        Refusal::Unknown => {
            let error = Error::input(
                "E-UNIT-001",
                format!("単位「{shown}」が分かりません"),
                format!("the unit \"{shown}\" is not known"),
            );
            match floor::nearest(&shown).join(", ") {
                near if near.is_empty() => {
                    error.hint("UCUM の単位コードで指定してください（例: g/L）", "give a UCUM code, such as g/L")
                }
                near => error.hint(format!("近い単位: {near}"), format!("nearest known units: {near}")),
            }
        }
    }
}

/// Annotations, and the dimensions UCUM lacks, with exponents.
fn kinds(factors: &[Factor]) -> Vec<(String, i32)> {
    let mut out: Vec<(String, i32)> = Vec::new();
    for factor in factors {
        let atom = lookup_unit(&factor.symbol, Case::Sensitive).map_or("", |(_, atom)| atom.code);
        let kind = match atom {
            "mol" | "kat" | "U" | "[pH]" => Some(AMOUNT),
            "osm" => Some(OSMOLES),
            "eq" => Some(EQUIVALENTS),
            _ => None,
        };
        out.extend(kind.map(|kind| (kind.to_owned(), factor.power)));
        out.extend(factor.note.clone().map(|note| (note, factor.power.signum())));
    }
    out.sort_unstable();
    let mut merged: Vec<(String, i32)> = Vec::new();
    for (kind, power) in out {
        match merged.last_mut() {
            Some((last, sum)) if *last == kind => *sum = sum.saturating_add(power),
            _ => merged.push((kind, power)),
        }
    }
    merged.retain(|(_, power)| *power != 0);
    merged
}

/// One factor for people: `µm`, `m³`, `10⁶`, `g DCW`.
fn word(factor: &Factor, power: i32) -> String {
    let known = floor::label(&factor.symbol).map(str::to_owned);
    let symbol = known.unwrap_or_else(|| match factor.symbol.strip_prefix('u') {
        Some(rest) if !rest.is_empty() => format!("µ{rest}"),
        _ if factor.symbol == "10*" => "10".to_owned(),
        _ => factor.symbol.replace(['[', ']'], ""),
    });
    let raised: String = if power == 1 {
        String::new()
    } else {
        let raise = |c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            _ => c.to_digit(10).and_then(|d| char::from_u32('⁰' as u32 + d)).unwrap_or(c),
        };
        power.to_string().chars().map(raise).collect()
    };
    let note = match &factor.note {
        Some(note) if symbol.is_empty() => note.clone(),
        Some(note) => format!(" {note}"),
        None => String::new(),
    };
    format!("{symbol}{raised}{note}")
}

/// An exact factor `above / below × 10^tens` without common divisors.
#[derive(Clone, Copy)]
struct Ratio {
    above: i128,
    below: i128,
    tens: i32,
}

impl Ratio {
    const ONE: Self = Self { above: 1, below: 1, tens: 0 };

    /// A decimal number; `None` when it fills the digits and so is a rounded one (such as π, or psi).
    fn decimal(number: Number) -> Option<Self> {
        const DIGITS_EXACT_MAX: u32 = 24;
        let (above, tens) = number.to_integer_and_exponent();
        (above.checked_ilog10()? < DIGITS_EXACT_MAX).then_some(Self { above, below: 1, tens })
    }

    /// The size of some factors in base units. Their powers are at most `reading::POWER_MAX`.
    fn of(factors: &[Factor]) -> Option<Self> {
        factors.iter().try_fold(Self::ONE, |product, factor| {
            let size = if factor.symbol.is_empty() {
                Self::ONE
            } else if let Some((prefix, atom)) = lookup_unit(&factor.symbol, Case::Sensitive) {
                if atom.special.is_special() {
                    return None;
                }
                Self::decimal(atom.factor)?.by(prefix.map_or(Some(Self::ONE), |p| Self::decimal(p.factor))?)?
            } else {
                Self::decimal(Number::parse(&factor.symbol)?)?
            };
            let size = if factor.power < 0 { size.inverse() } else { size };
            (0..factor.power.unsigned_abs()).try_fold(product, |product, _| product.by(size))
        })
    }

    fn by(self, other: Self) -> Option<Self> {
        let (left, right) = (gcd(self.above, other.below), gcd(other.above, self.below));
        Some(Self {
            above: (self.above / left).checked_mul(other.above / right)?,
            below: (self.below / right).checked_mul(other.below / left)?,
            tens: self.tens.checked_add(other.tens)?,
        })
    }

    fn inverse(self) -> Self {
        Self { above: self.below, below: self.above, tens: -self.tens }
    }

    /// The exact product, if it has a finite decimal form that fits.
    fn times(self, value: Decimal) -> Option<Decimal> {
        let product = value.mantissa.checked_mul(self.above)?;
        let divisor = gcd(product, self.below);
        let (mut mantissa, mut below, mut scale) = (product / divisor, self.below / divisor, value.scale.checked_sub(self.tens)?);
        for (prime, partner) in [(2, 5), (5, 2)] {
            while below % prime == 0 {
                below /= prime;
                mantissa = mantissa.checked_mul(partner)?;
                scale = scale.checked_add(1)?;
            }
        }
        (below == 1 && scale.abs() <= 400).then_some(Decimal { mantissa, scale })
    }
}

/// Greatest common divisor, at least 1.
fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i128::try_from(a).unwrap_or(1).max(1)
}

/// The exact sum, if it fits.
fn add(a: Decimal, b: Decimal) -> Option<Decimal> {
    let scale = a.scale.max(b.scale);
    let at = |d: Decimal| {
        let power = u32::try_from(scale.checked_sub(d.scale)?).ok()?;
        d.mantissa.checked_mul(10i128.checked_pow(power)?)
    };
    Some(Decimal { mantissa: at(a)?.checked_add(at(b)?)?, scale })
}

impl PartialEq for Unit {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.code() == other.code()
    }
}
impl Eq for Unit {}
impl std::hash::Hash for Unit {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.code().hash(state);
    }
}
impl Ord for Unit {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}
impl PartialOrd for Unit {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unit({})", self.code())
    }
}
impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl std::str::FromStr for Unit {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}
impl Serialize for Unit {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}
impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
impl schemars::JsonSchema for Unit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Unit".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "description": "Unit as a UCUM code", "examples": ["g/L", "Cel", "{OD600}"]})
    }
}

/// A number with its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Quantity {
    /// The number.
    ///
    /// 数。
    pub value: f64,
    /// Its unit, UCUM.
    ///
    /// 単位（UCUM）。
    pub unit: Unit,
}

impl Quantity {
    /// A number with its unit.
    #[must_use]
    pub fn new(value: f64, unit: Unit) -> Self {
        Self { value, unit }
    }

    /// The same quantity in another unit.
    ///
    /// # Errors
    /// As [`Unit::convert`].
    pub fn to(&self, unit: &Unit) -> Result<Self> {
        Ok(Self { value: self.unit.convert(self.value, unit)?, unit: unit.clone() })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unit.is_one() { write!(f, "{}", self.value) } else { write!(f, "{} {}", self.value, self.unit.label()) }
    }
}

#[cfg(test)]
mod tests;
