//! From the document as written to the parts of a model: names looked up, values evaluated.

use super::identify::{Names, names};
use super::raw::{Association, Common, Participant, Raw};
use super::read::Options;
use super::value::Values;
use crate::io::Reading;
use crate::io::findings::{Findings, GEM_002, GEM_003, GEM_W02, GEM_W03};
use crate::io::json::rule;
use crate::model::{
    Annotation, Constraint, ConstraintTerm, Gene, Gpr, Group, Member, Metabolite, Notes, Objective, Parts, Reaction, Variable,
};
use std::collections::HashMap;
use toji_core::{Place, Result};

const SPELLING: (&str, &str) = ("加えるか、綴りを直してください", "add it, or correct the spelling");

/// The place of an element by its line.
pub(super) fn place(line: u64, element: &str, id: &str) -> Place {
    Place::line(line).at_field(format!("{element} {id}"))
}

/// Makes the model.
pub(super) fn resolve(mut raw: Raw, mut findings: Findings, options: &Options) -> Result<Reading> {
    let names = names(&raw, options.identifiers, &mut findings);
    for reaction in &raw.reactions {
        for participant in &reaction.participants {
            if let Some(id) = &participant.id {
                raw.values.entry(id.to_string()).or_insert(super::raw::Value { value: participant.stoichiometry });
            }
        }
    }
    let mut parts = Parts {
        id: std::mem::take(&mut raw.common.id),
        name: raw.common.name.take(),
        compartments: std::mem::take(&mut raw.compartments),
        annotation: std::mem::take(&mut raw.common.annotation),
        notes: std::mem::take(&mut raw.common.notes),
        ..Parts::default()
    };
    let species: Vec<About> = raw.species.iter_mut().map(|s| About::of(&mut s.common)).collect();
    let genes: Vec<About> = raw.genes.iter_mut().map(About::of).collect();
    let reactions: Vec<About> = raw.reactions.iter_mut().map(|r| About::of(&mut r.common)).collect();
    let mut resolver = Resolver::new(&raw, findings, names);
    parts.metabolites = species.into_iter().enumerate().map(|(i, about)| resolver.metabolite(i, about)).collect();
    parts.genes = genes.into_iter().enumerate().map(|(i, about)| resolver.gene(i, about)).collect();
    parts.reactions.reserve(reactions.len());
    for (index, about) in reactions.into_iter().enumerate() {
        let reaction = resolver.reaction(index, about, &mut parts.genes);
        parts.reactions.push(reaction);
    }
    resolver.objectives(&mut parts);
    parts.constraints = (0..raw.constraints.len()).map(|i| resolver.constraint(i)).collect();
    resolver.groups(&mut parts);
    let (model, findings) = resolver.findings.finish(parts, "SBML")?;
    Ok(Reading { model, findings })
}

/// What an element says about itself, taken out of the document.
struct About {
    name: Option<String>,
    annotation: Annotation,
    notes: Notes,
}

impl About {
    fn of(common: &mut Common) -> Self {
        let (annotation, notes) = (std::mem::take(&mut common.annotation), std::mem::take(&mut common.notes));
        Self { name: common.name.take(), annotation, notes }
    }
}

struct Resolver<'r> {
    raw: &'r Raw,
    findings: Findings,
    values: Values<'r>,
    names: Names,
    /// Metabolite by number of the name.
    species: Vec<Option<usize>>,
    symbols: Vec<&'r str>,
    reactions: HashMap<&'r str, usize>,
    gene_products: HashMap<&'r str, usize>,
    /// Genes by the name a rule in the notes calls them.
    genes: HashMap<String, usize>,
    /// Bounds of FBC version 1.
    listed: HashMap<&'r str, (f64, f64)>,
}

impl<'r> Resolver<'r> {
    fn new(raw: &'r Raw, findings: Findings, names: Names) -> Self {
        let symbols = raw.symbols();
        let by_name: HashMap<&str, usize> = raw.species.iter().enumerate().map(|(i, s)| (s.common.id.as_str(), i)).collect();
        let mut resolver = Self {
            raw,
            findings,
            values: Values::new(raw),
            species: symbols.iter().map(|s| by_name.get(s).copied()).collect(),
            symbols,
            reactions: raw.reactions.iter().enumerate().map(|(i, r)| (r.common.id.as_str(), i)).collect(),
            gene_products: raw.genes.iter().enumerate().map(|(i, g)| (g.id.as_str(), i)).collect(),
            genes: names.genes.iter().enumerate().map(|(i, g)| (g.clone(), i)).collect(),
            names,
            listed: HashMap::new(),
        };
        for bound in &raw.bounds {
            let wrong = bound.value.is_nan()
                || bound.side.0 && bound.value == f64::INFINITY
                || bound.side.1 && bound.value == f64::NEG_INFINITY;
            if wrong || !resolver.reactions.contains_key(bound.reaction.as_str()) {
                let (code, words) = match wrong {
                    true => (GEM_002, (format!("境界の値 {} は使えません", bound.value), format!("{} is no bound", bound.value))),
                    false => (GEM_003, absent("反応", "reaction", &bound.reaction)),
                };
                resolver.findings.fault(code, place(bound.line, "fluxBound", &bound.reaction), words, SPELLING);
                continue;
            }
            let entry = resolver.listed.entry(&bound.reaction).or_insert((f64::NEG_INFINITY, f64::INFINITY));
            if bound.side.0 {
                entry.0 = entry.0.max(bound.value);
            }
            if bound.side.1 {
                entry.1 = entry.1.min(bound.value);
            }
        }
        resolver
    }

