//! toji-server
