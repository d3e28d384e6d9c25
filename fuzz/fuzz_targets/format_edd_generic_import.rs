//! Any bytes through the reader of `edd-generic-import`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("edd-generic-import", bytes));