    /// The value of an identifier; a fault at the place when it has none.
    fn value(&mut self, id: &str, place: impl Fn() -> Place) -> Option<f64> {
        match self.values.get(id) {
            Ok(value) if !value.is_nan() => Some(value),
            found => {
                let why = found.err().unwrap_or_else(|| ("非数です".into(), "it is not a number".into()));
                let words = (format!("{id} の値が決まりません: {}", why.0), format!("{id} has no value: {}", why.1));
                let remedy = ("値か、定数になる式を与えてください", "give it a value, or a formula that is constant");
                self.findings.fault(GEM_003, place(), words, remedy);
                None
            }
        }
    }

    fn metabolite(&mut self, index: usize, about: About) -> Metabolite {
        let species = &self.raw.species[index];
        let About { name, annotation, mut notes } = about;
        let formula = species.formula.clone().or_else(|| taken(&mut notes, &["FORMULA"]));
        let charge = species.charge.or_else(|| taken(&mut notes, &["CHARGE"]).and_then(|c| c.parse().ok()));
        Metabolite {
            id: std::mem::take(&mut self.names.species[index]),
            name,
            compartment: species.compartment.clone(),
            formula,
            charge,
            boundary: species.boundary,
            annotation,
            notes,
        }
    }

    fn gene(&mut self, index: usize, about: About) -> Gene {
        let About { name, annotation, notes } = about;
        Gene { id: std::mem::take(&mut self.names.genes[index]), name, annotation, notes }
    }

    fn reaction(&mut self, index: usize, about: About, genes: &mut Vec<Gene>) -> Reaction {
        let raw = &self.raw.reactions[index];
        let here = || place(raw.common.line, "reaction", &raw.common.id);
        let About { name, annotation, mut notes } = about;
        let stoichiometry = raw.participants.iter().filter_map(|p| self.participant(p)).collect();
        let (lower, upper) = self.bounds(index, here);
        let mut gpr = raw.association.as_ref().and_then(|a| self.association(a));
        if let Some(text) = taken(&mut notes, &["GENE_ASSOCIATION", "GENE ASSOCIATION"]).filter(|_| gpr.is_none()) {
            match rule(&text, &mut self.genes, genes).0 {
                Ok(rule) => gpr = rule,
                Err(why) => self.findings.warn(
                    GEM_W03,
                    here(),
                    (
                        format!("遺伝子の規則が読めず、規則なしとしました: {}", why.ja),
                        format!("a gene rule is unreadable, and the reaction was left without: {}", why.en),
                    ),
                    ("and・or・括弧で書き直してください", "write it with and, or and brackets"),
                ),
            }
        }
        Reaction {
            id: std::mem::take(&mut self.names.reactions[index]),
            name,
            stoichiometry,
            lower,
            upper,
            gpr,
            subsystem: taken(&mut notes, &["SUBSYSTEM"]),
            annotation,
            notes,
        }
    }

    fn participant(&mut self, participant: &Participant) -> Option<(usize, f64)> {
        let name = self.symbols[participant.species as usize];
        let here = || place(participant.line, "speciesReference", name);
        let Some(index) = self.species[participant.species as usize] else {
            self.findings.fault(GEM_003, here(), absent("化学種", "species", name), SPELLING);
            return None;
        };
        let set = participant.id.as_deref().filter(|id| self.values.is_set(id));
        let value = match (&participant.math, set) {
            (Some(math), _) => {
                let value = self.values.of(math);
                self.checked(value, here)?
            }
            (None, Some(id)) => self.value(id, here)?,
            (None, None) => participant.stoichiometry.unwrap_or_else(|| {
                self.findings.warn(
                    GEM_W02,
                    here(),
                    ("量論係数がなく、1 とみなしました".into(), "a stoichiometry is missing; 1 was assumed".into()),
                    ("stoichiometry を書いてください", "give the stoichiometry"),
                );
                1.0
            }),
        };
        if !value.is_finite() {
            let words = (format!("量論係数 {value} は有限ではありません"), format!("the stoichiometry {value} is not finite"));
            self.findings.fault(GEM_002, here(), words, super::walk::NUMBER);
            return None;
        }
        Some((index, participant.sign * value))
    }

