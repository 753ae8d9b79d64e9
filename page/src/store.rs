//! What the page knows: tasks with the edits applied, labels, the profile, the connection.
//!
//! | file | holds |
//! | --- | --- |
//! | `editing` | edits: applied at once, sent when possible |
//! | `deciding` | conflicts, refusals, toasts |
//! | `online` | what needs the server's answer at once |
//! | `loading` | from the sign-in to the last page of tasks |
//! | `sender` | requests of edits, one page of a browser for all |
//! | `live_state` | what `live` keeps here |
//! | `device` | edits on the device |

mod deciding;
mod device;
mod editing;
mod live_state;
mod loading;
mod online;
mod sender;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use nudge_page_model::{Conflict, Model, Refusal, Snapshot, Undo};

use crate::api::{Api, Label, LabelKind, Me, Session};
use crate::parts::dynamic::memo;
use live_state::Live;

/// How much of the tasks is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Loading {
    Nothing,
    /// The first page: what is due first.
    First,
    /// All pending tasks.
    All,
}

/// Whether changes arrive and edits leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connection {
    Loading,
    Live,
    Reconnecting,
    Offline,
    SignedOut,
}

/// A short message; it goes away by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toast {
    pub(crate) id: u64,
    pub(crate) text: String,
    pub(crate) error: bool,
    /// Whether it can be undone.
    pub(crate) undo: bool,
}

/// What no view follows.
#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) model: Model,
    /// Known after the profile has arrived: edits are stored under it.
    pub(crate) user: Option<String>,
    pub(crate) me_tag: Option<String>,
    /// Where the feed continues.
    pub(crate) cursor: Option<String>,
    pub(crate) live: Live,
    /// Incremented with every sign-in and sign-out: what was begun before does not continue.
    pub(crate) epoch: u32,
    completed: CompletedPages,
    undos: Vec<(u64, Undo)>,
    toasts: u64,
    timer: Option<TimeoutHandle>,
    closing: bool,
    /// The person was told that an edit is not on the device, or that one cannot be read.
    warned_full: bool,
    warned_unreadable: bool,
}

/// The next page of completed tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum CompletedPages {
    #[default]
    First,
    Next(String),
    NoMore,
}

/// The data of the page. A copy is the same store: a reference, since many closures hold one.
#[derive(Clone, Copy)]
pub(crate) struct Store(&'static Parts);

/// What a store consists of.
pub(crate) struct Parts {
    inner: StoredValue<Rc<RefCell<Inner>>, LocalStorage>,
    api: StoredValue<Api, LocalStorage>,
    tasks: RwSignal<Snapshot>,
    loading: RwSignal<Loading>,
    categories: RwSignal<Arc<Vec<Label>>>,
    tags: RwSignal<Arc<Vec<Label>>>,
    me: RwSignal<Option<Arc<Me>>>,
    connection: RwSignal<Connection>,
    waiting: RwSignal<usize>,
    conflicts: RwSignal<Arc<Vec<Conflict>>>,
    refusals: RwSignal<Arc<Vec<Refusal>>>,
    toasts: RwSignal<Arc<Vec<Toast>>>,
}

impl std::ops::Deref for Store {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        self.0
    }
}

/// Creates the store of the page and provides it as context.
pub(crate) fn provide_store(session: Rc<dyn Session>) -> Store {
    let store = Store(Box::leak(Box::new(Parts {
        inner: StoredValue::new_local(Rc::default()),
        api: StoredValue::new_local(Api::new(session)),
        tasks: RwSignal::default(),
        loading: RwSignal::new(Loading::Nothing),
        categories: RwSignal::default(),
        tags: RwSignal::default(),
        me: RwSignal::default(),
        connection: RwSignal::new(Connection::Loading),
        waiting: RwSignal::new(0),
        conflicts: RwSignal::default(),
        refusals: RwSignal::default(),
        toasts: RwSignal::default(),
    })));
    provide_context(store);
    store
}

/// The store of the page.
pub(crate) fn use_store() -> Store {
    expect_context()
}

impl Store {
    /// All pending tasks, and completed ones that were seen, with the edits applied. Views only read what these functions return.
    pub(crate) fn tasks(self) -> RwSignal<Snapshot> {
        self.tasks
    }

    /// One task. The temporary id of a task that was created here stays valid.
    pub(crate) fn task(self, id: TaskId) -> Memo<Option<Arc<Task>>> {
        memo(move |_| self.tasks.read().get(id).cloned())
    }

    /// The id on the server of a task that was created here, otherwise the id itself.
    pub(crate) fn real_id(self, id: TaskId) -> TaskId {
        self.inner().borrow().model.real_id(id)
    }

    pub(crate) fn loading(self) -> RwSignal<Loading> {
        self.loading
    }

    /// By name.
    pub(crate) fn categories(self) -> RwSignal<Arc<Vec<Label>>> {
        self.categories
    }

    /// By name.
    pub(crate) fn tags(self) -> RwSignal<Arc<Vec<Label>>> {
        self.tags
    }

    /// None until it has arrived.
    pub(crate) fn me(self) -> RwSignal<Option<Arc<Me>>> {
        self.me
    }

    pub(crate) fn connection(self) -> RwSignal<Connection> {
        self.connection
    }

    /// Number of edits that the server does not have yet.
    pub(crate) fn waiting(self) -> RwSignal<usize> {
        self.waiting
    }

    /// Edits of what was changed elsewhere, too: the person decides.
    pub(crate) fn conflicts(self) -> RwSignal<Arc<Vec<Conflict>>> {
        self.conflicts
    }

    /// Edits that the API refused, with what was entered.
    pub(crate) fn refusals(self) -> RwSignal<Arc<Vec<Refusal>>> {
        self.refusals
    }

    pub(crate) fn toasts(self) -> RwSignal<Arc<Vec<Toast>>> {
        self.toasts
    }

    /// The routes that have no method here.
    pub(crate) fn api(self) -> Api {
        self.api.get_value()
    }

    pub(crate) fn inner(self) -> Rc<RefCell<Inner>> {
        self.inner.get_value()
    }

    fn labels(self, kind: LabelKind) -> RwSignal<Arc<Vec<Label>>> {
        match kind {
            LabelKind::Category => self.categories,
            LabelKind::Tag => self.tags,
        }
    }

    pub(crate) fn set_connection(self, connection: Connection) {
        if self.connection.get_untracked() != connection {
            self.connection.set(connection);
        }
    }

    /// After any change of the model: stores edits, tells the views, sends what can be sent.
    pub(crate) fn publish(self) {
        self.show();
        self.pump();
    }

    /// Stores edits, and tells the views.
    fn show(self) {
        self.keep();
        let inner = self.inner();
        let guard = inner.borrow();
        let model = &guard.model;
        let (snapshot, waiting) = (model.snapshot().clone(), model.pending());
        let (conflicts, refusals) = (model.conflicts(), model.refusals());
        drop(guard);
        set_if_new(self.tasks, snapshot);
        set_if_new(self.waiting, waiting);
        set_if_new(self.conflicts, Arc::new(conflicts));
        set_if_new(self.refusals, Arc::new(refusals));
    }
}

fn set_if_new<T: PartialEq + Clone + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|known| *known != value) {
        signal.set(value);
    }
}
