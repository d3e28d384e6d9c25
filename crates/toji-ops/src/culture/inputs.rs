//! From a stored run to what the engine of rates takes: which channel is what, in which unit, and what was stated.
//!
//! What cannot be told apart is left out or handed on as ambiguous; nothing is guessed. Facts that no channel carries
//! stand in the run's further facts (`fields`): `substrate` and `product` (variables), `start_volume_l`,
//! `feed_substrate_g_per_l`, `feed_density_kg_per_l`, `dry_weight_per_unit_g_per_l` (also on a channel), and on a
//! gas flow's channel `reference_temperature_c`.

use crate::dataset::Whole;
use crate::run::{text, zero_ns};
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use toji_core::record::FieldMap;
use toji_core::{Digest, Instant, Record, Result, Text, Unit, Value, ValueKind, substance, variable};
use toji_culture::rates::{Basis, Biomass, Culture, Gas, Line, Loop, Named, Point, Reference, Standing};
use toji_store::Series;

/// Bands around set-points: pH, temperature (K), dissolved oxygen (% of saturation).
const BANDS: (f64, f64, f64) = (0.1, 0.5, 10.0);
/// Variables that may be a substrate; which one it is must be stated when several are there.
const SUBSTRATES: [&str; 2] = ["glucose", "glycerol"];
/// Variables that may be a product when nobody says which.
const PRODUCTS: [&str; 2] = ["titre", "igg"];
/// Variables that overflow.
const OVERFLOW: [&str; 3] = ["acetate", "ethanol", "lactate"];

/// A channel that was used.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Used {
    channel: String,
    key: String,
    points: usize,
    /// SHA-256 over times, numbers and flags: the same points have the same, however they are stored.
    sha256: String,
}

/// What the analysis of a run takes, and where it comes from.
pub(super) struct Inputs {
    pub(super) culture: Culture,
    /// Channels and results with what identifies their content.
    pub(super) sources: Json,
}

/// A further fact of a record as a number.
fn stated(fields: &FieldMap, name: &str) -> Option<f64> {
    let value = fields.get("fields")?.get(name)?;
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|v| v.is_finite())
}

fn stated_text(fields: &FieldMap, name: &str) -> Option<String> {
    fields.get("fields")?.get(name)?.as_str().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
}

/// Time of a record on its run, s.
pub(crate) fn elapsed_s(record: &Record, zero: Option<i64>) -> Option<f64> {
    if let Some(elapsed) = record.fields.get("elapsed_s").and_then(Json::as_f64) {
        return Some(elapsed);
    }
    let at = Instant::parse(&text(&record.fields, "time")?).ok()?;
    Some((at.0 - zero?) as f64 / 1e9)
}

/// Slope and shift from one unit to another.
fn affine(from: &Unit, to: &Unit) -> Option<(f64, f64)> {
    let shift = from.convert(0.0, to).ok()?;
    Some((from.convert(1.0, to).ok()? - shift, shift))
}

fn standing(quality: u16, value: f64) -> Standing {
    match quality & 0xf {
        3 | 4 => Standing::Censored,
        0 if !value.is_nan() => Standing::Good,
        _ => Standing::Flagged,
    }
}

/// Collects lines from a run, and remembers what was used.
struct Gathering<'a> {
    whole: &'a Whole,
    zero: Option<i64>,
    used: BTreeMap<String, Used>,
    results: BTreeMap<String, u64>,
}

/// Where a channel's values may come from.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Measured,
    SetPoint,
    /// Also a pump's own total.
    Any,
}

