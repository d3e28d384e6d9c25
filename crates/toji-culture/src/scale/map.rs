//! The constraint map over stirrer speed, gas flow and pressure, and settings of a larger vessel by several rules.

use super::correlation::OutOfRange;
use super::geometric::Rule;
use super::tank::{Case, Factors, Limit, Operation, State};
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text};

/// Most points of a map.
const POINTS_MOST: usize = 200_000;

/// Axes of a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Axes {
    /// Stirrer, 1/min.
    pub agitation_per_min: Vec<f64>,
    /// Gas, standard L/min.
    pub gas_l_per_min: Vec<f64>,
    /// Pressure of the head space, bar absolute.
    pub pressure_bar: Vec<f64>,
}

/// One point of a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Point {
    /// Settings.
    pub at: Operation,
    /// Is every limit met?
    pub feasible: bool,
    /// The limit that is nearest, or exceeded most.
    pub binding: Option<Limit>,
    /// Bound over value of that limit.
    pub ratio: f64,
    /// Power in the broth, W: what the point costs.
    pub power_w: f64,
}

/// A map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Map {
    /// Points: pressure slowest, then gas, then speed.
    pub points: Vec<Point>,
    /// Share of points that are feasible.
    pub feasible_share: f64,
    /// The feasible point of least power, the lower gas flow on a tie.
    pub cheapest: Option<Operation>,
    /// How often each limit is exceeded most among infeasible points, most often first.
    pub blocked_by: Vec<(Limit, usize)>,
}

/// The map of a case.
///
/// # Errors
/// An axis that is empty, a setting that is not positive and finite, or more than 200,000 points.
pub fn map(case: &Case, axes: &Axes) -> Result<Map> {
    let count = axes.agitation_per_min.len().saturating_mul(axes.gas_l_per_min.len()).saturating_mul(axes.pressure_bar.len());
    if count == 0 || count > POINTS_MOST {
        return Err(Error::input(
            "E-SCALE-005",
            format!("地図の点数は 1〜{POINTS_MOST} です: {count}"),
            format!("a map has 1 to {POINTS_MOST} points, not {count}"),
        )
        .at(Place::field("axes"))
        .hint("撹拌・通気・圧力の刻みを見直してください", "change the steps of speed, gas and pressure"));
    }
    let mut points = Vec::with_capacity(count);
    for &pressure_bar in &axes.pressure_bar {
        for &gas_l_per_min in &axes.gas_l_per_min {
            for &agitation_per_min in &axes.agitation_per_min {
                let at = Operation { agitation_per_min, gas_l_per_min, pressure_bar };
                Case::check(&at)?;
                let state = case.state(&at, &Factors::default());
                let binding = state.binding();
                points.push(Point {
                    at,
                    feasible: state.feasible(),
                    binding: binding.map(|m| m.limit),
                    ratio: binding.map_or(f64::INFINITY, |m| m.ratio),
                    power_w: state.power_w_per_m3 * case.tank().volume_l * 1e-3,
                });
            }
        }
    }
    let feasible = points.iter().filter(|p| p.feasible).count();
    let cheapest = points
        .iter()
        .filter(|p| p.feasible)
        .min_by(|a, b| a.power_w.total_cmp(&b.power_w).then(a.at.gas_l_per_min.total_cmp(&b.at.gas_l_per_min)))
        .map(|p| p.at);
    let mut blocked: std::collections::BTreeMap<Limit, usize> = std::collections::BTreeMap::new();
    for limit in points.iter().filter(|p| !p.feasible).filter_map(|p| p.binding) {
        *blocked.entry(limit).or_default() += 1;
    }
    let mut blocked_by: Vec<(Limit, usize)> = blocked.into_iter().collect();
    blocked_by.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    Ok(Map { feasible_share: feasible as f64 / count as f64, cheapest, blocked_by, points })
}

/// How the gas flow follows the scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GasRule {
    /// Volume of gas a volume of broth and minute.
    Vvm,
    /// Superficial gas velocity at the vessel's own pressure.
    GasVelocity,
}

/// Settings of the larger vessel by one pair of rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Proposal {
    /// Rule for the stirrer.
    pub rule: Rule,
    /// Label of it.
    pub label: Text,
    /// Rule for the gas.
    pub gas_rule: GasRule,
    /// Settings.
    pub at: Operation,
    /// What the larger vessel does there.
    pub state: State,
    /// Limits that are not met.
    pub exceeded: Vec<Limit>,
    /// Correlations outside their range.
    pub warnings: Vec<OutOfRange>,
}

/// Settings of a vessel from those of a smaller one. Vessels need not be of one shape: each rule keeps its quantity as
/// both vessels have it without gas.
///
/// # Errors
/// Settings or a pressure that are not positive and finite.
pub fn propose(from: &Case, at: &Operation, to: &Case, pressure_bar: f64, gas_rule: GasRule) -> Result<Vec<Proposal>> {
    Case::check(at)?;
    Case::check(&Operation { pressure_bar, ..*at })?;
    let (small, large) = (from.tank(), to.tank());
    let speed = at.agitation_per_min / 60.0;
    let none = Factors::default();
    let per_volume = |case: &Case, n: f64| case.power_ungassed_w(n, &none) / case.tank().volume_l;
    let one = |rule: Rule| {
        let next = match rule {
            Rule::PowerPerVolume => speed * (per_volume(from, speed) / per_volume(to, speed)).cbrt(),
            Rule::TipSpeed | Rule::Reynolds => rule.speed(speed, small.impeller_diameter_m, large.impeller_diameter_m),
            // θ ∝ T^⅔ ε^-⅓ (D/T)^-⅓, kept.
            Rule::MixingTime => {
                let shape = |case: &Case| case.tank().diameter_m / case.tank().impeller_diameter_m.cbrt();
                let epsilon = (shape(to) / shape(from)).powi(3);
                speed * (epsilon * per_volume(from, speed) / per_volume(to, speed)).cbrt()
            }
        };
        let gas = match gas_rule {
            GasRule::Vvm => at.gas_l_per_min * large.volume_l / small.volume_l,
            GasRule::GasVelocity => {
                let probe = |case: &Case, gas: f64, bar: f64| {
                    let probe = Operation { agitation_per_min: at.agitation_per_min, gas_l_per_min: gas, pressure_bar: bar };
                    case.state(&probe, &none).gas_velocity_m_per_s
                };
                at.gas_l_per_min * probe(from, at.gas_l_per_min, at.pressure_bar) / probe(to, at.gas_l_per_min, pressure_bar)
            }
        };
        let at = Operation { agitation_per_min: next * 60.0, gas_l_per_min: gas, pressure_bar };
        let state = to.state(&at, &none);
        let exceeded = state.margins.iter().filter(|m| m.ratio < 1.0).map(|m| m.limit).collect();
        Ok(Proposal { rule, label: rule.label(), gas_rule, at, warnings: to.warnings(&at)?, state, exceeded })
    };
    Rule::ALL.into_iter().map(one).collect()
}
