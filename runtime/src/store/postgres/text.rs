//! Text as PostgreSQL can hold it. `text` holds every character but NUL, and NUL is one that a broken record or a
//! hostile caller can send; a statement must never fail for what it says. So U+0000 is written as U+0001 U+0001, and
//! U+0001 as U+0001 U+0002. All other text, that is all text in practice, is stored as it is. Order and prefixes stay:
//! `a < b` if and only if `escaped(a) < escaped(b)`, by bytes.

use std::borrow::Cow;

const MARK: char = '\u{1}';

/// The text as it is stored.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte <= 1) {
        return Cow::Borrowed(text);
    }
    let mut stored = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\0' => stored.extend([MARK, '\u{1}']),
            MARK => stored.extend([MARK, '\u{2}']),
            other => stored.push(other),
        }
    }
    Cow::Owned(stored)
}

/// The text as it was given.
pub(crate) fn unescaped(stored: String) -> String {
    if !stored.contains(MARK) {
        return stored;
    }
    let mut text = String::with_capacity(stored.len());
    let mut chars = stored.chars();
    while let Some(char) = chars.next() {
        match char {
            // Nothing but `escaped` writes a mark, and that never writes one alone.
            MARK => text.push(if chars.next() == Some('\u{1}') { '\0' } else { MARK }),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text of up to four characters out of those that matter.
    fn texts() -> Vec<String> {
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            let longer =
                texts.iter().flat_map(|text| ['\0', '\u{1}', '\u{2}', 'a', '🫖'].map(|c| format!("{text}{c}")));
            texts = [String::new()].into_iter().chain(longer).collect();
        }
        texts
    }

    #[test]
    fn text_comes_back_as_it_was_given_and_never_holds_a_nul() {
        for text in texts() {
            assert!(!escaped(&text).contains('\0'));
            assert_eq!(unescaped(escaped(&text).into_owned()), text);
        }
    }

    #[test]
    fn order_and_prefixes_stay_as_they_were() {
        let texts = texts();
        for (a, b) in texts.iter().flat_map(|a| texts.iter().map(move |b| (a, b))) {
            let (stored_a, stored_b) = (escaped(a), escaped(b));
            assert_eq!(stored_a.cmp(&stored_b), a.cmp(b), "{a:?} {b:?}");
            assert_eq!(stored_a.starts_with(&*stored_b), a.starts_with(b.as_str()), "{a:?} {b:?}");
        }
    }

    #[test]
    fn ordinary_text_is_stored_as_it_is() {
        assert!(matches!(escaped("Äpfel/茶\n\t"), Cow::Borrowed("Äpfel/茶\n\t")));
    }
}
