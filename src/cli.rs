//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use nudge::Synchronous;
use nudge_contract::legacy::Master;
use nudge_domain::id::UserId;
use nudge_domain::{MailAddress, Zone};

/// Nudge keeps your tasks, reminds you by email and creates the next occurrence of recurring work.
///
/// `cargo run` is `nudge up`: it builds the WebAssembly components, starts them beside embedded Dapr sidecars and a mail sink, and
/// says what to do next. Everything it keeps is in one folder, .nudge; email is stored there as .eml files and never leaves the machine.
#[derive(Debug, Parser)]
#[command(name = "nudge", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) options: Global,
    #[command(flatten)]
    pub(crate) sign_in: SignIn,
}

const EXAMPLES: &str = "\
Examples (with cargo: `cargo run -- …`):
  nudge                                   build if needed, and run
  nudge --open                            and open the page in the browser, signed in
  nudge up --listen 127.0.0.1:8080        on another port
  nudge --data-dir /tmp/demo              with separate data
  nudge --variable rate_limit_per_minute=0
  nudge sign-in                           another link to the page, signed in
  nudge token alice --email alice@example.com --time-zone Europe/Berlin
  nudge emails                            what was sent to them
  RUST_LOG=debug nudge up                 see every delivery and request";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build the components and run everything until Ctrl-C (the default).
    Up(SignIn),
    /// Print a link that signs a user in to the page of the `nudge up` on the data folder.
    SignIn(SignIn),
    /// Print a token for a user, alone on the last line, or revoke tokens. Works while the server runs.
    Token(Token),
    /// Print the emails that were sent, oldest first, without their HTML markup. Works while the server runs.
    Emails,
    /// Show the events that no consumer could handle; publish them once more, or forget them.
    DeadLetters(DeadLetters),
    /// Import the tasks, categories and tags of the system that Nudge replaces. Can be repeated: docs/MIGRATION.md.
    Import(Import),
    /// Set which system reminds users, Nudge or the one that it replaces, or print the current setting.
    Migrate(Migrate),
}

/// Whom the link to the page signs in.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SignIn {
    /// Open the page in the browser, signed in.
    #[arg(long)]
    pub(crate) open: bool,
    /// The user to sign in [default: the name of your account].
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<UserId>,
    /// The address for this user's reminders [default: USER@localhost].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<MailAddress>,
    /// The time zone of this user: an IANA name such as Europe/Berlin [default: that of this machine].
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<Zone>,
}

impl SignIn {
    /// These options, and those of `other` where these are not given.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            open: self.open || other.open,
            user: self.user.or(other.user),
            email: self.email.or(other.email),
            time_zone: self.time_zone.or(other.time_zone),
        }
    }

    /// Whether no option is given.
    pub(crate) fn is_empty(&self) -> bool {
        !self.open && self.user.is_none() && self.email.is_none() && self.time_zone.is_none()
    }
}

/// The sidecar for commands that call the api.
#[derive(Debug, Args)]
pub(crate) struct SidecarOptions {
    /// A sidecar that can call the app `api` [default: that of the `nudge up` on the data folder].
    #[arg(long, value_name = "ADDRESS", env = "NUDGE_SIDECAR")]
    pub(crate) sidecar: Option<SocketAddr>,
    /// The API token of that sidecar.
    #[arg(long, value_name = "TOKEN", env = "DAPR_API_TOKEN", hide_env_values = true)]
    pub(crate) sidecar_token: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DeadLetters {
    /// What to do with them; the default is to show them.
    #[command(subcommand)]
    pub(crate) what: Option<WithDeadLetters>,
    #[command(flatten)]
    pub(crate) sidecar: SidecarOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WithDeadLetters {
    /// Publish them again on their original topics, once their consumers can handle them.
    Replay(Which),
    /// Delete them.
    Discard(Which),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// The ids of the events.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// All events.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The database with the tables tasks, categories, tags and task_tags; without TLS.
    #[arg(
        long,
        value_name = "postgres://…",
        env = "NUDGE_IMPORT_FROM",
        hide_env_values = true
    )]
    pub(crate) from: String,
    /// Give open tasks a reminder this many minutes before they are due, as the other system does [default: none].
    #[arg(long = "remind-before-minutes", value_name = "MINUTES")]
    pub(crate) remind_before: Option<u32>,
    #[command(flatten)]
    pub(crate) sidecar: SidecarOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// The system that sends reminders from now on; without this, print the current setting.
    #[arg(long, value_enum, value_name = "SYSTEM", requires = "whom")]
    pub(crate) to: Option<System>,
    /// The users, separated by commas.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "USERS",
        group = "whom",
        requires = "to"
    )]
    pub(crate) users: Vec<String>,
    /// All users, replacing earlier settings of single users.
    #[arg(long, group = "whom", requires = "to")]
    pub(crate) everybody: bool,
    #[command(flatten)]
    pub(crate) sidecar: SidecarOptions,
}

/// One of the two systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum System {
    /// This system.
    Nudge,
    /// The system that it replaces.
    Legacy,
}

impl From<System> for Master {
    fn from(system: System) -> Self {
        match system {
            System::Nudge => Self::Nudge,
            System::Legacy => Self::Legacy,
        }
    }
}

/// Options before or after the command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The address of the application; port 0 picks a free one.
    #[arg(long, global = true, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// The folder for all data: database, events, secrets, emails.
    #[arg(long, global = true, default_value = ".nudge", value_name = "FOLDER")]
    pub(crate) data_dir: PathBuf,
    /// Do not build the components; run the ones that are already built.
    #[arg(long, global = true)]
    pub(crate) no_build: bool,
    /// When SQLite waits for the disk: full, at each commit, or normal, which is faster, but a power cut may lose the last
    /// commits. For measurements and tests.
    #[arg(
        long,
        global = true,
        env = "NUDGE_SYNCHRONOUS",
        default_value_t,
        value_name = "LEVEL"
    )]
    pub(crate) synchronous: Synchronous,
    /// A variable of spin.toml, as for `spin up`; can be repeated.
    #[arg(long = "variable", global = true, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) variables: Vec<(String, String)>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Token {
    #[command(subcommand)]
    pub(crate) what: Option<WithTokens>,
    #[command(flatten)]
    pub(crate) new: NewToken,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WithTokens {
    /// Refuse tokens of a user from now on, although they have not expired. It takes up to 10 seconds.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Whose tokens: all that were issued until now.
    #[arg(long, value_name = "USER")]
    pub(crate) user: UserId,
    /// Only the token with this id, its claim `jti`.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) sidecar: SidecarOptions,
}

#[derive(Debug, Args)]
pub(crate) struct NewToken {
    /// The user the token is for.
    #[arg(required = true)]
    pub(crate) user: Option<String>,
    /// The address for this user's reminders.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// The time zone of this user: an IANA name such as Europe/Berlin [default: UTC].
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Hours until the token expires, at most the maximum of the server (variable token_max_hours).
    #[arg(long, default_value_t = 24, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) hours: u32,
}
