//! Any bytes through `toji_fuzz::signed_note`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::signed_note(bytes));
