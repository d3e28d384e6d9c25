//! Any bytes through `toji_fuzz::flux_yaml`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::flux_yaml(bytes));
