//! Code shown in a document stands in the sources, and the map in the README is the one that is generated.

use super::File;

pub fn check(files: &[File]) -> Vec<String> {
    let code = |extension: &'static str| files.iter().filter(move |file| file.path.ends_with(extension));
    let mut found = vec![];
    for file in code(".md") {
        let unknown = blocks(&file.text, "rust").filter(|block| !code(".rs").any(|source| source.text.contains(block)));
        found.extend(unknown.map(|block| format!("{}: this stands in no source file:\n{block}", file.path)));
        let generated = |block: &&str| !code("docs/choreography.md").any(|map| map.text.contains(block));
        let stale = blocks(&file.text, "mermaid").filter(generated);
        found.extend(stale.map(|block| format!("{}: docs/choreography.md does not have this:\n{block}", file.path)));
    }
    found
}

fn blocks<'t>(text: &'t str, language: &str) -> impl Iterator<Item = &'t str> {
    let open = format!("```{language}\n");
    let inside: Vec<&str> = text.split(&open).skip(1).filter_map(|rest| rest.split("```").next()).collect();
    inside.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_is_not_there_is_found() {
        let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
        let source = file("a.rs", "//! a\nfn a() {\n    b();\n}\n");
        let quote = file("a.md", "```rust\nfn a() {\n    b();\n```\n");
        assert_eq!(check(&[source, quote]), [""; 0]);
        let changed = [file("a.rs", "//! a\nfn a() {}\n"), file("a.md", "```rust\nfn a() { c() }\n```\n")];
        assert_eq!(check(&changed).len(), 1);
    }
}
