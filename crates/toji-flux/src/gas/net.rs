//! The net conversion: all that crosses the boundary of the cells, and what the cells are made of.

use super::compound::{Compound, Given, electrons, known, of_composition};
use super::wrong;
use crate::model::{Formula, Model};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toji_core::{Error, Result, substance};

/// Fluxes below this, over the greatest exchange, are none.
const NOTHING: f64 = 1e-10;
/// A balance within this is closed, relative to what is summed.
pub(super) const CLOSED: f64 = 1e-6;

/// A compound of the net conversion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GasTerm")]
pub struct Term {
    /// Exchange reaction.
    pub exchange: String,
    /// Metabolite.
    pub metabolite: String,
    /// Given off (positive) or taken up, mmol/(g·h).
    pub rate: f64,
    /// The same over the basis: mol per mol of product, or mmol per g of biomass.
    pub coefficient: f64,
    /// Formula, as counted here.
    pub formula: String,
    /// Charge, as counted here.
    pub charge: f64,
    /// Where composition and enthalpy come from.
    pub source: String,
}

/// What the cells are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GasBiomass")]
pub struct Biomass {
    /// Growth, 1/h.
    pub growth: f64,
    /// Was the composition found by difference of all that crosses the boundary? Else it was given.
    pub by_difference: bool,
    /// Atoms, mmol/g.
    pub atoms: BTreeMap<String, f64>,
    /// Charge, mmol/g.
    pub charge: f64,
    /// Mass of these atoms, g/g: one where the model's biomass is what it says.
    pub mass: Option<f64>,
    /// Degree of reduction, mol of electrons per mol of carbon, ammonium being zero (4.2 for CH1.8O0.5N0.2, Roels 1983).
    pub reduction: Option<f64>,
}

/// The net conversion and its balances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "GasNet")]
pub struct Net {
    /// Compounds, in the order of the model.
    pub terms: Vec<Term>,
    /// Biomass made, where the cells grow.
    pub biomass: Option<Biomass>,
    /// What is left over of each element, and of `charge`, over what is summed.
    pub elements: BTreeMap<String, f64>,
    /// What is left over of the electrons beyond the reference compounds, over what is summed; none with an element that has
    /// no valence here.
    pub electrons: Option<f64>,
    /// Are all of these within 1e-6? With biomass by difference the balance closes by construction: look at its mass.
    pub closed: bool,
}

/// A compound with its rate, as the other parts need it.
pub(super) struct Flow {
    pub(super) metabolite: String,
    /// mmol/(g·h), given off positive.
    pub(super) rate: f64,
    pub(super) compound: Compound,
}

/// All that crosses.
pub(super) struct Crossing {
    pub(super) exchanges: Vec<(usize, Flow)>,
    /// Growth in 1/h with the composition in mol/g.
    pub(super) biomass: Option<(f64, bool, Compound)>,
}

fn formula_of(atoms: &BTreeMap<String, f64>) -> String {
    atoms.iter().map(|(s, n)| if *n == 1.0 { s.clone() } else { format!("{s}{n}") }).collect()
}

/// Reads what crosses the boundary at these fluxes.
pub(super) fn crossing(
    model: &Model,
    fluxes: &[f64],
    growth: Option<usize>,
    formula: Option<&str>,
    given: &BTreeMap<String, Given>,
) -> Result<Crossing> {
    if fluxes.len() < model.reactions.len() || fluxes.iter().any(|v| !v.is_finite()) {
        return Err(wrong("fluxes", "モデルの反応ごとの有限の数ではありません", "they are no finite number for each reaction"));
    }
    for id in given.keys() {
        model.metabolite_named(id)?;
    }
    let made_by_growth =
        |m: usize| growth.is_some_and(|g| model.reactions[g].stoichiometry.iter().any(|t| t.0 == m && t.1 > 0.0));
    let mut crossing: Vec<(usize, usize, f64)> = Vec::new();
    for (r, reaction) in model.reactions.iter().enumerate() {
        let mut balanced = reaction.stoichiometry.iter().filter(|t| !model.metabolites[t.0].boundary);
        let (Some(&(m, coefficient)), None) = (balanced.next(), balanced.next()) else { continue };
        let is_biomass =
            made_by_growth(m) && known(&model.metabolites[m].id).is_none() && !given.contains_key(&model.metabolites[m].id);
        if Some(r) != growth && !is_biomass {
            crossing.push((r, m, -coefficient * fluxes[r]));
        }
    }
    let greatest = crossing.iter().fold(0.0_f64, |a, c| a.max(c.2.abs()));
    let mut exchanges = Vec::new();
    let mut unknown = Vec::new();
    for (r, m, rate) in crossing.into_iter().filter(|c| c.2.abs() > NOTHING * greatest) {
        let metabolite = &model.metabolites[m];
        let compound = match given.get(&metabolite.id) {
            Some(given) => Some(given.read(&metabolite.id)?),
            None => known(&metabolite.id).or_else(|| of_model(metabolite)),
        };
        match compound {
            Some(compound) => exchanges.push((r, Flow { metabolite: metabolite.id.clone(), rate, compound })),
            None => unknown.push(metabolite.id.clone()),
        }
    }
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        return Err(Error::input(
            "E-FLUX-111",
            format!("組成の分からない成分が境界を出入りしています: {names}"),
            format!("compounds of unknown composition cross the boundary: {names}"),
        )
        .at(toji_core::Place::field("compounds"))
        .hint("compounds に組成式と電荷を指定してください", "give their formula and charge under compounds"));
    }
    let rate = growth.map_or(0.0, |g| fluxes[g]);
    let biomass = if rate > 1e-9 {
        Some(match formula {
            Some(text) => (rate, false, of_formula(text)?),
            None => (rate, true, by_difference(&exchanges, rate)),
        })
    } else {
        None
    };
    Ok(Crossing { exchanges, biomass })
}

