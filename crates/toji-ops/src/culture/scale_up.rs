//! `culture scale`: settings of a larger vessel from those of a smaller one, the limits there and their chance.

use super::small::{Measured, Small, small};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toji_core::{Error, Place, Record, Result, Text};
use toji_culture::scale::geometric::Rule;
use toji_culture::scale::map::{Axes, GasRule, Proposal, map, propose};
use toji_culture::scale::risk::{Quantity, Risk, Uncertainty, risk, uncertainties};
use toji_culture::scale::tank::{Broth, Case, Demand, Factors, Limit, Operation as Settings, Tank};
use toji_culture::scale::{OutOfRange, correlation, tank};

/// Steps of the map along the stirrer and the gas.
const STEPS: usize = 25;
/// Draws for the chance of limits.
const DRAWS: usize = 10_000;

/// Input of `culture scale`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Run on the smaller scale: its vessel, and at its largest oxygen uptake settings, temperature, volume, inlet oxygen and uptake with its interval are taken where nothing else is said.
    ///
    /// 小さな槽の培養。ほかに指定がなければ、その槽と、酸素消費が最大のときの設定・温度・液量・入口酸素、酸素消費速度とその区間を使う。
    #[serde(default)]
    pub(super) run: Option<String>,
    /// Smaller vessel.
    ///
    /// 小さな槽。
    #[serde(default)]
    pub(super) from: Option<String>,
    /// Larger vessel.
    ///
    /// 大きな槽。
    #[serde(default = "largest")]
    to: String,
    /// Stirrer of the smaller vessel, 1/min.
    ///
    /// 小さな槽の撹拌、1/min。
    #[serde(default)]
    pub(super) agitation_per_min: Option<f64>,
    /// Gas of the smaller vessel, standard L/min (0 °C, 1 atm).
    ///
    /// 小さな槽の通気、標準 L/min（0 °C、1 気圧）。
    #[serde(default)]
    pub(super) gas_l_per_min: Option<f64>,
    /// Pressure of the smaller vessel, bar absolute.
    ///
    /// 小さな槽の槽内圧、bar（絶対圧）。
    #[serde(default)]
    pub(super) pressure_bar: Option<f64>,
    /// Pressure of the larger vessel, bar absolute.
    ///
    /// 大きな槽の槽内圧、bar（絶対圧）。
    #[serde(default = "pressure")]
    pressure_to_bar: f64,
    /// Broth of the larger vessel, L; its working volume, filled as the smaller one was, when missing.
    ///
    /// 大きな槽の液量、L。省略時は、小さな槽と同じ割合だけ満たした張込み容量。
    #[serde(default)]
    volume_to_l: Option<f64>,
    /// Oxygen of the gas into the larger vessel, %; that of air when missing.
    ///
    /// 大きな槽への通気の酸素、%。省略時は空気。
    #[serde(default)]
    oxygen_in_percent: Option<f64>,
    /// Oxygen uptake rate, mmol/(L·h).
    ///
    /// 酸素消費速度、mmol/(L·h)。
    #[serde(default)]
    pub(super) oxygen_mmol_per_l_h: Option<f64>,
    /// Respiratory quotient, mol/mol; that of the run, or 1, when missing.
    ///
    /// 呼吸商、mol/mol。省略時は培養の値、なければ 1。
    #[serde(default)]
    pub(super) respiratory_quotient: Option<f64>,
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
    pub(super) temperature_c: Option<f64>,
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
    /// Probability that it is met.
    probability: f64,
    /// By which correlations, with their papers.
    source: Text,
}

/// Oxygen or heat where it limits.
#[derive(Debug, Serialize, JsonSchema)]
struct Flag {
    /// Rule.
    rule: Rule,
    /// Rule for the gas.
    gas_rule: GasRule,
    /// Limit.
    #[serde(rename = "constraint")]
    limit: Limit,
    /// What is asked for or reached.
    value: f64,
    /// What is possible or permitted.
    bound: f64,
    /// Unit of both, UCUM.
    unit: String,
    /// Probability that it is met.
    probability: f64,
    /// Exceeded, or met but not surely.
    standing: Flagged,
    /// In words.
    message: Text,
    /// By which correlations, with their papers.
    source: Text,
}

