//! Layouts: which condition stands on which unit of a parallel system.
//!
//! Rows are the blocks: what differs between them (a pump head, a gas line, the draught of a window) should hit
//! every condition alike, so the replicates of a condition are dealt over the rows. Inside a row chance decides.
//! Controls stand on the edge and in the middle where the system has both, so that an effect of the edge can be
//! told from an effect of a condition. After G. W. Oehlert, *A First Course in Design and Analysis of
//! Experiments* (2010), chapters 2 and 13.

mod grid;
mod layout;

pub use grid::{System, position_name, read_position};
pub use layout::{Layout, Unit, plan};

use serde::{Deserialize, Serialize};

/// A condition to lay out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Wanted {
    /// Name, unique in the experiment.
    pub name: String,
    /// Is it what the others are compared with?
    pub control: bool,
    /// On how many units it stands.
    pub replicates: usize,
}
