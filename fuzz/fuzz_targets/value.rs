//! Any bytes through `toji_fuzz::value`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::value(bytes));
