//! The panel: its head, title, notes, and foot.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_domain::id::TaskId;
use nudge_domain::task::{Priority, Status};
use nudge_page_model::Patch;
use wasm_bindgen::JsCast;

use super::editor::Editor;
use super::field::{self, Field, Look};
use super::{choices, decide, due, labels, reminders, repeat, trail};
use crate::api::ApiError;
use crate::parts::actions::Actions;
use crate::parts::check::Check;
use crate::parts::clock::{self, Form};
use crate::parts::cursor::Cursor;
use crate::parts::dynamic::{Piece, does, dynamic, effect, memo};
use crate::parts::icon::Icon;
use crate::route::{self, Route};
use crate::store::{Connection, Loading, use_store};

/// The task with this id, beside the list.
#[component]
pub(crate) fn Detail(id: String) -> impl IntoView {
    let (route, cursor) = (route::current(), Cursor::get());
    let panel = NodeRef::<html::Aside>::new();
    let active = || {
        document()
            .active_element()
            .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok())
    };
    // Who reads through a list keeps the focus there.
    let was_open = document().query_selector(".panel").ok().flatten().is_some();
    let opener = StoredValue::new_local(active());
    effect(move |_| {
        if let Some(panel) = panel.get().filter(|_| !was_open) {
            let _ = panel.focus();
        }
    });
    let close = move || {
        // What is typed is saved.
        if let Some(field) = active() {
            let _ = field.blur();
        }
        route::go(
            route,
            Route {
                task: None,
                ..route.get_untracked()
            },
        );
        match opener
            .get_value()
            .filter(|opener| opener.is_connected() && opener.tag_name() != "BODY")
        {
            Some(opener) => {
                let _ = opener.focus();
            }
            None => cursor.focus(),
        }
    };
    let key = move |event: web_sys::KeyboardEvent| {
        let in_field = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let in_menu =
            in_field.is_some_and(|element| element.closest(".menu, dialog").ok().flatten().is_some());
        if event.key() == "Escape" && !event.default_prevented() && !in_menu {
            event.prevent_default();
            event.stop_propagation();
            close();
        }
    };
    let content = match id.parse::<TaskId>() {
        Ok(id) => content(Editor::new(id), close),
        Err(_) => missing("This is not the address of a task.".to_owned(), close),
    };
    view! { <aside class="panel" aria-label="Task" tabindex="-1" node_ref=panel on:keydown=does(key)>{content}</aside> }.piece()
}

fn content(editor: Editor, close: impl Fn() + Copy + Send + Sync + 'static) -> AnyView {
    let store = use_store();
    let failure = RwSignal::new(None::<ApiError>);
    // Here, and the server does not know yet.
    let deleted = RwSignal::new(false);
    let is_there = memo(move |_| editor.task.with(Option::is_some));
    let live = memo(move |_| store.connection().get() == Connection::Live);
    let no_answer = move || {
        failure.with_untracked(|failure| {
            failure
                .as_ref()
                .is_some_and(|error| !matches!(error, ApiError::Refused(_)))
        })
    };
    // A link may lead to a task that no list has. Without an answer it is asked for again when the network is back.
    effect(move |asked: Option<bool>| {
        let signed_in = store.loading().get() != Loading::Nothing;
        let again = live.get() && no_answer();
        let ask = signed_in && !is_there.get() && (asked != Some(true) || again);
        if ask {
            spawn_local(async move {
                let found = store.load_task(editor.id).await;
                deleted.try_set(found.is_ok());
                failure.try_set(found.err());
            });
        }
        ask || (asked == Some(true) && !is_there.get())
    });
    let shown = move || {
        match (is_there.get(), failure.get()) {
        (true, _) => body(editor, close),
        (false, None) if deleted.get() => missing("This task was deleted.".to_owned(), close),
        (false, None) => view! { <div class="panel-bar"><span class="end">{close_button(close)}</span></div><div class="panel-body"><p class="muted" role="status">"Loading…"</p></div> }.piece(),
        (false, Some(ApiError::Refused(problem))) if problem.status == 404 => missing("This task does not exist, or it was deleted.".to_owned(), close),
        (false, Some(error)) => missing(error.sentence(), close),
    }
    };
    view! { {dynamic(shown)} }.piece()
}

