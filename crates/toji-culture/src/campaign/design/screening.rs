//! Definitive screening designs: main effects clear of all interactions of two and of curvature, in twice as many runs
//! as factors and one (Jones and Nachtsheim, J. Quality Technology 43, 1, 2011; by conference matrices after Xiao, Lin
//! and Bai, ibid. 44, 2, 2012).

use crate::linear::Matrix;
use toji_core::{Error, Place, Result};

/// Orders of conference matrices made here: one more than a prime or 9.
const ORDERS: [usize; 11] = [4, 6, 8, 10, 12, 14, 18, 20, 24, 30, 32];

/// The design of so many factors: each run of a conference matrix and its mirror image, and the middle. Where there is
/// no matrix of that order the next one is taken and its last columns left out, so that some runs come on top.
///
/// # Errors
/// Fewer than 3 factors or more than 32.
pub fn definitive_screening(factors: usize) -> Result<Matrix> {
    let order = ORDERS.into_iter().find(|o| *o >= factors).filter(|_| factors >= 3);
    let Some(order) = order else {
        return Err(Error::input(
            "E-CAMPAIGN-042",
            format!("決定的スクリーニング計画は 3〜32 因子です: {factors}"),
            format!("a definitive screening design takes 3 to 32 factors, not {factors}"),
        )
        .at(Place::field("factors"))
        .hint("因子が少ないときは二水準の全組合せを使ってください", "with fewer factors take all combinations of two levels"));
    };
    let matrix = conference(order);
    Ok(Matrix::from_fn(2 * order + 1, factors, |i, j| {
        if i == 2 * order {
            return 0.0;
        }
        let level = matrix[(i / 2, j)];
        // The mirror image of 0 is 0, not −0.
        if i % 2 == 0 || level == 0.0 { level } else { -level }
    }))
}

/// Paley's conference matrix: C·Cᵀ = (n − 1)·I, zero on the diagonal, ±1 elsewhere.
fn conference(order: usize) -> Matrix {
    let q = order - 1;
    let mut squares = vec![false; q];
    for x in 1..q {
        squares[multiply(x, x, q)] = true;
    }
    let character = |x: usize| match x {
        0 => 0.0,
        x if squares[x] => 1.0,
        _ => -1.0,
    };
    // −1 is a square when q is 1 more than a multiple of 4: then the matrix is symmetric, otherwise skew.
    let edge = if q % 4 == 1 { 1.0 } else { -1.0 };
    Matrix::from_fn(order, order, |i, j| match (i, j) {
        (0, 0) => 0.0,
        (0, _) => 1.0,
        (_, 0) => edge,
        (i, j) => character(subtract(i - 1, j - 1, q)),
    })
}

/// Product in the field of q elements; for 9 the numbers a + 3b stand for a + b·i over the integers mod 3.
fn multiply(x: usize, y: usize, q: usize) -> usize {
    if q == 9 {
        let ((a, b), (c, d)) = ((x % 3, x / 3), (y % 3, y / 3));
        return (a * c + 2 * b * d) % 3 + 3 * ((a * d + b * c) % 3);
    }
    x * y % q
}

fn subtract(x: usize, y: usize, q: usize) -> usize {
    if q == 9 { (x % 3 + 3 - y % 3) % 3 + 3 * ((x / 3 + 3 - y / 3) % 3) } else { (x + q - y) % q }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::dot;

    #[test]
    fn conference_matrices_are_what_they_are_called() {
        for order in ORDERS {
            let c = conference(order);
            let product = c.product(&c.transposed());
            for i in 0..order {
                for j in 0..order {
                    assert_eq!(product[(i, j)], if i == j { order as f64 - 1.0 } else { 0.0 }, "{order}");
                    assert_eq!(c[(i, j)].abs(), f64::from(u8::from(i != j)));
                }
            }
        }
    }

    #[test]
    fn main_effects_are_clear_of_each_other_of_interactions_and_of_curvature() {
        for factors in [3, 4, 5, 6, 7, 9, 10, 13, 16] {
            let design = definitive_screening(factors).unwrap();
            assert!(design.rows() > 2 * factors);
            let column = |k: usize| (0..design.rows()).map(|i| design[(i, k)]).collect::<Vec<f64>>();
            for i in 0..factors {
                for j in 0..factors {
                    if i != j {
                        assert_eq!(dot(&column(i), &column(j)), 0.0);
                    }
                    for k in 0..=j {
                        let product: Vec<f64> = column(j).iter().zip(column(k)).map(|(a, b)| a * b).collect();
                        assert_eq!(dot(&column(i), &product), 0.0);
                    }
                }
            }
        }
        assert_eq!(definitive_screening(6).unwrap().rows(), 13);
        for factors in [0, 2, 33] {
            assert_eq!(definitive_screening(factors).unwrap_err().code(), "E-CAMPAIGN-042");
        }
    }
}
