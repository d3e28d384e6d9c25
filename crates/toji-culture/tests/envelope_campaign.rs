//! Campaigns of gas fermentations never propose a point whose path crosses the safety envelope. The whole 10⁵:
//! `cargo run --release -p toji-culture --example safe_campaigns`.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

#[path = "safety/campaign.rs"]
mod campaign;
#[path = "safety/truth.rs"]
mod truth;

use campaign::{Tally, one};

#[test]
fn no_campaign_proposes_a_point_whose_path_crosses_the_envelope() {
    let mut tally = Tally::default();
    for seed in 0..300 {
        one(seed, &mut tally);
    }
    // The envelope stands in the way: much of what could be drawn crosses, and yet many campaigns find something.
    assert!(tally.crossing * 4 > tally.drawn, "{tally:?}");
    assert!(tally.proposed > 200 && tally.repeats > 5 && tally.refused > 3_000, "{tally:?}");
    // Where nothing was proposed, hardly anything is safe.
    assert!(tally.nothing_safe > 0 && tally.safe_all_the_same * 100 < tally.nothing_safe * 64, "{tally:?}");
    assert!(tally.looked_at > 50 * tally.proposed, "{tally:?}");
}
