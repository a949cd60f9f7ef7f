//! Every folder and every Rust file says in its first line what it is for.

use super::File;
use std::collections::BTreeSet;

/// Folders that a tool fills or reads, and whose name says it all.
const TOOLS: &[&str] = &[".cargo", ".ci", "tests", "snapshots"];

pub fn check(files: &[File]) -> Vec<String> {
    let rust = files.iter().filter(|file| is_rust(&file.path) && !file.text.starts_with("//!"));
    let mut found: Vec<String> =
        rust.map(|file| format!("{}: its first line does not say what it is for (`//! …`)", file.path)).collect();
    let folders: BTreeSet<&str> = files.iter().flat_map(|file| parents(&file.path)).collect();
    let silent = folders.into_iter().filter(|folder| !speaks(folder, files));
    found.extend(silent.map(|folder| format!("{folder}: no Rust file and no README.md says what it is for")));
    found
}

fn is_rust(path: &str) -> bool {
    path.ends_with(".rs")
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

fn parents(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent(path), |folder| parent(folder))
}

/// A folder speaks through a Rust file in it or in its `src`, through its README, or through the README above it.
fn speaks(folder: &str, files: &[File]) -> bool {
    let name = folder.rsplit('/').next().unwrap_or(folder);
    let has_readme = |folder: &str| files.iter().any(|file| file.path == format!("{folder}/README.md"));
    let has_rust = files.iter().any(|file| {
        let inside = file.path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
        let inside = inside.map(|rest| rest.strip_prefix("src/").unwrap_or(rest));
        inside.is_some_and(|rest| is_rust(rest) && !rest.contains('/'))
    });
    TOOLS.contains(&name) || has_readme(folder) || parent(folder).is_some_and(has_readme) || has_rust
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    #[test]
    fn a_folder_of_data_needs_a_readme() {
        let data = file("services/email/templates/confirmed.txt", "Hello");
        assert_eq!(check(&[data]).len(), 3, "the folder and those above it");
        let told = [file("data/README.md", "# Data"), file("data/a.txt", ""), file("data/deep/b.txt", "")];
        assert_eq!(check(&told), [""; 0]);
    }

    #[test]
    fn a_folder_of_crates_needs_a_readme() {
        let found = check(&[file("services/order/src/lib.rs", "//! Orders.")]);
        assert_eq!(found, ["services: no Rust file and no README.md says what it is for"]);
    }

    #[test]
    fn a_rust_file_says_what_it_is_for() {
        assert_eq!(check(&[file("a/src/lib.rs", "//! All of it.")]), [""; 0]);
        assert_eq!(check(&[file("a/src/lib.rs", "mod b;")]).len(), 1);
    }
}
