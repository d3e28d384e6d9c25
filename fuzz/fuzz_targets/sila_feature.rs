//! Any bytes through `toji_fuzz::sila_feature`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::sila_feature(bytes));
