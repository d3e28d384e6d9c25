//! Which sensors go with what the nose said: rank correlation per sensor, with an interval that resamples
//! whole runs, corrected for the number of sensors asked, and with time taken out for comparison.

mod explain;
mod rank;

pub use explain::{Explained, Finding, Question, RUNS_MIN, Row, explain};
pub use rank::{auc, benjamini_hochberg, spearman, spearman_given};
