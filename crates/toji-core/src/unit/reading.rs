//! From text to a canonical UCUM code.
//!
//! Order of readings: an exact spelling of the floor; UCUM itself; a loose spelling; last, the text
//! taken apart at `/`, spaces and dots, each part read in the same way (`x10^6 cells / mL`,
//! `µmol m⁻² s⁻¹`). The result is written in one way only: litres as `L`, `/h` for `h-1` and `1/h`.

use super::floor;
use octofhir_ucum::{Case, UnitExpr, lookup_unit, parse_expression};
use unicode_normalization::UnicodeNormalization as _;

/// Longest text that is read as a unit, in bytes.
const TEXT_BYTES_MAX: usize = 96;

/// Largest power of a factor: a limit far above any unit in use.
pub(super) const POWER_MAX: u32 = 99;

/// One factor of a unit: a UCUM symbol (empty for a bare annotation), its power and annotation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Factor {
    pub(super) symbol: String,
    pub(super) power: i32,
    pub(super) note: Option<String>,
}

/// Why a text is not a unit.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// Not known.
    Unknown,
    /// It can be read in two ways, such as `g/L h`.
    Ambiguous,
}

/// One spelling for each character people write in several ways; white space reduced to single
/// spaces, none beside `/`. Superscripts become `^` and digits before NFKC would make 10⁶ into 106.
pub(super) fn tidy(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut raised = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let digit = match c {
            '⁰' if matches!(chars.peek(), Some('C' | 'F' | 'Ｃ')) => None,
            '⁰' => Some('0'),
            '¹' => Some('1'),
            '²' => Some('2'),
            '³' => Some('3'),
            '⁴'..='⁹' => char::from_digit(c as u32 - '⁰' as u32, 10),
            '⁻' => Some('-'),
            '⁺' => Some('+'),
            _ => None,
        };
        if let Some(digit) = digit {
            if !raised {
                plain.push('^');
            }
            plain.push(digit);
        } else {
            plain.push(match c {
                '⁰' | '˚' | 'º' | 'ᵒ' => '°',
                '−' | '–' | '—' | '‐' | '‑' | '‒' => '-',
                '⋅' | '∙' | '•' | '・' | '‧' | '･' => '·',
                '∕' | '⁄' | '÷' => '/',
                '×' | '✕' => 'x',
                other => other,
            });
        }
        raised = digit.is_some();
    }
    let mut out = String::with_capacity(plain.len());
    for c in plain.nfkc() {
        match c {
            'μ' => out.push('u'),
            'Ω' => out.push_str("Ohm"),
            '\u{200b}' | '\u{feff}' => {}
            c if c.is_whitespace() => {
                if !out.is_empty() && !out.ends_with([' ', '/']) {
                    out.push(' ');
                }
            }
            '/' => {
                out.truncate(out.trim_end().len());
                out.push('/');
            }
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out.replace("**", "^").replace("x 10", "x10").replace("(x10^6)", "x10^6")
}

/// The canonical code of a text and its factors.
pub(super) fn read(text: &str) -> Result<(String, Vec<Factor>), Refusal> {
    // µ alone is a growth rate or a prefix, not the dalton that its look-alike `u` is.
    if text.len() > TEXT_BYTES_MAX || matches!(text.trim(), "µ" | "μ") {
        return Err(Refusal::Unknown);
    }
    let tidied = tidy(text);
    let factors = match whole(text, &tidied) {
        Ok(factors) => factors,
        Err(refusal) => match bracketed(&tidied) {
            Some(inner) => whole(inner, inner)?,
            None => return Err(refusal),
        },
    };
    let factors = canonical(factors);
    if factors.iter().any(|f| f.power.unsigned_abs() > POWER_MAX) {
        return Err(Refusal::Unknown);
    }
    let code = write(&factors).ok_or(Refusal::Unknown)?;
    // A code that the floor spells for something else would not read back as itself.
    match floor::exact(&code) {
        Some(other) if other != code => {
            let factors = canonical(ucum(other).ok_or(Refusal::Unknown)?);
            Ok((write(&factors).ok_or(Refusal::Unknown)?, factors))
        }
        _ => Ok((code, factors)),
    }
}

/// The inside of a text that one pair of brackets encloses, as in a header's `[g/L]`.
fn bracketed(tidied: &str) -> Option<&str> {
    let pair = |open, close| tidied.strip_prefix(open)?.strip_suffix(close);
    let inner = pair('[', ']').or_else(|| pair('(', ')'))?.trim();
    (!inner.is_empty() && !inner.contains(['[', ']', '(', ')'])).then_some(inner)
}

fn whole(text: &str, tidied: &str) -> Result<Vec<Factor>, Refusal> {
    let key = floor::key(tidied);
    if let Some(code) = floor::exact(&key) {
        return ucum(code).ok_or(Refusal::Unknown);
    }
    // Taken as it stands first, so that annotations keep their characters.
    if let Some(factors) = ucum(text.trim()) {
        return Ok(factors);
    }
    if let Some(code) = floor::loose(&key) {
        return ucum(code).ok_or(Refusal::Unknown);
    }
    let dotted_below = tidied.split_once('/').is_some_and(|(_, below)| below.contains('·'));
    if !dotted_below && let Some(factors) = ucum(&unraised(tidied)) {
        return Ok(factors);
    }
    compound(tidied)
}

/// UCUM writes exponents without `^`, powers of ten as `10*6` and products with `.`.
fn unraised(text: &str) -> String {
    text.replace("10^", "10*").replace('^', "").replace('·', ".")
}

/// Reads a UCUM expression whose meaning is sound.
fn ucum(code: &str) -> Option<Vec<Factor>> {
    let expression = parse_expression(code).ok()?;
    octofhir_ucum::evaluate(&expression).ok()?;
    let mut out = Vec::new();
    flatten(&expression, 1, &mut out)?;
    Some(out)
}

fn flatten(expression: &UnitExpr, sign: i32, out: &mut Vec<Factor>) -> Option<()> {
    let mut push = |symbol: String, power, note| out.push(Factor { symbol, power, note });
    match expression {
        UnitExpr::Symbol(symbol) => push(one_spelling(symbol), sign, None),
        UnitExpr::Numeric(number) => {
            let text = UnitExpr::Numeric(*number).to_string();
            // A number so large that it is written as a product has no single factor.
            if !text.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            push(if text == "1" { String::new() } else { text }, sign, None);
        }
        UnitExpr::Power(base, power) => flatten(base, sign.checked_mul(*power)?, out)?,
        UnitExpr::Annotation(note) => push(String::new(), sign, Some(note.clone())),
        UnitExpr::Annotated(inner, note) => {
            flatten(inner, sign, out)?;
            out.last_mut()?.note = Some(note.clone());
        }
        UnitExpr::Product(terms) => terms.iter().try_for_each(|term| flatten(term, sign, out))?,
        UnitExpr::Quotient(above, below) => {
            flatten(above, sign, out)?;
            flatten(below, sign.checked_neg()?, out)?;
        }
        UnitExpr::Reciprocal(inner) => flatten(inner, sign.checked_neg()?, out)?,
    }
    Some(())
}

/// UCUM has several symbols for one unit: litre `l` and `L`, ten `10^` and `10*`, `[iU]` and `[IU]`.
fn one_spelling(symbol: &str) -> String {
    match lookup_unit(symbol, Case::Sensitive) {
        Some((prefix, atom)) => {
            let prefix = prefix.map_or("", |p| p.symbol);
            let atom = match atom.code {
                "l" => "L",
                "10^" => "10*",
                "[iU]" => "[IU]",
                other => other,
            };
            format!("{prefix}{atom}")
        }
        None => symbol.to_owned(),
    }
}

/// A text taken apart at `/`, then at spaces and dots.
fn compound(tidied: &str) -> Result<Vec<Factor>, Refusal> {
    let mut out: Vec<Factor> = Vec::new();
    for (index, segment) in tidied.split('/').enumerate() {
        let (sign, first) = if index == 0 { (1, true) } else { (-1, false) };
        if segment.is_empty() && first && tidied.len() > 1 {
            continue;
        }
        let enclosed = segment.strip_prefix('(').and_then(|s| s.strip_suffix(')'));
        let segment = enclosed.unwrap_or(segment);
        if let Some(factors) = part(segment) {
            out.extend(factors.into_iter().map(|f| Factor { power: f.power * sign, ..f }));
            continue;
        }
        let tokens: Vec<&str> = segment.split([' ', '·', '.', '*']).filter(|t| !t.is_empty()).collect();
        if tokens.is_empty() {
            return Err(Refusal::Unknown);
        }
        for (place, token) in tokens.iter().enumerate() {
            if let (Some(note), Some(last)) = (noun(token), out.last_mut()) {
                last.note = Some(note.to_owned());
                continue;
            }
            let factors = part(token).ok_or(Refusal::Unknown)?;
            // `g/L h` may mean g/(L·h) or (g/L)·h; `µmol/L h-1` says which.
            if !first && place > 0 && enclosed.is_none() {
                if factors.iter().any(|f| f.power >= 0 && f.note.as_deref() != Some("cell")) {
                    return Err(Refusal::Ambiguous);
                }
                out.extend(factors);
                continue;
            }
            out.extend(factors.into_iter().map(|f| Factor { power: f.power * sign, ..f }));
        }
    }
    // A difference of temperatures, not a temperature, stands in a product: °C/min is K/min.
    if out.len() > 1 {
        for factor in &mut out {
            match factor.symbol.as_str() {
                "Cel" => "K".clone_into(&mut factor.symbol),
                "[degF]" => "[degR]".clone_into(&mut factor.symbol),
                _ => {}
            }
        }
    }
    if out.is_empty() { Err(Refusal::Unknown) } else { Ok(out) }
}

/// Words that say of what a mass is, and are kept as an annotation.
fn noun(token: &str) -> Option<&'static str> {
    match token.to_lowercase().as_str() {
        "dcw" | "cdw" | "dw" | "乾燥菌体" => Some("DCW"),
        "wcw" | "湿菌体" => Some("WCW"),
        _ => None,
    }
}

