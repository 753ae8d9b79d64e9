//! Changes that were made elsewhere, as they happen.
//!
//! One page of a browser leads: it holds the lock, follows the feed, and sends the edits of all. The others get the changes from it,
//! so that ten open pages need one stream of the eight that a user may have. When the leading page closes, another one gets the lock
//! and continues at its own cursor.
//!
//! | file | holds |
//! | --- | --- |
//! | `election` | which page leads |
//! | `feed` | the stream of server-sent events, and polling where there is none |
//! | `channel` | what pages tell each other |
//! | `wait` | pauses that end early when there is reason to hope |

mod channel;
mod election;
mod feed;
mod wait;

use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_page_model::feed::Item;
use wasm_bindgen::JsCast;
use web_sys::{AbortController, StorageEvent};

use crate::store::{Connection, Store};

pub(crate) use channel::{Message, connect, tell};
pub(crate) use election::start;
pub(crate) use wait::{pause, sleep};

/// Milliseconds without a byte after which a page that comes back to the front does not trust its stream.
const STALE: f64 = 20_000.0;

/// Nothing is followed any more, and another page may lead.
pub(crate) fn stop(store: Store) {
    let inner = store.inner();
    let mut guard = inner.borrow_mut();
    let live = &mut guard.live;
    live.run += 1;
    live.leads = false;
    live.runs = false;
    let (channel, release) = (live.channel.take(), live.release.take());
    let aborts = [live.candidacy.take(), live.stream.take()];
    drop(guard);
    aborts.iter().flatten().for_each(AbortController::abort);
    if let Some(channel) = channel {
        channel.close();
    }
    if let Some(release) = release {
        let _ = release.call0(&wasm_bindgen::JsValue::NULL);
    }
}

/// Listens to the browser, once for the life of the page.
pub(crate) fn listen(store: Store) {
    if std::mem::replace(&mut store.inner().borrow_mut().live.listens, true) {
        return;
    }
    let _ = window_event_listener_untyped("online", move |_| come_back(store));
    let _ = window_event_listener_untyped("offline", move |_| {
        if store.connection().get_untracked() != Connection::SignedOut {
            store.set_connection(Connection::Offline);
            end_stream(store);
        }
    });
    let _ = window_event_listener_untyped("storage", move |event| {
        if let Some(event) = event.dyn_ref::<StorageEvent>()
            && let Some(key) = event.key()
        {
            store.stored(&key);
        }
    });
    let _ = window_event_listener_untyped("pagehide", move |_| store.close(true));
    let _ = window_event_listener_untyped("pageshow", move |_| {
        store.close(false);
        come_back(store);
    });
    let _ = window_event_listener_untyped("visibilitychange", move |_| {
        if !document().hidden() {
            come_back(store);
        }
    });
}

/// The page was away: asleep, offline, or behind others. What happened meanwhile is read now, without waiting for a pause to end.
fn come_back(store: Store) {
    wait::wake();
    if store.inner().borrow().user.is_none() || store.connection().get_untracked() == Connection::SignedOut {
        return;
    }
    store.try_again();
    let inner = store.inner();
    let guard = inner.borrow();
    let (leads, run) = (guard.live.leads, guard.live.run);
    let stale = (js_sys::Date::now() - guard.live.heard).abs() > STALE;
    drop(guard);
    if !stale {
        return;
    }
    if leads {
        end_stream(store);
    }
    spawn_local(async move {
        if !leads {
            feed::catch_up(store, run).await;
        }
        // Labels are not in the feed. If they cannot be read now, those that are there stay.
        let _ = store.reload_labels().await;
    });
}

/// The open stream ends; the loop opens the next one.
fn end_stream(store: Store) {
    let stream = store.inner().borrow_mut().live.stream.take();
    if let Some(stream) = stream {
        stream.abort();
    }
}

fn is_running(store: Store, run: u32) -> bool {
    store.inner().borrow().live.run == run
}

/// Takes items of the feed.
fn apply(store: Store, items: Vec<Item>) {
    if items.is_empty() {
        return;
    }
    let known = |labels: Vec<uuid::Uuid>| move |id: &uuid::Uuid| labels.contains(id);
    let ids = |labels: RwSignal<std::sync::Arc<Vec<crate::api::Label>>>| {
        labels.with_untracked(|labels| labels.iter().map(|label| label.id).collect())
    };
    let (category, tag) = (known(ids(store.categories())), known(ids(store.tags())));
    let named = items.iter().all(|item| {
        let task = &item.task;
        task.category_id.is_none_or(|id| category(id.as_uuid()))
            && task.tag_ids.iter().all(|id| tag(id.as_uuid()))
    });
    let inner = store.inner();
    let mut guard = inner.borrow_mut();
    for item in items {
        guard.cursor = Some(item.id.clone());
        guard.model.item(item);
    }
    drop(guard);
    store.publish();
    if !named {
        spawn_local(async move {
            let _ = store.reload_labels().await;
        });
    }
}
