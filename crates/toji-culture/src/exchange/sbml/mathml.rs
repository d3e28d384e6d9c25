//! Formulas: MathML's content elements as [`Math`].
//!
//! What the kernel has no function for is composed of those it has: sec x = 1 / cos x, arccot x = atan(1 / x), the
//! logarithm to base b = ln x / ln b, the n-th root = x^(1/n). Comparisons of fewer than two are true.

use super::findings::{Findings, UNKNOWN_MATH};
use super::model::Math;
use super::xml::{Element, Space};
use crate::kernel::{Elementary, Function};
use std::sync::Arc;

/// Avogadro's constant as SBML level 3 fixes it, in 1/mol.
const AVOGADRO_PER_MOL: f64 = 6.022_141_79e23;

/// The children that count: MathML's.
fn parts(element: &Element) -> impl Iterator<Item = &Element> {
    element.children.iter().filter(|c| c.space == Space::Math)
}

/// The one formula inside `element` (`math`, `degree`, `otherwise`, …).
pub(super) fn only(element: &Element, findings: &mut Findings) -> Option<Math> {
    let mut children = parts(element);
    match (children.next(), children.next()) {
        (Some(child), None) => formula(child, findings),
        _ => findings.math(
            element,
            format!("<{}> の中の式は一つでなければなりません", element.name),
            format!("<{}> must hold exactly one formula", element.name),
        ),
    }
}

/// Arguments and body of `lambda`.
pub(super) fn lambda(element: &Element, findings: &mut Findings) -> Option<(Vec<Arc<str>>, Option<Math>)> {
    let (mut arguments, mut body): (Vec<Arc<str>>, _) = (Vec::new(), None);
    for child in parts(element) {
        if child.name == "bvar" {
            let name = parts(child).next().filter(|c| c.name == "ci").map(|c| c.text.trim());
            match name {
                Some(name) if !name.is_empty() && !arguments.iter().any(|a| &**a == name) => arguments.push(name.into()),
                _ => {
                    return findings.math(
                        child,
                        "引数の名前がないか、重なっています",
                        "an argument has no name, or the name of another",
                    );
                }
            }
        } else if body.is_none() {
            body = Some(formula(child, findings)?);
        } else {
            return findings.math(child, "関数の式は一つだけです", "a function has only one formula");
        }
    }
    Some((arguments, body))
}

/// A formula.
pub(super) fn formula(element: &Element, findings: &mut Findings) -> Option<Math> {
    match element.name.as_str() {
        "cn" => number(element, findings),
        "ci" => match element.text.trim() {
            "" => findings.math(element, "名前が空です", "the name is empty"),
            name => Some(Math::Name(name.into())),
        },
        "csymbol" => symbol(element, findings),
        "apply" => apply(element, findings),
        "piecewise" => piecewise(element, findings),
        "semantics" => match parts(element).next() {
            Some(first) => formula(first, findings),
            None => findings.math(element, "式がありません", "there is no formula"),
        },
        "true" => Some(Math::Number(1.0)),
        "false" => Some(Math::Number(0.0)),
        "pi" => Some(Math::Number(std::f64::consts::PI)),
        "exponentiale" => Some(Math::Number(std::f64::consts::E)),
        "infinity" => Some(Math::Number(f64::INFINITY)),
        "notanumber" => Some(Math::Number(f64::NAN)),
        _ => unknown(element, findings),
    }
}

fn unknown<T>(element: &Element, findings: &mut Findings) -> Option<T> {
    findings.unsupported(
        element,
        format!("MathML の <{}> には対応していません", element.name),
        format!("<{}> of MathML is not supported", element.name),
        UNKNOWN_MATH,
    );
    None
}

/// A number as XML writes it: digits, exponent, INF, NaN.
pub(super) fn parse(text: &str) -> Option<f64> {
    match text.trim() {
        "INF" | "+INF" => Some(f64::INFINITY),
        "-INF" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        plain => {
            let digits = plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
            plain.parse().ok().filter(|_| digits)
        }
    }
}

fn number(element: &Element, findings: &mut Findings) -> Option<Math> {
    let text = element.text.as_str();
    let separated = element.children.iter().find(|c| c.name == "sep").and_then(|sep| text.split_at_checked(sep.after));
    let decimal = element.attribute("base").is_none_or(|base| base.trim() == "10");
    let read = match (element.attribute("type").unwrap_or("real").trim(), separated) {
        _ if !decimal => None,
        ("e-notation", Some((mantissa, exponent))) => match exponent.trim().parse::<i64>() {
            Ok(exponent) => parse(mantissa).and_then(|_| parse(&format!("{}e{exponent}", mantissa.trim()))),
            Err(_) => None,
        },
        ("rational", Some((above, below))) => parse(above).zip(parse(below)).map(|(a, b)| a / b),
        ("real" | "integer" | "double" | "e-notation", None) => parse(text),
        _ => None,
    };
    match read {
        Some(number) => Some(Math::Number(number)),
        None => findings.math(
            element,
            format!("数として読めません: {:?}", text.trim()),
            format!("not readable as a number: {:?}", text.trim()),
        ),
    }
}

