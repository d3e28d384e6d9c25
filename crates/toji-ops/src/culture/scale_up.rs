//! `culture scale`: settings of a larger vessel from those of a smaller one, the limits there and their chance.

use super::lineage::{HIGH_SHARE, level};
use super::response::results;
use crate::operation::{Context, Effect, Operation, Words};
use crate::run::text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::{Error, Place, Record, Result, Text};
use toji_culture::scale::geometric::Rule;
use toji_culture::scale::map::{Axes, GasRule, Proposal, map, propose};
use toji_culture::scale::risk::{Risk, risk, uncertainties};
use toji_culture::scale::tank::{Broth, Case, Demand, Factors, Limit, Operation as Settings, Tank};
use toji_culture::scale::{OutOfRange, tank};

/// Steps of the map along the stirrer and the gas.
const STEPS: usize = 25;
/// Draws for the chance of limits.
const DRAWS: usize = 10_000;

/// Input of `culture scale`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Run on the smaller scale: its vessel, highest settings, temperature and oxygen uptake are taken where nothing else is said.
    ///
    /// 小さな槽の培養。ほかに指定がなければ、その槽、最も高い設定、温度、酸素消費速度を使う。
    #[serde(default)]
    run: Option<String>,
    /// Smaller vessel.
    ///
    /// 小さな槽。
    #[serde(default)]
    from: Option<String>,
    /// Larger vessel.
    ///
    /// 大きな槽。
    #[serde(default = "largest")]
    to: String,
    /// Stirrer of the smaller vessel, 1/min.
    ///
    /// 小さな槽の撹拌、1/min。
    #[serde(default)]
    agitation_per_min: Option<f64>,
    /// Gas of the smaller vessel, standard L/min (0 °C, 1 atm).
    ///
    /// 小さな槽の通気、標準 L/min（0 °C、1 気圧）。
    #[serde(default)]
    gas_l_per_min: Option<f64>,
    /// Pressure of the smaller vessel, bar absolute.
    ///
    /// 小さな槽の槽内圧、bar（絶対圧）。
    #[serde(default)]
    pressure_bar: Option<f64>,
    /// Pressure of the larger vessel, bar absolute.
    ///
    /// 大きな槽の槽内圧、bar（絶対圧）。
    #[serde(default = "pressure")]
    pressure_to_bar: f64,
    /// Oxygen uptake rate, mmol/(L·h).
    ///
    /// 酸素消費速度、mmol/(L·h)。
    #[serde(default)]
    oxygen_mmol_per_l_h: Option<f64>,
    /// Respiratory quotient, mol/mol.
    ///
    /// 呼吸商、mol/mol。
    #[serde(default = "one")]
    respiratory_quotient: f64,
    /// Least dissolved oxygen, % of saturation with air at 1 atm.
    ///
    /// 溶存酸素の下限、1 気圧の空気飽和に対する %。
    #[serde(default = "twenty")]
    oxygen_least_percent: f64,
    /// Highest partial pressure of carbon dioxide in the broth, bar; no limit when missing.
    ///
    /// 培養液の CO2 分圧の上限、bar。省略時は限界としない。
    #[serde(default)]
    co2_most_bar: Option<f64>,
    /// Highest tip speed, m/s; no limit when missing.
    ///
    /// 翼端速度の上限、m/s。省略時は限界としない。
    #[serde(default)]
    tip_speed_most_m_per_s: Option<f64>,
    /// Highest superficial gas velocity, m/s; no limit when missing.
    ///
    /// ガス空塔速度の上限、m/s。省略時は限界としない。
    #[serde(default)]
    gas_velocity_most_m_per_s: Option<f64>,
    /// Power of the larger vessel's motor at the shaft, W; no limit when missing.
    ///
    /// 大きな槽の撹拌軸動力、W。省略時は限界としない。
    #[serde(default)]
    power_w: Option<f64>,
    /// Cooling coil of the larger vessel, m², beside the jacket on the wetted wall.
    ///
    /// 大きな槽の冷却コイル面積、m²。接液部のジャケットとは別に数える。
    #[serde(default)]
    coil_m2: f64,
    /// Wall and cooling side together, W/(m²·K).
    ///
    /// 壁と冷却側を合わせた伝熱係数、W/(m²·K)。
    #[serde(default = "cooling")]
    cooling_w_per_m2_k: f64,
    /// Mean temperature of the cooling water, °C.
    ///
    /// 冷却水の平均温度、°C。
    #[serde(default = "water")]
    cooling_c: f64,
    /// Temperature of the broth, °C.
    ///
    /// 培養温度、°C。
    #[serde(default)]
    temperature_c: Option<f64>,
    /// Viscosity of the broth, Pa·s; that of water when missing.
    ///
    /// 培養液の粘度、Pa·s。省略時は水。
    #[serde(default)]
    viscosity_pa_s: Option<f64>,
    /// Do bubbles keep apart, as in broths with much salt and no antifoam?
    ///
    /// 気泡が合一しないか（塩が多く消泡剤のない培養液）。
    #[serde(default)]
    non_coalescing: bool,
    /// Gives how far every limit is over the whole map of stirrer and gas, too.
    ///
    /// 撹拌と通気の図の全点での各限界の余裕も返すか。
    #[serde(default)]
    margins: bool,
    /// Seed of the draws.
    ///
    /// 試行の乱数の種。
    #[serde(default)]
    seed: Option<u64>,
}

