//! A graph's nodes as a list of instructions on registers, evaluated in any sort of number.

use super::elementary::Elementary;
use super::graph::{Depends, Graph, Node, NodeId};
use super::number::{Number, Relation};
use std::collections::HashMap;

/// What an instruction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Negate,
    Power,
    Choose,
    Test(Relation),
    Elementary(Elementary),
}

#[derive(Debug, Clone, Copy)]
struct Instruction {
    operation: Operation,
    to: u32,
    a: u32,
    b: u32,
    c: u32,
}

/// Instructions, and where their results lie.
#[derive(Debug, Clone, Default)]
pub(super) struct Tape {
    code: Vec<Instruction>,
    /// Registers of the results, in the order they were asked for.
    pub(super) results: Vec<u32>,
}

/// Where everything lies in the registers: numbers, constants, what follows from the constants alone, time, states,
/// and the rest for what is computed on the way.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    /// Numbers of the model and their registers from 0 on.
    pub(super) literals: Vec<f64>,
    /// First register of the constants.
    pub(super) constants: u32,
    /// Register of time.
    pub(super) time: u32,
    /// First register of the states.
    pub(super) states: u32,
    /// How many registers there are.
    pub(super) registers: usize,
    /// Computes what follows from the constants alone.
    pub(super) prelude: Tape,
    place: HashMap<NodeId, u32>,
    scratch: u32,
}

impl Layout {
    /// A layout for these roots of a graph.
    #[must_use]
    pub(super) fn new(graph: &Graph, constants: usize, states: usize, roots: &[NodeId]) -> Self {
        let mut needed = vec![false; graph.nodes().len()];
        for root in roots {
            needed[root.0 as usize] = true;
        }
        for (i, node) in graph.nodes().iter().enumerate().rev() {
            if needed[i] {
                Graph::needs(*node).for_each(|n| needed[n.0 as usize] = true);
            }
        }
        let wanted = || graph.nodes().iter().enumerate().filter(|(i, _)| needed[*i]).map(|(i, n)| (NodeId(i as u32), *n));
        let mut it = Self::default();
        for (id, node) in wanted() {
            if let Node::Literal(bits) = node {
                it.place.insert(id, it.literals.len() as u32);
                it.literals.push(f64::from_bits(bits));
            }
        }
        it.constants = it.literals.len() as u32;
        let early: Vec<(NodeId, Node)> = wanted()
            .filter(|(id, node)| {
                graph.depends(*id) == Depends::Constants && !matches!(node, Node::Literal(_) | Node::Constant(_))
            })
            .collect();
        let first = it.constants + constants as u32;
        for (i, (id, _)) in early.iter().enumerate() {
            it.place.insert(*id, first + i as u32);
        }
        it.time = first + early.len() as u32;
        it.states = it.time + 1;
        it.scratch = it.states + states as u32;
        it.registers = it.scratch as usize;
        for (id, node) in wanted() {
            match node {
                Node::Constant(i) => it.place.insert(id, it.constants + i),
                Node::State(i) => it.place.insert(id, it.states + i),
                Node::Time => it.place.insert(id, it.time),
                _ => None,
            };
        }
        it.prelude.code = early.iter().map(|(id, node)| instruction(*node, it.place[id], |n| it.place[&n])).collect();
        it
    }

