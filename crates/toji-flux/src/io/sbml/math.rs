//! Formulas that stand for a constant: MathML's content elements, evaluated where bounds and stoichiometry need them.

use super::xml::{Space, Xml};
use std::collections::HashMap;
use std::io::BufRead;
use toji_core::Result;

/// Deepest nesting of formulas and calls, and most steps of one evaluation.
const DEPTH_MAX: usize = 60;
const STEPS_MAX: usize = 100_000;
/// Avogadro's constant as SBML level 3 fixes it, in 1/mol.
const AVOGADRO_PER_MOL: f64 = 6.022_141_79e23;

/// An element of a formula.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Math {
    name: String,
    text: String,
    /// Of `cn`: text before `sep`.
    before: Option<String>,
    /// `type` of `cn`, `definitionURL` of `csymbol`.
    kind: String,
    children: Vec<Math>,
}

/// Reads the formula of the `math` element open now, to its end. None: it is empty.
pub(super) fn read<R: BufRead>(xml: &mut Xml<R>) -> Result<Option<Math>> {
    let mut whole = element(xml, 0)?;
    Ok(if whole.children.is_empty() { None } else { Some(whole.children.swap_remove(0)) })
}

fn element<R: BufRead>(xml: &mut Xml<R>, depth: usize) -> Result<Math> {
    let tag = &xml.tag;
    let kind = tag.own("definitionURL").or_else(|| tag.own("type")).unwrap_or_default().trim().to_owned();
    let mut math = Math { name: tag.name().to_owned(), kind, ..Math::default() };
    loop {
        let open = xml.child()?;
        math.text.push_str(xml.before());
        if !open {
            return Ok(math);
        }
        if xml.tag.name() == "sep" {
            math.before = Some(std::mem::take(&mut math.text));
            xml.skip()?;
        } else if xml.tag.space != Space::Math || depth >= DEPTH_MAX {
            // Deeper than any formula is: the evaluation will miss an argument and say so.
            xml.skip()?;
        } else {
            math.children.push(element(xml, depth + 1)?);
        }
    }
}

/// Why a formula has no value, Japanese and English.
pub(super) type Why = (String, String);

fn why<T>(ja: impl Into<String>, en: impl Into<String>) -> std::result::Result<T, Why> {
    Err((ja.into(), en.into()))
}

/// What names stand for.
pub(super) struct Scope<'a> {
    /// Value of an identifier.
    pub(super) value: &'a mut dyn FnMut(&str) -> std::result::Result<f64, Why>,
    /// Functions by identifier: `lambda` elements.
    pub(super) functions: &'a HashMap<String, Math>,
}

/// The value of a formula.
pub(super) fn value(math: &Math, scope: &mut Scope<'_>) -> std::result::Result<f64, Why> {
    Evaluation { scope, bound: Vec::new(), steps: 0 }.of(math, 0)
}

struct Evaluation<'a, 'b> {
    scope: &'a mut Scope<'b>,
    bound: Vec<(String, f64)>,
    steps: usize,
}

type Value = std::result::Result<f64, Why>;

impl Evaluation<'_, '_> {
    fn of(&mut self, math: &Math, depth: usize) -> Value {
        self.steps += 1;
        if depth > DEPTH_MAX || self.steps > STEPS_MAX {
            return why("式が大きすぎるか、関数が自分自身を呼んでいます", "the formula is too large, or a function calls itself");
        }
        match math.name.as_str() {
            "cn" => number(math),
            "ci" => self.name(math.text.trim()),
            "csymbol" if math.kind.ends_with("/avogadro") => Ok(AVOGADRO_PER_MOL),
            "csymbol" => why("時間や遅れを含む式は定数ではありません", "a formula with time or delay is not constant"),
            "true" => Ok(1.0),
            "false" => Ok(0.0),
            "pi" => Ok(std::f64::consts::PI),
            "exponentiale" => Ok(std::f64::consts::E),
            "infinity" => Ok(f64::INFINITY),
            "notanumber" => Ok(f64::NAN),
            "semantics" | "otherwise" | "degree" | "logbase" => match math.children.first() {
                Some(child) => self.of(child, depth + 1),
                None => why("式が空です", "the formula is empty"),
            },
            "piecewise" => self.piecewise(math, depth),
            "apply" => self.apply(math, depth),
            other => why(format!("<{other}> には対応していません"), format!("<{other}> is not supported")),
        }
    }

