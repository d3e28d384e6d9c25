//! What a run on the smaller scale shows: its vessel, and at its largest oxygen uptake the settings, the broth, the gas,
//! the heat and the kLa of the culture itself, each with its interval where there is one.

use super::inputs::{Inputs, inputs};
use super::lineage::{HIGH_SHARE, level};
use super::scale_up::{Input, missing};
use crate::dataset::Whole;
use crate::operation::Context;
use crate::run::text;
use schemars::JsonSchema;
use serde::Serialize;
use toji_core::{Result, Text};
use toji_culture::rates::{Line, Quantity, Standing};
use toji_culture::scale::tank::{Case, Factors, HEAT_J_PER_MOL, Operation as Settings};

/// Half a 95 % interval in standard errors.
const HALF: f64 = 1.959_963_984_540_054;
/// Settings are those around the largest uptake, this far on each side at least, s.
const AROUND_S: f64 = 600.0;
/// A pressure below is an overpressure or a fault, not that of a vessel, bar.
const PRESSURE_LEAST: f64 = 0.8;

/// Something that the run showed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "SmallScaleMeasured")]
pub(super) struct Measured {
    /// Code.
    pub(super) code: String,
    /// Label.
    pub(super) label: Text,
    /// Value.
    pub(super) value: f64,
    /// Lower end of the 95 % interval; none where none can be stated.
    pub(super) low: Option<f64>,
    /// Upper end.
    pub(super) high: Option<f64>,
    /// Unit, UCUM.
    pub(super) unit: String,
    /// How it was found.
    pub(super) method: Text,
}

/// Gas and oxygen at the largest uptake.
pub(super) struct Breath {
    exit_oxygen: f64,
    dissolved_percent: f64,
    relative: Option<f64>,
}

/// The smaller vessel and its culture.
pub(super) struct Small {
    pub(super) vessel: String,
    pub(super) at: Settings,
    /// Oxygen uptake, mmol/(L·h), and its relative standard error.
    pub(super) uptake: f64,
    pub(super) relative: Option<f64>,
    pub(super) quotient: f64,
    pub(super) temperature_c: f64,
    pub(super) volume_l: Option<f64>,
    pub(super) oxygen_in: Option<f64>,
    pub(super) measured: Vec<Measured>,
    pub(super) breath: Option<Breath>,
}

impl Breath {
    /// kLa of the culture, and how it stands to the correlation.
    pub(super) fn transfer(&self, case: &Case, at: &Settings) -> Result<Vec<Measured>> {
        let Some(kla) = case.kla_measured(at, self.exit_oxygen, self.dissolved_percent)? else { return Ok(Vec::new()) };
        let correlated = case.state(at, &Factors::default()).kla_per_h;
        let end = |value: f64, sign: f64| self.relative.map(|r| value * (sign * HALF * r).exp());
        let both = |code: &str, label: Text, value: f64, unit: &str, method: Text| Measured {
            code: code.to_owned(),
            label,
            value,
            low: end(value, -1.0),
            high: end(value, 1.0),
            unit: unit.to_owned(),
            method,
        };
        Ok(vec![
            both(
                "kla",
                Text::new("培養自身の kLa", "kLa of the culture"),
                kla,
                "/h",
                Text::new(
                    "酸素消費速度 ÷（出口ガスに平衡な溶存酸素 − 測定した溶存酸素）。溶解度は水の値（Sander 2023）、溶存酸素は 1 気圧の空気飽和に対する %、区間は酸素消費速度のみによる。",
                    "Oxygen uptake over the difference of what is in balance with the exit gas and what was measured. Solubility of water (Sander 2023); dissolved oxygen in % of saturation with air at 1 atm; the interval is that of the uptake alone.",
                ),
            ),
            both(
                "kla-over-correlation",
                Text::new("kLa の相関式に対する比", "kLa over the correlation"),
                kla / correlated,
                "1",
                Text::new(
                    format!("相関式の kLa は {correlated:.0} 1/h。相関式の標準誤差は 30 %。設定の計算には相関式をそのまま使う。"),
                    format!(
                        "The correlation gives {correlated:.0} 1/h, with a standard error of 30 %. Settings are computed by the correlation as it is."
                    ),
                ),
            ),
        ])
    }
}

