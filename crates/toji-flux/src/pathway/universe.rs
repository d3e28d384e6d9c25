//! Reactions that may be brought in: from a model of any format, or from a table.

use crate::model::{Addition, Metabolite, Model, Scenario};
use std::collections::BTreeMap;
use toji_core::{Error, Place, Result};

/// A reaction that may be brought in.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Identifier.
    ///
    /// 識別子。
    pub id: String,
    /// Metabolite by identifier and coefficient: negative is consumed. Those of the host go by the host's identifiers.
    ///
    /// 代謝物の識別子と係数。負は消費。宿主の代謝物は宿主の識別子で書く。
    pub stoichiometry: Vec<(String, f64)>,
    /// Least flux, mmol/g/h, at most zero.
    ///
    /// 流束の下限（mmol/g/h、0 以下）。
    pub lower: f64,
    /// Greatest flux, mmol/g/h, at least zero.
    ///
    /// 流束の上限（mmol/g/h、0 以上）。
    pub upper: f64,
    /// Cost, above zero.
    ///
    /// 費用（0 より大きい数）。
    #[serde(default = "one")]
    pub cost: f64,
    /// Gene or enzyme that is to be brought in.
    ///
    /// 導入する遺伝子または酵素。
    #[serde(default)]
    pub enzyme: Option<String>,
    /// `ΔG'°` in the direction written and its standard deviation, kJ/mol.
    ///
    /// 書いた向きの ΔG'° と標準偏差（kJ/mol）。
    #[serde(default)]
    pub energy: Option<(f64, f64)>,
    /// Where it is described.
    ///
    /// 出典。
    #[serde(default)]
    pub source: Option<String>,
}

fn one() -> f64 {
    1.0
}

/// Reactions that may be brought in, and formulas of what the host lacks.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Universe {
    /// Reactions.
    ///
    /// 反応。
    pub reactions: Vec<Candidate>,
    /// Chemical formulas by metabolite, for yields.
    ///
    /// 代謝物の化学式。収率に使う。
    #[serde(default)]
    pub formulas: BTreeMap<String, String>,
}

impl Universe {
    /// The reactions of a model that the host has not, boundary reactions apart, each at a cost of one. Metabolites are
    /// matched by identifier.
    #[must_use]
    pub fn of_model(universe: &Model, host: &Model) -> Self {
        let boundaries = universe.boundaries();
        let mut made = Self::default();
        for (j, reaction) in universe.reactions.iter().enumerate() {
            if boundaries[j].is_some() || host.reaction(&reaction.id).is_some() || reaction.stoichiometry.is_empty() {
                continue;
            }
            let name = |m: usize| universe.metabolites[m].id.clone();
            made.reactions.push(Candidate {
                id: reaction.id.clone(),
                stoichiometry: reaction.stoichiometry.iter().map(|t| (name(t.0), t.1)).collect(),
                lower: reaction.lower.min(0.0),
                upper: reaction.upper.max(0.0),
                cost: 1.0,
                enzyme: reaction.name.clone(),
                energy: None,
                source: None,
            });
            for &(m, _) in &reaction.stoichiometry {
                let metabolite = &universe.metabolites[m];
                if let Some(formula) = metabolite.formula.as_ref().filter(|_| host.metabolite(&metabolite.id).is_none()) {
                    made.formulas.insert(metabolite.id.clone(), formula.clone());
                }
            }
        }
        made
    }

    /// Checks bounds and costs.
    ///
    /// # Errors
    /// `E-FLUX-130`, naming the reaction.
    pub(super) fn check(&self) -> Result<()> {
        for r in &self.reactions {
            let bounds = r.lower <= 0.0 && r.upper >= 0.0;
            let cost = r.cost > 0.0 && r.cost.is_finite();
            let energy = r.energy.is_none_or(|e| e.0.is_finite() && e.1.is_finite() && e.1 >= 0.0);
            if !(bounds && cost && energy) {
                return Err(wrong(&r.id, ("上下限・費用・エネルギーが範囲外です", "bounds, cost or energy are out of range")));
            }
        }
        Ok(())
    }

