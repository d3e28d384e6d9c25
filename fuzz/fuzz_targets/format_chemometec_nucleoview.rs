//! Any bytes through the reader of `chemometec-nucleoview`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("chemometec-nucleoview", bytes));
