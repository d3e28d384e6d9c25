//! Any bytes through the reader of `roche-cedex-hires`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("roche-cedex-hires", bytes));
