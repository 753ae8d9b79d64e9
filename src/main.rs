//! `nudge`: the whole system on one machine.

mod cli;
mod dead_letters;
mod import;
mod log;
mod migrate;
mod process;
mod sidecar;
mod tokens;
mod up;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use nudge::DataDir;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command.unwrap_or(Command::Up) {
        Command::Up => up::run(&cli.options),
        Command::Token(token) => tokens::run(&cli.options, token),
        Command::Emails => print_emails(&cli.options),
        Command::DeadLetters(letters) => dead_letters::run(&cli.options, &letters),
        Command::Import(import) => import::run(&cli.options, &import),
        Command::Migrate(migrate) => migrate::run(&cli.options, &migrate),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nudge: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn print_emails(options: &cli::Global) -> Result<()> {
    let data = DataDir::open(&options.data_dir)?;
    for email in nudge::emails(&data.mail())? {
        println!(
            "To: {}\nSubject: {}\n\n{}\n",
            email.to,
            email.subject,
            email.text()
        );
    }
    Ok(())
}