fn of_model(metabolite: &crate::model::Metabolite) -> Option<Compound> {
    let formula = Formula::parse(metabolite.formula.as_deref()?).ok().filter(|f| !f.generic && !f.atoms.is_empty())?;
    let charge = metabolite.charge?;
    if let Some(found) = of_composition(&formula, charge) {
        return Some(found);
    }
    Some(Compound { formula, charge, formation: None, combustion: None, source: "model".into() })
}

/// A gram of biomass of a formula.
fn of_formula(text: &str) -> Result<Compound> {
    let field = "biomass_formula";
    let mut formula = Formula::parse(text).map_err(|e| wrong(field, e.ja, e.en))?;
    let mass = mass(&formula.atoms).filter(|m| *m > 0.0 && formula.atoms.contains_key("C"));
    let mass =
        mass.ok_or_else(|| wrong(field, "炭素を含む元素だけの組成が必要です", "a formula of elements with carbon is needed"))?;
    formula.atoms.values_mut().for_each(|n| *n /= mass);
    Ok(Compound { formula, charge: 0.0, formation: None, combustion: None, source: "given".into() })
}

/// What the exchanges leave behind, mol per g.
fn by_difference(exchanges: &[(usize, Flow)], growth: f64) -> Compound {
    let mut atoms: BTreeMap<String, f64> = BTreeMap::new();
    let mut sizes: BTreeMap<String, f64> = BTreeMap::new();
    let mut charge = 0.0;
    for (_, flow) in exchanges {
        charge -= flow.rate * flow.compound.charge / growth / 1000.0;
        for (symbol, n) in &flow.compound.formula.atoms {
            let amount = flow.rate * n / growth / 1000.0;
            *atoms.entry(symbol.clone()).or_default() -= amount;
            *sizes.entry(symbol.clone()).or_default() += amount.abs();
        }
    }
    // What cancels to rounding is none.
    atoms.retain(|symbol, n| n.abs() > 1e-9 * sizes.get(symbol).copied().unwrap_or_default());
    Compound {
        formula: Formula { atoms, generic: false },
        charge,
        formation: None,
        combustion: None,
        source: "difference".into(),
    }
}

fn mass(atoms: &BTreeMap<String, f64>) -> Option<f64> {
    atoms.iter().try_fold(0.0, |sum, (symbol, n)| Some(sum + n * substance::molar_mass_g_per_mol(symbol).ok()?))
}

impl Crossing {
    /// Rates (mmol, or g for biomass, per g and hour) with compounds (per mol, or per mmol of 1000 g: the unit cancels).
    pub(super) fn all(&self) -> impl Iterator<Item = (f64, &Compound)> {
        let exchanges = self.exchanges.iter().map(|(_, f)| (f.rate, &f.compound));
        // Composition in mol/g times g/h is mol/h: a thousand mmol.
        exchanges.chain(self.biomass.iter().map(|(growth, _, c)| (growth * 1000.0, c)))
    }

    /// Rate of a compound given off less taken up, by the names that models have for it.
    pub(super) fn rate(&self, bare: &str) -> f64 {
        let is = |f: &Flow| known(bare).is_some_and(|k| k.formula == f.compound.formula && k.charge == f.compound.charge);
        self.exchanges.iter().filter(|(_, f)| is(f)).map(|(_, f)| f.rate).sum()
    }

    /// The conversion over a basis: terms divided by `over`.
    pub(super) fn net(&self, model: &Model, over: f64) -> Net {
        let terms = self.exchanges.iter().map(|(r, f)| Term {
            exchange: model.reactions[*r].id.clone(),
            metabolite: f.metabolite.clone(),
            rate: f.rate,
            coefficient: f.rate / over,
            formula: formula_of(&f.compound.formula.atoms),
            charge: f.compound.charge,
            source: f.compound.source.clone(),
        });
        let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        let mut free = Some((0.0, 0.0));
        for (rate, compound) in self.all() {
            let mut add = |what: &str, amount: f64| {
                let sum = sums.entry(what.to_owned()).or_default();
                *sum = (sum.0 + amount, sum.1 + amount.abs());
            };
            add("charge", rate * compound.charge);
            compound.formula.atoms.iter().for_each(|(symbol, n)| add(symbol, rate * n));
            let carried = electrons(&compound.formula, compound.charge).map(|e| e * rate);
            free = free.zip(carried).map(|((sum, size), e)| (sum + e, size + e.abs()));
        }
        let share = |(sum, size): (f64, f64)| if size > 0.0 { sum / size } else { 0.0 };
        let elements: BTreeMap<String, f64> = sums.into_iter().map(|(what, sum)| (what, share(sum))).collect();
        let electrons = free.map(share);
        let closed = elements.values().chain(&electrons).all(|off| off.abs() <= CLOSED);
        Net { terms: terms.collect(), biomass: self.biomass.as_ref().map(describe), elements, electrons, closed }
    }
}

fn describe((growth, by_difference, compound): &(f64, bool, Compound)) -> Biomass {
    let carbon = compound.formula.atoms.get("C").copied().unwrap_or_default();
    let electrons = electrons(&compound.formula, compound.charge);
    Biomass {
        growth: *growth,
        by_difference: *by_difference,
        atoms: compound.formula.atoms.iter().map(|(s, n)| (s.clone(), n * 1000.0)).collect(),
        charge: compound.charge * 1000.0,
        mass: mass(&compound.formula.atoms),
        reduction: electrons.filter(|_| carbon > 0.0).map(|e| e / carbon),
    }
}
