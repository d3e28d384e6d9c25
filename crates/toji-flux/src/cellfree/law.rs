//! Rate laws, read: names resolved, units taken off, constants and coefficients looked at.

use super::cascade::{Law, Pair, Reaction};
use super::rate::{Rate, Shape, Site};
use super::system::{Catalyst, Compound, Step, amount};
use super::wrong;
use std::collections::BTreeMap;
use toji_core::{Quantity, Result, Unit};

/// What names stand for.
pub(super) struct Names<'a> {
    pub(super) species: BTreeMap<&'a str, usize>,
    pub(super) enzymes: BTreeMap<&'a str, usize>,
    pub(super) molar_masses: Vec<f64>,
}

impl Names<'_> {
    pub(super) fn species(&self, id: &str, field: &str) -> Result<usize> {
        self.species
            .get(id)
            .copied()
            .ok_or_else(|| wrong(field, format!("成分「{id}」はありません"), format!("there is no species \"{id}\"")))
    }
    fn enzyme(&self, id: &str, field: &str) -> Result<usize> {
        self.enzymes
            .get(id)
            .copied()
            .ok_or_else(|| wrong(field, format!("酵素「{id}」はありません"), format!("there is no enzyme \"{id}\"")))
    }
    fn constant(&self, of: &Quantity, species: usize, field: &str) -> Result<f64> {
        let found = concentration(of, self.molar_masses[species], field)?;
        if found > 0.0 {
            return Ok(found);
        }
        Err(wrong(field, "0 より大きくなければなりません", "it must be above zero"))
    }
}

/// mmol/L from an amount or a mass in a volume.
pub(super) fn concentration(of: &Quantity, molar_mass: f64, field: &str) -> Result<f64> {
    if of.unit.commensurable(&Unit::parse("g/L")?) {
        return Ok(amount(of, "g/L", field, false)? / molar_mass * 1000.0);
    }
    amount(of, "mmol/L", field, false)
}

/// An enzyme without the molar mass that is needed.
pub(super) fn needs_mass(field: &str) -> toji_core::Error {
    wrong(field, "モル質量が必要です", "the molar mass is needed")
}

/// A reaction while it is read.
struct Reader<'a> {
    names: &'a Names<'a>,
    species: &'a [Compound],
    enzymes: &'a [Catalyst],
    stoichiometry: Vec<(usize, f64)>,
    /// Where the law stands in the input.
    field: String,
}

/// Enzyme, constant, shape, equilibrium.
type Read = ((Option<usize>, f64), Shape, f64);

/// How many of the sites bind, in all.
fn bound<'s>(sites: impl IntoIterator<Item = &'s Site>) -> i32 {
    sites.into_iter().map(|s| s.count as i32).sum()
}

