//! What must not stand in any file: paths of one person's machine, and notes of what is not done yet.

use super::File;

/// Each with the reason. Put together, so that this file does not find itself.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("/ho", "me/"), "a path of somebody's machine"),
    (concat!("/Us", "ers/"), "a path of somebody's machine"),
    (concat!("/ro", "ot/"), "a path of somebody's machine"),
    (concat!("..", "/shared/"), "outside the repository"),
    (concat!("FIX", "ME"), "not done yet"),
    (concat!("XX", "X:"), "not done yet"),
    (concat!("TO ", "WIRE"), "not done yet"),
];

pub fn check(files: &[File]) -> Vec<String> {
    let mut found = vec![];
    for file in files {
        for (line, text) in file.text.lines().enumerate() {
            let forbidden = FORBIDDEN.iter().filter(|(word, _)| text.contains(word) && !is_allowed(&file.path, word));
            found.extend(forbidden.map(|(word, why)| format!("{}:{}: `{word}`: {why}", file.path, line + 1)));
        }
    }
    found
}

/// CI may look for servers beside the repository; it does without them.
fn is_allowed(path: &str, word: &str) -> bool {
    path.starts_with(".ci/") && word.ends_with("/shared/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_word_is_found_with_its_line() {
        let text = format!("fine\nsee {} there", FORBIDDEN[0].0);
        let found = check(&[File { path: "a.md".into(), text }]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("a.md:2:"), "{found:?}");
    }

    #[test]
    fn only_ci_may_look_beside_the_repository() {
        let text = concat!("..", "/shared/stack").to_owned();
        let found = check(&[".ci/run", "README.md"].map(|path| File { path: path.into(), text: text.clone() }));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("README.md:1:"), "{found:?}");
    }
}