impl<'a> Gathering<'a> {
    fn channels(&self, variable: &str, side: Side) -> Vec<&'a (Record, Series)> {
        let fits = |(record, series): &&(Record, Series)| {
            let origin = text(&record.fields, "origin").unwrap_or_default();
            let sided = match side {
                Side::SetPoint => origin == "setpoint",
                Side::Measured => !matches!(origin.as_str(), "setpoint" | "actuator"),
                Side::Any => origin != "setpoint",
            };
            sided && !series.is_empty() && text(&record.fields, "variable").as_deref() == Some(variable)
        };
        let whole = self.whole;
        let mut found: Vec<_> = whole.channels.iter().filter(fits).collect();
        // A probe before a calculated value, then the longest, then by name.
        found.sort_by_key(|(record, series)| {
            let probe = text(&record.fields, "origin").as_deref() == Some("sensor");
            (!probe, std::cmp::Reverse(series.len()), text(&record.fields, "key"), record.id.to_string())
        });
        found
    }

    /// The first channel of a variable in one of these units (all the same size), or convertible to the first.
    fn channel(&mut self, variable: &str, side: Side, units: &[&str]) -> Option<Line> {
        let found = self.channels(variable, side);
        found.into_iter().find_map(|(record, series)| self.line(record, series, units))
    }

    /// A channel as a line; `units` none: in its own.
    fn line(&mut self, record: &Record, series: &Series, units: &[&str]) -> Option<Line> {
        let own = text(&record.fields, "unit").and_then(|u| Unit::parse(&u).ok());
        let target = match (units.first(), &own) {
            (None, own) => own.as_ref().map_or("", |u| u.code()).to_owned(),
            (Some(first), Some(_)) => (*first).to_owned(),
            (Some(_), None) => return None,
        };
        let (slope, shift) = match (units.is_empty(), &own) {
            (false, Some(own)) => units.iter().find_map(|u| affine(own, &Unit::parse(u).ok()?))?,
            _ => (1.0, 0.0),
        };
        let key = text(&record.fields, "key").unwrap_or_default();
        let points = (0..series.len()).filter_map(|i| {
            let (t, value, quality) = (series.t_ns.get(i)?, series.value.get(i)?, series.quality.get(i)?);
            let standing = standing(*quality, *value);
            Some(Point { t_s: *t as f64 / 1e9, value: value * slope + shift, sigma: None, standing })
        });
        let holds = text(&record.fields, "sampling").as_deref() == Some("on-change");
        let line = Line { name: Text::same(&key), unit: target, points: points.collect(), holds };
        let used = Used { channel: record.id.to_string(), key, points: series.len(), sha256: digest(series).hex() };
        self.used.insert(record.id.to_string(), used);
        Some(line)
    }

    /// Results of samples of a variable, in this unit; `None`: in the unit most of them have.
    fn assays(&mut self, variable: &str, unit: Option<&str>) -> Option<Line> {
        let found: Vec<(&Record, Value)> = self
            .whole
            .of("assay")
            .iter()
            .filter(|a| text(&a.fields, "variable").as_deref() == Some(variable))
            .filter_map(|a| Some((a, serde_json::from_value::<Value>(a.fields.get("value")?.clone()).ok()?)))
            .filter(|(_, v)| v.kind != ValueKind::Missing)
            .collect();
        let target = match unit {
            Some(unit) => Unit::parse(unit).ok()?,
            None => {
                let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
                found.iter().filter_map(|(_, v)| v.unit.as_ref()).for_each(|u| *counts.entry(u.code()).or_default() += 1);
                Unit::parse(counts.into_iter().max_by_key(|(code, n)| (*n, std::cmp::Reverse(*code)))?.0).ok()?
            }
        };
        let mut points = Vec::new();
        for (record, value) in found {
            let time = elapsed_s(record, self.zero).or_else(|| {
                let sample = text(&record.fields, "sample")?;
                self.whole.of("sample").iter().find(|s| s.id.as_str() == sample).and_then(|s| elapsed_s(s, self.zero))
            });
            let Some(t_s) = time else { continue };
            self.results.insert(record.id.to_string(), record.version);
            points.push(point(t_s, &value, &target, variable));
        }
        if points.is_empty() {
            return None;
        }
        let name = variable::get(variable).map_or_else(|| Text::same(variable), |v| v.label.clone());
        Some(Line { name, unit: target.code().to_owned(), points, holds: false })
    }

    /// Results of samples, or else a channel, in g/L.
    fn compound(&mut self, variable: &str) -> Option<Line> {
        self.assays(variable, Some("g/L")).or_else(|| self.channel(variable, Side::Measured, &["g/L"]))
    }

    fn named(&mut self, stated: Option<String>, candidates: &[&str], but: Option<&str>) -> (Named, Option<String>) {
        if let Some(variable) = stated {
            let line = self.compound(&variable).or_else(|| self.assays(&variable, None));
            return (line.map_or(Named::Missing, Named::Known), Some(variable));
        }
        let mut found: Vec<(String, Line)> = Vec::new();
        for variable in candidates.iter().filter(|v| Some(**v) != but) {
            let line = self.compound(variable).or_else(|| self.assays(variable, None));
            found.extend(line.map(|l| ((*variable).to_owned(), l)));
        }
        match found.len() {
            0 => (Named::Missing, None),
            1 => found.pop().map_or((Named::Missing, None), |(variable, line)| (Named::Known(line), Some(variable))),
            _ => (Named::Ambiguous(found.into_iter().map(|(v, _)| v).collect()), None),
        }
    }
}

