//! A slow, plain simulator beside which translations are checked: expressions are walked as they are, steps are
//! Runge–Kutta's of fixed size, events are bisected. It shares nothing with the kernel's tape and solver.

use std::collections::BTreeMap;
use std::sync::Arc;
use toji_culture::kernel::{Definition, Elementary, Event, Expression, Function, Role};

/// Values by name, and the time.
pub(crate) struct Walk<'d> {
    definition: &'d Definition,
    index: BTreeMap<&'d str, usize>,
    order: Vec<usize>,
    /// Values of quantities in their order.
    pub(crate) values: Vec<f64>,
    /// Time.
    pub(crate) time: f64,
    was: Vec<bool>,
    pending: Vec<Pending>,
}

struct Pending {
    event: usize,
    due: f64,
    values: Option<Vec<f64>>,
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

/// Γ(n + 1) for whole n only: the walker needs no more.
fn factorial(n: f64) -> f64 {
    (1..=n as u64).map(|k| k as f64).product()
}

fn apply(function: Function, a: &[f64]) -> f64 {
    let all = |holds: fn(f64, f64) -> bool| truth(a.windows(2).all(|w| holds(w[0], w[1])));
    match function {
        Function::Add => a.iter().sum(),
        Function::Subtract => a[0] - a[1],
        Function::Multiply => a.iter().product(),
        Function::Divide => a[0] / a[1],
        Function::Negate => -a[0],
        Function::Power => a[0].powf(a[1]),
        Function::Of(Elementary::Exp) => a[0].exp(),
        Function::Of(Elementary::Ln) => a[0].ln(),
        Function::Of(Elementary::Log10) => a[0].log10(),
        Function::Of(Elementary::Sqrt) => a[0].sqrt(),
        Function::Of(Elementary::Abs) => a[0].abs(),
        Function::Of(Elementary::Floor) => a[0].floor(),
        Function::Of(Elementary::Ceiling) => a[0].ceil(),
        Function::Of(Elementary::Factorial) => factorial(a[0]),
        Function::Of(Elementary::Sin) => a[0].sin(),
        Function::Of(Elementary::Cos) => a[0].cos(),
        Function::Of(Elementary::Tan) => a[0].tan(),
        Function::Of(Elementary::Asin) => a[0].asin(),
        Function::Of(Elementary::Acos) => a[0].acos(),
        Function::Of(Elementary::Atan) => a[0].atan(),
        Function::Of(Elementary::Sinh) => a[0].sinh(),
        Function::Of(Elementary::Cosh) => a[0].cosh(),
        Function::Of(Elementary::Tanh) => a[0].tanh(),
        Function::Of(Elementary::Asinh) => a[0].asinh(),
        Function::Of(Elementary::Acosh) => a[0].acosh(),
        Function::Of(Elementary::Atanh) => a[0].atanh(),
        Function::Min => a.iter().copied().fold(f64::INFINITY, f64::min),
        Function::Max => a.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Function::Quotient => (a[0] / a[1]).trunc(),
        Function::Remainder => a[0] % a[1],
        Function::Less => all(|x, y| x < y),
        Function::LessOrEqual => all(|x, y| x <= y),
        Function::Greater => all(|x, y| x > y),
        Function::GreaterOrEqual => all(|x, y| x >= y),
        Function::Equal => all(|x, y| x == y),
        Function::NotEqual => truth(a[0] != a[1]),
        Function::And => truth(a.iter().all(|x| *x != 0.0)),
        Function::Or => truth(a.iter().any(|x| *x != 0.0)),
        Function::Xor => truth(a.iter().filter(|x| **x != 0.0).count() % 2 == 1),
        Function::Not => truth(a[0] == 0.0),
        Function::Implies => truth(a[0] == 0.0 || a[1] != 0.0),
    }
}

impl<'d> Walk<'d> {
    /// The model at its start.
    pub(crate) fn new(definition: &'d Definition, time: f64) -> Self {
        let index = definition.quantities.iter().enumerate().map(|(i, q)| (&*q.name, i)).collect();
        let count = definition.quantities.len();
        let was = definition.events.iter().map(|e| e.was_true).collect();
        let values = vec![f64::NAN; count];
        let mut walk = Self { definition, index, order: Vec::new(), values, time, was, pending: Vec::new() };
        let mut state = vec![0; count];
        for i in 0..count {
            walk.visit(i, &mut state, &|role| match role {
                Role::Constant(e) | Role::State { initial: e, .. } | Role::Assigned(e) => Some(e),
            });
        }
        for i in std::mem::take(&mut walk.order) {
            let (Role::Constant(e) | Role::State { initial: e, .. } | Role::Assigned(e)) = &definition.quantities[i].role;
            walk.values[i] = walk.value(e);
        }
        let mut state = vec![0; count];
        for i in 0..count {
            walk.visit(i, &mut state, &|role| if let Role::Assigned(e) = role { Some(e) } else { None });
        }
        walk.happen();
        walk
    }

