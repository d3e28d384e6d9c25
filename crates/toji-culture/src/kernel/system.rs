//! A model compiled: names resolved, equal parts shared, slopes and Jacobian as tapes.

use super::definition::{Definition, Role};
use super::elementary::{Algebra, Elementary};
use super::expression::{Expression, Function};
use super::graph::{Depends, Graph, Node, NodeId};
use super::number::Relation;
use super::tape::{Layout, Tape};
use std::collections::HashMap;
use std::sync::Arc;
use toji_core::{Error, Place, Result};

/// A compiled event.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    pub(super) was_true: bool,
    pub(super) persistent: bool,
    pub(super) at_trigger: bool,
    /// Happens before the triggers of others are looked at.
    pub(super) foremost: bool,
    /// States that are set.
    pub(super) states: Vec<usize>,
    /// What they are set to, in that order.
    pub(super) values: Tape,
    /// Delay and priority.
    pub(super) delay: Option<Tape>,
    pub(super) priority: Option<Tape>,
}

/// A compiled model. Shared between threads; every simulation has its own memory.
#[derive(Debug, Clone)]
pub struct System {
    pub(super) names: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, usize>,
    /// Quantity of each constant, and its value where it may be set.
    constants: Vec<(usize, Option<f64>)>,
    /// Quantity of each state.
    pub(super) states: Vec<usize>,
    pub(super) layout: Layout,
    /// Values at the start: of the states, then of the constants that follow from others.
    pub(super) initial: Tape,
    pub(super) rates: Tape,
    /// Rates, then the entries listed here, in order; `None` as column is time.
    pub(super) jacobian: Tape,
    pub(super) entries: Vec<(usize, Option<usize>)>,
    /// All quantities in their order.
    pub(super) observed: Tape,
    /// Instants at which a comparison with time turns: its gap and the slope of it, for each.
    pub(super) schedule: Tape,
    /// Truth of the comparisons that must be watched, then of the triggers.
    pub(super) truths: Tape,
    pub(super) watched: usize,
    /// Gap of each watched comparison and its slope in time along the solution.
    pub(super) gaps: Tape,
    pub(super) events: Vec<Happening>,
}

fn refused(name: &str, ja: String, en: String) -> Error {
    Error::input("E-MODEL-001", ja, en).at(Place::field(name))
}

impl System {
    /// Compiles a model.
    ///
    /// # Errors
    /// A name used twice or not declared, quantities that need each other at one instant, an event that sets what is
    /// no state, a function without its arguments; each with the quantity or event it stands in.
    pub fn compile(definition: &Definition) -> Result<Self> {
        Builder::new(definition)?.build()
    }

    /// Names of all quantities, in order.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The place of a quantity among [`Self::names`].
    ///
    /// # Errors
    /// There is none of that name.
    pub fn quantity(&self, name: &str) -> Result<usize> {
        self.by_name.get(name).copied().ok_or_else(|| {
            Error::not_found(
                "E-MODEL-002",
                format!("量 «{name}» はモデルにありません"),
                format!("the model has no quantity «{name}»"),
            )
            .hint(format!("モデルの量: {}", self.names.join("、")), format!("quantities of the model: {}", self.names.join(", ")))
        })
    }

    /// Values of all constants as declared, in their order; NaN for those that follow from others.
    #[must_use]
    pub fn constants(&self) -> Vec<f64> {
        self.constants.iter().map(|(_, value)| value.unwrap_or(f64::NAN)).collect()
    }

    /// The place of a constant among [`Self::constants`].
    ///
    /// # Errors
    /// There is none of that name, or it follows from others and cannot be set.
    pub fn constant(&self, name: &str) -> Result<usize> {
        let quantity = self.quantity(name)?;
        let found = self.constants.iter().position(|(q, value)| *q == quantity && value.is_some());
        found.ok_or_else(|| {
            Error::input(
                "E-MODEL-003",
                format!("«{name}» は設定できる定数ではありません"),
                format!("«{name}» is no constant that may be set"),
            )
            .hint(
                "変わる量や他から決まる量は、それを決める定数を設定してください",
                "set the constants that a changing or derived quantity follows from",
            )
        })
    }