/// A result as a point in the target unit; amounts become masses by the substance.
fn point(t_s: f64, value: &Value, target: &Unit, variable: &str) -> Point {
    let mut point = Point { t_s, value: f64::NAN, sigma: None, standing: Standing::Flagged };
    if value.is_censored() || value.kind == ValueKind::Range {
        point.standing = Standing::Censored;
        // What is below detection lies between nothing and the limit.
        let below = matches!(value.kind, ValueKind::LessThan | ValueKind::BelowDetection);
        let limit = value.high.filter(|_| below).zip(value.unit.as_ref());
        point.value = limit.and_then(|(high, unit)| unit.convert(high, target).ok()).unwrap_or(f64::NAN);
        return point;
    }
    let (Some(number), Some(unit)) = (value.number.filter(|_| value.kind == ValueKind::Exact), &value.unit) else {
        return point;
    };
    let converted = |number: f64| -> Option<f64> {
        if let Ok(number) = unit.convert(number, target) {
            return Some(number);
        }
        let of = substance::Substance::find(value.substance.as_deref().unwrap_or(variable)).ok()?;
        let quantity = toji_core::Quantity { value: number, unit: unit.clone() };
        substance::convert(&quantity, target, of).ok().map(|q| q.value)
    };
    let Some(number) = converted(number) else { return point };
    point.value = number;
    point.standing = Standing::Good;
    point.sigma = value.uncertainty.and_then(|u| Some(converted(u)? - converted(0.0)?));
    point
}

/// What identifies the points of a channel, however they are stored.
pub(crate) fn digest(series: &Series) -> Digest {
    let mut bytes = Vec::with_capacity(series.len() * 18);
    for i in 0..series.len() {
        let (Some(t), Some(v), Some(q)) = (series.t_ns.get(i), series.value.get(i), series.quality.get(i)) else { continue };
        bytes.extend(t.to_le_bytes());
        // One NaN for all of them.
        bytes.extend(if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() }.to_le_bytes());
        bytes.extend(q.to_le_bytes());
    }
    Digest::of(&bytes)
}

/// When the culture was inoculated, s from the run's zero.
pub(super) fn inoculated_s(whole: &Whole) -> Option<f64> {
    if text(&whole.run.fields, "zero_is").as_deref() == Some("inoculation") {
        return Some(0.0);
    }
    events(whole, &["inoculation"]).into_iter().reduce(f64::min)
}

/// Foam of a run, %.
pub(super) fn foam(whole: &Whole) -> Option<Line> {
    let mut gathering = Gathering { whole, zero: zero_ns(&whole.run.fields), used: BTreeMap::new(), results: BTreeMap::new() };
    gathering.channel("foam-level", Side::Measured, &["%"])
}

