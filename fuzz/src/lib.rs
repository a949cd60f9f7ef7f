//! Whatever takes bytes from outside, held against bytes that nobody has ever seen: it reads or refuses them, never
//! panics, and what it reads it writes again as it was. One module per way in; `tests/outside.rs` runs them.
//!
//! Each target begins from a corpus of good and nearly good inputs in `corpus/<target>`. `guided/` hands the same
//! targets to libFuzzer.

pub mod edits;
pub mod events;
pub mod records;
pub mod requests;
pub mod sealed;
pub mod texts;
