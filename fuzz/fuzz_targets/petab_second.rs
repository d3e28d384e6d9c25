//! Any bytes through `toji_fuzz::petab_second`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::petab_second(bytes));
