//! Formulas as expressions: names are resolved, functions of the model are put in.

use super::check::{Tables, Thing, nothing};
use super::findings::Findings;
use super::model::{Formula, Id, Math, Reaction};
use super::xml::Spot;
use super::{SBML_004, SBML_006, SBML_009};
use crate::kernel::Expression;
use std::collections::BTreeMap;
use toji_core::Diagnostic;

/// Deepest expression, and most nodes of all expressions together.
const DEPTH_MAX: usize = 500;
const NODES_MAX: usize = 1_000_000;

/// What names mean at a place.
#[derive(Clone, Copy)]
pub(super) enum Scope<'s> {
    /// Quantities of the model.
    Model,
    /// The parameters of this reaction first, then those of the model.
    Law(&'s Reaction),
    /// The arguments of a function, nothing else.
    Function(&'s [Argument]),
}

/// An argument of a function.
pub(super) struct Argument {
    name: Id,
    value: Expression,
    nodes: usize,
    depth: usize,
}

/// Turns formulas into expressions.
pub(super) struct Lowering<'m, 'f> {
    pub(super) tables: Tables<'m>,
    pub(super) findings: &'f mut Findings,
    /// Names whose change is asked for, and where.
    pub(super) rates_wanted: BTreeMap<Id, Spot>,
    calls: Vec<Id>,
    nodes: usize,
    full: bool,
}

/// Nodes and depth.
pub(super) fn measure(expression: &Expression) -> (usize, usize) {
    let all = |children: &mut dyn Iterator<Item = &Expression>| {
        children.map(measure).fold((1, 1), |(nodes, depth), (n, d)| (nodes + n, depth.max(d + 1)))
    };
    match expression {
        Expression::Number(_) | Expression::Time | Expression::Name(_) => (1, 1),
        Expression::Apply(_, arguments) => all(&mut arguments.iter()),
        Expression::Piecewise(pieces, otherwise) => all(&mut pieces.iter().flat_map(|(v, c)| [v, c]).chain(otherwise.as_deref())),
    }
}

/// Name of a parameter that only one reaction knows.
pub(super) fn local(reaction: &str, parameter: &str) -> Id {
    format!("{reaction}.{parameter}").into()
}

const NOTHING: Expression = Expression::Number(f64::NAN);

impl<'m, 'f> Lowering<'m, 'f> {
    pub(super) fn new(tables: Tables<'m>, findings: &'f mut Findings) -> Self {
        Self { tables, findings, rates_wanted: BTreeMap::new(), calls: Vec::new(), nodes: 0, full: false }
    }

    /// A formula in a scope; not a number where it is faulty, which is noted.
    pub(super) fn formula(&mut self, formula: &Formula, scope: Scope<'_>) -> Expression {
        self.lower(&formula.math, scope, 1, formula.spot)
    }

    fn too_large(&mut self, spot: Spot) -> Expression {
        if !self.full {
            self.full = true;
            self.findings.push(
                Diagnostic::error(
                    SBML_009,
                    spot.place("math"),
                    format!("関数を展開した式が大きすぎます（深さ {DEPTH_MAX}、合計 {NODES_MAX} 項まで）"),
                    format!("formulas with their functions put in are too large (depth {DEPTH_MAX}, {NODES_MAX} terms in all)"),
                )
                .remedy(
                    "関数の入れ子を減らし、途中の値を代入規則にしてください",
                    "nest functions less, and give intermediate values assignment rules of their own",
                ),
            );
        }
        NOTHING
    }

    fn lower(&mut self, math: &Math, scope: Scope<'_>, depth: usize, spot: Spot) -> Expression {
        self.nodes += 1;
        if self.full || depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return self.too_large(spot);
        }
        match math {
            Math::Number(number) => Expression::Number(*number),
            Math::Time => Expression::Time,
            Math::Name(id) => self.named(id, scope, depth, spot),
            Math::Apply(function, arguments) => {
                Expression::Apply(*function, arguments.iter().map(|a| self.lower(a, scope, depth + 1, spot)).collect())
            }
            Math::Piecewise(pieces, otherwise) => {
                let mut lower = |m: &Math| self.lower(m, scope, depth + 1, spot);
                let pieces = pieces.iter().map(|(value, condition)| (lower(value), lower(condition))).collect();
                Expression::Piecewise(pieces, otherwise.as_ref().map(|o| Box::new(lower(o))))
            }
            Math::Call(id, arguments) => self.call(id, arguments, scope, depth, spot),
            Math::RateOf(id) => self.rate_of(id, scope, spot),
        }
    }

    fn named(&mut self, id: &Id, scope: Scope<'_>, depth: usize, spot: Spot) -> Expression {
        match scope {
            Scope::Function(arguments) => {
                let Some(argument) = arguments.iter().find(|a| a.name == *id) else {
                    nothing(self.findings, spot, id);
                    return NOTHING;
                };
                self.nodes += argument.nodes;
                if depth + argument.depth > DEPTH_MAX || self.nodes > NODES_MAX {
                    return self.too_large(spot);
                }
                return argument.value.clone();
            }
            Scope::Law(reaction) if reaction.parameters.iter().any(|p| p.id == *id) => {
                return Expression::Name(local(&reaction.id, id));
            }
            Scope::Law(_) | Scope::Model => {}
        }
        if self.tables.things.contains_key(&**id) {
            return Expression::Name(id.clone());
        }
        nothing(self.findings, spot, id);
        NOTHING
    }

    fn call(&mut self, id: &Id, arguments: &[Math], scope: Scope<'_>, depth: usize, spot: Spot) -> Expression {
        let Some(function) = self.tables.functions.get(&**id).copied() else {
            let place = spot.place(id);
            self.findings.push(
                Diagnostic::error(
                    SBML_006,
                    place,
                    format!("関数 {id} は定義されていません"),
                    format!("the function {id} is not defined"),
                )
                .remedy("定義するか、綴りを確かめてください", "define it, or check its spelling"),
            );
            return NOTHING;
        };
        let wrong = if self.calls.contains(id) {
            Some(("自分自身を呼び出しています", "it calls itself"))
        } else if function.body.is_none() {
            Some(("式がありません", "it has no formula"))
        } else if function.arguments.len() != arguments.len() {
            Some(("引数の数が合いません", "it takes another number of arguments"))
        } else {
            None
        };
        if let Some((ja, en)) = wrong {
            let place = spot.place(id);
            let finding = Diagnostic::error(SBML_004, place, format!("関数 {id}: {ja}"), format!("function {id}: {en}"));
            self.findings.push(finding.remedy("式を直してください", "correct the formula"));
            return NOTHING;
        }
        let mut values = Vec::with_capacity(arguments.len());
        for (name, argument) in function.arguments.iter().zip(arguments) {
            let value = self.lower(argument, scope, depth + 1, spot);
            let (nodes, depth) = measure(&value);
            values.push(Argument { name: name.clone(), value, nodes, depth });
        }
        let Some(body) = &function.body else { return NOTHING };
        self.calls.push(id.clone());
        let value = self.lower(&body.math, Scope::Function(&values), depth + 1, body.spot);
        self.calls.pop();
        value
    }

    fn rate_of(&mut self, id: &Id, scope: Scope<'_>, spot: Spot) -> Expression {
        let quantity = match self.named(id, scope, 1, spot) {
            Expression::Name(name) => name,
            Expression::Number(_) => return NOTHING,
            _ => {
                let place = spot.place(id);
                let finding = Diagnostic::error(
                    SBML_004,
                    place,
                    format!("{id} は量ではないため、変化速度がありません"),
                    format!("{id} is no quantity and has no rate of change"),
                );
                self.findings.push(finding.remedy("量の名前を渡してください", "give the name of a quantity"));
                return NOTHING;
            }
        };
        if !self.tables.things.contains_key(&*quantity) {
            // A parameter that only a reaction knows never changes.
            return Expression::Number(0.0);
        }
        let rate = Expression::Name(rate_name(&quantity));
        self.rates_wanted.entry(quantity).or_insert(spot);
        rate
    }

    /// Does what stands for `id` stay as it is? Its name must stand for something.
    pub(super) fn stays(&self, id: &str) -> bool {
        let tables = &self.tables;
        let decided = tables.assigned.contains_key(id) || tables.rates.contains_key(id) || tables.set.contains(id);
        !decided && !matches!(tables.things.get(id), Some(Thing::Reaction))
    }
}

/// Name of the change of a quantity per unit of time.
pub(super) fn rate_name(quantity: &str) -> Id {
    format!("{quantity}.rate").into()
}
