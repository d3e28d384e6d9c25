//! Small dense linear algebra: what Gaussian processes and designs of experiments need, up to some two thousand
//! rows.
//!
//! The sums have one fixed order and use neither fused multiplication nor instructions that only some processors
//! have, so the same input gives the same bits on every machine. Why this is no dependency: ARCHITECTURE.md.

mod cholesky;
mod eigen;
mod general;
mod matrix;
mod qr;

pub use cholesky::Cholesky;
pub use eigen::{Eigen, symmetric};
pub use general::eigenvalues;
pub use matrix::{Matrix, axpy, dot};
pub use qr::{LeastSquares, least_squares};
