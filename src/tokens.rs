//! `nudge token`: makes tokens, and revokes them.

use anyhow::{Context, Result, anyhow, ensure};
use http::Method;
use nudge::{DataDir, TokenRequest, mint_with_id};
use nudge_contract::names::route;
use nudge_contract::token::{DEFAULT_MAX_HOURS, RevokeTokens, TokensRevoked, max_hours};

use crate::cli::{self, NewToken, Revoke, WithTokens};
use crate::sidecar::Sidecar;

/// The variable with the maximum lifetime, and how the environment may set it.
const MAX_HOURS: &str = "token_max_hours";
pub(crate) const MAX_HOURS_IN_ENVIRONMENT: &str = "SPIN_VARIABLE_TOKEN_MAX_HOURS";

pub(crate) fn run(options: &cli::Global, token: cli::Token) -> Result<()> {
    match token.what {
        Some(WithTokens::Revoke(which)) => revoke(options, &which),
        None => print(options, token.new),
    }
}

fn print(options: &cli::Global, new: NewToken) -> Result<()> {
    let max = max_of(options, std::env::var(MAX_HOURS_IN_ENVIRONMENT).ok())?;
    ensure!(
        new.hours <= max,
        "--hours {}: the api refuses tokens that are valid for more than {max} hours. If it runs with another {MAX_HOURS}, pass it here as \
         well: --variable {MAX_HOURS}=…",
        new.hours
    );
    let data = DataDir::open(&options.data_dir)?;
    let request = TokenRequest {
        user: new.user.context("USER is missing")?,
        email: new.email,
        time_zone: new.time_zone,
        hours: new.hours,
    };
    let minted = mint_with_id(&data, &request, jiff::Timestamp::now().as_second())?;
    eprintln!(
        "nudge: token id {}, to revoke it: nudge token revoke --user {} --id {0}",
        minted.id, request.user
    );
    println!("{}", minted.token);
    Ok(())
}

/// The maximum lifetime of tokens, as the server reads it: an option, the environment, or the default.
pub(crate) fn max_of(options: &cli::Global, environment: Option<String>) -> Result<u32> {
    let option = options.variables.iter().rev().find(|(name, _)| name == MAX_HOURS);
    option
        .map(|(_, value)| value.clone())
        .or(environment)
        .filter(|value| !value.is_empty())
        .map_or(Ok(DEFAULT_MAX_HOURS), |value| max_hours(&value))
        .map_err(|error| anyhow!(error))
}

fn revoke(options: &cli::Global, which: &Revoke) -> Result<()> {
    let sidecar = Sidecar::find(&which.sidecar, &options.data_dir)?;
    let runtime = tokio::runtime::Runtime::new().context("the async runtime cannot start")?;
    let body = RevokeTokens {
        user: which.user.clone(),
        id: which.id.clone(),
    };
    let done: TokensRevoked =
        runtime.block_on(sidecar.ask(Method::POST, route::TOKEN_REVOCATIONS, Some(&body)))?;
    let user = which.user.as_str();
    match &which.id {
        Some(id) => println!("The token {id} of {user} is revoked."),
        None => println!(
            "All tokens of {user} that were issued until {} are revoked.",
            done.revoked_at
        ),
    }
    println!("It takes up to 10 seconds. The user gets a new token from where the old one came from.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn parsed(arguments: &[&str]) -> cli::Cli {
        cli::Cli::try_parse_from(arguments).unwrap()
    }

    #[test]
    fn tokens_are_made_and_revoked_by_one_command() {
        for (arguments, revoked) in [
            (&["nudge", "token", "alice", "--hours", "1"][..], None),
            (&["nudge", "token", "--", "revoke"], None),
            (&["nudge", "token", "revoke", "--user", "alice"], Some(None)),
            (
                &["nudge", "token", "revoke", "--user", "a", "--id", "x"],
                Some(Some("x")),
            ),
        ] {
            let Some(cli::Command::Token(token)) = parsed(arguments).command else {
                panic!("{arguments:?}");
            };
            let found = token.what.map(|WithTokens::Revoke(which)| which.id);
            assert_eq!(
                found,
                revoked.map(|id: Option<&str>| id.map(str::to_owned)),
                "{arguments:?}"
            );
        }
        for arguments in [
            &["nudge", "token"][..],
            &["nudge", "token", "revoke"],
            &["nudge", "token", "alice", "--hours", "0"],
        ] {
            assert!(cli::Cli::try_parse_from(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn the_maximum_is_that_of_the_server() {
        let of = |arguments: &[&str], environment: Option<&str>| {
            let all = [&["nudge", "token", "alice"], arguments].concat();
            max_of(&parsed(&all).options, environment.map(str::to_owned)).ok()
        };
        let option = &["--variable", "token_max_hours=2"][..];
        assert_eq!(of(&[], None), Some(720));
        assert_eq!(of(&[], Some("")), Some(720));
        assert_eq!(of(&[], Some("8784")), Some(8_784));
        assert_eq!(of(option, Some("8784")), Some(2));
        assert_eq!(of(&["--variable", "token_max_hours=9000"], None), None);
    }
}
