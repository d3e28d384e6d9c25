//! Any bytes through the reader of `biolector-pro`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("biolector-pro", bytes));
