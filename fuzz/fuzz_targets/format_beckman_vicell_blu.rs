//! Any bytes through the reader of `beckman-vicell-blu`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("beckman-vicell-blu", bytes));
