//! Changes of a profile, and with it of the address that emails go to.
//!
//! The address of the token counts, and one that its holder confirmed through a link. Until then emails go where they went before. The
//! former address is told.

use jiff::Timestamp;
use nudge_domain::MailAddress;
use nudge_domain::task::Patch;
use uuid::Uuid;

use super::limits::{self, CountError, Reached};
use super::me::valid_until;
use super::standing::{self, StopReason};
use super::{Mailbox, links, notices};
use crate::caller::Caller;
use crate::db::{Database, DbError, milliseconds};
use crate::error::ServiceError;
use crate::profile::{self, NewNotice, NoticeKind, Pending, Profile, ProfilePatch, Revision};
use crate::version::{ATTEMPTS, Conditions, Thing};

/// Why a change of a profile was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddressError {
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The holder of the mailbox never wants to be written to.
    #[error("the address is blocked by its holder")]
    Blocked,
    /// Too many confirmations were requested today.
    #[error("the limit {} is reached", .0.limit.name())]
    Limited(Reached),
    /// There can be no link, so no address can be confirmed. The text is for the log.
    #[error("no link can be made: {0}")]
    NoLinks(String),
    /// There is no address to resume.
    #[error("there is no address")]
    NoAddress,
}

impl From<DbError> for AddressError {
    fn from(error: DbError) -> Self {
        Self::Service(error.into())
    }
}

impl From<CountError> for AddressError {
    fn from(error: CountError) -> Self {
        match error {
            CountError::Reached(reached) => Self::Limited(reached),
            CountError::Setting(reason) => Self::NoLinks(reason),
            CountError::Database(error) => error.into(),
        }
    }
}

/// Changes what a user set. Another address than the one in use and the token's waits for its confirmation, and setting it again
/// requests another link.
pub(crate) async fn patch(
    caller: &Caller,
    expected: &Conditions,
    patch: &ProfilePatch,
) -> Result<Profile, AddressError> {
    let Caller { user, database, .. } = caller;
    let mut counted = false;
    for _ in 0..ATTEMPTS {
        let now = milliseconds(Timestamp::now());
        let before = profile::remember(database, user, now).await?;
        expected
            .check(Thing::Profile, before.revision.version)
            .map_err(ServiceError::from)?;
        if before.closing {
            return Err(DbError::AccountClosing.into());
        }
        let mut next = before.clone();
        next.apply(patch).map_err(ServiceError::from)?;
        let mut notice = None;
        match &patch.email {
            Patch::Value(address) if needs_confirmation(&before, address) => {
                if !counted {
                    request_allowed(database, &before, address, now).await?;
                    counted = true;
                }
                next.pending = Some(Pending {
                    email: address.to_string(),
                    token: links::token(),
                    asked_at: now,
                });
                notice = Some(NewNotice {
                    id: Uuid::now_v7(),
                    kind: NoticeKind::Confirm,
                    to: address.to_string(),
                });
            }
            Patch::Value(address) => {
                next.pending = None;
                next.own_email = Some(address.to_string());
                notice = changed(&before, &next);
            }
            Patch::Null => {
                next.pending = None;
                next.own_email = None;
                notice = changed(&before, &next);
            }
            Patch::Absent | Patch::Unreadable => {}
        }
        if next == before {
            return Ok(next);
        }
        if store(database, &mut next, notice, now).await? {
            return Ok(next);
        }
    }
    Err(ServiceError::contended(Thing::Profile, &user.id).into())
}

/// Stores the next version of a profile and publishes its notice. Returns `false` if another request was faster.
async fn store(
    database: &Database,
    next: &mut Profile,
    notice: Option<NewNotice>,
    now: Timestamp,
) -> Result<bool, DbError> {
    next.revision = Revision {
        version: next.revision.version.saturating_add(1),
        updated_at: now,
    };
    let stored = profile::update(database, next, notice.as_ref(), now).await?;
    if let Some(notice) = notice.filter(|_| stored) {
        notices::publish_after_response(notice.id, next.id.clone());
    }
    Ok(stored)
}

/// Whether an address is neither in use nor the token's.
fn needs_confirmation(profile: &Profile, address: &MailAddress) -> bool {
    let is_same = |known: &str| match known.parse::<MailAddress>() {
        Ok(known) => known.to_ascii().eq_ignore_ascii_case(address.to_ascii()),
        Err(_) => false,
    };
    ![profile.email(), profile.token_email()]
        .into_iter()
        .flatten()
        .any(is_same)
}

