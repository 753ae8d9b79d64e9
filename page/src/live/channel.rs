//! What pages of the same person tell each other, in one browser.

use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_contract::task::Task;
use nudge_page_model::Write;
use nudge_page_model::feed::Item;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

use crate::store::{Connection, Store};

/// A message. Edits themselves are told by the storage, if it takes them.
pub(crate) enum Message {
    /// An item of the feed, as JSON.
    Item(String),
    /// A task that the server has answered with.
    Task(Box<Task>),
    /// The connection of the leading page.
    State(Connection),
    /// Categories or tags have changed.
    Labels,
    /// An edit that the storage did not take, or its end.
    Write(Write),
    /// A new page asks how things are.
    Hello,
}

impl Message {
    /// One letter, and the content.
    fn write(&self) -> String {
        match self {
            Self::Item(json) => format!("i{json}"),
            Self::Task(task) => format!("t{}", serde_json::to_string(task).unwrap_or_default()),
            Self::State(Connection::Live) => "sl".to_owned(),
            Self::State(Connection::Offline) => "so".to_owned(),
            Self::State(_) => "sr".to_owned(),
            Self::Labels => "l".to_owned(),
            Self::Write(Write::Put(id, json)) => format!("p{id} {json}"),
            Self::Write(Write::Remove(id)) => format!("d{id}"),
            Self::Write(Write::Alias(temporary, real)) => format!("a{temporary} {real}"),
            Self::Hello => "h".to_owned(),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_at_checked(1)?;
        Some(match (kind, rest) {
            ("i", json) => Self::Item(json.to_owned()),
            ("t", json) => Self::Task(serde_json::from_str(json).ok()?),
            ("s", "l") => Self::State(Connection::Live),
            ("s", "o") => Self::State(Connection::Offline),
            ("s", _) => Self::State(Connection::Reconnecting),
            ("l", _) => Self::Labels,
            ("p", rest) => {
                let (id, json) = rest.split_once(' ')?;
                Self::Write(Write::Put(id.parse().ok()?, json.to_owned()))
            }
            ("d", id) => Self::Write(Write::Remove(id.parse().ok()?)),
            ("a", rest) => {
                let (temporary, real) = rest.split_once(' ')?;
                Self::Write(Write::Alias(temporary.parse().ok()?, real.parse().ok()?))
            }
            ("h", _) => Self::Hello,
            _ => return None,
        })
    }
}

/// Opens the channel of this person. It is open before the tasks are read, so no change falls between.
pub(crate) fn connect(store: Store, user: &str) {
    let inner = store.inner();
    if inner.borrow().live.channel.is_some() {
        return;
    }
    let Ok(channel) = BroadcastChannel::new(&format!("nudge/{user}")) else {
        return;
    };
    let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(message) = event.data().as_string().as_deref().and_then(Message::read) {
            hear(store, message);
        }
    });
    channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    heard.forget();
    inner.borrow_mut().live.channel = Some(channel);
}

/// Tells the other pages.
pub(crate) fn tell(store: Store, message: &Message) {
    let inner = store.inner();
    let guard = inner.borrow();
    if let Some(channel) = &guard.live.channel {
        let _ = channel.post_message(&JsValue::from_str(&message.write()));
    }
}

fn hear(store: Store, message: Message) {
    let leads = store.inner().borrow().live.leads;
    match message {
        Message::Item(json) => {
            if let Ok(item) = serde_json::from_str::<Item>(&json) {
                super::apply(store, vec![item]);
            }
        }
        Message::Task(task) => {
            store.inner().borrow_mut().model.read([*task]);
            store.publish();
        }
        Message::Write(write) => {
            // Any page may say it, so it is no sign of the leading one.
            store.told(write);
            return;
        }
        Message::State(state) if !leads => store.set_connection(state),
        Message::Hello if leads => tell(store, &Message::State(store.connection().get_untracked())),
        Message::Labels => spawn_local(async move {
            let _ = store.reload_labels().await;
        }),
        Message::State(_) | Message::Hello => return,
    }
    if !leads {
        store.inner().borrow_mut().live.heard = js_sys::Date::now();
    }
}
