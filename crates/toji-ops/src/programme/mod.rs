//! Public programmes: what the policy tables say, worked out.

use crate::operation::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    Vec::new()
}
