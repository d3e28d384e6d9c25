//! Monitoring: is a culture running as good ones ran, and if not, what departs, when, and what is it like?
//!
//! Contents, in the order of the work:
//!
//! * `matrix`, `scale`: tables with missing cells; centring and scaling.
//! * `nipals`: components over the cells that were seen; `pca` and `pls` are the models, `cross` leaves whole batches
//!   out, `space` and `latent` hold what the models share, `limits` what T² and SPE stay below.
//! * `batch`, `align`, `warp`: batches of different length and pace on one axis, and the two tables made of them.
//! * `course`: a batch at every point, also one that still runs; `finding`: what departs, when, and what it is like.
//! * `band`: the region in which a whole good batch stays.
//!
//! A reference is judged by itself only where that is fair: limits of new batches, Q², intervals of predictions and the
//! golden band all rest on batches that were left out.

mod align;
mod band;
mod batch;
mod course;
mod cross;
mod finding;
mod latent;
mod limits;
mod matrix;
mod nipals;
mod pca;
mod pls;
mod scale;
mod space;
mod warp;

/// What made a result, for records.
pub const ENGINE: &str = "toji-culture/monitor";
/// Raised when the same batches give other numbers.
pub const VERSION: &str = "1";

pub use align::{Axis, align};
pub use band::{Band, Excursion};
pub use batch::{Aligned, Batch, Mark, OnAxis};
pub use course::{Course, CourseLimits, Moment, Monitor, Shares, Watch};
pub use finding::{Alike, Breadth, Departure, Evidence, Finding, Known, Length};
pub use latent::{Components, Latent, Row, Settings};
pub use limits::{Check, Limits, SpeLimit, box_limit, jackson_mudholkar, t2_limit_new, t2_limit_training, three_moments};
pub use matrix::{CELLS_MAX, Matrix};
pub use pca::Pca;
pub use pls::{Pls, Prediction};
pub use scale::{Scale, Scaling};
pub use space::Missing;
pub use warp::Warping;
