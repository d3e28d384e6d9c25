//! Any bytes through `toji_fuzz::unit`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::unit(bytes));
