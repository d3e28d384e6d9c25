//! Expressions with units: every sum is of one unit, every argument of a function a plain number, and where units
//! differ only in size the factor is put in.

use crate::kernel::{Elementary, Expression, Function};
use std::collections::BTreeMap;
use toji_core::{Error, Result, Unit};

/// An expression and the unit of its value.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub(super) expression: Expression,
    pub(super) unit: Unit,
}

/// Units of the quantities that expressions may name.
#[derive(Debug, Default)]
pub(super) struct Units {
    known: BTreeMap<String, Unit>,
    time: Option<Unit>,
}

fn refused(ja: String, en: String) -> Error {
    Error::input("E-MODEL-011", ja, en)
}

impl Units {
    /// With this unit of time.
    pub(super) fn with_time(time: Unit) -> Self {
        Self { known: BTreeMap::new(), time: Some(time) }
    }

    /// Declares a quantity; false where there is one of that name.
    pub(super) fn declare(&mut self, name: &str, unit: Unit) -> bool {
        self.known.insert(name.to_owned(), unit).is_none()
    }

    /// The expression with its unit.
    ///
    /// # Errors
    /// A name nobody declared; units that do not fit; a power that has no unit.
    pub(super) fn typed(&self, expression: &Expression) -> Result<Typed> {
        match expression {
            Expression::Number(_) => Ok(Typed { expression: expression.clone(), unit: Unit::one() }),
            Expression::Time => Ok(Typed { expression: Expression::Time, unit: self.time.clone().unwrap_or_else(Unit::one) }),
            Expression::Name(name) => self.named(name),
            Expression::Piecewise(pieces, otherwise) => self.piecewise(pieces, otherwise.as_deref()),
            Expression::Apply(function, arguments) => {
                let arguments = arguments.iter().map(|a| self.typed(a)).collect::<Result<Vec<_>>>()?;
                apply(*function, arguments)
            }
        }
    }

    fn named(&self, name: &str) -> Result<Typed> {
        if let Some(code) = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
            return Ok(Typed { expression: Expression::Number(1.0), unit: Unit::parse(code)? });
        }
        let unit = self.known.get(name).ok_or_else(|| {
            let names = self.known.keys().cloned().collect::<Vec<_>>().join(", ");
            refused(format!("«{name}» は宣言されていません"), format!("«{name}» is not declared"))
                .hint(format!("宣言された名前: {names}"), format!("declared are: {names}"))
        })?;
        Ok(Typed { expression: Expression::name(name), unit: unit.clone() })
    }

    fn piecewise(&self, pieces: &[(Expression, Expression)], otherwise: Option<&Expression>) -> Result<Typed> {
        let mut values = pieces.iter().map(|(value, _)| self.typed(value)).collect::<Result<Vec<_>>>()?;
        values.extend(otherwise.map(|o| self.typed(o)).transpose()?);
        let (mut values, unit) = alike(values)?;
        let otherwise = if otherwise.is_some() { values.pop() } else { None };
        let conditions = pieces.iter().map(|(_, condition)| Ok(self.typed(condition)?.expression));
        let pieces =
            values.into_iter().zip(conditions).map(|(value, condition)| Ok((value, condition?))).collect::<Result<Vec<_>>>()?;
        Ok(Typed { expression: Expression::Piecewise(pieces, otherwise.map(Box::new)), unit })
    }
}

impl Typed {
    /// The same in another unit.
    ///
    /// # Errors
    /// The units do not convert, or not by a factor.
    pub(super) fn to(self, unit: &Unit) -> Result<Expression> {
        if self.unit == *unit || is_zero(&self.expression) {
            return Ok(self.expression);
        }
        let (zero, factor) = (self.unit.convert(0.0, unit)?, self.unit.convert(1.0, unit)?);
        if zero != 0.0 {
            return Err(refused(
                format!("{} と {unit} の間は比例しないため、式の中で換算できません", self.unit),
                format!("{} and {unit} are not proportional and do not convert within an expression", self.unit),
            )
            .hint("温度の計算には K を使ってください", "compute with temperatures in K"));
        }
        Ok(if factor == 1.0 {
            self.expression
        } else {
            Expression::apply(Function::Multiply, [Expression::Number(factor), self.expression])
        })
    }
}

/// 0 has every unit.
fn is_zero(expression: &Expression) -> bool {
    matches!(expression, Expression::Number(value) if *value == 0.0)
}

/// All in the unit of the first that is not 0.
fn alike(values: Vec<Typed>) -> Result<(Vec<Expression>, Unit)> {
    let unit = values.iter().find(|v| !is_zero(&v.expression)).or(values.first()).map_or_else(Unit::one, |v| v.unit.clone());
    let values = values.into_iter().map(|v| v.to(&unit)).collect::<Result<Vec<_>>>()?;
    Ok((values, unit))
}

fn plain(values: Vec<Typed>) -> Result<Vec<Expression>> {
    values.into_iter().map(|v| v.to(&Unit::one())).collect()
}

