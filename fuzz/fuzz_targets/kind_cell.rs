//! Any bytes through `toji_fuzz::cell`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::cell(bytes));
