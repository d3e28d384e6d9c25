//! The functions of one argument, their values and their slopes.
//!
//! Values come from `libm` and our own exponential, which are the same code on every machine, so that results are the same
//! bits everywhere.

use super::exponential::exponentials;

/// A function of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Elementary {
    /// e to the power.
    Exp,
    /// Natural logarithm.
    Ln,
    /// Decimal logarithm.
    Log10,
    /// Square root.
    Sqrt,
    /// Absolute value.
    Abs,
    /// Largest integer not above.
    Floor,
    /// Smallest integer not below.
    Ceiling,
    /// Γ(x + 1).
    Factorial,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// Tangent.
    Tan,
    /// Inverse sine.
    Asin,
    /// Inverse cosine.
    Acos,
    /// Inverse tangent.
    Atan,
    /// Hyperbolic sine.
    Sinh,
    /// Hyperbolic cosine.
    Cosh,
    /// Hyperbolic tangent.
    Tanh,
    /// Inverse hyperbolic sine.
    Asinh,
    /// Inverse hyperbolic cosine.
    Acosh,
    /// Inverse hyperbolic tangent.
    Atanh,
}

/// What slopes are computed in: numbers, or nodes of a graph.
pub(super) trait Algebra {
    /// A value.
    type Item: Copy;
    /// A number.
    fn number(&mut self, value: f64) -> Self::Item;
    /// Sum.
    fn add(&mut self, a: Self::Item, b: Self::Item) -> Self::Item;
    /// Difference.
    fn subtract(&mut self, a: Self::Item, b: Self::Item) -> Self::Item;
    /// Product.
    fn multiply(&mut self, a: Self::Item, b: Self::Item) -> Self::Item;
    /// Quotient.
    fn divide(&mut self, a: Self::Item, b: Self::Item) -> Self::Item;
    /// A function.
    fn elementary(&mut self, function: Elementary, a: Self::Item) -> Self::Item;
    /// 1 where a ≥ 0, else −1.
    fn sign(&mut self, a: Self::Item) -> Self::Item;
}

/// Numbers themselves.
pub(super) struct Plain;

impl Algebra for Plain {
    type Item = f64;
    fn number(&mut self, value: f64) -> f64 {
        value
    }
    fn add(&mut self, a: f64, b: f64) -> f64 {
        a + b
    }
    fn subtract(&mut self, a: f64, b: f64) -> f64 {
        a - b
    }
    fn multiply(&mut self, a: f64, b: f64) -> f64 {
        a * b
    }
    fn divide(&mut self, a: f64, b: f64) -> f64 {
        a / b
    }
    fn elementary(&mut self, function: Elementary, a: f64) -> f64 {
        function.value(a)
    }
    fn sign(&mut self, a: f64) -> f64 {
        if a >= 0.0 { 1.0 } else { -1.0 }
    }
}

