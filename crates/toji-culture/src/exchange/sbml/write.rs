//! A definition as SBML level 3 version 2: constants and states are parameters with values, initial assignments and
//! rate rules; assigned quantities are assignment rules. The text is read back before it is given away.

use super::{Metadata, SBML_009, unit};
use crate::kernel::{Definition, Elementary, Event, Expression, Function, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use toji_core::{Diagnostic, Error, Place, Result};

/// Deepest expression that is written, so that every reader takes it.
const DEPTH_MAX: usize = 300;

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The text.
    pub text: String,
    /// Quantities that could not keep their name, and their identifiers.
    pub renamed: Vec<(Arc<str>, Arc<str>)>,
    /// Units that SBML has no words for.
    pub findings: Vec<Diagnostic>,
}

/// Writes a definition.
///
/// # Errors
/// `E-SBML-009`: an expression is too deep. Anything that [`super::import`] would refuse: a name without a quantity,
/// two quantities of a name, an event that sets what is not a state.
pub fn write(definition: &Definition, metadata: &Metadata) -> Result<Written> {
    let identifiers = Identifiers::new(definition);
    let mut writer = Writer { identifiers: &identifiers, out: String::new(), indent: 0 };
    let mut findings = Vec::new();
    for expression in expressions(definition) {
        if super::lower::measure(expression).1 > DEPTH_MAX {
            return Err(Error::input(
                SBML_009,
                format!("式の入れ子が {DEPTH_MAX} を超えています"),
                format!("an expression is nested deeper than {DEPTH_MAX}"),
            )
            .hint("途中の値を別の量にしてください", "make quantities of intermediate values"));
        }
    }
    writer.document(definition, metadata, &mut findings);
    let renamed = definition.quantities.iter().filter_map(|q| identifiers.renamed(&q.name)).collect();
    super::import(writer.out.as_bytes())?;
    Ok(Written { text: writer.out, renamed, findings })
}

fn expressions(definition: &Definition) -> impl Iterator<Item = &Expression> {
    let quantities = definition.quantities.iter().flat_map(|q| match &q.role {
        Role::Constant(e) | Role::Assigned(e) => [Some(e), None],
        Role::State { initial, rate } => [Some(initial), Some(rate)],
    });
    let events = definition.events.iter().flat_map(|e| {
        [Some(&e.trigger), e.delay.as_ref(), e.priority.as_ref()].into_iter().chain(e.sets.iter().map(|(_, value)| Some(value)))
    });
    quantities.chain(events).flatten()
}

/// Identifiers of quantities and events, each once.
struct Identifiers {
    quantities: BTreeMap<Arc<str>, Arc<str>>,
    events: Vec<Arc<str>>,
}

/// The name with everything replaced that no identifier has.
fn plain(name: &str) -> String {
    let mut id: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if !id.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        id.insert(0, '_');
    }
    id
}

impl Identifiers {
    fn new(definition: &Definition) -> Self {
        let mut this = Self { quantities: BTreeMap::new(), events: Vec::new() };
        let mut taken: BTreeSet<Arc<str>> = BTreeSet::new();
        let kept = |name: &Arc<str>| plain(name) == **name;
        let names = || definition.quantities.iter().map(|q| &q.name);
        // Names that are identifiers keep them, whatever others would become. Two quantities of one name are two
        // elements of one identifier, which is refused when the text is read back.
        for name in names().filter(|n| kept(n)) {
            taken.insert(name.clone());
            this.quantities.insert(name.clone(), name.clone());
        }
        for name in names().filter(|n| !kept(n)) {
            if !this.quantities.contains_key(name) {
                let id = free(&plain(name), &mut taken);
                this.quantities.insert(name.clone(), id);
            }
        }
        this.events = definition.events.iter().map(|e| free(&plain(&e.name), &mut taken)).collect();
        this
    }

    /// The identifier; a name that stands for nothing is written so that it is refused.
    fn of(&self, name: &str) -> Arc<str> {
        self.quantities.get(name).cloned().unwrap_or_else(|| {
            let mut id = plain(name);
            while self.quantities.values().any(|taken| **taken == *id) {
                id.push('_');
            }
            id.into()
        })
    }

