//! toji-ingest
