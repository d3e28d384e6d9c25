//! Any bytes through the reader of `beckman-vicell-xr`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::format("beckman-vicell-xr", bytes));
