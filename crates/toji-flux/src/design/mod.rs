//! Strain design: which interventions make a metabolism do what is wanted.
//!
//! [`minimal_cuts`] lists every minimal set of interventions that makes target regions of the flux space impossible and
//! keeps protected ones possible (Klamt and Gilles, Bioinformatics 20, 2004, 226–234; von Kamp and Klamt, PLoS Comput. Biol.
//! 10, 2014, e1003378), over reactions or over genes through their rules, with insertions, limits and costs as in Schneider
//! et al. (Bioinformatics 38, 2022, 4981–4983). [`knock`] finds the sets after which the best growth comes with the most
//! product (`OptKnock`, Burgard et al., Biotechnol. Bioeng. 84, 2003, 647–657), or with the most product even at its least
//! (`RobustKnock`, Tepper and Shlomi, Bioinformatics 26, 2010, 536–543); [`potentials`] those whose growth suffers most without
//! the product (`OptCouple`).
//!
//! Both search without an integer programme. A flux vector that a set leaves possible stays possible until one of the
//! reactions it uses fails, so whatever is still to be found must contain a way of stopping one of them: the vector tells
//! where to branch, no set that could matter is passed over, and one vector answers for all the sets that do not touch it.

mod cuts;
mod edit;
mod field;
mod knock;
mod plan;
mod potential;
pub mod rank;
mod scale;
mod strain;
mod support;
mod targets;
mod thrift;
mod verify;
mod ways;
mod words;
mod yields;

pub use cuts::{CutSet, CutSets, CutTask, Proof, certify, minimal_cuts};
pub use edit::{Edit, Intervention, Limit, Region};
pub use knock::{Coupling, KnockTask, Knocked, Knocks, couple, knock};
pub use plan::{DesignTask, Designed, Designs, Goal, design};
pub use potential::{Potential, PotentialTask, Stalled, potential, potentials};
pub use scale::{HEAT_PER_OXYGEN, HeatRemoval, MeasuredRate, Redesign, ScaleBound, VesselLimits, redesign, within_vessel};
pub use strain::{Insertion, Screening, Strain};
pub use support::{Edited, Need};
pub use targets::{Follow, Scan, ScanTask, Trend, scan};
pub use verify::{BatchOutcome, BatchTask, OxygenNeed, OxygenSupply, Reach, Robustness, Tie, Verified, VerifyTask, verify};
pub use yields::{Yields, molar_mass, yields};
