//! A plan whose numbers are the factors of a campaign: every candidate becomes a whole path, from the first purge to the
//! last, and is refused where that path comes near what could burn.
//!
//! The filter is made once, when names and units are resolved, and then asked of every candidate of a search. What
//! cannot be made into a plan is refused like what crosses: a candidate is either known to be safe or not run.

use super::mixture::Mixture;
use super::path::{Plan, first_crossing};
use super::rule::{MARGIN_FUEL, MARGIN_OXYGEN, Rules};
use crate::campaign::{Factor, Kind, Space};
use serde::{Deserialize, Serialize};
use toji_core::{Error, Place, Result, Text, Unit};

/// What a filter keeps beyond the margins, as a share of them: a search walks up to the edge, and rounding must not decide
/// whether the path of a point that was let through touches it.
const GUARD: f64 = 1e-9;

/// What number of a plan a factor sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Slot {
    /// Flow of a supply, mol/h. Where the flow holds it is this; where it is a range its upper end is this.
    ///
    /// 供給の流量、mol/h。一定の工程ではその値、範囲の工程ではその上限になる。
    Flow {
        /// Name of the supply.
        ///
        /// 供給の名前。
        supply: String,
        /// Only in this phase; in all that have the supply when missing.
        ///
        /// この工程のみ。省略時はその供給のあるすべての工程。
        #[serde(default)]
        phase: Option<String>,
    },
    /// What a supply is, by the options of a choice.
    ///
    /// 供給の組成。選択肢ごとに一つ。
    Mixture {
        /// Name of the supply.
        ///
        /// 供給の名前。
        supply: String,
        /// One composition for each option, in their order.
        ///
        /// 選択肢の順に並べた組成。
        options: Vec<Mixture>,
    },
    /// How long a phase lasts, min.
    ///
    /// 工程の長さ、分。
    Minutes {
        /// Name of the phase.
        ///
        /// 工程の名前。
        phase: String,
    },
    /// How long until the trip, min.
    ///
    /// 緊急停止までの時間、分。
    Response,
    /// Gas in the head space, mol.
    ///
    /// ヘッドスペースのガス、mol。
    HeadSpace,
}

/// A factor and what it sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Bound {
    /// Name of the factor.
    ///
    /// 因子の名前。
    pub factor: String,
    /// What it sets.
    ///
    /// 因子が決めるもの。
    pub sets: Slot,
}

/// A plan and the factors that set its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The plan; numbers that a factor sets are replaced.
    ///
    /// 計画。因子が決める数は置き換えられる。
    pub plan: Plan,
    /// What factors set.
    ///
    /// 因子が決める数。
    pub bound: Vec<Bound>,
}

/// A template for the factors of one space, under one set of rules.
#[derive(Debug, Clone)]
pub struct Filter {
    plan: Plan,
    rules: Rules,
    /// Place of the factor, factor to the unit of the slot, slot.
    sets: Vec<(usize, f64, Slot)>,
}

fn refused(factor: &str, ja: String, en: String, hint: [&str; 2]) -> Error {
    Error::input("E-GAS-015", ja, en).at(Place::field(factor)).hint(hint[0], hint[1])
}

impl Template {
    /// Resolves names and units once.
    ///
    /// # Errors
    /// A factor that the space does not have, a supply or phase that the plan does not have, a unit that does not
    /// convert, a choice without a composition for every option, rules or a plan that cannot be.
    pub fn filter(&self, space: &Space, rules: &Rules) -> Result<Filter> {
        rules.check()?;
        let mut sets = Vec::new();
        for bound in &self.bound {
            let name = &bound.factor;
            let place = space.factors().iter().position(|f| f.name == *name).ok_or_else(|| {
                refused(
                    name,
                    format!("因子「{name}」は実験計画にありません"),
                    format!("the campaign has no factor \"{name}\""),
                    ["因子の名前を確認してください", "see the names of the factors"],
                )
            })?;
            self.exists(name, &bound.sets)?;
            sets.push((place, to_unit(&space.factors()[place], &bound.sets)?, bound.sets.clone()));
        }
        let mut guarded = rules.clone();
        for rule in guarded.rules.iter_mut().filter(|r| r.id == MARGIN_FUEL || r.id == MARGIN_OXYGEN) {
            rule.value *= 1.0 - GUARD;
        }
        Ok(Filter { plan: self.plan.clone(), rules: guarded, sets })
    }

