//! The stream of server-sent events, and polling where there is none.

use std::time::Duration;

use js_sys::{Reflect, Uint8Array};
use leptos::prelude::*;
use nudge_page_model::feed::{Backoff, Item};
use nudge_page_model::sse::Parser;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, Response};

use super::channel::{Message, tell};
use super::wait::pause;
use super::{apply, is_running};
use crate::api::{self, ApiError, Call, Limit};
use crate::store::{Connection, Store};

/// The head of the response and its first bytes come at once; if they do not, something on the way collects the stream.
const FIRST: Duration = Duration::from_secs(10);
/// The server sends a comment after 15 seconds without a change.
const QUIET: Duration = Duration::from_secs(40);
/// Milliseconds between two polls, and how many before a stream is tried again.
const POLL: u32 = 3_000;
const POLLS: u32 = 40;

/// How a stream ended.
enum End {
    /// As the server ends it, after half a minute.
    Ended,
    /// Without a byte.
    Silent,
}

/// Follows the feed while this page leads.
pub(super) async fn follow(store: Store, run: u32, streams: bool) {
    let mut backoff = Backoff::default();
    let mut silent = false;
    while leads(store, run) {
        let result = if streams && !silent {
            stream(store, run).await
        } else {
            silent = false;
            poll(store, run).await
        };
        if !leads(store, run) {
            return;
        }
        match result {
            Ok(End::Ended) => backoff.reset(),
            Ok(End::Silent) => silent = true,
            Err(error) => {
                if !recover(store, &error).await {
                    return;
                }
                silent = matches!(&error, ApiError::Refused(problem) if matches!(problem.status, 406 | 429))
                    || matches!(error, ApiError::Unreadable(_));
                let [random] = api::random();
                let wait = error.retry_after().filter(|_| !silent).unwrap_or_default();
                pause(backoff.next(random).max(wait)).await;
            }
        }
    }
}

fn leads(store: Store, run: u32) -> bool {
    is_running(store, run) && store.inner().borrow().live.leads
}

/// Says what an error means. Returns whether the feed can be followed further.
async fn recover(store: Store, error: &ApiError) -> bool {
    match error {
        ApiError::SignedOut => {
            store.refused_token();
            return false;
        }
        ApiError::Refused(problem) if problem.status == 400 => {
            // The cursor is not one of this database: everything is read again.
            let epoch = store.inner().borrow().epoch;
            if store.load_tasks(epoch).await.is_err() {
                say(store, Connection::Reconnecting);
            }
        }
        ApiError::Offline => say(store, Connection::Offline),
        _ => say(store, Connection::Reconnecting),
    }
    true
}

fn say(store: Store, connection: Connection) {
    store.set_connection(connection);
    tell(store, &Message::State(connection));
}

/// The server has answered.
fn heard(store: Store) {
    let inner = store.inner();
    inner.borrow_mut().live.heard = js_sys::Date::now();
}

fn live(store: Store) {
    heard(store);
    let was_live = store.connection().get_untracked() == Connection::Live;
    say(store, Connection::Live);
    if !was_live {
        store.try_again();
    }
}

async fn cursor(store: Store) -> Result<String, ApiError> {
    let (known, epoch) = {
        let inner = store.inner();
        let guard = inner.borrow();
        (guard.cursor.clone(), guard.epoch)
    };
    if known.is_none() {
        store.load_tasks(epoch).await?;
    }
    store.inner().borrow().cursor.clone().ok_or(ApiError::Offline)
}

/// One stream, until it ends.
async fn stream(store: Store, run: u32) -> Result<End, ApiError> {
    let call = Call::get("/api/v1/changes").stream_after(cursor(store).await?);
    let mut limit = Limit::new(FIRST)?;
    let controller = limit.controller.clone();
    store.inner().borrow_mut().live.stream = Some(controller.clone());
    let response = store.api().open(&call, &controller.signal()).await?;
    let reader = reader(&response)?;
    live(store);
    let mut parser = Parser::default();
    let mut silent = true;
    limit.restart(FIRST);
    loop {
        let Ok(chunk) = JsFuture::from(reader.read()).await else {
            // Aborted here, or cut off on the way.
            let timed_out = limit.is_over();
            return match (silent && timed_out, timed_out || controller.signal().aborted()) {
                (true, _) => Ok(End::Silent),
                (false, true) => Ok(End::Ended),
                (false, false) => Err(ApiError::Offline),
            };
        };
        let done = Reflect::get(&chunk, &"done".into()).is_ok_and(|done| done.is_truthy());
        if done || !is_running(store, run) {
            return Ok(End::Ended);
        }
        silent = false;
        limit.restart(QUIET);
        heard(store);
        let bytes = Reflect::get(&chunk, &"value".into()).map(|value| Uint8Array::new(&value).to_vec());
        let events = parser.feed(&bytes.unwrap_or_default());
        let mut items = Vec::new();
        for event in events {
            // An item that a newer server writes in another way is skipped; the next read of the task shows it.
            if let Ok(item) = serde_json::from_str::<Item>(&event.data) {
                tell(store, &Message::Item(event.data));
                items.push(item);
            }
        }
        apply(store, items);
    }
}

fn reader(response: &Response) -> Result<ReadableStreamDefaultReader, ApiError> {
    let kind = response
        .headers()
        .get("Content-Type")
        .ok()
        .flatten()
        .unwrap_or_default();
    let body = response.body().filter(|_| kind.starts_with("text/event-stream"));
    let body = body.ok_or_else(|| ApiError::Unreadable("the feed is not a stream".to_owned()))?;
    body.get_reader()
        .dyn_into()
        .map_err(|_| ApiError::Unreadable("the stream has no reader".to_owned()))
}

/// Reads what is new every few seconds, for two minutes.
async fn poll(store: Store, run: u32) -> Result<End, ApiError> {
    for _ in 0..POLLS {
        read_new(store, true).await?;
        live(store);
        pause(POLL).await;
        if !leads(store, run) {
            break;
        }
    }
    Ok(End::Ended)
}

/// Reads what is new, once, for a page that does not lead and has been away.
pub(super) async fn catch_up(store: Store, run: u32) {
    if read_new(store, false).await.is_ok() && is_running(store, run) {
        heard(store);
        store.set_connection(Connection::Live);
    }
}

async fn read_new(store: Store, tells: bool) -> Result<(), ApiError> {
    loop {
        let since = cursor(store).await?;
        let changes = store.api().changes(&since).await?;
        let empty = changes.items.is_empty();
        if tells {
            for item in &changes.items {
                tell(
                    store,
                    &Message::Item(serde_json::to_string(item).unwrap_or_default()),
                );
            }
        }
        apply(store, changes.items);
        store.inner().borrow_mut().cursor = Some(changes.next);
        if empty {
            return Ok(());
        }
    }
}
