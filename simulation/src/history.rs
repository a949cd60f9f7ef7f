//! What happened, as lines: hashed always, kept where somebody wants to read them.

use runtime::{Micros, rfc3339};

/// When every simulated history begins, in microseconds since 1970.
pub const EPOCH: Micros = 1_763_000_000_000_000;

/// A history in the making.
#[derive(Default)]
pub struct History {
    hash: u64,
    lines: Option<Vec<String>>,
    /// How many lines it has.
    pub length: u64,
}

impl History {
    /// One that also keeps its lines.
    #[must_use]
    pub fn kept() -> History {
        History { lines: Some(vec![]), ..History::default() }
    }

    /// Something happened.
    pub fn note(&mut self, at: Micros, line: &str) {
        self.length += 1;
        self.hash =
            at.to_le_bytes().iter().chain(line.as_bytes()).fold(self.hash ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
            });
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{} {line}", &rfc3339(EPOCH + at)[5..23]));
        }
    }

    /// FNV-1a over all lines.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The lines, if they were kept.
    pub fn take_lines(&mut self) -> Vec<String> {
        self.lines.take().unwrap_or_default()
    }
}
