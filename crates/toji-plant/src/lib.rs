//! A plant of simulated fermenters with known truth: vessel physics, sensors with their faults, control
//! loops, and a person who smells, looks and acts.
//!
//! [`Plant`] is the face: build it from a [`PlantConfig`] and a seed, [`Plant::step`] it through time,
//! [`Plant::read`] what the devices say, [`Plant::command`] them, and compare with [`Plant::truth`].
//! Everything that comes out is simulated and must be labelled so by whoever stores or sends it.
//!
//! **Architecture invariant:** no I/O, no clock, no global state. Time advances only by `step`, chance
//! comes only from the seed: the same configuration, seed and commands give the same numbers.

mod acid_base;
mod analyser;
mod broth;
mod config;
mod control;
mod fault;
mod gas;
mod happening;
mod heat;
mod mixing;
mod operator;
mod organism;
mod pid;
mod plant;
mod random;
mod reactor;
mod sensor;
mod signal;
mod vessel;

pub use analyser::{Analysed, Found};
pub use broth::FEED_KG_PER_L;
pub use config::{
    Disturbance, DisturbanceKind, FeedPlan, FeedStart, FeedStep, PlantConfig, ReactorConfig, Recipe, SetPointChange,
};
pub use control::{Command, Loop};
pub use fault::{Fault, FaultKind};
pub use happening::{Decision, Happening, Sensed, What};
pub use operator::{CRAFT, Craft, OperatorConfig};
pub use organism::{Organism, OrganismName};
pub use pid::{Pid, Tuning};
pub use plant::Plant;
pub use reactor::{Stage, Truth};
pub use signal::{Reading, Reporter, SIGNALS, SignalId, SignalInfo};
pub use vessel::{Scale, Vessel};
