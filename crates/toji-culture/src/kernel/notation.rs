//! Expressions as text: `mu_max * S / (K + S)`, `if(time < 10, 0, F0 * exp(mu * (time - 10)))`.
//!
//! From loosest to tightest: `or`, `and`, `not`, comparisons (`< <= > >= == !=`), `+ -`, `* /`, sign, `^` (from the
//! right). `time` is time. Functions by name: `exp ln log10 sqrt abs floor ceil min max sin cos tan asin acos atan sinh
//! cosh tanh`, and `if(condition, then, else)`. A number may carry a unit in brackets, `500 [g/L]`: it is read as the
//! number times a quantity named `[g/L]`.

use super::elementary::Elementary;
use super::expression::{Expression, Function};
use toji_core::{Error, Place, Result};

/// Nesting that is read.
const DEPTH_MAX: usize = 200;

/// Reads an expression.
///
/// # Errors
/// What is not an expression, with the column.
pub fn read(text: &str) -> Result<Expression> {
    read_with(text, &|_, _| None)
}

/// As [`read`], with functions by name that come before those listed.
///
/// # Errors
/// As [`read`].
pub fn read_with(text: &str, more: &dyn Fn(&str, &[Expression]) -> Option<Expression>) -> Result<Expression> {
    let mut reader = Reader { text, at: 0, depth: 0, more };
    let expression = reader.any()?;
    reader.space();
    if reader.at < text.len() {
        Err(reader.fault("ここに演算子がありません", "an operator is missing here"))
    } else {
        Ok(expression)
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    more: &'t dyn Fn(&str, &[Expression]) -> Option<Expression>,
}

impl Reader<'_> {
    fn fault(&self, ja: &str, en: &str) -> Error {
        let column = self.text[..self.at].chars().count() as u64 + 1;
        Error::input(
            "E-EXPR-001",
            format!("式 «{}» を読めません: {ja}", self.text),
            format!("the expression «{}» is not readable: {en}", self.text),
        )
        .at(Place { column: Some(column), ..Place::default() })
        .hint("例: mu_max * S / (K_s + S)", "example: mu_max * S / (K_s + S)")
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// One of these signs, the longer ones first.
    fn sign(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        self.space();
        let found = signs.iter().find(|s| self.rest().starts_with(**s)).copied()?;
        self.at += found.len();
        Some(found)
    }

    /// This word, if it stands here.
    fn word(&mut self, word: &str) -> bool {
        self.space();
        let here = self.rest().strip_prefix(word).is_some_and(|after| !after.starts_with(is_name));
        if here {
            self.at += word.len();
        }
        here
    }

    fn any(&mut self) -> Result<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.fault("入れ子が深すぎます", "it is nested too deeply"));
        }
        let mut parts = vec![self.all()?];
        while self.word("or") || self.sign(&["||"]).is_some() {
            parts.push(self.all()?);
        }
        self.depth -= 1;
        Ok(joined(Function::Or, parts))
    }

    fn all(&mut self) -> Result<Expression> {
        let mut parts = vec![self.not()?];
        while self.word("and") || self.sign(&["&&"]).is_some() {
            parts.push(self.not()?);
        }
        Ok(joined(Function::And, parts))
    }

    fn not(&mut self) -> Result<Expression> {
        let mut negated = false;
        while self.word("not") {
            negated = !negated;
        }
        let it = self.comparison()?;
        Ok(if negated { Expression::apply(Function::Not, [it]) } else { it })
    }

    fn comparison(&mut self) -> Result<Expression> {
        let left = self.sum()?;
        let function = match self.sign(&["<=", ">=", "==", "!=", "<", ">", "≤", "≥", "≠"]) {
            None => return Ok(left),
            Some("<=" | "≤") => Function::LessOrEqual,
            Some(">=" | "≥") => Function::GreaterOrEqual,
            Some("==") => Function::Equal,
            Some("!=" | "≠") => Function::NotEqual,
            Some("<") => Function::Less,
            Some(_) => Function::Greater,
        };
        let right = self.sum()?;
        Ok(Expression::apply(function, [left, right]))
    }

    fn sum(&mut self) -> Result<Expression> {
        let mut left = self.product()?;
        while let Some(sign) = self.sign(&["+", "-", "−"]) {
            let right = self.product()?;
            left = Expression::apply(if sign == "+" { Function::Add } else { Function::Subtract }, [left, right]);
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression> {
        let mut left = self.signed()?;
        while let Some(sign) = self.sign(&["*", "/", "·"]) {
            let right = self.signed()?;
            left = Expression::apply(if sign == "/" { Function::Divide } else { Function::Multiply }, [left, right]);
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Expression> {
        let mut negated = false;
        while let Some(sign) = self.sign(&["-", "−", "+"]) {
            negated ^= sign != "+";
        }
        let it = self.power()?;
        Ok(match it {
            Expression::Number(value) if negated => Expression::Number(-value),
            it if negated => Expression::apply(Function::Negate, [it]),
            it => it,
        })
    }

    fn power(&mut self) -> Result<Expression> {
        let base = self.primary()?;
        if self.sign(&["^"]).is_none() {
            return Ok(base);
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.fault("入れ子が深すぎます", "it is nested too deeply"));
        }
        let exponent = self.signed()?;
        self.depth -= 1;
        Ok(Expression::apply(Function::Power, [base, exponent]))
    }

    fn primary(&mut self) -> Result<Expression> {
        if self.sign(&["("]).is_some() {
            let inner = self.any()?;
            self.close()?;
            return Ok(inner);
        }
        self.space();
        let rest = self.rest();
        if rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return self.number();
        }
        let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.fault("ここに数か名前がありません", "a number or a name is missing here"));
        }
        let name = rest[..length].to_owned();
        let begin = self.at;
        self.at += length;
        if self.sign(&["("]).is_none() {
            return Ok(if name == "time" { Expression::Time } else { Expression::name(name) });
        }
        let mut arguments = Vec::new();
        if self.sign(&[")"]).is_none() {
            arguments.push(self.any()?);
            while self.sign(&[","]).is_some() {
                arguments.push(self.any()?);
            }
            self.close()?;
        }
        (self.more)(&name, &arguments).or_else(|| call(&name, arguments)).ok_or_else(|| {
            self.at = begin;
            self.fault(
                &format!("関数 {name} がないか、引数の数が違います"),
                &format!("there is no function {name}, or not of so many arguments"),
            )
        })
    }

    fn close(&mut self) -> Result<()> {
        self.sign(&[")"]).map(|_| ()).ok_or_else(|| self.fault("閉じ括弧がありません", "a closing bracket is missing"))
    }

    fn number(&mut self) -> Result<Expression> {
        let rest = self.rest();
        let digits = |from: usize| rest[from..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |n| from + n);
        let mut end = digits(0);
        if rest[end..].starts_with('.') {
            end = digits(end + 1);
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
            let exponent = digits(end + 1 + sign);
            if exponent > end + 1 + sign {
                end = exponent;
            }
        }
        match rest[..end].parse::<f64>() {
            Ok(value) => {
                self.at += end;
                match self.unit()? {
                    Some(unit) => Ok(Expression::apply(Function::Multiply, [Expression::Number(value), Expression::name(unit)])),
                    None => Ok(Expression::Number(value)),
                }
            }
            Err(_) => Err(self.fault("数ではありません", "this is no number")),
        }
    }
}

