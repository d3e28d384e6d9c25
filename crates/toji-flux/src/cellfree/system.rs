//! A cascade read: units taken off, names resolved, balances proved, right-hand side and its derivative.

use super::balance;
use super::cascade::Cascade;
use super::law::{Names, concentration, needs_mass, read_reaction};
use super::number::{Dual, Number};
use super::rate::Rate;
use super::rodas::Slopes;
use super::wrong;
use crate::model::Formula;
use std::collections::BTreeMap;
use toji_core::{Quantity, Result, Unit, substance};

/// Greatest numbers of species, enzymes and reactions each.
const SIZE_MAX: usize = 200;

/// A species, read.
#[derive(Debug, Clone)]
pub(super) struct Compound {
    pub(super) id: String,
    /// mmol/L.
    pub(super) start: f64,
    pub(super) held: bool,
    /// g/mol.
    pub(super) molar_mass: f64,
    pub(super) formula: Formula,
    pub(super) charge: i32,
}

/// An enzyme, read.
#[derive(Debug, Clone)]
pub(super) struct Catalyst {
    pub(super) id: String,
    /// mmol/L.
    pub(super) loading: f64,
    /// g/mol.
    pub(super) molar_mass: Option<f64>,
    /// 1/h.
    pub(super) decay: f64,
}

/// A reaction, read.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) id: String,
    pub(super) stoichiometry: Vec<(usize, f64)>,
    pub(super) rate: Rate,
    pub(super) depends_on: Vec<usize>,
}

/// A feed, read: h, L/h, mmol/L.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    pub(super) from: f64,
    pub(super) until: f64,
    pub(super) flow: f64,
    pub(super) content: Vec<(usize, f64)>,
}

/// A cascade, read. States: amounts of the species (mmol), amounts of active enzymes (mmol), volume (L), extents of the
/// reactions (mmol).
#[derive(Debug, Clone)]
pub(super) struct System {
    pub(super) species: Vec<Compound>,
    pub(super) enzymes: Vec<Catalyst>,
    pub(super) steps: Vec<Step>,
    pub(super) streams: Vec<Stream>,
    pub(super) volume: f64,
    pub(super) substrate: usize,
    pub(super) product: usize,
    pub(super) greatest_yield: f64,
    pub(super) cofactors: Vec<(String, Vec<usize>)>,
}

/// A quantity in a unit.
pub(super) fn value(of: &Quantity, unit: &str, field: &str) -> Result<f64> {
    let found = of.unit.convert(of.value, &Unit::parse(unit)?).map_err(|e| e.at(toji_core::Place::field(field)))?;
    if found.is_finite() {
        return Ok(found);
    }
    Err(wrong(field, "有限の数ではありません", "it is not a finite number"))
}

/// A quantity that is not negative, or above zero.
pub(super) fn amount(of: &Quantity, unit: &str, field: &str, above: bool) -> Result<f64> {
    let found = value(of, unit, field)?;
    if found > 0.0 || (!above && found == 0.0) {
        return Ok(found);
    }
    Err(if above {
        wrong(field, "0 より大きくなければなりません", "it must be above zero")
    } else {
        wrong(field, "負の値です", "it is negative")
    })
}

fn numbered<'a>(ids: impl Iterator<Item = &'a String>, field: &str) -> Result<BTreeMap<&'a str, usize>> {
    let mut map = BTreeMap::new();
    for (at, id) in ids.enumerate() {
        if id.is_empty() || map.insert(id.as_str(), at).is_some() {
            let (ja, en) = ("識別子が空か、重複しています", "the identifier is blank or used twice");
            return Err(wrong(format!("{field}[{at}].id"), ja, en));
        }
        if at >= SIZE_MAX {
            return Err(wrong(field, format!("{SIZE_MAX} 個までです"), format!("there may be {SIZE_MAX} at most")));
        }
    }
    Ok(map)
}