    /// The host with all reactions of the universe and a demand for the product.
    ///
    /// # Errors
    /// `E-MODEL-012` for a name that is taken or a number that is none, `E-MODEL-010` when nothing speaks of the product.
    pub(super) fn over<'m>(&self, host: &Scenario<'m>, product: &str, demand: &str) -> Result<Scenario<'m>> {
        let mut all = host.clone();
        for (id, formula) in &self.formulas {
            if all.metabolite_named(id).is_err() {
                all.add_metabolite(Metabolite { id: id.clone(), formula: Some(formula.clone()), ..Metabolite::default() })?;
            }
        }
        for r in &self.reactions {
            all.add_reaction(&Addition {
                id: r.id.clone(),
                name: r.enzyme.clone(),
                stoichiometry: r.stoichiometry.clone(),
                lower: r.lower,
                upper: r.upper,
            })?;
        }
        all.metabolite_named(product)?;
        all.add_reaction(&Addition {
            id: demand.to_owned(),
            name: None,
            stoichiometry: vec![(product.to_owned(), -1.0)],
            lower: 0.0,
            upper: f64::INFINITY,
        })?;
        Ok(all)
    }
}

fn wrong(id: &str, what: (&str, &str)) -> Error {
    Error::input("E-FLUX-130", format!("{id}:{}", what.0), format!("{id}: {}", what.1)).at(Place::field(id)).hint(
        "下限は 0 以下、上限は 0 以上、費用は正の数にしてください",
        "let lower bounds be at most zero, upper ones at least zero, costs above zero",
    )
}

/// Reads a table of reactions with a heading: `id;equation;cost;energy;deviation;enzyme;source`, of which cost and what follows
/// may be left out or blank. An equation is `a + 2 b -> c` or `a <=> c` in the identifiers of the host; `#` begins a remark.
/// Fluxes go up to 1,000 mmol/g/h.
///
/// # Errors
/// `E-FLUX-131`, naming the line.
pub fn table(text: &str) -> Result<Universe> {
    let mut universe = Universe::default();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    for (at, line) in lines.skip(1) {
        let fail = || {
            Error::input("E-FLUX-131", "行が反応になっていません", "the line is no reaction")
                .at(Place::line(at as u64 + 1))
                .hint("例: R1;a_c + 2 b_c -> c_c;1;-5.2", "example: R1;a_c + 2 b_c -> c_c;1;-5.2")
        };
        let mut parts = line.split(';').map(str::trim);
        let id = parts.next().filter(|id| !id.is_empty()).ok_or_else(fail)?;
        let equation = parts.next().ok_or_else(fail)?;
        let mut number = |otherwise: Option<f64>| match parts.next() {
            None | Some("") => Ok(otherwise),
            Some(text) => text.parse().ok().filter(|v: &f64| v.is_finite()).map(Some).ok_or_else(fail),
        };
        let (cost, energy, deviation) = (number(Some(1.0))?, number(None)?, number(Some(0.0))?);
        let mut word = || parts.next().filter(|w| !w.is_empty()).map(str::to_owned);
        let (stoichiometry, reversible) = self::equation(equation).ok_or_else(fail)?;
        universe.reactions.push(Candidate {
            id: id.to_owned(),
            stoichiometry,
            lower: if reversible { -1000.0 } else { 0.0 },
            upper: 1000.0,
            cost: cost.unwrap_or(1.0),
            enzyme: word(),
            source: word(),
            energy: energy.map(|e| (e, deviation.unwrap_or(0.0))),
        });
    }
    universe.check()?;
    Ok(universe)
}

/// Reads an equation; whether it goes both ways.
fn equation(text: &str) -> Option<(Vec<(String, f64)>, bool)> {
    let (sides, reversible) = match text.split_once("<=>") {
        Some(sides) => (sides, true),
        None => (text.split_once("->")?, false),
    };
    let mut terms = Vec::new();
    for (side, sign) in [(sides.0, -1.0), (sides.1, 1.0)] {
        for part in side.split(" + ").map(str::trim).filter(|p| !p.is_empty()) {
            let mut words = part.split_whitespace();
            let (first, second) = (words.next()?, words.next());
            let (count, name) = match second {
                Some(name) => (first.parse::<f64>().ok().filter(|c| *c > 0.0 && c.is_finite())?, name),
                None => (1.0, first),
            };
            if words.next().is_some() {
                return None;
            }
            terms.push((name.to_owned(), sign * count));
        }
    }
    (!terms.is_empty()).then_some((terms, reversible))
}
