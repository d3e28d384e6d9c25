//! What follows from a network: optima, ranges, deletions.
//!
//! Every analysis answers in the order of the network's reactions, rests on optima that carry their proof, and gives the
//! same numbers on any number of threads.

mod community;
mod conflict;
mod coupling;
mod delete;
mod envelope;
mod enzymes;
mod fba;
mod fva;
mod genes;
mod geometric;
mod known;
mod lexicographic;
mod lift;
mod loopless;
mod loopless_range;
mod moma;
mod parallel;
mod phase;
mod quadratic;
mod room;
mod sample;
mod sparing;
mod support;

pub use community::{Community, Member, Pool, community, fastest_community};
pub use conflict::{Clash, Explanation, Side, Subject, explain_conflict};
pub use coupling::{Coupling, Couplings, couplings};
pub use delete::{Growth, Knockouts, Pairs, Removal, knockouts, pairs};
pub use envelope::{Envelope, envelope};
pub use enzymes::{Encoding, Enzyme, EnzymeNetwork, EnzymeOptimum, EnzymeTask, Turnover, Usage, Way, with_enzymes};
pub use fba::{Parsimonious, fba, pfba};
pub use fva::{Ranges, Variability, fva};
pub use genes::{GeneRules, double_genes, single_genes, single_reactions};
pub use geometric::{Geometric, geometric};
pub use known::Known;
pub use lexicographic::{Aim, Lexicographic, lexicographic};
pub use loopless::cycle_free;
pub use loopless_range::loopless_fva;
pub use moma::{Adjustment, linear_moma};
pub use phase::{Phase, PhasePlane, phase_plane};
pub use quadratic::{Nearby, moma};
pub use room::{Switched, Switching, room};
pub use sample::{Samples, Sampling, Spread, sample};
pub use sparing::sparing_fva;
pub use support::{
    Candidate, Demand, Fill, FillTask, Fills, ImportTask, LeastImport, Media, Medium, fewest_imports, fill_gaps, least_import,
};