    fn checked(&mut self, value: std::result::Result<f64, super::math::Why>, here: impl Fn() -> Place) -> Option<f64> {
        value
            .map_err(|why| {
                let words = (format!("式に値がありません: {}", why.0), format!("the formula has no value: {}", why.1));
                self.findings.fault(GEM_003, here(), words, ("定数になる式にしてください", "let the formula be constant"));
            })
            .ok()
    }

    fn bounds(&mut self, index: usize, here: impl Fn() -> Place + Copy) -> (f64, f64) {
        let raw = &self.raw.reactions[index];
        if let Some(&listed) = self.listed.get(raw.common.id.as_str()) {
            return listed;
        }
        let named = |this: &mut Self, id: &Option<String>, local: Option<f64>| match id {
            Some(id) => this.value(id, here),
            None if this.raw.fbc => None,
            None => local,
        };
        let lower = named(self, &raw.lower, raw.lower_local);
        let upper = named(self, &raw.upper, raw.upper_local);
        let missing = (raw.lower.is_none() || raw.upper.is_none()) && (lower.is_none() || upper.is_none());
        // Version 1 says by silence that there is no bound.
        if missing && (self.raw.bounds.is_empty() || !self.raw.fbc) {
            self.findings.warn(
                GEM_W02,
                here(),
                (
                    "流束の境界がなく、可逆性だけを境界としました(FBC では無限)".into(),
                    "a reaction has no flux bound; reversibility alone (with FBC: nothing) was taken to bound it".into(),
                ),
                ("流束の境界を書いてください", "give flux bounds"),
            );
        }
        let least = if self.raw.fbc || raw.reversible.unwrap_or(true) { f64::NEG_INFINITY } else { 0.0 };
        let (lower, upper) = (lower.unwrap_or(least), upper.unwrap_or(f64::INFINITY));
        if lower == f64::INFINITY || upper == f64::NEG_INFINITY {
            let words =
                (format!("境界 [{lower}, {upper}] は範囲になりません"), format!("the bounds [{lower}, {upper}] are no range"));
            self.findings.fault(GEM_002, here(), words, super::walk::NUMBER);
            return (0.0, 0.0);
        }
        (lower, upper)
    }

    fn association(&mut self, association: &Association) -> Option<Gpr> {
        match association {
            Association::Gene(id, line) => match self.gene_products.get(id.as_str()) {
                Some(&gene) => Some(Gpr::Gene(gene)),
                None => {
                    let here = place(*line, "geneProductRef", id);
                    self.findings.fault(GEM_003, here, absent("遺伝子産物", "gene product", id), SPELLING);
                    None
                }
            },
            Association::And(parts) => Some(Gpr::all(parts.iter().filter_map(|p| self.association(p)).collect())),
            Association::Or(parts) => Some(Gpr::any(parts.iter().filter_map(|p| self.association(p)).collect())),
        }
    }

    fn objectives(&mut self, parts: &mut Parts) {
        for raw in &self.raw.objectives {
            let mut objective =
                Objective { id: raw.id.clone(), name: raw.name.clone(), sense: raw.sense, ..Objective::default() };
            for term in &raw.terms {
                match self.reactions.get(term.reaction.as_str()) {
                    Some(&reaction) if term.quadratic => objective.quadratic.push((reaction, term.coefficient)),
                    Some(&reaction) => objective.terms.push((reaction, term.coefficient)),
                    None => {
                        let here = place(term.line, "fluxObjective", &term.reaction);
                        self.findings.fault(GEM_003, here, absent("反応", "reaction", &term.reaction), SPELLING);
                    }
                }
            }
            parts.objectives.push(objective);
        }
        match &self.raw.active {
            Some(id) => {
                parts.active = parts.objectives.iter().position(|o| o.id == *id);
                if parts.active.is_none() {
                    let here = Place::field("listOfObjectives");
                    self.findings.fault(GEM_003, here, absent("目的関数", "objective", id), SPELLING);
                }
            }
            None if !parts.objectives.is_empty() => {
                parts.active = Some(0);
                self.findings.warn(
                    GEM_W02,
                    Place::field("listOfObjectives"),
                    (
                        "有効な目的関数の指定がなく、最初のものとしました".into(),
                        "no objective is named active; the first was taken".into(),
                    ),
                    ("activeObjective を書いてください", "give activeObjective"),
                );
            }
            None => {
                let local = self.raw.reactions.iter().map(|r| r.objective_local.unwrap_or(0.0)).enumerate();
                let terms: Vec<(usize, f64)> = local.filter(|t| t.1 != 0.0).collect();
                if !terms.is_empty() {
                    parts.objectives.push(Objective { id: "obj".into(), terms, ..Objective::default() });
                    parts.active = Some(0);
                }
            }
        }
    }

