//! Any bytes through the reader of `table`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("table", bytes));