    fn visit(&mut self, i: usize, state: &mut [u8], of: &dyn Fn(&'d Role) -> Option<&'d Expression>) {
        assert_ne!(state[i], 1, "{} depends on itself", self.definition.quantities[i].name);
        if state[i] == 0 {
            state[i] = 1;
            let mut names: Vec<&Arc<str>> = Vec::new();
            let expression = of(&self.definition.quantities[i].role);
            expression.into_iter().for_each(|e| e.names(&mut |name| names.push(name)));
            for name in names {
                self.visit(self.index[&**name], state, of);
            }
            state[i] = 2;
            if expression.is_some() {
                self.order.push(i);
            }
        }
    }

    /// The value of an expression now.
    pub(crate) fn value(&self, expression: &Expression) -> f64 {
        match expression {
            Expression::Number(n) => *n,
            Expression::Time => self.time,
            Expression::Name(name) => self.values[self.index[&**name]],
            Expression::Apply(function, arguments) => {
                apply(*function, &arguments.iter().map(|a| self.value(a)).collect::<Vec<_>>())
            }
            Expression::Piecewise(pieces, otherwise) => match pieces.iter().find(|(_, c)| self.value(c) != 0.0) {
                Some((value, _)) => self.value(value),
                None => otherwise.as_ref().map_or(f64::NAN, |o| self.value(o)),
            },
        }
    }

    /// The place of a quantity.
    pub(crate) fn place(&self, name: &str) -> usize {
        self.index[name]
    }

    fn assign(&mut self) {
        for k in 0..self.order.len() {
            let i = self.order[k];
            if let Role::Assigned(e) = &self.definition.quantities[i].role {
                self.values[i] = self.value(e);
            }
        }
    }

    fn slopes(&self) -> Vec<f64> {
        let slope = |role: &Role| if let Role::State { rate, .. } = role { self.value(rate) } else { 0.0 };
        self.definition.quantities.iter().map(|q| slope(&q.role)).collect()
    }

    fn moved(&mut self, from: &[f64], time: f64, slopes: &[f64], by: f64) {
        self.time = time;
        for i in 0..from.len() {
            if slopes[i] != 0.0 {
                self.values[i] = from[i] + by * slopes[i];
            } else {
                self.values[i] = from[i];
            }
        }
        self.assign();
    }

    fn step(&mut self, from: &[f64], time: f64, by: f64) {
        self.moved(from, time, from, 0.0);
        let a = self.slopes();
        self.moved(from, time + by / 2.0, &a, by / 2.0);
        let b = self.slopes();
        self.moved(from, time + by / 2.0, &b, by / 2.0);
        let c = self.slopes();
        self.moved(from, time + by, &c, by);
        let d = self.slopes();
        let mean: Vec<f64> = (0..a.len()).map(|i| (a[i] + 2.0 * (b[i] + c[i]) + d[i]) / 6.0).collect();
        self.moved(from, time + by, &mean, by);
    }

    fn rises(&self) -> bool {
        let due = self.pending.iter().any(|p| p.due <= self.time);
        due || self.definition.events.iter().zip(&self.was).any(|(e, was)| !was && self.value(&e.trigger) != 0.0)
    }

    /// Goes to a time in so many steps.
    pub(crate) fn to(&mut self, end: f64, steps: usize) {
        let size = (end - self.time) / steps as f64;
        while end - self.time > size * 1e-9 {
            let (from, time) = (self.values.clone(), self.time);
            let full = size.min(end - time);
            self.step(&from, time, full);
            if self.rises() {
                let (mut low, mut high) = (0.0, full);
                for _ in 0..60 {
                    let middle = (low + high) / 2.0;
                    self.step(&from, time, middle);
                    if self.rises() { high = middle } else { low = middle }
                }
                self.step(&from, time, high);
            }
            self.happen();
        }
        self.time = end;
    }

    fn computed(&self, event: &Event) -> Vec<f64> {
        event.sets.iter().map(|(_, value)| self.value(value)).collect()
    }

    /// Everything that is due now, one after the other.
    fn happen(&mut self) {
        for _ in 0..10_000 {
            for (i, event) in self.definition.events.iter().enumerate() {
                let now = self.value(&event.trigger) != 0.0;
                if now && !self.was[i] {
                    let due = self.time + event.delay.as_ref().map_or(0.0, |d| self.value(d));
                    let values = event.at_trigger.then(|| self.computed(event));
                    self.pending.push(Pending { event: i, due, values });
                }
                if !now && !event.persistent {
                    self.pending.retain(|p| p.event != i);
                }
                self.was[i] = now;
            }
            let priority =
                |p: &Pending| self.definition.events[p.event].priority.as_ref().map_or(f64::NEG_INFINITY, |e| self.value(e));
            let due = self.pending.iter().enumerate().filter(|(_, p)| p.due <= self.time);
            let Some((next, _)) = due.reduce(|best, p| if priority(p.1) > priority(best.1) { p } else { best }) else { return };
            let pending = self.pending.remove(next);
            let event = &self.definition.events[pending.event];
            let values = pending.values.unwrap_or_else(|| self.computed(event));
            for ((name, _), value) in event.sets.iter().zip(values) {
                let i = self.index[&**name];
                self.values[i] = value;
            }
            self.assign();
        }
        panic!("events without end");
    }
}
