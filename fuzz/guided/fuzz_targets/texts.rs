//! Hands the target to libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| _ = fuzz::texts::read(bytes));
