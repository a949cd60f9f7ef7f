//! A link in a document leads to a file that is there.

use super::File;
use std::collections::BTreeSet;

pub fn check(files: &[File]) -> Vec<String> {
    let mut paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    paths.extend(files.iter().flat_map(|file| file.path.match_indices('/').map(|(end, _)| &file.path[..end])));
    let mut found = vec![];
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        let dead = links(&file.text).filter(|link| !paths.contains(target(&file.path, link).as_str()));
        found.extend(dead.map(|link| format!("{}: {link} leads nowhere", file.path)));
    }
    found
}

/// What stands in the brackets of a link, without its anchor; links within a page and to other places are left out.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let inside = text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link));
    inside
        .filter(|link| !link.contains("://"))
        .filter_map(|link| link.split('#').next())
        .filter(|link| !link.is_empty())
}

fn target(from: &str, link: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let text = "[a](../src/a.rs#L3), [b](b.md), [c](../src), [d](https://example.com), [e](#here), [f](gone.md)";
        let files = ["docs/x.md", "docs/b.md", "src/a.rs"].map(|path| File {
            path: path.into(),
            text: if path == "docs/x.md" { text.into() } else { String::new() },
        });
        assert_eq!(check(&files), ["docs/x.md: gone.md leads nowhere"]);
    }
}