/// How a limit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Flagged {
    /// What is asked for is more than what is possible.
    Exceeded,
    /// It is met, but with less than the probability asked for.
    AtRisk,
}

/// Settings by one rule.
#[derive(Debug, Serialize, JsonSchema)]
struct Proposed {
    /// Rule.
    rule: Rule,
    /// Label.
    label: Text,
    /// Rule for the gas.
    gas_rule: GasRule,
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
    /// Settings that the vessel's own record says it cannot hold.
    beyond_vessel: Vec<Text>,
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
    /// What the run on the smaller scale showed, with intervals, and where it comes from.
    measured: Vec<Measured>,
    /// Oxygen uptake rate that was asked for, mmol/(L·h).
    oxygen_mmol_per_l_h: f64,
    /// Broth of the larger vessel, L.
    volume_large_l: f64,
    /// Oxygen and heat where they limit the larger vessel, rule by rule.
    flags: Vec<Flag>,
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
                "小さな槽の培養から大きな槽の設定を求めます。培養を渡すと、槽と、酸素消費が最大のときの撹拌・通気・圧力・温度・液量、酸素消費速度と発熱を区間つきで読み、培養自身の kLa を相関式と比べます。撹拌は四つの規則（P/V、翼端速度、レイノルズ数、混合時間）、通気は二つ（vvm、空塔速度）で、酸素・除熱などの限界、それを満たす確率、出典を示し、酸素か除熱が足りない規則に印を付けます。危険の大半を占める不確かさと、それを下げる小スケールの測定も挙げます。相関式の範囲外は注意を付けます。",
                "Finds settings of a larger vessel from a culture in a smaller one. From a run it reads the vessel and, at the largest oxygen uptake, stirrer, gas, pressure, temperature and volume, the uptake and its heat with intervals, and holds the culture's own kLa against the correlation. Four rules for the stirrer (power per volume, tip speed, Reynolds number, mixing time) and two for the gas (vvm, gas velocity) give settings with limits (oxygen, heat, carbon dioxide, flooding, power …), the probability of meeting each and its source; where oxygen or heat falls short is flagged. Whose uncertainty carries the risk and the small-scale measurement that lowers it are named, and correlations outside their range.",
            ],
            positional: &["run"],
            example: "toji culture scale run-0a1b2c3d4e5f --to vessel-3000l",
        },
        Effect::Read,
        scale,
    )
}

pub(super) fn missing(field: &str, ja: &str, en: &str) -> Error {
    Error::input("E-SCALE-010", format!("{ja}が分かりません"), format!("{en} is not known"))
        .at(Place::field(field))
        .hint("値を直接指定するか、培養槽・培養の記録に加えてください", "state it, or add it to the record of the vessel or run")
}

