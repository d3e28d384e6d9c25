//! Formulas of the tables, as the kernel's expressions.

use crate::kernel::{Elementary, Expression, Function, notation};
use toji_core::Result;

/// A formula: the kernel's notation with PEtab's own functions, in which `log` is `ln`, `**` is `^` and `!` is `not`.
pub(super) fn formula(text: &str) -> Result<Expression> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (taken, put) = if rest.starts_with("**") {
            (2, "^")
        } else if c == '!' && !rest.starts_with("!=") {
            (1, " not ")
        } else {
            (c.len_utf8(), &rest[..c.len_utf8()])
        };
        plain.push_str(put);
        rest = &rest[taken..];
    }
    let read = notation::read_with(&plain, &called)?;
    Ok(read.replaced(&|name| match name {
        "inf" => Some(Expression::Number(f64::INFINITY)),
        "true" => Some(Expression::Number(1.0)),
        "false" => Some(Expression::Number(0.0)),
        _ => None,
    }))
}

fn of(function: Elementary, argument: Expression) -> Expression {
    Expression::apply(Function::Of(function), [argument])
}

fn inverse(of: Expression) -> Expression {
    Expression::apply(Function::Divide, [Expression::Number(1.0), of])
}

/// Functions that PEtab calls otherwise, or that the kernel's notation does not have.
fn called(name: &str, arguments: &[Expression]) -> Option<Expression> {
    let ln = |e: &Expression| of(Elementary::Ln, e.clone());
    match (name, arguments) {
        ("log", [x]) => Some(ln(x)),
        ("log", [x, base]) => Some(Expression::apply(Function::Divide, [ln(x), ln(base)])),
        ("log2", [x]) => Some(Expression::apply(Function::Divide, [ln(x), Expression::Number(std::f64::consts::LN_2)])),
        ("pow", [x, to]) => Some(Expression::apply(Function::Power, [x.clone(), to.clone()])),
        ("sign", [x]) => {
            let zero = || Expression::Number(0.0);
            let when = |function| Expression::apply(function, [x.clone(), zero()]);
            let pieces =
                vec![(Expression::Number(1.0), when(Function::Greater)), (Expression::Number(-1.0), when(Function::Less))];
            Some(Expression::Piecewise(pieces, Some(Box::new(zero()))))
        }
        ("piecewise", [pieces @ .., otherwise]) if !pieces.is_empty() && pieces.len() % 2 == 0 => {
            let pieces = pieces.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
            Some(Expression::Piecewise(pieces, Some(Box::new(otherwise.clone()))))
        }
        (_, [x]) => trigonometric(name, x.clone()),
        _ => None,
    }
}

fn trigonometric(name: &str, x: Expression) -> Option<Expression> {
    Some(match name {
        "arcsin" => of(Elementary::Asin, x),
        "arccos" => of(Elementary::Acos, x),
        "arctan" => of(Elementary::Atan, x),
        "arcsinh" => of(Elementary::Asinh, x),
        "arccosh" => of(Elementary::Acosh, x),
        "arctanh" => of(Elementary::Atanh, x),
        "sec" => inverse(of(Elementary::Cos, x)),
        "csc" => inverse(of(Elementary::Sin, x)),
        "cot" => inverse(of(Elementary::Tan, x)),
        "sech" => inverse(of(Elementary::Cosh, x)),
        "csch" => inverse(of(Elementary::Sinh, x)),
        "coth" => inverse(of(Elementary::Tanh, x)),
        "arcsec" => of(Elementary::Acos, inverse(x)),
        "arccsc" => of(Elementary::Asin, inverse(x)),
        "arcsech" => of(Elementary::Acosh, inverse(x)),
        "arccsch" => of(Elementary::Asinh, inverse(x)),
        "arccoth" => of(Elementary::Atanh, inverse(x)),
        _ => return None,
    })
}
