//! Any bytes through the reader of `tecan-magellan`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("tecan-magellan", bytes));