impl Elementary {
    /// The value at `x`; NaN outside the domain.
    #[must_use]
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::Exp => exponentials([x])[0],
            Self::Ln => libm::log(x),
            Self::Log10 => libm::log10(x),
            Self::Sqrt => libm::sqrt(x),
            Self::Abs => libm::fabs(x),
            Self::Floor => libm::floor(x),
            Self::Ceiling => libm::ceil(x),
            Self::Factorial => factorial(x),
            Self::Sin => libm::sin(x),
            Self::Cos => libm::cos(x),
            Self::Tan => libm::tan(x),
            Self::Asin => libm::asin(x),
            Self::Acos => libm::acos(x),
            Self::Atan => libm::atan(x),
            Self::Sinh => libm::sinh(x),
            Self::Cosh => libm::cosh(x),
            Self::Tanh => libm::tanh(x),
            Self::Asinh => libm::asinh(x),
            Self::Acosh => libm::acosh(x),
            Self::Atanh => libm::atanh(x),
        }
    }

    /// The slope at `x`, where the value is `y`.
    pub(super) fn slope<A: Algebra>(self, on: &mut A, x: A::Item, y: A::Item) -> A::Item {
        let one = on.number(1.0);
        match self {
            Self::Exp => y,
            Self::Ln => on.divide(one, x),
            Self::Log10 => {
                let scale = on.number(std::f64::consts::LOG10_E);
                on.divide(scale, x)
            }
            Self::Sqrt => {
                let half = on.number(0.5);
                on.divide(half, y)
            }
            Self::Abs => on.sign(x),
            Self::Floor | Self::Ceiling => on.number(0.0),
            // A central difference, good to 1e-10 of the value: factorials of what changes are rare.
            Self::Factorial => {
                let (h, width) = (on.number(1e-5), on.number(2e-5));
                let (above, below) = (on.add(x, h), on.subtract(x, h));
                let (above, below) = (on.elementary(self, above), on.elementary(self, below));
                let difference = on.subtract(above, below);
                on.divide(difference, width)
            }
            Self::Sin => on.elementary(Self::Cos, x),
            Self::Cos => {
                let sin = on.elementary(Self::Sin, x);
                negative(on, sin)
            }
            Self::Tan => {
                let square = on.multiply(y, y);
                on.add(one, square)
            }
            Self::Asin => {
                let root = arc(on, x);
                on.divide(one, root)
            }
            Self::Acos => {
                let root = arc(on, x);
                let slope = on.divide(one, root);
                negative(on, slope)
            }
            Self::Atan => {
                let square = on.multiply(x, x);
                let sum = on.add(one, square);
                on.divide(one, sum)
            }
            Self::Sinh => on.elementary(Self::Cosh, x),
            Self::Cosh => on.elementary(Self::Sinh, x),
            Self::Tanh => {
                let square = on.multiply(y, y);
                on.subtract(one, square)
            }
            Self::Asinh => {
                let square = on.multiply(x, x);
                let sum = on.add(square, one);
                let root = on.elementary(Self::Sqrt, sum);
                on.divide(one, root)
            }
            Self::Acosh => {
                let square = on.multiply(x, x);
                let difference = on.subtract(square, one);
                let root = on.elementary(Self::Sqrt, difference);
                on.divide(one, root)
            }
            Self::Atanh => {
                let square = on.multiply(x, x);
                let difference = on.subtract(one, square);
                on.divide(one, difference)
            }
        }
    }
}

fn negative<A: Algebra>(on: &mut A, a: A::Item) -> A::Item {
    let zero = on.number(0.0);
    on.subtract(zero, a)
}

/// √(1 − x²).
fn arc<A: Algebra>(on: &mut A, x: A::Item) -> A::Item {
    let one = on.number(1.0);
    let square = on.multiply(x, x);
    let difference = on.subtract(one, square);
    on.elementary(Elementary::Sqrt, difference)
}

fn factorial(x: f64) -> f64 {
    if (0.0..=170.0).contains(&x) && libm::floor(x) == x {
        (1..=x as u32).fold(1.0, |product, n| product * f64::from(n))
    } else {
        libm::tgamma(x + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(Elementary, f64); 20] = [
        (Elementary::Exp, 0.3),
        (Elementary::Ln, 0.7),
        (Elementary::Log10, 2.5),
        (Elementary::Sqrt, 3.0),
        (Elementary::Abs, -1.2),
        (Elementary::Floor, 1.5),
        (Elementary::Ceiling, 1.5),
        (Elementary::Factorial, 3.4),
        (Elementary::Sin, 0.4),
        (Elementary::Cos, 0.4),
        (Elementary::Tan, 0.4),
        (Elementary::Asin, 0.4),
        (Elementary::Acos, 0.4),
        (Elementary::Atan, 0.4),
        (Elementary::Sinh, 0.4),
        (Elementary::Cosh, 0.4),
        (Elementary::Tanh, 0.4),
        (Elementary::Asinh, 0.4),
        (Elementary::Acosh, 1.4),
        (Elementary::Atanh, 0.4),
    ];

    #[test]
    fn slopes_are_those_of_the_values() {
        for (function, x) in ALL {
            let h = 1e-6;
            let difference = (function.value(x + h) - function.value(x - h)) / (2.0 * h);
            let slope = function.slope(&mut Plain, x, function.value(x));
            assert!((slope - difference).abs() < 1e-6 * (1.0 + slope.abs()), "{function:?}: {slope} against {difference}");
        }
    }

    #[test]
    fn factorials_of_whole_numbers_are_whole() {
        assert_eq!((factorial(0.0), factorial(5.0), factorial(20.0)), (1.0, 120.0, 2_432_902_008_176_640_000.0));
        assert!((factorial(0.5) - 0.886_226_925_452_758).abs() < 1e-15);
    }
}
