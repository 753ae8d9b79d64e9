//! A user, two pages, a browser and a server, for the test of interleavings.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use nudge_domain::id::TaskId;
use nudge_domain::task::Status;
use nudge_page_model::{
    Answer, Choice, EditId, Model, Patch, Problem, RefusalKind, Request, Stamp, Undo, Write,
};
use serde_json::Value;

use crate::server::{Server, now};

/// A request on its way, or its answer on the way back.
pub(crate) struct Flight {
    pub(crate) request: Request,
    pub(crate) answer: Option<Answer>,
}

/// A title that the user gave a task, and where it went.
pub(crate) struct Given {
    pub(crate) task: TaskId,
    pub(crate) title: String,
    pub(crate) edit: EditId,
}

/// What a page hears of the storage: which entry has changed. It reads the entry as it is then.
pub(crate) enum Event {
    Edit(EditId),
    Alias(TaskId),
}

/// One of the two pages.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) model: Model,
    pub(crate) flights: Vec<Flight>,
    pub(crate) undo: Option<Undo>,
    pub(crate) heard: usize,
    pub(crate) leads: bool,
    pub(crate) events: VecDeque<Event>,
}

#[derive(Default)]
pub(crate) struct World {
    /// The page that the user looks at, and the other one.
    pub(crate) page: Page,
    pub(crate) other: Page,
    pub(crate) server: Server,
    pub(crate) storage: BTreeMap<EditId, String>,
    pub(crate) aliases: BTreeMap<TaskId, TaskId>,
    /// Requests of a page that was closed: they may still arrive.
    pub(crate) lost: Vec<Request>,
    pub(crate) at: SignedDuration,
    pub(crate) number: u32,
    /// The tasks that the user knows, as they know them: temporary ids stay.
    pub(crate) tasks: Vec<TaskId>,
    pub(crate) given: Vec<Given>,
    /// Titles that were shown to the user as a conflict or a refusal, or that they undid.
    pub(crate) told: BTreeSet<String>,
    pub(crate) deleted: BTreeSet<TaskId>,
}

impl World {
    pub(crate) fn now(&self) -> Timestamp {
        now() + self.at
    }

    pub(crate) fn stamp(&mut self) -> Stamp {
        self.number += 1;
        let mut random = [0; 10];
        random[..4].copy_from_slice(&self.number.to_be_bytes());
        Stamp {
            now: self.now(),
            random,
        }
    }

    pub(crate) fn title(&mut self, bad: bool) -> String {
        self.number += 1;
        format!("{}{}", if bad { "bad" } else { "t" }, self.number)
    }

    pub(crate) fn of(&self, index: usize) -> Option<TaskId> {
        let known = self.tasks.get(index % self.tasks.len().max(1))?;
        self.page.model.snapshot().get(*known).map(|_| *known)
    }

    /// What the browser does after every change: it stores the edits, and shows what has to be decided.
    pub(crate) fn keep(&mut self) {
        for write in self.page.model.take_writes() {
            let event = match write {
                Write::Put(id, json) => {
                    let before = self.storage.insert(id, json.clone());
                    (before != Some(json)).then_some(Event::Edit(id))
                }
                Write::Remove(id) => self.storage.remove(&id).map(|_| Event::Edit(id)),
                Write::Alias(from, to) => {
                    self.aliases.insert(from, to);
                    Some(Event::Alias(from))
                }
            };
            self.other.events.extend(event);
        }
        let told = |value: &Value| value.as_str().map(str::to_owned);
        for conflict in self.page.model.conflicts() {
            self.told
                .extend(conflict.fields.iter().filter_map(|field| told(&field.mine)));
        }
        for refusal in self.page.model.refusals() {
            self.told.extend(refusal.input.get("title").and_then(told));
        }
    }

    pub(crate) fn patch(&mut self, task: TaskId, patch: Patch) -> EditId {
        let stamp = self.stamp();
        let undo = self.page.model.patch(task, patch, stamp);
        let id = undo.edit();
        self.page.undo = Some(undo);
        id
    }

    pub(crate) fn arrive(&mut self, which: usize, fate: u8) {
        if which.is_multiple_of(3) && !self.lost.is_empty() {
            let request = self.lost.remove(which % self.lost.len());
            self.server.call(&request);
            return;
        }
        let open: Vec<usize> = (0..self.page.flights.len())
            .filter(|at| self.page.flights[*at].answer.is_none())
            .collect();
        let Some(at) = open.get(which % open.len().max(1)) else {
            return;
        };
        let request = self.page.flights[*at].request.clone();
        let failed = |status| {
            Answer::from_problem(Problem {
                status,
                code: "x".to_owned(),
                ..Problem::default()
            })
        };
        self.page.flights[*at].answer = Some(match fate {
            0 => Answer::Offline,
            1 => {
                self.server.call(&request);
                Answer::Offline
            }
            2 => Answer::SignedOut,
            3 => failed(429),
            4 => failed(500),
            _ => self.server.call(&request),
        });
    }

    pub(crate) fn hear(&mut self, events: usize) {
        for _ in 0..events {
            match self.page.events.pop_front() {
                Some(Event::Edit(id)) => {
                    let json = self.storage.get(&id).map(String::as_str);
                    assert!(self.page.model.stored(id, json), "it can be read: {json:?}");
                }
                Some(Event::Alias(id)) => {
                    if let Some(real) = self.aliases.get(&id) {
                        self.page.model.stored_alias(id, *real);
                    }
                }
                None => return,
            }
        }
    }

