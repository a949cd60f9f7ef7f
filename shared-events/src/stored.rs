//! How states, effects and timers are kept in a service's own tables: as JSON, so that a person can read the rows.

use serde::{Serialize, de::DeserializeOwned};

/// Makes serde types fit for a service's own tables: `stored!(Order, Deadline)`, or `stored!(Stock shape 2)` once the
/// shape of the rows has changed.
#[macro_export]
macro_rules! stored {
    ($($kept:ident $(shape $shape:literal)?),+ $(,)?) => { $(
        impl ::choreography::Stored for $kept {
            $(const SHAPE: u16 = $shape;)?
            fn encode(&self) -> Result<Vec<u8>, String> {
                $crate::stored::to_json(self, stringify!($kept))
            }
            fn decode(shape: u16, bytes: &[u8]) -> Result<Self, String> {
                $crate::stored::from_json(shape, bytes, <Self as ::choreography::Stored>::SHAPE, stringify!($kept))
            }
        }
    )+ };
}

/// Writes a row's body; what [`stored!`](crate::stored!) calls.
///
/// # Errors
/// When the value has no JSON form, such as a map whose keys are no strings.
pub fn to_json<T: Serialize>(kept: &T, name: &str) -> Result<Vec<u8>, String> {
    serde_json::to_vec(kept).map_err(|e| format!("`{name}` cannot be stored as JSON: {e}"))
}

/// Reads a row's body; what [`stored!`](crate::stored!) calls.
///
/// # Errors
/// When the row was written in another shape, or is not what it says.
pub fn from_json<T: DeserializeOwned>(shape: u16, bytes: &[u8], known: u16, name: &str) -> Result<T, String> {
    if shape != known {
        return Err(format!("`{name}` is stored in shape {shape}, and this build reads shape {known}"));
    }
    // Where it broke is told, not what was there: a row may hold what a customer wrote.
    serde_json::from_slice(bytes).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        format!(
            "the stored `{name}` is damaged or of another build: {:?} error at line {line}, column {column}",
            e.classify()
        )
    })
}
