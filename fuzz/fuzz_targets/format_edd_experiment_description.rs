//! Any bytes through the reader of `edd-experiment-description`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("edd-experiment-description", bytes));