fn close_button(close: impl Fn() + Copy + 'static) -> AnyView {
    view! { <button type="button" class="icon-btn" aria-label="Close" title="Close (Esc)" on:click=does(move |_: web_sys::MouseEvent| close())><Icon name="close"/></button> }.piece()
}

fn missing(why: String, close: impl Fn() + Copy + 'static) -> AnyView {
    view! {
        <div class="panel-bar"><span class="end">{close_button(close)}</span></div>
        <div class="panel-body"><p role="alert">{why}</p></div>
    }
    .piece()
}

fn body(editor: Editor, close: impl Fn() + Copy + Send + Sync + 'static) -> AnyView {
    let actions = Actions::get();
    let dates = repeat::dates(editor);
    let trail = trail::Trail::of(editor);
    let done = Signal::derive(move || {
        editor
            .task
            .with(|task| task.as_ref().is_some_and(|task| task.status == Status::Completed))
    });
    let priority = Signal::derive(move || {
        editor
            .task
            .with(|task| task.as_ref().map_or(Priority::Medium, |task| task.priority))
    });
    let title = Signal::derive(move || editor.get(|task| task.title.clone()));
    let notes = Signal::derive(move || editor.get(|task| task.description.clone()).unwrap_or_default());
    let toggle = Callback::new(move |()| actions.toggle(editor.id));
    let title_field = Field {
        name: "title",
        label: "Title",
        look: Look::Title,
        placeholder: "Title",
        list: "",
        value: title,
        save: Callback::new(move |text: String| {
            editor.save(Patch::new().title(&text));
            None
        }),
        typed: None,
    };
    let notes_field = Field {
        name: "description",
        label: "Notes",
        look: Look::Notes,
        placeholder: "Notes",
        list: "",
        value: notes,
        save: Callback::new(move |text: String| {
            editor.save(Patch::new().description(Some(&text)));
            None
        }),
        typed: None,
    };
    let delete = move |_| {
        let recurs = editor.now(|task| task.recurrence.is_some());
        actions.delete(editor.id);
        if !recurs {
            close();
        }
    };
    let state = move || if done.get() { "Completed" } else { "" };
    view! {
        <div class="panel-bar">
            <span class="muted">{dynamic(state)}</span>
            <span class="end">
                <button type="button" class="icon-btn" aria-label="Delete" title="Delete" on:click=does(delete)><Icon name="trash"/></button>
                {close_button(close)}
            </span>
        </div>
        <div class="panel-body">
            {decide::decide(editor)}
            <div class="title-edit" class:done=done>
                <Check done priority title toggle/>
                {field::field(editor, title_field)}
            </div>
            {field::field(editor, notes_field)}
            <dl class="props">{due::due(editor)}</dl>
            {due::moves(editor)}
            <dl class="props">
                {repeat::repeat(editor, dates)}
                {choices::priority(editor)}
                {labels::category(editor)}
                {labels::tags(editor)}
                {choices::estimate(editor)}
            </dl>
            {reminders::reminders(editor, trail)}
            {repeat::next_dates(editor, dates)}
            {trail::trail(editor, trail)}
        </div>
        {foot(editor)}
    }
    .piece()
}

/// Whether everything is saved. Screen readers announce changes.
fn foot(editor: Editor) -> AnyView {
    let edited = RwSignal::new(false);
    let waiting = memo(move |_| editor.waiting());
    effect(move |_| {
        if waiting.get() {
            edited.set(true);
        }
    });
    let state = move || match (
        waiting.get(),
        editor.refusals().is_empty(),
        editor.store.connection().get(),
    ) {
        (_, false, _) => "Not saved: see above.",
        (true, _, Connection::Offline) => "Kept on this device. It is sent when you are back.",
        (true, _, Connection::SignedOut) => "Kept on this device. It is sent when you have signed in.",
        (true, _, _) => "Saving…",
        (false, _, _) if edited.get() => "Saved",
        _ => "",
    };
    let created = move || {
        let at = editor.task.with(|task| task.as_ref().map(|task| task.created_at));
        at.map(|at| {
            [
                "Created ",
                &clock::write(Form::ShortYear, at, &editor.clock.zone.get()),
            ]
            .concat()
        })
    };
    view! {
        <div class="panel-foot">
            <span>{dynamic(created)}</span>
            <span class="end" role="status">{dynamic(state)}</span>
        </div>
    }
    .piece()
}
