//! Any bytes through the reader of `biolector-1`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("biolector-1", bytes));
