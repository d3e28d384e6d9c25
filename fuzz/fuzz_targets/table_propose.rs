//! Any bytes through `toji_fuzz::propose`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::propose(bytes));
