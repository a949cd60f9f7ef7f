//! What PostgreSQL's errors mean for the writer.

use crate::store::StoreError;
use std::{error::Error as _, io};
use tokio_postgres::{Error, error::SqlState};

/// An error in one line: the server's message and code, or the chain of what went wrong on the way to it. Never the
/// detail, which may quote stored values.
pub(crate) fn describe(error: &Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", db.message(), db.code().code());
    }
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        why = format!("{why}: {inner}");
        cause = inner.source();
    }
    why
}

/// What is wrong with a session, and not with what was asked of it.
pub(crate) fn outage(error: &Error) -> StoreError {
    StoreError::Outage(describe(error))
}

/// Content that can never be taken is the input's fault. Missing tables are a person's. Everything else is waited for:
/// the session is dropped, and a new reign reads what is true.
pub(crate) fn store_error(error: Error) -> StoreError {
    let Some(state) = error.code() else { return outage(&error) };
    match state.code().get(..2) {
        Some("22" | "23") => StoreError::Data(describe(&error)),
        // Among other things an index row that is too large; the door bounds every key so that there is none.
        _ if *state == SqlState::PROGRAM_LIMIT_EXCEEDED => StoreError::Data(describe(&error)),
        _ if *state == SqlState::UNDEFINED_TABLE || *state == SqlState::UNDEFINED_COLUMN => StoreError::Fatal(format!(
            "the tables of this service are not as this build made them ({}): restore the database from its backup, \
             or see that DATABASE_URL names the right one",
            describe(&error)
        )),
        _ => outage(&error),
    }
}

/// Whether connecting failed for something that waiting does not mend: wrong password, unknown database, no right to
/// connect, a URL that asks for what this program cannot do.
pub(super) fn is_of_the_settings(error: &Error) -> bool {
    if let Some(state) = error.code() {
        let code = state.code();
        return code.starts_with("28") || code == "3D000" || code == "42501";
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<io::Error>() {
            return false;
        }
        cause = inner.source();
    }
    !error.is_closed()
}
