//! Any bytes through `toji_fuzz::kind`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::kind(bytes));
