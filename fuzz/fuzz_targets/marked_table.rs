//! Any bytes through `toji_fuzz::marked_table`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::marked_table(bytes));