    /// How many states it has.
    #[must_use]
    pub fn order(&self) -> usize {
        self.states.len()
    }

    /// The quantity of each state, by its place among [`Self::names`].
    #[must_use]
    pub fn states(&self) -> &[usize] {
        &self.states
    }

    pub(super) fn derived_constants(&self) -> impl Iterator<Item = usize> + '_ {
        self.constants.iter().enumerate().filter(|(_, (_, value))| value.is_none()).map(|(i, _)| i)
    }
}

/// In which instant an expression is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum When {
    Start,
    Later,
}

struct Builder<'d> {
    definition: &'d Definition,
    graph: Graph,
    by_name: HashMap<Arc<str>, usize>,
    constants: Vec<(usize, Option<f64>)>,
    states: Vec<usize>,
    /// Leaf of each quantity that is constant or a state.
    leaves: Vec<Option<Node>>,
    nodes: HashMap<(usize, When), NodeId>,
    open: Vec<(usize, When)>,
}

impl<'d> Builder<'d> {
    fn new(definition: &'d Definition) -> Result<Self> {
        let mut it = Self {
            definition,
            graph: Graph::default(),
            by_name: HashMap::new(),
            constants: Vec::new(),
            states: Vec::new(),
            leaves: Vec::new(),
            nodes: HashMap::new(),
            open: Vec::new(),
        };
        for (i, quantity) in definition.quantities.iter().enumerate() {
            if it.by_name.insert(quantity.name.clone(), i).is_some() {
                let name = &quantity.name;
                return Err(refused(
                    name,
                    format!("量 «{name}» が二度宣言されています"),
                    format!("the quantity «{name}» is declared twice"),
                ));
            }
            let leaf = match &quantity.role {
                Role::Constant(value) => {
                    let plain = if let Expression::Number(value) = value { Some(*value) } else { None };
                    it.constants.push((i, plain));
                    Some(Node::Constant(it.constants.len() as u32 - 1))
                }
                Role::State { .. } => {
                    it.states.push(i);
                    Some(Node::State(it.states.len() as u32 - 1))
                }
                Role::Assigned(_) => None,
            };
            it.leaves.push(leaf);
        }
        Ok(it)
    }

    /// The node of a quantity at an instant.
    fn quantity(&mut self, i: usize, when: When) -> Result<NodeId> {
        if let Some(known) = self.nodes.get(&(i, when)) {
            return Ok(*known);
        }
        let definition = self.definition;
        let expression = match (&definition.quantities[i].role, when) {
            (Role::Constant(Expression::Number(_)), _) | (Role::Constant(_) | Role::State { .. }, When::Later) => None,
            (Role::Constant(value) | Role::Assigned(value), _) => Some(value),
            (Role::State { initial, .. }, When::Start) => Some(initial),
        };
        let node = match (expression, self.leaves[i]) {
            (Some(expression), _) => {
                if self.open.contains(&(i, when)) {
                    let circle: Vec<&str> = self.open.iter().map(|(q, _)| &*definition.quantities[*q].name).collect();
                    let name = &definition.quantities[i].name;
                    return Err(refused(
                        name,
                        format!("量が互いを必要とし、決まりません: {}", circle.join(" → ")),
                        format!("quantities need each other at one instant: {}", circle.join(" → ")),
                    ));
                }
                self.open.push((i, when));
                let node = self.node(expression, when, &definition.quantities[i].name)?;
                self.open.pop();
                node
            }
            (None, Some(leaf)) => self.graph.put(leaf),
            (None, None) => return Err(Error::bug("E-MODEL-004", "a quantity without expression or leaf")),
        };
        self.nodes.insert((i, when), node);
        Ok(node)
    }

