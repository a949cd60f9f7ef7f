//! A service's `lib.rs` reads as its table of contents, so it stays short.

use super::File;

const MOST_LINES: usize = 60;

pub fn check(files: &[File]) -> Vec<String> {
    let contents = files.iter().filter(|file| file.path.starts_with("services/") && file.path.ends_with("/src/lib.rs"));
    let long = contents.map(|file| (&file.path, file.text.lines().count())).filter(|(_, lines)| *lines > MOST_LINES);
    long.map(|(path, lines)| format!("{path}: {lines} lines are no table of contents (at most {MOST_LINES})")).collect()
}
