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
use super::{Mailbox, notices};
use crate::caller::Caller;
use crate::db::{Database, DbError, milliseconds};
use crate::error::ServiceError;
use crate::profile::{self, NewNotice, NoticeKind, Pending, Profile, ProfilePatch, Revision};
use crate::random_token;
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
        let before = current(caller, expected, now).await?;
        let mut next = before.clone();
        next.apply(patch).map_err(ServiceError::from)?;
        let mut notice = None;
        match &patch.email {
            Patch::Value(address) if needs_confirmation(&before, address) => {
                if !counted {
                    request_allowed(database, &before, address.as_str(), now).await?;
                    counted = true;
                }
                notice = Some(ask_to_confirm(&mut next, address.as_str(), now));
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

/// The caller's profile as it is now, if it is at the version that was expected and the account is not closing.
async fn current(caller: &Caller, expected: &Conditions, now: Timestamp) -> Result<Profile, ServiceError> {
    let profile = profile::remember(&caller.database, &caller.user, now).await?;
    expected.check(Thing::Profile, profile.revision.version)?;
    if profile.closing {
        return Err(DbError::AccountClosing.into());
    }
    Ok(profile)
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
    ![profile.email(), profile.token_email()]
        .into_iter()
        .flatten()
        .any(|known| is_same(known, address))
}

/// Whether a stored address is this one. One that is not valid any more is no other's.
fn is_same(known: &str, address: &MailAddress) -> bool {
    known
        .parse::<MailAddress>()
        .is_ok_and(|known| known.to_ascii().eq_ignore_ascii_case(address.to_ascii()))
}

/// Whether the token of a user says that an address is theirs.
fn is_of_token(profile: &Profile, address: &str) -> bool {
    let Some(known) = profile.token_email() else {
        return false;
    };
    known == address
        || address
            .parse::<MailAddress>()
            .is_ok_and(|address| is_same(known, &address))
}

/// Whether an email may be sent that asks to confirm an address. Counts it.
async fn request_allowed(
    database: &Database,
    profile: &Profile,
    address: &str,
    now: Timestamp,
) -> Result<(), AddressError> {
    if crate::public_url::read()
        .await
        .map_err(AddressError::NoLinks)?
        .is_none()
    {
        return Err(AddressError::NoLinks(
            "the variable public_url is not set".to_owned(),
        ));
    }
    limits::count_request(database, &profile.id, now).await?;
    let pair = (profile.id.clone(), Mailbox::of(address));
    let standing = standing::find(database, std::slice::from_ref(&pair), now).await?;
    let stop = standing.get(&pair).and_then(|standing| standing.stop);
    if stop.is_some_and(|stop| stop.reason == StopReason::Blocked) {
        return Err(AddressError::Blocked);
    }
    limits::count_confirmation(database, &pair.1, now).await?;
    Ok(())
}

/// Notes in a profile that an address waits for its confirmation. Returns the notice with the link.
fn ask_to_confirm(next: &mut Profile, address: &str, now: Timestamp) -> NewNotice {
    next.pending = Some(Pending {
        email: address.to_owned(),
        token: random_token::new(),
        asked_at: now,
    });
    NewNotice {
        id: Uuid::now_v7(),
        kind: NoticeKind::Confirm,
        to: address.to_owned(),
    }
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
    if !random_token::is_one(token) {
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
        let pair = (before.id.clone(), Mailbox::of(&pending.email));
        next.own_email = Some(pending.email);
        let notice = changed(&before, &next);
        if store(database, &mut next, notice, now).await? {
            // The holder wants emails now, whatever they or their mail server said before.
            standing::resume(database, &pair).await?;
            return Ok(Link::Valid);
        }
    }
    Err(ServiceError::contended(Thing::Profile, "of a link"))
}

/// Sends emails to the address in use again. If its holder stopped them, and the token does not say that the caller is the holder, the
/// holder is asked first: the address waits for its confirmation.
pub(crate) async fn resume(caller: &Caller, expected: &Conditions) -> Result<Profile, AddressError> {
    let Caller { user, database, .. } = caller;
    let mut counted = false;
    for _ in 0..ATTEMPTS {
        let now = milliseconds(Timestamp::now());
        let before = current(caller, expected, now).await?;
        let address = before.email().ok_or(AddressError::NoAddress)?.to_owned();
        let pair = (before.id.clone(), Mailbox::of(&address));
        let standing = standing::find(database, std::slice::from_ref(&pair), now).await?;
        match standing.get(&pair).and_then(|standing| standing.stop) {
            None => return Ok(before),
            Some(stop) if stop.reason == StopReason::Blocked => return Err(AddressError::Blocked),
            Some(stop) if stop.reason != StopReason::Asked || is_of_token(&before, &address) => {
                standing::resume(database, &pair).await?;
                // The profile has another version now.
                return Ok(profile::remember(database, user, now).await?);
            }
            Some(_) => {}
        }
        if !counted {
            request_allowed(database, &before, &address, now).await?;
            counted = true;
        }
        let mut next = before.clone();
        let notice = ask_to_confirm(&mut next, &address, now);
        if store(database, &mut next, Some(notice), now).await? {
            return Ok(next);
        }
    }
    Err(ServiceError::contended(Thing::Profile, &user.id).into())
}
