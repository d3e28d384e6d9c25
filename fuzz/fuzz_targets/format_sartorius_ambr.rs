//! Any bytes through the reader of `sartorius-ambr`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("sartorius-ambr", bytes));