    fn renamed(&self, name: &Arc<str>) -> Option<(Arc<str>, Arc<str>)> {
        let id = self.quantities.get(name)?;
        (id != name).then(|| (name.clone(), id.clone()))
    }
}

/// An identifier that is not taken yet; now it is.
fn free(wanted: &str, taken: &mut BTreeSet<Arc<str>>) -> Arc<str> {
    let mut id: Arc<str> = wanted.into();
    let mut number = 2;
    while !taken.insert(id.clone()) {
        id = format!("{wanted}_{number}").into();
        number += 1;
    }
    id
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no other controls.
            c if (c as u32) < 0x20 && !matches!(c, '\t' | '\n' | '\r') => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn attribute_number(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "INF".into() } else { "-INF".into() }
    } else {
        format!("{value:?}")
    }
}

struct Writer<'w> {
    identifiers: &'w Identifiers,
    out: String,
    indent: usize,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.out.extend(std::iter::repeat_n("  ", self.indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// An element around others.
    fn around(&mut self, name: &str, attributes: &str, inside: impl FnOnce(&mut Self)) {
        self.line(&format!("<{name}{attributes}>"));
        self.indent += 1;
        inside(self);
        self.indent -= 1;
        self.line(&format!("</{name}>"));
    }

    /// A list, unless it is empty.
    fn list<T>(&mut self, name: &str, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        if !items.is_empty() {
            self.around(name, "", |this| items.iter().for_each(|item| each(this, item)));
        }
    }

    /// An element around a formula.
    fn formula(&mut self, name: &str, attributes: &str, expression: &Expression) {
        let mut math = String::new();
        self.math(expression, &mut math);
        self.around(name, attributes, |this| {
            this.line(&format!("<math xmlns=\"http://www.w3.org/1998/Math/MathML\">{math}</math>"));
        });
    }

    fn document(&mut self, definition: &Definition, metadata: &Metadata, findings: &mut Vec<Diagnostic>) {
        let units = Units::new(definition, metadata, findings);
        self.line("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        let sbml = " xmlns=\"http://www.sbml.org/sbml/level3/version2/core\" level=\"3\" version=\"2\"";
        self.around("sbml", sbml, |this| {
            let mut attributes = String::new();
            if let Some(id) = &metadata.id {
                let _ = write!(attributes, " id=\"{}\"", plain(id));
            }
            if let Some(name) = &metadata.name {
                let _ = write!(attributes, " name=\"{}\"", escaped(name));
            }
            if let Some(id) = metadata.time_unit.as_ref().and_then(|code| units.ids.get(code.as_str())) {
                let _ = write!(attributes, " timeUnits=\"{id}\"");
            }
            this.around("model", &attributes, |this| this.model(definition, metadata, &units));
        });
    }

    fn model(&mut self, definition: &Definition, metadata: &Metadata, units: &Units<'_>) {
        self.list("listOfUnitDefinitions", &units.definitions, |this, (id, code, factors)| {
            this.around("unitDefinition", &format!(" id=\"{id}\" name=\"{}\"", escaped(code)), |this| {
                this.list("listOfUnits", factors, |this, f| {
                    let (exponent, multiplier) = (attribute_number(f.exponent), attribute_number(f.multiplier));
                    this.line(&format!(
                        "<unit kind=\"{}\" exponent=\"{exponent}\" scale=\"{}\" multiplier=\"{multiplier}\"/>",
                        f.kind, f.scale
                    ));
                });
            });
        });
        self.list("listOfParameters", &definition.quantities, |this, quantity| {
            let id = this.identifiers.of(&quantity.name);
            let mut text = format!("<parameter id=\"{id}\"");
            if *id != *quantity.name {
                let _ = write!(text, " name=\"{}\"", escaped(&quantity.name));
            }
            if let Role::Constant(Expression::Number(value)) | Role::State { initial: Expression::Number(value), .. } =
                &quantity.role
            {
                let _ = write!(text, " value=\"{}\"", attribute_number(*value));
            }
            if let Some(unit) = metadata.units.get(&quantity.name).and_then(|code| units.ids.get(code.as_str())) {
                let _ = write!(text, " units=\"{unit}\"");
            }
            let constant = matches!(quantity.role, Role::Constant(_));
            this.line(&format!("{text} constant=\"{constant}\"/>"));
        });
        let first: Vec<_> = definition
            .quantities
            .iter()
            .filter_map(|q| match &q.role {
                Role::Constant(Expression::Number(_))
                | Role::State { initial: Expression::Number(_), .. }
                | Role::Assigned(_) => None,
                Role::Constant(initial) | Role::State { initial, .. } => Some((&q.name, initial)),
            })
            .collect();
        self.list("listOfInitialAssignments", &first, |this, (name, initial)| {
            let symbol = format!(" symbol=\"{}\"", this.identifiers.of(name));
            this.formula("initialAssignment", &symbol, initial);
        });
        let set: BTreeSet<&str> = definition.events.iter().flat_map(|e| e.sets.iter().map(|(name, _)| &**name)).collect();
        let rules: Vec<_> = definition
            .quantities
            .iter()
            .filter_map(|q| match &q.role {
                Role::Constant(_) => None,
                Role::Assigned(value) => Some(("assignmentRule", &q.name, value)),
                // What only events change needs no rule.
                Role::State { rate: Expression::Number(rate), .. } if rate.to_bits() == 0 && set.contains(&*q.name) => None,
                Role::State { rate, .. } => Some(("rateRule", &q.name, rate)),
            })
            .collect();
        self.list("listOfRules", &rules, |this, (element, name, value)| {
            let variable = format!(" variable=\"{}\"", this.identifiers.of(name));
            this.formula(element, &variable, value);
        });
        let mut ids = self.identifiers.events.iter();
        self.list("listOfEvents", &definition.events, |this, event| {
            if let Some(id) = ids.next() {
                this.event(event, id);
            }
        });
    }

    fn event(&mut self, event: &Event, id: &str) {
        let mut attributes = format!(" id=\"{id}\"");
        if *id != *event.name {
            let _ = write!(attributes, " name=\"{}\"", escaped(&event.name));
        }
        let _ = write!(attributes, " useValuesFromTriggerTime=\"{}\"", event.at_trigger);
        self.around("event", &attributes, |this| {
            let flags = format!(" initialValue=\"{}\" persistent=\"{}\"", event.was_true, event.persistent);
            this.formula("trigger", &flags, &event.trigger);
            for (name, formula) in [("priority", &event.priority), ("delay", &event.delay)] {
                if let Some(formula) = formula {
                    this.formula(name, "", formula);
                }
            }
            this.list("listOfEventAssignments", &event.sets, |this, (name, value)| {
                let variable = format!(" variable=\"{}\"", this.identifiers.of(name));
                this.formula("eventAssignment", &variable, value);
            });
        });
    }

    fn math(&self, expression: &Expression, out: &mut String) {
        match expression {
            Expression::Number(value) => number(*value, out),
            Expression::Time => {
                out.push_str("<csymbol encoding=\"text\" definitionURL=\"http://www.sbml.org/sbml/symbols/time\">time</csymbol>")
            }
            Expression::Name(name) => {
                let _ = write!(out, "<ci>{}</ci>", self.identifiers.of(name));
            }
            Expression::Apply(function, arguments) => {
                let _ = write!(out, "<apply><{}/>", element(*function));
                for argument in arguments {
                    self.math(argument, out);
                }
                out.push_str("</apply>");
            }
            Expression::Piecewise(pieces, otherwise) => {
                out.push_str("<piecewise>");
                for (value, condition) in pieces {
                    out.push_str("<piece>");
                    self.math(value, out);
                    self.math(condition, out);
                    out.push_str("</piece>");
                }
                if let Some(otherwise) = otherwise {
                    out.push_str("<otherwise>");
                    self.math(otherwise, out);
                    out.push_str("</otherwise>");
                }
                out.push_str("</piecewise>");
            }
        }
    }
}

fn number(value: f64, out: &mut String) {
    let plain = value == 0.0 || (1e-5..1e15).contains(&value.abs());
    let _ = match (value.is_nan(), value.is_infinite()) {
        (true, _) => write!(out, "<notanumber/>"),
        (_, true) if value > 0.0 => write!(out, "<infinity/>"),
        (_, true) => write!(out, "<apply><minus/><infinity/></apply>"),
        _ if plain => write!(out, "<cn>{value}</cn>"),
        _ => {
            let written = format!("{value:e}");
            let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
            write!(out, "<cn type=\"e-notation\">{mantissa}<sep/>{exponent}</cn>")
        }
    };
}

/// MathML's name.
fn element(function: Function) -> &'static str {
    match function {
        Function::Add => "plus",
        Function::Subtract | Function::Negate => "minus",
        Function::Multiply => "times",
        Function::Divide => "divide",
        Function::Power => "power",
        Function::Of(Elementary::Exp) => "exp",
        Function::Of(Elementary::Ln) => "ln",
        Function::Of(Elementary::Log10) => "log",
        Function::Of(Elementary::Sqrt) => "root",
        Function::Of(Elementary::Abs) => "abs",
        Function::Of(Elementary::Floor) => "floor",
        Function::Of(Elementary::Ceiling) => "ceiling",
        Function::Of(Elementary::Factorial) => "factorial",
        Function::Of(Elementary::Sin) => "sin",
        Function::Of(Elementary::Cos) => "cos",
        Function::Of(Elementary::Tan) => "tan",
        Function::Of(Elementary::Asin) => "arcsin",
        Function::Of(Elementary::Acos) => "arccos",
        Function::Of(Elementary::Atan) => "arctan",
        Function::Of(Elementary::Sinh) => "sinh",
        Function::Of(Elementary::Cosh) => "cosh",
        Function::Of(Elementary::Tanh) => "tanh",
        Function::Of(Elementary::Asinh) => "arcsinh",
        Function::Of(Elementary::Acosh) => "arccosh",
        Function::Of(Elementary::Atanh) => "arctanh",
        Function::Min => "min",
        Function::Max => "max",
        Function::Quotient => "quotient",
        Function::Remainder => "rem",
        Function::Less => "lt",
        Function::LessOrEqual => "leq",
        Function::Greater => "gt",
        Function::GreaterOrEqual => "geq",
        Function::Equal => "eq",
        Function::NotEqual => "neq",
        Function::And => "and",
        Function::Or => "or",
        Function::Xor => "xor",
        Function::Not => "not",
        Function::Implies => "implies",
    }
}

/// The definitions of units that the document needs: id, code, factors.
struct Units<'m> {
    definitions: Vec<(String, &'m str, Vec<super::model::UnitFactor>)>,
    ids: BTreeMap<&'m str, String>,
}

impl<'m> Units<'m> {
    fn new(definition: &Definition, metadata: &'m Metadata, findings: &mut Vec<Diagnostic>) -> Self {
        let mut this = Self { definitions: Vec::new(), ids: BTreeMap::new() };
        let of_quantities =
            definition.quantities.iter().filter_map(|q| metadata.units.get(&q.name).map(|c| (&*q.name, c.as_str())));
        for (name, code) in metadata.time_unit.iter().map(|code| ("time", code.as_str())).chain(of_quantities) {
            if this.ids.contains_key(code) {
                continue;
            }
            match unit::factors(code) {
                Some(factors) => {
                    let id = format!("unit_{}", this.definitions.len() + 1);
                    this.definitions.push((id.clone(), code, factors));
                    this.ids.insert(code, id);
                }
                None => findings.push(
                    Diagnostic::warning(
                        super::SBML_W04,
                        Place::field(name),
                        format!("単位 {code} は SBML の単位で書けないため、書き出しません"),
                        format!("the unit {code} cannot be said in SBML's units and is left out"),
                    )
                    .remedy("SI 単位の積で表してください", "give it as a product of SI units"),
                ),
            }
        }
        this
    }
}
