//! A task in a list.

use std::sync::Arc;

use leptos::prelude::*;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use nudge_domain::task::{Priority, Status};

use crate::parts::actions::Actions;
use crate::parts::check::Check;
use crate::parts::clock::Clock;
use crate::parts::cursor::{Cursor, element_id};
use crate::parts::dynamic::{Piece, does, dynamic, follows, memo};
use crate::parts::icon::Icon;
use crate::parts::label::{CategoryLabel, TagLabel};
use crate::parts::menu::RowMenu;
use crate::parts::when;
use crate::route::{self, Route};
use crate::store::use_store;

/// The row of a task.
#[component]
pub(crate) fn Row(
    id: TaskId,
    top: Memo<String>,
    number: Memo<usize>,
    count: Memo<usize>,
    by_day: bool,
) -> AnyView {
    let store = use_store();
    let (actions, clock, cursor, route) = (Actions::get(), Clock::get(), Cursor::get(), route::current());
    let menu: RowMenu = expect_context();
    let row = memo(move |_| store.tasks().with(|tasks| tasks.get(id).cloned()));
    let of = move |read: fn(&Task) -> bool| row.with(|task| task.as_deref().is_some_and(read));
    let title =
        memo(move |_| row.with(|task| task.as_ref().map(|task| task.title.clone()).unwrap_or_default()));
    let done = Signal::derive(move || of(|task| task.status == Status::Completed));
    let priority =
        Signal::derive(move || row.with(|task| task.as_ref().map_or(Priority::Medium, |task| task.priority)));
    let waiting = move || store.tasks().with(|tasks| tasks.waiting(id));
    let reachable = Signal::derive(move || cursor.is_at(id));
    let tabindex = move || if reachable.get() { "0" } else { "-1" };
    let text = id.to_string();
    let is_open = {
        let text = text.clone();
        move || {
            route
                .with(|route| route.task.as_deref() == Some(text.as_str()))
                .then_some("true")
        }
    };
    let target = move || Route {
        task: Some(text.clone()),
        ..route.get_untracked()
    };
    let address = {
        let target = target.clone();
        // The address of the view changes with its filters.
        move || {
            route.track();
            target().address()
        }
    };
    let due = move || {
        let due = row.with(|task| task.as_ref().and_then(|task| task.due))?;
        let words = when::due(clock, &due, by_day);
        (!words.text.is_empty()).then(
            || view! { <time class="due" data-when=words.when datetime=due.to_string()>{words.text}</time> },
        )
    };
    let labels = move || row.get().map(|task| labels(&task));
    view! {
        <div
            class="row"
            class:done=done
            class:saving=follows(waiting)
            role="listitem"
            style:translate=top
            aria-current=follows(is_open)
            aria-setsize=count
            aria-posinset=number
            on:focusin=does(move |_: web_sys::FocusEvent| cursor.put(id))
        >
            <Check done priority title reachable toggle=Callback::new(move |()| actions.toggle(id))/>
            <a
                class="row-main"
                id=element_id(id)
                href=follows(address)
                tabindex=follows(tabindex)
                on:click=does(move |event: web_sys::MouseEvent| route::on_click(route, &event, target()))
            >
                <span class="row-text">
                    <bdi class="row-title">{title}</bdi>
                    <span class="row-glyphs">
                        <Glyph name="repeat" says="repeats" when=Signal::derive(move || of(|task| task.recurrence.is_some()))/>
                        <Glyph name="bell" says="has a reminder" when=Signal::derive(move || of(|task| !task.reminders.is_empty()))/>
                        <Glyph name="note" says="has notes" when=Signal::derive(move || of(|task| task.description.is_some()))/>
                    </span>
                </span>
                <span class="row-meta">
                    <span class="row-tags">{dynamic(labels)}</span>
                    {dynamic(due)}
                </span>
            </a>
            <button
                type="button"
                class="icon-btn row-menu"
                aria-haspopup="menu"
                aria-expanded=move || if menu.is_open(id) { "true" } else { "false" }
                aria-label=move || format!("More about “{}”", title.get())
                tabindex=follows(tabindex)
                on:click=does(move |_: web_sys::MouseEvent| menu.open(id))
            >
                <Icon name="more"/>
            </button>
        </div>
    }
    .piece()
}

#[component]
fn Glyph(name: &'static str, says: &'static str, when: Signal<bool>) -> impl IntoView {
    let when = memo(move |_| when.get());
    dynamic(move || {
        when.get().then(|| {
            view! { <span title=says><Icon name small=true/><span class="visually-hidden">", " {says}</span></span> }
        })
    })
}

fn labels(task: &Arc<Task>) -> AnyView {
    let category = task.category_id.map(|id| view! { <CategoryLabel id/> });
    let tags = task
        .tag_ids
        .iter()
        .map(|id| view! { <TagLabel id=*id/> })
        .collect::<Vec<_>>();
    view! { {tags} {category} }.piece()
}
