//! Expressions: what rates, triggers and observables are written in, before they are compiled.
//!
//! Truth is a number: 0 is false, anything else is true, and comparisons give 0 or 1.

use super::elementary::Elementary;
use std::sync::Arc;

/// An expression over named quantities and time.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// The time of the simulation, in the unit of the model's time.
    Time,
    /// A quantity of the model.
    Name(Arc<str>),
    /// A function of its arguments.
    Apply(Function, Vec<Expression>),
    /// The first piece whose condition (second) is true gives its value (first); none: otherwise, or NaN.
    Piecewise(Vec<(Expression, Expression)>, Option<Box<Expression>>),
}

/// What an expression may apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// Sum of any number of arguments; 0 of none.
    Add,
    /// First less second.
    Subtract,
    /// Product of any number of arguments; 1 of none.
    Multiply,
    /// First by second.
    Divide,
    /// Negation.
    Negate,
    /// First to the power of the second.
    Power,
    /// A function of one argument.
    Of(Elementary),
    /// Least of one or more.
    Min,
    /// Greatest of one or more.
    Max,
    /// First by second, rounded towards zero.
    Quotient,
    /// What is left then; it has the sign of the first.
    Remainder,
    /// Each less than the next.
    Less,
    /// Each at most the next.
    LessOrEqual,
    /// Each greater than the next.
    Greater,
    /// Each at least the next.
    GreaterOrEqual,
    /// All equal.
    Equal,
    /// Two that differ.
    NotEqual,
    /// All true; true of none.
    And,
    /// Any true; false of none.
    Or,
    /// An odd number of them true.
    Xor,
    /// Not true.
    Not,
    /// False, or the second true.
    Implies,
}

impl std::fmt::Display for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Of(function) => write!(f, "{function:?}"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl Expression {
    /// A quantity by name.
    pub fn name(name: impl Into<Arc<str>>) -> Self {
        Self::Name(name.into())
    }

    /// A function of these arguments.
    #[must_use]
    pub fn apply(function: Function, arguments: impl Into<Vec<Self>>) -> Self {
        Self::Apply(function, arguments.into())
    }

    /// Calls `seen` with every name in it, in order, repeated as they are.
    pub fn names<'a>(&'a self, seen: &mut impl FnMut(&'a Arc<str>)) {
        match self {
            Self::Number(_) | Self::Time => {}
            Self::Name(name) => seen(name),
            Self::Apply(_, arguments) => arguments.iter().for_each(|a| a.names(seen)),
            Self::Piecewise(pieces, otherwise) => {
                for (value, condition) in pieces {
                    value.names(seen);
                    condition.names(seen);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.names(seen);
                }
            }
        }
    }

    /// The same with every name replaced for which `by` has something.
    #[must_use]
    pub fn replaced(&self, by: &impl Fn(&str) -> Option<Self>) -> Self {
        self.with_leaves(&|leaf| if let Self::Name(name) = leaf { by(name) } else { None })
    }

    /// The same with every number, name and time replaced for which `by` has something.
    #[must_use]
    pub fn with_leaves(&self, by: &impl Fn(&Self) -> Option<Self>) -> Self {
        match self {
            Self::Number(_) | Self::Time | Self::Name(_) => by(self).unwrap_or_else(|| self.clone()),
            Self::Apply(function, arguments) => Self::Apply(*function, arguments.iter().map(|a| a.with_leaves(by)).collect()),
            Self::Piecewise(pieces, otherwise) => Self::Piecewise(
                pieces.iter().map(|(value, condition)| (value.with_leaves(by), condition.with_leaves(by))).collect(),
                otherwise.as_ref().map(|o| Box::new(o.with_leaves(by))),
            ),
        }
    }
}
