//! Patches against the sources still apply to them: `cargo xtask defects` plants one.

use super::{File, root};
use std::process::Command;

/// Every patch that no longer applies, with what git says of it.
pub fn check(files: &[File]) -> Vec<String> {
    let patches = files.iter().filter(|file| file.path.ends_with(".patch"));
    patches.filter_map(|file| applies(&file.path).err().map(|why| format!("{}: {why}", file.path))).collect()
}

fn applies(patch: &str) -> Result<(), String> {
    let output = Command::new("git").args(["apply", "--check", patch]).current_dir(root()).output();
    let output = output.map_err(|error| format!("git does not start: {error}"))?;
    let why = String::from_utf8_lossy(&output.stderr);
    let why = why.trim().replace('\n', "; ");
    if output.status.success() {
        return Ok(());
    }
    Err(format!("the sources have changed below it ({why}): write it anew, as the README beside it says"))
}
