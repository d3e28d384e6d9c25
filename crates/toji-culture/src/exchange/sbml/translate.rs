//! A [`Model`] as the kernel's [`Definition`].

use super::check::{Tables, Thing};
use super::findings::Findings;
use super::lower::{Lowering, Scope, local, rate_name};
use super::model::{Compartment, Event, Formula, Id, Model, Participant, Reaction, Species};
use super::xml::Spot;
use super::{SBML_003, SBML_005, SBML_W02};
use crate::kernel::{self, Definition, Expression, Function, Quantity, Role};
use std::collections::BTreeMap;
use toji_core::Diagnostic;

/// A model as the kernel takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Translation {
    /// The definition.
    pub definition: Definition,
    /// What to look at.
    pub findings: Vec<Diagnostic>,
}

impl Species {
    /// Does its identifier mean a concentration?
    pub(super) fn is_concentration(&self, model: &Model) -> bool {
        let compartment = model.compartments.iter().find(|c| c.id == self.compartment);
        !self.only_substance && compartment.is_none_or(|c| c.dimensions != 0.0)
    }
}

fn amount_name(species: &str) -> Id {
    format!("{species}.amount").into()
}

impl Model {
    /// Name of the quantity that is the amount of a species.
    #[must_use]
    pub fn amount_of(&self, species: &str) -> Option<Id> {
        let found = self.species.iter().find(|s| &*s.id == species)?;
        Some(if found.is_concentration(self) { amount_name(species) } else { found.id.clone() })
    }
}

fn times(factors: impl IntoIterator<Item = Expression>) -> Expression {
    let mut factors: Vec<Expression> = factors.into_iter().filter(|f| *f != Expression::Number(1.0)).collect();
    match factors.len() {
        0 => Expression::Number(1.0),
        1 => factors.swap_remove(0),
        _ => Expression::Apply(Function::Multiply, factors),
    }
}

fn divided(above: Expression, below: Expression) -> Expression {
    Expression::apply(Function::Divide, [above, below])
}

fn sum(mut terms: Vec<Expression>) -> Expression {
    match terms.len() {
        0 => Expression::Number(0.0),
        1 => terms.swap_remove(0),
        _ => Expression::Apply(Function::Add, terms),
    }
}

/// Translates; what is wrong goes to `findings`, and then the result is of no use.
pub(super) fn translate(model: &Model, findings: &mut Findings) -> Definition {
    let tables = Tables::new(model, findings);
    let mut translator =
        Translator { model, low: Lowering::new(tables, findings), quantities: Vec::new(), terms: BTreeMap::new() };
    translator.reactions();
    for compartment in &model.compartments {
        translator.compartment(compartment);
    }
    for species in &model.species {
        translator.species(species);
    }
    for parameter in &model.parameters {
        translator.plain(&parameter.id, parameter.value, parameter.spot);
    }
    for reaction in &model.reactions {
        translator.reaction(reaction);
    }
    let events = model.events.iter().enumerate().filter_map(|(i, event)| translator.event(i, event)).collect();
    translator.rates();
    Definition { quantities: translator.quantities, events }
}

struct Translator<'m, 'f> {
    model: &'m Model,
    low: Lowering<'m, 'f>,
    quantities: Vec<Quantity>,
    /// What reactions add to the amount of each species.
    terms: BTreeMap<&'m str, Vec<Expression>>,
}

