//! Links that sign a user in to the page of the local system, and `nudge sign-in`, which prints one.
//!
//! The token is in the fragment of the URL, which a browser sends to no server (RFC 9110, section 4.2.5).

use anyhow::{Context, Result, ensure};
use jiff::tz::TimeZone;
use nudge::{DataDir, TokenRequest, mint};
use nudge_domain::id::UserId;
use nudge_domain::{MailAddress, Zone};

use crate::cli::{Global, SignIn};
use crate::one_time_link::OneTimeLink;
use crate::tokens::{MAX_HOURS_IN_ENVIRONMENT, max_of};

/// Hours for which a link signs in, unless the maximum lifetime of tokens is shorter: a week.
const HOURS: u32 = 168;

/// The user if the account has no usable name.
const NO_NAME: &str = "me";

/// A link, and for whom it is.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) url: String,
    pub(crate) user: String,
    pub(crate) email: String,
    pub(crate) hours: u32,
}

impl Link {
    /// A link to the page at `url`.
    pub(crate) fn new(options: &Global, who: &SignIn, data: &DataDir, url: &str) -> Result<Self> {
        let hours = HOURS.min(max_of(options, std::env::var(MAX_HOURS_IN_ENVIRONMENT).ok())?);
        let user = who.user.clone().map_or_else(account, String::from);
        let email = who
            .email
            .clone()
            .map_or_else(|| local_address(&user), String::from);
        let zone = who
            .time_zone
            .clone()
            .map_or_else(|| zone_of(&TimeZone::system()), String::from);
        let request = TokenRequest {
            user: user.clone(),
            email: Some(email.clone()),
            time_zone: Some(zone),
            hours,
        };
        let token = mint(data, &request, jiff::Timestamp::now().as_second())?;
        Ok(Self {
            url: format!("{url}/#token={token}"),
            user,
            email,
            hours,
        })
    }

    /// How long it is valid, in words.
    pub(crate) fn validity(&self) -> String {
        match self.hours {
            1 => "1 hour".to_owned(),
            hours if hours % 24 == 0 && hours > 24 => format!("{} days", hours / 24),
            hours => format!("{hours} hours"),
        }
    }
}

pub(crate) fn run(options: &Global, who: &SignIn) -> Result<()> {
    let folder = &options.data_dir;
    // Do not create the folder.
    let data = folder.is_dir().then(|| DataDir::open(folder)).transpose()?;
    let running = match &data {
        Some(data) => data.running()?.map(|running| (data, running)),
        None => None,
    };
    let (data, running) = running.with_context(|| {
        format!(
            "no nudge is running on {}: start `nudge up`, or name its folder with --data-dir",
            folder.display()
        )
    })?;
    ensure!(
        running.local_sign_in,
        "the page at {} signs in with an identity provider: open it there",
        running.url
    );
    let link = Link::new(options, who, data, &running.url)?;
    eprintln!(
        "nudge: this link signs in {} for {}; emails go to {}",
        link.user,
        link.validity(),
        link.email
    );
    println!("{}", link.url);
    if who.open {
        tokio::runtime::Runtime::new()
            .context("the async runtime cannot start")?
            .block_on(open(&link.url));
    }
    Ok(())
}

/// Opens a link in the browser. A failure is only a message, because the link is printed.
pub(crate) async fn open(url: &str) {
    let opened = async { OneTimeLink::bind(url).await?.open().await };
    if let Err(error) = opened.await {
        eprintln!("nudge: the browser cannot be opened, so open the link yourself: {error:#}");
    }
}

/// The name of the account, if it can be a user of the api.
fn account() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| name.parse::<UserId>().is_ok())
        .unwrap_or_else(|| NO_NAME.to_owned())
}

/// An address that no mail server but the local one delivers to (RFC 6761, section 6.3).
fn local_address(user: &str) -> String {
    [user, NO_NAME]
        .iter()
        .find_map(|name| format!("{name}@localhost").parse::<MailAddress>().ok())
        .map(String::from)
        .unwrap_or_default()
}

/// The IANA name of a zone, or UTC if it has none, such as one that a file describes.
fn zone_of(zone: &TimeZone) -> String {
    zone.iana_name()
        .filter(|name| name.parse::<Zone>().is_ok())
        .unwrap_or("UTC")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn link(arguments: &[&str]) -> (Link, serde_json::Value) {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let cli = crate::cli::Cli::try_parse_from([&["nudge"], arguments].concat()).unwrap();
        let link = Link::new(&cli.options, &cli.sign_in, &data, "http://127.0.0.1:3000").unwrap();
        let token = link.url.split_once("/#token=").unwrap().1;
        let claims = base64::Engine::decode(
            &base64::prelude::BASE64_URL_SAFE_NO_PAD,
            token.split('.').nth(1).unwrap(),
        );
        let claims = serde_json::from_slice(&claims.unwrap()).unwrap();
        (link, claims)
    }

    #[test]
    fn a_link_has_the_token_of_the_user() {
        let (link, claims) = link(&[
            "--user",
            "alice",
            "--email",
            "a@example.com",
            "--time-zone",
            "Asia/Tokyo",
        ]);
        assert!(link.url.starts_with("http://127.0.0.1:3000/#token=ey"));
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["email"], "a@example.com");
        assert_eq!(claims["zoneinfo"], "Asia/Tokyo");
        assert_eq!(link.validity(), "7 days");
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(lifetime, 7 * 86_400);
    }

    #[test]
    fn a_link_is_valid_no_longer_than_the_api_accepts() {
        let (link, claims) = link(&["--user", "alice", "--variable", "token_max_hours=2"]);
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!((lifetime, link.validity().as_str()), (7_200, "2 hours"));
    }

    #[test]
    fn every_user_has_an_address_on_this_machine() {
        for (user, address) in [
            ("alice", "alice@localhost"),
            ("a.b_c-9", "a.b_c-9@localhost"),
            ("John Doe", "me@localhost"),
            ("zoë", "me@localhost"),
        ] {
            assert_eq!(local_address(user), address);
        }
    }

    #[test]
    fn a_zone_without_a_name_is_utc() {
        assert_eq!(zone_of(&TimeZone::get("Europe/Berlin").unwrap()), "Europe/Berlin");
        assert_eq!(zone_of(&TimeZone::fixed(jiff::tz::offset(3))), "UTC");
        assert_eq!(zone_of(&TimeZone::unknown()), "UTC");
    }
}
