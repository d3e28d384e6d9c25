//! Any bytes through `toji_fuzz::decimal`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::decimal(bytes));
