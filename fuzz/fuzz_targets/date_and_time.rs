//! Any bytes through `toji_fuzz::clock`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::clock(bytes));
