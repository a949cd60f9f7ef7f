//! Starts the command line; everything else is in the library, where tests reach it.

fn main() -> std::process::ExitCode {
    tutti::cli::main()
}
