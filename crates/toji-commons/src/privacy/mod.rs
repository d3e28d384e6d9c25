//! Answers with noise, and the account of what they cost: differential privacy.
//!
//! * `stream`: random bytes are an argument; a key of 32 bytes gives a ChaCha20 stream of them.
//! * `sample`: discrete Laplace and discrete Gaussian noise, drawn exactly: whole numbers and fractions only, so
//!   no floating-point rounding opens what the theory closes (Mironov, CCS 2012).
//! * `question`: counts, sums and means between stated bounds, with the sensitivity that follows from them.
//! * `amount`: losses of privacy in billionths, rounded up, so that sums of them are exact.
//! * `loss`: what a loss means: concentrated into (ε, δ), the advantage of one who guesses, shared noise.
//! * `budget`: what an agreement allows in all, every charge to it, and what is left. The owner can see all of it.
//!
//! Sources: Dwork, McSherry, Nissim, Smith, TCC 2006 (ε-differential privacy); Bun and Steinke, TCC 2016 (zCDP);
//! Canonne, Kamath, Steinke, NeurIPS 2020, arXiv:2004.00010 (samplers, and the conversion of its §2.3); Kairouz, Liu,
//! Steinke, ICML 2021, arXiv:2102.06387 (noise that several parties add together).
//!
//! The noise is as good as the bytes. Those of [`Stream`] are pseudo-random: with them every promise holds against whoever
//! cannot break ChaCha20, and only while its key is drawn afresh, kept secret and used once.
//!
//! What it does not promise: anything about groups larger than the protected unit of the budget (the loss for k
//! units is k times ε, or k² times ρ), anything about what is known from elsewhere, or protection from one who
//! times the sampler, which is not constant in time.

mod amount;
mod budget;
mod loss;
mod question;
mod sample;
mod stream;

pub use amount::{NANO, Nano};
pub use budget::{Budget, Charge, Charged, Line, Loss, Promise, Standing};
pub use loss::{advantage_max, advantage_max_of_rho, delta_of, epsilon_of, rho_of_pure, rho_shared};
pub use question::{Answer, Noisy, Protected, Question, Row, Statistic};
pub use sample::{Fraction, Mechanism, discrete_gaussian, discrete_laplace};
pub use stream::{Bytes, Stream};
