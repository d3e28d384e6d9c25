//! Hybrid models.
