//! Any bytes through `toji_fuzz::sbml_math`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::sbml_math(bytes));