impl<'m> Translator<'m, '_> {
    fn push(&mut self, name: &Id, role: Role) {
        self.quantities.push(Quantity { name: name.clone(), role });
    }

    fn model_formula(&mut self, formula: &Formula) -> Expression {
        self.low.formula(formula, Scope::Model)
    }

    /// A written value; not a number where there is none, which is said.
    fn written(&mut self, id: &str, value: Option<f64>, spot: Spot) -> Expression {
        if value.is_none() {
            let words = (format!("{id} に値がないため、NaN になります"), format!("{id} has no value and is NaN"));
            let finding = Diagnostic::warning(SBML_W02, spot.place(id), words.0, words.1);
            self.low.findings.push(finding.remedy("初期値を書いてください", "give it an initial value"));
        }
        Expression::Number(value.unwrap_or(f64::NAN))
    }

    /// A quantity whose identifier means what is written of it: size, value or stoichiometry.
    fn plain(&mut self, id: &'m Id, value: Option<f64>, spot: Spot) {
        if let Some(formula) = self.low.tables.assigned.get(&**id).copied() {
            let assigned = self.model_formula(formula);
            return self.push(id, Role::Assigned(assigned));
        }
        let initial = match self.low.tables.initial.get(&**id).copied() {
            Some(formula) => self.model_formula(formula),
            None => self.written(id, value, spot),
        };
        let role = match self.low.tables.rates.get(&**id).copied() {
            Some(formula) => Role::State { initial, rate: self.model_formula(formula) },
            None if self.low.tables.set.contains(&**id) => Role::State { initial, rate: Expression::Number(0.0) },
            None => Role::Constant(initial),
        };
        self.push(id, role);
    }

    fn compartment(&mut self, compartment: &'m Compartment) {
        let id = &compartment.id;
        // Without dimensions there is no size to warn of.
        let pointless = compartment.dimensions == 0.0 && compartment.size.is_none();
        if pointless && self.low.stays(id) && !self.low.tables.initial.contains_key(&**id) {
            return self.push(id, Role::Constant(Expression::Number(f64::NAN)));
        }
        self.plain(id, compartment.size, compartment.spot);
    }

    /// Amount and, where the identifier means it, concentration at the start.
    fn initial(&mut self, species: &'m Species, concentration: bool) -> (Expression, Expression) {
        let size = || Expression::Name(species.compartment.clone());
        if let Some(formula) = self.low.tables.initial.get(&*species.id).copied() {
            let value = self.model_formula(formula);
            return if concentration { (times([value.clone(), size()]), value) } else { (value.clone(), value) };
        }
        if let (Some(value), None) = (species.initial_concentration, species.initial_amount) {
            let value = Expression::Number(value);
            return (Expression::apply(Function::Multiply, [value.clone(), size()]), value);
        }
        let amount = self.written(&species.id, species.initial_amount, species.spot);
        (amount.clone(), divided(amount, size()))
    }

    fn species(&mut self, species: &'m Species) {
        let (id, compartment) = (&species.id, &species.compartment);
        let concentration = species.is_concentration(self.model);
        let size = || Expression::Name(compartment.clone());
        let amount = if concentration { amount_name(id) } else { id.clone() };
        if let Some(formula) = self.low.tables.assigned.get(&**id).copied() {
            let assigned = self.model_formula(formula);
            self.push(id, Role::Assigned(assigned));
            if concentration {
                self.push(&amount, Role::Assigned(times([Expression::Name(id.clone()), size()])));
            }
            return;
        }
        let (initial, initial_concentration) = self.initial(species, concentration);
        let rule = self.low.tables.rates.get(&**id).copied();
        if let Some(formula) = rule.filter(|_| concentration && self.low.tables.assigned.contains_key(&**compartment)) {
            // The size is what a rule says, so the concentration is what can be integrated.
            let rate = self.model_formula(formula);
            self.push(id, Role::State { initial: initial_concentration, rate });
            return self.push(&amount, Role::Assigned(times([Expression::Name(id.clone()), size()])));
        }
        let role = match rule {
            Some(formula) => {
                let rate = self.model_formula(formula);
                Role::State { initial, rate: if concentration { self.amount_rate(species, rate) } else { rate } }
            }
            None => match self.terms.remove(&**id) {
                Some(terms) => Role::State { initial, rate: sum(terms) },
                None if self.low.tables.set.contains(&**id) => Role::State { initial, rate: Expression::Number(0.0) },
                None => Role::Constant(initial),
            },
        };
        let stays = matches!(role, Role::Constant(_)) && self.low.stays(compartment);
        self.push(&amount, role);
        if concentration {
            let ratio = divided(Expression::Name(amount), size());
            self.push(id, if stays { Role::Constant(ratio) } else { Role::Assigned(ratio) });
        }
    }

    /// Change of an amount whose concentration changes by `rate`: rate × size, and concentration × change of size.
    fn amount_rate(&mut self, species: &Species, rate: Expression) -> Expression {
        let compartment = &species.compartment;
        let by_rule = times([rate, Expression::Name(compartment.clone())]);
        match self.low.tables.rates.get(&**compartment).copied() {
            Some(formula) => {
                let growth = self.model_formula(formula);
                sum(vec![by_rule, times([Expression::Name(species.id.clone()), growth])])
            }
            None => by_rule,
        }
    }

    /// What every reaction adds to the species it changes.
    fn reactions(&mut self) {
        for reaction in &self.model.reactions {
            for (participants, sign) in [(&reaction.reactants, -1.0), (&reaction.products, 1.0)] {
                for participant in participants {
                    let Some(Thing::Species(species)) = self.low.tables.things.get(&*participant.species).copied() else {
                        continue;
                    };
                    if species.boundary || species.constant {
                        continue;
                    }
                    let stoichiometry = self.stoichiometry(participant);
                    let factor = species.conversion_factor.as_ref().or(self.model.conversion_factor.as_ref());
                    let factor = factor.map_or(Expression::Number(1.0), |f| Expression::Name(f.clone()));
                    let rate = Expression::Name(reaction.id.clone());
                    let term = match stoichiometry {
                        Expression::Number(n) if n != 1.0 => times([Expression::Number(sign * n), factor, rate]),
                        other if sign < 0.0 => Expression::apply(Function::Negate, [times([other, factor, rate])]),
                        other => times([other, factor, rate]),
                    };
                    self.terms.entry(&species.id).or_default().push(term);
                }
            }
        }
    }

    /// Is the stoichiometry more than a number that is written?
    fn is_formula(&self, participant: &Participant) -> bool {
        let id = participant.id.as_deref();
        id.is_some_and(|id| self.low.tables.initial.contains_key(id) || !self.low.stays(id))
    }

    fn stoichiometry(&mut self, participant: &'m Participant) -> Expression {
        if let (true, Some(id)) = (self.is_formula(participant), &participant.id) {
            return Expression::Name(id.clone());
        }
        if let Some(formula) = &participant.formula {
            return self.model_formula(formula);
        }
        if participant.stoichiometry.is_none() {
            let species = &participant.species;
            let place = participant.spot.place(species);
            let (ja, en) =
                (format!("{species} の化学量論係数がありません"), format!("the stoichiometry of {species} is missing"));
            let finding = Diagnostic::error(SBML_003, place, ja, en);
            self.low.findings.push(finding.remedy("stoichiometry を書いてください", "say its stoichiometry"));
        }
        Expression::Number(participant.stoichiometry.unwrap_or(f64::NAN))
    }

    /// The rate of a reaction, its own parameters, and the stoichiometries that have a name.
    fn reaction(&mut self, reaction: &'m Reaction) {
        for parameter in &reaction.parameters {
            let name = local(&reaction.id, &parameter.id);
            let value = self.written(&name, parameter.value, parameter.spot);
            self.push(&name, Role::Constant(value));
        }
        let role = match &reaction.law {
            Some(law) => Role::Assigned(self.low.formula(law, Scope::Law(reaction))),
            None => Role::Constant(Expression::Number(0.0)),
        };
        self.push(&reaction.id, role);
        for participant in reaction.reactants.iter().chain(&reaction.products) {
            let Some(id) = &participant.id else { continue };
            match &participant.formula {
                Some(formula) if !self.is_formula(participant) => {
                    let value = self.model_formula(formula);
                    self.push(id, Role::Assigned(value));
                }
                _ => self.plain(id, participant.stoichiometry, participant.spot),
            }
        }
    }

    fn event(&mut self, index: usize, event: &'m Event) -> Option<kernel::Event> {
        let trigger = self.model_formula(event.trigger.as_ref()?);
        let delay = event.delay.as_ref().map(|f| self.model_formula(f));
        let priority = event.priority.as_ref().map(|f| self.model_formula(f));
        let mut sets = Vec::new();
        for (id, formula) in &event.assignments {
            let value = self.model_formula(formula);
            match self.low.tables.things.get(&**id).copied() {
                Some(Thing::Species(species)) if species.is_concentration(self.model) => {
                    let compartment = &*species.compartment;
                    let by_rule = self.low.tables.assigned.contains_key(compartment);
                    if by_rule && self.low.tables.rates.contains_key(&**id) {
                        sets.push((id.clone(), value));
                        continue;
                    }
                    self.moving_size(event, species, formula.spot);
                    sets.push((amount_name(id), times([value, Expression::Name(species.compartment.clone())])));
                }
                _ => sets.push((id.clone(), value)),
            }
        }
        Some(kernel::Event {
            name: event.id.clone().unwrap_or_else(|| format!("event.{}", index + 1).into()),
            trigger,
            was_true: event.was_true,
            persistent: event.persistent,
            delay,
            priority,
            at_trigger: event.at_trigger,
            sets,
        })
    }

    /// A concentration that an event sets becomes an amount by the size at the execution (before the event changes
    /// the size, as cases of the semantic suite have it). Where the kernel would take the size at an earlier trigger,
    /// the event is refused.
    fn moving_size(&mut self, event: &Event, species: &Species, spot: Spot) {
        let compartment = &*species.compartment;
        if event.delay.is_some() && event.at_trigger && !self.low.stays(compartment) {
            let id = &species.id;
            let place = spot.place(id);
            let finding = Diagnostic::error(
                SBML_005,
                place,
                format!("遅れて {id} の濃度を変えるイベントの間に区画 {compartment} の大きさが変わるため、対応していません"),
                format!("a delayed event sets the concentration of {id} while the size of {compartment} changes: not supported"),
            );
            self.low.findings.push(finding.remedy(
                "hasOnlySubstanceUnits=\"true\" にして量を代入してください",
                "make it hasOnlySubstanceUnits=\"true\" and set its amount",
            ));
        }
    }

    /// The changes per unit of time that formulas ask for.
    fn rates(&mut self) {
        for (id, spot) in std::mem::take(&mut self.low.rates_wanted) {
            let found = self.rate(&id);
            if found.is_none() {
                let place = spot.place(&id);
                let finding = Diagnostic::error(
                    SBML_005,
                    place,
                    format!("rateOf({id}) には対応していません: {id} は規則や式から決まります"),
                    format!("rateOf({id}) is not supported: {id} follows from a rule or formula"),
                );
                self.low.findings.push(finding.remedy("変化速度を式で書いてください", "write the rate as a formula"));
            }
            self.push(&rate_name(&id), Role::Assigned(found.unwrap_or(Expression::Number(f64::NAN))));
        }
    }

    fn role(&self, name: &str) -> Option<&Role> {
        self.quantities.iter().find(|q| &*q.name == name).map(|q| &q.role)
    }

    fn rate(&self, id: &str) -> Option<Expression> {
        match self.role(id)? {
            Role::Constant(_) => Some(Expression::Number(0.0)),
            Role::State { rate, .. } => Some(rate.clone()),
            // A concentration n / V: n' / V - n / V × V' / V.
            Role::Assigned(_) => {
                let Some(Thing::Species(species)) = self.low.tables.things.get(id) else { return None };
                let size = || Expression::Name(species.compartment.clone());
                let amount = match self.role(&amount_name(id))? {
                    Role::State { rate, .. } => rate.clone(),
                    Role::Constant(_) => Expression::Number(0.0),
                    Role::Assigned(_) => return None,
                };
                let growth = match self.role(&species.compartment)? {
                    Role::State { rate, .. } => rate.clone(),
                    Role::Constant(_) => return Some(divided(amount, size())),
                    Role::Assigned(_) => return None,
                };
                let diluted = divided(times([Expression::Name(species.id.clone()), growth]), size());
                Some(Expression::apply(Function::Subtract, [divided(amount, size()), diluted]))
            }
        }
    }
}
