//! Any bytes through `toji_fuzz::live_sparkplug`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toji_fuzz::live_sparkplug(bytes));
