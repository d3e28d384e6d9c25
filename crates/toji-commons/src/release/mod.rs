//! What may be told about many without telling about one: the rule for aggregates.
//!
//! A member asks how its titre stands against the field. The answer is a total over companies that compete,
//! so it leaves only when nobody, not even a member that knows its own figures and all earlier answers, can
//! come near the figures of another:
//!
//! | clause | what it asks |
//! | --- | --- |
//! | R1 | the field is not on the never-list (customers, prices, plans) |
//! | R2 | aged fields (cost, capacity, volume): the newest figure is old enough |
//! | R3 | at least 5 contributors |
//! | R4 | no contributor above 25 % of the total |
//! | R5 | (n, k) dominance: the 2 largest not above 85 % |
//! | R6 | p % rule: the second largest cannot estimate the largest within 20 % |
//! | R7 | over all releases: no sum or difference of them concerns fewer than 5 contributors |
//! | R8 | over all releases: totals that can be derived obey R3 to R6 too |
//! | R9 | over all releases: no contributor can be estimated within 20 % |
//! | R10 | all this could be checked exactly |
//!
//! R3 to R6 follow the *Handbook on Statistical Disclosure Control* (Hundepool et al., ch. 4.2, formulae and
//! examples 1 and 2); numbers and age follow the former safety zone of US antitrust agencies as a careful
//! default for counsel to confirm. R7 to R9 are exact integer linear algebra over all releases that share a
//! figure with the new one (`guard`). The handbook advises to keep parameters of such rules secret; here the
//! members agree on them in the open, and what protects is not that they are unknown but that R9 holds whether
//! or not they are known. A refusal names its clause and its limit, never a measured figure.
//!
//! What the rule does not promise: protection against members that pool their figures, and against what is
//! known from elsewhere. That a release was refused also tells something; a budget of questions stands above.

mod cell;
mod guard;
mod linear;
mod register;
mod rule;

pub use cell::{Cell, Contribution, VALUE_MAX};
pub use register::{Answer, Published, Register};
pub use rule::{Clause, Field, Refusal, Rule};