    fn node(&mut self, expression: &Expression, when: When, place: &str) -> Result<NodeId> {
        Ok(match expression {
            Expression::Number(value) => self.graph.number(*value),
            Expression::Time => self.graph.put(Node::Time),
            Expression::Name(name) => {
                let Some(i) = self.by_name.get(name).copied() else {
                    return Err(refused(
                        place,
                        format!("«{place}» の式にある «{name}» は宣言されていません"),
                        format!("«{name}» in the expression of «{place}» is not declared"),
                    ));
                };
                self.quantity(i, when)?
            }
            Expression::Piecewise(pieces, otherwise) => {
                let mut node = match otherwise {
                    Some(otherwise) => self.node(otherwise, when, place)?,
                    None => self.graph.number(f64::NAN),
                };
                for (value, condition) in pieces.iter().rev() {
                    let (value, condition) = (self.node(value, when, place)?, self.node(condition, when, place)?);
                    node = self.graph.choose(condition, value, node);
                }
                node
            }
            Expression::Apply(function, arguments) => {
                let mut nodes = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    nodes.push(self.node(argument, when, place)?);
                }
                self.apply(*function, &nodes).ok_or_else(|| {
                    refused(
                        place,
                        format!("«{place}» の式で {function} の引数の数が合いません（{} 個）", nodes.len()),
                        format!("{function} in the expression of «{place}» cannot take {} arguments", nodes.len()),
                    )
                })?
            }
        })
    }

    fn apply(&mut self, function: Function, arguments: &[NodeId]) -> Option<NodeId> {
        let graph = &mut self.graph;
        match (function, arguments) {
            (Function::Of(one), [a]) => Some(graph.elementary(one, *a)),
            (Function::Add, _) => {
                let zero = graph.number(0.0);
                Some(arguments.iter().fold(zero, |sum, a| graph.add(sum, *a)))
            }
            (Function::Multiply, _) => {
                let one = graph.number(1.0);
                Some(arguments.iter().fold(one, |product, a| graph.multiply(product, *a)))
            }
            (Function::Subtract, [a, b]) => Some(graph.subtract(*a, *b)),
            (Function::Divide, [a, b]) => Some(graph.divide(*a, *b)),
            (Function::Power, [a, b]) => Some(graph.power(*a, *b)),
            (Function::Negate, [a]) => Some(graph.negate(*a)),
            (Function::Min | Function::Max, [first, rest @ ..]) => Some(rest.iter().fold(*first, |best, a| {
                let (low, high) = if function == Function::Min { (*a, best) } else { (best, *a) };
                let less = graph.test(Relation::Less, low, high);
                graph.choose(less, *a, best)
            })),
            (Function::Quotient, [a, b]) => Some(quotient(graph, *a, *b)),
            (Function::Remainder, [a, b]) => {
                let whole = quotient(graph, *a, *b);
                let product = graph.multiply(whole, *b);
                Some(graph.subtract(*a, product))
            }
            (Function::NotEqual, [a, b]) => Some(graph.test(Relation::NotEqual, *a, *b)),
            (
                Function::Less | Function::LessOrEqual | Function::Greater | Function::GreaterOrEqual | Function::Equal,
                [_, _, ..],
            ) => {
                let mut all = graph.number(1.0);
                for pair in arguments.windows(2) {
                    let this = match function {
                        Function::Less => graph.test(Relation::Less, pair[0], pair[1]),
                        Function::LessOrEqual => graph.test(Relation::LessOrEqual, pair[0], pair[1]),
                        Function::Greater => graph.test(Relation::Less, pair[1], pair[0]),
                        Function::GreaterOrEqual => graph.test(Relation::LessOrEqual, pair[1], pair[0]),
                        _ => graph.test(Relation::Equal, pair[0], pair[1]),
                    };
                    all = both(graph, all, this);
                }
                Some(all)
            }
            (Function::And, _) => {
                let one = graph.number(1.0);
                Some(arguments.iter().fold(one, |all, a| both(graph, all, *a)))
            }
            (Function::Or, _) => {
                let zero = graph.number(0.0);
                Some(arguments.iter().fold(zero, |any, a| either(graph, any, *a)))
            }
            (Function::Xor, _) => {
                let zero = graph.number(0.0);
                Some(arguments.iter().fold(zero, |odd, a| {
                    let a = graph.truth(*a);
                    graph.test(Relation::NotEqual, odd, a)
                }))
            }
            (Function::Not, [a]) => {
                let (zero, one) = (graph.number(0.0), graph.number(1.0));
                Some(graph.choose(*a, zero, one))
            }
            (Function::Implies, [a, b]) => {
                let (one, b) = (graph.number(1.0), graph.truth(*b));
                Some(graph.choose(*a, b, one))
            }
            _ => None,
        }
    }

    fn build(mut self) -> Result<System> {
        let definition = self.definition;
        let mut rates = Vec::new();
        let mut initial = Vec::new();
        for i in self.states.clone() {
            initial.push(self.quantity(i, When::Start)?);
            if let Role::State { rate, .. } = &definition.quantities[i].role {
                rates.push(self.node(rate, When::Later, &definition.quantities[i].name)?);
            }
        }
        for (i, value) in self.constants.clone() {
            if value.is_none() {
                initial.push(self.quantity(i, When::Start)?);
            }
        }
        let observed = (0..definition.quantities.len()).map(|i| self.quantity(i, When::Later)).collect::<Result<Vec<_>>>()?;
        let (mut triggers, mut parts) = (Vec::new(), Vec::new());
        for event in &definition.events {
            triggers.push(self.node(&event.trigger, When::Later, &event.name)?);
            parts.push(self.event(event)?);
        }

        let (mut entries, mut jacobian) = (Vec::new(), rates.clone());
        for (row, rate) in rates.iter().enumerate() {
            for column in (0..rates.len()).map(Some).chain([None]) {
                let by = column.map_or(Node::Time, |c| Node::State(c as u32));
                if let Some(slope) = self.graph.slope(*rate, by) {
                    entries.push((row, column));
                    jacobian.push(slope);
                }
            }
        }

        let (mut schedule, mut watched, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
        for (test, decides) in self.comparisons(&triggers, &rates) {
            let Node::Test(_, a, b) = self.graph.node(test) else { continue };
            let gap = self.graph.subtract(a, b);
            let zero = self.graph.number(0.0);
            let in_time = self.graph.slope(gap, Node::Time).unwrap_or(zero);
            match self.graph.depends(gap) {
                Depends::Constants => {}
                Depends::Time if self.graph.depends(in_time) == Depends::Constants => schedule.extend([gap, in_time]),
                _ if decides => {
                    watched.push(test);
                    let along = self.along(gap, in_time, &rates);
                    gaps.extend([gap, along]);
                }
                _ => {}
            }
        }
        let truths: Vec<NodeId> = watched.iter().chain(&triggers).copied().collect();

        let mut roots: Vec<NodeId> = Vec::new();
        for list in [&rates, &initial, &observed, &jacobian, &schedule, &truths, &gaps] {
            roots.extend(list);
        }
        for part in &parts {
            roots.extend(part.values.iter().chain(&part.delay).chain(&part.priority));
        }
        let graph = &self.graph;
        let mut layout = Layout::new(graph, self.constants.len(), self.states.len(), &roots);
        let events = definition.events.iter().zip(parts).map(|(event, part)| Happening {
            was_true: event.was_true,
            persistent: event.persistent,
            at_trigger: event.at_trigger,
            foremost: event.delay.is_none() && event.priority == Some(Expression::Number(f64::INFINITY)),
            states: part.states,
            values: layout.tape(graph, &part.values),
            delay: part.delay.map(|node| layout.tape(graph, &[node])),
            priority: part.priority.map(|node| layout.tape(graph, &[node])),
        });
        let events = events.collect();
        Ok(System {
            names: definition.quantities.iter().map(|q| q.name.clone()).collect(),
            by_name: self.by_name,
            constants: self.constants,
            states: self.states,
            initial: layout.tape(graph, &initial),
            rates: layout.tape(graph, &rates),
            jacobian: layout.tape(graph, &jacobian),
            entries,
            observed: layout.tape(graph, &observed),
            schedule: layout.tape(graph, &schedule),
            truths: layout.tape(graph, &truths),
            watched: watched.len(),
            gaps: layout.tape(graph, &gaps),
            events,
            layout,
        })
    }

    fn event(&mut self, event: &super::definition::Event) -> Result<Parts> {
        let mut parts = Parts { states: Vec::new(), values: Vec::new(), delay: None, priority: None };
        for (name, value) in &event.sets {
            let state = self.by_name.get(name).and_then(|i| self.states.iter().position(|s| s == i)).ok_or_else(|| {
                refused(
                    &event.name,
                    format!("事象 «{}» が設定する «{name}» は変わる量ではありません", event.name),
                    format!("the event «{}» sets «{name}», which is no quantity that changes", event.name),
                )
            })?;
            parts.states.push(state);
            parts.values.push(self.node(value, When::Later, &event.name)?);
        }
        parts.delay = event.delay.as_ref().map(|delay| self.node(delay, When::Later, &event.name)).transpose()?;
        parts.priority = event.priority.as_ref().map(|p| self.node(p, When::Later, &event.name)).transpose()?;
        Ok(parts)
    }

    /// Comparisons that the triggers (true) or only the rates (false) hang on, in their order.
    fn comparisons(&self, triggers: &[NodeId], rates: &[NodeId]) -> Vec<(NodeId, bool)> {
        let mut found = Vec::new();
        let mut seen = vec![false; self.graph.nodes().len()];
        for (roots, decides) in [(triggers, true), (rates, false)] {
            let mut ahead: Vec<NodeId> = roots.to_vec();
            while let Some(id) = ahead.pop() {
                if std::mem::replace(&mut seen[id.0 as usize], true) {
                    continue;
                }
                let node = self.graph.node(id);
                if matches!(node, Node::Test(..)) {
                    found.push((id, decides));
                }
                ahead.extend(Graph::needs(node));
            }
        }
        found.sort_unstable();
        found
    }

    /// The slope of a node in time along the solution.
    fn along(&mut self, node: NodeId, in_time: NodeId, rates: &[NodeId]) -> NodeId {
        let mut sum = in_time;
        for (i, rate) in rates.iter().enumerate() {
            if let Some(slope) = self.graph.slope(node, Node::State(i as u32)) {
                let part = self.graph.multiply(slope, *rate);
                sum = self.graph.add(sum, part);
            }
        }
        sum
    }
}

struct Parts {
    states: Vec<usize>,
    values: Vec<NodeId>,
    delay: Option<NodeId>,
    priority: Option<NodeId>,
}

fn both(graph: &mut Graph, a: NodeId, b: NodeId) -> NodeId {
    let (zero, b) = (graph.number(0.0), graph.truth(b));
    graph.choose(a, b, zero)
}

fn either(graph: &mut Graph, a: NodeId, b: NodeId) -> NodeId {
    let (one, b) = (graph.number(1.0), graph.truth(b));
    graph.choose(a, one, b)
}

fn quotient(graph: &mut Graph, a: NodeId, b: NodeId) -> NodeId {
    let exact = graph.divide(a, b);
    let (below, above, zero) =
        (graph.elementary(Elementary::Floor, exact), graph.elementary(Elementary::Ceiling, exact), graph.number(0.0));
    let negative = graph.test(Relation::Less, exact, zero);
    graph.choose(negative, above, below)
}
