//! Any bytes through the reader of `dasware-control`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("dasware-control", bytes));