fn largest() -> String {
    "vessel-3000l".into()
}
fn pressure() -> f64 {
    1.5
}
fn one() -> f64 {
    1.0
}
fn twenty() -> f64 {
    20.0
}
fn cooling() -> f64 {
    1000.0
}
fn water() -> f64 {
    12.0
}

/// How far a limit is.
#[derive(Debug, Serialize, JsonSchema)]
struct Distance {
    /// Limit.
    #[serde(rename = "constraint")]
    limit: Limit,
    /// Label.
    label: Text,
    /// What is asked for or reached.
    value: f64,
    /// What is possible or permitted.
    bound: f64,
    /// Unit of both, UCUM.
    unit: String,
    /// Is it met?
    met: bool,
}

/// Settings by one rule.
#[derive(Debug, Serialize, JsonSchema)]
struct Proposed {
    /// Rule.
    rule: Rule,
    /// Label.
    label: Text,
    /// Stirrer, 1/min.
    agitation_per_min: f64,
    /// Gas, standard L/min.
    gas_l_per_min: f64,
    /// Pressure, bar absolute.
    pressure_bar: f64,
    /// Power in the broth, W/m³.
    power_w_per_m3: f64,
    /// kLa, 1/h.
    kla_per_h: f64,
    /// Mixing time (95 %), s.
    mixing_time_s: f64,
    /// Probability that every limit is met.
    probability: f64,
    /// Limits.
    limits: Vec<Distance>,
    /// Correlations outside their range.
    warnings: Vec<Text>,
}

/// The chance of a limit.
#[derive(Debug, Serialize, JsonSchema)]
struct Likely {
    /// Scale: `from` or `to`, as the vessel's identifier.
    vessel: String,
    /// Limit.
    #[serde(rename = "constraint")]
    limit: Limit,
    /// Label.
    label: Text,
    /// Probability that it is met.
    probability: f64,
}

/// How far a limit is over the map.
#[derive(Debug, Serialize, JsonSchema)]
struct Contour {
    /// Limit.
    #[serde(rename = "constraint")]
    limit: Limit,
    /// Label.
    label: Text,
    /// Bound over value, met from 1 on: along the stirrer for the least gas first, then for the next.
    ratio: Vec<f64>,
}

/// The map of the larger vessel at its pressure.
#[derive(Debug, Serialize, JsonSchema)]
struct Margins {
    /// Stirrer, 1/min.
    agitation_per_min: Vec<f64>,
    /// Gas, standard L/min.
    gas_l_per_min: Vec<f64>,
    /// Limits.
    limits: Vec<Contour>,
}

