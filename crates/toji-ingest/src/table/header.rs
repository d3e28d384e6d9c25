//! A header taken apart: name, unit, and what else it says (zone of a clock, set-point or output).

use super::words::plain;
use toji_core::clock::{Zone, ZoneEvidence};
use toji_core::culture::Origin;
use toji_core::value::fold_width;
use toji_core::{Unit, variable};

/// Where in the header a unit was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnitFrom {
    /// In brackets: somebody wrote a unit.
    Brackets,
    /// The end of the name looks like one (`glucose_g_L`, `Temp °C`).
    Suffix,
    /// The name is the unit (`OD600`, `日本酒度`).
    Name,
    /// The line of units under the header.
    UnitRow,
}

/// A header taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    /// The name without the unit.
    pub(super) name: String,
    /// Unit as written.
    pub(super) raw_unit: Option<String>,
    /// Unit understood.
    pub(super) unit: Option<Unit>,
    /// Where the unit stood.
    pub(super) from: Option<UnitFrom>,
    /// Zone the header states: `Time (UTC)`.
    pub(super) zone: Option<String>,
}

/// Takes a header apart.
pub(super) fn split(header: &str) -> Header {
    let text = fold_width(header).trim().to_owned();
    let whole = |name: &str| Header { name: name.trim().to_owned(), raw_unit: None, unit: None, from: None, zone: None };
    if let Some(found) = brackets(&text) {
        return found;
    }
    suffix(&text).or_else(|| name_is_unit(&text)).unwrap_or_else(|| whole(&text))
}

/// Control words in brackets that UCUM would read as petavolts and the like.
const NOT_UNITS: [&str; 8] = ["PV", "SP", "MV", "CV", "OP", "OUT", "Act", "Set"];

fn brackets(text: &str) -> Option<Header> {
    let mut unknown = None;
    for (open, close) in [('[', ']'), ('(', ')'), ('<', '>')] {
        let Some(start) = text.find(open) else { continue };
        let rest = text.get(start..)?;
        let inside = rest.strip_prefix(open)?;
        let inside = inside.rfind(close).and_then(|end| inside.get(..end)).unwrap_or(inside).trim();
        let after = text.rfind(close).and_then(|at| text.get(at + close.len_utf8()..)).unwrap_or("").trim();
        let name = text.get(..start)?.trim();
        if let Some(zone) = zone_named(inside) {
            return Some(Header { name: name.into(), raw_unit: None, unit: None, from: None, zone: Some(zone) });
        }
        // "Viable (x10^6) cells/mL": the unit goes on after the bracket.
        let spread = rest.replace([open, close], " ");
        for candidate in [inside, spread.trim()] {
            if !after.is_empty() && candidate == inside {
                continue;
            }
            if !candidate.is_empty()
                && !NOT_UNITS.contains(&candidate)
                && let Ok(unit) = Unit::parse(candidate)
            {
                let name = if name.is_empty() { text } else { name };
                return Some(Header {
                    name: name.into(),
                    raw_unit: Some(candidate.into()),
                    unit: Some(unit),
                    from: Some(UnitFrom::Brackets),
                    zone: None,
                });
            }
        }
        if after.is_empty()
            && !name.is_empty()
            && !inside.is_empty()
            && !NOT_UNITS.contains(&inside)
            && inside.chars().count() <= 16
            && unknown.is_none()
        {
            unknown = Some(Header {
                name: text.into(),
                raw_unit: Some(inside.into()),
                unit: None,
                from: Some(UnitFrom::Brackets),
                zone: None,
            });
        }
    }
    unknown
}

fn zone_named(text: &str) -> Option<String> {
    let upper = text.to_uppercase();
    let offset = match upper.as_str() {
        "UTC" | "GMT" | "Z" => return Some("UTC".into()),
        "JST" | "日本時間" => "+09:00".to_owned(),
        _ => match upper.strip_prefix("UTC").or_else(|| upper.strip_prefix("GMT")) {
            Some(rest) => rest.trim().to_owned(),
            None if text.contains('/') && text.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '_')) => {
                text.to_owned()
            }
            None => return None,
        },
    };
    Zone::named(&offset, ZoneEvidence::File).ok().map(|_| offset)
}

/// A zone as a file may state it: a name, an offset, `JST`, `UTC+9`.
pub(super) fn zone(text: &str) -> Option<String> {
    let text = text.trim();
    zone_named(text).or_else(|| Zone::named(text, ZoneEvidence::File).ok().map(|_| text.to_owned()))
}

