//! Category and tags.

use leptos::prelude::*;
use nudge_domain::id::{CategoryId, TagId};
use nudge_page_model::Patch;
use uuid::Uuid;

use super::editor::Editor;
use super::field;
use super::new_label::new_label;
use super::reminders::focus_soon;
use crate::api::{Label, LabelKind};
use crate::parts::dynamic::{Piece, does, dynamic, memo};
use crate::parts::icon::Icon;
use crate::parts::ui::{Editing, Ui};

/// The category.
pub(super) fn category(editor: Editor) -> AnyView {
    let ui = Ui::get();
    let current = memo(move |_| {
        editor
            .get(|task| task.category_id)
            .map(|id| id.to_string())
            .unwrap_or_default()
    });
    let naming = RwSignal::new(None::<String>);
    let options = move || {
        let all = editor.store.categories().get();
        let option = |label: &Label| {
            let (id, of) = (label.id.to_string(), label.id.to_string());
            view! { <option value=id prop:selected=move || current.get() == of>{label.name.clone()}</option> }
        };
        all.iter().map(option).collect::<Vec<_>>()
    };
    let choose = move |event: web_sys::Event| match event_target_value(&event).as_str() {
        "new" => naming.set(Some(String::new())),
        id => {
            let category: Option<CategoryId> = id.parse().ok();
            editor.save(Patch::new().category(category));
        }
    };
    let use_it = move |label: Label| {
        naming.set(None);
        editor.save(Patch::new().category(Some(label.id.into())));
    };
    let form = move || {
        naming
            .get()
            .map(|name| new_label(LabelKind::Category, name, use_it, move || naming.set(None)))
    };
    let color = move || {
        let id = current.get();
        editor
            .store
            .categories()
            .with(|all| all.iter().find(|label| label.id.to_string() == id).cloned())
    };
    let dot = move || color().map(|label| dot(ui, LabelKind::Category, label));
    view! {
        <div class="prop">
            <dt><Icon name="folder"/>"Category"</dt>
            <dd class="prop-value">
                <div class="value-with">
                    {dynamic(dot)}
                    <select class="value" class:none=move || current.with(String::is_empty) aria-label="Category" on:change=does(choose)>
                        <option value="" prop:selected=move || current.with(String::is_empty)>"None"</option>
                        {dynamic(options)}
                        <option value="new" prop:selected=move || naming.with(Option::is_some)>"New category…"</option>
                    </select>
                </div>
                {dynamic(form)}
                {field::refused(editor, "categoryId")}
            </dd>
        </div>
    }
    .piece()
}

/// The colour of a label; a click edits the label.
fn dot(ui: Ui, kind: LabelKind, label: Label) -> AnyView {
    let class = if kind == LabelKind::Category {
        "tag category"
    } else {
        "tag"
    };
    let says = ["Edit ", &label.name].concat();
    let color = label.color.clone();
    let edit = move |_| {
        ui.editing.set(Some(Editing {
            kind,
            label: Some(label.clone()),
        }))
    };
    view! { <button type="button" class="dot-btn" aria-label=says title="Name and colour" on:click=does(edit)><span class=class style:--c=color></span></button> }.piece()
}

/// The tags, and a field that adds one.
pub(super) fn tags(editor: Editor) -> AnyView {
    let ui = Ui::get();
    let current = memo(move |_| editor.get(|task| task.tag_ids.clone()));
    let (text, naming) = (RwSignal::new(String::new()), RwSignal::new(None::<String>));
    let save = move |tags: &[TagId]| editor.save(Patch::new().tags(tags));
    let attach = move |id: Uuid| {
        let mut tags = current.get_untracked();
        let id = TagId::from(id);
        if !tags.contains(&id) {
            tags.push(id);
            save(&tags);
        }
    };
    let add = move || {
        // A field that is removed changes, too, when its signals are gone.
        let Some(name) = text.try_get_untracked() else {
            return;
        };
        let name = name.trim().trim_start_matches('#');
        if name.is_empty() {
            return;
        }
        let lower = name.to_lowercase();
        let known = editor.store.tags().with_untracked(|all| {
            all.iter()
                .find(|label| label.name.to_lowercase() == lower)
                .map(|label| label.id)
        });
        match known {
            Some(id) => attach(id),
            None => naming.set(Some(name.to_owned())),
        }
        text.set(String::new());
    };
    let use_it = move |label: Label| {
        naming.set(None);
        attach(label.id);
    };
    let one = move |id: TagId| {
        let label = editor
            .store
            .tags()
            .with(|all| all.iter().find(|label| TagId::from(label.id) == id).cloned())?;
        let name = label.name.clone();
        let says = ["Remove the tag ", &label.name].concat();
        let remove = move |_| {
            let tags: Vec<TagId> = current
                .get_untracked()
                .into_iter()
                .filter(|of| *of != id)
                .collect();
            save(&tags);
            focus_soon(".tags-edit > input");
        };
        Some(view! {
            <li class="tag-edit">
                {dot(ui, LabelKind::Tag, label)}
                <bdi class="clip">{name}</bdi>
                <button type="button" class="drop" aria-label=says on:click=does(remove)><Icon name="close" small=true/></button>
            </li>
        })
    };
    let chips = move || current.get().into_iter().filter_map(one).collect::<Vec<_>>();
    let options = move || {
        let (all, taken) = (editor.store.tags().get(), current.get());
        let free = all.iter().filter(|label| !taken.contains(&TagId::from(label.id)));
        free.map(|label| view! { <option value=label.name.clone()></option> })
            .collect::<Vec<_>>()
    };
    let key = move |event: web_sys::KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.is_composing() => {
            event.prevent_default();
            add();
        }
        "Escape" if !text.with_untracked(String::is_empty) => {
            event.prevent_default();
            event.stop_propagation();
            text.set(String::new());
        }
        _ => {}
    };
    let form = move || {
        naming
            .get()
            .map(|name| new_label(LabelKind::Tag, name, use_it, move || naming.set(None)))
    };
    view! {
        <div class="prop">
            <dt><Icon name="tag"/>"Tags"</dt>
            <dd class="prop-value">
                <div class="tags-edit">
                    <ul class="tag-list" aria-label="Tags">{dynamic(chips)}</ul>
                    <input
                        class="value"
                        type="text"
                        dir="auto"
                        autocomplete="off"
                        aria-label="Add a tag"
                        placeholder="Add a tag"
                        list="task-tags"
                        prop:value=text
                        on:input=does(move |event: web_sys::Event| text.set(event_target_value(&event)))
                        on:keydown=does(key)
                        on:change=does(move |_: web_sys::Event| add())
                    />
                    <datalist id="task-tags">{dynamic(options)}</datalist>
                </div>
                {dynamic(form)}
                {field::refused(editor, "tagIds")}
            </dd>
        </div>
    }
    .piece()
}
