//! Linear programmes: a bounded simplex method whose answers carry their own proof.

#[allow(dead_code)]
pub(crate) mod factor;
