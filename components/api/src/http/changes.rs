//! `/api/v1/changes`: what changed, as JSON or as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::serve::Json;
use nudge_contract::api::{ChangeItem, Changes};
use nudge_domain::id::UserId;

use crate::auth;
use crate::caller::{Caller, Identity};
use crate::db::Database;
use crate::events::feed::{self, Cursor};
use crate::guard::in_flight::CountedElsewhere;
use crate::guard::open_feeds::{self, OpenFeed};
use crate::input::fields::{Pairs, Query};
use crate::input::media;

/// Changes of an answer when the caller does not say, and of one look into the database for a stream.
const DEFAULT_LIMIT: u32 = 100;

/// Maximum number of changes per answer.
const MAX_LIMIT: u32 = 500;

/// How often a stream looks for changes.
const LOOK: Duration = Duration::from_millis(500);

/// Looks without a change after which a stream says that it is alive, so that one whose client is gone ends: 15 seconds.
const QUIET_LOOKS: u32 = 30;

/// Looks after which a stream ends: about 30 seconds. A stream occupies its instance as long as it lasts, and no
/// instance may live for ever. Clients come back with `Last-Event-ID`.
const LAST_LOOK: u32 = 60;

/// What an answer is sent as that does not end with what there is.
const STREAM: &str = "text/event-stream";

pub(super) async fn changes(
    identity: Identity,
    method: Method,
    headers: HeaderMap,
    Pairs(pairs): Pairs,
) -> Result<Response, Problem> {
    let query = Query::new(pairs, &["since", "limit"])?;
    let limit = super::query::limit(&query, DEFAULT_LIMIT, MAX_LIMIT)?;
    let streamed = media::wanted(&headers, &["application/json", STREAM])? == STREAM;
    // An empty one is what some clients send before they have had an event.
    let last_event = headers
        .get("last-event-id")
        .filter(|value| streamed && !value.is_empty())
        .map(|value| value.to_str().unwrap_or("?"));
    let Caller { user, database, .. } = identity.open().await?;
    let since = match (last_event, query.text("since")) {
        (Some(text), _) => cursor(&database, "Last-Event-ID", text).await?,
        (None, None) => Cursor::default(),
        (None, Some("now")) => {
            let end = feed::end(&database, &user.id).await?;
            if !streamed {
                return Ok(json(Changes {
                    items: Vec::new(),
                    next: end.to_string(),
                }));
            }
            end
        }
        (None, Some(text)) => cursor(&database, "since", text).await?,
    };
    if !streamed {
        let changes = feed::changes(&database, &user.id, since, limit).await?;
        return Ok(json(changes));
    }
    let state = Stream {
        // A HEAD opens none.
        _open: match method {
            Method::HEAD => None,
            _ => Some(open_feeds::open(&database, &user.id, Timestamp::now()).await?),
        },
        user_id: user.id,
        agent_token: auth::agent_token(&headers),
        since,
        looks: 0,
        quiet: 0,
    };
    let body = Body::from_stream(stream::unfold(Some(state), |state| async {
        let (frame, state) = state?.next().await;
        Some((Ok::<_, Infallible>(frame), state))
    }));
    let headers = [
        (CONTENT_TYPE, STREAM),
        (CACHE_CONTROL, "no-store"),
        (VARY, "Accept"),
    ];
    Ok((Extension(CountedElsewhere), headers, body).into_response())
}

fn json(changes: Changes) -> Response {
    ([(VARY, "Accept")], Json(changes)).into_response()
}

async fn cursor(database: &Database, field: &str, text: &str) -> Result<Cursor, Problem> {
    if let Ok(cursor) = text.parse::<Cursor>()
        && feed::is_given_out(database, cursor).await?
    {
        return Ok(cursor);
    }
    Err(Problem::field(
        field,
        "invalid_place",
        "give next, or the id of a change, as you got it from here; without one the feed begins at its start",
    ))
}

/// A stream of server-sent events (HTML Living Standard, section 9.2).
struct Stream {
    _open: Option<OpenFeed>,
    user_id: UserId,
    /// The token of an agent, which ends with it.
    agent_token: Option<String>,
    since: Cursor,
    looks: u32,
    quiet: u32,
}

impl Stream {
    /// Waits for the next frame. The last one comes without a state.
    async fn next(mut self) -> (Bytes, Option<Self>) {
        if self.looks == 0 {
            self.looks = 1;
            return (Bytes::from_static(b"retry: 1000\n\n"), Some(self));
        }
        while self.looks <= LAST_LOOK {
            if let Some(token) = &self.agent_token
                && auth::check_again(token).await.is_err()
            {
                break;
            }
            let changes = match self.look().await {
                Ok(changes) => changes,
                Err(error) => {
                    // The client comes back by itself, with the last id it got.
                    tracing::warn!("a stream of changes ends: {error}");
                    break;
                }
            };
            self.looks += 1;
            if !changes.items.is_empty() {
                self.quiet = 0;
                self.since = changes.next.parse().unwrap_or(self.since);
                return (
                    changes.items.iter().map(frame).collect::<String>().into(),
                    Some(self),
                );
            }
            self.quiet += 1;
            wait(LOOK).await;
            if self.quiet >= QUIET_LOOKS {
                self.quiet = 0;
                return (Bytes::from_static(b": still here\n\n"), Some(self));
            }
        }
        (Bytes::from_static(b": come back with Last-Event-ID\n\n"), None)
    }

    async fn look(&self) -> Result<Changes, crate::db::DbError> {
        feed::changes(&Database::open().await?, &self.user_id, self.since, DEFAULT_LIMIT).await
    }
}

fn frame(item: &ChangeItem) -> String {
    let data = serde_json::to_string(item).unwrap_or_default();
    let kind = serde_json::to_value(item.kind).unwrap_or_default();
    format!(
        "id: {}\nevent: {}\ndata: {data}\n\n",
        item.id,
        kind.as_str().unwrap_or_default()
    )
}

async fn wait(time: Duration) {
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    spin_sdk::wasip3::clocks::monotonic_clock::wait_for(nanoseconds).await;
}