    fn name(&mut self, name: &str) -> Value {
        match self.bound.iter().rev().find(|b| b.0 == name) {
            Some(bound) => Ok(bound.1),
            None => (self.scope.value)(name),
        }
    }

    fn piecewise(&mut self, math: &Math, depth: usize) -> Value {
        for child in &math.children {
            match (child.name.as_str(), child.children.as_slice()) {
                ("piece", [value, condition]) => {
                    if self.of(condition, depth + 1)? != 0.0 {
                        return self.of(value, depth + 1);
                    }
                }
                ("otherwise", _) => return self.of(child, depth + 1),
                _ => return why("<piece> には値と条件の二つが要ります", "<piece> needs a value and a condition"),
            }
        }
        why("どの条件も成り立たず、値がありません", "no condition holds, so there is no value")
    }

    fn apply(&mut self, math: &Math, depth: usize) -> Value {
        let Some((operator, rest)) = math.children.split_first() else {
            return why("<apply> が空です", "<apply> is empty");
        };
        let (mut arguments, mut qualifier) = (Vec::new(), None);
        for child in rest {
            let value = self.of(child, depth + 1)?;
            match child.name.as_str() {
                "degree" | "logbase" => qualifier = Some(value),
                _ => arguments.push(value),
            }
        }
        if operator.name == "ci" {
            return self.call(operator.text.trim(), &arguments, depth);
        }
        let name = operator.name.as_str();
        many(name, &arguments).or_else(|| few(name, &arguments, qualifier)).map_or_else(
            || {
                let count = arguments.len();
                why(
                    format!("<{name}> (引数 {count} 個)には対応していません"),
                    format!("<{name}> of {count} arguments is not supported"),
                )
            },
            Ok,
        )
    }

    fn call(&mut self, name: &str, arguments: &[f64], depth: usize) -> Value {
        let functions = self.scope.functions;
        let Some(lambda) = functions.get(name) else {
            return why(format!("関数 {name} がありません"), format!("there is no function {name}"));
        };
        let names: Vec<&str> = lambda
            .children
            .iter()
            .filter(|c| c.name == "bvar")
            .filter_map(|c| c.children.first())
            .map(|c| c.text.trim())
            .collect();
        let body = lambda.children.iter().find(|c| c.name != "bvar");
        match body {
            Some(body) if names.len() == arguments.len() => {
                let before = std::mem::take(&mut self.bound);
                self.bound = names.iter().map(|n| (*n).to_owned()).zip(arguments.iter().copied()).collect();
                let value = self.of(body, depth + 1);
                self.bound = before;
                value
            }
            _ => why(format!("関数 {name} の引数の数が違います"), format!("function {name} takes another number of arguments")),
        }
    }
}

fn number(math: &Math) -> Value {
    let parse = |text: &str| -> Option<f64> {
        match text.trim() {
            "INF" => Some(f64::INFINITY),
            "-INF" => Some(f64::NEG_INFINITY),
            plain => plain.parse().ok(),
        }
    };
    let read = match (&math.before, math.kind.as_str()) {
        (Some(mantissa), "e-notation") => parse(&format!("{}e{}", mantissa.trim(), math.text.trim())),
        (Some(above), "rational") => parse(above).zip(parse(&math.text)).map(|(a, b)| a / b),
        (None, _) => parse(&math.text),
        _ => None,
    };
    match read {
        Some(number) => Ok(number),
        None => {
            let text = math.text.trim();
            why(format!("数として読めません: {text:?}"), format!("not readable as a number: {text:?}"))
        }
    }
}

/// Functions of any number of arguments.
fn many(name: &str, x: &[f64]) -> Option<f64> {
    let truth = |b: bool| f64::from(u8::from(b));
    let chain = |holds: fn(f64, f64) -> bool| truth(x.windows(2).all(|w| holds(w[0], w[1])));
    Some(match name {
        "plus" => x.iter().sum(),
        "times" => x.iter().product(),
        "and" => truth(x.iter().all(|v| *v != 0.0)),
        "or" => truth(x.iter().any(|v| *v != 0.0)),
        "xor" => truth(x.iter().filter(|v| **v != 0.0).count() % 2 == 1),
        "max" if !x.is_empty() => x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "min" if !x.is_empty() => x.iter().copied().fold(f64::INFINITY, f64::min),
        "eq" => chain(|a, b| a == b),
        "gt" => chain(|a, b| a > b),
        "geq" => chain(|a, b| a >= b),
        "lt" => chain(|a, b| a < b),
        "leq" => chain(|a, b| a <= b),
        _ => return None,
    })
}