/// Middle of the good points of a line in a stretch; of a line that holds, what stood there.
fn level_in(line: Option<&Line>, from_s: f64, to_s: f64) -> Option<f64> {
    let line = line?;
    let good = |p: &&toji_culture::rates::Point| p.standing == Standing::Good && p.value.is_finite();
    let mut inside: Vec<f64> =
        line.points.iter().filter(good).filter(|p| (from_s..=to_s).contains(&p.t_s)).map(|p| p.value).collect();
    if inside.is_empty() && line.holds {
        let before = line.points.iter().filter(good).filter(|p| p.t_s < from_s);
        return before.max_by(|a, b| a.t_s.total_cmp(&b.t_s)).map(|p| p.value);
    }
    super::response::median(&mut inside)
}

/// What the run and what was stated say of the smaller scale; what is stated goes before what was measured.
pub(super) async fn small(context: &Context, input: &Input) -> Result<Small> {
    let mut found = Found::default();
    let mut vessel = input.from.clone();
    if let Some(run) = &input.run {
        let whole = Whole::load(context, run).await?;
        vessel = vessel.or_else(|| text(&whole.run.fields, "vessel"));
        found = of_run(context, &whole).await?;
    }
    let vessel = vessel.unwrap_or_else(|| "vessel-30l".to_owned());
    let at = Settings {
        agitation_per_min: input
            .agitation_per_min
            .or(found.agitation)
            .ok_or_else(|| missing("agitation_per_min", "撹拌速度", "the speed of the stirrer"))?,
        gas_l_per_min: input.gas_l_per_min.or(found.gas).ok_or_else(|| missing("gas_l_per_min", "通気量", "the gas flow"))?,
        pressure_bar: input.pressure_bar.or(found.pressure).unwrap_or(1.013_25),
    };
    let measured_uptake = found.uptake.as_ref().filter(|_| input.oxygen_mmol_per_l_h.is_none());
    let relative = measured_uptake.and_then(|q| Some((q.high? - q.low?) / (2.0 * HALF * q.value)));
    let relative = relative.filter(|r| r.is_finite() && *r > 0.0 && *r <= 2.0);
    let uptake = input
        .oxygen_mmol_per_l_h
        .or(found.uptake.as_ref().map(|q| q.value))
        .ok_or_else(|| missing("oxygen_mmol_per_l_h", "酸素消費速度", "the oxygen uptake rate"))?;
    let breath = found.exit_oxygen.zip(found.dissolved).filter(|_| measured_uptake.is_some());
    Ok(Small {
        vessel,
        at,
        uptake,
        relative,
        quotient: input.respiratory_quotient.or(found.quotient).unwrap_or(1.0),
        temperature_c: input.temperature_c.or(found.temperature).unwrap_or(30.0),
        volume_l: found.volume,
        oxygen_in: found.oxygen_in,
        breath: breath.map(|(exit, dissolved)| Breath { exit_oxygen: exit / 100.0, dissolved_percent: dissolved, relative }),
        measured: found.measured,
    })
}

#[derive(Default)]
struct Found {
    agitation: Option<f64>,
    gas: Option<f64>,
    pressure: Option<f64>,
    temperature: Option<f64>,
    volume: Option<f64>,
    oxygen_in: Option<f64>,
    exit_oxygen: Option<f64>,
    dissolved: Option<f64>,
    quotient: Option<f64>,
    uptake: Option<Quantity>,
    measured: Vec<Measured>,
}