/// One part: a spelling, a UCUM symbol, or either with an exponent or a leading power of ten.
fn part(token: &str) -> Option<Vec<Factor>> {
    let name = |text: &str| {
        let key = floor::key(text);
        let known = floor::exact(&key).or_else(|| (!key.is_empty()).then(|| floor::loose(&key)).flatten());
        // A symbol of UCUM wins over a loose spelling, never over an exact one.
        let symbol = if text.contains(['.', '·']) { None } else { ucum(&unraised(text)) };
        match (floor::exact(&key), symbol) {
            (Some(code), _) => ucum(code),
            (None, Some(factors)) => Some(factors),
            (None, None) => known.and_then(ucum),
        }
    };
    if let Some(factors) = name(token) {
        return Some(factors);
    }
    if let Some((power, rest)) = power_of_ten(token) {
        let mut out = vec![Factor { symbol: "10*".into(), power, note: None }];
        if !rest.is_empty() {
            out.extend(part(rest)?);
        }
        return Some(out);
    }
    let digits = token.len() - token.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (base, exponent) = token.split_at_checked(token.len() - digits)?;
    let (base, negative) = match base.strip_suffix('-') {
        Some(base) => (base, true),
        None => (base, false),
    };
    let power: i32 = exponent.parse().ok().filter(|p| (1..=9).contains(p))?;
    let power = if negative { -power } else { power };
    let factors = name(base.trim_end_matches('^'))?;
    Some(factors.into_iter().map(|f| Factor { power: f.power * power, ..f }).collect())
}