/// Functions of one or two arguments.
fn few(name: &str, x: &[f64], qualifier: Option<f64>) -> Option<f64> {
    Some(match (name, x) {
        ("minus", [a]) => -a,
        ("minus", [a, b]) => a - b,
        ("divide", [a, b]) => a / b,
        ("power", [a, b]) => a.powf(*b),
        ("quotient", [a, b]) => (a / b).trunc(),
        ("rem", [a, b]) => a % b,
        ("neq", [a, b]) => f64::from(u8::from(a != b)),
        ("not", [a]) => f64::from(u8::from(*a == 0.0)),
        ("abs", [a]) => a.abs(),
        ("exp", [a]) => a.exp(),
        ("ln", [a]) => a.ln(),
        ("log", [a]) => a.log10() / qualifier.map_or(1.0, f64::log10),
        ("root", [a]) => match qualifier {
            None => a.sqrt(),
            Some(2.0) => a.sqrt(),
            Some(degree) => a.powf(1.0 / degree),
        },
        ("floor", [a]) => a.floor(),
        ("ceiling", [a]) => a.ceil(),
        ("sin", [a]) => a.sin(),
        ("cos", [a]) => a.cos(),
        ("tan", [a]) => a.tan(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inner: &str, expected: std::result::Result<f64, &str>) {
        let text = format!("<math xmlns='http://www.w3.org/1998/Math/MathML'>{inner}</math>");
        let mut xml = Xml::new(text.as_bytes());
        xml.child().unwrap();
        let math = read(&mut xml).unwrap().unwrap();
        let text = "<lambda xmlns='http://www.w3.org/1998/Math/MathML'><bvar><ci>x</ci></bvar><apply><times/><ci>x</ci><ci>k</ci></apply></lambda>";
        let mut xml = Xml::new(text.as_bytes());
        xml.child().unwrap();
        let mut functions = HashMap::from([("f".to_owned(), element(&mut xml, 0).unwrap())]);
        functions.insert("loop".to_owned(), functions["f"].clone());
        if let Some(body) = functions.get_mut("loop").and_then(|l| l.children.get_mut(1)) {
            body.children[0] = Math { name: "ci".into(), text: "loop".into(), ..Math::default() };
            body.children.truncate(2);
        }
        let mut known = |name: &str| match name {
            "k" => Ok(3.0),
            _ => why("", format!("no {name}")),
        };
        let found = value(&math, &mut Scope { value: &mut known, functions: &functions });
        assert_eq!(found.map_err(|w| w.1), expected.map_err(str::to_owned), "{inner}");
    }

    #[test]
    fn formulas_have_values() {
        check("<cn type='integer'> 1 </cn>", Ok(1.0));
        check("<cn type='e-notation'>1.5<sep/>3</cn>", Ok(1500.0));
        check("<cn type='rational'>1<sep/>4</cn>", Ok(0.25));
        check("<infinity/>", Ok(f64::INFINITY));
        check("<apply><minus/><infinity/></apply>", Ok(f64::NEG_INFINITY));
        check("<apply><plus/><ci>k</ci><apply><power/><cn>2</cn><cn>3</cn></apply></apply>", Ok(11.0));
        check("<apply><ci>f</ci><cn>5</cn></apply>", Ok(15.0));
        check(
            "<piecewise><piece><cn>1</cn><apply><gt/><ci>k</ci><cn>4</cn></apply></piece><otherwise><cn>2</cn></otherwise></piecewise>",
            Ok(2.0),
        );
        check("<apply><log/><logbase><cn>2</cn></logbase><cn>8</cn></apply>", Ok(8_f64.log10() / 2_f64.log10()));
    }

    #[test]
    fn what_has_none_says_why() {
        check("<ci>q</ci>", Err("no q"));
        check("<apply><minus/></apply>", Err("<minus> of 0 arguments is not supported"));
        check("<apply><ci>g</ci></apply>", Err("there is no function g"));
        check("<apply><ci>loop</ci><cn>1</cn></apply>", Err("the formula is too large, or a function calls itself"));
        check("<cn>x</cn>", Err("not readable as a number: \"x\""));
        check(
            "<csymbol definitionURL='http://www.sbml.org/sbml/symbols/time'>t</csymbol>",
            Err("a formula with time or delay is not constant"),
        );
    }
}
