//! The tables of a model: what each identifier stands for, and what decides its value; with everything that does not
//! fit together.

use super::findings::Findings;
use super::model::{Compartment, Formula, FunctionDefinition, Id, Model, Parameter, Participant, Species};
use super::xml::Spot;
use super::{SBML_006, SBML_007, SBML_008};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::Diagnostic;

/// What an identifier stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Thing<'m> {
    Compartment(&'m Compartment),
    Species(&'m Species),
    Parameter(&'m Parameter),
    Stoichiometry(&'m Participant),
    Reaction,
}

impl Thing<'_> {
    fn constant(self) -> bool {
        match self {
            Self::Compartment(c) => c.constant,
            Self::Species(s) => s.constant,
            Self::Parameter(p) => p.constant,
            Self::Stoichiometry(p) => p.constant,
            Self::Reaction => true,
        }
    }
}

/// Who decides what.
#[derive(Debug, Default)]
pub(super) struct Tables<'m> {
    pub(super) things: BTreeMap<&'m str, Thing<'m>>,
    pub(super) functions: BTreeMap<&'m str, &'m FunctionDefinition>,
    pub(super) assigned: BTreeMap<&'m str, &'m Formula>,
    pub(super) rates: BTreeMap<&'m str, &'m Formula>,
    pub(super) initial: BTreeMap<&'m str, &'m Formula>,
    /// What events set.
    pub(super) set: BTreeSet<&'m str>,
}

fn refuse(findings: &mut Findings, code: &str, at: (Spot, &str), words: (String, String), remedy: (&str, &str)) {
    findings.push(Diagnostic::error(code, at.0.place(at.1), words.0, words.1).remedy(remedy.0, remedy.1));
}

fn twice(findings: &mut Findings, spot: Spot, id: &str) {
    let words = (format!("識別子 {id} が二度使われています"), format!("the identifier {id} is used twice"));
    refuse(findings, SBML_007, (spot, id), words, ("どちらかの名前を変えてください", "rename one of them"));
}

/// A name that stands for nothing.
pub(super) fn nothing(findings: &mut Findings, spot: Spot, id: &str) {
    let words = (format!("{id} は定義されていません"), format!("{id} is not defined"));
    refuse(findings, SBML_006, (spot, id), words, ("定義するか、綴りを確かめてください", "define it, or check its spelling"));
}

fn clash(findings: &mut Findings, spot: Spot, id: &str, ja: &str, en: &str) {
    let words = (format!("{id}: {ja}"), format!("{id}: {en}"));
    refuse(findings, SBML_008, (spot, id), words, ("どちらか一方にしてください", "keep one of the two"));
}

impl<'m> Tables<'m> {
    pub(super) fn new(model: &'m Model, findings: &mut Findings) -> Self {
        let mut tables = Self::default();
        tables.name(model, findings);
        for (id, formula) in &model.assignment_rules {
            tables.rule(id, formula, true, findings);
        }
        for (id, formula) in &model.rate_rules {
            tables.rule(id, formula, false, findings);
        }
        for (id, formula) in &model.initial_assignments {
            tables.first(id, formula, findings);
        }
        for event in &model.events {
            let mut own = BTreeSet::new();
            for (id, formula) in &event.assignments {
                tables.changes(id, formula.spot, findings);
                if tables.assigned.contains_key(&**id) {
                    let (ja, en) = ("代入規則の変数をイベントが変えています", "an event sets what an assignment rule decides");
                    clash(findings, formula.spot, id, ja, en);
                }
                if !own.insert(&**id) {
                    clash(findings, formula.spot, id, "一つのイベントが二度代入しています", "one event sets it twice");
                }
                tables.set.insert(id);
            }
        }
        tables.references(model, findings);
        tables
    }

    fn name(&mut self, model: &'m Model, findings: &mut Findings) {
        let mut named: Vec<(&'m Id, Spot, Thing<'m>)> = Vec::new();
        named.extend(model.compartments.iter().map(|c| (&c.id, c.spot, Thing::Compartment(c))));
        named.extend(model.species.iter().map(|s| (&s.id, s.spot, Thing::Species(s))));
        named.extend(model.parameters.iter().map(|p| (&p.id, p.spot, Thing::Parameter(p))));
        for reaction in &model.reactions {
            named.push((&reaction.id, reaction.spot, Thing::Reaction));
            let participants = reaction.reactants.iter().chain(&reaction.products);
            named.extend(participants.filter_map(|p| Some((p.id.as_ref()?, p.spot, Thing::Stoichiometry(p)))));
            let mut own = BTreeSet::new();
            for parameter in reaction.parameters.iter().filter(|p| !own.insert(&*p.id)) {
                twice(findings, parameter.spot, &parameter.id);
            }
        }
        for (id, spot, thing) in named {
            if self.things.insert(id, thing).is_some() {
                twice(findings, spot, id);
            }
        }
        for function in &model.functions {
            if self.things.contains_key(&*function.id) || self.functions.insert(&function.id, function).is_some() {
                twice(findings, function.spot, &function.id);
            }
        }
        let mut events = BTreeSet::new();
        for event in &model.events {
            let Some(id) = &event.id else { continue };
            if self.things.contains_key(&**id) || self.functions.contains_key(&**id) || !events.insert(id) {
                twice(findings, event.spot, id);
            }
        }
    }

    /// Something changes `id`: it exists and may change.
    fn changes(&self, id: &str, spot: Spot, findings: &mut Findings) {
        match self.things.get(id) {
            None | Some(Thing::Reaction) => nothing(findings, spot, id),
            Some(thing) if thing.constant() => {
                clash(
                    findings,
                    spot,
                    id,
                    "constant=\"true\" なのに変えられています",
                    "it is constant and yet something changes it",
                );
            }
            Some(_) => {}
        }
    }

    fn rule(&mut self, id: &'m Id, formula: &'m Formula, assigns: bool, findings: &mut Findings) {
        self.changes(id, formula.spot, findings);
        let table = if assigns { &mut self.assigned } else { &mut self.rates };
        let before = table.insert(id, formula).is_some();
        if before || (!assigns && self.assigned.contains_key(&**id)) {
            clash(findings, formula.spot, id, "規則が二つあります", "two rules decide it");
        }
    }

    fn first(&mut self, id: &'m Id, formula: &'m Formula, findings: &mut Findings) {
        if self.things.get(&**id).is_none_or(|t| matches!(t, Thing::Reaction)) {
            nothing(findings, formula.spot, id);
        }
        if self.initial.insert(id, formula).is_some() || self.assigned.contains_key(&**id) {
            let (ja, en) = ("初期値を決めるものが二つあります", "two formulas decide its value at the start");
            clash(findings, formula.spot, id, ja, en);
        }
    }

    /// What elements refer to is there.
    fn references(&self, model: &'m Model, findings: &mut Findings) {
        let is_parameter = |id: &str| matches!(self.things.get(id), Some(Thing::Parameter(_)));
        if let Some(factor) = model.conversion_factor.as_ref().filter(|f| !is_parameter(f)) {
            nothing(findings, Spot::default(), factor);
        }
        for species in &model.species {
            if !matches!(self.things.get(&*species.compartment), Some(Thing::Compartment(_))) {
                nothing(findings, species.spot, &species.compartment);
            }
            if let Some(factor) = species.conversion_factor.as_ref().filter(|f| !is_parameter(f)) {
                nothing(findings, species.spot, factor);
            }
        }
        for participant in model.reactions.iter().flat_map(|r| r.reactants.iter().chain(&r.products)) {
            let id = &*participant.species;
            let Some(Thing::Species(species)) = self.things.get(id) else {
                nothing(findings, participant.spot, id);
                continue;
            };
            if !species.boundary && (species.constant || self.assigned.contains_key(id) || self.rates.contains_key(id)) {
                let (ja, en) = (
                    "反応が変える物質種ですが、constant か規則がそれを決めています（boundaryCondition=\"false\"）",
                    "a reaction changes it, but it is constant or a rule decides it (boundaryCondition=\"false\")",
                );
                clash(findings, participant.spot, id, ja, en);
            }
        }
    }
}
