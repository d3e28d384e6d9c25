//! Verification of a final basis in exact rational arithmetic.
//!
//! Every `f64` is a whole number times a power of two, so the problem as asked has an exact meaning. The basis alone
//! determines point and prices; both are worked out here without rounding and held to the bounds. What holds is a theorem
//! about the problem's numbers (the approach of Applegate, Cook, Dash and Espinoza, Oper. Res. Lett. 35, 2007, 693–699).

use super::certificate::{Optimum, Outcome, Standing};
use super::problem::Problem;
use super::rational;
use crate::network::Sense;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use std::collections::{BTreeMap, BTreeSet};
use toji_core::error::Category;
use toji_core::{Error, Result};

/// What exact arithmetic says of a basis.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Exact {
    /// Whether the basis is exactly feasible and optimal.
    #[serde(rename = "proved")]
    pub holds: bool,
    /// The objective at the exact point, as a fraction.
    pub objective: String,
    /// The same, rounded to the nearest number.
    pub objective_rounded: f64,
    /// Largest violation of a bound or row by the exact point; zero when `holds`.
    pub primal_violation: f64,
    /// Largest reduced cost or price of the wrong sign; zero when `holds`.
    pub dual_violation: f64,
}

/// Works out the point and the prices of an optimum's basis exactly and checks them. `limit` bounds the number of rational
/// multiplications.
///
/// # Errors
/// `E-FLUX-013` when the limit is reached, `E-FLUX-014` when the standing is not that of a basis of this problem.
pub fn verify(problem: &Problem, optimum: &Optimum, limit: usize) -> Result<Exact> {
    let (m, n) = (problem.matrix.rows(), problem.matrix.columns());
    let standing = &optimum.standing;
    let basic: Vec<usize> = (0..n).filter(|&j| standing.get(j) == Some(&Standing::Basic)).collect();
    let tight: Vec<usize> = (0..m).filter(|&i| standing.get(n + i) != Some(&Standing::Basic)).collect();
    if standing.len() != n + m || basic.len() != tight.len() {
        return Err(no_basis());
    }
    let entries = Entries::new(problem)?;
    let mut budget = limit;
    let x = point(problem, optimum, &entries, &basic, &tight, &mut budget)?;
    let y = prices(&entries, &basic, &tight, m, &mut budget)?;
    let mut primal = BigRational::zero();
    let mut activity = vec![BigRational::zero(); m];
    for (j, value) in x.iter().enumerate() {
        if !value.is_zero() {
            for (i, a) in &entries.columns[j] {
                activity[*i] += a * value;
            }
        }
        widen(&mut primal, value, problem.lower[j], problem.upper[j])?;
    }
    for (i, value) in activity.iter().enumerate() {
        widen(&mut primal, value, problem.row_lower[i], problem.row_upper[i])?;
    }
    let mut dual = BigRational::zero();
    let mut objective = BigRational::zero();
    for j in 0..n {
        objective += &entries.cost[j] * &x[j];
        if standing[j] != Standing::Basic {
            let mut d = entries.cost[j].clone();
            for (i, a) in &entries.columns[j] {
                d -= a * &y[*i];
            }
            wrong(&mut dual, d, standing[j], problem.sense, problem.lower[j] == problem.upper[j]);
        }
    }
    for i in tight {
        wrong(&mut dual, y[i].clone(), standing[n + i], problem.sense, problem.row_lower[i] == problem.row_upper[i]);
    }
    let exact = Exact {
        holds: primal.is_zero() && dual.is_zero(),
        objective_rounded: objective.to_f64().unwrap_or(f64::NAN),
        objective: objective.to_string(),
        primal_violation: primal.to_f64().unwrap_or(f64::INFINITY),
        dual_violation: dual.to_f64().unwrap_or(f64::INFINITY),
    };
    Ok(exact)
}

/// The answer to a problem worked out without rounding from the basis of logicals, and only then rounded; `None` where bounds
/// cross, or after `limit` rational multiplications.
///
/// # Errors
/// Those of [`Problem::check`].
pub fn answer(problem: &Problem, limit: usize) -> Result<Option<Outcome>> {
    problem.check()?;
    Ok(rational::solve(problem, &[], limit))
}