impl Reader<'_> {
    fn at(&self, what: &str) -> String {
        format!("{}.{what}", self.field)
    }

    /// The count of a species where it is a whole number on the side asked for.
    fn count(&self, species: usize, sign: f64) -> Result<u32> {
        let coefficient = self.stoichiometry.iter().find(|t| t.0 == species).map_or(0.0, |t| t.1 * sign);
        if (1.0..=8.0).contains(&coefficient) && coefficient.fract() == 0.0 {
            return Ok(coefficient as u32);
        }
        let id = &self.species[species].id;
        let (side_ja, side) = if sign < 0.0 { ("基質", "substrate") } else { ("生成物", "product") };
        Err(wrong(
            self.field.clone(),
            format!("「{id}」は整数係数（1–8）の{side_ja}ではありません"),
            format!("\"{id}\" is no {side} with a whole coefficient from 1 to 8"),
        ))
    }

    fn site(&self, id: &str, km: &Quantity, sign: f64) -> Result<Site> {
        let species = self.names.species(id, &self.field)?;
        let count = self.count(species, sign)?;
        Ok(Site { species, km: self.names.constant(km, species, &self.at("km"))?, count })
    }

    /// A site of a law that takes one molecule only.
    fn single(&self, id: &str, km: &Quantity, sign: f64) -> Result<Site> {
        let site = self.site(id, km, sign)?;
        if site.count == 1 {
            return Ok(site);
        }
        Err(wrong(
            self.field.clone(),
            format!("この速度式では「{id}」の係数は 1 でなければなりません"),
            format!("in this law the coefficient of \"{id}\" must be 1"),
        ))
    }

    /// An equilibrium constant in a power of mmol/L; infinite where there is none.
    fn equilibrium(&self, of: Option<&Quantity>, power: i32) -> Result<f64> {
        let Some(of) = of else { return Ok(f64::INFINITY) };
        let unit = if power == 0 { Unit::one() } else { Unit::parse("mmol/L")?.to_the(power)? };
        amount(of, unit.code(), &self.at("equilibrium"), true)
    }

    /// Enzyme and turnover number, 1/h.
    fn turnover(&self, enzyme: &str, kcat: &Quantity) -> Result<(Option<usize>, f64)> {
        let e = self.names.enzyme(enzyme, &self.at("enzyme"))?;
        let at = self.at("kcat");
        if kcat.unit.commensurable(&Unit::parse("umol/min/mg")?) {
            let mass = self.enzymes[e].molar_mass.ok_or_else(|| needs_mass(&at))?;
            // mmol/(h·g) times g/mmol.
            return Ok((Some(e), amount(kcat, "mmol/h/g", &at, true)? * mass / 1000.0));
        }
        Ok((Some(e), amount(kcat, "/h", &at, true)?))
    }

    fn law(&self, law: &Law) -> Result<Read> {
        match law {
            Law::MassAction { constant, equilibrium } => self.mass_action(constant, equilibrium.as_ref()),
            Law::MichaelisMenten { enzyme, kcat, substrate, km } => {
                let site = self.single(substrate, km, -1.0)?;
                Ok((self.turnover(enzyme, kcat)?, Shape::Saturating(site), f64::INFINITY))
            }
            Law::Reversible { enzyme, kcat, pairs, equilibrium } => {
                let read = |p: &Pair| -> Result<(Site, Site)> {
                    let substrate = self.single(&p.substrate, &p.km_substrate, -1.0)?;
                    Ok((substrate, self.single(&p.product, &p.km_product, 1.0)?))
                };
                let pairs: Vec<(Site, Site)> = pairs.iter().map(read).collect::<Result<_>>()?;
                if pairs.is_empty() {
                    return Err(wrong(self.at("pairs"), "組がありません", "there is no pair"));
                }
                Ok((self.turnover(enzyme, kcat)?, Shape::Pairs(pairs), self.equilibrium(Some(equilibrium), 0)?))
            }
            Law::Convenience { enzyme, kcat, km, equilibrium } => {
                let (shape, power) = self.convenience(km, equilibrium.is_some())?;
                Ok((self.turnover(enzyme, kcat)?, shape, self.equilibrium(equilibrium.as_ref(), power)?))
            }
            Law::OrderedBiBi { enzyme, kcat, order, km, ki, equilibrium } => {
                let site = |k: usize| self.single(&order[k], &km[k], if k < 2 { -1.0 } else { 1.0 });
                let sites = [site(0)?, site(1)?, site(2)?, site(3)?];
                let mut inhibiting = [0.0; 4];
                for (k, into) in inhibiting.iter_mut().enumerate() {
                    *into = self.names.constant(&ki[k], sites[k].species, &self.at(&format!("ki[{k}]")))?;
                }
                let equilibrium = self.equilibrium(Some(equilibrium), 0)?;
                Ok((self.turnover(enzyme, kcat)?, Shape::Ordered(sites, inhibiting), equilibrium))
            }
        }
    }

    fn mass_action(&self, constant: &Quantity, equilibrium: Option<&Quantity>) -> Result<Read> {
        let side = |sign: f64| -> Result<Vec<(usize, u32)>> {
            let there = self.stoichiometry.iter().filter(|t| t.1 * sign > 0.0 && !self.species[t.0].held);
            there.map(|t| Ok((t.0, self.count(t.0, sign)?))).collect()
        };
        let (forward, backward) = (side(-1.0)?, side(1.0)?);
        let order = |terms: &[(usize, u32)]| terms.iter().map(|t| t.1 as i32).sum::<i32>();
        let per_hour = Unit::parse("/h")?;
        let power = 1 - order(&forward);
        let unit = if power == 0 { per_hour } else { Unit::parse("mmol/L")?.to_the(power)?.times(&per_hour)? };
        let constant = amount(constant, unit.code(), &self.at("constant"), true)?;
        let equilibrium = self.equilibrium(equilibrium, order(&backward) - order(&forward))?;
        Ok(((None, constant), Shape::MassAction { forward, backward }, equilibrium))
    }

    /// The shape, and the power of a concentration that its equilibrium constant has.
    fn convenience(&self, km: &BTreeMap<String, Quantity>, reversible: bool) -> Result<(Shape, i32)> {
        let (mut substrates, mut products) = (Vec::new(), Vec::new());
        for (id, km) in km {
            let species = self.names.species(id, &self.at("km"))?;
            let consumed = self.stoichiometry.iter().any(|t| t.0 == species && t.1 < 0.0);
            let (sign, into) = if consumed { (-1.0, &mut substrates) } else { (1.0, &mut products) };
            into.push(self.site(id, km, sign)?);
        }
        if substrates.is_empty() || (reversible && products.is_empty()) {
            return Err(wrong(
                self.at("km"),
                "基質（可逆なら生成物も）のミカエリス定数がありません",
                "a substrate (and a product, where it goes back) needs a Michaelis constant",
            ));
        }
        let power = bound(&products) - bound(&substrates);
        Ok((Shape::Convenience(substrates, products), power))
    }
}

/// Reads a reaction; `field` is where it stands in the input.
pub(super) fn read_reaction(
    r: &Reaction,
    field: &str,
    names: &Names<'_>,
    species: &[Compound],
    enzymes: &[Catalyst],
) -> Result<Step> {
    let mut stoichiometry = Vec::new();
    for (id, coefficient) in &r.stoichiometry {
        let at = format!("{field}.stoichiometry.{id}");
        if !coefficient.is_finite() || *coefficient == 0.0 {
            return Err(wrong(at, "0 でない有限の数ではありません", "it is no finite number other than zero"));
        }
        stoichiometry.push((names.species(id, &at)?, *coefficient));
    }
    let reader = Reader { names, species, enzymes, stoichiometry, field: format!("{field}.law") };
    let ((enzyme, constant), shape, equilibrium) = reader.law(&r.law)?;
    let mut inhibitions = Vec::new();
    for (at, i) in r.inhibitions.iter().enumerate() {
        let field = format!("{field}.inhibitions[{at}]");
        if enzyme.is_none() {
            return Err(wrong(field, "酵素のない反応は阻害できません", "a reaction without enzyme cannot be inhibited"));
        }
        let by = names.species(&i.by, &field)?;
        inhibitions.push((by, names.constant(&i.ki, by, &format!("{field}.ki"))?, i.kind));
    }
    let rate = Rate { shape, constant, equilibrium, enzyme, inhibitions };
    Ok(Step { id: r.id.clone(), stoichiometry: reader.stoichiometry, depends_on: rate.depends_on(), rate })
}
