//! Any bytes through the reader of `skyline`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("skyline", bytes));
