//! What no compiler finds, each rule in a file of its own. Every finding names its file.

mod commands;
mod contents;
mod folders;
mod links;
mod patches;
mod quotes;
mod words;

use crate::generated::root;
use std::path::{Path, PathBuf};

/// One text file of the repository.
struct File {
    /// Its path from the root, with `/` between the parts.
    path: String,
    text: String,
}

/// Applies every rule to every file.
pub fn run() -> Result<(), String> {
    let files = files()?;
    let rules =
        [words::check, folders::check, contents::check, links::check, commands::check, quotes::check, patches::check];
    let found: Vec<String> = rules.iter().flat_map(|rule| rule(&files)).collect();
    if found.is_empty() {
        println!("{} files looked at, nothing found", files.len());
        return Ok(());
    }
    Err(format!("{} findings\n{}", found.len(), found.join("\n")))
}

/// All text files but what is built, ignored or another tool's.
fn files() -> Result<Vec<File>, String> {
    let ignored = std::fs::read_to_string(root().join(".gitignore")).map_err(|error| format!(".gitignore: {error}"))?;
    let ignored: Vec<&str> = ignored.lines().map(|line| line.trim_matches('/')).collect();
    let mut files = vec![];
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in listed(&folder)? {
            let path = entry.to_string_lossy().replace('\\', "/");
            if path == ".git" || ignored.contains(&path.as_str()) {
                continue;
            }
            let full = root().join(&entry);
            if full.is_dir() {
                folders.push(entry);
            } else if let Ok(text) = std::fs::read_to_string(&full) {
                files.push(File { path, text }); // what is no text is nobody's prose
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(root().join(folder)).map_err(failed)?;
    entries.map(|entry| Ok(folder.join(entry.map_err(failed)?.file_name()))).collect()
}
