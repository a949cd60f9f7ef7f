//! Inputs that are nearly good: those of a corpus, cut, changed, repeated and mixed as random bytes say. A fuzzer that
//! learns what its bytes lead to learns how to edit.

use std::{fs, path::Path};

/// What an edit writes where it hits: what lengths, texts and numbers stumble over.
const NASTY: [&[u8]; 8] =
    [b"\0", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x7f", b"\"", b"{", b"\n", b"-", b"\xc3\x28"];

/// The inputs that a target begins from, in the order of their names.
///
/// # Errors
/// When they cannot be read.
pub fn corpus(target: &str) -> std::io::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files = fs::read_dir(folder)?.map(|entry| entry.map(|it| it.path())).collect::<Result<Vec<_>, _>>()?;
    files.sort();
    files.into_iter().map(fs::read).collect()
}

/// One of the corpus, edited as `script` says: its first byte chooses which, and each three further ones what to do where.
#[must_use]
pub fn edited(corpus: &[Vec<u8>], script: &[u8]) -> Vec<u8> {
    let Some((which, edits)) = script.split_first() else { return vec![] };
    let of = |which: u8| corpus.get(usize::from(which) % corpus.len().max(1)).cloned().unwrap_or_default();
    let mut bytes = of(*which);
    // A handful leaves enough of what was good to get past the first check.
    for edit in edits.chunks_exact(3).take(6) {
        let at = usize::from(u16::from_be_bytes([edit[1], edit[2]])) % (bytes.len() + 1);
        match edit[0] % 7 {
            0 => bytes.truncate(at),
            1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (edit[0] >> 5)),
            2 => drop(bytes.splice(at..at, NASTY[usize::from(edit[0] / 7) % NASTY.len()].iter().copied())),
            3 => bytes.extend_from_within(at..),
            4 => drop(bytes.splice(at.., of(edit[0]).into_iter().skip(at))),
            5 => bytes.iter_mut().skip(at).take(8).for_each(|byte| *byte = 0xff),
            _ => drop(bytes.drain(at..(at + 4).min(bytes.len()))),
        }
        bytes.truncate(1 << 16);
    }
    bytes
}
