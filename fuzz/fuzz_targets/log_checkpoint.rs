//! Any bytes through `toji_fuzz::checkpoint`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::checkpoint(bytes));