/// Whether an email may be sent that asks to confirm an address. Counts it.
async fn request_allowed(
    database: &Database,
    profile: &Profile,
    address: &MailAddress,
    now: Timestamp,
) -> Result<(), AddressError> {
    if links::public_url()
        .await
        .map_err(AddressError::NoLinks)?
        .is_none()
    {
        return Err(AddressError::NoLinks(
            "the variable public_url is not set".to_owned(),
        ));
    }
    let pair = (profile.id.clone(), Mailbox::of(address.as_str()));
    // Before the response says whether the mailbox is blocked, so that a user cannot find that out about many.
    limits::count_confirmation(database, &pair.0, &pair.1, now).await?;
    let standing = standing::find(database, std::slice::from_ref(&pair), now).await?;
    let stop = standing.get(&pair).and_then(|standing| standing.stop);
    if stop.is_some_and(|stop| stop.reason == StopReason::Blocked) {
        return Err(AddressError::Blocked);
    }
    // A stop of the time before does not hold up the email that was just asked for.
    standing::stop_tokens(database, [&pair]).await?;
    standing::resume(database, &pair).await?;
    Ok(())
}

/// The notice to the former address, if emails go elsewhere from now on.
fn changed(before: &Profile, after: &Profile) -> Option<NewNotice> {
    let former = before.email()?;
    let is_same = after
        .email()
        .is_some_and(|now| Mailbox::of(now) == Mailbox::of(former));
    (!is_same).then(|| NewNotice {
        id: Uuid::now_v7(),
        kind: NoticeKind::Changed,
        to: former.to_owned(),
    })
}

/// What a link that confirms an address leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// It can be confirmed, or just was.
    Valid,
    /// It is of no request, or was used, replaced, or is too old.
    Invalid,
    /// The holder of the mailbox never wants to be written to.
    Blocked,
}

/// The profile whose address a link confirms, or why it cannot.
async fn pending(
    database: &Database,
    token: &str,
    now: Timestamp,
) -> Result<Result<(Profile, Pending), Link>, DbError> {
    if !links::is_token(token) {
        return Ok(Err(Link::Invalid));
    }
    let Some(profile) = profile::find_by_pending_token(database, token).await? else {
        return Ok(Err(Link::Invalid));
    };
    let Some(pending) = profile
        .pending
        .clone()
        .filter(|pending| valid_until(pending.asked_at) > now)
    else {
        return Ok(Err(Link::Invalid));
    };
    if profile.closing {
        return Ok(Err(Link::Invalid));
    }
    let pair = (profile.id.clone(), Mailbox::of(&pending.email));
    let standing = standing::find(database, std::slice::from_ref(&pair), now).await?;
    let stop = standing.get(&pair).and_then(|standing| standing.stop);
    if stop.is_some_and(|stop| stop.reason == StopReason::Blocked) {
        return Ok(Err(Link::Blocked));
    }
    Ok(Ok((profile, pending)))
}

/// What a link leads to. Changes nothing: programs that check links follow them.
pub(crate) async fn look_at(database: &Database, token: &str) -> Result<Link, DbError> {
    let found = pending(database, token, Timestamp::now()).await?;
    Ok(found.err().unwrap_or(Link::Valid))
}

/// Confirms an address: emails go there from now on.
pub(crate) async fn confirm(database: &Database, token: &str) -> Result<Link, ServiceError> {
    for _ in 0..ATTEMPTS {
        let now = milliseconds(Timestamp::now());
        let (before, pending) = match pending(database, token, now).await? {
            Ok(found) => found,
            Err(link) => return Ok(link),
        };
        let mut next = before.clone();
        next.pending = None;
        next.own_email = Some(pending.email);
        let notice = changed(&before, &next);
        if store(database, &mut next, notice, now).await? {
            return Ok(Link::Valid);
        }
    }
    Err(ServiceError::contended(Thing::Profile, "of a link"))
}

/// Sends emails to the address in use again.
pub(crate) async fn resume(caller: &Caller, expected: &Conditions) -> Result<Profile, AddressError> {
    let Caller { user, database, .. } = caller;
    let now = Timestamp::now();
    let profile = profile::remember(database, user, now).await?;
    expected
        .check(Thing::Profile, profile.revision.version)
        .map_err(ServiceError::from)?;
    let address = profile.email().ok_or(AddressError::NoAddress)?;
    let pair = (profile.id.clone(), Mailbox::of(address));
    let standing = standing::find(database, std::slice::from_ref(&pair), now).await?;
    match standing.get(&pair).and_then(|standing| standing.stop) {
        Some(stop) if stop.reason == StopReason::Blocked => return Err(AddressError::Blocked),
        Some(_) => standing::resume(database, &pair).await?,
        None => return Ok(profile),
    };
    // The profile has another version now.
    Ok(profile::remember(database, user, now).await?)
}
