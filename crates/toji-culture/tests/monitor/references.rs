//! Published tables and other programs.

use super::{columns, near, near_vector, numbers, shared};
use serde_json::Value as Json;
use toji_culture::monitor::{
    Components, Matrix, Missing, Pca, Pls, Scaling, Settings, box_limit, t2_limit_new, t2_limit_training,
};

fn ldpe() -> Vec<Vec<Option<f64>>> {
    numbers(include_str!("fixtures/ldpe.csv"), 1)
}

fn golden() -> Json {
    let golden: Json = serde_json::from_str(include_str!("fixtures/golden.json")).unwrap();
    assert_eq!((golden["numpy"].as_str(), golden["scipy"].as_str()), (Some("2.4.6"), Some("1.17.1")));
    golden
}

fn list(of: &Json) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn lists(of: &Json) -> Vec<Vec<f64>> {
    of.as_array().unwrap().iter().map(list).collect()
}

/// The columns of a table of numbers without missing cells.
fn by_column(text: &str) -> Vec<Vec<f64>> {
    let rows = numbers(text, 0);
    (0..rows[0].len()).map(|col| rows.iter().map(|row| row[col].unwrap()).collect()).collect()
}

#[test]
fn ldpe_pls_t2_as_published() {
    let rows = ldpe();
    let (x, y) = (columns(&rows, 1, 15), columns(&rows, 15, 20));
    let model = Pls::fit(&x, &y, &Settings::fixed(3)).unwrap();
    let wanted = &by_column(include_str!("fixtures/ldpe-t2-a3.csv"))[0];
    assert_eq!(wanted[..4], [0.681_999_3, 2.358_812, 0.645_884_5, 3.022_434]);
    for (found, wanted) in model.latent.t2().iter().zip(wanted) {
        near(*found, *wanted, 1e-4);
    }
    // The square of VIP has mean 1 by definition.
    near(model.vip().iter().map(|v| v * v).sum::<f64>() / 14.0, 1.0, 1e-12);
}

#[test]
fn ldpe_pls_of_six_components_as_published() {
    let folder = "multivariate/LDPE";
    let read = |name: &str| shared(&format!("{folder}/{name}")).map(|text| by_column(&text));
    let (Some(t), Some(u), Some(w)) = (read("T.csv"), read("U.csv"), read("W.csv")) else { return };
    let (Some(p), Some(r), Some(c)) = (read("P.csv"), read("R.csv"), read("C.csv")) else { return };
    let (Some(t2), Some(drawn)) = (read("Hotellings_T2_A6.csv"), read("Yhat_A6.csv")) else { return };
    let rows = ldpe();
    let model = Pls::fit(&columns(&rows, 1, 15), &columns(&rows, 15, 20), &Settings::fixed(6)).unwrap();
    let latent = &model.latent;
    for a in 0..6 {
        near_vector(&latent.scores()[a], &t[a], 1e-4);
        near_vector(&latent.weights()[a], &w[a], 1e-4);
        near_vector(&latent.loadings()[a], &p[a], 1e-4);
        near_vector(&latent.rotation()[a], &r[a], 1e-4);
        near_vector(&model.y_loadings()[a], &c[a], 1e-4);
        near_vector(&model.y_scores()[a], &u[a], 1e-3);
    }
    for (row, wanted) in t2[0].iter().enumerate() {
        // The published T² of six components was iterated to about 2e-5 of its size.
        near(latent.t2()[row], *wanted, 1e-4 * wanted.max(1.0));
        for (response, drawn) in drawn.iter().enumerate() {
            // Printed to five decimals.
            near(model.fitted(row, response), drawn[row], 6e-6 + 1e-5 * drawn[row].abs());
        }
    }
}

