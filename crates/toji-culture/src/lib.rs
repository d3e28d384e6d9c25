//! Cultures side by side: from the layout of an experiment over what each culture did to what the next one
//! should be.
//!
//! Contents, in the order of the work:
//!
//! * `plan`: conditions, replicates and controls on the units of a parallel system, by a seed.
//! * `rates`: what one culture did, from its series and assays.
//! * `rank`: conditions against their control, with how sure that is.
//! * `feedback`: what each learner hears about the own culture.
//! * `scale`: the engineering numbers of a vessel at its settings, settings of a larger one, limits and their chance.
//! * `gas`: gas taken up, and readings of different sensors made comparable.
//! * `envelope`: mixtures of hydrogen and oxygen that could burn, and whether a path comes near them.
//!
//! **Architecture invariant:** pure functions over numbers. No I/O, no clock, no store; every random choice
//! comes from a seed that is an argument.

pub mod envelope;
pub mod feedback;
pub mod gas;
pub mod plan;
pub mod rank;
pub mod rates;
pub mod scale;
