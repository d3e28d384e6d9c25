//! Intervals cover what they promise, on a simulated benchmark and on real runs. The whole study with 200 repeats is
//! `cargo run --release -p toji-culture --example coverage`.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod bench;

use bench::{LEVEL, leave_real_out, model, predictor, real, repeat};
use toji_culture::predict::coverage;

fn outcomes(held: &[bool]) -> Vec<f64> {
    held.iter().map(|h| f64::from(u8::from(*h))).collect()
}

/// Ten repeats with 10 runs and three new ones each: the standard error is some 6 %. Intervals of the posterior
/// predictive that take the readings one by one hold a whole course far less often, and would fail this bound.
#[test]
fn ninety_per_cent_of_new_runs_are_held() {
    let model = model();
    let predictor = predictor(&model);
    let (mut titre, mut course, mut course_alone) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..10 {
        let held = repeat(&predictor, 10, 3, 1000 + seed);
        titre.extend(outcomes(&held.titre));
        // What stays lies in the band.
        assert!(held.course_counted.iter().zip(&held.course).all(|(stays, within)| !stays || *within));
        course.extend(outcomes(&held.course));
        course_alone.extend(outcomes(&held.course_alone));
    }
    let (titre, course, alone) = (coverage(&titre, 0.95), coverage(&course, 0.95), coverage(&course_alone, 0.95));
    assert!((0.75..=1.0).contains(&titre.share), "titre {titre:?}");
    assert!((0.75..=1.0).contains(&course.share), "course {course:?}");
    assert!(alone.share < 0.7, "reading by reading {alone:?}");
}

#[test]
fn real_runs_are_held_and_a_level_that_is_not_earned_is_refused() {
    let runs = real(include_str!("ambr250.csv"));
    assert_eq!(runs.len(), 12);
    let cells = leave_real_out(&runs, 0, LEVEL);
    assert_eq!((cells.refused, cells.runs), (0, 11));
    // Of twelve, 91.7 % are expected: eleven; fewer than nine has a chance of 2 % if that is so.
    for held in [&cells.last, &cells.course] {
        assert!(held.len() == 12 && held.iter().filter(|h| **h).count() >= 9, "{cells:?}");
    }
    let tryptophan = leave_real_out(&runs, 1, LEVEL);
    assert_eq!((tryptophan.refused, tryptophan.runs, tryptophan.last.len()), (6, 5, 0));
    let eighty = leave_real_out(&runs, 1, 0.8);
    assert_eq!(eighty.refused, 0);
    assert!(eighty.last.iter().filter(|h| **h).count() >= 3, "{eighty:?}");
}
