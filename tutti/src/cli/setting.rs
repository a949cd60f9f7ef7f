//! Settings that only the environment holds, because services have them too.

use crate::failure::Failure;

/// The setting's value; `example` is what to write instead where it is not set.
pub(super) fn required(name: &str, example: &str) -> Result<String, Failure> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        Ok(_) | Err(std::env::VarError::NotPresent) => {
            Err(Failure::Usage(format!("{name} is not set; write for example {name}={example}")))
        }
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::Usage(format!("{name} is no text; write for example {name}={example}")))
        }
    }
}

/// The setting's value, if it is there and not empty.
pub(super) fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
