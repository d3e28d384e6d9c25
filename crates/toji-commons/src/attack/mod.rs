//! Attacks on what was let out, to know before others do.
//!
//! * `reconstruct`: how near anybody, also members that put their figures together, comes to another's figures by linear
//!   programming over all released tables.
//! * `membership`: how well anybody tells who was in the data of a model: by its loss (Yeom et al., CSF 2018) and by the
//!   ratio of likelihoods over shadow models (Carlini et al., S&P 2022).
//!
//! They are the known attacks, not all attacks: that they fail proves nothing beyond them. What is proved stands in
//! `release::guard` (R7 to R9) and in `privacy`.

mod membership;
mod reconstruct;

pub use membership::{Advantage, advantage, likelihood_ratio};
pub use reconstruct::{Estimate, reconstruct};
