//! What happened to the task, from the change to the email.

use jiff::Timestamp;
use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_domain::LocalInstant;
use nudge_domain::id::ReminderId;

use super::editor::Editor;
use super::trail_words as words;
use crate::api::{ApiError, TrailItem};
use crate::parts::clock::{self, Form};
use crate::parts::dynamic::{Piece, does, dynamic, effect, memo};
use crate::parts::when;
use crate::store::Connection;

/// When the trail is read again after a change.
const SOON: std::time::Duration = std::time::Duration::from_secs(3);

/// The steps that are loaded. A copy is the same.
#[derive(Clone, Copy)]
pub(super) struct Trail {
    items: RwSignal<Vec<TrailItem>>,
    next: RwSignal<Option<String>>,
    failure: RwSignal<Option<ApiError>>,
    loading: RwSignal<bool>,
    pages: StoredValue<usize>,
    asked: StoredValue<u32>,
}

impl Trail {
    /// Loads the steps, and again whenever the task has another version.
    pub(super) fn of(editor: Editor) -> Self {
        let trail = Self {
            items: RwSignal::new(Vec::new()),
            next: RwSignal::new(None),
            failure: RwSignal::new(None),
            loading: RwSignal::new(false),
            pages: StoredValue::new(1),
            asked: StoredValue::new(0),
        };
        let version = memo(move |_| (editor.get(|task| task.version), editor.is_temporary()));
        effect(move |_| {
            if let (1.., false) = version.get() {
                trail.load(editor);
                // The event of a change is published a moment after it.
                set_timeout(move || trail.still(editor), SOON);
            }
        });
        let live = Memo::new(move |_| editor.store.connection().get() == Connection::Live);
        Effect::new(move |_| {
            if live.get() && trail.failure.with_untracked(Option::is_some) {
                trail.load(editor);
            }
        });
        trail
    }

    /// Reads the pages that are shown again, from the first one.
    fn load(self, editor: Editor) {
        self.asked.update_value(|asked| *asked += 1);
        let (mine, pages) = (self.asked.get_value(), self.pages.get_value());
        self.loading.set(true);
        spawn_local(async move {
            let (mut items, mut next) = (Vec::new(), None::<String>);
            let id = editor.store.real_id(editor.id);
            let mut failure = None;
            for page in 0..pages {
                if page > 0 && next.is_none() {
                    break;
                }
                match editor.store.api().trail(id, next.as_deref()).await {
                    Ok(page) => {
                        items.extend(page.items);
                        next = page.next_cursor;
                    }
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            if self.asked.try_get_value() != Some(mine) {
                return;
            }
            self.loading.try_set(false);
            if failure.is_none() {
                self.items.try_set(items);
                self.next.try_set(next);
            }
            self.failure.try_set(failure);
        });
    }

    /// Reads again, if the panel is still open.
    fn still(self, editor: Editor) {
        if self.asked.try_get_value().is_some() {
            self.load(editor);
        }
    }

    fn more(self, editor: Editor) {
        self.pages.update_value(|pages| *pages += 1);
        self.load(editor);
    }

    /// Why the email of a reminder was not sent.
    pub(super) fn why_failed(self, id: ReminderId) -> Option<String> {
        self.items.with(|items| {
            let of_reminder = |item: &&TrailItem| {
                item.kind == "failed" && item.reminder_id.is_some_and(|of| ReminderId::from(of) == id)
            };
            items.iter().rev().find(of_reminder)?.detail.clone()
        })
    }
}

/// The timeline.
pub(super) fn trail(editor: Editor, trail: Trail) -> AnyView {
    let (today, zone) = (editor.clock.today, editor.clock.zone);
    let items = move || {
        let zone = zone.get();
        let mut day = None;
        let mut views: Vec<AnyView> = Vec::new();
        trail.items.with(|items| {
            for item in items {
                let at = instant(&item.time);
                let date = at.map(|at| clock::date_of(at, &zone));
                if date != day {
                    day = date;
                    let heading = date.map(|date| when::heading(today.get(), date).0);
                    views.push(view! { <li class="trail-day">{heading}</li> }.piece());
                }
                views.push(step(editor, item, at, &zone));
            }
        });
        views
    };
    let state = move || {
        match (trail.failure.get(), editor.is_temporary()) {
        (_, true) => view! { <p class="hint">"The trail begins when the task has been sent."</p> }.piece(),
        (Some(error), _) => view! {
            <p class="hint" role="status">{error.sentence()}" "<button type="button" class="link-btn" on:click=does(move |_: web_sys::MouseEvent| trail.load(editor))>"Try again"</button></p>
        }
        .piece(),
        (None, _) if trail.loading.get() && trail.items.with(Vec::is_empty) => view! { <p class="hint">"Loading…"</p> }.piece(),
        _ => ().piece(),
    }
    };
    let more = move || {
        trail.next.with(Option::is_some).then(|| view! {
            <button type="button" class="btn small" disabled=trail.loading on:click=does(move |_: web_sys::MouseEvent| trail.more(editor))>"Show later steps"</button>
        })
    };
    view! {
        <section class="section" aria-labelledby="task-trail-head">
            <div class="section-head"><h3 id="task-trail-head">"Trail"</h3></div>
            <ol class="trail">{dynamic(items)}</ol>
            {dynamic(more)}
            {dynamic(state)}
        </section>
    }
    .piece()
}

fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(|instant: LocalInstant| instant.at())
}

fn step(editor: Editor, item: &TrailItem, at: Option<Timestamp>, zone: &str) -> AnyView {
    let time = at.map(|at| {
        let parts = clock::write(Form::Parts, at, zone);
        parts
            .get(parts.len().saturating_sub(8)..)
            .unwrap_or_default()
            .to_owned()
    });
    let mut more = words::more(item);
    if let Some(until) = item.until.as_ref().and_then(|until| instant(until)) {
        more.push(["tried again at ", &clock::write(Form::Time, until, zone)].concat());
    }
    let trace = item.trace_id.clone().map(|trace| {
        let store = editor.store;
        let short = [trace.get(..8).unwrap_or(&trace), "…"].concat();
        let (says, whole) = (["Copy the trace id ", &short].concat(), ["Copy the trace id ", &trace].concat());
        let copy = move |_| crate::settings::clipboard::copy(store, &trace, "Trace id copied");
        view! { <span>"trace "<button type="button" class="link-btn mono" aria-label=says title=whole on:click=does(copy)>{short}</button></span> }
    });
    let why = item
        .detail
        .clone()
        .filter(|_| words::needs_attention(&item.kind))
        .map(|why| view! { <p class="trail-why">{why}</p> });
    let about = item
        .detail
        .clone()
        .filter(|_| !words::needs_attention(&item.kind));
    more.extend(about);
    let more = (!more.is_empty() || trace.is_some()).then(|| {
        let text = more.join(" · ");
        let dot = (!text.is_empty() && trace.is_some()).then_some(" · ");
        view! { <span class="trail-more">{text}{dot}{trace}</span> }
    });
    view! {
        <li class="trail-item" data-kind=item.kind.clone()>
            <span dir="auto">{words::title(item)}</span>
            <time class="trail-time" datetime=item.time.clone()>{time}</time>
            {more}
            {why}
        </li>
    }
    .piece()
}