/// A variable as measured, in a unit: results of samples, or else a channel.
pub(super) fn measured(whole: &Whole, variable: &str, unit: &str) -> Option<Line> {
    let mut gathering = Gathering { whole, zero: zero_ns(&whole.run.fields), used: BTreeMap::new(), results: BTreeMap::new() };
    gathering.assays(variable, Some(unit)).or_else(|| gathering.channel(variable, Side::Measured, &[unit]))
}

/// A variable as a pump or a set-point gave it, in the first of these units that it has or can be converted to; and
/// which one that was.
pub(super) fn given<'u>(whole: &Whole, variable: &str, units: &[&'u str]) -> Option<(Line, &'u str)> {
    let mut gathering = Gathering { whole, zero: zero_ns(&whole.run.fields), used: BTreeMap::new(), results: BTreeMap::new() };
    units.iter().find_map(|unit| {
        let line =
            gathering.channel(variable, Side::Any, &[unit]).or_else(|| gathering.channel(variable, Side::SetPoint, &[unit]));
        Some((line?, *unit))
    })
}

/// Times of the events of these sorts, s from the run's zero, ascending.
pub(super) fn events(whole: &Whole, sorts: &[&str]) -> Vec<f64> {
    let zero = zero_ns(&whole.run.fields);
    let of = |e: &&Record| text(&e.fields, "sort").is_some_and(|s| sorts.contains(&s.as_str()));
    let mut times: Vec<f64> = whole.of("event").iter().filter(of).filter_map(|e| elapsed_s(e, zero)).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// When the batch ended, s from the run's zero.
pub(crate) fn ended_s(whole: &Whole) -> Option<f64> {
    events(whole, &["stop", "ended"]).into_iter().reduce(f64::max)
}

fn biomass(gathering: &mut Gathering<'_>) -> Vec<Biomass> {
    let run_factor = stated(&gathering.whole.run.fields, "dry_weight_per_unit_g_per_l");
    let mut out = Vec::new();
    let signals = [
        ("dry-weight", Basis::DryWeight),
        ("viable-cell-density", Basis::CellDensity),
        ("total-cell-density", Basis::CellDensity),
        ("optical-density", Basis::OpticalDensity),
        ("backscatter", Basis::Backscatter),
        ("capacitance", Basis::Capacitance),
    ];
    for (variable, basis) in signals {
        // Dead cells do not grow: all cells only where nobody counted the living.
        if variable == "total-cell-density" && out.iter().any(|b: &Biomass| b.basis == Basis::CellDensity) {
            continue;
        }
        let units: &[&str] = if basis == Basis::DryWeight { &["g/L", "g{DCW}/L"] } else { &[] };
        let channels: Vec<_> = gathering.channels(variable, Side::Measured);
        for (record, series) in channels {
            let factor = stated(&record.fields, "dry_weight_per_unit_g_per_l");
            if let Some(line) = gathering.line(record, series, units) {
                let g_per_l = factor.or(run_factor.filter(|_| basis == Basis::OpticalDensity));
                out.push(Biomass { basis, line, g_per_l });
            }
        }
        let unit = (basis == Basis::DryWeight).then_some("g/L");
        let line = gathering
            .assays(variable, unit)
            .or_else(|| (basis == Basis::DryWeight).then(|| gathering.assays(variable, Some("g{DCW}/L"))).flatten());
        if let Some(line) = line {
            let g_per_l = run_factor.filter(|_| basis == Basis::OpticalDensity);
            out.push(Biomass { basis, line, g_per_l });
        }
    }
    out
}

fn gas(gathering: &mut Gathering<'_>) -> Gas {
    let percent: &[&str] = &["%", "%{vol}"];
    let any_flows =
        |line: Option<Line>| line.is_some_and(|l| l.points.iter().any(|p| p.standing == Standing::Good && p.value > 0.0));
    let mut reference = Reference::NotStated;
    let mut flow = None;
    for (record, series) in gathering.channels("gas-flow", Side::Measured) {
        let own = text(&record.fields, "unit").unwrap_or_default();
        flow = gathering.line(record, series, &["L/min", "L{norm}/min", "L{std}/min"]);
        if flow.is_some() {
            // A normal litre is one of 0 °C (DIN 1343); a standard one is its maker's.
            let normal = own.contains("{norm}").then_some(0.0);
            reference =
                stated(&record.fields, "reference_temperature_c").or(normal).map_or(Reference::NotStated, Reference::Stated);
            break;
        }
    }
    let other = ["oxygen-flow", "co2-flow"].into_iter().any(|v| any_flows(gathering.channel(v, Side::Any, &[])));
    let mut inlet_oxygen = gathering.channel("inlet-oxygen-fraction", Side::Any, percent);
    let mut inlet_co2 = gathering.channel("inlet-co2-fraction", Side::Any, percent);
    // Tables of off-gas analysers keep the inlet without a variable.
    let whole = gathering.whole;
    for (record, series) in &whole.channels {
        if text(&record.fields, "variable").is_some() {
            continue;
        }
        match inlet(&text(&record.fields, "key").unwrap_or_default()) {
            Some("o2") if inlet_oxygen.is_none() => inlet_oxygen = gathering.line(record, series, percent),
            Some("co2") if inlet_co2.is_none() => inlet_co2 = gathering.line(record, series, percent),
            _ => {}
        }
    }
    let rate: &[&str] = &["mmol/L/h"];
    Gas {
        mixed: other,
        inlet_oxygen,
        inlet_co2,
        exit_oxygen: gathering.channel("oxygen-fraction", Side::Measured, percent),
        exit_co2: gathering.channel("co2-fraction", Side::Measured, percent),
        our: gathering.channel("oxygen-uptake-rate", Side::Measured, rate),
        cer: gathering.channel("co2-evolution-rate", Side::Measured, rate),
        flow,
        reference,
    }
}

/// Which gas a header like `O2 in [%]` speaks of.
fn inlet(key: &str) -> Option<&'static str> {
    let lower = key.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let has = |any: &[&str]| words.iter().any(|w| any.contains(w));
    if !has(&["in", "inlet", "supply"]) {
        return None;
    }
    if has(&["co2", "xco2", "yco2"]) {
        Some("co2")
    } else if has(&["o2", "xo2", "yo2", "oxygen"]) {
        Some("o2")
    } else {
        None
    }
}

