//! Which request comes next, and what its answer changes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;

use super::Model;
use crate::fields::{self, Values};
use crate::mirror::Known;
use crate::outbox::Gate;
use crate::outbox::answer::{Answer, Call, Request};
use crate::outbox::edit::{Edit, EditId, State, What};
use crate::outbox::rebase::{Rebased, rebase, split};
use crate::outbox::report::RefusalKind;
use crate::problem::Problem;

/// Maximum number of requests for edits at the same time: half of what one instance of the api serves for a user.
const AT_A_TIME: usize = 4;

/// Failures of the server after which an edit is shown as refused.
const FAILURES: u32 = 8;

/// Longest pause, in seconds.
const LONGEST: i64 = 60;

/// Longest pause that the server may ask for, in seconds.
const FAR: i64 = 60 * LONGEST;

impl Model {
    /// Begins to send from here. What a former page had begun is sent again.
    pub fn become_sender(&mut self) {
        self.outbox.recover();
    }

    /// There is a token again.
    pub fn signed_in(&mut self) {
        self.open();
    }

    /// There is a network again, or reason to believe so.
    pub fn online(&mut self) {
        if self.outbox.gate != Gate::SignedOut {
            self.open();
        }
    }

    fn open(&mut self) {
        self.outbox.gate = Gate::Open;
        self.outbox.failures = 0;
    }

    /// The next request, if there is one to make now. Call it until there is none; then again after an answer, an edit, or at
    /// [`wakes_at`](Self::wakes_at).
    pub fn next(&mut self, now: Timestamp) -> Option<Request> {
        match self.outbox.gate {
            Gate::SignedOut => return None,
            Gate::Until(until) if !has_come(until, now, FAR) => return None,
            _ => {}
        }
        while self.outbox.sending.len() < AT_A_TIME {
            let id = self.first_ready(now)?;
            if let Some(call) = self.prepare(id) {
                self.outbox.sending.insert(id);
                self.outbox.change(id, |edit| {
                    edit.state = State::Sending;
                    edit.hold_until = None;
                    edit.attempted |= !matches!(call, Call::Read { .. });
                });
                return Some(Request { edit: id, call });
            }
        }
        None
    }

