//! The plant through its face.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod culture;
mod faults;
mod loops;

use toji_core::Instant;
use toji_plant::{Plant, PlantConfig, ReactorConfig, Scale};

/// A plant of one reactor, changed as the test needs it.
fn one(scale: Scale, change: impl Fn(&mut ReactorConfig)) -> Plant {
    let mut config = PlantConfig::parallel("P", Instant::parse("2026-10-05T00:00:00Z").unwrap(), scale, 1);
    change(&mut config.reactors[0]);
    Plant::new(config, 11).unwrap()
}
