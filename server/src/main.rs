//! The process: arguments, logs, signals, exit codes.

mod arguments;
mod log;
mod process;

use std::process::ExitCode;

fn main() -> ExitCode {
    process::run(arguments::parse())
}