/// Share of a quantity in the risk.
#[derive(Debug, Serialize, JsonSchema)]
struct Carried {
    /// Label.
    label: Text,
    /// Relative standard error.
    relative: f64,
    /// Is that stated by a source, and not assumed?
    stated: bool,
    /// Share of the variance.
    first_order: f64,
}

/// Output of `culture scale`.
#[derive(Debug, Serialize, JsonSchema)]
struct Scaled {
    /// Smaller vessel.
    #[serde(rename = "vessel_small")]
    from: String,
    /// Larger vessel.
    #[serde(rename = "vessel_large")]
    to: String,
    /// Oxygen uptake rate that was asked for, mmol/(L·h).
    oxygen_mmol_per_l_h: f64,
    /// Settings by rule.
    proposals: Vec<Proposed>,
    /// Feasible settings of least power, of a map over stirrer and gas at the pressure of the larger vessel.
    cheapest: Option<Settings>,
    /// Share of the map that is feasible.
    feasible_share: f64,
    /// The map itself, where it was asked for.
    margins: Option<Margins>,
    /// Chances of limits: the smaller vessel as it ran, the larger at the settings of least power, or those of the first rule.
    chances: Vec<Likely>,
    /// Whose uncertainty carries the risk of the larger vessel, largest first.
    shares: Vec<Carried>,
    /// The limit whose risk that is.
    #[serde(rename = "constraint")]
    limit: Option<Limit>,
    /// The measurement on the small scale that lowers it most.
    measurement: Option<Text>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "culture scale",
            label: ["スケールアップ", "Scale-up"],
            about: [
                "小さな槽の設定から大きな槽の設定を四つの規則（P/V、翼端速度、レイノルズ数、混合時間）で求め、酸素・除熱・CO2・フラッディング・動力などの限界と、それを満たす確率、危険の大半を占める不確かさ、それを下げる小スケールの測定を示します。相関式の範囲外は注意を付けます。",
                "Finds settings of a larger vessel from those of a smaller one by four rules (power per volume, tip speed, Reynolds number, mixing time), with limits (oxygen, heat, carbon dioxide, flooding, power …), the probability of meeting them, whose uncertainty carries the risk and the small-scale measurement that lowers it. Correlations outside their range are named.",
            ],
            positional: &["run"],
            example: "toji culture scale run-0a1b2c3d4e5f --to vessel-3000l",
        },
        Effect::Read,
        scale,
    )
}

fn missing(field: &str, ja: &str, en: &str) -> Error {
    Error::input("E-SCALE-010", format!("{ja}が分かりません"), format!("{en} is not known"))
        .at(Place::field(field))
        .hint("値を直接指定するか、培養槽・培養の記録に加えてください", "state it, or add it to the record of the vessel or run")
}

/// A vessel as its record has it.
fn tank(vessel: &Record, input: &Input, large: bool) -> Result<Tank> {
    let number = |name: &str| vessel.fields.get(name).and_then(Json::as_f64);
    let needed = |name: &str, ja: &str, en: &str| {
        let (place, ja, en) =
            (format!("{}.{name}", vessel.id), format!("槽 {} の{ja}", vessel.id), format!("the {en} of {}", vessel.id));
        number(name).ok_or_else(|| missing(&place, &ja, &en))
    };
    Ok(Tank {
        volume_l: needed("volume_working_l", "張込み容量", "working volume")?,
        diameter_m: needed("diameter_m", "内径", "diameter")?,
        impeller_diameter_m: needed("impeller_diameter_m", "撹拌翼径", "impeller's diameter")?,
        impellers: needed("impellers", "撹拌翼の段数", "number of impellers")?,
        power_number: needed("power_number", "動力数", "power number")?,
        power_w: input.power_w.filter(|_| large),
        coil_m2: if large { input.coil_m2 } else { 0.0 },
        cooling_w_per_m2_k: input.cooling_w_per_m2_k,
        cooling_c: input.cooling_c,
    })
}

