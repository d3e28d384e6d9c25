//! Cultures side by side: from the layout of an experiment over what each culture did to what the next one
//! should be.
//!
//! Contents, in the order of the work:
//!
//! * `plan`: conditions, replicates and controls on the units of a parallel system, by a seed.
//! * `rates`: what one culture did, from its series and assays.
//! * `rank`: conditions against their control, with how sure that is.
//! * `monitor`: whether a culture runs as good ones ran, what departs and when.
//! * `feedback`: what each learner hears about the own culture.
//! * `model`: the model file, its units and its balances.
//! * `fit`: parameters from measurements, with the interval of each or that the data do not tell.
//! * `predict`: forecasts with intervals whose coverage is earned, and the ledger of what became of them.
//! * `hybrid`: rates of a mechanism times a factor learnt from runs, and quality attributes from features of the course.
//! * `kernel`: models as expressions and events, compiled and integrated.
//! * `cells`: a vessel whose cells get their rates from outside the model file, as from a genome-scale model.
//! * `profile`: feeds and other inputs in time that make the most of a model, verified by other means.
//! * `control`: a state estimator, a predictive controller, a filter that can only make commands safer, and the fall back
//!   to the recipe when sensors fail; on a simulated bed before anything real.
//! * `continuous`: steady states of cultures that are fed and harvested at once, proved; sweeps, wash-out, productivity
//!   beside fed-batch, and whether a run is at steady state.
//! * `exchange`: models in the notations of others, read and written.
//! * `campaign`: which runs to make next and why: batch Bayesian optimisation over factors and groups of units under an
//!   envelope, and classical designs. Under it `gp` (Gaussian processes), `optimise` (a bounded minimiser, Sobol's
//!   sequence) and `linear` (dense linear algebra).
//! * `twin`: a simulated plant with a hidden truth, on which campaigns, corrections and rules are tried.
//! * `correction`: a golden recipe kept on its course: corrected by the measured start, midway, and from run to run.
//! * `scale`: the engineering numbers of a vessel at its settings, settings of a larger one, limits and their chance.
//! * `lesson`: what a larger scale teaches the next strain: is it poorer beyond doubt, what limited it, what to ask for.
//! * `downstream`: the chain of steps before and after a culture: yields, purity, what does not add up, what misses.
//! * `gas`: gas taken up, and readings of different sensors made comparable.
//! * `envelope`: mixtures of hydrogen and oxygen that could burn, and whether a path comes near them.
//!
//! **Architecture invariant:** pure functions over numbers. No I/O, no clock, no store; every random choice
//! comes from a seed that is an argument.

pub mod campaign;
pub mod cells;
pub mod continuous;
pub mod control;
pub mod correction;
pub mod downstream;
pub mod envelope;
pub mod exchange;
pub mod feedback;
pub mod fit;
pub mod gas;
pub mod gp;
pub mod hybrid;
pub mod kernel;
pub mod lesson;
pub mod linear;
pub mod model;
pub mod monitor;
pub mod optimise;
pub mod plan;
pub mod predict;
pub mod profile;
pub mod rank;
pub mod rates;
pub mod scale;
pub mod twin;