fn suffix(text: &str) -> Option<Header> {
    let found = |name: &str, raw: &str, unit: Unit| Header {
        name: name.trim_end_matches([' ', ',', ':', '_', '-', '.', '/']).to_owned(),
        raw_unit: Some(raw.to_owned()),
        unit: Some(unit),
        from: Some(UnitFrom::Suffix),
        zone: None,
    };
    if let Some((name, last)) = text.rsplit_once([' ', ','])
        && (last.contains(['/', '%', '°', '℃'])
            || matches!(last, "rpm" | "mM" | "slpm" | "h" | "hrs" | "min" | "vvm" | "bar" | "C"))
        && !name.trim().is_empty()
        && let Ok(unit) = Unit::parse(last)
        && !unit.is_one()
    {
        return Some(found(name, last, unit));
    }
    if let Some((at, sign)) = text.char_indices().skip(1).find(|(_, c)| matches!(c, '℃' | '°' | '%'))
        && at + sign.len_utf8() >= text.trim_end_matches(['C', 'F']).len()
        && let Some(name) = text.get(..at)
        && let Some(last) = text.get(at..)
        && let Ok(unit) = Unit::parse(last)
    {
        return Some(found(name, last, unit));
    }
    let parts: Vec<&str> = text.split('_').collect();
    for take in (1..=3usize).rev() {
        let Some(split) = parts.len().checked_sub(take).filter(|n| *n > 0) else { continue };
        let (name, tail) = (parts.get(..split)?, parts.get(split..)?);
        if tail.iter().any(|t| t.is_empty() || t.bytes().all(|b| b.is_ascii_digit())) {
            continue;
        }
        let words: Vec<&str> = tail.iter().copied().filter(|t| !t.eq_ignore_ascii_case("per")).collect();
        let raw = words.join("/");
        let name = name.join("_");
        if let Ok(unit) = Unit::parse(&raw)
            && !unit.is_one()
            && suffix_fits(&name, &raw, &unit)
        {
            return Some(found(&name, &raw, unit));
        }
    }
    None
}

/// A single letter at the end of a name is a unit only where it fits what the name means.
fn suffix_fits(name: &str, raw: &str, unit: &Unit) -> bool {
    if raw.chars().count() > 2 || raw.contains('/') {
        return true;
    }
    if super::words::fit(super::Role::Time, name).is_some() {
        return super::TimeUnit::of(unit).is_some();
    }
    variable::find(name).is_some_and(|(v, _)| super::columns::unit_fits(v, unit) || super::words::derived(name))
        || super::words::derived(name)
}

fn name_is_unit(text: &str) -> Option<Header> {
    const SCALES: [&str; 9] = ["[pH]", "{OD600}", "{OD}", "{SMV}", "{Be}", "{Brix}", "{Plato}", "{rev}/min", "[CFU]"];
    let first = |t: &str| Unit::parse(t).ok().filter(|u| SCALES.contains(&u.code()));
    let unit = first(text).or_else(|| {
        // "Vessel 1 / pH", "pH.PV": one of the words is the name of a scale.
        let (v, word) = variable::find(text)?;
        matches!(v.id.as_str(), "ph" | "baume" | "nihonshudo" | "brix" | "plato").then(|| first(word).or_else(|| first(&v.id)))?
    })?;
    Some(Header { name: text.to_owned(), raw_unit: None, unit: Some(unit), from: Some(UnitFrom::Name), zone: None })
}

/// Set-point, output or measured value, by the words of the name.
pub(super) fn origin(name: &str) -> Origin {
    let plain = plain(name);
    let has = |words: &[&str]| words.iter().any(|w| plain.split(' ').any(|t| t == *w) || (!w.is_ascii() && plain.contains(w)));
    if has(&["sp", "setpoint", "set", "target", "設定", "設定値", "目標"]) || plain.contains("set point") {
        Origin::Setpoint
    } else if has(&["out", "output", "pump", "valve", "出力", "弁開度"]) {
        Origin::Actuator
    } else if has(&["pv", "act", "measured", "実測", "現在値"]) {
        Origin::Sensor
    } else {
        Origin::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, name: &str, unit: Option<&str>) {
        let split = split(header);
        assert_eq!((split.name.as_str(), split.unit.as_ref().map(Unit::code)), (name, unit), "{header}");
    }

    #[test]
    fn headers_with_units() {
        check("Temperature (°C)", "Temperature", Some("Cel"));
        check("品温（℃）", "品温", Some("Cel"));
        check("DO [%]", "DO", Some("%"));
        check("Viable (x10^6) cells/mL", "Viable", Some("10*6/mL"));
        check("D-glucose [g/L]", "D-glucose", Some("g/L"));
        check("glucose_g_L", "glucose", Some("g/L"));
        check("glucose_mg_per_L", "glucose", Some("mg/L"));
        check("temp_C", "temp", Some("Cel"));
        check("time_h", "time", Some("h"));
        check("DO_mg_L", "DO", Some("mg/L"));
        check("glucose_molar", "glucose", Some("mol/L"));
        check("Time (hrs)", "Time", Some("h"));
        check("OD600", "OD600", Some("{OD600}"));
        check("pH", "pH", Some("[pH]"));
        check("日本酒度", "日本酒度", Some("{SMV}"));
        check("CDW_1 [g/L]", "CDW_1", Some("g/L"));
        check("phase_A", "phase_A", None);
        check("batch_end", "batch_end", None);
        check("Total (PV)", "Total (PV)", None);
        check("Timepoint (#)", "Timepoint", Some("{count}"));
    }

    #[test]
    fn zones_in_headers() {
        assert_eq!(split("Time (UTC)").zone.as_deref(), Some("UTC"));
        assert_eq!(split("時刻（JST）").zone.as_deref(), Some("+09:00"));
        assert_eq!(split("Timestamp [UTC+9]").zone.as_deref(), Some("+9"));
        assert_eq!(split("Time (Europe/Berlin)").zone.as_deref(), Some("Europe/Berlin"));
        assert_eq!(split("Glucose (g/L)").zone, None);
    }
}
