//! What the reactions cannot change: the left null space of the stoichiometry, exact.

use super::balance::exact;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A sum of amounts that no reaction changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CellFreeMoiety")]
pub struct Moiety {
    /// Species and coefficient, whole numbers without common factor.
    pub coefficients: BTreeMap<String, f64>,
    /// The sum at the start, mmol.
    pub total: f64,
    /// The greatest departure over the course from what start and feeds give, relative to the sum of the absolute terms.
    pub deviation: f64,
}

/// A basis of all `l` with `l·S = 0`, as whole numbers; `columns` are the reactions over `rows` species.
pub(super) fn left_null_space(rows: usize, columns: &[Vec<(usize, f64)>]) -> Vec<Vec<f64>> {
    // Each reaction is an equation in l; they are reduced to echelon form.
    let mut equations: Vec<(usize, Vec<BigRational>)> = Vec::new();
    for column in columns {
        let mut equation = vec![BigRational::zero(); rows];
        for &(i, coefficient) in column {
            equation[i] += exact(coefficient);
        }
        for (pivot, known) in &equations {
            let factor = equation[*pivot].clone();
            if !factor.is_zero() {
                equation.iter_mut().zip(known).for_each(|(e, k)| *e -= &factor * k);
            }
        }
        let Some(pivot) = equation.iter().position(|e| !e.is_zero()) else { continue };
        let lead = equation[pivot].clone();
        equation.iter_mut().for_each(|e| *e /= &lead);
        for (_, known) in &mut equations {
            let factor = known[pivot].clone();
            if !factor.is_zero() {
                known.iter_mut().zip(&equation).for_each(|(k, e)| *k -= &factor * e);
            }
        }
        equations.push((pivot, equation));
    }
    let free = (0..rows).filter(|i| equations.iter().all(|(pivot, _)| pivot != i));
    free.map(|i| {
        let mut l = vec![BigRational::zero(); rows];
        l[i] = BigRational::one();
        for (pivot, equation) in &equations {
            l[*pivot] = -equation[i].clone();
        }
        whole(&l)
    })
    .collect()
}

/// Greatest common divisor of two numbers that are not negative (Euclid).
fn gcd(mut a: BigInt, mut b: BigInt) -> BigInt {
    while !b.is_zero() {
        let rest = &a % &b;
        a = std::mem::replace(&mut b, rest);
    }
    a
}

/// The smallest whole multiple, its first entry that is not zero above it.
fn whole(l: &[BigRational]) -> Vec<f64> {
    let common = l.iter().fold(BigInt::one(), |m, x| &m / gcd(m.clone(), x.denom().clone()) * x.denom());
    let scaled: Vec<BigInt> = l.iter().map(|x| (x * BigRational::from_integer(common.clone())).to_integer()).collect();
    let mut divisor = scaled.iter().fold(BigInt::zero(), |d, x| gcd(d, x.abs()));
    if scaled.iter().find(|x| !x.is_zero()).is_some_and(Signed::is_negative) {
        divisor = -divisor;
    }
    scaled.iter().map(|x| (x / &divisor).to_f64().unwrap_or(f64::NAN)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cofactors_are_found() {
        // s + nad → p + nadh, q + nadh → r + nad.
        let columns = [vec![(0, -1.0), (1, -1.0), (2, 1.0), (3, 1.0)], vec![(4, -1.0), (3, -1.0), (5, 1.0), (1, 1.0)]];
        let found = left_null_space(6, &columns);
        assert_eq!(found.len(), 4);
        for l in &found {
            for c in &columns {
                assert_eq!(c.iter().map(|(i, a)| l[*i] * a).sum::<f64>(), 0.0);
            }
        }
    }

    proptest! {
        #[test]
        fn every_vector_is_orthogonal_and_the_dimension_is_right(
            entries in proptest::collection::vec(proptest::collection::vec((0usize..6, -3i8..4), 1..5), 1..5)
        ) {
            let columns: Vec<Vec<(usize, f64)>> =
                entries.iter().map(|c| c.iter().map(|(i, a)| (*i, f64::from(*a) / 10.0)).collect()).collect();
            let found = left_null_space(6, &columns);
            prop_assert!(found.len() + columns.len() >= 6);
            for l in &found {
                prop_assert!(l.iter().any(|x| *x != 0.0));
                for c in &columns {
                    prop_assert!(c.iter().map(|(i, a)| l[*i] * a).sum::<f64>().abs() < 1e-9);
                }
            }
        }
    }
}
