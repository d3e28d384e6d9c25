//! Any bytes through the reader of `hplc-peak-table`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("hplc-peak-table", bytes));
