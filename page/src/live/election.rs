//! Which page leads: the one that holds the lock of this person (Web Locks API). Browsers have locks only on secure origins; elsewhere
//! every page leads and polls, which needs no stream.

use js_sys::{Function, Object, Promise, Reflect};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use super::channel::{Message, tell};
use super::{feed, is_running, wait};
use crate::store::{Connection, Store};

/// How often a page that does not lead looks whether the leading one lives, and how long that one may be silent. It says something
/// at least every half minute, when its stream ends.
const LOOK: u32 = 20_000;
const SILENT: f64 = 75_000.0;

/// Leads as soon as no other page does. Does nothing if this was called before.
pub(crate) fn start(store: Store, user: &str) {
    let inner = store.inner();
    let mut guard = inner.borrow_mut();
    if guard.live.runs {
        return;
    }
    guard.live.runs = true;
    guard.live.run += 1;
    guard.live.heard = js_sys::Date::now();
    let run = guard.live.run;
    drop(guard);
    let Some(locks) = locks() else {
        lead(store, run, false);
        return;
    };
    // What was read is current; the leading page corrects it.
    store.set_connection(Connection::Live);
    tell(store, &Message::Hello);
    let name = format!("nudge/{user}");
    spawn_local(candidate(store, run, locks.clone(), name.clone()));
    spawn_local(watch(store, run, locks, name));
}

fn locks() -> Option<JsValue> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    (locks.is_object() && window().is_secure_context()).then_some(locks)
}

/// Waits for the lock, again after it was stolen.
async fn candidate(store: Store, run: u32, locks: JsValue, name: String) {
    while is_running(store, run) {
        let options = Object::new();
        if let Ok(controller) = AbortController::new() {
            let _ = Reflect::set(&options, &"signal".into(), &controller.signal());
            store.inner().borrow_mut().live.candidacy = Some(controller);
        }
        hold(store, run, &locks, &name, &options).await;
        if is_running(store, run) {
            // Another page believed that this one was gone.
            store.inner().borrow_mut().live.leads = false;
            super::end_stream(store);
            wait::sleep(std::time::Duration::from_secs(1)).await;
        }
    }
}

/// Leads while the lock is held. Returns when it was given back, stolen, or not granted.
async fn hold(store: Store, run: u32, locks: &JsValue, name: &str, options: &Object) {
    let granted = Closure::once_into_js(move |_lock: JsValue| -> JsValue {
        if !is_running(store, run) {
            return JsValue::UNDEFINED;
        }
        let held = Promise::new(&mut |resolve, _| store.inner().borrow_mut().live.release = Some(resolve));
        lead(store, run, true);
        held.into()
    });
    let request = Reflect::get(locks, &"request".into())
        .ok()
        .and_then(|request| request.dyn_into::<Function>().ok());
    let Some(request) = request else {
        return;
    };
    if let Ok(promise) = request.call3(locks, &name.into(), options, &granted) {
        let _ = JsFuture::from(Promise::from(promise)).await;
    }
}

/// Takes the lock of a page that is silent: frozen by the browser, or with a script that does not return.
async fn watch(store: Store, run: u32, locks: JsValue, name: String) {
    while is_running(store, run) {
        wait::pause(LOOK).await;
        if is_silent(store, run) && !document().hidden() {
            let options = Object::new();
            let _ = Reflect::set(&options, &"steal".into(), &JsValue::TRUE);
            hold(store, run, &locks, &name, &options).await;
            if is_running(store, run) {
                store.inner().borrow_mut().live.leads = false;
                super::end_stream(store);
            }
        }
    }
}

fn is_silent(store: Store, run: u32) -> bool {
    let inner = store.inner();
    let live = &inner.borrow().live;
    // Either way: the clock may have been set back.
    live.run == run && !live.leads && (js_sys::Date::now() - live.heard).abs() > SILENT
}

fn lead(store: Store, run: u32, streams: bool) {
    let inner = store.inner();
    let mut guard = inner.borrow_mut();
    guard.live.leads = true;
    guard.model.become_sender();
    drop(guard);
    store.publish();
    spawn_local(feed::follow(store, run, streams));
}
