//! A command shown in a document is one that the command line takes, with these very arguments.

use super::File;
use clap::Parser;
use tutti::cli::args::Cli;

pub fn check(files: &[File]) -> Vec<String> {
    let mut found = vec![];
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        for command in commands(&file.text) {
            if let Err(why) = parsed(&words(command)) {
                found.push(format!("{}: `{command}`: {why}", file.path));
            }
        }
    }
    found
}

/// The lines of all blocks marked `sh`, without their comments.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks
        .flat_map(str::lines)
        .map(|line| line.split(" #").next().unwrap_or(line).trim())
        .filter(|line| !line.is_empty())
}

/// Splits at spaces that are not between quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in command.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (' ', None) => words.push(String::new()),
            (c, _) => words.iter_mut().last().into_iter().for_each(|word| word.push(c)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn parsed(words: &[String]) -> Result<(), String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match &words[..] {
        ["cargo", "run", "--release", "--", arguments @ ..] | ["tutti" | "target/release/tutti", arguments @ ..] => {
            taken::<Cli>(arguments)
        }
        ["cargo", "xtask", arguments @ ..] => taken::<crate::Xtask>(arguments),
        _ => Ok(()),
    }
}

fn taken<C: Parser>(arguments: &[&str]) -> Result<(), String> {
    let parsed = C::try_parse_from(std::iter::once("command").chain(arguments.iter().copied()));
    parsed.map(drop).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(block: &str) -> Vec<String> {
        check(&[File { path: "a.md".into(), text: format!("text\n```sh\n{block}\n```\n") }])
    }

    #[test]
    fn a_command_that_the_command_line_takes_passes() {
        let block =
            "cargo run --release -- order cancel ID --reason \"ordered twice\"   # why not\ncargo test\ntutti map";
        assert_eq!(found(block), [""; 0]);
    }

    #[test]
    fn a_command_that_it_does_not_take_is_found() {
        assert_eq!(found("cargo run --release -- fly").len(), 1);
        assert_eq!(found("tutti order place --colour red").len(), 1);
        assert_eq!(found("cargo xtask fly"), ["a.md: `cargo xtask fly`: error: unrecognized subcommand 'fly'"]);
    }
}
