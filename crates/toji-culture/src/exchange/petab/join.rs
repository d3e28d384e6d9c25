//! One model of the forms that runs have of it: a constant chooses.

use super::PETAB_007;
use crate::kernel::{Definition, Event, Expression, Function, Quantity, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toji_core::{Error, Place, Result};

/// Name of the constant that chooses: the number of the run, from 1.
const NUMBER: &str = "run_number";

fn differ(name: &str, ja: &str, en: &str) -> Error {
    Error::input(PETAB_007, format!("«{name}»: {ja}"), format!("«{name}»: {en}"))
        .at(Place::field("follow"))
        .hint("培養ごとに別の問題として書き出してください", "export a problem of each run")
}

fn number_of(quantity: &Quantity) -> Option<f64> {
    match quantity.role {
        Role::Constant(Expression::Number(value)) => Some(value),
        _ => None,
    }
}

/// A form with its own constants put in.
fn put_in(form: &Definition, constants: &BTreeSet<Arc<str>>) -> Definition {
    let values: BTreeMap<&str, f64> =
        form.quantities.iter().filter(|q| constants.contains(&q.name)).filter_map(|q| Some((&*q.name, number_of(q)?))).collect();
    let put = |e: &Expression| e.replaced(&|name| values.get(name).map(|v| Expression::Number(*v)));
    let quantities = form.quantities.iter().filter(|q| !constants.contains(&q.name)).map(|q| Quantity {
        name: q.name.clone(),
        role: match &q.role {
            Role::Constant(e) => Role::Constant(put(e)),
            Role::Assigned(e) => Role::Assigned(put(e)),
            Role::State { initial, rate } => Role::State { initial: put(initial), rate: put(rate) },
        },
    });
    let events = form.events.iter().map(|e| Event {
        trigger: put(&e.trigger),
        delay: e.delay.as_ref().map(put),
        priority: e.priority.as_ref().map(put),
        sets: e.sets.iter().map(|(name, value)| (name.clone(), put(value))).collect(),
        ..e.clone()
    });
    Definition { quantities: quantities.collect(), events: events.collect() }
}

/// The forms as one definition, and the name of the constant that chooses; `keep` are constants that must stay.
///
/// # Errors
/// `E-PETAB-007`: forms that differ in more than values, rates and events.
pub(super) fn joined(base: &Definition, forms: &[Option<&Definition>], keep: &BTreeSet<&str>) -> Result<(Definition, Arc<str>)> {
    let forms: Vec<&Definition> = forms.iter().map(|form| form.unwrap_or(base)).collect();
    // Constants that not all forms have, or not with one value.
    let mut values: BTreeMap<&Arc<str>, Vec<f64>> = BTreeMap::new();
    for quantity in forms.iter().flat_map(|form| &form.quantities) {
        if let Some(value) = number_of(quantity) {
            values.entry(&quantity.name).or_default().push(value);
        }
    }
    let own: BTreeSet<Arc<str>> = values
        .iter()
        .filter(|(_, of)| of.len() < forms.len() || of.iter().any(|v| v.to_bits() != of[0].to_bits()))
        .map(|(name, _)| (*name).clone())
        .collect();
    let plain = |q: &&Quantity| number_of(q).is_some() || !own.contains(&q.name);
    if let Some(quantity) = forms.iter().flat_map(|form| &form.quantities).find(|q| !plain(q)) {
        return Err(differ(&quantity.name, "形ごとに役割が違います", "it does something else in each form"));
    }
    if let Some(name) = own.iter().find(|name| keep.contains(&***name)) {
        return Err(differ(
            name,
            "培養の形ごとに値が違う定数は推定も観測もできません",
            "a constant that forms have of their own cannot be estimated, set or observed",
        ));
    }
    let forms: Vec<Definition> = forms.into_iter().map(|form| put_in(form, &own)).collect();
    let Some((first, others)) = forms.split_first() else { return Ok((base.clone(), NUMBER.into())) };
    let mut number: Arc<str> = NUMBER.into();
    while first.quantities.iter().any(|q| q.name == number) {
        number = format!("{number}_").into();
    }
    for other in others {
        let names = |d: &Definition| d.quantities.iter().map(|q| q.name.clone()).collect::<BTreeSet<_>>();
        if let Some(name) = names(first).symmetric_difference(&names(other)).next() {
            return Err(differ(name, "この量がない形があります", "not all forms of the model have it"));
        }
    }
    let of = |form: &Definition, name: &Arc<str>| form.quantities.iter().find(|q| q.name == *name).map(|q| q.role.clone());
    let mut quantities = vec![Quantity { name: number.clone(), role: Role::Constant(Expression::Number(1.0)) }];
    for quantity in &first.quantities {
        let roles: Vec<Role> = forms.iter().filter_map(|form| of(form, &quantity.name)).collect();
        let role = together(&roles, &number);
        let role = role.ok_or_else(|| differ(&quantity.name, "形ごとに役割が違います", "it does something else in each form"))?;
        quantities.push(Quantity { name: quantity.name.clone(), role });
    }
    // Events that all forms have are those of all; others happen in their run.
    let shared: Vec<&Event> = first.events.iter().filter(|e| others.iter().all(|form| form.events.contains(e))).collect();
    let mut events: Vec<Event> = shared.iter().map(|e| (*e).clone()).collect();
    for (i, form) in forms.iter().enumerate() {
        let name = || Expression::Name(number.clone());
        let near = [(Function::Greater, i as f64 + 0.5), (Function::Less, i as f64 + 1.5)];
        let [above, below] = near.map(|(function, limit)| Expression::apply(function, [name(), Expression::Number(limit)]));
        for event in form.events.iter().filter(|e| !shared.contains(e)) {
            let trigger = Expression::apply(Function::And, [above.clone(), below.clone(), event.trigger.clone()]);
            events.push(Event { name: format!("{} of run {}", event.name, i + 1).into(), trigger, ..event.clone() });
        }
    }
    Ok((Definition { quantities, events }, number))
}

/// Roles of one sort as one role.
fn together(roles: &[Role], number: &Arc<str>) -> Option<Role> {
    let choose = |of: Vec<&Expression>| {
        let (last, before) = of.split_last()?;
        if before.iter().all(|e| e == last) {
            return Some((*last).clone());
        }
        let pieces = before.iter().enumerate().map(|(i, value)| {
            let limit = Expression::Number(i as f64 + 1.5);
            ((*value).clone(), Expression::apply(Function::Less, [Expression::Name(number.clone()), limit]))
        });
        Some(Expression::Piecewise(pieces.collect(), Some(Box::new((*last).clone()))))
    };
    let all = |part: fn(&Role) -> Option<&Expression>| roles.iter().map(part).collect::<Option<Vec<_>>>();
    match roles.first()? {
        Role::Constant(_) => choose(all(|r| if let Role::Constant(e) = r { Some(e) } else { None })?).map(Role::Constant),
        Role::Assigned(_) => choose(all(|r| if let Role::Assigned(e) = r { Some(e) } else { None })?).map(Role::Assigned),
        Role::State { .. } => Some(Role::State {
            initial: choose(all(|r| if let Role::State { initial, .. } = r { Some(initial) } else { None })?)?,
            rate: choose(all(|r| if let Role::State { rate, .. } = r { Some(rate) } else { None })?)?,
        }),
    }
}
