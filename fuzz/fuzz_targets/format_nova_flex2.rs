//! Any bytes through the reader of `nova-flex2`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("nova-flex2", bytes));
