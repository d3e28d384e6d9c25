//! Samples against polytopes whose moments are known, and against another sampler.

use super::model;
use toji_flux::analyse::{Samples, Sampling, sample};
use toji_flux::{Column, Network, Sense};

fn column(stoichiometry: &[(usize, f64)], lower: f64, upper: f64) -> Column<'_> {
    Column { stoichiometry, lower, upper, objective: 0.0 }
}

fn drawn(network: &Network, how: &Sampling) -> Samples {
    let found = sample(network, how).unwrap().unwrap();
    assert_eq!(found.draws.len(), how.draws * how.chains);
    assert!(found.residual_max <= 1e-9, "{}", found.residual_max);
    for draw in &found.draws {
        for (i, sum) in network.stoichiometry.times(draw).into_iter().enumerate() {
            assert!(sum >= network.row_lower[i] - 1e-7 && sum <= network.row_upper[i] + 1e-7, "{i}: {sum}");
        }
        for (j, v) in draw.iter().enumerate() {
            assert!(*v >= network.lower[j] - 1e-9 * v.abs().max(1.0) && *v <= network.upper[j] + 1e-9 * v.abs().max(1.0), "{j}");
        }
    }
    found
}

/// Mean and variance within what chance allows: five standard errors of the mean, and a tenth of the variance.
fn moments(found: &Samples, j: usize, mean: f64, variance: f64) {
    let s = found.reactions[j];
    assert!((s.mean - mean).abs() < 5.0 * s.standard_error, "{j}: {s:?} but {mean}");
    assert!((s.sd * s.sd / variance - 1.0).abs() < 0.1, "{j}: {s:?} but {}", variance.sqrt());
    assert!(s.r_hat.unwrap() < 1.02, "{j}: {s:?}");
}

#[test]
fn a_box_of_very_different_sides_has_the_moments_of_a_box() {
    let widths = [1e-4, 1.0, 1e3];
    let parts: Vec<[Vec<(usize, f64)>; 2]> = (0..3).map(|k| [vec![(k, 1.0)], vec![(k, -2.0)]]).collect();
    let columns = widths.iter().zip(&parts).flat_map(|(w, p)| [column(&p[0], -w, *w), column(&p[1], -1e5, 1e5)]);
    let network = Network::new(3, Sense::Maximize, columns).unwrap();
    let found = drawn(&network, &Sampling { draws: 2000, seed: 5, ..Sampling::default() });
    assert_eq!(found.dimensions, 3);
    for (k, w) in widths.iter().enumerate() {
        moments(&found, 2 * k, 0.0, w * w / 3.0);
        moments(&found, 2 * k + 1, 0.0, w * w / 12.0);
        let s = found.reactions[2 * k];
        assert!((s.low + 0.9 * w).abs() < 0.03 * w && (s.high - 0.9 * w).abs() < 0.03 * w, "{s:?}");
    }
}

#[test]
fn a_simplex_has_the_moments_of_dirichlets_law() {
    // One unit in, by eight ways out: Dirichlet(1, …, 1). A ninth way is closed, and a fixed flux runs beside.
    let columns = std::iter::once(column(&[(0, 1.0)], 1.0, 1.0))
        .chain((0..8).map(|_| column(&[(0, -1.0)], 0.0, 7.0)))
        .chain([column(&[(0, -1.0)], 0.0, 0.0), column(&[], 0.25, 0.25)]);
    let network = Network::new(1, Sense::Maximize, columns).unwrap();
    let found = drawn(&network, &Sampling { draws: 3000, seed: 11, ..Sampling::default() });
    assert_eq!(found.dimensions, 7);
    for j in 1..9 {
        moments(&found, j, 1.0 / 8.0, 7.0 / (64.0 * 9.0));
    }
    assert_eq!((found.reactions[0].mean, found.reactions[0].r_hat), (1.0, None));
    assert_eq!((found.reactions[9].mean, found.reactions[10].mean), (0.0, 0.25));
}

