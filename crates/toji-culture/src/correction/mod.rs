//! A golden recipe kept on its course. Replaying the recipe of the best batch does not give its result again, since
//! every batch starts a little differently and meets its own disturbances. So the recipe is corrected: at the start by
//! the start that was measured, midway by what was measured since, and from run to run by what earlier runs told of the
//! plant.
//!
//! At a decision the constants of the model that may differ from batch to batch are estimated from all measurements so
//! far (the most probable ones, by [`crate::fit`]), the end is foretold with them, and if it lies off the target by more
//! than a dead band, the levers that are still to come are moved as little as brings it back.
//!
//! After Flores-Cerrillo and MacGregor, "Control of batch product quality by trajectory manipulation using latent
//! variable models", J. Process Control 14, 539 (2004), and Yabuki and MacGregor, "Product quality control in
//! semibatch reactors using midcourse correction policies", Ind. Eng. Chem. Res. 36, 1268 (1997), with the mechanistic
//! model in the place of the latent variables.

mod compare;
mod golden;

pub use compare::{Paired, paired, variation};
pub use golden::{Aim, Belief, Corrected, Golden, Lever, Settings};