async fn of_run(context: &Context, whole: &Whole) -> Result<Found> {
    let run = &whole.run;
    let (quantities, _) = super::analyse::quantities(context, run.id.as_str()).await?;
    let take = |code: &str| quantities.iter().find(|q| q.code == code).cloned();
    let (uptake, quotient) = (take("oxygen-uptake-max"), take("respiratory-quotient"));
    let Inputs { culture, .. } = inputs(whole)?;
    let mut found = Found { quotient: quotient.as_ref().map(|q| q.value), ..Found::default() };
    let peak = uptake.as_ref().and_then(|q| Some((q.from_s? - AROUND_S, q.to_s? + AROUND_S)));
    let stirrer = super::inputs::measured(whole, "stirrer-speed", "/min");
    let pressure = super::inputs::measured(whole, "pressure", "bar");
    let at = |line: Option<&Line>| peak.and_then(|(from, to)| level_in(line, from, to));
    found.agitation = at(stirrer.as_ref());
    found.gas = at(culture.gas.flow.as_ref());
    found.pressure = at(pressure.as_ref()).filter(|p| *p > PRESSURE_LEAST);
    found.temperature = at(culture.temperature.measured.as_ref());
    found.volume = at(culture.volume.as_ref()).or_else(|| at(culture.weight.as_ref())).or(culture.start_l).filter(|v| *v > 0.0);
    found.oxygen_in = at(culture.gas.inlet_oxygen.as_ref()).map(|p| p / 100.0);
    found.exit_oxygen = at(culture.gas.exit_oxygen.as_ref());
    found.dissolved = at(culture.oxygen.measured.as_ref());
    let at_peak =
        Text::new("酸素消費が最大の前後 10 分の中央値。", "Median around the largest oxygen uptake, ten minutes on each side.");
    let highest = Text::new("点の 95 % がこれより低い。", "95 % of all points lie below.");
    let mut method = at_peak.clone();
    // Without a peak the highest settings are taken, as for a lineage.
    if found.agitation.is_none() {
        found.agitation = level(context, run, "stirrer-speed", "/min", HIGH_SHARE).await?;
        method = highest.clone();
    }
    if found.gas.is_none() {
        found.gas = level(context, run, "gas-flow", "L/min", HIGH_SHARE).await?;
        method = highest;
    }
    if found.pressure.is_none() {
        found.pressure = level(context, run, "pressure", "bar", 0.5).await?.filter(|p| *p > PRESSURE_LEAST);
    }
    if found.temperature.is_none() {
        found.temperature = level(context, run, "temperature", "Cel", 0.5).await?;
    }
    let plain = |code: &str, ja: &str, en: &str, value: Option<f64>, unit: &str, method: &Text| {
        let (label, unit, method) = (Text::new(ja, en), unit.to_owned(), method.clone());
        value.map(|value| Measured { code: code.to_owned(), label, value, low: None, high: None, unit, method })
    };
    found.measured.extend(
        [
            plain("stirrer-speed", "撹拌速度", "Stirrer", found.agitation, "/min", &method),
            plain("gas-flow", "通気量", "Gas flow", found.gas, "L/min", &method),
            plain("pressure", "槽内圧", "Pressure", found.pressure, "bar", &at_peak),
            plain("temperature", "温度", "Temperature", found.temperature, "Cel", &at_peak),
            plain("volume", "液量", "Broth", found.volume, "L", &at_peak),
            plain("inlet-oxygen", "入口酸素", "Oxygen of the gas in", found.oxygen_in.map(|y| y * 100.0), "%", &at_peak),
            plain("dissolved-oxygen", "溶存酸素", "Dissolved oxygen", found.dissolved, "%", &at_peak),
        ]
        .into_iter()
        .flatten(),
    );
    for quantity in [&uptake, &quotient].into_iter().flatten() {
        found.measured.push(Measured {
            code: quantity.code.clone(),
            label: quantity.label.clone(),
            value: quantity.value,
            low: quantity.low,
            high: quantity.high,
            unit: quantity.unit.clone(),
            method: quantity.method.clone(),
        });
    }
    if let (Some(uptake), Some(volume)) = (&uptake, found.volume) {
        // mmol/(L·h) times litres to watts.
        let watts = |rate: f64| rate * 1e-3 / 3600.0 * HEAT_J_PER_MOL * volume;
        found.measured.push(Measured {
            code: "heat".to_owned(),
            label: Text::new("培養の発熱（最大）", "Heat of the culture, largest"),
            value: watts(uptake.value),
            low: uptake.low.map(watts),
            high: uptake.high.map(watts),
            unit: "W".to_owned(),
            method: Text::new(
                "最大酸素消費速度 × 液量 × 460 kJ/mol（Roels 1983。区間は酸素消費速度による）。撹拌の熱は含まない。",
                "Largest oxygen uptake times the broth times 460 kJ a mole (Roels 1983; interval by the uptake). Heat of the stirrer not counted.",
            ),
        });
    }
    found.uptake = uptake;
    Ok(found)
}
