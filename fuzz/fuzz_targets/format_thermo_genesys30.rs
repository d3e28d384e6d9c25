//! Any bytes through the reader of `thermo-genesys30`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("thermo-genesys30", bytes));