/// `x10^6`, `10*6`, `1e6`, `e6`: the exponent and what follows.
fn power_of_ten(token: &str) -> Option<(i32, &str)> {
    let token = token.strip_prefix(['x', 'X']).unwrap_or(token);
    let rest = ["10^", "10*", "1e", "1E", "e", "E"].iter().find_map(|lead| token.strip_prefix(lead))?;
    let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    let digits = unsigned.len() - unsigned.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, tail) = rest.split_at_checked(rest.len() - unsigned.len() + digits)?;
    let power: i32 = number.trim_start_matches('+').parse().ok()?;
    (power.abs() <= 30).then_some((power, tail.trim_start()))
}

/// Drops ones, and the word "cells" where a volume or mass says that it is a concentration.
fn canonical(mut factors: Vec<Factor>) -> Vec<Factor> {
    let is_number = |symbol: &str| symbol == "10*" || symbol.bytes().all(|b| b.is_ascii_digit());
    if factors.iter().any(|f| !is_number(&f.symbol)) {
        for factor in &mut factors {
            if matches!(factor.note.as_deref(), Some("cell" | "cells")) {
                factor.note = None;
            }
        }
    }
    for factor in &mut factors {
        if factor.note.as_deref() == Some("cells") {
            factor.note = Some("cell".into());
        }
    }
    factors.retain(|f| f.note.is_some() || (!f.symbol.is_empty() && f.power != 0));
    factors
}

/// The code of some factors, those above the line first. `None` where UCUM has no way to write it.
pub(super) fn write(factors: &[Factor]) -> Option<String> {
    let one = |factor: &Factor| -> Option<String> {
        let power = factor.power.checked_abs()?;
        let plain = factor.symbol.is_empty() || factor.symbol.bytes().all(|b| b.is_ascii_digit());
        if plain && power != 1 {
            return None;
        }
        // 10* and its exponent: `10*-3` above the line is not `/10*3`, but means the same.
        let power = if power == 1 { String::new() } else { power.to_string() };
        let note = factor.note.as_ref().map_or(String::new(), |note| format!("{{{note}}}"));
        Some(format!("{}{power}{note}", factor.symbol))
    };
    let ten = |factor: &&Factor| factor.symbol == "10*";
    let mut above = Vec::new();
    for factor in factors.iter().filter(|f| f.power >= 0 || ten(f)) {
        if ten(&factor) && factor.power != 1 {
            let note = factor.note.as_ref().map_or(String::new(), |note| format!("{{{note}}}"));
            above.push(format!("10*{}{note}", factor.power));
        } else {
            above.push(one(factor)?);
        }
    }
    let mut code = above.join(".");
    for factor in factors.iter().filter(|f| f.power < 0 && !ten(f)) {
        code.push('/');
        code.push_str(&one(factor)?);
    }
    Some(if code.is_empty() { "1".into() } else { code })
}
