//! A new category or tag, made where it is used.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{ApiError, Label, LabelKind};
use crate::parts::dynamic::{Piece, does, dynamic, effect};
use crate::store::use_store;
use crate::views::label_form::{COLORS, swatches, why};

/// A form for name and colour. `made` gets the label.
pub(super) fn new_label(
    kind: LabelKind,
    name: String,
    made: impl Fn(Label) + Copy + 'static,
    cancel: impl Fn() + Copy + Send + Sync + 'static,
) -> AnyView {
    let store = use_store();
    let of_kind = if kind == LabelKind::Category {
        store.categories()
    } else {
        store.tags()
    };
    // The colours take turns.
    let next = of_kind.with_untracked(|all| all.len()) % COLORS.len();
    let color = RwSignal::new(COLORS.get(next).map_or("", |color| color.0).to_owned());
    let (name, busy, failure) = (
        RwSignal::new(name),
        RwSignal::new(false),
        RwSignal::new(None::<ApiError>),
    );
    let element = NodeRef::<html::Input>::new();
    effect(move |_| {
        if let Some(element) = element.get() {
            let _ = element.focus();
        }
    });
    let create = move || {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let (name, color) = (name.get_untracked(), color.get_untracked());
        spawn_local(async move {
            let created = store.create_label(kind, &name, Some(&color)).await;
            // The panel may be closed by now: the label is there, and no task is.
            let closed = busy.try_set(false).is_some();
            match created {
                Ok(_) if closed => {}
                Ok(label) => made(label),
                Err(error) => {
                    failure.try_set(Some(error));
                }
            }
        });
    };
    let key = move |event: web_sys::KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.is_composing() => {
            event.prevent_default();
            create();
        }
        "Escape" => {
            event.prevent_default();
            event.stop_propagation();
            cancel();
        }
        _ => {}
    };
    let wrong = move || why(failure);
    let swatches = swatches(color);
    let says = if kind == LabelKind::Category {
        "Name of the new category"
    } else {
        "Name of the new tag"
    };
    view! {
        <div class="new-label" role="group" aria-label=says>
            <input
                class="input"
                type="text"
                dir="auto"
                autocomplete="off"
                aria-label=says
                placeholder="Name"
                aria-invalid=move || wrong().map(|_| "true")
                aria-describedby="new-label-wrong"
                node_ref=element
                prop:value=name
                on:input=does(move |event: web_sys::Event| { name.set(event_target_value(&event)); failure.set(None); })
                on:keydown=does(key)
            />
            {dynamic(move || wrong().map(|why| view! { <p class="refusal" id="new-label-wrong" role="alert">{why}</p> }))}
            <div class="swatches" role="radiogroup" aria-label="Colour">{swatches}</div>
            <div class="btn-row">
                <button type="button" class="btn small primary" disabled=busy on:click=does(move |_: web_sys::MouseEvent| create())>"Create"</button>
                <button type="button" class="btn small plain" on:click=does(move |_: web_sys::MouseEvent| cancel())>"Cancel"</button>
            </div>
        </div>
    }
    .piece()
}
