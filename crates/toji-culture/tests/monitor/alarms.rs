//! Do limits, intervals and bands hold what they say? Counted on simulated normal batches, never on the reference alone.

use super::simulated::normal;
use toji_core::chance::Chance;
use toji_culture::monitor::{Band, Components, Departure, Matrix, Missing, Monitor, Pca, Pls, Settings, Watch};

/// Alarms within 0.5 to 1.5 times what the confidence promises.
#[track_caller]
fn as_promised(what: &str, beyond: usize, of: usize, confidence: f64) {
    let times = beyond as f64 / of as f64 / (1.0 - confidence);
    eprintln!("{what} at {confidence}: {beyond} of {of}, {times:.2} times nominal");
    assert!((0.5..=1.5).contains(&times), "{what} at {confidence}: {beyond} of {of}, {times:.2} times nominal");
}

fn row(of: &Matrix, row: usize) -> Vec<Option<f64>> {
    (0..of.cols()).map(|col| of.get(row, col)).collect()
}

/// 6,000 new batches beside 20 references of 60.
#[test]
fn false_alarms_of_whole_batches() {
    let mut chance = Chance::new(2_000);
    let confidences = [0.95, 0.99];
    let mut new = [[0_usize; 3]; 2];
    let mut own = [[0_usize; 2]; 2];
    let mut wider = 0.0;
    let (sets, n, tried) = (20, 60, 300);
    for _ in 0..sets {
        let x = normal(n, &mut chance).batch_wise().unwrap();
        let latent = Pca::fit(&x, &Settings::fixed(3)).unwrap().latent;
        let fresh = normal(tried, &mut chance).batch_wise().unwrap();
        for (i, confidence) in confidences.into_iter().enumerate() {
            let limits = latent.limits(confidence).unwrap();
            let (t2, spe) = (limits.t2_new.unwrap(), limits.spe_new.unwrap());
            wider += spe.chi_squared - limits.spe_training.chi_squared;
            assert!(t2 > limits.t2_training.unwrap());
            for at in 0..tried {
                let found = latent.check(&row(&fresh, at), Missing::Regression).unwrap();
                new[i][0] += usize::from(found.t2 > t2);
                new[i][1] += usize::from(found.spe > spe.limit);
                new[i][2] += usize::from(found.spe > spe.chi_squared);
            }
            own[i][0] += latent.t2().iter().filter(|v| **v > limits.t2_training.unwrap()).count();
            own[i][1] += latent.spe().iter().filter(|v| **v > limits.spe_training.limit).count();
        }
    }
    assert!(wider > 0.0, "limits of new batches are wider");
    for (i, confidence) in confidences.into_iter().enumerate() {
        as_promised("T² of new batches", new[i][0], sets * tried, confidence);
        as_promised("SPE of new batches", new[i][1], sets * tried, confidence);
        // What two moments give where residuals are uneven: up to about twice too many.
        let chi_squared = new[i][2] as f64 / (sets * tried) as f64 / (1.0 - confidence);
        eprintln!("SPE of new batches by χ² at {confidence}: {chi_squared:.2} times nominal");
        assert!((0.5..2.5).contains(&chi_squared), "{chi_squared}");
        as_promised("T² of the reference", own[i][0], sets * n, confidence);
        // Limits of the reference itself are from two moments.
        let reference = own[i][1] as f64 / (sets * n) as f64 / (1.0 - confidence);
        eprintln!("SPE of the reference at {confidence}: {reference:.2} times nominal");
        assert!((0.5..2.0).contains(&reference), "{reference}");
    }
}

