//! What email must do: which message follows which event, what it says, and how it is sent.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

mod decisions;
mod mail;
mod samples;
mod sms;
mod smtp;
mod words;
