//! Any bytes through the reader of `biostat-offline`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("biostat-offline", bytes));