/// The end of a symbol's address: `time`, `avogadro`, `rateOf`, `delay`.
fn address(element: &Element) -> &str {
    let url = element.attribute("definitionURL").unwrap_or_default().trim();
    url.strip_prefix("http://www.sbml.org/sbml/symbols/").unwrap_or_default()
}

fn symbol(element: &Element, findings: &mut Findings) -> Option<Math> {
    match address(element) {
        "time" => Some(Math::Time),
        "avogadro" => Some(Math::Number(AVOGADRO_PER_MOL)),
        _ => strange(element, findings),
    }
}

fn strange(element: &Element, findings: &mut Findings) -> Option<Math> {
    let named = element.attribute("definitionURL").unwrap_or_default();
    if address(element) == "delay" {
        findings.unsupported(
            element,
            "遅れのある関数 (csymbol delay) には対応していません",
            "delays inside formulas (csymbol delay) are not supported",
            (
                "遅れを一次遅れの連鎖などの微分方程式に書き換えてください",
                "rewrite the delay as differential equations, such as a chain of first-order lags",
            ),
        );
    } else {
        findings.unsupported(
            element,
            format!("記号 {named} には対応していません"),
            format!("the symbol {named} is not supported"),
            UNKNOWN_MATH,
        );
    }
    None
}

fn piecewise(element: &Element, findings: &mut Findings) -> Option<Math> {
    let (mut pieces, mut otherwise) = (Vec::new(), None);
    for child in parts(element) {
        match child.name.as_str() {
            "piece" => {
                let both: Vec<&Element> = parts(child).collect();
                let [value, condition] = both.as_slice() else {
                    return findings.math(child, "<piece> には値と条件の二つが要ります", "<piece> needs a value and a condition");
                };
                pieces.push((formula(value, findings)?, formula(condition, findings)?));
            }
            "otherwise" if otherwise.is_none() => otherwise = Some(Box::new(only(child, findings)?)),
            _ => return unknown(child, findings),
        }
    }
    Some(Math::Piecewise(pieces, otherwise))
}

fn apply(element: &Element, findings: &mut Findings) -> Option<Math> {
    let mut children = parts(element);
    let Some(operator) = children.next() else {
        return findings.math(element, "<apply> が空です", "<apply> is empty");
    };
    let (mut arguments, mut qualifier) = (Vec::new(), None);
    for child in children {
        if matches!((operator.name.as_str(), child.name.as_str()), ("root", "degree") | ("log", "logbase")) {
            qualifier = Some(only(child, findings)?);
        } else {
            arguments.push(formula(child, findings)?);
        }
    }
    let count = arguments.len();
    let applied = match operator.name.as_str() {
        "ci" => match operator.text.trim() {
            "" => return findings.math(operator, "名前が空です", "the name is empty"),
            name => return Some(Math::Call(name.into(), arguments)),
        },
        "csymbol" if address(operator) == "rateOf" => match arguments.as_slice() {
            [Math::Name(name)] => Some(Math::RateOf(name.clone())),
            _ => None,
        },
        "csymbol" => return strange(operator, findings),
        name => {
            if !known(name) {
                return unknown(operator, findings);
            }
            operation(name, arguments, qualifier)
        }
    };
    applied.or_else(|| {
        findings.math(
            operator,
            format!("<{}> に引数 {count} 個は合いません", operator.name),
            format!("<{}> does not take {count} arguments", operator.name),
        )
    })
}

/// Functions of any number of arguments.
fn many(name: &str) -> Option<Function> {
    Some(match name {
        "plus" => Function::Add,
        "times" => Function::Multiply,
        "and" => Function::And,
        "or" => Function::Or,
        "xor" => Function::Xor,
        "max" => Function::Max,
        "min" => Function::Min,
        "eq" => Function::Equal,
        "gt" => Function::Greater,
        "geq" => Function::GreaterOrEqual,
        "lt" => Function::Less,
        "leq" => Function::LessOrEqual,
        _ => return None,
    })
}