fn no_basis() -> Error {
    Error::input(
        "E-FLUX-014",
        "この問題の基底ではありません(基底変数の数が合わないか、特異です)",
        "this is not a basis of the problem: the number of basic variables is wrong, or they depend on each other",
    )
}

fn rational(value: f64) -> Result<BigRational> {
    BigRational::from_float(value).ok_or_else(no_basis)
}

/// The problem's numbers as fractions.
struct Entries {
    columns: Vec<Vec<(usize, BigRational)>>,
    cost: Vec<BigRational>,
}

impl Entries {
    fn new(problem: &Problem) -> Result<Self> {
        let column = |j: usize| problem.matrix.iter(j).map(|(i, a)| Ok((i, rational(a)?))).collect::<Result<Vec<_>>>();
        let columns = (0..problem.matrix.columns()).map(column).collect::<Result<Vec<_>>>()?;
        let cost = problem.cost.iter().map(|&c| rational(c)).collect::<Result<Vec<_>>>()?;
        Ok(Self { columns, cost })
    }
}

/// Values of all variables: those out of the basis at their bounds, the others as the tight rows demand.
fn point(
    problem: &Problem,
    optimum: &Optimum,
    entries: &Entries,
    basic: &[usize],
    tight: &[usize],
    budget: &mut usize,
) -> Result<Vec<BigRational>> {
    let n = problem.matrix.columns();
    let at = |standing: Standing, lower: f64, upper: f64, near: f64| match standing {
        Standing::Lower => lower,
        Standing::Upper => upper,
        _ => near,
    };
    let mut x = vec![BigRational::zero(); n];
    let mut side = vec![BigRational::zero(); problem.matrix.rows()];
    for &i in tight {
        let near = if problem.row_lower[i].is_finite() { problem.row_lower[i] } else { problem.row_upper[i] };
        side[i] = rational(at(optimum.standing[n + i], problem.row_lower[i], problem.row_upper[i], near))?;
    }
    for (j, value) in x.iter_mut().enumerate() {
        if optimum.standing[j] != Standing::Basic {
            let near = optimum.primal.get(j).copied().unwrap_or(f64::NAN);
            *value = rational(at(optimum.standing[j], problem.lower[j], problem.upper[j], near))?;
            if !value.is_zero() {
                for (i, a) in &entries.columns[j] {
                    side[*i] -= a * &*value;
                }
            }
        }
    }
    let place: BTreeMap<usize, usize> = tight.iter().enumerate().map(|(k, &i)| (i, k)).collect();
    let mut rows: Vec<BTreeMap<usize, BigRational>> = vec![BTreeMap::new(); tight.len()];
    for (k, &j) in basic.iter().enumerate() {
        for (i, a) in &entries.columns[j] {
            if let Some(&row) = place.get(i) {
                rows[row].insert(k, a.clone());
            }
        }
    }
    let sides = tight.iter().map(|&i| side[i].clone()).collect();
    for (value, &j) in solve(rows, sides, budget)?.into_iter().zip(basic) {
        x[j] = value;
    }
    Ok(x)
}

/// Prices of all rows: zero where a row is not tight, else as the basic columns demand.
fn prices(entries: &Entries, basic: &[usize], tight: &[usize], m: usize, budget: &mut usize) -> Result<Vec<BigRational>> {
    let place: BTreeMap<usize, usize> = tight.iter().enumerate().map(|(k, &i)| (i, k)).collect();
    let row = |&j: &usize| -> BTreeMap<usize, BigRational> {
        entries.columns[j].iter().filter_map(|(i, a)| place.get(i).map(|&k| (k, a.clone()))).collect()
    };
    let rows = basic.iter().map(row).collect();
    let sides = basic.iter().map(|&j| entries.cost[j].clone()).collect();
    let mut y = vec![BigRational::zero(); m];
    for (value, &i) in solve(rows, sides, budget)?.into_iter().zip(tight) {
        y[i] = value;
    }
    Ok(y)
}