    /// When [`next`](Self::next) will have a request without anything happening before.
    pub fn wakes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let gate = match self.outbox.gate {
            Gate::SignedOut => return None,
            Gate::Until(until) => Some(until),
            Gate::Open => None,
        };
        let waiting = self
            .outbox
            .edits
            .iter()
            .filter(|edit| edit.state == State::Waiting);
        let ready_at = |edit: &Edit| edit.hold_until.max(edit.not_before).max(gate).unwrap_or(now);
        waiting.map(ready_at).min().filter(|at| *at > now)
    }

    /// Edits of one task go in order, one at a time.
    fn first_ready(&self, now: Timestamp) -> Option<EditId> {
        let mut blocked = BTreeSet::new();
        let creates = |edit: &Edit| matches!(edit.what, What::Create(_));
        for edit in &self.outbox.edits {
            let ready = edit.state == State::Waiting
                && edit.hold_until.is_none_or(|until| has_come(until, now, LONGEST))
                && edit.not_before.is_none_or(|until| has_come(until, now, FAR));
            // A creation that was corrected is younger than edits of its task.
            let is_created = creates(edit) || !self.outbox.is_temporary(edit.task);
            if ready && is_created && !blocked.contains(&edit.task) {
                return Some(edit.id);
            }
            if creates(edit) || (edit.is_pending() && is_created) {
                blocked.insert(edit.task);
            }
        }
        None
    }

    /// The call of an edit, if it has to be made.
    fn prepare(&mut self, id: EditId) -> Option<Call> {
        let edit = self.outbox.find(id)?;
        let task = edit.task;
        if edit.stale {
            return Some(Call::Read { id: task });
        }
        match (&edit.what, self.mirror.get(task)) {
            (What::Create(body), _) => return Some(Call::Create { body: body.clone() }),
            (_, Some(Known::Deleted)) => {
                self.gone(id);
                return None;
            }
            (What::Complete, _) => return Some(Call::Complete { id: task }),
            (What::Reopen, _) => return Some(Call::Reopen { id: task }),
            (What::Snooze { reminder, until }, _) => {
                return Some(Call::Snooze {
                    id: task,
                    reminder: *reminder,
                    until: *until,
                });
            }
            (_, None) if edit.version == 0 => return Some(Call::Read { id: task }),
            (What::Patch(_) | What::Delete(_), None) => {}
            (What::Patch(_) | What::Delete(_), Some(Known::Task(theirs))) => {
                let theirs = theirs.clone();
                if !self.rebase(id, &theirs) {
                    return None;
                }
            }
        }
        let edit = self.outbox.find(id)?;
        match &edit.what {
            What::Patch(patch) => Some(Call::Patch {
                id: task,
                version: edit.version,
                body: patch.sent.clone(),
            }),
            What::Delete(scope) => Some(Call::Delete {
                id: task,
                version: edit.version,
                scope: *scope,
            }),
            _ => None,
        }
    }

    /// Puts an edit on a version. Returns whether it is still to be sent.
    fn rebase(&mut self, id: EditId, theirs: &Task) -> bool {
        let Some(mut edit) = self.outbox.find(id).cloned() else {
            return false;
        };
        let values = fields::of(theirs);
        match rebase(&mut edit, &values) {
            Rebased::Send => {
                edit.version = theirs.version;
                self.outbox.put(edit);
                true
            }
            Rebased::Done => {
                self.outbox.settle(&edit, theirs);
                self.outbox.remove(id);
                self.refresh(theirs.id);
                false
            }
            Rebased::Conflict(conflicts) => {
                edit.version = theirs.version;
                self.conflict(edit, conflicts);
                self.refresh(theirs.id);
                false
            }
        }
    }

    /// The fields in conflict wait for a decision, unless a later edit of the same field makes it.
    fn conflict(&mut self, mut edit: Edit, conflicts: Values) {
        let free = self.outbox.free_after(edit.id);
        let apart = split(&mut edit, &conflicts, free);
        let mut undecided = match apart {
            Some(apart) => {
                self.outbox.put(edit);
                apart
            }
            None => edit,
        };
        undecided.state = State::Conflict {
            theirs: conflicts.clone(),
        };
        undecided.stale = false;
        let id = undecided.id;
        self.outbox.put(undecided);
        for field in conflicts.keys() {
            self.outbox.hand_down(id, field);
        }
    }

    /// Takes the answer to a request.
    pub fn answer(&mut self, id: EditId, answer: Answer, now: Timestamp) {
        self.outbox.sending.remove(&id);
        let is_removed = self.outbox.removed.remove(&id);
        let Some(edit) = self.outbox.find(id).cloned() else {
            return;
        };
        if is_removed {
            // Whatever the answer, it is not made again.
            self.outbox.remove(id);
        }
        if !matches!(answer, Answer::Offline | Answer::SignedOut | Answer::Later { .. }) {
            self.outbox.failures = 0;
        }
        let task = edit.task;
        match answer {
            Answer::Done(result) => {
                let now = result.clone();
                self.done(edit, result.map(|task| *task));
                self.read(now.map(|task| *task));
            }
            Answer::Replayed { first, now } => {
                let id = first.id;
                self.done(edit, Some(*first));
                match now {
                    Some(now) => self.read([*now]),
                    None => self.missing(id),
                }
                self.refresh(id);
            }
            Answer::Current(current) => {
                self.outbox.change(id, |edit| {
                    edit.state = State::Waiting;
                    edit.stale = false;
                    // The mirror may not hold it, if it is not pending.
                    edit.version = edit.version.max(current.version);
                });
                self.read([*current]);
            }
            Answer::Stale => self.outbox.change(id, |edit| {
                edit.state = State::Waiting;
                edit.stale = true;
            }),
            Answer::Gone => {
                self.mirror.delete(task);
                self.gone(id);
            }
            Answer::Refused(problem) => self.refuse(id, RefusalKind::Invalid, problem),
            Answer::Later {
                seconds,
                all,
                limited,
            } => {
                let wait = |failures: u32| seconds.map_or_else(|| pause(failures), i64::from).clamp(1, FAR);
                let after = |seconds| now.checked_add(SignedDuration::from_secs(seconds)).ok();
                let failures = edit.failures + u32::from(limited);
                if failures >= FAILURES {
                    let detail = "the server failed several times: try again, or give the change up";
                    let problem = Problem {
                        status: 500,
                        detail: detail.to_owned(),
                        ..Problem::default()
                    };
                    self.refuse(id, RefusalKind::Failed, problem);
                    return;
                }
                self.outbox.change(id, |edit| {
                    edit.state = State::Waiting;
                    edit.failures = failures;
                    edit.not_before = after(wait(failures)).filter(|_| !all);
                });
                if all {
                    self.outbox.failures += 1;
                    self.shut(after(wait(self.outbox.failures)));
                }
            }
            Answer::Offline => {
                self.outbox.change(id, |edit| edit.state = State::Waiting);
                self.outbox.failures += 1;
                let pause = SignedDuration::from_secs(pause(self.outbox.failures));
                self.shut(now.checked_add(pause).ok());
            }
            Answer::SignedOut => {
                self.outbox.change(id, |edit| edit.state = State::Waiting);
                self.outbox.gate = Gate::SignedOut;
            }
        }
        self.refresh(task);
    }

    fn shut(&mut self, until: Option<Timestamp>) {
        if let (Some(until), false) = (until, self.outbox.gate == Gate::SignedOut) {
            self.outbox.gate = Gate::Until(until);
        }
    }

    fn done(&mut self, edit: Edit, result: Option<Task>) {
        let id = edit.id;
        match (&edit.what, result) {
            (What::Delete(_), _) => {
                self.mirror.delete(edit.task);
                // With the task, other edits of it are of no use.
                let rest: Vec<EditId> = self.outbox.of(edit.task).map(|edit| edit.id).collect();
                for id in rest {
                    self.outbox.remove(id);
                }
            }
            (What::Create(_), Some(task)) => {
                let real = task.id;
                self.outbox.settle(&edit, &task);
                self.outbox.remove(id);
                self.outbox.alias(edit.task, real);
                self.refresh(real);
            }
            (_, Some(task)) => {
                self.outbox.settle(&edit, &task);
                self.outbox.remove(id);
            }
            (_, None) => {
                self.outbox.remove(id);
            }
        }
        self.refresh(edit.task);
    }

    /// The task of an edit does not exist any more: a deletion is done, anything else is offered to be created again.
    fn gone(&mut self, id: EditId) {
        let Some(edit) = self.outbox.find(id).cloned() else {
            return;
        };
        if matches!(edit.what, What::Delete(_)) {
            self.done(edit, None);
            return;
        }
        let problem = Problem {
            status: 404,
            code: "not_found".to_owned(),
            detail: "the task was deleted elsewhere: create it again, or give the change up".to_owned(),
            ..Problem::default()
        };
        self.refuse(id, RefusalKind::Gone, problem);
    }

    fn refuse(&mut self, id: EditId, kind: RefusalKind, problem: Problem) {
        self.outbox.change(id, |edit| {
            edit.state = State::Refused { kind, problem };
            edit.stale = false;
        });
        let Some(edit) = self.outbox.find(id).cloned() else {
            return;
        };
        if let (RefusalKind::Invalid, Some(patch)) = (kind, edit.patch()) {
            for field in patch.sent.keys() {
                self.outbox.hand_down(id, field);
            }
        }
        self.refresh(edit.task);
    }

    /// The server's state of a task has changed: what was in conflict may not be any more.
    pub(super) fn review(&mut self, task: TaskId) {
        let conflict = |edit: &&Edit| matches!(edit.state, State::Conflict { .. });
        let undecided: Vec<EditId> = self
            .outbox
            .of(task)
            .filter(conflict)
            .map(|edit| edit.id)
            .collect();
        for id in undecided {
            match self.mirror.get(task).cloned() {
                Some(Known::Task(theirs)) => {
                    self.outbox.change(id, |edit| edit.state = State::Waiting);
                    self.rebase(id, &theirs);
                }
                Some(Known::Deleted) => self.gone(id),
                None => {}
            }
        }
    }
}

/// Whether a time that was waited for has come. If it is further away than anything is put off, the clock was set back since.
fn has_come(until: Timestamp, now: Timestamp, longest: i64) -> bool {
    until <= now || until.duration_since(now) > SignedDuration::from_secs(longest)
}

/// Seconds: 1, 2, 4, up to a minute.
fn pause(failures: u32) -> i64 {
    (1_i64 << failures.saturating_sub(1).min(6)).min(LONGEST)
}