fn drawn(whole: &Whole) -> Vec<(f64, f64)> {
    let zero = zero_ns(&whole.run.fields);
    // Stated on the event or on the sample: the one with more of them, so that none counts twice.
    let of = |kind: &str| -> Vec<(f64, f64)> {
        whole.of(kind).iter().filter_map(|r| Some((elapsed_s(r, zero)?, stated(&r.fields, "volume_ml")? / 1000.0))).collect()
    };
    let (events, samples) = (of("event"), of("sample"));
    if samples.len() > events.len() { samples } else { events }
}

/// What identifies everything that the analysis of a run takes: an analysis with other inputs is of data that have
/// changed since.
///
/// # Errors
/// Never for records that were read from a store.
pub(crate) fn sources(whole: &Whole) -> Result<Json> {
    Ok(inputs(whole)?.sources)
}

/// Everything the engine takes of a run.
pub(super) fn inputs(whole: &Whole) -> Result<Inputs> {
    let fields = &whole.run.fields;
    let mut gathering = Gathering { whole, zero: zero_ns(fields), used: BTreeMap::new(), results: BTreeMap::new() };
    let g = &mut gathering;
    let biomass = biomass(g);
    let (substrate, is_substrate) = g.named(stated_text(fields, "substrate"), &SUBSTRATES, None);
    let (product, is_product) = g.named(stated_text(fields, "product"), &PRODUCTS, is_substrate.as_deref());
    let mut overflow = Vec::new();
    for variable in OVERFLOW.into_iter().filter(|v| Some(*v) != is_substrate.as_deref() && Some(*v) != is_product.as_deref()) {
        overflow.extend(g.compound(variable));
    }
    let total: &[&str] = &["mL"];
    let mut in_loop = |variable: &str, units: &[&str], band: f64| Loop {
        measured: g.channel(variable, Side::Measured, units),
        wanted: g.channel(variable, Side::SetPoint, units),
        band,
    };
    let (ph, temperature, oxygen) = (
        in_loop("ph", &["[pH]", "1"], BANDS.0),
        in_loop("temperature", &["Cel"], BANDS.1),
        in_loop("dissolved-oxygen", &["%{sat}", "%"], BANDS.2),
    );
    let gas = gas(g);
    let mut culture = Culture {
        inoculated_s: inoculated_s(whole),
        ended_s: ended_s(whole),
        biomass,
        substrate,
        product,
        overflow,
        gas,
        volume: g.channel("volume", Side::Measured, &["L"]),
        weight: g.channel("weight", Side::Measured, &["kg"]),
        start_l: stated(fields, "start_volume_l"),
        feed: g.channel("feed", Side::Any, total),
        base: g.channel("base", Side::Any, total),
        acid: g.channel("acid", Side::Any, total),
        feed_substrate_g_per_l: stated(fields, "feed_substrate_g_per_l"),
        feed_density_kg_per_l: stated(fields, "feed_density_kg_per_l"),
        drawn: drawn(whole),
        ph,
        temperature,
        oxygen,
        seed: 0,
    };
    let results: Vec<Json> = gathering.results.iter().map(|(id, version)| json!({ "assay": id, "version": version })).collect();
    let sources = json!({
        "channels": gathering.used.values().collect::<Vec<_>>(),
        "results": results,
        "stated": json!({
            "start_volume_l": culture.start_l,
            "feed_substrate_g_per_l": culture.feed_substrate_g_per_l,
            "feed_density_kg_per_l": culture.feed_density_kg_per_l,
            "substrate": is_substrate,
            "product": is_product,
            "drawn_l": culture.drawn.iter().map(|(_, l)| l).sum::<f64>(),
        }),
        "inoculated_s": culture.inoculated_s,
        "ended_s": culture.ended_s,
    });
    // The seed follows from what goes in: the same inputs, the same intervals.
    let mark = Digest::of(toji_core::canonical::to_canonical(&sources)?.as_bytes());
    culture.seed = mark.bytes().iter().take(8).fold(0, |seed, b| seed << 8 | u64::from(*b));
    Ok(Inputs { culture, sources })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inlets_of_off_gas_tables() {
        let read = |key: &str| inlet(key);
        assert_eq!(
            ["O2 in [%]", "CO2 inlet (%)", "R1 O2 [Vol.%]", "Inlet temperature", "XO2 supply"].map(read),
            [Some("o2"), Some("co2"), None, None, Some("o2")]
        );
    }

    #[test]
    fn results_become_points_in_one_unit() {
        let unit = Unit::parse("g/L").unwrap();
        let mut value = Value::exact(10.0, "10").with_unit(Unit::parse("mmol/L").unwrap());
        value.uncertainty = Some(1.0);
        let p = point(1.0, &value, &unit, "glucose");
        // 180.156 g/mol.
        assert!((p.value - 1.801_56).abs() < 1e-4 && (p.sigma.unwrap() - 0.180_156).abs() < 1e-5, "{p:?}");
        assert_eq!(point(1.0, &Value::parse("< 0.5"), &unit, "glucose").standing, Standing::Censored);
        assert_eq!(point(1.0, &Value::parse("ERROR"), &unit, "glucose").standing, Standing::Flagged);
        assert_eq!(point(1.0, &Value::exact(1.0, "1"), &unit, "glucose").standing, Standing::Flagged, "no unit, no number");
    }
}
