//! What the person decides: fields that were changed elsewhere, too, and edits that were refused.

use leptos::prelude::*;
use nudge_page_model::{Choice, Conflict, FieldConflict, Refusal, RefusalKind};

use super::editor::Editor;
use super::words;
use crate::parts::dynamic::{Piece, does, dynamic, memo};
use crate::parts::icon::Icon;
use crate::route::{self, Route};

/// The fields that the panel shows, each with what is wrong with it.
const SHOWN: [&str; 10] = [
    "title",
    "description",
    "due",
    "priority",
    "categoryId",
    "tagIds",
    "recurrence",
    "recurrenceFrom",
    "reminders",
    "estimateMinutes",
];

/// Conflicts and refusals of the task.
pub(super) fn decide(editor: Editor) -> AnyView {
    let conflicts = memo(move |_| {
        let id = editor.store.real_id(editor.id);
        editor.store.conflicts().with(|all| {
            all.iter()
                .filter(|conflict| editor.store.real_id(conflict.task) == id)
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let refusals = memo(move |_| editor.refusals());
    let shown = move || {
        let mut views: Vec<AnyView> = conflicts
            .get()
            .into_iter()
            .map(|of| conflict(editor, of))
            .collect();
        views.extend(
            refusals
                .get()
                .into_iter()
                .filter_map(|refusal| refused(editor, refusal)),
        );
        views
    };
    view! { <div aria-live="polite">{dynamic(shown)}</div> }.piece()
}

fn conflict(editor: Editor, conflict: Conflict) -> AnyView {
    let (store, edit) = (editor.store, conflict.edit);
    if conflict.deletion {
        return view! {
            <div class="conflict" role="group" aria-label="Changed elsewhere">
                <p><b>"You deleted this task, and it was changed elsewhere."</b>" Choose what to keep."</p>
                <div class="btn-row">
                    <button type="button" class="btn primary" on:click=does(move |_: web_sys::MouseEvent| store.discard(edit))>"Keep the task"</button>
                    <button type="button" class="btn danger" on:click=does(move |_: web_sys::MouseEvent| store.resolve(edit, &[]))>"Delete it"</button>
                </div>
            </div>
        }
        .piece();
    }
    let fields: Vec<(FieldConflict, RwSignal<bool>)> = conflict
        .fields
        .into_iter()
        .map(|field| (field, RwSignal::new(true)))
        .collect();
    let names: Vec<(String, RwSignal<bool>)> = fields
        .iter()
        .map(|(field, mine)| (field.field.clone(), *mine))
        .collect();
    let keep = move |_| {
        let choice = |(name, mine): &(String, RwSignal<bool>)| {
            (
                name.clone(),
                if mine.get_untracked() {
                    Choice::Mine
                } else {
                    Choice::Theirs
                },
            )
        };
        let choices: Vec<(String, Choice)> = names.iter().map(choice).collect();
        store.resolve(edit, &choices);
    };
    let rows: Vec<AnyView> = fields
        .into_iter()
        .map(|(field, mine)| row(editor, &field, mine))
        .collect();
    view! {
        <div class="conflict" role="group" aria-label="Changed elsewhere">
            <p><b>"Changed elsewhere while you edited it."</b>" Choose what to keep."</p>
            {rows}
            <div class="btn-row">
                <button type="button" class="btn primary" on:click=does(keep)>"Keep these"</button>
                <button type="button" class="btn plain" on:click=does(move |_: web_sys::MouseEvent| store.discard(edit))>"Discard mine"</button>
            </div>
        </div>
    }
    .piece()
}

fn row(editor: Editor, field: &FieldConflict, mine: RwSignal<bool>) -> AnyView {
    let name = words::field_name(&field.field).to_owned();
    let version = |of_mine: bool, who: &'static str, text: String| {
        let key = move |event: web_sys::KeyboardEvent| {
            if event.key().starts_with("Arrow") {
                event.prevent_default();
                mine.update(|mine| *mine = !*mine);
                super::reminders::focus_soon(".version[aria-checked=true]:not(:focus)");
            }
        };
        view! {
            <button
                type="button"
                class="version"
                role="radio"
                aria-checked=move || (mine.get() == of_mine).to_string()
                on:click=does(move |_: web_sys::MouseEvent| mine.set(of_mine))
                on:keydown=does(key)
            >
                <span class="who">{who}</span>
                <span dir="auto">{text}</span>
            </button>
        }
        .piece()
    };
    let (ours, theirs) = (
        words::value(editor, &field.field, &field.mine),
        words::value(editor, &field.field, &field.theirs),
    );
    view! {
        <div class="conflict-row">
            <span class="name">{name.clone()}</span>
            <div class="versions" role="radiogroup" aria-label=name>{version(true, "Yours", ours)}{version(false, "Elsewhere", theirs)}</div>
        </div>
    }
    .piece()
}

/// A refused edit, unless all that is wrong stands beside fields.
fn refused(editor: Editor, refusal: Refusal) -> Option<AnyView> {
    let (store, edit) = (editor.store, refusal.edit);
    let why = match refusal.kind {
        RefusalKind::Gone => "The task was deleted elsewhere, and what you changed is not saved.".to_owned(),
        RefusalKind::Invalid if !refusal.problem.errors.is_empty() => {
            let rest = refusal.problem.other_than(&SHOWN);
            if rest.is_empty() {
                return None;
            }
            rest.join(" ")
        }
        _ => refusal.problem.sentence(),
    };
    let route = route::current();
    let action = match refusal.kind {
        RefusalKind::Gone => {
            let again = move |_| {
                if let Some(id) = store.create_again(edit) {
                    route::replace(route, Route { task: Some(id.to_string()), ..route.get_untracked() });
                }
            };
            view! { <button type="button" class="link-btn" on:click=does(again)>"Create it again"</button> }.piece()
        }
        _ => view! { <button type="button" class="link-btn" on:click=does(move |_: web_sys::MouseEvent| store.retry(edit))>"Try again"</button> }.piece(),
    };
    let fields: Vec<&str> = refusal
        .input
        .keys()
        .map(|field| words::field_name(field))
        .collect();
    let what = if fields.is_empty() {
        "Not saved. ".to_owned()
    } else {
        ["Not saved: ", &fields.join(", "), ". "].concat()
    };
    let banner = view! {
        <div class="banner error" role="alert">
            <Icon name="warn"/>
            <span><b>{what}</b>{why}</span>
            {action}
            <button type="button" class="link-btn" on:click=does(move |_: web_sys::MouseEvent| store.discard(edit))>"Discard"</button>
        </div>
    };
    Some(banner.piece())
}