#[test]
fn ordered_numbers_have_the_moments_of_order_statistics() {
    // 0 ≤ x₁ ≤ … ≤ xₙ ≤ 1, each the one before and a step: xₖ is Beta(k, n + 1 − k). All corners, and every column a sum of others.
    let n = 24;
    let levels: Vec<Vec<(usize, f64)>> =
        (0..n).map(|k| if k + 1 < n { vec![(k, -1.0), (k + 1, 1.0)] } else { vec![(k, -1.0)] }).collect();
    let steps: Vec<Vec<(usize, f64)>> = (0..n).map(|k| vec![(k, 1.0)]).collect();
    let columns = levels.iter().map(|c| column(c, 0.0, 1.0)).chain(steps.iter().map(|c| column(c, 0.0, 5.0)));
    let network = Network::new(n, Sense::Maximize, columns).unwrap();
    let found = drawn(&network, &Sampling { draws: 3000, seed: 8, ..Sampling::default() });
    assert_eq!(found.dimensions, n);
    let size = (n + 1) as f64;
    for k in 0..n {
        let mean = (k + 1) as f64 / size;
        moments(&found, k, mean, mean * (1.0 - mean) / (size + 1.0));
        moments(&found, n + k, 1.0 / size, (1.0 - 1.0 / size) / size / (size + 1.0));
    }
}

#[test]
fn a_sum_with_two_sides_cuts_the_square() {
    // x + y ≤ 1 in the unit square: a triangle, mean 1/3, variance 1/18.
    let mut network = Network::new(1, Sense::Maximize, [column(&[(0, 1.0)], 0.0, 1.0), column(&[(0, 1.0)], 0.0, 1.0)]).unwrap();
    network.row_lower[0] = f64::NEG_INFINITY;
    network.row_upper[0] = 1.0;
    let found = drawn(&network, &Sampling { draws: 3000, seed: 2, ..Sampling::default() });
    moments(&found, 0, 1.0 / 3.0, 1.0 / 18.0);
    moments(&found, 1, 1.0 / 3.0, 1.0 / 18.0);
}

#[test]
fn what_cannot_be_sampled_is_told() {
    let network =
        Network::new(1, Sense::Maximize, [column(&[(0, 1.0)], 0.0, f64::INFINITY), column(&[(0, -1.0)], 0.0, f64::INFINITY)])
            .unwrap();
    assert_eq!(sample(&network, &Sampling::default()).unwrap_err().code(), "E-FLUX-081");
    let none = Sampling { chains: 0, ..Sampling::default() };
    assert_eq!(sample(&network, &none).unwrap_err().code(), "E-FLUX-080");
    let wide = Sampling { fraction: Some(1.5), ..Sampling::default() };
    assert_eq!(sample(&network, &wide).unwrap_err().code(), "E-FLUX-080");
    let network = Network::new(1, Sense::Maximize, [column(&[(0, 1.0)], 1.0, 2.0), column(&[(0, -1.0)], 3.0, 4.0)]).unwrap();
    assert!(sample(&network, &Sampling::default()).unwrap().is_err());
    // A single point.
    let network = Network::new(1, Sense::Maximize, [column(&[(0, 1.0)], 1.0, 2.0), column(&[(0, -1.0)], 2.0, 4.0)]).unwrap();
    let found = drawn(&network, &Sampling { draws: 3, chains: 2, ..Sampling::default() });
    assert_eq!((found.dimensions, found.draws[5].clone(), found.effective_min), (0, vec![2.0, 2.0], f64::INFINITY));
}

