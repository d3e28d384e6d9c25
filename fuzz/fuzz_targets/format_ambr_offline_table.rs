//! Any bytes through the reader of `ambr-offline-table`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("ambr-offline-table", bytes));
