//! What the parts of the page share about how it looks right now. Nothing of it is stored.

use std::time::Duration;

use leptos::prelude::*;

use crate::api::{Label, LabelKind};
use crate::parts::dynamic::memo;

/// How long a list stays as it is after a task in it was completed, so that the person sees what happened.
const SETTLE: Duration = Duration::from_millis(550);

/// A category or a tag that is being edited; without `label`, a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Editing {
    pub(crate) kind: LabelKind,
    pub(crate) label: Option<Label>,
}

/// A context of the whole page. A copy is the same: a reference, since many closures hold one.
#[derive(Clone, Copy)]
pub(crate) struct Ui(&'static State);

/// What is open, and what is asked for.
pub(crate) struct State {
    /// The main part was scrolled.
    pub(crate) scrolled: Trigger,
    /// The line for new tasks gets the focus.
    pub(crate) add: Trigger,
    /// A text for that line.
    pub(crate) text: RwSignal<Option<String>>,
    /// The lists of the side are open, on a phone.
    pub(crate) side_open: RwSignal<bool>,
    /// The help for the keyboard is shown.
    pub(crate) help_open: RwSignal<bool>,
    /// The category or the tag whose form is open.
    pub(crate) editing: RwSignal<Option<Editing>>,
    /// Number of changes that lists wait for before they settle.
    settling: RwSignal<u32>,
}

impl std::ops::Deref for Ui {
    type Target = State;

    fn deref(&self) -> &State {
        self.0
    }
}

impl Ui {
    /// Provides the context.
    pub(crate) fn provide() -> Self {
        let ui = Self(Box::leak(Box::new(State {
            scrolled: Trigger::new(),
            add: Trigger::new(),
            text: RwSignal::new(None),
            side_open: RwSignal::new(false),
            help_open: RwSignal::new(false),
            editing: RwSignal::new(None),
            settling: RwSignal::new(0),
        })));
        provide_context(ui);
        ui
    }

    /// The context.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Gives the focus to the line for new tasks, which may be shown only now.
    pub(crate) fn focus_add(self) {
        request_animation_frame(move || self.add.notify());
    }

    /// Lists keep what they show for a moment.
    pub(crate) fn settle_later(self) {
        self.settling.update(|waiting| *waiting += 1);
        set_timeout(
            move || {
                self.settling
                    .try_update(|waiting| *waiting = waiting.saturating_sub(1));
            },
            SETTLE,
        );
    }

    /// A value that stays as it was until lists settle.
    pub(crate) fn settled<T>(self, value: impl Fn() -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: PartialEq + Clone + Send + Sync + 'static,
    {
        memo(move |before: Option<&T>| match before {
            Some(before) if self.settling.get() > 0 => before.clone(),
            _ => {
                self.settling.track();
                value()
            }
        })
    }
}
