//! toji-ops
