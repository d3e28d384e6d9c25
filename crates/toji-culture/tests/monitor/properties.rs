//! What must hold for any table.

use super::near;
use proptest::prelude::*;
use toji_core::chance::Chance;
use toji_culture::monitor::{Components, Matrix, Missing, Pca, Pls, Scaling, Settings};

/// Rows of two sources and noise, some cells missing: never more than every fourth of a row.
fn table(seed: u64, rows: usize, cols: usize, holes: bool) -> Vec<Vec<Option<f64>>> {
    let mut chance = Chance::new(seed);
    let loadings: Vec<[f64; 2]> = (0..cols).map(|_| [chance.normal(), chance.normal()]).collect();
    (0..rows)
        .map(|_| {
            let t = [3.0 * chance.normal(), 1.5 * chance.normal()];
            let hole = if holes { chance.below(2 * cols) } else { cols };
            (0..cols)
                .map(|col| {
                    let v = 7.0 + t[0] * loadings[col][0] + t[1] * loadings[col][1] + 0.2 * chance.normal();
                    (hole != col).then_some(v)
                })
                .collect()
        })
        .collect()
}

fn fit(rows: &[Vec<Option<f64>>], a: usize) -> Pca {
    Pca::fit(&Matrix::from_rows(rows).unwrap(), &Settings::fixed(a)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rows_does_not_matter(seed in 0_u64..10_000, rows in 8_usize..16, cols in 4_usize..12, holes: bool) {
        let table = table(seed, rows, cols, holes);
        let mut order: Vec<usize> = (0..rows).collect();
        Chance::new(seed ^ 1).shuffle(&mut order);
        let shuffled: Vec<Vec<Option<f64>>> = order.iter().map(|row| table[*row].clone()).collect();
        let (a, b) = (fit(&table, 2).latent, fit(&shuffled, 2).latent);
        for (new, old) in order.iter().enumerate() {
            near(b.t2()[new], a.t2()[*old], 1e-6);
            near(b.spe()[new], a.spe()[*old], 1e-6);
        }
        for (p, q) in a.loadings().iter().flatten().zip(b.loadings().iter().flatten()) {
            near(*p, *q, 1e-6);
        }
        let (a, b) = (a.limits(0.95).unwrap(), b.limits(0.95).unwrap());
        near(a.spe_new.unwrap().chi_squared / b.spe_new.unwrap().chi_squared, 1.0, 1e-6);
    }

    #[test]
    fn units_do_not_matter_once_scaled(seed in 0_u64..10_000, cols in 4_usize..10, holes: bool) {
        let rows = table(seed, 12, cols, holes);
        let other: Vec<Vec<Option<f64>>> = rows
            .iter()
            .map(|row| row.iter().enumerate().map(|(col, v)| v.map(|v| 273.15 + v * 10_f64.powi(col as i32 % 7 - 3))).collect())
            .collect();
        let (a, b) = (fit(&rows, 2).latent, fit(&other, 2).latent);
        for row in 0..12 {
            near(b.t2()[row], a.t2()[row], 1e-5);
            near(b.spe()[row], a.spe()[row], 1e-5);
            let [x, y] = [(&a, &rows), (&b, &other)].map(|(m, rows)| m.check(&rows[row], Missing::Regression).unwrap());
            near(x.spe, y.spe, 1e-5);
            near(x.t2, y.t2, 1e-5);
        }
    }

    #[test]
    fn missing_cells_never_make_nan(
        seed in 0_u64..10_000, rows in 5_usize..12, cols in 2_usize..9, a in 1_usize..4, share in 0_usize..9
    ) {
        // Up to nine of ten cells missing, but one in each row.
        let mut chance = Chance::new(seed);
        let mut cells = table(seed, rows, cols, false);
        for row in &mut cells {
            let keep = chance.below(cols);
            for (col, cell) in row.iter_mut().enumerate() {
                if col != keep && chance.below(10) < share {
                    *cell = None;
                }
            }
        }
        let x = Matrix::from_rows(&cells).unwrap();
        let a = a.min(cols);
        for scaling in [Scaling::UnitVariance, Scaling::Centre] {
            for components in [Components::Fixed(a), Components::Chosen(a)] {
                let settings = Settings { components, scaling, batches: None };
                let model = Pca::fit(&x, &settings).unwrap();
                let latent = &model.latent;
                let all = [latent.t2(), latent.spe(), &model.q2, &latent.r2x(), &latent.loadings().concat(), &latent.scores().concat()];
                prop_assert!(all.iter().all(|part| part.iter().all(|v| v.is_finite())), "{all:?}");
                let limits = latent.limits(0.95).unwrap();
                prop_assert!(limits.spe_training.chi_squared.is_finite() && limits.spe_new.unwrap().chi_squared.is_finite());
                for how in [Missing::Trimmed, Missing::Regression, Missing::ConditionalMean] {
                    for row in &cells {
                        let found = latent.check(row, how).unwrap();
                        prop_assert!(found.t2.is_finite() && found.spe.is_finite());
                        prop_assert!((found.t2_shares.iter().sum::<f64>() - found.t2).abs() <= 1e-6 * (1.0 + found.t2), "{found:?}");
                    }
                }
                // What is drawn and what is left make the data.
                for (i, row) in cells.iter().enumerate() {
                    for (j, cell) in row.iter().enumerate() {
                        if let Some(cell) = cell {
                            near(latent.reconstructed(i, j) + latent.residual(i, j), *cell, 1e-9);
                        }
                    }
                }
                let y = Matrix::new(rows, 1, (0..rows).map(|_| chance.normal()).collect()).unwrap();
                let pls = Pls::fit(&x, &y, &settings).unwrap();
                prop_assert!(pls.vip().iter().chain(&pls.q2).chain(pls.latent.t2()).all(|v| v.is_finite()));
                let found = pls.predict(&cells[0], Missing::Regression, 0.9).unwrap()[0];
                prop_assert!(found.value.is_finite() && found.low.is_none_or(f64::is_finite));
            }
        }
    }
}

#[test]
fn a_variable_that_never_changes_is_left_out_and_said() {
    let mut rows = table(3, 10, 5, false);
    let without: Vec<Vec<Option<f64>>> = rows.iter().map(|row| row[..4].to_vec()).collect();
    for row in &mut rows {
        row[4] = Some(7.25);
    }
    let (model, bare) = (fit(&rows, 2).latent, fit(&without, 2).latent);
    assert_eq!((model.scale().flat.as_slice(), model.scale().unseen.len()), ([4].as_slice(), 0));
    for (a, b) in model.t2().iter().zip(bare.t2()) {
        near(*a, *b, 1e-9);
    }
    let mut new = rows[0].clone();
    assert!(model.check(&new, Missing::Regression).unwrap().moved.is_empty());
    new[4] = Some(7.5);
    assert_eq!(model.check(&new, Missing::Regression).unwrap().moved, [4]);
}

#[test]
fn components_are_chosen_by_batches_left_out() {
    // Two sources: Q² rises twice and no more.
    let rows = table(17, 30, 12, false);
    let chosen = Pca::fit(&Matrix::from_rows(&rows).unwrap(), &Settings::chosen(6)).unwrap();
    assert_eq!((chosen.latent.components(), chosen.q2.len()), (2, 6), "{:?}", chosen.q2);
    assert!(chosen.q2[1] > 0.9);
    // Rows of one batch are left out together: with two batches nothing can be left out, and nothing is claimed.
    let batches = Some((0..30).map(|row| row % 2).collect());
    let two = Pca::fit(&Matrix::from_rows(&rows).unwrap(), &Settings { batches, ..Settings::fixed(2) }).unwrap();
    let limits = two.latent.limits(0.95).unwrap();
    assert!(two.q2.is_empty() && limits.spe_new.is_none() && limits.check.is_none());
    // Repeated rows would make any model predict well, were they not one batch.
    let noise: Vec<Vec<Option<f64>>> = {
        let mut chance = Chance::new(1);
        let ten: Vec<Vec<Option<f64>>> = (0..10).map(|_| (0..8).map(|_| Some(chance.normal())).collect()).collect();
        (0..30).map(|row| ten[row / 3].clone()).collect()
    };
    let x = Matrix::from_rows(&noise).unwrap();
    let y = Matrix::new(30, 1, {
        let mut c = Chance::new(2);
        let ten: Vec<f64> = (0..10).map(|_| c.normal()).collect();
        (0..30).map(|row| ten[row / 3]).collect()
    })
    .unwrap();
    let apart = Pls::fit(&x, &y, &Settings::fixed(5)).unwrap();
    let batches = Some((0..30).map(|row| row / 3).collect());
    let together = Pls::fit(&x, &y, &Settings { batches, ..Settings::fixed(5) }).unwrap();
    assert!(apart.q2[4] > 0.5 && together.q2[4] < 0.0, "{:?} {:?}", apart.q2, together.q2);
}

#[test]
fn bad_input_is_refused_with_a_remedy() {
    let rows = table(1, 6, 3, false);
    let x = Matrix::from_rows(&rows).unwrap();
    let code = |settings: &Settings| Pca::fit(&x, settings).unwrap_err().code();
    assert_eq!(code(&Settings::fixed(0)), "E-MONITOR-006");
    assert_eq!(code(&Settings::fixed(4)), "E-MONITOR-006");
    assert_eq!(code(&Settings { batches: Some(vec![1]), ..Settings::fixed(1) }), "E-MONITOR-008");
    let empty = Matrix::from_rows(&[rows[0].clone(), vec![None; 3], rows[1].clone()]).unwrap();
    assert_eq!(Pca::fit(&empty, &Settings::fixed(1)).unwrap_err().code(), "E-MONITOR-007");
    let y = Matrix::new(2, 1, vec![1.0, 2.0]).unwrap();
    assert_eq!(Pls::fit(&x, &y, &Settings::fixed(1)).unwrap_err().code(), "E-MONITOR-009");
    let y = Matrix::new(6, 1, vec![1.0, 2.0, f64::NAN, 1.0, 1.0, 1.0]).unwrap();
    assert_eq!(Pls::fit(&x, &y, &Settings::fixed(1)).unwrap_err().code(), "E-MONITOR-010");
    let model = fit(&rows, 1).latent;
    assert_eq!(model.check(&[Some(1.0)], Missing::Trimmed).unwrap_err().code(), "E-MONITOR-005");
}
