//! From the sign-in to the last page of tasks.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_contract::api::Page;
use nudge_contract::task::Task;
use nudge_page_model::Write;
use nudge_page_model::feed::Backoff;

use super::device::{self, Entry};
use super::{CompletedPages, Connection, Inner, Loading, Store};
use crate::api::{self, ApiError};
use crate::live;

impl Store {
    /// There is a token: load everything, go live, send what waits. When there is one again after the API had refused the former, edits
    /// that are in memory are kept, unless it is another person.
    pub(crate) fn signed_in(self) {
        live::listen(self);
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        guard.model.signed_in();
        if guard.epoch > 0 && self.connection.get_untracked() != Connection::SignedOut {
            drop(guard);
            self.pump();
            return;
        }
        guard.epoch += 1;
        let epoch = guard.epoch;
        drop(guard);
        self.set_connection(Connection::Loading);
        spawn_local(async move {
            let mut backoff = Backoff::default();
            while self.is_current(epoch) {
                match self.load(epoch).await {
                    Ok(()) => return,
                    Err(_) if !self.is_current(epoch) => return,
                    Err(ApiError::SignedOut) => return self.refused_token(),
                    Err(error) => {
                        self.set_connection(match &error {
                            ApiError::Offline | ApiError::TimedOut => Connection::Offline,
                            _ => Connection::Reconnecting,
                        });
                        let [random] = api::random();
                        let wait = error.retry_after().unwrap_or_default();
                        live::pause(backoff.next(random).max(wait)).await;
                    }
                }
            }
        });
    }

    /// The API does not accept the token, and the session has no other one: everything stays as it is until there is one.
    pub(crate) fn refused_token(self) {
        live::stop(self);
        self.set_connection(Connection::SignedOut);
    }

    pub(crate) fn is_current(self, epoch: u32) -> bool {
        self.inner().borrow().epoch == epoch && self.connection.get_untracked() != Connection::SignedOut
    }

    async fn load(self, epoch: u32) -> Result<(), ApiError> {
        let me = self.reload_me().await?;
        if !self.is_current(epoch) {
            return Ok(());
        }
        self.take_over(&me.id);
        live::connect(self, &me.id);
        // Without them tasks still show.
        spawn_local(async move {
            let mut backoff = Backoff::default();
            while self.is_current(epoch) && self.reload_labels().await.is_err() {
                let [random] = api::random();
                live::pause(backoff.next(random)).await;
            }
        });
        self.load_tasks(epoch).await?;
        Ok(())
    }

    /// Takes the edits on the device of this person, and forgets those of another.
    fn take_over(self, user: &str) {
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        if guard.user.as_deref().is_some_and(|former| former != user) {
            let (epoch, live) = (guard.epoch, std::mem::take(&mut guard.live));
            *guard = Inner {
                epoch,
                live,
                ..Inner::default()
            };
        }
        let first = guard.user.is_none();
        let mut is_readable = true;
        guard.user = Some(user.to_owned());
        if first {
            let (edits, aliases): (Vec<_>, Vec<_>) = device::entries(user)
                .into_iter()
                .partition(|(entry, _)| matches!(entry, Entry::Edit(_)));
            // Edits follow aliases.
            for (entry, value) in aliases.into_iter().chain(edits) {
                match entry {
                    Entry::Alias(temporary) => {
                        if let Ok(real) = value.parse() {
                            guard.model.stored_alias(temporary, real);
                        }
                    }
                    Entry::Edit(id) => {
                        is_readable &= guard.model.stored(id, Some(&value));
                    }
                }
            }
        }
        drop(guard);
        self.publish();
        self.check_readable(is_readable);
    }

    /// An edit that another version of this page has stored may not be readable. It stays on the device.
    fn check_readable(self, is_readable: bool) {
        if is_readable || std::mem::replace(&mut self.inner().borrow_mut().warned_unreadable, true) {
            return;
        }
        let text = "Another version of this page has stored a change that this one cannot read. Reload the page to send it.";
        self.toast(text.to_owned(), true, None);
    }

    /// Another page of this person has changed what the storage did not take.
    pub(crate) fn told(self, write: Write) {
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        let is_readable = match write {
            Write::Put(id, json) => guard.model.stored(id, Some(&json)),
            Write::Remove(id) => guard.model.stored(id, None),
            Write::Alias(temporary, real) => {
                guard.model.stored_alias(temporary, real);
                true
            }
        };
        drop(guard);
        self.publish();
        self.check_readable(is_readable);
    }

    /// Another page of this person has changed an entry.
    pub(crate) fn stored(self, key: &str) {
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        let Some(user) = guard.user.clone() else {
            return;
        };
        let Some(entry) = device::entry(&user, key) else {
            return;
        };
        let value = device::value(key);
        let is_readable = match entry {
            Entry::Edit(id) => guard.model.stored(id, value.as_deref()),
            Entry::Alias(temporary) => {
                if let Some(real) = value.and_then(|real| real.parse().ok()) {
                    guard.model.stored_alias(temporary, real);
                }
                true
            }
        };
        drop(guard);
        self.publish();
        self.check_readable(is_readable);
    }

    /// Reads all pending tasks. The cursor into the feed is taken before, so no change is missed.
    pub(crate) async fn load_tasks(self, epoch: u32) -> Result<(), ApiError> {
        let api = self.api();
        let cursor = api.now().await?;
        self.begin_reading(cursor);
        let mut next: Option<String> = None;
        loop {
            let page: Page<Task> = match api.pending(next.as_deref()).await {
                Ok(page) => page,
                // Reading from the first page again would reach the limit again.
                Err(error) => {
                    let wait = error.retry_after().ok_or(error)?;
                    live::pause(wait).await;
                    if self.is_current(epoch) {
                        continue;
                    }
                    return Ok(());
                }
            };
            if !self.is_current(epoch) {
                return Ok(());
            }
            next = self.take_page(page);
            if next.is_none() {
                return Ok(());
            }
            // Views draw between pages.
            live::sleep(Duration::ZERO).await;
        }
    }

    fn begin_reading(self, cursor: String) {
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        guard.cursor = Some(cursor);
        guard.completed = CompletedPages::First;
        guard.model.begin_reading();
    }

    /// Takes a page of pending tasks and returns the cursor of the next one.
    fn take_page(self, page: Page<Task>) -> Option<String> {
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        guard.model.read(page.items);
        let next = page.next_cursor;
        if next.is_none() {
            guard.model.finish_reading();
        }
        let user = guard.user.clone();
        drop(guard);
        self.publish();
        // Edits need not wait for the last page.
        if let Some(user) = user {
            live::start(self, &user);
        }
        let loading = if next.is_some() {
            Loading::First
        } else {
            Loading::All
        };
        if self.loading.get_untracked() < loading {
            self.loading.set(loading);
        }
        next
    }
}
