//! Units: SBML's products of base units as UCUM codes.

use super::Metadata;
use super::model::{Model, UnitFactor};
use toji_core::Unit;

/// SBML's name, UCUM's code.
pub(super) const KINDS: [(&str, &str); 34] = [
    ("ampere", "A"),
    ("becquerel", "Bq"),
    ("candela", "cd"),
    ("coulomb", "C"),
    ("dimensionless", "1"),
    ("farad", "F"),
    ("gram", "g"),
    ("gray", "Gy"),
    ("henry", "H"),
    ("hertz", "Hz"),
    ("item", "1"),
    ("joule", "J"),
    ("katal", "kat"),
    ("kelvin", "K"),
    ("kilogram", "kg"),
    ("litre", "L"),
    ("liter", "L"),
    ("lumen", "lm"),
    ("lux", "lx"),
    ("metre", "m"),
    ("meter", "m"),
    ("mole", "mol"),
    ("newton", "N"),
    ("ohm", "Ohm"),
    ("pascal", "Pa"),
    ("radian", "rad"),
    ("second", "s"),
    ("siemens", "S"),
    ("sievert", "Sv"),
    ("steradian", "sr"),
    ("tesla", "T"),
    ("volt", "V"),
    ("watt", "W"),
    ("weber", "Wb"),
];

/// Prefixes by power of ten.
pub(super) const PREFIXES: [(i32, &str); 9] =
    [(-15, "f"), (-12, "p"), (-9, "n"), (-6, "u"), (-3, "m"), (-2, "c"), (-1, "d"), (3, "k"), (6, "M")];

/// Names of time that UCUM has, in seconds.
pub(super) const TIMES: [(f64, &str); 3] = [(60.0, "min"), (3600.0, "h"), (86400.0, "d")];

/// Most repetitions of a factor.
const POWER_MAX: u32 = 6;

/// A number as digits and a power of ten, which is how UCUM takes it.
fn decimal(value: f64) -> Option<(String, i32)> {
    let written = format!("{value:e}");
    let (mantissa, exponent) = written.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (digits, shift) = (format!("{whole}{fraction}"), i32::try_from(fraction.len()).ok()?);
    digits.bytes().all(|b| b.is_ascii_digit()).then_some((digits, exponent - shift))
}

/// (multiplier × 10^scale × kind)^exponent.
fn factor(unit: &UnitFactor, into: &mut String) -> Option<()> {
    let exponent =
        (unit.exponent.fract() == 0.0 && unit.exponent.abs() <= f64::from(POWER_MAX)).then_some(unit.exponent as i32)?;
    let kind = if unit.kind == "avogadro" { "mol" } else { KINDS.iter().find(|(k, _)| *k == unit.kind)?.1 };
    if exponent == 0 || unit.kind == "avogadro" {
        return (exponent == 0).then_some(());
    }
    let (operator, times) = (if exponent < 0 { '/' } else { '.' }, exponent.unsigned_abs());
    let power = if times == 1 { String::new() } else { times.to_string() };
    if unit.scale == 0
        && unit.kind == "second"
        && let Some((_, code)) = TIMES.iter().find(|(seconds, _)| *seconds == unit.multiplier)
    {
        into.push_str(&format!("{operator}{code}{power}"));
        return Some(());
    }
    let (digits, mut ten) = if unit.multiplier == 1.0 { ("1".to_owned(), 0) } else { decimal(unit.multiplier)? };
    ten += unit.scale;
    let prefix = PREFIXES.iter().find(|(power, _)| *power == ten && !matches!(kind, "1" | "kg")).map(|(_, prefix)| *prefix);
    if digits != "1" {
        for _ in 0..times {
            into.push_str(&format!("{operator}{digits}"));
        }
    }
    if ten != 0 && prefix.is_none() {
        for _ in 0..times {
            into.push_str(&format!("{operator}10*{ten}"));
        }
    }
    if kind != "1" {
        into.push_str(&format!("{operator}{}{kind}{power}", prefix.unwrap_or_default()));
    }
    Some(())
}

/// The UCUM code of a product; `None` where UCUM has none.
fn code(units: &[UnitFactor]) -> Option<String> {
    let mut text = String::new();
    for unit in units {
        factor(unit, &mut text)?;
    }
    let text = match text.strip_prefix('.') {
        Some(rest) => rest.to_owned(),
        None if text.is_empty() => "1".to_owned(),
        None => text,
    };
    Unit::parse(&text).ok().map(|_| text)
}

/// The code of a unit by the name the model uses.
fn named(model: &Model, name: &str) -> Option<String> {
    if let Some(definition) = model.unit_definitions.iter().find(|d| &*d.id == name) {
        return code(&definition.units);
    }
    if let Some((_, code)) = KINDS.iter().find(|(kind, _)| *kind == name) {
        return Some((*code).to_owned());
    }
    // What level 2 means where it says nothing.
    let standard = match name {
        "substance" => "mol",
        "volume" => "L",
        "area" => "m2",
        "length" => "m",
        "time" => "s",
        _ => return None,
    };
    (model.level == 2).then(|| standard.to_owned())
}

