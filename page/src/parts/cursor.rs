//! The cursor of a list: the task that the keyboard is at. It is where the focus is, or where it was last.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use nudge_domain::id::TaskId;
use nudge_page_model::lines::Lines;

use super::list::Line;
use crate::parts::dynamic::effect;

/// Pixels that stay free above and below the cursor.
const SPACE: f64 = 72.0;

type Shown = (Memo<Arc<Lines<Line>>>, NodeRef<html::Div>);

/// A context of the whole page.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    at: RwSignal<Option<TaskId>>,
    list: RwSignal<Option<Shown>>,
}

impl Cursor {
    /// Provides the context.
    pub(crate) fn provide() -> Self {
        let cursor = Self {
            at: RwSignal::new(None),
            list: RwSignal::new(None),
        };
        provide_context(cursor);
        cursor
    }

    /// The context.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// The task it is at, if the list has it.
    pub(crate) fn task(self) -> Option<TaskId> {
        self.at.get_untracked()
    }

    /// The focus came to a task.
    pub(crate) fn put(self, id: TaskId) {
        if self.at.get_untracked() != Some(id) {
            self.at.set(Some(id));
        }
    }

    /// Whether the tabulator key reaches this task: the one at the cursor, without one the first.
    pub(crate) fn is_at(self, id: TaskId) -> bool {
        match self.at.get() {
            Some(at) => at == id,
            None => self.list.with(|list| {
                list.is_some_and(|(lines, _)| lines.with(|lines| next(lines, None, 1)) == Some(id))
            }),
        }
    }

    /// Moves through this list until it is gone.
    pub(crate) fn follow(self, lines: Memo<Arc<Lines<Line>>>, element: NodeRef<html::Div>) {
        self.list.set(Some((lines, element)));
        self.at.set(None);
        on_cleanup(move || {
            self.list.try_update(|list| {
                if list.is_some_and(|(of, _)| of == lines) {
                    *list = None;
                }
            });
        });
        // When the task at the cursor leaves the list, the one that takes its place gets the cursor.
        effect(move |before: Option<Arc<Lines<Line>>>| {
            let now = lines.get();
            if let (Some(at), Some(before)) = (self.at.get_untracked(), before)
                && now.place(&Line::Task(at)).is_none()
            {
                let place = before.place(&Line::Task(at)).unwrap_or_default();
                let is_task = |line: &&Line| matches!(line, Line::Task(_));
                let after = now.keys().iter().skip(place).find(is_task);
                let near = after.or_else(|| now.keys().iter().take(place).rfind(is_task));
                self.at.set(near.and_then(task));
                if focus_is_lost()
                    && let Some(id) = near.and_then(task)
                {
                    focus_soon(id, 5);
                }
            }
            now
        });
    }

    /// Moves by so many tasks, and the focus with it. Returns the task.
    pub(crate) fn step(self, by: isize) -> Option<TaskId> {
        let (lines, element) = self.list.get_untracked()?;
        let at = lines.with_untracked(|lines| next(lines, self.at.get_untracked(), by))?;
        self.at.set(Some(at));
        self.show(lines, element, at);
        focus_soon(at, 5);
        Some(at)
    }

    /// Gives the focus back to the task at the cursor.
    pub(crate) fn focus(self) {
        if let Some(at) = self.at.get_untracked() {
            focus_soon(at, 5);
        }
    }

    fn show(self, lines: Memo<Arc<Lines<Line>>>, element: NodeRef<html::Div>, at: TaskId) {
        let Some((element, top)) = element
            .get_untracked()
            .zip(lines.with_untracked(|lines| lines.top(&Line::Task(at))))
        else {
            return;
        };
        let Ok(Some(main)) = element.closest(".main") else {
            return;
        };
        let view = main.get_bounding_client_rect();
        let row = element.get_bounding_client_rect().top() + f64::from(top);
        let above = row - (view.top() + SPACE);
        let below = row + SPACE - view.bottom();
        let by = if above < 0.0 { above } else { below.max(0.0) };
        if by != 0.0 {
            main.set_scroll_top(main.scroll_top() + by as i32);
        }
    }
}

fn task(line: &Line) -> Option<TaskId> {
    match line {
        Line::Task(id) => Some(*id),
        Line::Heading(_) => None,
    }
}

fn next(lines: &Lines<Line>, at: Option<TaskId>, by: isize) -> Option<TaskId> {
    let at = at.map(Line::Task);
    lines
        .step(at.as_ref(), by, |line| matches!(line, Line::Task(_)))
        .and_then(task)
}

fn focus_is_lost() -> bool {
    let active = document().active_element();
    active.is_none_or(|element| element.tag_name() == "BODY")
}

/// The id of the element of a task that gets the focus.
pub(crate) fn element_id(id: TaskId) -> String {
    format!("task-{id}")
}

/// The element may be rendered only after the list was scrolled.
fn focus_soon(id: TaskId, frames: u8) {
    request_animation_frame(move || {
        let element = document().get_element_by_id(&element_id(id));
        let element: Option<web_sys::HtmlElement> =
            element.and_then(|element| wasm_bindgen::JsCast::dyn_into(element).ok());
        match element {
            Some(element) => {
                let options = web_sys::FocusOptions::new();
                options.set_prevent_scroll(true);
                let _ = element.focus_with_options(&options);
            }
            None if frames > 0 => focus_soon(id, frames - 1),
            None => {}
        }
    });
}
