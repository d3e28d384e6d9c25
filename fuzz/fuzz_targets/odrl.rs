//! Any bytes through `toji_fuzz::odrl`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::odrl(bytes));
