//! Values of identifiers: an assignment rule before an initial assignment before what the element itself says.

use super::math::{self, Math, Scope, Why};
use super::raw::Raw;
use std::collections::HashMap;

/// Longest chain of names that refer to each other.
const CHAIN_MAX: usize = 100;

/// Values, evaluated when asked for.
pub(super) struct Values<'r> {
    raw: &'r Raw,
    known: HashMap<String, Result<f64, Why>>,
    asked: Vec<String>,
}

impl<'r> Values<'r> {
    pub(super) fn new(raw: &'r Raw) -> Self {
        Self { raw, known: HashMap::new(), asked: Vec::new() }
    }

    /// Does anything but the element itself set it?
    pub(super) fn is_set(&self, id: &str) -> bool {
        self.raw.rules.contains_key(id) || self.raw.initial.contains_key(id) || self.raw.rates.contains_key(id)
    }

    /// The value of an identifier.
    pub(super) fn get(&mut self, id: &str) -> Result<f64, Why> {
        if let Some(known) = self.known.get(id) {
            return known.clone();
        }
        if self.asked.len() >= CHAIN_MAX || self.asked.iter().any(|a| a == id) {
            return Err((format!("{id} は自分自身で決まっています"), format!("{id} is determined by itself")));
        }
        let raw = self.raw;
        let value = match (raw.rates.get(id), raw.rules.get(id).or_else(|| raw.initial.get(id)), raw.values.get(id)) {
            (Some(line), ..) => Err((
                format!("{line} 行目の rateRule で変わるので、定数ではありません"),
                format!("the rateRule of line {line} changes it, so it is not constant"),
            )),
            (_, Some(formula), _) => {
                self.asked.push(id.to_owned());
                let value = self.of(formula);
                self.asked.pop();
                value
            }
            (.., Some(own)) => own.value.ok_or_else(|| ("値が書かれていません".into(), "no value is given".into())),
            _ => Err((format!("{id} というものがありません"), format!("there is nothing called {id}"))),
        };
        self.known.insert(id.to_owned(), value.clone());
        value
    }

    /// The value of a formula.
    pub(super) fn of(&mut self, formula: &Math) -> Result<f64, Why> {
        let functions = &self.raw.functions;
        math::value(formula, &mut Scope { value: &mut |name| self.get(name), functions })
    }
}
