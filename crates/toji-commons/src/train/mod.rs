//! A model that several members train together, of which each shows nothing but its share of a sum.
//!
//! Each site says how its own data see the model at a point: objective (−ln L), gradient, and curvature (Fisher's
//! information, or X'X). Their sums over sites are what a pooled fit would compute, so the steps taken on them are the
//! pooled fit's, not an average of local fits, and no step depends on how the data are spread over sites.
//!
//! * `local`: what a site says, and its form as a vector for [`crate::aggregate`].
//! * `regress`: linear, logistic and Poisson regression as such sites. Any other model is one too: it needs its
//!   residuals' slopes (a culture model's fit has them).
//! * `descend`: who coordinates: Levenberg and Marquardt's steps with bounds and priors. A linear model needs one step.
//! * `federate`: rounds of secure sums until nothing falls any more, with members that drop out, and what it took.
//! * `private`: the same with the part of every protected unit clipped and noise from every site, so that the model says
//!   next to nothing of any single unit; the loss is known beforehand and charged to a budget.
//!
//! What it does not promise: that sites tell the truth (a sum hides who does not), or that a model without noise tells
//! nothing of the data it was trained on. Sums at several points tell more than one; see `attack`.

mod descend;
mod federate;
mod local;
mod private;
mod regress;

pub use descend::{Bound, Descent};
pub use federate::{Participant, Plan, Trained, federate};
pub use local::{Local, Ranges, Site};
pub use private::{Privacy, PrivatelyTrained, federate_privately};
pub use regress::{Family, Observation, Regression};
