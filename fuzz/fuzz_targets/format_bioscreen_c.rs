//! Any bytes through the reader of `bioscreen-c`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("bioscreen-c", bytes));
