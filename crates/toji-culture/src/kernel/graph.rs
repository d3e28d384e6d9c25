//! Expressions as a graph in which equal parts are one node, and the derivatives of nodes as further nodes.

use super::elementary::{Algebra, Elementary};
use super::number::{Number, Relation};
use std::collections::HashMap;

/// A node of a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NodeId(pub(super) u32);

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// A number, by its bits.
    Literal(u64),
    /// A constant of the model.
    Constant(u32),
    /// Time.
    Time,
    /// A quantity that changes.
    State(u32),
    /// Sum.
    Add(NodeId, NodeId),
    /// Difference.
    Subtract(NodeId, NodeId),
    /// Product.
    Multiply(NodeId, NodeId),
    /// Quotient.
    Divide(NodeId, NodeId),
    /// Negation.
    Negate(NodeId),
    /// Power.
    Power(NodeId, NodeId),
    /// Function of one argument.
    Elementary(Elementary, NodeId),
    /// Comparison.
    Test(Relation, NodeId, NodeId),
    /// Second where the first is not 0, else the third.
    Choose(NodeId, NodeId, NodeId),
}

/// What a node depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depends {
    /// On nothing, or on constants of the model.
    Constants,
    /// Also on time.
    Time,
    /// Also on states.
    States,
}

/// Nodes, each once, every one after those it needs.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    depends: Vec<Depends>,
    known: HashMap<Node, NodeId>,
    slopes: HashMap<(NodeId, Node), Option<NodeId>>,
}

impl Graph {
    /// The nodes, each after those it needs.
    #[must_use]
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A node.
    #[must_use]
    pub(super) fn node(&self, id: NodeId) -> Node {
        self.nodes[id.0 as usize]
    }

    /// What it depends on.
    #[must_use]
    pub(super) fn depends(&self, id: NodeId) -> Depends {
        self.depends[id.0 as usize]
    }

