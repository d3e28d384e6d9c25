//! One route, verified in the host by itself.

use super::search::Refused;
use super::universe::{Candidate, Universe};
use super::{PathwayTask, Thermodynamics};
use crate::analyse::pfba;
use crate::design::{Screening, Yields, yields};
use crate::lp::{Outcome, Problem, Solver};
use crate::model::Scenario;
use crate::network::Sense;
use crate::thermo::{Concentration, Pathway, Step, driving_force, thermal_energy};
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result, Text};

/// Fluxes below this are none.
const STILL: f64 = 1e-7;

/// A reaction of a route.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct RouteStep {
    /// Identifier.
    pub id: String,
    /// Flux for each product at the most product; negative: it runs against the way it is written.
    pub flux: f64,
    /// Gene or enzyme.
    pub enzyme: Option<String>,
    /// `−ΔG'` at the best of the worst driving forces, kJ/mol, where its energy is known.
    pub driving: Option<f64>,
    /// Where it is described.
    pub source: Option<String>,
}

/// A set of reactions that makes a product possible.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Route {
    /// Its reactions.
    pub steps: Vec<RouteStep>,
    /// Sum of their costs.
    pub cost: f64,
    /// Most product while the growth asked for is kept, mmol/g/h.
    pub most: f64,
    /// Yields at the most product.
    pub yields: Yields,
    /// Best growth while the product asked for is made, 1/h.
    pub growth: f64,
    /// What the route takes from the host (negative) and gives to it for each product: precursors and cofactors.
    pub balance: Vec<(String, f64)>,
    /// Best of the worst driving forces, kJ/mol; of the steps whose energy is known.
    pub force: Option<f64>,
    /// Steps without a known energy.
    pub unknown: usize,
    /// Whether every reaction is needed: without any one of them less than asked for is made.
    pub minimal: bool,
    /// Where it stands with screening.
    pub screening: Screening,
    /// What speaks for and against it, in words.
    pub evidence: Vec<Text>,
}

impl Route {
    /// Identifiers of its reactions.
    #[must_use]
    pub fn ids(&self) -> Vec<&str> {
        self.steps.iter().map(|s| s.id.as_str()).collect()
    }
}

/// The driving force of the steps whose energies are known.
#[derive(Default)]
struct Forced {
    force: Option<f64>,
    /// `−ΔG'` of each step.
    driving: BTreeMap<String, f64>,
    /// Steps of the route whose energy is not known.
    unknown: usize,
}

pub(super) struct Bench<'a, 'm> {
    pub(super) host: &'a Scenario<'m>,
    pub(super) universe: &'a Universe,
    pub(super) task: &'a PathwayTask,
    pub(super) demand: &'a str,
}

impl Bench<'_, '_> {
    fn part(&self, set: &[u32]) -> Universe {
        let reactions = set.iter().map(|&at| self.universe.reactions[at as usize].clone()).collect();
        Universe { reactions, formulas: self.universe.formulas.clone() }
    }

    /// The most product of the host with some reactions, or the most growth with the product asked for.
    fn most(&self, part: &Universe, growth: bool) -> Result<Option<f64>> {
        let made = part.over(self.host, &self.task.product, self.demand);
        // Without its last reaction the product may be unknown to all.
        let Ok(made) = made else { return Ok(None) };
        let mut network = made.network()?;
        let (grows, leaves) = (made.reaction_named(&self.task.growth)?, made.reaction_named(self.demand)?);
        let (aim, held, least) =
            if growth { (grows, leaves, self.task.min_product) } else { (leaves, grows, self.task.min_growth) };
        network.lower[held] = network.lower[held].max(least * (1.0 - STILL));
        let mut solver = Solver::new(Problem { cost: vec![0.0; network.reactions()], ..Problem::from(&network) })?;
        solver.set_objective(Sense::Maximize, &[(aim, 1.0)]);
        Ok(match solver.solve()? {
            Outcome::Optimal(best) => Some(best.objective),
            _ => None,
        })
    }

