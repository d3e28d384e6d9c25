//! Experiments: planned on a parallel system, run, analysed, ranked, and told back to those who ran them.

use crate::operation::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    Vec::new()
}
