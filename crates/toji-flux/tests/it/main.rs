//! What the crate does for those who use it.

mod golden_lp;