#[test]
fn the_textbook_model_is_sampled_as_well_on_any_number_of_threads() {
    let Some(model) = model("textbook.xml.gz") else { return };
    let network = model.network().unwrap();
    let how = |threads| Sampling { draws: 500, seed: 42, threads, ..Sampling::default() };
    let found = drawn(&network, &how(1));
    for threads in [2, 5] {
        assert_eq!(drawn(&network, &how(threads)), found);
    }
    eprintln!(
        "{} dimensions, thinning {}, steps {}, R̂ {}, effective {}",
        found.dimensions, found.thinning, found.steps, found.r_hat_max, found.effective_min
    );
    assert!(found.r_hat_max < 1.05 && found.effective_min > 200.0, "{} {}", found.r_hat_max, found.effective_min);
    // COBRApy 0.32.1, OptGPSampler(thinning 1000, seed 7), 4,000 samples: mean, standard deviation and effective size.
    let reference = [
        ("Biomass_Ecoli_core", 0.039_455, 0.036_769, 3576.0),
        ("PFK", 15.917_905, 8.395_097, 4017.0),
        ("ATPM", 16.709_058, 7.868_662, 4078.0),
        ("EX_ac_e", 1.446_090, 1.411_059, 3816.0),
        ("EX_o2_e", -32.828_166, 5.904_958, 3853.0),
        ("G6PDH2r", 6.623_051, 5.757_331, 3970.0),
        ("CS", 9.280_197, 2.578_410, 3832.0),
        ("FRD7", 497.665_073, 287.244_248, 1804.0),
        ("EX_glc__D_e", -9.603_229, 0.374_979, 3685.0),
        ("NADTRHD", 39.044_948, 19.905_668, 3975.0),
        ("ME1", 5.154_966, 4.611_680, 4135.0),
    ];
    for (id, mean, sd, effective) in reference {
        let s = found.reactions[model.reaction(id).unwrap()];
        let error = (sd * sd / effective + s.standard_error * s.standard_error).sqrt();
        eprintln!("{id}: {} ± {} ({mean} ± {})", s.mean, s.standard_error, sd / effective.sqrt());
        assert!((s.mean - mean).abs() < 4.5 * error, "{id}: {} ± {} but {mean}", s.mean, s.standard_error);
        assert!((s.sd / sd - 1.0).abs() < 0.15, "{id}: {} but {sd}", s.sd);
    }
    // With growth near its best, every draw grows so.
    let near = drawn(&network, &Sampling { fraction: Some(0.9), draws: 100, ..how(2) });
    let growth = network.objective.iter().position(|c| *c != 0.0).unwrap();
    assert!(near.draws.iter().all(|d| d[growth] >= 0.9 * 0.873_921_506_968 - 1e-9));
}

/// Where a draw lies on the line through it along a direction, from 0 at one side to 1 at the other.
fn share(network: &Network, at: &[f64], along: &[f64]) -> f64 {
    let (mut back, mut forth) = (f64::NEG_INFINITY, f64::INFINITY);
    for (j, (&v, &by)) in at.iter().zip(along).enumerate() {
        if by.abs() > 1e-9 * (1.0 + v.abs()) {
            let ends = ((network.lower[j] - v) / by, (network.upper[j] - v) / by);
            (back, forth) = (back.max(ends.0.min(ends.1)), forth.min(ends.0.max(ends.1)));
        }
    }
    -back / (forth - back)
}

#[test]
fn genome_scale_models_are_sampled_uniformly() {
    for (file, least) in [("RehMBEL1391.json", 150.0), ("iJO1366.xml.gz", 100.0)] {
        let Some(model) = model(file) else { return };
        let network = model.network().unwrap();
        let found = drawn(&network, &Sampling { threads: 2, ..Sampling::default() });
        eprintln!("{file}: {} dimensions, R̂ {}, effective {}", found.dimensions, found.r_hat_max, found.effective_min);
        assert!(found.r_hat_max < 1.06 && found.effective_min > least, "{} {}", found.r_hat_max, found.effective_min);
        // Along a line that does not depend on it, here between draws of two other chains, a uniform point lies evenly between the
        // sides. These lines are none of the walk's own directions.
        let n = found.draws.len() / 4;
        let mut shares: Vec<f64> = (0..4 * n)
            .map(|k| {
                let other = |by: usize| &found.draws[(k + by * n + 17 * by) % (4 * n)];
                let along: Vec<f64> = other(1).iter().zip(other(2)).map(|(a, b)| a - b).collect();
                share(&network, &found.draws[k], &along)
            })
            .collect();
        shares.sort_by(f64::total_cmp);
        let count = shares.len() as f64;
        let apart =
            shares.iter().enumerate().map(|(k, s)| (s - (k as f64 + 0.5) / count).abs()).fold(0.0, f64::max) * count.sqrt();
        // Kolmogorov and Smirnov: beyond 1.95 once in a thousand.
        assert!(apart < 1.95, "{file}: {apart}");
    }
}
