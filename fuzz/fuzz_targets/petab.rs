//! Any bytes through `toji_fuzz::petab`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::petab(bytes));
