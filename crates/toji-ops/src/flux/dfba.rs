//! `flux dfba`: a batch over time, with the metabolism at its optimum at every moment.

use super::source::load;
use super::{apart, edited, name_of};
use crate::operation::{Context, Effect, Operation, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Diagnostic, Error, Place, Result};
use toji_flux::Sense;
use toji_flux::dynamic::{self, End, Gas, Pool, Uptake, Vessel};
use toji_flux::model::Scenario;

/// Most points of a course.
const POINTS_MAX: usize = 20_000;

/// A dissolved compound.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FluxPool")]
struct PoolGiven {
    /// Concentration at the start, mmol/L.
    ///
    /// 開始時の濃度（mmol/L）。
    #[serde(default)]
    start_mmol_per_l: f64,
    /// Greatest uptake, mmol/g/h; without it the compound is only made.
    ///
    /// 最大取込み速度（mmol/g/h）。省略時は生成のみ。
    #[serde(default)]
    uptake_max: Option<f64>,
    /// Concentration at half of the greatest uptake, mmol/L.
    ///
    /// 取込みが最大の半分になる濃度（mmol/L）。
    #[serde(default = "half")]
    half_mmol_per_l: f64,
}

fn half() -> f64 {
    0.5
}

/// A gas that the vessel transfers.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FluxGasTransfer")]
struct GasGiven {
    /// Volumetric transfer coefficient kLa, 1/h.
    ///
    /// 物質移動容量係数 kLa（1/h）。
    kla_per_h: f64,
    /// Concentration in equilibrium with the gas, mmol/L.
    ///
    /// 気相と平衡にある濃度（mmol/L）。
    saturation_mmol_per_l: f64,
}

edited! {
    /// Input of `flux dfba`.
    struct Input {
        /// Dissolved compounds by their exchange reaction.
        ///
        /// 溶存化合物。交換反応ごとに指定する。
        pools: BTreeMap<String, PoolGiven>,
        /// Gases by their exchange reaction, taken up no faster than the vessel transfers them.
        ///
        /// 気体。交換反応ごとに指定し、取込みは槽の移動速度を超えない。
        #[serde(default)]
        gases: BTreeMap<String, GasGiven>,
        /// Biomass at the start, g/L (dry).
        ///
        /// 開始時の菌体濃度（乾燥 g/L）。
        #[serde(default = "seed")]
        biomass_g_per_l: f64,
        /// Growth reaction; the objective when missing. Its flux is the growth rate in 1/h.
        ///
        /// 増殖の反応。省略時は目的の反応。その流束が比増殖速度（1/h）。
        #[serde(default)]
        growth: Option<String>,
        /// Further aims in their order, after growth: `max EX_ac_e`, `min EX_o2_e`.
        ///
        /// 増殖に次ぐ目的を順に（例: max EX_ac_e、min EX_o2_e）。
        #[serde(default)]
        then: Vec<String>,
        /// Reactions whose amounts are summed over the batch.
        ///
        /// 量を積算する反応。
        #[serde(default)]
        tracked: Vec<String>,
        /// Length, h.
        ///
        /// 期間（h）。
        #[serde(default = "day")]
        hours: f64,
        /// Points in time.
        ///
        /// 時刻の数。
        #[serde(default = "points")]
        points: usize,
    }
}

fn seed() -> f64 {
    0.05
}
fn day() -> f64 {
    24.0
}
fn points() -> usize {
    97
}

/// A quantity over time.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxSeries")]
struct Series {
    /// Exchange reaction, or `biomass`.
    name: String,
    /// Unit, UCUM.
    unit: String,
    /// Value at the end.
    last: Option<f64>,
    /// Values at the times.
    values: Vec<f64>,
}

/// A time during which the same exchanges limit the cells.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FluxPhase")]
struct Phase {
    /// Start, h.
    from_h: f64,
    /// End, h.
    to_h: f64,
    /// Exchange reactions at the uptake that the vessel allows.
    limiting: Vec<String>,
    /// Growth at the start, 1/h.
    growth_per_h: f64,
}

/// Output of `flux dfba`.
#[derive(Debug, Serialize, JsonSchema)]
struct Followed {
    /// Growth reaction.
    growth: String,
    /// Why the batch ended.
    end: End,
    /// When it ended, h.
    end_h: f64,
    /// Times between events.
    phases: Vec<Phase>,
    /// Biomass and compounds over time.
    series: Vec<Series>,
    /// Amounts exchanged up to the end by gases and tracked reactions, mmol/L; uptake is negative.
    exchanged_mmol_per_l: BTreeMap<String, f64>,
    /// Times of the values, h: those asked for, the events and the end.
    times_h: Vec<f64>,
    /// Steps of integration.
    solver_steps: usize,
    /// Linear programmes that had to be solved.
    programmes: usize,
    /// What to look at in the model.
    findings: Vec<Diagnostic>,
}

