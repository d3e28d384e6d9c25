//! Any bytes through the reader of `off-gas-table`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("off-gas-table", bytes));