    /// The number it is, if it is one.
    #[must_use]
    pub(super) fn literal(&self, id: NodeId) -> Option<f64> {
        match self.node(id) {
            Node::Literal(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// The nodes a node needs.
    pub(super) fn needs(node: Node) -> impl Iterator<Item = NodeId> {
        let three = match node {
            Node::Literal(_) | Node::Constant(_) | Node::Time | Node::State(_) => [None; 3],
            Node::Negate(a) | Node::Elementary(_, a) => [Some(a), None, None],
            Node::Add(a, b)
            | Node::Subtract(a, b)
            | Node::Multiply(a, b)
            | Node::Divide(a, b)
            | Node::Power(a, b)
            | Node::Test(_, a, b) => [Some(a), Some(b), None],
            Node::Choose(a, b, c) => [Some(a), Some(b), Some(c)],
        };
        three.into_iter().flatten()
    }

    /// The node, made where it is not there yet.
    pub(super) fn put(&mut self, node: Node) -> NodeId {
        if let Some(known) = self.known.get(&node) {
            return *known;
        }
        let depends = match node {
            Node::Literal(_) | Node::Constant(_) => Depends::Constants,
            Node::Time => Depends::Time,
            Node::State(_) => Depends::States,
            _ => Self::needs(node).map(|n| self.depends(n)).max().unwrap_or(Depends::Constants),
        };
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(node);
        self.depends.push(depends);
        self.known.insert(node, id);
        id
    }

    /// Negation.
    pub(super) fn negate(&mut self, a: NodeId) -> NodeId {
        match self.node(a) {
            Node::Literal(bits) => self.number(-f64::from_bits(bits)),
            Node::Negate(inner) => inner,
            _ => self.put(Node::Negate(a)),
        }
    }

    /// Power.
    pub(super) fn power(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.literal(a), self.literal(b)) {
            (Some(a), Some(b)) => self.number(libm::pow(a, b)),
            (_, Some(0.0)) => self.number(1.0),
            (_, Some(1.0)) => a,
            (_, Some(2.0)) => self.multiply(a, a),
            (_, Some(-1.0)) => {
                let one = self.number(1.0);
                self.divide(one, a)
            }
            (_, Some(0.5)) => self.elementary(Elementary::Sqrt, a),
            _ => self.put(Node::Power(a, b)),
        }
    }

    /// Comparison.
    pub(super) fn test(&mut self, relation: Relation, a: NodeId, b: NodeId) -> NodeId {
        match (self.literal(a), self.literal(b)) {
            (Some(a), Some(b)) => self.number(relation.holds(a, b)),
            _ => self.put(Node::Test(relation, a, b)),
        }
    }

    /// `yes` where the condition is true, else `no`.
    pub(super) fn choose(&mut self, condition: NodeId, yes: NodeId, no: NodeId) -> NodeId {
        match self.literal(condition) {
            Some(c) if c != 0.0 => yes,
            Some(_) => no,
            None if yes == no => yes,
            None => self.put(Node::Choose(condition, yes, no)),
        }
    }

    /// 0 or 1: is the node true?
    pub(super) fn truth(&mut self, a: NodeId) -> NodeId {
        let (zero, one) = (self.number(0.0), self.number(1.0));
        match self.node(a) {
            Node::Test(..) => a,
            Node::Choose(_, yes, no)
                if [yes, no].iter().all(|x| [zero, one].contains(x) || matches!(self.node(*x), Node::Test(..))) =>
            {
                a
            }
            _ => self.test(Relation::NotEqual, a, zero),
        }
    }

    /// The derivative of a node by a leaf (`Time`, a constant or a state); none where it is 0 everywhere.
    pub(super) fn slope(&mut self, of: NodeId, by: Node) -> Option<NodeId> {
        // Along the nodes in their order rather than by recursion: expressions may be deep.
        let mut wanted = vec![of];
        while let Some(&id) = wanted.last() {
            if self.slopes.contains_key(&(id, by)) {
                wanted.pop();
                continue;
            }
            let node = self.node(id);
            let missing: Vec<NodeId> = Self::needs(node).filter(|n| !self.slopes.contains_key(&(*n, by))).collect();
            if missing.is_empty() {
                let slope = self.slope_of(id, node, by);
                self.slopes.insert((id, by), slope);
                wanted.pop();
            } else {
                wanted.extend(missing);
            }
        }
        self.slopes[&(of, by)]
    }

    fn slope_of(&mut self, id: NodeId, node: Node, by: Node) -> Option<NodeId> {
        let of = |graph: &Self, n: NodeId| graph.slopes[&(n, by)];
        match node {
            _ if node == by => Some(self.number(1.0)),
            Node::Literal(_) | Node::Constant(_) | Node::Time | Node::State(_) | Node::Test(..) => None,
            Node::Add(a, b) => match (of(self, a), of(self, b)) {
                (Some(a), Some(b)) => Some(self.add(a, b)),
                (a, b) => a.or(b),
            },
            Node::Subtract(a, b) => match (of(self, a), of(self, b)) {
                (Some(a), Some(b)) => Some(self.subtract(a, b)),
                (Some(a), None) => Some(a),
                (None, b) => b.map(|b| self.negate(b)),
            },
            Node::Multiply(a, b) => {
                let left = of(self, a).map(|da| self.multiply(da, b));
                let right = of(self, b).map(|db| self.multiply(a, db));
                match (left, right) {
                    (Some(l), Some(r)) => Some(self.add(l, r)),
                    (l, r) => l.or(r),
                }
            }
            Node::Divide(a, b) => {
                let left = of(self, a);
                let right = of(self, b).map(|db| self.multiply(id, db));
                let above = match (left, right) {
                    (Some(l), Some(r)) => self.subtract(l, r),
                    (Some(l), None) => l,
                    (None, Some(r)) => self.negate(r),
                    (None, None) => return None,
                };
                // One over b serves the slopes in all directions.
                let one = self.number(1.0);
                let per_b = self.divide(one, b);
                Some(self.multiply(above, per_b))
            }
            Node::Negate(a) => of(self, a).map(|a| self.negate(a)),
            Node::Power(a, b) => self.slope_of_power(id, (a, of(self, a)), (b, of(self, b))),
            Node::Elementary(function, a) => {
                let da = of(self, a)?;
                let slope = function.slope(self, a, id);
                (self.literal(slope) != Some(0.0)).then(|| self.multiply(slope, da))
            }
            Node::Choose(condition, yes, no) => {
                let (yes, no) = (of(self, yes), of(self, no));
                if yes.is_none() && no.is_none() {
                    return None;
                }
                let zero = self.number(0.0);
                Some(self.choose(condition, yes.unwrap_or(zero), no.unwrap_or(zero)))
            }
        }
    }

    fn slope_of_power(
        &mut self,
        id: NodeId,
        (a, da): (NodeId, Option<NodeId>),
        (b, db): (NodeId, Option<NodeId>),
    ) -> Option<NodeId> {
        let by_base = da.map(|da| {
            let one = self.number(1.0);
            let less = self.subtract(b, one);
            let power = self.power(a, less);
            let slope = self.multiply(b, power);
            self.multiply(slope, da)
        });
        let by_exponent = db.map(|db| {
            // 0 to a positive power stays 0 whatever the power.
            let (zero, log) = (self.number(0.0), self.elementary(Elementary::Ln, a));
            let slope = self.multiply(id, log);
            let is_zero = self.test(Relation::Equal, id, zero);
            let slope = self.choose(is_zero, zero, slope);
            self.multiply(slope, db)
        });
        match (by_base, by_exponent) {
            (Some(x), Some(y)) => Some(self.add(x, y)),
            (x, y) => x.or(y),
        }
    }
}

impl Algebra for Graph {
    type Item = NodeId;
    fn number(&mut self, value: f64) -> NodeId {
        self.put(Node::Literal(value.to_bits()))
    }
    fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.literal(a), self.literal(b)) {
            (Some(x), Some(y)) => self.number(x + y),
            (Some(0.0), _) => b,
            (_, Some(0.0)) => a,
            // Sums of two are the same bits either way round.
            _ => self.put(Node::Add(a.min(b), a.max(b))),
        }
    }
    fn subtract(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.literal(a), self.literal(b)) {
            (Some(x), Some(y)) => self.number(x - y),
            (_, Some(0.0)) => a,
            (Some(0.0), _) => self.negate(b),
            _ => self.put(Node::Subtract(a, b)),
        }
    }
    fn multiply(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.literal(a), self.literal(b)) {
            (Some(x), Some(y)) => self.number(x * y),
            (Some(1.0), _) => b,
            (_, Some(1.0)) => a,
            (Some(-1.0), _) => self.negate(b),
            (_, Some(-1.0)) => self.negate(a),
            _ => self.put(Node::Multiply(a.min(b), a.max(b))),
        }
    }
    fn divide(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.literal(a), self.literal(b)) {
            (Some(x), Some(y)) => self.number(x / y),
            (_, Some(1.0)) => a,
            _ => self.put(Node::Divide(a, b)),
        }
    }
    fn elementary(&mut self, function: Elementary, a: NodeId) -> NodeId {
        match self.literal(a) {
            Some(x) => self.number(f64::of(x).elementary(function)),
            None => self.put(Node::Elementary(function, a)),
        }
    }
    fn sign(&mut self, a: NodeId) -> NodeId {
        let (zero, one, minus) = (self.number(0.0), self.number(1.0), self.number(-1.0));
        let negative = self.test(Relation::Less, a, zero);
        self.choose(negative, minus, one)
    }
}
