//! Categories and tags.

use leptos::prelude::*;

use super::section;
use crate::api::{Label, LabelKind};
use crate::parts::dynamic::{Piece, does, dynamic};
use crate::parts::icon::Icon;
use crate::parts::ui::{Editing, Ui};
use crate::store::use_store;

pub(super) fn labels() -> AnyView {
    let body = view! { {list(LabelKind::Category)}{list(LabelKind::Tag)} };
    section(
        "Categories and tags",
        "A task has one category and up to ten tags.",
        body.piece(),
    )
}

fn list(kind: LabelKind) -> AnyView {
    let (ui, store) = (Ui::get(), use_store());
    let (all, title, new) = match kind {
        LabelKind::Category => (store.categories(), "Categories", "New category"),
        LabelKind::Tag => (store.tags(), "Tags", "New tag"),
    };
    let class = if kind == LabelKind::Category {
        "tag category"
    } else {
        "tag"
    };
    let row = move |label: &Label| {
        let label = label.clone();
        let tasks = match label.task_count {
            0 => "no tasks".to_owned(),
            1 => "1 task".to_owned(),
            count => [&count.to_string(), " tasks"].concat(),
        };
        let says = ["Edit ", &label.name].concat();
        let (name, color) = (label.name.clone(), label.color.clone());
        let edit = move |_| {
            ui.editing.set(Some(Editing {
                kind,
                label: Some(label.clone()),
            }))
        };
        view! {
            <li class="line">
                <span class=class style:--c=color><bdi>{name}</bdi></span>
                <span class="end">{tasks}<button type="button" class="icon-btn" aria-label=says title="Rename, colour, delete" on:click=does(edit)><Icon name="edit" small=true/></button></span>
            </li>
        }
    };
    let rows = move || all.get().iter().map(row).collect::<Vec<_>>();
    view! {
        <div class="field">
            <div class="section-head">
                <h3>{title}</h3>
                <button type="button" class="link-btn end" on:click=does(move |_: web_sys::MouseEvent| ui.editing.set(Some(Editing { kind, label: None })))>{new}</button>
            </div>
            <ul class="lines card pad">{dynamic(rows)}</ul>
            {dynamic(move || all.get().is_empty().then(|| view! { <p class="hint">"None yet."</p> }))}
        </div>
    }
    .piece()
}