    /// The instructions for these roots, in registers that are used again as soon as nobody needs them.
    pub(super) fn tape(&mut self, graph: &Graph, roots: &[NodeId]) -> Tape {
        let mut last_use: HashMap<NodeId, usize> = HashMap::new();
        let mut order = Vec::new();
        let mut seen = vec![false; graph.nodes().len()];
        let mut ahead: Vec<(NodeId, bool)> = roots.iter().rev().map(|r| (*r, false)).collect();
        while let Some((id, ready)) = ahead.pop() {
            if self.place.contains_key(&id) || (seen[id.0 as usize] && !ready) {
                continue;
            }
            let node = graph.node(id);
            if ready {
                for need in Graph::needs(node) {
                    last_use.insert(need, order.len());
                }
                order.push((id, node));
            } else {
                seen[id.0 as usize] = true;
                ahead.push((id, true));
                let needs: Vec<NodeId> = Graph::needs(node).collect();
                ahead.extend(needs.into_iter().rev().map(|n| (n, false)));
            }
        }
        for root in roots {
            last_use.insert(*root, usize::MAX);
        }
        let mut at: HashMap<NodeId, u32> = HashMap::new();
        let (mut free, mut next) = (Vec::new(), self.scratch);
        let mut code = Vec::with_capacity(order.len());
        for (i, (id, node)) in order.iter().enumerate() {
            let where_is = |n: NodeId| self.place.get(&n).or_else(|| at.get(&n)).copied().unwrap_or_default();
            let [a, b, c] = operands(*node).map(|n| n.map_or(0, where_is));
            let mut gone: Vec<NodeId> = Graph::needs(*node).filter(|n| last_use.get(n) == Some(&i)).collect();
            gone.dedup();
            free.extend(gone.into_iter().filter_map(|n| at.remove(&n)));
            let to = free.pop().unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            at.insert(*id, to);
            code.push(Instruction { operation: operation(*node), to, a, b, c });
        }
        self.registers = self.registers.max(next as usize);
        let results = roots.iter().map(|r| self.place.get(r).or_else(|| at.get(r)).copied().unwrap_or_default()).collect();
        Tape { code, results }
    }
}

fn operands(node: Node) -> [Option<NodeId>; 3] {
    let mut all = [None; 3];
    for (slot, need) in all.iter_mut().zip(Graph::needs(node)) {
        *slot = Some(need);
    }
    all
}

fn operation(node: Node) -> Operation {
    match node {
        Node::Subtract(..) => Operation::Subtract,
        Node::Multiply(..) => Operation::Multiply,
        Node::Divide(..) => Operation::Divide,
        Node::Negate(_) => Operation::Negate,
        Node::Power(..) => Operation::Power,
        Node::Elementary(function, _) => Operation::Elementary(function),
        Node::Test(relation, ..) => Operation::Test(relation),
        Node::Choose(..) => Operation::Choose,
        // Leaves have places and are never computed.
        Node::Add(..) | Node::Literal(_) | Node::Constant(_) | Node::Time | Node::State(_) => Operation::Add,
    }
}

fn instruction(node: Node, to: u32, place: impl Fn(NodeId) -> u32) -> Instruction {
    let [a, b, c] = operands(node).map(|n| n.map_or(0, &place));
    Instruction { operation: operation(node), to, a, b, c }
}

impl Tape {
    /// Computes.
    #[inline(always)]
    pub(super) fn run<N: Number>(&self, registers: &mut [N]) {
        for step in &self.code {
            let [to, a, b] = [step.to, step.a, step.b].map(|register| register as usize);
            // Each from register to register: what is common to all would be copied on the way.
            match step.operation {
                Operation::Add => registers[to] = registers[a] + registers[b],
                Operation::Subtract => registers[to] = registers[a] - registers[b],
                Operation::Multiply => registers[to] = registers[a] * registers[b],
                Operation::Divide => registers[to] = registers[a] / registers[b],
                Operation::Negate => registers[to] = -registers[a],
                Operation::Power => registers[to] = registers[a].power(registers[b]),
                Operation::Choose => registers[to] = N::choose(registers[a], registers[b], registers[step.c as usize]),
                Operation::Test(relation) => registers[to] = registers[a].test(relation, registers[b]),
                Operation::Elementary(function) => registers[to] = registers[a].elementary(function),
            }
        }
    }

    /// The results of the last run.
    #[inline(always)]
    pub(super) fn read<N: Number>(&self, registers: &[N], into: &mut [N]) {
        for (to, from) in into.iter_mut().zip(&self.results) {
            *to = registers[*from as usize];
        }
    }
}