/// A vessel as its record has it.
fn tank(vessel: &Record, input: &Input, volume_l: Option<f64>, large: bool) -> Result<Tank> {
    let number = |name: &str| vessel.fields.get(name).and_then(Json::as_f64);
    let needed = |name: &str, ja: &str, en: &str| {
        let (place, ja, en) =
            (format!("{}.{name}", vessel.id), format!("槽 {} の{ja}", vessel.id), format!("the {en} of {}", vessel.id));
        number(name).ok_or_else(|| missing(&place, &ja, &en))
    };
    Ok(Tank {
        volume_l: match volume_l {
            Some(volume_l) => volume_l,
            None => needed("volume_working_l", "張込み容量", "working volume")?,
        },
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

/// The correlations behind a limit, with their papers.
fn source(limit: Limit, case: &Case) -> Text {
    let kla = if case.broth().coalescing { "kla-van-t-riet-coalescing" } else { "kla-van-t-riet-non-coalescing" };
    let ids: &[&str] = match limit {
        Limit::Oxygen => &[kla, "gassed-hughmark"],
        Limit::Heat => &["metabolic-heat", "heat-jacket", "gassed-hughmark"],
        Limit::Flooding => &["flooding"],
        Limit::CarbonDioxide => &[kla, "kla-co2"],
        Limit::Power => &["power"],
        Limit::TipSpeed => &["tip-speed"],
        Limit::GasVelocity => &[],
    };
    let mut found: Vec<_> = ids.iter().filter_map(|id| correlation(id).ok()).collect();
    if limit == Limit::Heat && case.tank().coil_m2 > 0.0 {
        found.extend(correlation("heat-coil").ok());
    }
    let named = |language: usize| {
        let one = |c: &&toji_culture::scale::Correlation| format!("{}: {}", c.label[language], c.source);
        found.iter().map(one).collect::<Vec<String>>().join("; ")
    };
    Text::new(named(0), named(1))
}

/// Settings that the record of the vessel says it cannot hold.
fn beyond(at: &Settings, vessel: &Record) -> Vec<Text> {
    let most = |name: &str| vessel.fields.get(name).and_then(Json::as_f64);
    let mut out = Vec::new();
    for (value, most, ja, en, unit) in [
        (at.agitation_per_min, most("agitation_max_rpm"), "撹拌", "the stirrer", "1/min"),
        (at.gas_l_per_min, most("gas_flow_max_l_per_min"), "通気", "the gas flow", "L/min"),
    ] {
        if let Some(most) = most.filter(|m| value > m * (1.0 + 1e-9)) {
            out.push(Text::new(
                format!("{ja} {value:.0} {unit} は槽の上限 {most:.0} {unit} を超えます"),
                format!("{en}, {value:.0} {unit}, is beyond the vessel's highest, {most:.0} {unit}"),
            ));
        }
    }
    out
}

fn proposed(of: Proposal, risk: &Risk, case: &Case, vessel: &Record) -> Proposed {
    let chance = |limit: Limit| risk.limits.iter().find(|c| c.limit == limit).map_or(0.0, |c| c.probability);
    let distance = |m: &tank::Margin| Distance {
        limit: m.limit,
        label: m.limit.label(),
        value: m.value,
        bound: m.bound,
        unit: m.limit.unit().to_owned(),
        met: m.ratio >= 1.0,
        probability: chance(m.limit),
        source: source(m.limit, case),
    };
    Proposed {
        rule: of.rule,
        label: of.label,
        gas_rule: of.gas_rule,
        agitation_per_min: of.at.agitation_per_min,
        gas_l_per_min: of.at.gas_l_per_min,
        pressure_bar: of.at.pressure_bar,
        power_w_per_m3: of.state.power_w_per_m3,
        kla_per_h: of.state.kla_per_h,
        mixing_time_s: of.state.mixing_time_s,
        probability: risk.all,
        limits: of.state.margins.iter().map(distance).collect(),
        beyond_vessel: beyond(&of.at, vessel),
        warnings: words(of.warnings),
    }
}

/// Oxygen and heat that fall short, or are met with less than this probability.
const SURE: f64 = 0.9;

fn flags(proposals: &[Proposed]) -> Vec<Flag> {
    let mut out = Vec::new();
    for proposal in proposals {
        for limit in proposal.limits.iter().filter(|l| matches!(l.limit, Limit::Oxygen | Limit::Heat)) {
            if limit.met && limit.probability >= SURE {
                continue;
            }
            let (value, bound, unit, chance) = (limit.value, limit.bound, &limit.unit, 100.0 * limit.probability);
            let unit = toji_core::Unit::parse(unit).map_or_else(|_| unit.clone(), |u| u.label());
            let gas = match proposal.gas_rule {
                GasRule::Vvm => ["vvm 一定", "same vvm"],
                GasRule::GasVelocity => ["空塔速度一定", "same gas velocity"],
            };
            out.push(Flag {
                rule: proposal.rule,
                gas_rule: proposal.gas_rule,
                limit: limit.limit,
                value,
                bound,
                unit: limit.unit.clone(),
                probability: limit.probability,
                standing: if limit.met { Flagged::AtRisk } else { Flagged::Exceeded },
                message: Text::new(
                    format!(
                        "{}・{}: {} 必要 {value:.4} {unit}、可能 {bound:.4} {unit}、満たす確率 {chance:.0} %",
                        proposal.label.ja, gas[0], limit.label.ja
                    ),
                    format!(
                        "{}, {}: {} needs {value:.4} {unit}, {bound:.4} {unit} is possible, met with a probability of {chance:.0} %",
                        proposal.label.en, gas[1], limit.label.en
                    ),
                ),
                source: limit.source.clone(),
            });
        }
    }
    out
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

async fn scale(context: Context, input: Input) -> Result<Scaled> {
    let store = &context.session.store;
    let Small { vessel: from, at, uptake, relative, quotient, temperature_c, volume_l, oxygen_in, mut measured, breath } =
        small(&context, &input).await?;
    let vessel = async |id: &str| {
        store.record(&context.access, "vessel", id, None).await.map_err(|e| {
            e.hint("`toji culture vessels` で標準の装置を登録できます", "store the standard systems with `toji culture vessels`")
        })
    };
    let (small, large) = (vessel(&from).await?, vessel(&input.to).await?);
    let demand = Demand {
        oxygen_mmol_per_l_h: uptake,
        respiratory_quotient: quotient,
        oxygen_least_percent: input.oxygen_least_percent,
        oxygen_in: input.oxygen_in_percent.map_or(0.2095, |p| p / 100.0),
        co2_most_bar: input.co2_most_bar,
        tip_speed_most_m_per_s: input.tip_speed_most_m_per_s,
        gas_velocity_most_m_per_s: input.gas_velocity_most_m_per_s,
        heat_extra_w_per_m3: 0.0,
    };
    let broth =
        Broth { temperature_c, viscosity_pa_s: input.viscosity_pa_s, coalescing: !input.non_coalescing, ..Broth::default() };
    let demand_small = Demand { oxygen_in: oxygen_in.unwrap_or(0.2095), ..demand };
    let case_small = Case::new(tank(&small, &input, volume_l, false)?, broth, demand_small)?;
    // The larger vessel is filled as the smaller one was.
    let working = |vessel: &Record| vessel.fields.get("volume_working_l").and_then(Json::as_f64).filter(|v| *v > 0.0);
    let filled = volume_l.zip(working(&small)).map(|(v, w)| v / w);
    let volume_to = input.volume_to_l.or_else(|| Some(filled? * working(&large)?));
    let total = large.fields.get("volume_total_l").and_then(Json::as_f64).unwrap_or(f64::INFINITY);
    let case_large = Case::new(tank(&large, &input, volume_to.map(|v| v.min(total)), true)?, broth, demand)?;
    if let Some(breath) = breath {
        measured.extend(breath.transfer(&case_small, &at)?);
    }
    let seed = input.seed.unwrap_or(context.seed);
    let mut uncertain = uncertainties(&[]);
    if let Some(relative) = relative {
        uncertain.push(Uncertainty { quantity: Quantity::Uptake, relative, stated: true });
    }
    let mut found = propose(&case_small, &at, &case_large, input.pressure_to_bar, GasRule::Vvm)?;
    found.extend(propose(&case_small, &at, &case_large, input.pressure_to_bar, GasRule::GasVelocity)?);
    let first = found.first().map(|p| p.at);
    let mut proposals = Vec::new();
    for proposal in found {
        let risk = risk(&case_large, &proposal.at, &uncertain, DRAWS, seed)?;
        proposals.push(proposed(proposal, &risk, &case_large, &large));
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
        measured,
        oxygen_mmol_per_l_h: uptake,
        volume_large_l: volume,
        flags: flags(&proposals),
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
