//! Any bytes through the reader of `shimadzu-labsolutions`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("shimadzu-labsolutions", bytes));
