//! What a larger scale teaches the next strain.
//!
//! [`compare`] says whether a larger scale did poorer than the smaller one beyond doubt; [`judge`] says what the runs'
//! own data show of a limit that only the larger scale met; [`asks`] turns a limit that is shown into what is asked of
//! the next strain, with its interval. Where the evidence does not suffice, the answer is that and nothing more.

mod ask;
mod compare;
mod sign;

pub use ask::{Ask, Direction, Shown, asks};
pub use compare::{Comparison, Observed, Outcome, Spread, compare};
pub use sign::{Cause, LEAST_H, Sign, Standing, beyond_h, judge};
