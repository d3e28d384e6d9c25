//! Any bytes through the reader of `sake-day-sheet`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("sake-day-sheet", bytes));