/// How far every limit is at every point of the map.
fn margins(case: &Case, axes: &Axes) -> Margins {
    let pressure_bar = axes.pressure_bar.first().copied().unwrap_or(1.0);
    let mut limits: Vec<Contour> = Vec::new();
    for &gas_l_per_min in &axes.gas_l_per_min {
        for &agitation_per_min in &axes.agitation_per_min {
            let at = Settings { agitation_per_min, gas_l_per_min, pressure_bar };
            for margin in case.state(&at, &Factors::default()).margins {
                match limits.iter_mut().find(|known| known.limit == margin.limit) {
                    Some(known) => known.ratio.push(margin.ratio),
                    None => limits.push(Contour { limit: margin.limit, label: margin.limit.label(), ratio: vec![margin.ratio] }),
                }
            }
        }
    }
    Margins { agitation_per_min: axes.agitation_per_min.clone(), gas_l_per_min: axes.gas_l_per_min.clone(), limits }
}

fn words(warnings: Vec<OutOfRange>) -> Vec<Text> {
    let mut said: Vec<Text> = warnings.into_iter().map(|w| w.message).collect();
    said.dedup();
    said
}

fn proposed(of: Proposal, probability: f64) -> Proposed {
    let distance = |m: &tank::Margin| Distance {
        limit: m.limit,
        label: m.limit.label(),
        value: m.value,
        bound: m.bound,
        unit: m.limit.unit().to_owned(),
        met: m.ratio >= 1.0,
    };
    Proposed {
        rule: of.rule,
        label: of.label,
        agitation_per_min: of.at.agitation_per_min,
        gas_l_per_min: of.at.gas_l_per_min,
        pressure_bar: of.at.pressure_bar,
        power_w_per_m3: of.state.power_w_per_m3,
        kla_per_h: of.state.kla_per_h,
        mixing_time_s: of.state.mixing_time_s,
        probability,
        limits: of.state.margins.iter().map(distance).collect(),
        warnings: words(of.warnings),
    }
}

fn likely(vessel: &str, risk: &Risk) -> Vec<Likely> {
    let one = |c: &toji_culture::scale::risk::Chances| Likely {
        vessel: vessel.to_owned(),
        limit: c.limit,
        label: c.label.clone(),
        probability: c.probability,
    };
    risk.limits.iter().map(one).collect()
}

/// Settings of the smaller vessel and its demand, stated or from the run.
async fn small(context: &Context, input: &Input) -> Result<(String, Settings, f64, f64)> {
    let run = match &input.run {
        Some(id) => Some(context.session.store.record(&context.access, "run", id, None).await?),
        None => None,
    };
    let from = input.from.clone().or_else(|| run.as_ref().and_then(|r| text(&r.fields, "vessel")));
    let from = from.unwrap_or_else(|| "vessel-30l".to_owned());
    let (mut agitation, mut gas, mut pressure) = (input.agitation_per_min, input.gas_l_per_min, input.pressure_bar);
    let (mut uptake, mut temperature) = (input.oxygen_mmol_per_l_h, input.temperature_c);
    if let Some(run) = &run {
        if agitation.is_none() {
            agitation = level(context, run, "stirrer-speed", "/min", HIGH_SHARE).await?;
        }
        if gas.is_none() {
            gas = level(context, run, "gas-flow", "L/min", HIGH_SHARE).await?;
        }
        if pressure.is_none() {
            pressure = level(context, run, "pressure", "bar", 0.5).await?.filter(|p| *p > 0.8);
        }
        if temperature.is_none() {
            temperature = level(context, run, "temperature", "Cel", 0.5).await?;
        }
        if uptake.is_none() {
            let found = results(context, run).await?;
            uptake = found.into_iter().find(|q| q.code == "oxygen-uptake-max").map(|q| q.value);
        }
    }
    let at = Settings {
        agitation_per_min: agitation.ok_or_else(|| missing("agitation_per_min", "撹拌速度", "the speed of the stirrer"))?,
        gas_l_per_min: gas.ok_or_else(|| missing("gas_l_per_min", "通気量", "the gas flow"))?,
        pressure_bar: pressure.unwrap_or(1.013_25),
    };
    let uptake = uptake.ok_or_else(|| missing("oxygen_mmol_per_l_h", "酸素消費速度", "the oxygen uptake rate"))?;
    Ok((from, at, uptake, temperature.unwrap_or(30.0)))
}