/// 2,000 new batches, point by point as if each were running, beside 20 references of 40.
#[test]
fn false_alarms_of_running_batches() {
    let mut chance = Chance::new(40);
    let confidences = [0.95, 0.99];
    let (mut t2, mut spe, mut seen, mut runs) = ([0_usize; 2], [0_usize; 2], 0_usize, 0_usize);
    let watch = Watch { components: Components::Fixed(3), ..Watch::default() };
    for _ in 0..20 {
        let monitor = Monitor::fit(&normal(40, &mut chance), &watch).unwrap();
        let limits = confidences.map(|confidence| monitor.limits(confidence).unwrap());
        for batch in &normal(100, &mut chance).batches {
            for (i, limits) in limits.iter().enumerate() {
                let course = monitor.check(batch, limits, &[]).unwrap();
                t2[i] += course.moments.iter().filter(|m| m.t2 > m.t2_limit).count();
                spe[i] += course.moments.iter().filter(|m| m.spe.unwrap() > m.spe_limit).count();
                if i == 0 {
                    seen += course.moments.len();
                    runs += usize::from(course.finding.departure != Departure::Inside);
                    assert!((course.run_confidence - 0.95).abs() < 1e-12);
                }
            }
        }
    }
    for (i, confidence) in confidences.into_iter().enumerate() {
        as_promised("T² at a point", t2[i], seen, confidence);
        as_promised("SPE at a point", spe[i], seen, confidence);
    }
    // Whole runs: one alarm a run at most one time in twenty.
    as_promised("whole runs", runs, 2_000, 0.95);
}

/// Intervals of PLS at few rows, where residuals of the fit would cover far less than they say.
#[test]
fn intervals_of_pls_cover_what_they_say() {
    let mut chance = Chance::new(71);
    for (n, settings) in [(15, Settings::fixed(3)), (30, Settings::fixed(3)), (15, Settings::chosen(4))] {
        for confidence in [0.9, 0.95] {
            let (mut inside, mut of) = (0_usize, 0_usize);
            for _ in 0..100 {
                let mut rows = |n: usize| -> (Matrix, Vec<f64>) {
                    let (mut x, mut y) = (Vec::new(), Vec::new());
                    for _ in 0..n {
                        let t = [2.0, 1.4, 1.0].map(|sd| sd * chance.normal());
                        x.extend((0..10).map(|k| {
                            let k = f64::from(k);
                            t[0] * (k * 0.7).cos() + t[1] * (k * 1.1).sin() + t[2] * (k * 1.9).cos() + 0.5 * chance.normal()
                        }));
                        y.push(5.0 + t[0] - 0.8 * t[1] + 0.6 * t[2] + 0.5 * chance.normal());
                    }
                    (Matrix::new(n, 10, x).unwrap(), y)
                };
                let (x, y) = rows(n);
                let model = Pls::fit(&x, &Matrix::new(n, 1, y).unwrap(), &settings).unwrap();
                let (fresh, measured) = rows(20);
                for (at, y) in measured.iter().enumerate() {
                    let found = model.predict(&row(&fresh, at), Missing::Regression, confidence).unwrap()[0];
                    inside += usize::from(found.low.unwrap() <= *y && *y <= found.high.unwrap());
                    of += 1;
                }
            }
            let covered = inside as f64 / of as f64;
            eprintln!("N = {n}, {settings:?}: {covered:.3} at {confidence}");
            assert!((covered - confidence).abs() < 0.03, "{covered} at {confidence}, N = {n}");
        }
    }
}

/// The band holds whole batches; three standard deviations at every point do not.
#[test]
fn the_golden_band_covers_whole_batches() {
    let mut chance = Chance::new(9);
    let (mut inside, mut pointwise, mut of) = (0_usize, 0_usize, 0_usize);
    for _ in 0..60 {
        let reference = normal(19, &mut chance);
        let band = Band::of(&reference, 0.9).unwrap();
        assert!((band.coverage - 0.9).abs() < 1e-12 && band.coverage_low < 0.9 && band.coverage_high > 0.9);
        let three = 3.0 / band.factor;
        for batch in &normal(40, &mut chance).batches {
            inside += usize::from(band.check(batch).is_empty());
            let out = (0..band.variables.len()).any(|var| {
                (0..batch.reached).any(|point| {
                    let (middle, half) = (band.middle[var][point].unwrap(), band.half[var][point].unwrap());
                    (batch.values.get(point, var).unwrap() - middle).abs() > three * half
                })
            });
            pointwise += usize::from(!out);
            of += 1;
        }
    }
    let (covered, three) = (inside as f64 / of as f64, pointwise as f64 / of as f64);
    eprintln!("golden band of 0.9: {covered:.3}; three standard deviations at each point: {three:.3}");
    assert!((covered - 0.9).abs() < 0.03, "{covered}");
    assert!(three < covered - 0.03, "{three}");
}
