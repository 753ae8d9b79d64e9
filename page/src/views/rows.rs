//! A list of tasks under headings, of which only what is near the visible part is in the document.

use std::ops::Range;
use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;

use super::row::Row;
use crate::parts::actions::Actions;
use crate::parts::cursor::Cursor;
use crate::parts::dynamic::{Piece, does, dynamic, each, effect, memo};
use crate::parts::list::{Group, Line, List, NARROW, ROW, TALL_ROW};
use crate::parts::ui::Ui;

/// Pixels above and below the visible part that are rendered, too.
const MARGIN: u32 = 700;
/// The rendered part moves by so many lines at a time.
const CHUNK: usize = 8;

/// The list. The keyboard moves through it: see `cursor`.
#[component]
pub(crate) fn Rows(
    #[prop(into)] list: Signal<List>,
    /// Headings name the day of their tasks.
    by_day: bool,
    /// What the list is, for screen readers.
    #[prop(into)]
    label: Signal<String>,
) -> AnyView {
    let (actions, cursor) = (Actions::get(), Cursor::get());
    let element = NodeRef::<html::Div>::new();
    let narrow = media(NARROW);
    let lines =
        memo(move |_| list.with(|list| Arc::new(list.lines(if narrow.get() { TALL_ROW } else { ROW }))));
    let range = RwSignal::new(0..40_usize);
    let look = move || {
        if let Some(seen) = element.get_untracked().and_then(|element| visible(&element)) {
            let range_now = lines.with_untracked(|lines| chunked(lines.between(seen.start, seen.end)));
            range.maybe_update(|range| {
                let differs = *range != range_now;
                *range = range_now;
                differs
            });
        }
    };
    let resized = window_event_listener(leptos::ev::resize, move |_| look());
    on_cleanup(move || resized.remove());
    let ui = Ui::get();
    effect(move |_| {
        ui.scrolled.track();
        look();
    });
    effect(move |_| {
        lines.track();
        element.track();
        request_animation_frame(look);
    });
    cursor.follow(lines, element);
    let shown = move || lines.with(|lines| lines.slice(range.get()).to_vec());
    let count = memo(move |_| lines.with(|lines| lines.len()));
    let place = move |line: &Line| lines.with(|lines| lines.place(line).map_or(0, |place| place + 1));
    let top = move |line: &Line| lines.with(|lines| format!("0 {}px", lines.top(line).unwrap_or_default()));
    let one = move |line: Line| {
        let (at, number) = (line.clone(), line.clone());
        let top = memo(move |_| top(&at));
        let number = memo(move |_| place(&number));
        match line {
            Line::Heading(group) => {
                let late = group == Group::Overdue;
                let heading = memo(move |_| list.with(|list| list.heading(&group)).unwrap_or_default());
                let to_today = move |_| {
                    let parts = list.get_untracked().0;
                    let late = parts
                        .iter()
                        .filter(|part| matches!(part.group, Some((Group::Overdue, _))));
                    actions.all_to_today(
                        &late
                            .flat_map(|part| part.tasks.iter().copied())
                            .collect::<Vec<_>>(),
                    );
                };
                let action = late.then(|| view! { <button type="button" class="link-btn" on:click=does(to_today)>"Move all to today"</button> });
                view! {
                    <div class="group" class:late=late role="listitem" style:translate=top aria-setsize=count aria-posinset=number>
                        <h2>{dynamic(move || heading.get().title)}</h2>
                        <span class="note">{dynamic(move || heading.get().note)}</span>
                        <span class="count">{dynamic(move || heading.get().count)}</span>
                        {action}
                    </div>
                }
                .piece()
            }
            Line::Task(id) => view! { <Row id top number count by_day/> }.piece(),
        }
    };
    view! {
        <div class="rows long" role="list" aria-label=label node_ref=element style:height=move || format!("{}px", lines.with(|lines| lines.height()))>
            {each(shown, Line::key, one)}
        </div>
    }
    .piece()
}

fn chunked(range: Range<usize>) -> Range<usize> {
    range.start / CHUNK * CHUNK..range.end.div_ceil(CHUNK) * CHUNK
}

/// Which part of the list is near the visible part of the window.
fn visible(element: &web_sys::HtmlDivElement) -> Option<Range<u32>> {
    let place = element.get_bounding_client_rect();
    let height = window().inner_height().ok()?.as_f64()?;
    let above = (-place.top()).max(0.0) as u32;
    let below = (height - place.top()).max(0.0) as u32;
    Some(above.saturating_sub(MARGIN)..below.saturating_add(MARGIN))
}

/// Whether the window is as a media query says.
pub(crate) fn media(query: &str) -> Signal<bool> {
    let Ok(Some(list)) = window().match_media(query) else {
        return Signal::stored(false);
    };
    let matches = RwSignal::new(list.matches());
    let resized = {
        let query = query.to_owned();
        window_event_listener(leptos::ev::resize, move |_| {
            let now = window()
                .match_media(&query)
                .ok()
                .flatten()
                .is_some_and(|list| list.matches());
            if matches.get_untracked() != now {
                matches.set(now);
            }
        })
    };
    on_cleanup(move || resized.remove());
    matches.into()
}