    fn constraint(&mut self, index: usize) -> Constraint {
        let raw = &self.raw.constraints[index];
        let here = || place(raw.line, "userDefinedConstraint", &raw.id);
        let bound = |this: &mut Self, id: &Option<String>, free: f64| match id {
            Some(id) => this.value(id, here).unwrap_or(free),
            None => free,
        };
        let lower = bound(self, &raw.lower, f64::NEG_INFINITY);
        let upper = bound(self, &raw.upper, f64::INFINITY);
        let mut terms = Vec::new();
        for component in &raw.components {
            let here = || place(component.line, "userDefinedConstraintComponent", &component.variable);
            // Drafts of version 3 had the number itself here.
            let written = component.coefficient.parse().ok().filter(|_| !self.raw.values.contains_key(&component.coefficient));
            let Some(coefficient) = written.or_else(|| self.value(&component.coefficient, here)) else { continue };
            let variable = match self.reactions.get(component.variable.as_str()) {
                Some(&reaction) => Variable::Flux(reaction),
                None if self.raw.values.contains_key(&component.variable) => Variable::Free(component.variable.clone()),
                None => {
                    let words = absent("反応か変数", "reaction or parameter", &component.variable);
                    self.findings.fault(GEM_003, here(), words, SPELLING);
                    continue;
                }
            };
            terms.push(ConstraintTerm { coefficient, variable, quadratic: component.quadratic });
        }
        Constraint { id: raw.id.clone(), name: raw.name.clone(), lower, upper, terms }
    }

    fn groups(&mut self, parts: &mut Parts) {
        let groups: HashMap<&str, usize> = self.raw.groups.iter().enumerate().map(|(i, g)| (g.common.id.as_str(), i)).collect();
        let species: HashMap<&str, usize> = self.raw.species.iter().enumerate().map(|(i, s)| (s.common.id.as_str(), i)).collect();
        for raw in &self.raw.groups {
            let mut members = Vec::with_capacity(raw.members.len());
            for (id, line) in &raw.members {
                let id = id.as_str();
                let member = (self.reactions.get(id).map(|i| Member::Reaction(*i)))
                    .or_else(|| species.get(id).map(|i| Member::Metabolite(*i)))
                    .or_else(|| self.gene_products.get(id).map(|i| Member::Gene(*i)))
                    .or_else(|| groups.get(id).map(|i| Member::Group(*i)));
                match member {
                    Some(member) => members.push(member),
                    None => self.findings.lost(
                        format_args!("members of groups that are no reaction, metabolite, gene or group"),
                        || "グループの成員のうち反応・代謝物・遺伝子・グループでないもの".into(),
                        || place(*line, "member", id),
                    ),
                }
            }
            parts.groups.push(Group {
                id: raw.common.id.clone(),
                name: raw.common.name.clone(),
                kind: raw.kind,
                members,
                annotation: raw.common.annotation.clone(),
            });
        }
        subsystems(parts);
    }
}

/// A reaction that is in one subsystem (`SBO:0000633`) and says nothing itself is counted to it.
fn subsystems(parts: &mut Parts) {
    let mut of: HashMap<usize, Vec<&str>> = HashMap::new();
    for group in &parts.groups {
        if let Some(name) = group.name.as_deref().filter(|_| group.annotation.iter().any(|r| r.id == "SBO:0000633")) {
            for member in &group.members {
                if let Member::Reaction(reaction) = member {
                    of.entry(*reaction).or_default().push(name);
                }
            }
        }
    }
    let found: Vec<(usize, String)> =
        of.into_iter().filter(|(_, names)| names.len() == 1).map(|(r, names)| (r, names[0].to_owned())).collect();
    for (reaction, name) in found {
        parts.reactions[reaction].subsystem.get_or_insert(name);
    }
}

/// Takes a note out by its key, in any case; all of that key go.
fn taken(notes: &mut Notes, keys: &[&str]) -> Option<String> {
    let is = |note: &(String, String)| keys.iter().any(|k| note.0.eq_ignore_ascii_case(k));
    let found = notes.iter().find(|n| is(n)).map(|n| n.1.clone());
    notes.retain(|n| !is(n));
    found
}

fn absent(ja: &str, en: &str, id: &str) -> (String, String) {
    (format!("{ja} {id} がありません"), format!("there is no {en} {id}"))
}
