//! What the output may look like: colour and bars on a terminal, plain lines in a pipe, JSON for machines.

use crate::failure::Failure;
use std::{
    fmt::Display,
    io::{IsTerminal, Write},
};

/// How a piece of text is meant; only a terminal shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Went as it should.
    Good,
    /// Went wrong.
    Bad,
    /// Deserves a look: an undo, a wait, a retry.
    Notable,
    /// Needed now and then only.
    Faint,
    /// A heading.
    Strong,
}

/// Where the output goes, and what it may use there.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// One JSON document instead of text.
    pub json: bool,
    /// A person watches: bars and lines that change in place are welcome.
    pub terminal: bool,
    /// Colours may be used.
    pub colour: bool,
    /// Columns to fill.
    pub width: usize,
}

impl Screen {
    /// The screen this process writes to. `NO_COLOR` (any value but the empty one) turns colours off.
    #[must_use]
    pub fn detect(json: bool) -> Screen {
        let terminal = !json && std::io::stdout().is_terminal();
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Screen { json, terminal, colour: terminal && !refused && !dumb, width: 110 }
    }

    /// A pipe: no colour, no bars.
    #[must_use]
    pub fn plain() -> Screen {
        Screen { json: false, terminal: false, colour: false, width: 110 }
    }

    /// `text` in its tone, where colours may be used.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Notable => "33",
            Tone::Faint => "2",
            Tone::Strong => "1",
            Tone::Plain => return text.to_owned(),
        };
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// An error for stderr.
    #[must_use]
    pub fn error(&self, text: &str) -> String {
        format!("{} {text}", self.paint(Tone::Bad, "error:"))
    }

    /// Writes one line, or several, to stdout.
    ///
    /// # Errors
    /// When nobody reads any more. `println!` would panic there.
    pub fn say(&self, text: impl Display) -> Result<(), Failure> {
        writeln!(std::io::stdout().lock(), "{text}").map_err(|_| Failure::Unread)
    }

    /// Writes a JSON document to stdout: on one line in a pipe, indented for a person.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn document(&self, value: &serde_json::Value) -> Result<(), Failure> {
        if std::io::stdout().is_terminal() { self.say(format!("{value:#}")) } else { self.say(value) }
    }
}
