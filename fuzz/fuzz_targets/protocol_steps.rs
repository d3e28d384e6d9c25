//! Any bytes through `toji_fuzz::protocol`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::protocol(bytes));