    /// What arrives at both pages in the end.
    pub(crate) fn catch_up(&mut self) {
        for _ in 0..2 {
            let now = self.now();
            self.hear(usize::MAX);
            self.page.model.signed_in();
            for flight in std::mem::take(&mut self.page.flights) {
                let answer = flight.answer.unwrap_or_else(|| self.server.call(&flight.request));
                self.page.model.answer(flight.request.edit, answer, now);
                self.keep();
            }
            for item in self.server.log.iter().skip(self.page.heard) {
                self.page.model.item(item.clone());
            }
            self.page.heard = self.server.log.len();
            self.keep();
            std::mem::swap(&mut self.page, &mut self.other);
        }
    }

    /// The page is closed and opened again: only what is stored is left.
    pub(crate) fn reload(&mut self) {
        self.keep();
        self.lost.extend(
            self.page
                .flights
                .drain(..)
                .filter(|flight| flight.answer.is_none())
                .map(|flight| flight.request),
        );
        self.page.model = Model::default();
        self.page.events.clear();
        self.page.leads = true;
        self.other.leads = false;
        for (from, to) in &self.aliases {
            self.page.model.stored_alias(*from, *to);
        }
        for (id, json) in &self.storage {
            assert!(
                self.page.model.stored(*id, Some(json)),
                "it can be read again: {json}"
            );
        }
        self.page.undo = None;
        self.page.model.become_sender();
        self.page.heard = self.server.log.len();
        self.page.model.begin_reading();
        let pending = self
            .server
            .tasks
            .values()
            .filter(|task| task.status == Status::Pending)
            .cloned();
        self.page.model.read(pending.collect::<Vec<_>>());
        self.page.model.finish_reading();
    }

    pub(crate) fn decide(&mut self, mine: bool) {
        let choice = if mine { Choice::Mine } else { Choice::Theirs };
        if let Some(conflict) = self.page.model.conflicts().first() {
            let choices: Vec<_> = conflict
                .fields
                .iter()
                .map(|field| (field.field.clone(), choice))
                .collect();
            self.page.model.resolve(conflict.edit, &choices);
        }
        if let Some(refusal) = self.page.model.refusals().first().cloned() {
            let stamp = self.stamp();
            match (mine, refusal.kind) {
                (true, RefusalKind::Gone) => {
                    if let Some(again) = self.page.model.create_again(refusal.edit, stamp) {
                        self.tasks.push(again);
                    }
                }
                (true, RefusalKind::Invalid) => {
                    let title = self.title(false);
                    self.page
                        .model
                        .correct(refusal.edit, Patch::new().title(&title), stamp);
                }
                (true, RefusalKind::Failed) => self.page.model.retry(refusal.edit),
                (false, _) => {
                    // With a creation, the edits that follow it are given up.
                    let of_it = self.given.iter().filter(|given| given.task == refusal.task);
                    if refusal.task.as_uuid().to_string() == refusal.edit.to_string() {
                        self.told.extend(of_it.map(|given| given.title.clone()));
                    }
                    self.page.model.give_up(refusal.edit);
                }
            }
        }
    }

    /// Everything works again, and the user decides what there is to decide.
    pub(crate) fn settle(&mut self) {
        for _ in 0..200 {
            self.at += SignedDuration::from_secs(120);
            self.catch_up();
            let now = self.now();
            self.page.model.become_sender();
            self.keep();
            while let Some(request) = self.page.model.next(now) {
                let answer = self.server.call(&request);
                self.page.model.answer(request.edit, answer, now);
                self.keep();
            }
            self.keep();
            self.catch_up();
            if self.page.model.pending() == 0
                && self.page.model.conflicts().is_empty()
                && self.page.model.refusals().is_empty()
            {
                return;
            }
            self.decide(false);
            self.keep();
        }
        panic!(
            "it does not come to rest: {:?} {:?}",
            self.page.model.conflicts(),
            self.page.model.refusals()
        );
    }

    pub(crate) fn check(&self) {
        let shown: BTreeMap<TaskId, _> = self
            .page
            .model
            .snapshot()
            .all()
            .map(|task| (task.id, task.as_ref().clone()))
            .collect();
        let pending = |(_, task): &(&TaskId, &nudge_contract::task::Task)| task.status == Status::Pending;
        let ours: BTreeMap<_, _> = shown.iter().filter(pending).collect();
        let theirs: BTreeMap<_, _> = self.server.tasks.iter().filter(pending).collect();
        assert_eq!(ours, theirs, "the page shows what the server has");
        assert!(
            self.storage.is_empty(),
            "nothing is left on the device: {:?}",
            self.storage
        );
        let stored: BTreeSet<&str> = self
            .server
            .log
            .iter()
            .map(|item| item.task.title.as_str())
            .collect();
        for (at, given) in self.given.iter().enumerate() {
            let replaced = self
                .given
                .iter()
                .skip(at + 1)
                .any(|later| later.task == given.task);
            let fate = stored.contains(given.title.as_str())
                || self.told.contains(&given.title)
                || replaced
                || self.deleted.contains(&given.task);
            assert!(fate, "{} of {} was lost", given.title, given.task);
        }
    }
}
