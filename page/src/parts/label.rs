//! Names of categories and tags, with their colours.

use leptos::prelude::*;
use nudge_domain::id::{CategoryId, TagId};

use super::dynamic::dynamic;
use crate::store::use_store;

/// The name of a category. Nothing while it is not known.
#[component]
pub(crate) fn CategoryLabel(id: CategoryId) -> impl IntoView {
    let store = use_store();
    dynamic(move || {
        let found = store
            .categories()
            .with(|all| all.iter().find(|label| CategoryId::from(label.id) == id).cloned())?;
        Some(
            view! { <span class="tag category" style:--c=found.color><bdi class="clip">{found.name}</bdi></span> },
        )
    })
}

/// The name of a tag. Nothing while it is not known.
#[component]
pub(crate) fn TagLabel(id: TagId) -> impl IntoView {
    let store = use_store();
    dynamic(move || {
        let found = store
            .tags()
            .with(|all| all.iter().find(|label| TagId::from(label.id) == id).cloned())?;
        Some(view! { <span class="tag" style:--c=found.color><bdi class="clip">{found.name}</bdi></span> })
    })
}
