//! 10⁵ campaigns of gas fermentations at random, of which none may propose a point whose path crosses the safety
//! envelope: every proposed point is checked as a path and lived through in moles.
//!
//! `cargo run --release -p toji-culture --example safe_campaigns -- [campaigns] [first seed]`; one line of JSON. It
//! stops with the seed at the first point that crosses.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for measuring")]

#[path = "../tests/safety/campaign.rs"]
mod campaign;
#[path = "../tests/safety/truth.rs"]
mod truth;

use campaign::{Tally, one};
use std::time::Instant;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|a| a.parse::<u64>().unwrap());
    let (campaigns, first) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(0));
    let clock = Instant::now();
    let mut tally = Tally::default();
    for seed in first..first + campaigns {
        one(seed, &mut tally);
    }
    println!(
        "{{\"campaigns\":{},\"nothing_safe\":{},\"safe_all_the_same_of_64_each\":{},\"proposed\":{},\"repeats\":{},\"crossing\":0,\"refused_candidates\":{},\"random_points\":{},\"random_points_crossing\":{},\"instants_looked_at\":{},\"seconds\":{:.1}}}",
        tally.campaigns,
        tally.nothing_safe,
        tally.safe_all_the_same,
        tally.proposed,
        tally.repeats,
        tally.refused,
        tally.drawn,
        tally.crossing,
        tally.looked_at,
        clock.elapsed().as_secs_f64()
    );
}
