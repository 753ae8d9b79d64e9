//! A new task in one line. The server reads it, and the page shows how it was understood.

mod draft;
mod preview;

use std::sync::Arc;
use std::time::Duration;

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_page_model::quick::{Part, runs};
use serde_json::{Map, Value};

use crate::api::{ApiError, Label, LabelKind, Parsed};
use crate::parts::clock::{self, Clock, Form};
use crate::parts::dynamic::{Piece, does, dynamic, effect, follows, shown};
use crate::parts::icon::Icon;
use crate::parts::ui::Ui;
use crate::route::{self, Route, View};
use crate::store::{Store, use_store};
use crate::views::lists;
use preview::Preview;

/// How long the line rests before it is read.
const RESTS: Duration = Duration::from_millis(150);

/// What is known about the line.
#[derive(Clone, Copy)]
struct Line {
    store: Store,
    clock: Clock,
    route: RwSignal<Route>,
    text: RwSignal<String>,
    /// The text that was read, and how.
    read: RwSignal<Option<(String, Parsed)>>,
    /// Why it cannot be added.
    refusal: RwSignal<Option<String>>,
    adding: RwSignal<bool>,
    /// What was added, for screen readers.
    added: RwSignal<String>,
    /// Counts changes, so that an answer to an older text is dropped.
    edits: StoredValue<u32>,
}