#[test]
fn principal_components_are_those_of_numpy() {
    let golden = golden();
    let x = columns(&ldpe(), 1, 15);
    let model = Pca::fit(&x, &Settings::fixed(4)).unwrap().latent;
    let wide = lists(&golden["wide"]["rows"]);
    let wide: Vec<Vec<Option<f64>>> = wide.into_iter().map(|row| row.into_iter().map(Some).collect()).collect();
    let flat = Pca::fit(&Matrix::from_rows(&wide).unwrap(), &Settings::fixed(8)).unwrap().latent;
    for (model, golden, all) in [(&model, &golden["ldpe"], 4), (&flat, &golden["wide"], 8)] {
        for (found, wanted) in model.r2x().iter().zip(list(&golden["r2x"])) {
            near(*found, wanted, 1e-12);
        }
        let loadings = lists(&golden["loadings"]);
        assert_eq!((model.components(), loadings.len()), (all, all));
        for (found, wanted) in model.loadings().iter().zip(&loadings) {
            near_vector(found, wanted, 1e-9);
            let largest = found.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap();
            assert!(largest > 0.0);
        }
        assert!(model.settled().iter().all(|settled| *settled));
    }
    for (row, (t2, spe)) in list(&golden["ldpe"]["t2"]).iter().zip(list(&golden["ldpe"]["spe"])).enumerate() {
        near(model.t2()[row], *t2, 1e-9);
        near(model.spe()[row], spe, 1e-9);
    }
}

#[test]
fn limits_are_those_of_scipy() {
    let golden = golden();
    let (mut compared, near_by) = (0, |found: f64, wanted: f64| near(found / wanted, 1.0, 1e-9));
    for case in golden["t2_limits"].as_array().unwrap() {
        let (n, a, p) = (case[0].as_u64().unwrap() as usize, case[1].as_u64().unwrap() as usize, case[2].as_f64().unwrap());
        near_by(t2_limit_new(n, a, p).unwrap(), case[3].as_f64().unwrap());
        assert_eq!(t2_limit_training(n, a, p).is_some(), !case[4].is_null());
        if let Some(wanted) = case[4].as_f64() {
            near_by(t2_limit_training(n, a, p).unwrap(), wanted);
        }
        compared += 1;
    }
    for case in lists(&golden["spe_limits"]) {
        near_by(box_limit(case[0], case[1], case[2]), case[3]);
    }
    assert_eq!(compared, 80);
}

#[test]
fn missing_cells_as_mixomics_takes_them() {
    let x = Matrix::from_rows(&numbers(include_str!("fixtures/linnerud.csv"), 1)).unwrap();
    assert!(!x.complete());
    let settings = Settings { scaling: Scaling::Centre, ..Settings::fixed(3) };
    let model = Pca::fit(&x, &settings).unwrap().latent;
    let loadings = numbers(include_str!("fixtures/linnerud-loadings.csv"), 1);
    let scores = numbers(include_str!("fixtures/linnerud-scores.csv"), 1);
    // Lengths of the scores, from the metadata beside the published fixture, to four digits.
    for (a, length) in [295.3478, 110.0044, 71.6781].into_iter().enumerate() {
        let wanted: Vec<f64> = loadings.iter().map(|row| row[a + 1].unwrap()).collect();
        // mixOmics stops when the squared change falls below 1e-9.
        near_vector(&model.loadings()[a], &wanted, 1e-4);
        let t = &model.scores()[a];
        let own = t.iter().map(|t| t * t).sum::<f64>().sqrt();
        near(own, length, 2e-3);
        let unit: Vec<f64> = t.iter().map(|t| t / own).collect();
        near_vector(&unit, &scores.iter().map(|row| row[a].unwrap()).collect::<Vec<f64>>(), 1e-4);
    }
}

#[test]
fn kamyr_digester_has_missing_cells_and_still_predicts() {
    let Some(text) = shared("multivariate/kamyr.csv") else { return };
    let rows: Vec<Vec<Option<f64>>> = numbers(&text, 0).into_iter().filter(|row| row.len() == 10 && row[0].is_some()).collect();
    let (x, y) = (columns(&rows, 1, 10), columns(&rows, 0, 1));
    assert!(!x.complete() && rows.len() > 80, "{} rows", rows.len());
    let model = Pls::fit(&x, &y, &Settings { components: Components::Chosen(6), ..Settings::fixed(1) }).unwrap();
    assert!(model.q2[model.latent.components() - 1] > 0.0, "{:?}", model.q2);
    for row in &rows {
        for how in [Missing::Trimmed, Missing::Regression, Missing::ConditionalMean] {
            let found = model.predict(&row[1..], how, 0.9).unwrap()[0];
            assert!(found.low.unwrap() < found.value && found.value < found.high.unwrap());
        }
    }
}