async fn scale(context: Context, input: Input) -> Result<Scaled> {
    let store = &context.session.store;
    let (from, at, uptake, temperature_c) = small(&context, &input).await?;
    let vessel = async |id: &str| {
        store.record(&context.access, "vessel", id, None).await.map_err(|e| {
            e.hint("`toji culture vessels` で標準の装置を登録できます", "store the standard systems with `toji culture vessels`")
        })
    };
    let (small, large) = (vessel(&from).await?, vessel(&input.to).await?);
    let demand = Demand {
        oxygen_mmol_per_l_h: uptake,
        respiratory_quotient: input.respiratory_quotient,
        oxygen_least_percent: input.oxygen_least_percent,
        oxygen_in: 0.2095,
        co2_most_bar: input.co2_most_bar,
        tip_speed_most_m_per_s: input.tip_speed_most_m_per_s,
        gas_velocity_most_m_per_s: input.gas_velocity_most_m_per_s,
        heat_extra_w_per_m3: 0.0,
    };
    let broth =
        Broth { temperature_c, viscosity_pa_s: input.viscosity_pa_s, coalescing: !input.non_coalescing, ..Broth::default() };
    let case_small = Case::new(tank(&small, &input, false)?, broth, demand)?;
    let case_large = Case::new(tank(&large, &input, true)?, broth, demand)?;
    let seed = input.seed.unwrap_or(context.seed);
    let uncertain = uncertainties(&[]);
    let found = propose(&case_small, &at, &case_large, input.pressure_to_bar, GasRule::Vvm)?;
    let first = found.first().map(|p| p.at);
    let mut proposals = Vec::new();
    for proposal in found {
        let all = risk(&case_large, &proposal.at, &uncertain, DRAWS, seed)?.all;
        proposals.push(proposed(proposal, all));
    }
    let most = |name: &str, otherwise: f64| large.fields.get(name).and_then(Json::as_f64).unwrap_or(otherwise);
    let steps = |most: f64| (1..=STEPS).map(|i| most * i as f64 / STEPS as f64).collect::<Vec<f64>>();
    let volume = case_large.tank().volume_l;
    let axes = Axes {
        agitation_per_min: steps(most("agitation_max_rpm", at.agitation_per_min)),
        gas_l_per_min: steps(most("gas_flow_max_l_per_min", 2.0 * volume)),
        pressure_bar: vec![input.pressure_to_bar],
    };
    let mapped = map(&case_large, &axes)?;
    let margins = input.margins.then(|| margins(&case_large, &axes));
    let mut chances = likely(&from, &risk(&case_small, &at, &uncertain, DRAWS, seed)?);
    let (mut shares, mut limit, mut measurement) = (Vec::new(), None, None);
    if let Some(at) = mapped.cheapest.or(first) {
        let large = risk(&case_large, &at, &uncertain, DRAWS, seed)?;
        chances.extend(likely(&input.to, &large));
        (limit, measurement) = (large.shared, large.measurement);
        let one = |s: toji_culture::scale::risk::Share| Carried {
            label: s.label,
            relative: s.relative,
            stated: s.stated,
            first_order: s.first_order,
        };
        shares = large.shares.into_iter().map(one).collect();
    }
    Ok(Scaled {
        from,
        to: input.to,
        oxygen_mmol_per_l_h: uptake,
        proposals,
        cheapest: mapped.cheapest,
        feasible_share: mapped.feasible_share,
        margins,
        chances,
        shares,
        limit,
        measurement,
    })
}
