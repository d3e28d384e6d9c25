//! Any bytes through the reader of `sake-progress-yaml`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("sake-progress-yaml", bytes));