    /// The route of a set, or why it is refused.
    pub(super) fn route(&self, set: &[u32]) -> Result<Result<Route, Refused>> {
        let part = self.part(set);
        let made = part.over(self.host, &self.task.product, self.demand)?;
        let mut network = made.network()?;
        let grows = made.reaction_named(&self.task.growth)?;
        let leaves = made.reaction_named(self.demand)?;
        network.lower[grows] = network.lower[grows].max(self.task.min_growth);
        network.objective = vec![0.0; network.reactions()];
        network.objective[leaves] = 1.0;
        network.sense = Sense::Maximize;
        let Ok(best) = pfba(&network, 1.0)? else {
            return Err(Error::bug("E-FLUX-134", "a set that the host alone does not confirm"));
        };
        let most = best.fluxes[leaves];
        let per = |j: usize| best.fluxes[j] / most;
        let forced = match &self.task.thermodynamics {
            None => Forced { unknown: part.reactions.iter().filter(|r| r.energy.is_none()).count(), ..Forced::default() },
            Some(thermo) => match self.force(thermo, &part, &made, &best.fluxes)? {
                Ok(found) => found,
                Err(because) => {
                    let reactions = part.reactions.iter().map(|r| r.id.clone()).collect();
                    return Ok(Err(Refused { reactions, because }));
                }
            },
        };
        let mut steps = Vec::new();
        let mut balance: BTreeMap<String, f64> = BTreeMap::new();
        for r in &part.reactions {
            let flux = per(made.reaction_named(&r.id)?);
            for (metabolite, coefficient) in &r.stoichiometry {
                *balance.entry(metabolite.clone()).or_default() += flux * coefficient;
            }
            steps.push(RouteStep {
                id: r.id.clone(),
                flux,
                enzyme: r.enzyme.clone(),
                driving: forced.driving.get(&r.id).copied(),
                source: r.source.clone(),
            });
        }
        let mut minimal = true;
        for at in 0..set.len() {
            let mut rest = set.to_vec();
            rest.remove(at);
            let left = self.most(&self.part(&rest), false)?;
            minimal &= left.is_none_or(|v| v < self.task.min_product * (1.0 - STILL));
        }
        let feed = made.reaction_named(&self.task.feed)?;
        let sequences = part.reactions.iter().map(|r| r.enzyme.clone().unwrap_or_else(|| r.id.clone())).collect();
        let mut route = Route {
            steps,
            cost: part.reactions.iter().map(|r| r.cost).sum(),
            most,
            yields: yields(&made, leaves, feed, &best.fluxes),
            growth: self.most(&part, true)?.unwrap_or(0.0),
            balance: balance.into_iter().filter(|(_, v)| v.abs() > STILL).collect(),
            force: forced.force,
            unknown: forced.unknown,
            minimal,
            screening: Screening::Pending { sequences },
            evidence: Vec::new(),
        };
        route.evidence = words(&route);
        Ok(Ok(route))
    }