/// Functions of two arguments.
fn two(name: &str) -> Option<Function> {
    Some(match name {
        "minus" => Function::Subtract,
        "divide" => Function::Divide,
        "power" => Function::Power,
        "quotient" => Function::Quotient,
        "rem" => Function::Remainder,
        "neq" => Function::NotEqual,
        "implies" => Function::Implies,
        _ => return None,
    })
}

/// Functions of one argument.
fn one(name: &str) -> Option<Function> {
    Some(match name {
        "minus" => Function::Negate,
        "exp" => Function::Of(Elementary::Exp),
        "ln" => Function::Of(Elementary::Ln),
        "log" => Function::Of(Elementary::Log10),
        "root" => Function::Of(Elementary::Sqrt),
        "abs" => Function::Of(Elementary::Abs),
        "floor" => Function::Of(Elementary::Floor),
        "ceiling" => Function::Of(Elementary::Ceiling),
        "factorial" => Function::Of(Elementary::Factorial),
        "sin" => Function::Of(Elementary::Sin),
        "cos" => Function::Of(Elementary::Cos),
        "tan" => Function::Of(Elementary::Tan),
        "arcsin" => Function::Of(Elementary::Asin),
        "arccos" => Function::Of(Elementary::Acos),
        "arctan" => Function::Of(Elementary::Atan),
        "sinh" => Function::Of(Elementary::Sinh),
        "cosh" => Function::Of(Elementary::Cosh),
        "tanh" => Function::Of(Elementary::Tanh),
        "arcsinh" => Function::Of(Elementary::Asinh),
        "arccosh" => Function::Of(Elementary::Acosh),
        "arctanh" => Function::Of(Elementary::Atanh),
        "not" => Function::Not,
        _ => return None,
    })
}

/// The function of which it is the reciprocal value, or which it is of the reciprocal argument (true).
fn reciprocal(name: &str) -> Option<(Function, bool)> {
    Some(match name {
        "sec" => (Function::Of(Elementary::Cos), false),
        "csc" => (Function::Of(Elementary::Sin), false),
        "cot" => (Function::Of(Elementary::Tan), false),
        "sech" => (Function::Of(Elementary::Cosh), false),
        "csch" => (Function::Of(Elementary::Sinh), false),
        "coth" => (Function::Of(Elementary::Tanh), false),
        "arcsec" => (Function::Of(Elementary::Acos), true),
        "arccsc" => (Function::Of(Elementary::Asin), true),
        "arccot" => (Function::Of(Elementary::Atan), true),
        "arcsech" => (Function::Of(Elementary::Acosh), true),
        "arccsch" => (Function::Of(Elementary::Asinh), true),
        "arccoth" => (Function::Of(Elementary::Atanh), true),
        _ => return None,
    })
}

fn known(name: &str) -> bool {
    many(name).is_some() || two(name).is_some() || one(name).is_some() || reciprocal(name).is_some()
}

/// The function of this name of these arguments; `None`: it does not take so many.
fn operation(name: &str, arguments: Vec<Math>, qualifier: Option<Math>) -> Option<Math> {
    if let Some(function) = many(name) {
        let compares = matches!(name, "eq" | "gt" | "geq" | "lt" | "leq");
        return match arguments.len() {
            0 | 1 if compares => Some(Math::Number(1.0)),
            0 if matches!(name, "max" | "min") => None,
            _ => Some(Math::Apply(function, arguments)),
        };
    }
    match (arguments.len(), qualifier) {
        (2, None) => two(name).map(|function| Math::Apply(function, arguments)),
        (1, None) => match reciprocal(name) {
            Some((function, false)) => Some(inverse(Math::Apply(function, arguments))),
            Some((function, true)) => Some(Math::Apply(function, arguments.into_iter().map(inverse).collect())),
            None => one(name).map(|function| Math::Apply(function, arguments)),
        },
        (1, Some(Math::Number(2.0))) if name == "root" => Some(Math::Apply(Function::Of(Elementary::Sqrt), arguments)),
        (1, Some(degree)) if name == "root" => {
            Some(Math::Apply(Function::Power, arguments.into_iter().chain([inverse(degree)]).collect()))
        }
        (1, Some(Math::Number(10.0))) => Some(Math::Apply(Function::Of(Elementary::Log10), arguments)),
        (1, Some(base)) => {
            let ln = |of| Math::Apply(Function::Of(Elementary::Ln), of);
            Some(Math::Apply(Function::Divide, vec![ln(arguments), ln(vec![base])]))
        }
        _ => None,
    }
}

fn inverse(of: Math) -> Math {
    Math::Apply(Function::Divide, vec![Math::Number(1.0), of])
}
