//! Making, renaming, colouring and deleting a category or a tag.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{ApiError, Label, LabelKind};
use crate::parts::dialog::Dialog;
use crate::parts::dynamic::{Piece, does, dynamic, effect};
use crate::parts::ui::{Editing, Ui};
use crate::route::{self, Route, View};
use crate::store::use_store;

/// Colours that are told apart on both grounds.
pub(crate) const COLORS: [(&str, &str); 10] = [
    ("#c2410c", "Orange"),
    ("#b7791f", "Amber"),
    ("#6f8f1f", "Olive"),
    ("#2f7d4f", "Green"),
    ("#0e7490", "Teal"),
    ("#3765c8", "Blue"),
    ("#7a4bc4", "Violet"),
    ("#c23a76", "Pink"),
    ("#c0392b", "Red"),
    ("#6b7280", "Grey"),
];

/// A button for each colour, which chooses it.
pub(crate) fn swatches(color: RwSignal<String>) -> [AnyView; 10] {
    COLORS.map(|(value, says)| {
        view! {
            <button
                type="button"
                class="swatch"
                role="radio"
                style:--c=value
                aria-label=says
                title=says
                aria-checked=move || (color.get() == value).to_string()
                on:click=does(move |_: web_sys::MouseEvent| color.set(value.to_owned()))
            ></button>
        }
        .piece()
    })
}

/// Why a label was not stored, to be said beside its name.
pub(crate) fn why(failure: RwSignal<Option<ApiError>>) -> Option<String> {
    failure.with(|failure| {
        failure
            .as_ref()
            .map(|error| error.beside("name").unwrap_or_else(|| error.sentence()))
    })
}

/// The dialog; it is open while [`Ui::editing`] names a label.
#[component]
pub(crate) fn LabelForm() -> AnyView {
    let ui = Ui::get();
    let open = RwSignal::new(false);
    effect(move |_| open.set(ui.editing.with(Option::is_some)));
    // Only when it closes: each of both would run the other again, without an end.
    effect(move |was_open: Option<bool>| {
        let is_open = open.get();
        if was_open == Some(true) && !is_open {
            ui.editing.set(None);
        }
        is_open
    });
    let title = Signal::derive(move || {
        ui.editing
            .with(|editing| match editing {
                Some(Editing {
                    kind: LabelKind::Category,
                    label: None,
                }) => "New category",
                Some(Editing {
                    kind: LabelKind::Tag,
                    label: None,
                }) => "New tag",
                Some(Editing {
                    kind: LabelKind::Category,
                    ..
                }) => "Category",
                _ => "Tag",
            })
            .to_owned()
    });
    view! {
        <Dialog open title>
            {dynamic(move || ui.editing.get().map(|editing| view! { <Fields editing open/> }))}
        </Dialog>
    }
    .piece()
}

#[component]
fn Fields(editing: Editing, open: RwSignal<bool>) -> AnyView {
    let store = use_store();
    let route = route::current();
    let Editing { kind, label } = editing;
    let name = RwSignal::new(label.as_ref().map(|label| label.name.clone()).unwrap_or_default());
    let color = RwSignal::new(
        label
            .as_ref()
            .map_or_else(|| COLORS[5].0.to_owned(), |label| label.color.clone()),
    );
    let (failure, busy, sure) = (
        RwSignal::new(None::<ApiError>),
        RwSignal::new(false),
        RwSignal::new(false),
    );
    let label = StoredValue::new(label);
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let (name, color) = (name.get_untracked(), color.get_untracked());
        spawn_local(async move {
            let saved = match label.get_value() {
                Some(label) => store.patch_label(kind, label.id, Some(&name), Some(&color)).await,
                None => store.create_label(kind, &name, Some(&color)).await,
            };
            busy.try_set(false);
            match saved {
                Ok(_) => open.set(false),
                Err(error) => {
                    failure.try_set(Some(error));
                }
            }
        });
    };
    let delete = move |label: Label| {
        if !sure.get_untracked() {
            return sure.set(true);
        }
        spawn_local(async move {
            match store.delete_label(kind, label.id).await {
                Ok(()) => {
                    open.set(false);
                    let id = label.id.to_string();
                    if route.with_untracked(
                        |route| matches!(&route.view, View::Category(of) | View::Tag(of) if *of == id),
                    ) {
                        route::go(route, Route::of(View::All));
                    }
                }
                Err(error) => {
                    failure.try_set(Some(error));
                }
            }
        });
    };
    let wrong = move || why(failure);
    let swatches = swatches(color);
    let remove = label.get_value().map(|label| {
        let count = label.task_count;
        let words = move || match (sure.get(), count) {
            (false, _) => "Delete".to_owned(),
            (true, 0) => "Really delete".to_owned(),
            (true, 1) => "Really delete; one task loses it".to_owned(),
            (true, count) => format!("Really delete; {count} tasks lose it"),
        };
        view! { <button type="button" class="btn plain danger" on:click=does(move |_: web_sys::MouseEvent| delete(label.clone()))>{dynamic(words)}</button> }
    });
    view! {
        <form on:submit=does(save)>
            <div class="dialog-body">
                <div class="field">
                    <label for="label-name">"Name"</label>
                    <input
                        class="input"
                        id="label-name"
                        dir="auto"
                        autocomplete="off"
                        autofocus=true
                        maxlength="50"
                        prop:value=name
                        aria-invalid=move || wrong().is_some().to_string()
                        aria-describedby="label-name-wrong"
                        on:input=does(move |event: web_sys::Event| { name.set(event_target_value(&event)); failure.set(None); })
                    />
                    <p class="refusal" id="label-name-wrong" role="alert" hidden=move || wrong().is_none()>{dynamic(wrong)}</p>
                </div>
                <div class="field">
                    <span class="label" id="label-color">"Colour"</span>
                    <div class="swatches" role="radiogroup" aria-labelledby="label-color">{swatches}</div>
                </div>
            </div>
            <div class="dialog-foot">
                {remove}
                <button type="button" class="btn" on:click=does(move |_: web_sys::MouseEvent| open.set(false))>"Cancel"</button>
                <button type="submit" class="btn primary">"Save"</button>
            </div>
        </form>
    }
    .piece()
}
