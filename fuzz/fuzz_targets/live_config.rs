//! Any bytes through `toji_fuzz::live_config`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::live_config(bytes));