/// Solves a sparse square system; the pivot is the only entry of a column where there is one, else one in the shortest row
/// and its shortest column.
fn solve(
    mut rows: Vec<BTreeMap<usize, BigRational>>,
    mut sides: Vec<BigRational>,
    budget: &mut usize,
) -> Result<Vec<BigRational>> {
    let n = rows.len();
    let mut holders: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); n];
    for (r, row) in rows.iter().enumerate() {
        for &c in row.keys() {
            holders[c].insert(r);
        }
    }
    let (mut row_open, mut column_open) = (vec![true; n], vec![true; n]);
    let mut pivots: Vec<(usize, usize)> = Vec::with_capacity(n);
    // Open columns of a row; entries in closed columns wait for the substitution back.
    let mut open_count: Vec<usize> = rows.iter().map(BTreeMap::len).collect();
    for _ in 0..n {
        let lone = (0..n).find(|&c| column_open[c] && holders[c].len() == 1);
        let chosen = match lone {
            Some(c) => holders[c].first().map(|&r| (r, c)),
            None => (0..n)
                .filter(|&r| row_open[r] && open_count[r] > 0)
                .min_by_key(|&r| open_count[r])
                .and_then(|r| rows[r].keys().filter(|&&c| column_open[c]).min_by_key(|&&c| holders[c].len()).map(|&c| (r, c))),
        };
        let (p, c) = chosen.ok_or_else(no_basis)?;
        let pivot_row = rows[p].clone();
        let pivot = pivot_row[&c].clone();
        for r in holders[c].clone() {
            if r == p {
                continue;
            }
            let factor = &rows[r][&c] / &pivot;
            for (&k, value) in &pivot_row {
                spend(budget)?;
                let entry = rows[r].entry(k).or_insert_with(BigRational::zero);
                let fresh = entry.is_zero();
                *entry -= &factor * value;
                if entry.is_zero() {
                    rows[r].remove(&k);
                    holders[k].remove(&r);
                    open_count[r] -= usize::from(!fresh);
                } else if fresh {
                    holders[k].insert(r);
                    open_count[r] += 1;
                }
            }
            let change = &factor * &sides[p];
            sides[r] -= change;
        }
        for &k in pivot_row.keys() {
            holders[k].remove(&p);
        }
        (row_open[p], column_open[c]) = (false, false);
        pivots.push((p, c));
    }
    let mut x = vec![BigRational::zero(); n];
    for &(p, c) in pivots.iter().rev() {
        let mut value = sides[p].clone();
        for (&k, a) in &rows[p] {
            if k != c && !x[k].is_zero() {
                spend(budget)?;
                value -= a * &x[k];
            }
        }
        x[c] = value / &rows[p][&c];
    }
    Ok(x)
}

fn spend(budget: &mut usize) -> Result<()> {
    *budget = budget.checked_sub(1).ok_or_else(|| {
        Error::new(
            Category::Limit,
            "E-FLUX-013",
            "厳密な検算が演算回数の上限に達しました",
            "the exact verification reached its limit of operations",
        )
        .hint("上限を上げるか、圧縮した網で検算してください", "raise the limit, or verify on the compressed network")
    })?;
    Ok(())
}

fn widen(worst: &mut BigRational, value: &BigRational, lower: f64, upper: f64) -> Result<()> {
    for (bound, below) in [(lower, true), (upper, false)] {
        if bound.is_finite() {
            let bound = rational(bound)?;
            let violation = if below { bound - value } else { value - bound };
            if violation > *worst {
                *worst = violation;
            }
        }
    }
    Ok(())
}

/// Widens by a reduced cost (or price) whose sign asks its variable away from where it stands.
fn wrong(worst: &mut BigRational, d: BigRational, standing: Standing, sense: Sense, fixed: bool) {
    let improves_up = if sense == Sense::Maximize { d.is_positive() } else { d.is_negative() };
    let fault = match standing {
        Standing::Basic => false,
        _ if fixed || d.is_zero() => false,
        Standing::Lower => improves_up,
        Standing::Upper => !improves_up,
        Standing::Between => true,
    };
    if fault && d.abs() > *worst {
        *worst = d.abs();
    }
}
