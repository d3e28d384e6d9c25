//! Any bytes through `toji_fuzz::sbml`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::sbml(bytes));
