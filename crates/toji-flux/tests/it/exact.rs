//! Optima verified in exact rational arithmetic, on random small problems and on real models.

use super::model;
use proptest::prelude::*;
use toji_flux::Sense;
use toji_flux::analyse::fba;
use toji_flux::lp::{Outcome, Problem, Solver, exact};
use toji_flux::sparse::Matrix;

/// Best objective over all vertices of a tiny problem with finite bounds, by trying every choice of fixed variables and rows.
fn brute_force(problem: &Problem) -> Option<f64> {
    let (m, n) = (problem.matrix.rows(), problem.matrix.columns());
    let dense: Vec<Vec<f64>> = (0..n)
        .map(|j| {
            let mut column = vec![0.0; m];
            problem.matrix.iter(j).for_each(|(i, a)| column[i] = a);
            column
        })
        .collect();
    // Every vertex makes n of these equalities tight: a·x = b.
    let mut planes: Vec<(Vec<f64>, f64)> = Vec::new();
    for j in 0..n {
        let unit: Vec<f64> = (0..n).map(|k| f64::from(u8::from(k == j))).collect();
        planes.push((unit.clone(), problem.lower[j]));
        planes.push((unit, problem.upper[j]));
    }
    for i in 0..m {
        let row: Vec<f64> = dense.iter().map(|column| column[i]).collect();
        planes.push((row.clone(), problem.row_lower[i]));
        planes.push((row, problem.row_upper[i]));
    }
    let mut best: Option<f64> = None;
    let mut pick: Vec<usize> = (0..n).collect();
    loop {
        if let Some(x) = meet(&pick.iter().map(|&p| planes[p].clone()).collect::<Vec<_>>()) {
            let inside = (0..n).all(|j| x[j] >= problem.lower[j] - 1e-9 && x[j] <= problem.upper[j] + 1e-9)
                && problem
                    .matrix
                    .times(&x)
                    .iter()
                    .enumerate()
                    .all(|(i, a)| *a >= problem.row_lower[i] - 1e-9 && *a <= problem.row_upper[i] + 1e-9);
            if inside {
                let value: f64 = x.iter().zip(&problem.cost).map(|(x, c)| x * c).sum();
                let sign = problem.sense.sign();
                best = Some(best.map_or(value, |b| if sign * value > sign * b { value } else { b }));
            }
        }
        let Some(at) = (0..n).rev().find(|&k| pick[k] < planes.len() - (n - k)) else { return best };
        pick[at] += 1;
        for k in at + 1..n {
            pick[k] = pick[k - 1] + 1;
        }
    }
}

/// The point where n planes meet, by elimination; `None` when they do not meet in one point.
fn meet(planes: &[(Vec<f64>, f64)]) -> Option<Vec<f64>> {
    let n = planes.len();
    let mut rows: Vec<Vec<f64>> = planes.iter().map(|(a, b)| a.iter().copied().chain([*b]).collect()).collect();
    for k in 0..n {
        let p = (k..n).max_by(|&a, &b| rows[a][k].abs().total_cmp(&rows[b][k].abs()))?;
        rows.swap(k, p);
        if rows[k][k].abs() < 1e-9 {
            return None;
        }
        for r in 0..n {
            if r != k {
                let factor = rows[r][k] / rows[k][k];
                let pivot = rows[k].clone();
                rows[r].iter_mut().zip(pivot).skip(k).for_each(|(entry, p)| *entry -= factor * p);
            }
        }
    }
    Some((0..n).map(|k| rows[k][n] / rows[k][k]).collect())
}

fn small_problems() -> impl Strategy<Value = Problem> {
    (1_usize..4, 1_usize..4).prop_flat_map(|(m, n)| {
        let entries = prop::collection::vec(prop::collection::vec(-3_i32..4, m), n);
        let bounds = prop::collection::vec((-4_i32..3, 0_i32..6), n);
        let sides = prop::collection::vec((-5_i32..3, 0_i32..5), m);
        let cost = prop::collection::vec(-3_i32..4, n);
        (entries, bounds, sides, cost, any::<bool>()).prop_map(move |(entries, bounds, sides, cost, up)| {
            let columns: Vec<Vec<(usize, f64)>> =
                entries.iter().map(|c| c.iter().enumerate().map(|(i, &a)| (i, f64::from(a))).collect()).collect();
            Problem {
                matrix: Matrix::from_columns(m, columns.iter().map(Vec::as_slice)).unwrap(),
                lower: bounds.iter().map(|b| f64::from(b.0)).collect(),
                upper: bounds.iter().map(|b| f64::from(b.0 + b.1)).collect(),
                cost: cost.iter().map(|&c| f64::from(c)).collect(),
                sense: if up { Sense::Maximize } else { Sense::Minimize },
                row_lower: sides.iter().map(|s| f64::from(s.0)).collect(),
                row_upper: sides.iter().map(|s| f64::from(s.0 + s.1)).collect(),
            }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn tiny_problems_are_exactly_right(problem in small_problems()) {
        let best = brute_force(&problem);
        match Solver::new(problem.clone()).unwrap().solve().unwrap() {
            Outcome::Optimal(optimum) => {
                let best = best.expect("a vertex");
                prop_assert!((optimum.objective - best).abs() < 1e-8, "{} but {best}", optimum.objective);
                let exact = exact::verify(&problem, &optimum, 1_000_000).unwrap();
                prop_assert!(exact.holds, "{exact:?}");
                prop_assert!((exact.objective_rounded - best).abs() < 1e-8);
            }
            Outcome::Infeasible(_) => prop_assert!(best.is_none(), "a vertex reaches {best:?}"),
            Outcome::Unbounded(_) => prop_assert!(false, "all bounds are finite"),
        }
    }
}

#[test]
fn real_optima_hold_exactly() {
    for name in ["textbook.xml.gz", "e_coli_core.xml.gz", "RehMBEL1391.json"] {
        let Some(model) = model(name) else { return };
        let network = model.network().unwrap();
        let Outcome::Optimal(best) = fba(&network).unwrap() else { panic!("{name}: no optimum") };
        let exact = exact::verify(&Problem::from(&network), &best, 20_000_000).unwrap();
        assert!(exact.primal_violation < 1e-9 && exact.dual_violation < 1e-9, "{name}: {exact:?}");
        assert!((exact.objective_rounded - best.objective).abs() < 1e-9 * best.objective.abs(), "{name}: {}", best.objective);
        assert!(exact.objective.contains('/'), "{name}: {}", exact.objective);
    }
}

#[test]
fn a_wrong_basis_is_found_out() {
    let columns: [&[(usize, f64)]; 2] = [&[(0, 1.0)], &[(0, 1.0)]];
    let problem = Problem {
        matrix: Matrix::from_columns(1, columns).unwrap(),
        lower: vec![0.0, 0.0],
        upper: vec![4.0, 4.0],
        cost: vec![1.0, 2.0],
        sense: Sense::Maximize,
        row_lower: vec![f64::NEG_INFINITY],
        row_upper: vec![5.0],
    };
    let Outcome::Optimal(mut best) = Solver::new(problem.clone()).unwrap().solve().unwrap() else { panic!("no optimum") };
    assert!(exact::verify(&problem, &best, 1_000).unwrap().holds);
    best.standing.swap(0, 1);
    let exact = exact::verify(&problem, &best, 1_000).unwrap();
    assert!(!exact.holds && exact.dual_violation > 0.0, "{exact:?}");
    best.standing.truncate(1);
    assert_eq!(exact::verify(&problem, &best, 1_000).unwrap_err().code(), "E-FLUX-014");
}
