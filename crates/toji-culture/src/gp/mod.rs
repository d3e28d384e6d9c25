//! Gaussian processes: a response over a few factors, learnt from noisy runs, with how sure every number is.
//!
//! * `kernel`: how alike two points are (Matérn 5/2 and squared exponential, one length per factor).
//! * `likelihood`: how well lengths, variance, noise and mean explain the data, with the gradient.
//! * `prior`: what is thought of them before any data.
//! * `fit`: the most probable ones, from several starts.
//! * `average`: what all settings that the data allow say together, weighed by how probable they are.
//! * `model`: prediction with gradient, joint samples, leave-one-out.
//! * `normal`: the normal distribution and the improvement over a best value, stable far into the tail.
//!
//! Everything is exact (no inducing points) and meant for up to some two thousand runs. The noise is always
//! estimated: a replicate is simply a run at the same point. After Rasmussen and Williams, *Gaussian Processes for
//! Machine Learning* (2006), chapters 2, 4 and 5.

mod average;
mod fit;
mod kernel;
mod likelihood;
mod model;
pub mod normal;
mod prior;

pub use average::{Averaged, Range};
pub use fit::{Data, Mean, Settings};
pub use kernel::Kernel;
pub use likelihood::{Hyper, Likelihood, ln_likelihood};
pub use model::{Gp, LeftOut, Prediction, Slope};
pub use prior::{Belief, Priors};
