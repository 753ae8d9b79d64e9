//! A field for text. It saves when it is left and on Enter; Escape restores what was there.

use leptos::prelude::*;

use super::draft;
use super::editor::Editor;
use crate::parts::dynamic::{Piece, does, dynamic, effect, follows, memo};

/// How a field looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Title,
    Notes,
    /// A property.
    Value,
    /// A box.
    Input,
}

/// What a field is about. The text is `value`, or what is typed; `save` is called with a new text and answers why it cannot be saved.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) look: Look,
    pub(super) placeholder: &'static str,
    /// The id of a `datalist`.
    pub(super) list: &'static str,
    pub(super) value: Signal<String>,
    pub(super) save: Callback<String, Option<String>>,
    /// Called with what is typed, and with nothing when that is saved or given up.
    pub(super) typed: Option<Callback<Option<String>>>,
}

/// The field, and below it why its text is refused.
pub(super) fn field(editor: Editor, field: Field) -> AnyView {
    let Field {
        name,
        label,
        look,
        placeholder,
        list,
        value,
        save,
        ..
    } = field;
    let typed = RwSignal::new(draft::read(editor, name));
    let restored = RwSignal::new(typed.with_untracked(Option::is_some));
    let (sent, wrong) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let refused = memo(move |_| editor.refused(name));
    let tell = move |text: Option<String>| {
        if let Some(callback) = field.typed {
            callback.run(text);
        }
    };
    let shown = move || {
        typed
            .get()
            .or_else(|| refused.with(|refused| refused.as_ref()?.input.clone()))
            .unwrap_or_else(|| value.get())
    };
    // What only the API understands is shown as it was typed until the API has answered.
    effect(move |_| {
        if sent.get() && !editor.waiting() {
            sent.set(false);
            typed.set(None);
        }
    });
    let restore = move || {
        typed.set(None);
        wrong.set(None);
        restored.set(false);
        draft::forget(editor, name);
        tell(None);
    };
    let discard = move || {
        restore();
        if let Some(refused) = refused.get_untracked() {
            editor.store.discard(refused.edit);
        }
    };
    let commit = move || {
        // A field that is removed loses the focus, too, when its signals are gone. What was typed in it is kept: see `draft`.
        let Some(text) = typed
            .try_get_untracked()
            .flatten()
            .filter(|_| !sent.get_untracked())
        else {
            return;
        };
        if text.trim() == value.get_untracked().trim() {
            return discard();
        }
        match save.run(text) {
            Some(why) => wrong.set(Some(why)),
            None => {
                draft::forget(editor, name);
                restored.set(false);
                sent.set(true);
                tell(None);
            }
        }
    };
    let input = move |event: web_sys::Event| {
        let mut text = event_target_value(&event);
        if look == Look::Title {
            text = text.replace(['\n', '\r'], " ");
        }
        draft::write(editor, name, &text);
        wrong.set(None);
        sent.set(false);
        tell(Some(text.clone()));
        typed.set(Some(text));
    };
    let key = move |event: web_sys::KeyboardEvent| match event.key().as_str() {
        "Escape" if typed.with_untracked(Option::is_some) || refused.with_untracked(Option::is_some) => {
            event.prevent_default();
            event.stop_propagation();
            discard();
        }
        "Enter" if !event.is_composing() && (look != Look::Notes || event.ctrl_key() || event.meta_key()) => {
            event.prevent_default();
            commit();
        }
        _ => {}
    };
    let why = move || {
        wrong
            .get()
            .or_else(|| refused.with(|refused| refused.as_ref().map(|refused| refused.why.clone())))
    };
    let invalid = move || why().is_some().then_some("true");
    let id = move || ["task", name, "wrong"].join("-");
    let described = id();
    let element = match look {
        Look::Title | Look::Notes => view! {
            <textarea
                class:note-edit=look == Look::Notes
                rows="1"
                dir="auto"
                autocomplete="off"
                aria-label=label
                placeholder=placeholder
                aria-invalid=follows(invalid)
                aria-describedby=described
                prop:value=follows(shown)
                on:input=does(input)
                on:keydown=does(key)
                on:blur=does(move |_: web_sys::FocusEvent| commit())
            ></textarea>
        }
        .piece(),
        Look::Value | Look::Input => view! {
            <input
                class=if look == Look::Value { "value" } else { "input" }
                type="text"
                dir="auto"
                autocomplete="off"
                aria-label=label
                placeholder=placeholder
                list=(!list.is_empty()).then_some(list)
                aria-invalid=follows(invalid)
                aria-describedby=described
                prop:value=follows(shown)
                on:input=does(input)
                on:keydown=does(key)
                on:blur=does(move |_: web_sys::FocusEvent| commit())
            />
        }
        .piece(),
    };
    let below = move || {
        let hint = restored.get().then(|| view! { <p class="hint">"Typed before and not saved. Enter saves it, Escape restores the saved text."</p> });
        view! { {hint} {refusal(id(), why(), discard)} }
    };
    // The title stands beside a ring, so what is said about it follows in a line of its own.
    match look {
        Look::Title => view! { <div class="title-field">{element}{dynamic(below)}</div> }.piece(),
        _ => view! { {element}{dynamic(below)} }.piece(),
    }
}

/// Why a field is refused, with a way to give the edit up.
pub(super) fn refusal(id: String, why: Option<String>, discard: impl Fn() + 'static) -> AnyView {
    let Some(why) = why else {
        return ().piece();
    };
    view! {
        <p class="refusal" id=id role="alert">
            <span>{why}" "<button type="button" class="link-btn" on:click=does(move |_: web_sys::MouseEvent| discard())>"Restore"</button></span>
        </p>
    }
    .piece()
}

/// What the API refused of a property that is not typed.
pub(super) fn refused(editor: Editor, name: &'static str) -> AnyView {
    let refused = memo(move |_| editor.refused(name));
    let below = move || {
        let refused = refused.get();
        let edit = refused.as_ref().map(|refused| refused.edit);
        let discard = move || {
            if let Some(edit) = edit {
                editor.store.discard(edit);
            }
        };
        refusal(
            ["task", name, "wrong"].join("-"),
            refused.map(|refused| refused.why),
            discard,
        )
    };
    view! { {dynamic(below)} }.piece()
}
