//! Requests of edits. One page of a browser sends for all of them: the one that follows the feed.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use nudge_page_model::{Answer, Request};

use super::{Connection, Store};
use crate::api;
use crate::live::{self, Message};

impl Store {
    /// Makes the requests that can be made now, and comes back when the next one can.
    pub(crate) fn pump(self) {
        let inner = self.inner();
        loop {
            let mut guard = inner.borrow_mut();
            if !guard.live.leads || guard.user.is_none() {
                return;
            }
            let Some(request) = guard.model.next(api::now()) else {
                break;
            };
            let (epoch, closing) = (guard.epoch, guard.closing);
            drop(guard);
            spawn_local(self.send(request, epoch, closing));
        }
        // A request that is not made is news as well: the fields are in conflict, or the task is gone.
        self.keep();
        self.show();
        let mut guard = inner.borrow_mut();
        if let Some(timer) = guard.timer.take() {
            timer.clear();
        }
        let now = api::now();
        if let Some(at) = guard.model.wakes_at(now) {
            let wait = at
                .as_millisecond()
                .saturating_sub(now.as_millisecond())
                .clamp(1, 3_600_000);
            let wait = Duration::from_millis(wait.unsigned_abs());
            guard.timer = set_timeout_with_handle(move || self.pump(), wait).ok();
        }
    }

    /// Stores what choosing a request has changed.
    fn keep(self) {
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        if let Some(user) = guard.user.clone() {
            super::device::store(&user, guard.model.take_writes());
        }
    }

    async fn send(self, request: Request, epoch: u32, closing: bool) {
        let answer = self.api().edit(&request, closing).await;
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        if guard.epoch != epoch && guard.user.is_none() {
            // Signed out meanwhile: the edit is still on the device, and its answer will be the same.
            return;
        }
        let offline = answer == Answer::Offline;
        let signed_out = answer == Answer::SignedOut;
        let news = match &answer {
            Answer::Done(Some(task)) | Answer::Current(task) | Answer::Replayed { now: Some(task), .. } => {
                Some(Message::Task(task.clone()))
            }
            _ => None,
        };
        guard.model.answer(request.edit, answer, api::now());
        drop(guard);
        if let Some(news) = news {
            // Before the other pages learn that the edit is gone.
            live::tell(self, &news);
        }
        self.publish();
        if signed_out {
            self.refused_token();
        } else if offline {
            self.set_connection(Connection::Offline);
            live::tell(self, &Message::State(Connection::Offline));
        }
    }

    /// The network is back, or may be.
    pub(crate) fn try_again(self) {
        self.inner().borrow_mut().model.online();
        self.pump();
    }

    /// The page closes: what is held for an undo is sent now.
    pub(crate) fn close(self, closing: bool) {
        let inner = self.inner();
        let mut guard = inner.borrow_mut();
        guard.closing = closing;
        if closing {
            guard.model.release();
        }
        drop(guard);
        self.publish();
    }
}
