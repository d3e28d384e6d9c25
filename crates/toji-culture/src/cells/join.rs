//! Which quantities of a model a source of rates reads and sets.

use crate::kernel::{Definition, Expression, Function, Quantity, Role, System};
use crate::model::{Kind, Model};
use std::collections::BTreeSet;
use std::sync::Arc;
use toji_core::{Error, Kinetics, Law, Place, Result, Unit};

/// The quantities, in the order of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Greatest specific uptakes that the broth allows: any quantities of the model in mmol/(g·h).
    pub limits: Vec<String>,
    /// Specific rates: constants of the model, in mmol/(g·h) and growth in 1/h. What the file gives as their values is not
    /// used.
    pub rates: Vec<String>,
}

/// A model compiled for a source of rates.
#[derive(Debug, Clone)]
pub struct Join {
    /// Compiled; quantities stand where they stand in the model, the coefficients of the law after them.
    pub system: System,
    /// Quantities that are the limits.
    pub(super) limits: Vec<usize>,
    pub(super) growth: usize,
    /// Constant that is the first coefficient; each rate has its value at no uptake and then a slope by each limit.
    first: usize,
}

fn refused(field: &str, [ja, en]: [String; 2], cure: [&str; 2]) -> Error {
    Error::input("E-MODEL-070", ja, en).at(Place::field(field)).hint(cure[0], cure[1])
}

fn coefficient(rate: usize, limit: Option<usize>) -> Arc<str> {
    limit.map_or_else(|| format!("law·{rate}"), |k| format!("law·{rate}·{k}")).into()
}

/// Everything that a quantity needs at an instant.
fn needs<'a>(definition: &'a Definition, name: &'a str, seen: &mut BTreeSet<&'a str>) {
    let mut ahead = vec![name];
    while let Some(name) = ahead.pop() {
        if !seen.insert(name) {
            continue;
        }
        if let Some(Role::Assigned(e) | Role::Constant(e)) =
            definition.quantities.iter().find(|q| &*q.name == name).map(|q| &q.role)
        {
            e.names(&mut |n| ahead.push(n));
        }
    }
}

impl Join {
    /// Joins a model and a source.
    ///
    /// # Errors
    /// `E-MODEL-070`: as many names as the source has limits and rates, each of the model, with the unit it must have, once;
    /// rates are constants; no limit hangs on a rate at the same instant. Those of [`System::compile`].
    pub fn new(model: &Model, names: &Names, kinetics: &dyn Kinetics) -> Result<Self> {
        let counts = [(&names.limits, kinetics.limits(), "limits"), (&names.rates, kinetics.rates(), "rates")];
        for (have, want, field) in counts {
            if have.len() != want {
                return Err(refused(
                    field,
                    [
                        format!("{want} 個の名前が必要ですが、{} 個です", have.len()),
                        format!("{want} names are needed, not {}", have.len()),
                    ],
                    ["速度の源と同じ数・同じ順にしてください", "give as many as the source of rates has, in its order"],
                ));
            }
        }
        let (flux, growth) = (Unit::parse("mmol/(g.h)")?, Unit::parse("/h")?);
        for (k, name) in names.limits.iter().enumerate() {
            has(model, name, &format!("limits[{k}]"), &flux)?;
        }
        let mut seen = BTreeSet::new();
        for (i, name) in names.rates.iter().enumerate() {
            let field = format!("rates[{i}]");
            let kind = has(model, name, &field, if i == kinetics.growth() { &growth } else { &flux })?;
            if kind != Kind::Constant || !seen.insert(name.as_str()) {
                return Err(refused(
                    &field,
                    [
                        format!("«{name}» は定数ではないか、二度使われています"),
                        format!("«{name}» is no constant, or named twice"),
                    ],
                    [
                        "比速度をモデルの [constant] に一つずつ宣言してください",
                        "declare each specific rate in [constant] of the model",
                    ],
                ));
            }
        }
        for (k, name) in names.limits.iter().enumerate() {
            let mut all = BTreeSet::new();
            needs(&model.definition, name, &mut all);
            if let Some(rate) = names.rates.iter().find(|r| all.contains(r.as_str())) {
                return Err(refused(
                    &format!("limits[{k}]"),
                    [
                        format!("«{name}» は同じ時刻の比速度 «{rate}» に依存しています"),
                        format!("«{name}» hangs on the rate «{rate}» of the same instant"),
                    ],
                    ["濃度や槽の条件だけの式にしてください", "make it an expression of concentrations and of the vessel"],
                ));
            }
        }
        Self::compile(model, names, kinetics.growth())
    }

    fn compile(model: &Model, names: &Names, growth: usize) -> Result<Self> {
        let mut joined = model.definition.clone();
        let mut coefficients = Vec::new();
        for (i, rate) in names.rates.iter().enumerate() {
            let mut sum = vec![Expression::name(coefficient(i, None))];
            coefficients.push(coefficient(i, None));
            for (k, limit) in names.limits.iter().enumerate() {
                let slope = coefficient(i, Some(k));
                sum.push(Expression::apply(
                    Function::Multiply,
                    [Expression::name(slope.clone()), Expression::name(limit.as_str())],
                ));
                coefficients.push(slope);
            }
            if let Some(quantity) = joined.quantities.iter_mut().find(|q| &*q.name == rate.as_str()) {
                quantity.role = Role::Assigned(Expression::apply(Function::Add, sum));
            }
        }
        let count = coefficients.len();
        for name in coefficients {
            joined.quantities.push(Quantity { name, role: Role::Constant(Expression::Number(0.0)) });
        }
        let system = System::compile(&joined)?;
        let limits = names.limits.iter().map(|n| system.quantity(n)).collect::<Result<Vec<_>>>()?;
        let growth = system.quantity(&names.rates[growth])?;
        let first = system.constants().len() - count;
        Ok(Self { system, limits, growth, first })
    }

    /// Puts the coefficients of a law among the constants.
    pub(super) fn obey(&self, law: &Law, constants: &mut [f64]) {
        let mut at = self.first;
        for (value, slopes) in law.rates.iter().zip(&law.slopes) {
            constants[at] = slopes.iter().zip(&law.at).fold(*value, |v, (slope, then)| v - slope * then);
            constants[at + 1..=at + slopes.len()].copy_from_slice(slopes);
            at += 1 + slopes.len();
        }
    }

    /// The limits, from all quantities at an instant.
    pub(super) fn limits_of(&self, quantities: &[f64]) -> Vec<f64> {
        self.limits.iter().map(|&q| quantities[q]).collect()
    }
}

fn has(model: &Model, name: &str, field: &str, unit: &Unit) -> Result<Kind> {
    let Some(found) = model.described(name) else {
        return Err(refused(
            field,
            [format!("量 «{name}» はモデルにありません"), format!("the model has no quantity «{name}»")],
            ["モデルにある名前にしてください", "use a name of the model"],
        ));
    };
    // A millimole per gram and hour is a mole per kilogram and hour: what counts is that a number means the same.
    let same = found.unit.convert(1.0, unit).is_ok_and(|f| (f - 1.0).abs() < 1e-12);
    if same {
        return Ok(found.kind);
    }
    Err(refused(
        field,
        [
            format!("«{name}» の単位が {} です（{} が必要）", found.unit, unit),
            format!("«{name}» is in {}, where {} is needed", found.unit, unit),
        ],
        ["モデルの単位を合わせてください", "give it that unit in the model"],
    ))
}
