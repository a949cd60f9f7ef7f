//! Ranges of keys, as every store's index sees them: by bytes.

/// The smallest text behind everything that begins with `prefix`; none when there is no such text.
pub(super) fn behind_all(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            return Some(chars.into_iter().chain([next]).collect());
        }
    }
    None
}

/// Where a list over `prefix` begins that goes on after a key: the smallest key behind another one is that one with a
/// zero character.
pub(super) fn first_behind(prefix: &str, after: Option<&str>) -> String {
    after.filter(|after| *after >= prefix).map_or(prefix.to_owned(), |after| format!("{after}\0"))
}