    /// Does the plan have what a slot names?
    fn exists(&self, factor: &str, slot: &Slot) -> Result<()> {
        let phases = &self.plan.phases;
        let (sort, named, found) = match slot {
            Slot::Flow { supply, phase } => {
                let of = |p: &&super::path::Phase| phase.as_ref().is_none_or(|name| *name == p.name);
                (["供給", "supply"], supply, phases.iter().filter(of).any(|p| p.inflows.iter().any(|f| f.name == *supply)))
            }
            Slot::Mixture { supply, .. } => {
                (["供給", "supply"], supply, phases.iter().any(|p| p.inflows.iter().any(|f| f.name == *supply)))
            }
            Slot::Minutes { phase } => (["工程", "phase"], phase, phases.iter().any(|p| p.name == *phase)),
            Slot::Response | Slot::HeadSpace => return Ok(()),
        };
        if found {
            return Ok(());
        }
        Err(refused(
            factor,
            format!("因子「{factor}」が決める{}「{named}」は計画にありません", sort[0]),
            format!("the plan has no {} \"{named}\", which the factor \"{factor}\" should set", sort[1]),
            ["工程と供給の名前を確認してください", "see the names of phases and supplies"],
        ))
    }
}

/// What a value of the factor is multiplied with for the slot.
fn to_unit(factor: &Factor, slot: &Slot) -> Result<f64> {
    let name = &factor.name;
    let code = match slot {
        Slot::Mixture { options: given, .. } => {
            let Kind::Choice { options } = &factor.kind else {
                return Err(refused(
                    name,
                    format!("因子「{name}」は選択肢ではないので組成を決められません"),
                    format!("the factor \"{name}\" is no choice and cannot set a composition"),
                    ["選択肢の因子にしてください", "make it a choice"],
                ));
            };
            if options.len() != given.len() {
                return Err(refused(
                    name,
                    format!("因子「{name}」の選択肢は {} 個、組成は {} 個です", options.len(), given.len()),
                    format!("the factor \"{name}\" has {} options, but {} compositions are given", options.len(), given.len()),
                    ["選択肢ごとに組成を一つ与えてください", "give one composition for each option"],
                ));
            }
            for mixture in given {
                mixture.check()?;
            }
            return Ok(1.0);
        }
        Slot::Flow { .. } => "mol/h",
        Slot::Minutes { .. } | Slot::Response => "min",
        Slot::HeadSpace => "mol",
    };
    let convert = |value: f64| factor.unit.convert(value, &Unit::parse(code)?);
    if matches!(factor.kind, Kind::Choice { .. }) || convert(0.0).is_ok_and(|zero| zero != 0.0) {
        return Err(refused(
            name,
            format!("因子「{name}」の値は {code} の数ではありません"),
            format!("the values of the factor \"{name}\" are no numbers of {code}"),
            ["数の因子にしてください", "make it a number"],
        ));
    }
    convert(1.0).map_err(|e| e.at(Place::field(name)))
}

impl Filter {
    /// The plan of a point, in the units of the factors.
    #[must_use]
    pub fn plan(&self, point: &[f64]) -> Plan {
        let mut plan = self.plan.clone();
        for (place, factor, slot) in &self.sets {
            // A point without this value becomes a plan that cannot be, and is refused as such.
            let value = point.get(*place).map_or(f64::NAN, |v| v * factor);
            match slot {
                Slot::Flow { supply, phase } => {
                    for phase in plan.phases.iter_mut().filter(|p| phase.as_ref().is_none_or(|name| *name == p.name)) {
                        for inflow in phase.inflows.iter_mut().filter(|f| f.name == *supply) {
                            let holds = inflow.low_mol_per_h >= inflow.high_mol_per_h;
                            inflow.low_mol_per_h = if holds { value } else { inflow.low_mol_per_h.min(value) };
                            inflow.high_mol_per_h = value;
                        }
                    }
                }
                Slot::Mixture { supply, options } => {
                    let chosen = options.iter().enumerate().find(|(i, _)| *i as f64 == value).map(|(_, mixture)| *mixture);
                    let nothing = Mixture { hydrogen: f64::NAN, ..Mixture::NITROGEN };
                    for inflow in plan.phases.iter_mut().flat_map(|p| &mut p.inflows).filter(|f| f.name == *supply) {
                        inflow.mixture = chosen.unwrap_or(nothing);
                    }
                }
                Slot::Minutes { phase } => {
                    for phase in plan.phases.iter_mut().filter(|p| p.name == *phase) {
                        phase.minutes = Some(value);
                    }
                }
                Slot::Response => plan.faults.response_minutes = Some(value),
                Slot::HeadSpace => plan.head_space_mol = value,
            }
        }
        plan
    }

    /// Permits a point, or says why not.
    ///
    /// # Errors
    /// The reason.
    pub fn allows(&self, point: &[f64]) -> Result<(), Text> {
        match first_crossing(&self.plan(point), &self.rules) {
            Ok(None) => Ok(()),
            Ok(Some(entry)) => Err(entry.reason),
            Err(error) => Err(error.fault().message.clone()),
        }
    }

    /// The rules it goes by, with their version.
    #[must_use]
    pub fn by(&self) -> String {
        self.rules.name()
    }
}