impl Reader<'_> {
    /// A unit in brackets, which it may itself contain.
    fn unit(&mut self) -> Result<Option<String>> {
        self.space();
        if !self.rest().starts_with('[') {
            return Ok(None);
        }
        let mut open = 0usize;
        for (i, c) in self.rest().char_indices() {
            match c {
                '[' => open += 1,
                ']' => open -= 1,
                _ => {}
            }
            if open == 0 {
                let unit = self.rest()[..=i].to_owned();
                self.at += i + 1;
                return Ok(Some(unit));
            }
        }
        Err(self.fault("単位の ] がありません", "the ] of the unit is missing"))
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn joined(function: Function, mut parts: Vec<Expression>) -> Expression {
    if parts.len() == 1 { parts.remove(0) } else { Expression::Apply(function, parts) }
}

fn call(name: &str, mut arguments: Vec<Expression>) -> Option<Expression> {
    let function = match (name, arguments.len()) {
        ("if", 3) => {
            let (no, yes, condition) = (arguments.pop()?, arguments.pop()?, arguments.pop()?);
            return Some(Expression::Piecewise(vec![(yes, condition)], Some(Box::new(no))));
        }
        ("min", 1..) => Function::Min,
        ("max", 1..) => Function::Max,
        ("exp", 1) => Function::Of(Elementary::Exp),
        ("ln", 1) => Function::Of(Elementary::Ln),
        ("log10", 1) => Function::Of(Elementary::Log10),
        ("sqrt", 1) => Function::Of(Elementary::Sqrt),
        ("abs", 1) => Function::Of(Elementary::Abs),
        ("floor", 1) => Function::Of(Elementary::Floor),
        ("ceil", 1) => Function::Of(Elementary::Ceiling),
        ("sin", 1) => Function::Of(Elementary::Sin),
        ("cos", 1) => Function::Of(Elementary::Cos),
        ("tan", 1) => Function::Of(Elementary::Tan),
        ("asin", 1) => Function::Of(Elementary::Asin),
        ("acos", 1) => Function::Of(Elementary::Acos),
        ("atan", 1) => Function::Of(Elementary::Atan),
        ("sinh", 1) => Function::Of(Elementary::Sinh),
        ("cosh", 1) => Function::Of(Elementary::Cosh),
        ("tanh", 1) => Function::Of(Elementary::Tanh),
        _ => return None,
    };
    Some(Expression::Apply(function, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn show(e: &Expression) -> String {
        match e {
            Expression::Number(n) => n.to_string(),
            Expression::Time => "t".into(),
            Expression::Name(n) => n.to_string(),
            Expression::Apply(f, a) => format!("{f}({})", a.iter().map(show).collect::<Vec<_>>().join(" ")),
            Expression::Piecewise(p, o) => {
                let pieces: Vec<String> = p.iter().map(|(v, c)| format!("{} if {}", show(v), show(c))).collect();
                format!("{{{} else {}}}", pieces.join(" "), o.as_ref().map_or(String::new(), |o| show(o)))
            }
        }
    }

    #[test]
    fn precedence_is_that_of_mathematics() {
        for (text, read_as) in [
            ("a + b * c ^ 2", "Add(a Multiply(b Power(c 2)))"),
            ("-a ^ 2", "Negate(Power(a 2))"),
            ("a ^ -b ^ 2", "Power(a Negate(Power(b 2)))"),
            ("a - b - c", "Subtract(Subtract(a b) c)"),
            ("2e-3*x", "Multiply(0.002 x)"),
            ("2 e", ""),
            ("not a < b and c > 1 or d", "Or(And(Not(Less(a b)) Greater(c 1)) d)"),
            ("if(time >= 3, exp(k * time), 0)", "{Exp(Multiply(k t)) if GreaterOrEqual(t 3) else 0}"),
            ("max(S, 0, x) / 菌体", "Divide(Max(S 0 x) 菌体)"),
            ("orange", "orange"),
            ("7 [[pH]] + 2 [g/(L.h)] * x", "Add(Multiply(7 [[pH]]) Multiply(Multiply(2 [g/(L.h)]) x))"),
            ("7 [g", ""),
            ("exp(1, 2)", ""),
            ("(a", ""),
            ("", ""),
            ("1.2.3", ""),
        ] {
            assert_eq!(read(text).map(|e| show(&e)).unwrap_or_default(), read_as, "{text}");
        }
    }

    #[test]
    fn a_fault_names_its_column() {
        let error = read("a + 菌体 * )").unwrap_err();
        assert_eq!(error.fault().place.as_ref().unwrap().column, Some(10));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r"[-+*/^()<>=a-z0-9., !&|時\[\]]{0,60}") {
            let _ = read(&text);
        }
    }
}
