//! Texts from outside: the command line, and what stands in headers and records.

use clap::Parser;
use runtime::{Cause, TraceId, Traceparent};
use std::str::FromStr;
use tutti::{cli::args::Cli, time::parse_span};

/// Reads the lines as arguments of `tutti`, and each of them as every text that has a form. Whether
/// `tutti` takes them.
///
/// # Panics
/// When a text that was read is written as something else.
pub fn read(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        drop(parse_span(line));
        drop(order::request::check_customer_id("customer_id", line));
        comes_back::<Traceparent>(line);
        comes_back::<TraceId>(line);
        comes_back::<Cause>(line);
    }
    Cli::try_parse_from(std::iter::once("tutti").chain(text.lines())).is_ok()
}

fn comes_back<T: FromStr + ToString>(text: &str) {
    let Ok(read) = text.parse::<T>() else { return };
    let written = read.to_string();
    let again = written.parse::<T>().map(|again| again.to_string());
    assert_eq!(again.ok().as_ref(), Some(&written), "{text} was read as {written}");
}