/// What a definition does not say of the model.
pub(super) fn metadata(model: &Model) -> Metadata {
    let of = |what: &str| model.units.iter().find(|(of, _)| *of == what).map(|(_, unit)| unit.as_str());
    let standard = |what: &'static str| of(what).or((model.level == 2).then_some(what));
    let mut metadata = Metadata {
        id: model.id.clone(),
        name: model.name.clone(),
        time_unit: standard("time").and_then(|name| named(model, name)),
        ..Metadata::default()
    };
    let mut note = |name: &std::sync::Arc<str>, code: Option<String>| {
        metadata.units.extend(code.map(|code| (name.clone(), code)));
    };
    let size = |id: &str| {
        let compartment = model.compartments.iter().find(|c| &*c.id == id)?;
        let standard = match compartment.dimensions {
            3.0 => standard("volume"),
            2.0 => standard("area"),
            1.0 => standard("length"),
            _ => None,
        };
        named(model, compartment.units.as_deref().or(standard)?)
    };
    for compartment in &model.compartments {
        note(&compartment.id, size(&compartment.id));
    }
    for species in &model.species {
        let amount = species.units.as_deref().or(standard("substance")).and_then(|unit| named(model, unit));
        if species.is_concentration(model) {
            let ratio = amount.as_ref().zip(size(&species.compartment)).and_then(|(n, v)| ratio(n, &v));
            note(&species.id, ratio);
        }
        if let Some(name) = model.amount_of(&species.id) {
            note(&name, amount);
        }
    }
    for parameter in &model.parameters {
        note(&parameter.id, parameter.units.as_deref().and_then(|unit| named(model, unit)));
    }
    for reaction in &model.reactions {
        for parameter in &reaction.parameters {
            let name = super::lower::local(&reaction.id, &parameter.id);
            note(&name, parameter.units.as_deref().and_then(|unit| named(model, unit)));
        }
    }
    metadata
}

/// The unit of a concentration.
fn ratio(amount: &str, size: &str) -> Option<String> {
    let plain = size.bytes().all(|b| b.is_ascii_alphanumeric());
    let text = if plain { format!("{amount}/{size}") } else { format!("({amount})/({size})") };
    Unit::parse(&text).ok().map(|_| text)
}

/// The power that stands at the end of a term.
fn power(term: &str) -> Option<(&str, i32)> {
    let symbol = term.trim_end_matches(|c: char| c.is_ascii_digit());
    let symbol = symbol.strip_suffix(['-', '+']).unwrap_or(symbol);
    let exponent = &term[symbol.len()..];
    let exponent = if exponent.is_empty() { 1 } else { exponent.parse().ok()? };
    (!symbol.is_empty()).then_some((symbol, exponent))
}

/// One term of a UCUM code.
fn term(term: &str, sign: i32) -> Option<UnitFactor> {
    let of = |kind: &str, exponent: i32, scale: i32, multiplier: f64| {
        Some(UnitFactor { kind: kind.to_owned(), exponent: f64::from(exponent), scale, multiplier })
    };
    if let Some(power) = term.strip_prefix("10*").or_else(|| term.strip_prefix("10^")) {
        return of("dimensionless", sign, power.parse().ok()?, 1.0);
    }
    if term.bytes().all(|b| b.is_ascii_digit()) {
        return of("dimensionless", sign, 0, term.parse().ok()?);
    }
    if term == "%" {
        return of("dimensionless", sign, -2, 1.0);
    }
    let (symbol, exponent) = power(term)?;
    let exponent = exponent.checked_mul(sign)?;
    if let Some((seconds, _)) = TIMES.iter().find(|(_, code)| *code == symbol) {
        return of("second", exponent, 0, *seconds);
    }
    // UCUM has both l and L.
    let base = |symbol: &str| {
        let code = if symbol == "l" { "L" } else { symbol };
        KINDS.iter().find(|(_, own)| *own == code && code != "1").map(|(kind, _)| *kind)
    };
    if let Some(kind) = base(symbol) {
        return of(kind, exponent, 0, 1.0);
    }
    let (ten, kind) = PREFIXES.iter().find_map(|(ten, prefix)| Some((*ten, base(symbol.strip_prefix(prefix)?)?)))?;
    of(kind, exponent, ten, 1.0)
}

/// A UCUM code as SBML's product of base units; `None` where SBML cannot say it.
pub(super) fn factors(ucum: &str) -> Option<Vec<UnitFactor>> {
    // Annotations such as {cells} count nothing.
    let mut bare = String::new();
    let mut braces = 0_u32;
    for c in ucum.chars() {
        match c {
            '{' => braces += 1,
            '}' => braces = braces.checked_sub(1)?,
            _ if braces == 0 => bare.push(c),
            _ => {}
        }
    }
    let mut factors = Vec::new();
    for (i, group) in bare.split('/').enumerate() {
        for (j, word) in group.split('.').enumerate() {
            if word.is_empty() && (group.is_empty() || bare.len() < ucum.len()) {
                continue;
            }
            factors.push(term(word, if i > 0 && j == 0 { -1 } else { 1 })?);
        }
    }
    if factors.is_empty() {
        factors.push(UnitFactor { kind: "dimensionless".into(), exponent: 1.0, scale: 0, multiplier: 1.0 });
    }
    // Only what means the same again is given away.
    let (wanted, own) = (Unit::parse(ucum).ok()?, Unit::parse(&code(&factors)?).ok()?);
    let one = own.convert(1.0, &wanted).ok()?;
    ((one - 1.0).abs() < 1e-12).then_some(factors)
}
