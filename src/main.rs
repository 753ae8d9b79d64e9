//! `nudge`: the whole system on one machine.

mod cli;
mod dead_letters;
mod import;
mod log;
mod migrate;
mod one_time_link;
mod process;
mod sidecar;
mod sign_in;
mod tokens;
mod up;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use nudge::DataDir;

use crate::cli::{Cli, Command, SignIn};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nudge: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let command = cli.command.unwrap_or(Command::Up(SignIn::default()));
    ensure!(
        cli.sign_in.is_empty() || matches!(command, Command::Up(_) | Command::SignIn(_)),
        "--open, --user, --email and --time-zone before the command are options of `up` and `sign-in`: give them after the command"
    );
    match command {
        Command::Up(who) => up::run(&cli.options, &who.or(cli.sign_in)),
        Command::SignIn(who) => sign_in::run(&cli.options, &who.or(cli.sign_in)),
        Command::Token(token) => tokens::run(&cli.options, token),
        Command::Emails => print_emails(&cli.options),
        Command::DeadLetters(letters) => dead_letters::run(&cli.options, &letters),
        Command::Import(import) => import::run(&cli.options, &import),
        Command::Migrate(migrate) => migrate::run(&cli.options, &migrate),
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
