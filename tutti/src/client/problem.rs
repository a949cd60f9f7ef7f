//! Problem details (RFC 9457): how the shop says no.

use serde_json::Value;
use std::fmt;

/// One problem document.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What kind of problem it is, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time, and what to do about it.
    pub detail: Option<String>,
    /// Which field of the request it is about.
    pub field: Option<String>,
    /// The document as it came.
    pub raw: Value,
}

impl Problem {
    /// Reads a problem document; `None` if it is not one.
    #[must_use]
    pub fn read(status: u16, body: &[u8]) -> Option<Problem> {
        let raw: Value = serde_json::from_slice(body).ok()?;
        let text = |name: &str| raw.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Problem { title: text("title")?, status, detail: text("detail"), field: text("field"), raw })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.title, self.status)?;
        if let Some(field) = &self.field {
            write!(f, "\n  field {field}")?;
        }
        if let Some(detail) = &self.detail {
            write!(f, "\n  {detail}")?;
        }
        Ok(())
    }
}
