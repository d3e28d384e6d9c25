//! Any bytes through the reader of `allotrope-asm`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("allotrope-asm", bytes));
