//! The header that makes a repeated request the same request.

use super::Problem;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, request::Parts},
};

const HEADER: &str = "Idempotency-Key";
const LIMIT: usize = 255;

/// What the client calls its request: 1 to 255 visible ASCII characters. The same key and body again have the same
/// answer and no further effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(
    /// The key as it was sent.
    pub String,
);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<IdempotencyKey, Problem> {
        read(&parts.headers)
    }
}

fn read(headers: &HeaderMap) -> Result<IdempotencyKey, Problem> {
    let mut sent = headers.get_all(HEADER).iter();
    match (sent.next(), sent.next()) {
        (None, _) => Err(missing()),
        (Some(_), Some(_)) => Err(Problem::invalid(HEADER, "must be sent once")),
        (Some(value), None) => key(value).ok_or_else(|| {
            Problem::invalid(HEADER, format!("must be 1 to {LIMIT} visible ASCII characters, without spaces"))
        }),
    }
}

fn missing() -> Problem {
    let detail = "Send a header Idempotency-Key with a value of your own choice, new for each new request and the same \
                  when you repeat one: then a repetition has no further effect.";
    Problem::new(StatusCode::BAD_REQUEST, "idempotency-key-missing", "Idempotency-Key is missing", detail).about(HEADER)
}

fn key(value: &HeaderValue) -> Option<IdempotencyKey> {
    let text = value.to_str().ok()?;
    let fits = (1..=LIMIT).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| IdempotencyKey(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(keys: &[&[u8]]) -> HeaderMap {
        keys.iter().map(|key| (HEADER.parse().unwrap(), HeaderValue::from_bytes(key).unwrap())).collect()
    }

    #[test]
    fn a_key_is_taken_as_it_is() {
        let longest = "k".repeat(255);
        for text in ["1", "a/b%20~!", longest.as_str()] {
            assert_eq!(read(&headers(&[text.as_bytes()])).unwrap().0, text);
        }
    }

    #[test]
    fn anything_else_is_a_problem_that_names_the_header() {
        let too_long = "k".repeat(256);
        let wrong: [&[&[u8]]; 6] = [&[], &[b""], &[b"a b"], &["ä".as_bytes()], &[too_long.as_bytes()], &[b"a", b"b"]];
        for keys in wrong {
            let problem = read(&headers(keys)).unwrap_err();
            assert_eq!((problem.status(), problem.field()), (StatusCode::BAD_REQUEST, Some("Idempotency-Key")));
        }
    }
}