/// The line for a new task.
#[component]
pub(crate) fn QuickAdd() -> AnyView {
    let line = Line {
        store: use_store(),
        clock: Clock::get(),
        route: route::current(),
        text: RwSignal::new(String::new()),
        read: RwSignal::new(None),
        refusal: RwSignal::new(None),
        adding: RwSignal::new(false),
        added: RwSignal::new(String::new()),
        edits: StoredValue::new(0),
    };
    let (input, marks) = (NodeRef::<html::Input>::new(), NodeRef::<html::Div>::new());
    let ui = Ui::get();
    effect(move |before: Option<()>| {
        ui.add.track();
        // Not when the view is shown: on a phone that opens the keyboard.
        if before.is_some()
            && let Some(input) = input.get_untracked()
        {
            let _ = input.focus();
        }
    });
    effect(move |_| {
        if let Some(text) = ui.text.get() {
            ui.text.set(None);
            line.write(text);
        }
    });
    if let Some(draft) = draft::load() {
        line.write(draft);
    }
    let scroll = move || {
        if let (Some(input), Some(marks)) = (input.get_untracked(), marks.get_untracked()) {
            marks.set_scroll_left(input.scroll_left());
        }
    };
    let key = move |event: KeyboardEvent| {
        if event.key() == "Escape" && !line.text.with_untracked(String::is_empty) && !event.is_composing() {
            event.stop_propagation();
            line.write(String::new());
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        line.add();
    };
    let highlighted = move || {
        let text = line.text.get();
        let parts = line
            .read
            .with(|read| read.as_ref().map(|(_, parsed)| parts(parsed)).unwrap_or_default());
        let runs = runs(&text, &parts).into_iter().map(|run| match run.kind {
            Some(kind) => view! { <mark data-kind=kind>{run.text}</mark> }.piece(),
            None => run.text.piece(),
        });
        runs.collect::<Vec<_>>()
    };
    let choose = Callback::new(move |text: String| {
        line.write(text);
        if let Some(input) = input.get_untracked() {
            let _ = input.focus();
        }
    });
    let filled = move || !line.text.with(String::is_empty);
    let is_new = move || !filled() && line.store.tasks().with(|tasks| tasks.all().nth(3).is_none());
    view! {
        <form class="quick" class:filled=follows(filled) on:submit=does(submit)>
            <div class="quick-line">
                <span class="quick-plus"><Icon name="plus"/></span>
                <div class="quick-text">
                    <div class="quick-marks" aria-hidden="true" dir="auto" node_ref=marks>{dynamic(highlighted)}</div>
                    <input
                        class="quick-input"
                        id="quick-add"
                        node_ref=input
                        dir="auto"
                        autocomplete="off"
                        enterkeyhint="done"
                        aria-label="Add a task"
                        aria-describedby="quick-add-about"
                        aria-invalid=move || line.refusal.with(Option::is_some).to_string()
                        placeholder="Add a task"
                        prop:value=line.text
                        on:input=does(move |event: web_sys::Event| { line.write(event_target_value(&event)); scroll(); })
                        on:scroll=does(move |_: web_sys::Event| scroll())
                        on:keydown=does(key)
                    />
                </div>
                {shown(filled, move || view! {
                    <button type="submit" class="btn primary" aria-disabled=move || line.adding.get().then_some("true")>
                        {dynamic(move || if line.adding.get() { view! { <span class="spin"></span> }.piece() } else { "Add".piece() })}
                    </button>
                })}
            </div>
            <div id="quick-add-about">
                {dynamic(move || line.refusal.get().map(|refusal| view! { <div class="quick-preview"><p class="refusal" role="alert">{refusal}</p></div> }))}
                <Preview read=line.shown() choose/>
                {shown(is_new, || view! {
                    <p class="quick-hint">"Try " <code>"Pay rent every month on the 1st 9am !high #home remind 30m before"</code></p>
                })}
            </div>
            <p class="visually-hidden" role="status">{line.added}</p>
        </form>
    }
    .piece()
}

impl Line {
    /// Another text, which is read when the person rests.
    fn write(self, text: String) {
        draft::keep(&text);
        let empty = text.trim().is_empty();
        self.text.set(text);
        self.refusal.set(None);
        self.edits.update_value(|edits| *edits = edits.wrapping_add(1));
        if empty {
            self.read.set(None);
            return;
        }
        let edit = self.edits.get_value();
        set_timeout(
            move || {
                if self.edits.try_get_value() == Some(edit) {
                    spawn_local(async move {
                        // Without an answer, the line can be added all the same.
                        let _ = self.understand().await;
                    });
                }
            },
            RESTS,
        );
    }

    /// Reads the text, unless that is done.
    async fn understand(self) -> Result<Parsed, ApiError> {
        let text = self.text.get_untracked();
        if let Some((read, parsed)) = self.read.get_untracked()
            && read == text
        {
            return Ok(parsed);
        }
        let edit = self.edits.get_value();
        let parsed = self.store.api().parse(&text, None).await?;
        if self.edits.try_get_value() == Some(edit) {
            self.read.set(Some((text, parsed.clone())));
        }
        Ok(parsed)
    }

    /// What the preview shows: the last reading, as long as there is a text.
    fn shown(self) -> Signal<Option<Parsed>> {
        Signal::derive(move || {
            self.read
                .with(|read| read.as_ref().map(|(_, parsed)| parsed.clone()))
        })
    }

    /// Adds the task. Whatever fails, the text stays.
    fn add(self) {
        let text = self.text.get_untracked();
        if text.trim().is_empty() || self.adding.get_untracked() {
            return;
        }
        self.adding.set(true);
        spawn_local(async move {
            let outcome = match self.understand().await {
                Ok(parsed) => self.body(parsed).await,
                Err(ApiError::Offline | ApiError::TimedOut) => Ok(Some(plain(&text))),
                Err(error) => Err(error),
            };
            self.adding.try_set(false);
            match outcome {
                // The person wrote on meanwhile: nothing is taken away.
                Ok(Some(_)) if self.text.try_get_untracked().is_none_or(|now| now != text) => {}
                Ok(Some(body)) => self.create(body),
                // There is a question, which the preview shows.
                Ok(None) => {}
                Err(error) => {
                    // Some of its new labels may exist by now, so the line is read again.
                    self.read.try_set(None);
                    self.refuse(&error);
                }
            }
        });
    }

    fn create(self, mut body: Map<String, Value>) {
        self.complete_with_place(&mut body);
        let title = body
            .get("title")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let id = self.store.create(body);
        self.write(String::new());
        let tasks = self.store.tasks().get_untracked();
        let zone = self.clock.zone.get_untracked();
        let days = self.clock.days.get_untracked();
        let here = self.route.with_untracked(|route| {
            lists::list(route, &tasks, &days, self.clock.today.get_untracked(), &zone)
        });
        if here.contains(id) {
            self.added.set(format!("Added “{title}”"));
        } else {
            let due = tasks
                .get(id)
                .and_then(|task| task.due)
                .map(|due| clock::write(Form::WeekdayDay, due.at(), &zone));
            self.store.say(match due {
                Some(day) => format!("Added “{title}” for {day}"),
                None => format!("Added “{title}” to all tasks"),
            });
        }
    }

    /// The body of the new task; labels that do not exist yet are created. None if there is a question.
    async fn body(self, parsed: Parsed) -> Result<Option<Map<String, Value>>, ApiError> {
        let Some(mut body) = parsed.task.filter(|_| parsed.questions.is_empty()) else {
            return Ok(None);
        };
        for name in &parsed.new_tags {
            let tag = self.store.create_label(LabelKind::Tag, name, None).await?;
            let tags = body.entry("tagIds").or_insert_with(|| Value::Array(Vec::new()));
            if let Some(tags) = tags.as_array_mut() {
                tags.push(tag.id.to_string().into());
            }
        }
        if let Some(name) = &parsed.new_category {
            let category = self.store.create_label(LabelKind::Category, name, None).await?;
            body.insert("categoryId".to_owned(), category.id.to_string().into());
        }
        Ok(Some(body))
    }

    /// A task that is added in a list belongs there, unless the line says otherwise.
    fn complete_with_place(self, body: &mut Map<String, Value>) {
        let is_missing = |body: &Map<String, Value>, field: &str| {
            body.get(field)
                .is_none_or(|value| value.is_null() || value.as_array().is_some_and(Vec::is_empty))
        };
        // An address may name a label that was deleted, or none.
        let is_known = |labels: RwSignal<Arc<Vec<Label>>>, id: &str| {
            labels.with_untracked(|labels| labels.iter().any(|label| label.id.to_string() == id))
        };
        match self.route.with_untracked(|route| route.view.clone()) {
            View::Today if is_missing(body, "due") => {
                if let Some((_, end)) = self.clock.end_of(0) {
                    body.insert("due".to_owned(), end.to_string().into());
                }
            }
            View::Category(id)
                if is_missing(body, "categoryId") && is_known(self.store.categories(), &id) =>
            {
                body.insert("categoryId".to_owned(), id.into());
            }
            View::Tag(id) if is_known(self.store.tags(), &id) => {
                let tags = body.entry("tagIds").or_insert_with(|| Value::Array(Vec::new()));
                if let Some(tags) = tags
                    .as_array_mut()
                    .filter(|tags| tags.iter().all(|tag| *tag != id.as_str()))
                {
                    tags.push(id.into());
                }
            }
            _ => {}
        }
    }

    fn refuse(self, error: &ApiError) {
        let words = match error {
            ApiError::SignedOut => "Your session has expired. Sign in again; this line is kept.".to_owned(),
            error => error.beside("text").unwrap_or_else(|| error.sentence()),
        };
        self.refusal.try_set(Some(words));
    }
}

fn plain(text: &str) -> Map<String, Value> {
    [("title".to_owned(), text.trim().into())].into_iter().collect()
}

fn parts(parsed: &Parsed) -> Vec<Part> {
    let parts = parsed.parts.iter().map(|part| Part {
        kind: part.kind.clone(),
        start: part.start,
        end: part.end,
        text: part.text.clone(),
    });
    parts.collect()
}
