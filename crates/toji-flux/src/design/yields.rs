//! Yields of a product on a feedstock.

use crate::model::{Formula, Scenario};

/// Standard atomic weights (IUPAC 2021, abridged) of the elements metabolites are made of, g/mol.
const WEIGHTS: [(&str, f64); 20] = [
    ("H", 1.008),
    ("C", 12.011),
    ("N", 14.007),
    ("O", 15.999),
    ("F", 18.998),
    ("Na", 22.990),
    ("Mg", 24.305),
    ("P", 30.974),
    ("S", 32.06),
    ("Cl", 35.45),
    ("K", 39.098),
    ("Ca", 40.078),
    ("Mn", 54.938),
    ("Fe", 55.845),
    ("Co", 58.933),
    ("Ni", 58.693),
    ("Cu", 63.546),
    ("Zn", 65.38),
    ("Se", 78.971),
    ("Mo", 95.95),
];

/// Product made for what is taken up of the feedstock. Nothing where there is no uptake or no formula.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Yields {
    /// mol/mol.
    pub moles: Option<f64>,
    /// Carbon of the product for each carbon of the feedstock, C-mol/C-mol.
    pub carbon: Option<f64>,
    /// g/g.
    pub mass: Option<f64>,
}

/// Mass of a formula, g/mol; nothing when an element is not in the list or a group stands for a rest.
#[must_use]
pub fn molar_mass(formula: &Formula) -> Option<f64> {
    if formula.generic || formula.atoms.is_empty() {
        return None;
    }
    formula.atoms.iter().try_fold(0.0, |sum, (symbol, count)| WEIGHTS.iter().find(|w| w.0 == symbol).map(|w| sum + w.1 * count))
}

/// The yields of two boundary reactions, by index, at a flux vector.
#[must_use]
pub fn yields(made: &Scenario<'_>, product: usize, feed: usize, fluxes: &[f64]) -> Yields {
    let uptake = 0.0 - outward(made, feed) * fluxes.get(feed).copied().unwrap_or(0.0);
    let out = outward(made, product) * fluxes.get(product).copied().unwrap_or(0.0);
    if uptake <= 1e-9 {
        return Yields::default();
    }
    let formulas = formula(made, product).zip(formula(made, feed));
    let moles = out / uptake;
    let of = |measure: &dyn Fn(&Formula) -> Option<f64>| {
        let (product, feed) = formulas.as_ref()?;
        let (over, under) = (measure(product)?, measure(feed)?);
        (under > 0.0).then(|| moles * over / under)
    };
    Yields { moles: Some(moles), carbon: of(&|f| Some(f.atoms.get("C").copied().unwrap_or(0.0))), mass: of(&molar_mass) }
}

/// How much of its metabolite a boundary reaction lets out for each unit of flux.
fn outward(made: &Scenario<'_>, reaction: usize) -> f64 {
    made.reaction(reaction).map_or(1.0, |r| 0.0 - r.stoichiometry.iter().map(|t| t.1).sum::<f64>())
}

/// The formula of the metabolite of a boundary reaction.
fn formula(made: &Scenario<'_>, reaction: usize) -> Option<Formula> {
    let (metabolite, _) = made.reaction(reaction)?.stoichiometry.first()?;
    Formula::parse(made.metabolite(*metabolite)?.formula.as_deref()?).ok().filter(|f| !f.atoms.is_empty())
}