fn apply(function: Function, mut arguments: Vec<Typed>) -> Result<Typed> {
    use Function as F;
    let build = |arguments: Vec<Expression>, unit: Unit| Ok(Typed { expression: Expression::Apply(function, arguments), unit });
    match function {
        F::Add | F::Subtract | F::Min | F::Max | F::Remainder => {
            let (values, unit) = alike(arguments)?;
            build(values, unit)
        }
        F::Less | F::LessOrEqual | F::Greater | F::GreaterOrEqual | F::Equal | F::NotEqual => {
            let (values, _) = alike(arguments)?;
            build(values, Unit::one())
        }
        F::Multiply => {
            let mut unit = Unit::one();
            for argument in &arguments {
                unit = unit.times(&argument.unit)?;
            }
            build(arguments.into_iter().map(|a| a.expression).collect(), unit)
        }
        F::Divide => {
            let mut unit = Unit::one();
            if let [a, b] = arguments.as_slice() {
                unit = a.unit.per(&b.unit)?;
            }
            build(arguments.into_iter().map(|a| a.expression).collect(), unit)
        }
        F::Negate | F::Of(Elementary::Abs) => {
            let unit = arguments.first().map_or_else(Unit::one, |a| a.unit.clone());
            build(arguments.into_iter().map(|a| a.expression).collect(), unit)
        }
        F::Power => {
            let (Some(exponent), Some(base)) = (arguments.pop(), arguments.pop()) else { return build(Vec::new(), Unit::one()) };
            let exponent = exponent.to(&Unit::one())?;
            let unit = match (&exponent, base.unit.is_one()) {
                (_, true) => Unit::one(),
                (Expression::Number(n), _) if n.fract() == 0.0 && n.abs() <= 9.0 => base.unit.to_the(*n as i32)?,
                _ => {
                    return Err(refused(
                        format!("単位 {} の量を整数でない乗数で累乗できません", base.unit),
                        format!("a quantity in {} has no power that is not a whole number", base.unit),
                    )
                    .hint(
                        format!("先に単位で割ってください: (x / 1 [{}]) ^ n", base.unit),
                        format!("divide it first: (x / 1 [{}]) ^ n", base.unit),
                    ));
                }
            };
            build(vec![base.expression, exponent], unit)
        }
        F::Of(Elementary::Sqrt) => {
            let Some(base) = arguments.pop() else { return build(Vec::new(), Unit::one()) };
            apply(F::Power, vec![base, Typed { expression: Expression::Number(0.5), unit: Unit::one() }])
        }
        F::And | F::Or | F::Xor | F::Not | F::Implies => {
            build(arguments.into_iter().map(|a| a.expression).collect(), Unit::one())
        }
        _ => {
            let values = plain(arguments)?;
            build(values, Unit::one())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::notation::read;

    fn units() -> Units {
        let mut units = Units::with_time(Unit::parse("h").unwrap());
        for (name, code) in [("mu", "/h"), ("X", "g/L"), ("S", "mg/L"), ("V", "L"), ("F", "mL/min"), ("T", "Cel"), ("P", "W/m3")]
        {
            units.declare(name, Unit::parse(code).unwrap());
        }
        units
    }

    fn check(text: &str, code: &str) -> Expression {
        let typed = units().typed(&read(text).unwrap()).unwrap();
        typed.to(&Unit::parse(code).unwrap()).unwrap()
    }

    /// The number an expression without names is.
    fn number(expression: &Expression) -> f64 {
        let quantity = crate::kernel::Quantity { name: "it".into(), role: crate::kernel::Role::Assigned(expression.clone()) };
        let system =
            crate::kernel::System::compile(&crate::kernel::Definition { quantities: vec![quantity], events: vec![] }).unwrap();
        system.simulate::<f64>(&[], &[0.0], &crate::kernel::Options::default()).unwrap().at(0)[0]
    }

    #[test]
    fn units_that_differ_in_size_are_converted_and_others_refused() {
        assert_eq!(number(&check("1 [g/L] + 500 [mg/L]", "g/L")), 1.5);
        assert_eq!(number(&check("2 [L] * 3 [g/L] / (30 [min])", "g/h")), 12.0);
        assert_eq!(number(&check("if(1 [h] > 30 [min], 0, 5 [g])", "g")), 0.0);
        assert_eq!(number(&check("exp(0 [h] / (2 [h]))", "1")), 1.0);
        assert_eq!(number(&check("(2000 [mm]) ^ 2", "m2")), 4.0);
        check("mu * X * V", "g/h");
        check("X + S", "kg/m3");
        check("(P / 1 [W/m3]) ^ 0.4", "1");
        for (text, code) in [
            ("X + V", "E-UNIT-002"),
            ("exp(V)", "E-UNIT-002"),
            ("P ^ 0.4", "E-MODEL-011"),
            ("Q", "E-MODEL-011"),
            ("T * X", "E-UNIT-006"),
            ("max(T, 300 [K])", "E-MODEL-011"),
        ] {
            let typed = units().typed(&read(text).unwrap()).and_then(|t| t.to(&Unit::one()));
            assert_eq!(typed.unwrap_err().code(), code, "{text}");
        }
    }
}