pub(super) fn operation() -> Operation {
    Operation::declare(
        Words {
            name: "flux dfba",
            label: ["動的流束収支解析", "Dynamic flux balance analysis"],
            about: [
                "回分培養を時間に沿って追います。各時刻の流束は培地が許す取込みのもとでの最適解で、増殖に続く目的を順に加えられます。酸素などの気体は kLa による移動の上限で制限されます。制限因子が替わる時刻を正確に求めます。",
                "Follows a batch culture over time. At every moment the fluxes are the optimum under the uptake that the medium allows, growth first, then further aims in their order. Gases such as oxygen are limited by their transfer (kLa). The moments at which another limit takes over are found exactly.",
            ],
            positional: &["model"],
            example: "toji flux dfba textbook.xml.gz --pools @pools.json --hours 8",
        },
        Effect::Read,
        follow,
    )
    .long()
}

fn aim(text: &str, scenario: &Scenario<'_>) -> Result<(usize, Sense)> {
    let (sense, name) = match text.trim().split_once(' ') {
        Some(("max", name)) => (Sense::Maximize, name.trim()),
        Some(("min", name)) => (Sense::Minimize, name.trim()),
        _ => {
            return Err(Error::input("E-FLUX-066", format!("「{text}」は目的ではありません"), format!("\"{text}\" is no aim"))
                .at(Place::field("then"))
                .hint("例: max EX_ac_e", "example: max EX_ac_e"));
        }
    };
    Ok((scenario.reaction_named(name).map_err(|e| e.at(Place::field("then")))?, sense))
}

/// The reaction named, or the one reaction of the objective.
pub(super) fn growth_reaction(named: Option<&String>, scenario: &Scenario<'_>) -> Result<usize> {
    if let Some(name) = named {
        return scenario.reaction_named(name).map_err(|e| e.at(Place::field("growth")));
    }
    match scenario.objective().map(|o| o.terms.as_slice()) {
        Some([(only, _)]) => Ok(*only),
        _ => Err(Error::input(
            "E-FLUX-067",
            "増殖の反応を指定してください。モデルの目的は単独の反応ではありません",
            "name the growth reaction: the objective of the model is not one reaction",
        )
        .at(Place::field("growth"))
        .hint("例: --growth BIOMASS_Ecoli_core_w_GAM", "example: --growth BIOMASS_Ecoli_core_w_GAM")),
    }
}

async fn follow(context: Context, input: Input) -> Result<Followed> {
    let loaded = load(&context, &input.model).await?;
    apart(move || {
        let scenario = input.edits().over(loaded.model())?;
        if !(2..=POINTS_MAX).contains(&input.points) || !(input.hours.is_finite() && input.hours > 0.0) {
            return Err(Error::input(
                "E-FLUX-068",
                format!("hours は正の数、points は 2〜{POINTS_MAX} です"),
                format!("hours is above zero, points 2 to {POINTS_MAX}"),
            )
            .at(Place::field("points"))
            .hint("例: --hours 24 --points 97", "example: --hours 24 --points 97"));
        }
        let named =
            |id: &String, field: &str| scenario.reaction_named(id).map_err(|e| e.at(Place::field(format!("{field}.{id}"))));
        let growth = growth_reaction(input.growth.as_ref(), &scenario)?;
        let mut pools = Vec::new();
        for (id, pool) in &input.pools {
            let uptake = match pool.uptake_max {
                Some(greatest) => Uptake::Saturating { greatest, half: pool.half_mmol_per_l },
                None => Uptake::None,
            };
            pools.push(Pool { exchange: named(id, "pools")?, start: pool.start_mmol_per_l, uptake });
        }
        let mut gases = Vec::new();
        for (id, gas) in &input.gases {
            gases.push(Gas { exchange: named(id, "gases")?, kla: gas.kla_per_h, saturation: gas.saturation_mmol_per_l });
        }
        let mut goals = vec![(growth, Sense::Maximize)];
        for text in &input.then {
            goals.push(aim(text, &scenario)?);
        }
        let tracked = input.tracked.iter().map(|id| named(id, "tracked")).collect::<Result<Vec<_>>>()?;
        let vessel = Vessel { growth, biomass: input.biomass_g_per_l, pools, gases, goals, tracked };
        let last = (input.points - 1) as f64;
        let times: Vec<f64> = (0..input.points).map(|i| input.hours * i as f64 / last).collect();
        let course = dynamic::batch(&scenario.network()?, &vessel, &times)?;
        let names = || vessel.pools.iter().map(|p| name_of(&scenario, p.exchange));
        let line =
            |name: String, unit: &str, values: Vec<f64>| Series { name, unit: unit.into(), last: values.last().copied(), values };
        let mut series = vec![line("biomass".into(), "g/L", course.biomass)];
        series.extend(names().zip(course.pools).map(|(name, values)| line(name, "mmol/L", values)));
        let summed = vessel.gases.iter().map(|g| g.exchange).chain(vessel.tracked.iter().copied());
        Ok(Followed {
            growth: name_of(&scenario, growth),
            end: course.end,
            end_h: course.times.last().copied().unwrap_or_default(),
            phases: course
                .phases
                .iter()
                .map(|phase| Phase {
                    from_h: phase.from,
                    to_h: phase.to,
                    limiting: phase.limiting.iter().map(|j| name_of(&scenario, *j)).collect(),
                    growth_per_h: phase.growth,
                })
                .collect(),
            series,
            exchanged_mmol_per_l: summed.map(|j| name_of(&scenario, j)).zip(course.exchanged).collect(),
            times_h: course.times,
            solver_steps: course.steps,
            programmes: course.programmes,
            findings: loaded.reading().findings.clone(),
        })
    })
    .await
}