    /// The driving force, or why there is none.
    fn force(
        &self,
        thermo: &Thermodynamics,
        part: &Universe,
        made: &Scenario<'_>,
        fluxes: &[f64],
    ) -> Result<Result<Forced, Text>> {
        let mut compounds: Vec<String> = Vec::new();
        let (mut steps, mut names) = (Vec::new(), Vec::new());
        let own = |id: &str| part.reactions.iter().find(|r: &&Candidate| r.id == id).and_then(|r| r.energy);
        let ids = part.reactions.iter().map(|r| &r.id).chain(thermo.energies.keys().filter(|id| own(id).is_none()));
        for id in ids {
            let Some((standard, deviation)) = own(id).or_else(|| thermo.energies.get(id).copied()) else { continue };
            let j = made.reaction_named(id)?;
            let sign = match fluxes[j] {
                v if v > STILL => 1.0,
                v if v < -STILL => -1.0,
                _ => continue,
            };
            let mut stoichiometry = Vec::new();
            for &(m, coefficient) in made.reaction(j).map_or(&[][..], |r| &r.stoichiometry) {
                let name = made.metabolite(m).map_or("", |m| m.id.as_str());
                if thermo.contained.iter().any(|c| c == name) {
                    continue;
                }
                let at = compounds.iter().position(|c| c == name).unwrap_or_else(|| {
                    compounds.push(name.to_owned());
                    compounds.len() - 1
                });
                stoichiometry.push((at, sign * coefficient));
            }
            steps.push(Step { stoichiometry, standard: sign * standard, deviation });
            names.push(id.clone());
        }
        let unknown = part.reactions.iter().filter(|r| r.energy.is_none() && !thermo.energies.contains_key(&r.id)).count();
        if steps.is_empty() {
            return Ok(Ok(Forced { unknown, ..Forced::default() }));
        }
        if !(thermo.kelvin.is_finite() && thermo.kelvin > 0.0) {
            return Err(Error::input("E-FLUX-132", "温度が正の数ではありません", "the temperature is not above zero")
                .at(Place::field("thermodynamics.kelvin")));
        }
        let between = |name: &String| {
            let (lower, upper) = thermo.concentrations.get(name).copied().unwrap_or(thermo.range);
            Concentration { lower, upper }
        };
        let pathway = Pathway {
            steps,
            compounds: compounds.iter().map(between).collect(),
            ratios: Vec::new(),
            thermal: thermal_energy(thermo.kelvin),
            spread: thermo.spread,
        };
        Ok(match driving_force(&pathway)? {
            Ok(found) if found.force > thermo.least => {
                Ok(Forced { force: Some(found.force), driving: names.into_iter().zip(found.driving).collect(), unknown })
            }
            Ok(found) => {
                let tight = (0..names.len()).max_by(|&a, &b| found.bottlenecks[a].total_cmp(&found.bottlenecks[b]));
                let tight = tight.map_or("", |at| names[at].as_str());
                Err(Text::new(
                    format!("駆動力 {:.2} kJ/mol が下限 {} を超えません。律速は {tight}。", found.force, thermo.least),
                    format!("The driving force {:.2} kJ/mol is not above {}; {tight} limits it.", found.force, thermo.least),
                ))
            }
            Err(_) => Err(Text::new("濃度の範囲が互いに矛盾します。", "The concentrations contradict each other.")),
        })
    }
}

fn words(route: &Route) -> Vec<Text> {
    let ids = route.ids().join(", ");
    let moles = route.yields.moles.unwrap_or(0.0);
    let mut list = vec![Text::new(
        format!("反応 {} 個({ids})で {:.3} mmol/g/h、収率 {moles:.3} mol/mol。", route.steps.len(), route.most),
        format!("{} reactions ({ids}) make {:.3} mmol/g/h, yield {moles:.3} mol/mol.", route.steps.len(), route.most),
    )];
    let taken: Vec<String> = route.balance.iter().map(|(id, v)| format!("{id} {v:+.2}")).collect();
    let taken = taken.join(", ");
    list.push(Text::new(format!("生成物あたりの収支:{taken}。"), format!("Balance for each product: {taken}.")));
    match route.force {
        Some(force) => list.push(Text::new(
            format!("最大・最小駆動力 {force:.2} kJ/mol(エネルギー不明の反応 {} 個)。", route.unknown),
            format!("Max–min driving force {force:.2} kJ/mol ({} reactions of unknown energy).", route.unknown),
        )),
        None => list.push(Text::new("駆動力は確かめていません。", "The driving force was not looked at.")),
    }
    if let Screening::Pending { sequences } = &route.screening {
        let names = sequences.join(", ");
        list.push(Text::new(format!("配列の照合がまだです:{names}。"), format!("Not screened yet: {names}.")));
    }
    list
}
