//! Any bytes through the reader of `batchml-record`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("batchml-record", bytes));