impl System {
    /// Reads a cascade.
    ///
    /// # Errors
    /// `E-FLUX-100` for an entry that cannot be, `E-FLUX-101` for reactions off balance, those of units.
    pub(super) fn new(cascade: &Cascade) -> Result<Self> {
        let mut formulas = BTreeMap::new();
        let mut species = Vec::new();
        let names = numbered(cascade.species.iter().map(|s| &s.id), "species")?;
        for (at, s) in cascade.species.iter().enumerate() {
            let field = format!("species[{at}].formula");
            let formula = Formula::parse(&s.formula).map_err(|e| wrong(&field, e.ja, e.en))?;
            if formula.atoms.is_empty() {
                return Err(wrong(field, "組成がありません", "it has no atoms"));
            }
            let molar_mass = substance::molar_mass_g_per_mol(&s.formula).map_err(|e| e.at(toji_core::Place::field(field)))?;
            let start = concentration(&s.start, molar_mass, &format!("species[{at}].start"))?;
            species.push(Compound {
                id: s.id.clone(),
                start,
                held: s.held,
                molar_mass,
                formula: formula.clone(),
                charge: s.charge,
            });
            formulas.insert(s.id.as_str(), formula);
        }
        let enzyme_names = numbered(cascade.enzymes.iter().map(|e| &e.id), "enzymes")?;
        let enzymes = read_enzymes(cascade)?;
        let names = Names { species: names, enzymes: enzyme_names, molar_masses: species.iter().map(|s| s.molar_mass).collect() };
        numbered(cascade.reactions.iter().map(|r| &r.id), "reactions")?;
        if cascade.reactions.is_empty() {
            return Err(wrong("reactions", "反応がありません", "there is no reaction"));
        }
        let steps: Vec<Step> = cascade
            .reactions
            .iter()
            .enumerate()
            .map(|(at, r)| read_reaction(r, &format!("reactions[{at}]"), &names, &species, &enzymes))
            .collect::<Result<_>>()?;
        balance::prove(cascade, &formulas)?;
        let substrate = names.species(&cascade.substrate, "substrate")?;
        let product = names.species(&cascade.product, "product")?;
        if substrate == product || species[product].held {
            return Err(wrong("product", "基質と同じか、濃度一定の成分です", "it is the substrate, or held"));
        }
        if !(cascade.greatest_yield.is_finite() && cascade.greatest_yield > 0.0) {
            return Err(wrong("greatest_yield", "正の数ではありません", "it is not above zero"));
        }
        let mut cofactors = Vec::new();
        for (at, c) in cascade.cofactors.iter().enumerate() {
            let field = format!("cofactors[{at}].forms");
            let forms = c.forms.iter().map(|f| names.species(f, &field)).collect::<Result<_>>()?;
            cofactors.push((c.name.clone(), forms));
        }
        let volume = cascade.volume.as_ref().map_or(Ok(1.0), |v| amount(v, "L", "volume", true))?;
        let streams = read_feeds(cascade, &names, &species)?;
        let greatest_yield = cascade.greatest_yield;
        Ok(Self { species, enzymes, steps, streams, volume, substrate, product, greatest_yield, cofactors })
    }

    /// Number of states.
    pub(super) fn size(&self) -> usize {
        self.species.len() + self.enzymes.len() + 1 + self.steps.len()
    }
    /// Where the volume stands.
    pub(super) fn volume_at(&self) -> usize {
        self.species.len() + self.enzymes.len()
    }
    /// The state at the start.
    pub(super) fn start(&self) -> Vec<f64> {
        let species = self.species.iter().map(|s| s.start * self.volume);
        let enzymes = self.enzymes.iter().map(|e| e.loading * self.volume);
        let mut y: Vec<f64> = species.chain(enzymes).chain([self.volume]).collect();
        y.resize(self.size(), 0.0);
        y
    }
    /// Concentration of a species at a state, mmol/L.
    pub(super) fn concentration(&self, y: &[f64], species: usize) -> f64 {
        if self.species[species].held { self.species[species].start } else { y[species] / y[self.volume_at()] }
    }
    /// Amount of a species that came with the feeds by a time, mmol.
    pub(super) fn fed(&self, species: usize, time: f64) -> f64 {
        let of = |s: &Stream| s.content.iter().filter(|c| c.0 == species).map(|c| c.1).sum::<f64>();
        self.streams.iter().map(|s| s.flow * (time.min(s.until) - s.from).max(0.0) * of(s)).sum()
    }
    /// Amount at the start and fed by a time, mmol.
    pub(super) fn supplied(&self, species: usize, time: f64) -> f64 {
        self.species[species].start * self.volume + self.fed(species, time)
    }
    /// The balances that change amounts: reactions over the species that are not held.
    pub(super) fn moving(&self, step: &Step) -> Vec<(usize, f64)> {
        step.stoichiometry.iter().copied().filter(|t| !self.species[t.0].held).collect()
    }
}

fn read_enzymes(cascade: &Cascade) -> Result<Vec<Catalyst>> {
    let mut enzymes = Vec::new();
    for (at, e) in cascade.enzymes.iter().enumerate() {
        let field = |what: &str| format!("enzymes[{at}].{what}");
        let molar_mass = e.molar_mass.as_ref().map(|m| amount(m, "g/mol", &field("molar_mass"), true)).transpose()?;
        let by_mass = e.loading.unit.commensurable(&Unit::parse("g/L")?);
        let loading = match (by_mass, molar_mass) {
            (true, None) => return Err(needs_mass(&field("molar_mass"))),
            (true, Some(m)) => amount(&e.loading, "g/L", &field("loading"), false)? / m * 1000.0,
            (false, _) => amount(&e.loading, "mmol/L", &field("loading"), false)?,
        };
        let decay = e.inactivation.as_ref().map_or(Ok(0.0), |k| amount(k, "/h", &field("inactivation"), false))?;
        enzymes.push(Catalyst { id: e.id.clone(), loading, molar_mass, decay });
    }
    Ok(enzymes)
}

