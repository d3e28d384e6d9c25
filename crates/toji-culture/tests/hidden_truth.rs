//! On a simulated plant with a hidden truth: a campaign beats the default recipe, and a golden recipe that is corrected
//! varies half as much as one that is replayed. More seeds and more batches: `examples/hidden_truth.rs`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at the first thing that is not as it should be")]

#[path = "study/campaign.rs"]
mod campaign;
#[path = "study/golden.rs"]
mod golden;

use campaign::{campaign, plant};
use toji_culture::campaign::score;
use toji_culture::correction::{paired, variation};

/// Two batches of 24 are 48 runs, three of 12 are 36.
#[test]
fn the_campaign_beats_the_default_recipe_within_48_runs_of_24_and_36_of_12() {
    let model = plant();
    for (blocks, batches) in [(6, 2), (3, 3)] {
        let (mut told, mut gains) = (Vec::new(), Vec::new());
        for seed in 0..20 {
            let found = campaign(&model, blocks, batches, seed);
            let last = *found.recommended.last().unwrap();
            assert!(last > 1.1 * found.default, "seed {seed}: {last} g/L against {} g/L", found.default);
            told.extend(found.told);
            gains.push(last / found.default);
        }
        gains.sort_by(f64::total_cmp);
        println!("{} runs: least {:.3}, median {:.3} times the default", 4 * blocks * batches, gains[0], gains[10]);
        let score = score(&told).unwrap();
        println!("{score:?}");
        // What was foretold is held against what came. Intervals of so few runs in six factors are too narrow where the
        // search goes on into what it does not know, and no less than half of them may hold what came.
        assert!(score.inside >= 0.5 && score.share < 0.3, "{score:?}");
    }
}

#[test]
fn a_corrected_golden_recipe_varies_less_than_half_as_much_as_a_replayed_one() {
    let model = plant();
    let (mut replayed, mut corrected) = (Vec::new(), Vec::new());
    for seed in 0..8 {
        let titres = golden::batches(&model, &[0.0, 24.0, 36.0, 48.0], 12, seed);
        replayed.push(variation(&titres.replayed).unwrap());
        corrected.push(variation(&titres.corrected).unwrap());
    }
    // Replaying alone leaves about 13 %, as kgdunn/process-improve (pull request 515) found on another process.
    let mean = replayed.iter().sum::<f64>() / replayed.len() as f64;
    let found = paired(&replayed, &corrected, 0.5).unwrap();
    println!("replayed {mean:.4}: {found:?}");
    assert!((0.10..=0.16).contains(&mean), "{replayed:?}");
    assert!(found.p < 0.01, "{found:?} {replayed:?} {corrected:?}");
}
