//! Pages that links in emails lead to. They need no login: the token in the link is the permission.
//!
//! A GET changes nothing, because programs that check links for malware follow them; a button does. The pages contain no script, load
//! nothing, are not stored, and do not show an address. Without a valid token nothing is written.

use std::sync::atomic::{AtomicU32, Ordering};

use askama::Template;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::serve::PathText;
use sha2::{Digest, Sha256};

use crate::db::Database;
use crate::random_token;
use crate::recipients::address::{self, Link};
use crate::recipients::standing::{self, Scope, StopLink, StopReason};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;background:#f4f4f5;color:#18181b;font:17px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
main{box-sizing:border-box;max-width:34rem;margin:8vh auto 0;padding:2rem;background:#fff;border-radius:12px}\
.name{margin:0 0 1rem;color:#71717a;font-weight:600}\
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25}\
p{margin:0 0 .75rem}\
form{margin:1.5rem 0 0}\
button{min-height:44px;padding:.6rem 1.2rem;border:1px solid #1d4ed8;border-radius:8px;background:#1d4ed8;color:#fff;font:inherit;font-weight:600;cursor:pointer}\
button.quiet{background:transparent;color:#1d4ed8}\
button:focus-visible{outline:3px solid #93c5fd;outline-offset:2px}\
@media(max-width:36rem){main{margin:0;border-radius:0;min-height:100vh;padding:1.5rem}}\
@media(prefers-color-scheme:dark){body{background:#18181b;color:#e4e4e7}main{background:#27272a}.name{color:#a1a1aa}\
button{background:#2563eb;border-color:#2563eb}button.quiet{background:transparent;border-color:#93c5fd;color:#93c5fd}}";

pub(super) fn router() -> Router {
    Router::new()
        .route("/email/confirm/{token}", get(confirm_page).post(confirm))
        .route("/email/stop/{token}", get(stop_page).post(stop))
        .route("/email/resume/{token}", post(resume))
        .route_layer(from_fn(bounded))
}

/// Requests for links that an instance serves at the same time. Anyone may send them, and each asks the database, so they must not take
/// the connections that users need.
const MOST_LOOKUPS: u32 = 2;

/// How many there are.
static LOOKUPS: AtomicU32 = AtomicU32::new(0);

/// One of them, until it is dropped.
struct Lookup;

impl Lookup {
    /// None if there are as many as may be.
    fn begin() -> Option<Self> {
        // Dropped in any case, so that it is counted down.
        let lookup = Self;
        (LOOKUPS.fetch_add(1, Ordering::Relaxed) < MOST_LOOKUPS).then_some(lookup)
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        LOOKUPS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Middleware: 503 beyond [`MOST_LOOKUPS`].
async fn bounded(request: Request, next: Next) -> Result<Response, Problem> {
    let Some(_lookup) = Lookup::begin() else {
        let mut response = page(
            StatusCode::SERVICE_UNAVAILABLE,
            "Try again in a moment",
            &["Too many links are being opened at the moment. Open this page again in a second."],
            None,
        )?;
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        return Ok(response);
    };
    Ok(next.run(request).await)
}

#[derive(Template)]
#[template(path = "email_page.html")]
struct Page<'a> {
    title: &'a str,
    lines: &'a [&'a str],
    buttons: Vec<Button<'a>>,
    style: &'static str,
}

struct Button<'a> {
    label: &'a str,
    /// Where it posts to; none is the page itself.
    action: Option<String>,
    quiet: bool,
}

fn page<'a>(
    status: StatusCode,
    title: &str,
    lines: &[&str],
    buttons: impl IntoIterator<Item = Button<'a>>,
) -> Result<Response, Problem> {
    let html = Page {
        title,
        lines,
        buttons: buttons.into_iter().collect(),
        style: STYLE,
    }
    .render()
    .map_err(Problem::internal)?;
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        STANDARD.encode(Sha256::digest(STYLE))
    );
    let policy = HeaderValue::try_from(policy).map_err(Problem::internal)?;
    let fixed = |name: HeaderName, value| (name, HeaderValue::from_static(value));
    let headers = [
        fixed(CONTENT_TYPE, "text/html; charset=utf-8"),
        fixed(CACHE_CONTROL, "no-store"),
        fixed(REFERRER_POLICY, "no-referrer"),
        fixed(X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, policy),
    ];
    Ok((status, headers, html).into_response())
}

async fn confirm_page(PathText(token): PathText) -> Result<Response, Problem> {
    if !random_token::is_one(&token) {
        return not_confirmable(Link::Invalid);
    }
    match address::look_at(&Database::open().await?, &token).await? {
        Link::Valid => page(
            StatusCode::OK,
            "Confirm your address",
            &[
                "Someone asked Nudge, a task service, to send reminders to the address that this link was sent to.",
                "If that was you, confirm. If not, close this page: nothing else will be sent.",
            ],
            Some(Button {
                label: "Send reminders to my address",
                action: None,
                quiet: false,
            }),
        ),
        link => not_confirmable(link),
    }
}

async fn confirm(PathText(token): PathText) -> Result<Response, Problem> {
    if !random_token::is_one(&token) {
        return not_confirmable(Link::Invalid);
    }
    match address::confirm(&Database::open().await?, &token).await? {
        Link::Valid => page(
            StatusCode::OK,
            "Your address is confirmed",
            &[
                "Reminders come to this address from now on.",
                "Every email has a link that stops them.",
            ],
            None,
        ),
        link => not_confirmable(link),
    }
}

fn not_confirmable(link: Link) -> Result<Response, Problem> {
    match link {
        Link::Blocked => page(
            StatusCode::CONFLICT,
            "This address gets no email",
            &[
                "You asked Nudge never to write to this address. So it cannot be confirmed.",
                "To undo that, open the link at the end of the email again, the one that says you did not ask for it.",
            ],
            None,
        ),
        Link::Valid | Link::Invalid => page(
            StatusCode::NOT_FOUND,
            "This link does not work any more",
            &[
                "It was used before, is older than 24 hours, or was replaced by the link in a later email.",
                "If you have confirmed your address with it, there is nothing left to do. Otherwise set the address again in your \
                 profile, and open the link in the new email.",
            ],
            None,
        ),
    }
}

async fn stop_page(PathText(token): PathText) -> Result<Response, Problem> {
    let Some(link) = find(&token).await?.map(|(_, link)| link) else {
        return unknown();
    };
    if link.stop.is_some() {
        return stopped(&link, &token);
    }
    match link.scope {
        Scope::User => page(
            StatusCode::OK,
            "Stop emails from Nudge?",
            &[
                "The account whose email had this link will not send emails to your address any more, reminders included.",
            ],
            [
                Some(Button {
                    label: "Stop emails",
                    action: None,
                    quiet: false,
                }),
                never_again(&link),
            ]
            .into_iter()
            .flatten(),
        ),
        Scope::Everyone => page(
            StatusCode::OK,
            "Never write to this address again?",
            &[
                "No account of this Nudge will be able to have an email sent to your address, until you undo it on this page.",
            ],
            Some(Button {
                label: "Never write to me again",
                action: None,
                quiet: false,
            }),
        ),
    }
}

async fn stop(PathText(token): PathText) -> Result<Response, Problem> {
    let Some((database, link)) = find(&token).await? else {
        return unknown();
    };
    let now = Timestamp::now();
    if link.stop.is_none() {
        standing::stop_by_link(&database, &token, link.scope, now).await?;
    }
    let reason = match link.scope {
        Scope::User => StopReason::Asked,
        Scope::Everyone => StopReason::Blocked,
    };
    let stop = link.stop.unwrap_or(standing::Stop { reason, since: now });
    stopped(
        &StopLink {
            stop: Some(stop),
            ..link
        },
        &token,
    )
}

async fn resume(PathText(token): PathText) -> Result<Response, Problem> {
    let Some((database, link)) = find(&token).await? else {
        return unknown();
    };
    standing::resume_by_link(&database, &token, link.scope).await?;
    let line = match link.scope {
        Scope::User => "Emails of this account come to your address again.",
        Scope::Everyone => "Accounts of this Nudge can ask you again to confirm your address.",
    };
    page(
        StatusCode::OK,
        "Undone",
        &[line],
        Some(Button {
            label: "Stop emails",
            action: Some(format!("../stop/{token}")),
            quiet: true,
        }),
    )
}

/// The button of a reminder's link that stops emails of all users.
fn never_again(link: &StopLink) -> Option<Button<'static>> {
    let token = link.block_token.as_deref()?;
    Some(Button {
        label: "Never write to me again",
        action: Some(format!("../stop/{token}")),
        quiet: true,
    })
}

fn stopped(link: &StopLink, token: &str) -> Result<Response, Problem> {
    let undo = |label, token: &str| Button {
        label,
        action: Some(format!("../resume/{token}")),
        quiet: true,
    };
    match link.stop.map(|stop| stop.reason) {
        Some(StopReason::Blocked) => page(
            StatusCode::OK,
            "Nudge will not write to you again",
            &[
                "No account can have an email sent to your address.",
                "Keep the email with this link if you may want to undo that later.",
            ],
            // A block is undone by its own link.
            [undo("Undo", link.block_token.as_deref().unwrap_or(token))],
        ),
        Some(StopReason::Refused(_) | StopReason::Invalid) => page(
            StatusCode::OK,
            "Emails are stopped",
            &["The mail server refused your address, so Nudge stopped writing to it."],
            [undo("Send emails again", token)],
        ),
        Some(StopReason::Asked) | None => page(
            StatusCode::OK,
            "Emails are stopped",
            &[
                "The account does not send emails to your address any more. Its profile says so.",
                "An email that is on its way may still arrive.",
            ],
            [Some(undo("Undo", token)), never_again(link)]
                .into_iter()
                .flatten(),
        ),
    }
}

fn unknown() -> Result<Response, Problem> {
    page(
        StatusCode::NOT_FOUND,
        "This link does not work any more",
        &[
            "The account that it belongs to was deleted, or the link is incomplete.",
            "If you still get emails, use the link at the end of the newest one.",
        ],
        None,
    )
}

/// What a link stops. The database is asked only if the token can be one.
async fn find(token: &str) -> Result<Option<(Database, StopLink)>, Problem> {
    if !random_token::is_one(token) {
        return Ok(None);
    }
    let database = Database::open().await?;
    let link = standing::find_link(&database, token).await?;
    Ok(link.map(|link| (database, link)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookups_are_bounded_and_one_that_ends_makes_room() {
        let all: Vec<_> = (0..MOST_LOOKUPS).map(|_| Lookup::begin()).collect();
        assert!(all.iter().all(Option::is_some));
        assert!(Lookup::begin().is_none());
        assert!(Lookup::begin().is_none(), "a refusal takes no room either");
        drop(all);
        assert!(Lookup::begin().is_some());
    }
}