fn read_feeds(cascade: &Cascade, names: &Names<'_>, species: &[Compound]) -> Result<Vec<Stream>> {
    let mut streams = Vec::new();
    for (at, feed) in cascade.feeds.iter().enumerate() {
        let field = |what: &str| format!("feeds[{at}].{what}");
        let from = amount(&feed.from, "h", &field("from"), false)?;
        let until = amount(&feed.until, "h", &field("until"), true)?;
        if until <= from {
            return Err(wrong(field("until"), "開始より後ではありません", "it is not after the beginning"));
        }
        let flow = amount(&feed.flow, "L/h", &field("flow"), false)?;
        let mut content = Vec::new();
        for (id, c) in &feed.content {
            let field = field(&format!("content.{id}"));
            let i = names.species(id, &field)?;
            if species[i].held {
                return Err(wrong(field, "濃度一定の成分です", "the species is held"));
            }
            content.push((i, concentration(c, species[i].molar_mass, &field)?));
        }
        streams.push(Stream { from, until, flow, content });
    }
    Ok(streams)
}

/// A system while the feeds are as they are.
pub(super) struct Phase<'a> {
    pub(super) system: &'a System,
    /// Flow, L/h.
    pub(super) flow: f64,
    /// Amounts fed, mmol/h by species.
    pub(super) fed: Vec<f64>,
}

impl<'a> Phase<'a> {
    /// The feeds as they are at a time.
    pub(super) fn new(system: &'a System, time: f64) -> Self {
        let mut phase = Self { system, flow: 0.0, fed: vec![0.0; system.species.len()] };
        for stream in system.streams.iter().filter(|s| s.from <= time && time < s.until) {
            phase.flow += stream.flow;
            stream.content.iter().for_each(|(i, c)| phase.fed[*i] += c * stream.flow);
        }
        phase
    }
}

impl Slopes for Phase<'_> {
    fn slopes(&self, y: &[f64], into: &mut [f64]) {
        let s = self.system;
        let (first_enzyme, volume_at) = (s.species.len(), s.volume_at());
        let volume = y[volume_at];
        into.fill(0.0);
        into[..first_enzyme].copy_from_slice(&self.fed);
        for (k, step) in s.steps.iter().enumerate() {
            let enzyme = step.rate.enzyme.map_or(0.0, |e| y[first_enzyme + e] / volume);
            let rate = volume * step.rate.at(|i| s.concentration(y, i), enzyme);
            for &(i, coefficient) in step.stoichiometry.iter().filter(|t| !s.species[t.0].held) {
                into[i] += coefficient * rate;
            }
            into[volume_at + 1 + k] = rate;
        }
        for (e, enzyme) in s.enzymes.iter().enumerate() {
            into[first_enzyme + e] = -enzyme.decay * y[first_enzyme + e];
        }
        into[volume_at] = self.flow;
    }

    fn jacobian(&self, y: &[f64], into: &mut [f64]) {
        let s = self.system;
        let (n, first_enzyme, volume_at) = (y.len(), s.species.len(), s.volume_at());
        let volume = y[volume_at];
        into.fill(0.0);
        // The slope of a rate (mmol/h) by a state goes to all that the reaction changes.
        let mut put = |step: &Step, k: usize, state: usize, slope: f64| {
            for &(i, coefficient) in step.stoichiometry.iter().filter(|t| !s.species[t.0].held) {
                into[i * n + state] += coefficient * slope;
            }
            into[(volume_at + 1 + k) * n + state] += slope;
        };
        for (k, step) in s.steps.iter().enumerate() {
            let enzyme = step.rate.enzyme.map_or(0.0, |e| y[first_enzyme + e] / volume);
            // Rate less what it gains from all concentrations: the slope by the volume.
            let mut by_volume = step.rate.at(|i| s.concentration(y, i), enzyme);
            for &species in step.depends_on.iter().filter(|i| !s.species[**i].held) {
                let seeded = |i: usize| Dual { value: s.concentration(y, i), slope: if i == species { 1.0 } else { 0.0 } };
                let slope = step.rate.at(seeded, Dual::of(enzyme)).slope;
                by_volume -= slope * s.concentration(y, species);
                put(step, k, species, slope);
            }
            if let Some(e) = step.rate.enzyme {
                let per_enzyme = step.rate.at(|i| s.concentration(y, i), 1.0);
                by_volume -= per_enzyme * enzyme;
                put(step, k, first_enzyme + e, per_enzyme);
            }
            put(step, k, volume_at, by_volume);
        }
        for (e, enzyme) in s.enzymes.iter().enumerate() {
            into[(first_enzyme + e) * n + first_enzyme + e] = -enzyme.decay;
        }
    }
}
