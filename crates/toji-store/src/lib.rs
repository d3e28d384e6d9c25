//! toji-store
