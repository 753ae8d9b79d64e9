//! Edits, answers, feed, other clients, lost requests and reloads in any order: in the end the page shows what the server has, and no
//! edit was lost silently.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use nudge_domain::id::TaskId;
use nudge_domain::task::{Priority, Status};
use nudge_page_model::{
    Answer, Choice, EditId, Model, Patch, Problem, RefusalKind, Request, Scope, Stamp, Undo, Write,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::server::{Server, now, task};

#[derive(Debug, Clone)]
enum Step {
    Create { bad: bool },
    Title { of: usize, bad: bool },
    Priority { of: usize, to: u8 },
    Complete { of: usize },
    Reopen { of: usize },
    Delete { of: usize },
    Undo,
    Elsewhere { of: usize, what: u8 },
    Send,
    Arrive { which: usize, fate: u8 },
    Answer { which: usize },
    Feed,
    Reload,
    Wait { seconds: i64 },
    Online,
    SignIn,
    Decide { mine: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let of = 0_usize..4;
    prop_oneof![
        2 => any::<bool>().prop_map(|bad| Step::Create { bad }),
        6 => (of.clone(), prop::bool::weighted(0.2)).prop_map(|(of, bad)| Step::Title { of, bad }),
        3 => (of.clone(), 0_u8..4).prop_map(|(of, to)| Step::Priority { of, to }),
        2 => of.clone().prop_map(|of| Step::Complete { of }),
        2 => of.clone().prop_map(|of| Step::Reopen { of }),
        1 => of.clone().prop_map(|of| Step::Delete { of }),
        2 => Just(Step::Undo),
        4 => (of, 0_u8..6).prop_map(|(of, what)| Step::Elsewhere { of, what }),
        8 => Just(Step::Send),
        8 => (any::<usize>(), 0_u8..9).prop_map(|(which, fate)| Step::Arrive { which, fate }),
        8 => any::<usize>().prop_map(|which| Step::Answer { which }),
        4 => Just(Step::Feed),
        2 => Just(Step::Reload),
        3 => (1_i64..40).prop_map(|seconds| Step::Wait { seconds }),
        2 => Just(Step::Online),
        2 => Just(Step::SignIn),
        2 => any::<bool>().prop_map(|mine| Step::Decide { mine }),
    ]
}

/// A request on its way, or its answer on the way back.
struct Flight {
    request: Request,
    answer: Option<Answer>,
}

/// A title that the user gave a task, and where it went.
struct Given {
    task: TaskId,
    title: String,
    edit: EditId,
}

#[derive(Default)]
struct World {
    model: Model,
    server: Server,
    storage: BTreeMap<EditId, String>,
    aliases: BTreeMap<TaskId, TaskId>,
    flights: Vec<Flight>,
    /// Requests of a page that was closed: they may still arrive.
    lost: Vec<Request>,
    heard: usize,
    at: SignedDuration,
    number: u32,
    /// The tasks that the user knows, as they know them: temporary ids stay.
    tasks: Vec<TaskId>,
    undo: Option<Undo>,
    given: Vec<Given>,
    /// Titles that were shown to the user as a conflict or a refusal, or that they undid.
    told: BTreeSet<String>,
    deleted: BTreeSet<TaskId>,
}

impl World {
    fn now(&self) -> Timestamp {
        now() + self.at
    }

    fn stamp(&mut self) -> Stamp {
        self.number += 1;
        let mut random = [0; 10];
        random[..4].copy_from_slice(&self.number.to_be_bytes());
        Stamp {
            now: self.now(),
            random,
        }
    }

    fn title(&mut self, bad: bool) -> String {
        self.number += 1;
        format!("{}{}", if bad { "bad" } else { "t" }, self.number)
    }

    fn of(&self, index: usize) -> Option<TaskId> {
        let known = self.tasks.get(index % self.tasks.len().max(1))?;
        self.model.snapshot().get(*known).map(|_| *known)
    }

    /// What the browser does after every change: it stores the edits, and shows what has to be decided.
    fn keep(&mut self) {
        for write in self.model.take_writes() {
            match write {
                Write::Put(id, json) => drop(self.storage.insert(id, json)),
                Write::Remove(id) => drop(self.storage.remove(&id)),
                Write::Alias(from, to) => drop(self.aliases.insert(from, to)),
            }
        }
        let told = |value: &Value| value.as_str().map(str::to_owned);
        for conflict in self.model.conflicts() {
            self.told
                .extend(conflict.fields.iter().filter_map(|field| told(&field.mine)));
        }
        for refusal in self.model.refusals() {
            self.told.extend(refusal.input.get("title").and_then(told));
        }
    }

    fn patch(&mut self, task: TaskId, patch: Patch) -> EditId {
        let stamp = self.stamp();
        let undo = self.model.patch(task, patch, stamp);
        let id = undo.edit();
        self.undo = Some(undo);
        id
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Create { bad } => {
                let title = self.title(bad);
                let stamp = self.stamp();
                let body = json!({ "title": title }).as_object().cloned().unwrap_or_default();
                let task = self.model.create(body, stamp);
                let edit = task.as_uuid().to_string().parse().expect("the id of the edit");
                self.tasks.push(task);
                self.given.push(Given { task, title, edit });
            }
            Step::Title { of, bad } => {
                if let Some(task) = self.of(of) {
                    let title = self.title(bad);
                    let mut patch = Patch::new().title(&title);
                    if self.number.is_multiple_of(2) {
                        patch = patch.priority(Priority::High).estimate(Some(self.number));
                    }
                    let edit = self.patch(task, patch);
                    self.given.push(Given { task, title, edit });
                }
            }
            Step::Priority { of, to } => {
                let to = [Priority::Low, Priority::Medium, Priority::High, Priority::Urgent][usize::from(to)];
                if let Some(task) = self.of(of) {
                    self.patch(task, Patch::new().priority(to));
                }
            }
            Step::Complete { of } => {
                if let Some(task) = self.of(of) {
                    let stamp = self.stamp();
                    self.undo = Some(self.model.complete(task, stamp));
                }
            }
            Step::Reopen { of } => {
                if let Some(task) = self.of(of) {
                    let stamp = self.stamp();
                    self.undo = Some(self.model.reopen(task, stamp));
                }
            }
            Step::Delete { of } => {
                if let Some(task) = self.of(of) {
                    let stamp = self.stamp();
                    self.undo = Some(self.model.delete(task, Scope::Series, stamp));
                    self.deleted.insert(task);
                }
            }
            Step::Undo => {
                if let Some(undo) = self.undo.take() {
                    let undone = self.given.iter().filter(|given| given.edit == undo.edit());
                    self.told.extend(undone.map(|given| given.title.clone()));
                    let stamp = self.stamp();
                    if let Some(again) = self.model.undo(undo, stamp) {
                        self.tasks.push(again);
                    }
                }
            }
            Step::Elsewhere { of, what } => {
                let ids: Vec<TaskId> = self.server.tasks.keys().copied().collect();
                let Some(id) = ids.get(of % ids.len().max(1)) else {
                    return;
                };
                let title = self.title(false);
                match what {
                    0 | 1 => self.server.change(*id, &json!({ "title": title })),
                    2 => self.server.change(*id, &json!({ "priority": "urgent" })),
                    3 => self.server.change(*id, &json!({ "status": "completed" })),
                    4 => self.server.change(*id, &json!({ "estimateMinutes": 5 })),
                    _ => self.server.delete(*id),
                }
            }
            Step::Send => {
                let now = self.now();
                if let Some(request) = self.model.next(now) {
                    self.flights.push(Flight {
                        request,
                        answer: None,
                    });
                }
            }
            Step::Arrive { which, fate } => self.arrive(which, fate),
            Step::Answer { which } => {
                let answered: Vec<usize> = (0..self.flights.len())
                    .filter(|at| self.flights[*at].answer.is_some())
                    .collect();
                if let Some(at) = answered.get(which % answered.len().max(1)) {
                    let flight = self.flights.remove(*at);
                    let now = self.now();
                    self.model
                        .answer(flight.request.edit, flight.answer.expect("it is answered"), now);
                }
            }
            Step::Feed => {
                if let Some(item) = self.server.log.get(self.heard) {
                    self.heard += 1;
                    self.model.item(item.clone());
                }
            }
            Step::Reload => self.reload(),
            Step::Wait { seconds } => self.at += SignedDuration::from_secs(seconds),
            Step::Online => self.model.online(),
            Step::SignIn => self.model.signed_in(),
            Step::Decide { mine } => self.decide(mine),
        }
        self.keep();
    }

    fn arrive(&mut self, which: usize, fate: u8) {
        if which.is_multiple_of(3) && !self.lost.is_empty() {
            let request = self.lost.remove(which % self.lost.len());
            self.server.call(&request);
            return;
        }
        let open: Vec<usize> = (0..self.flights.len())
            .filter(|at| self.flights[*at].answer.is_none())
            .collect();
        let Some(at) = open.get(which % open.len().max(1)) else {
            return;
        };
        let request = self.flights[*at].request.clone();
        let failed = |status| {
            Answer::from_problem(Problem {
                status,
                code: "x".to_owned(),
                ..Problem::default()
            })
        };
        self.flights[*at].answer = Some(match fate {
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

    /// The page is closed and opened again: only what is stored is left.
    fn reload(&mut self) {
        self.keep();
        self.lost.extend(
            self.flights
                .drain(..)
                .filter(|flight| flight.answer.is_none())
                .map(|flight| flight.request),
        );
        self.model = Model::default();
        for (from, to) in &self.aliases {
            self.model.stored_alias(*from, *to);
        }
        for (id, json) in &self.storage {
            assert!(self.model.stored(*id, Some(json)), "it can be read again: {json}");
        }
        self.undo = None;
        self.model.become_sender();
        self.heard = self.server.log.len();
        self.model.begin_reading();
        let pending = self
            .server
            .tasks
            .values()
            .filter(|task| task.status == Status::Pending)
            .cloned();
        self.model.read(pending.collect::<Vec<_>>());
        self.model.finish_reading();
    }

    fn decide(&mut self, mine: bool) {
        let choice = if mine { Choice::Mine } else { Choice::Theirs };
        if let Some(conflict) = self.model.conflicts().first() {
            let choices: Vec<_> = conflict
                .fields
                .iter()
                .map(|field| (field.field.clone(), choice))
                .collect();
            self.model.resolve(conflict.edit, &choices);
        }
        if let Some(refusal) = self.model.refusals().first().cloned() {
            let stamp = self.stamp();
            match (mine, refusal.kind) {
                (true, RefusalKind::Gone) => {
                    if let Some(again) = self.model.create_again(refusal.edit, stamp) {
                        self.tasks.push(again);
                    }
                }
                (true, RefusalKind::Invalid) => {
                    let title = self.title(false);
                    self.model
                        .correct(refusal.edit, Patch::new().title(&title), stamp);
                }
                (true, RefusalKind::Failed) => self.model.retry(refusal.edit),
                (false, _) => {
                    // With a creation, the edits that follow it are given up.
                    let of_it = self.given.iter().filter(|given| given.task == refusal.task);
                    if refusal.task.as_uuid().to_string() == refusal.edit.to_string() {
                        self.told.extend(of_it.map(|given| given.title.clone()));
                    }
                    self.model.give_up(refusal.edit);
                }
            }
        }
    }

    /// Everything works again, and the user decides what there is to decide.
    fn settle(&mut self) {
        for _ in 0..200 {
            self.at += SignedDuration::from_secs(120);
            let now = self.now();
            self.model.signed_in();
            for flight in std::mem::take(&mut self.flights) {
                let answer = flight.answer.unwrap_or_else(|| self.server.call(&flight.request));
                self.model.answer(flight.request.edit, answer, now);
                self.keep();
            }
            while let Some(request) = self.model.next(now) {
                let answer = self.server.call(&request);
                self.model.answer(request.edit, answer, now);
                self.keep();
            }
            for item in self.server.log.iter().skip(self.heard) {
                self.model.item(item.clone());
            }
            self.heard = self.server.log.len();
            self.keep();
            if self.model.pending() == 0
                && self.model.conflicts().is_empty()
                && self.model.refusals().is_empty()
            {
                return;
            }
            self.decide(false);
            self.keep();
        }
        panic!(
            "it does not come to rest: {:?} {:?}",
            self.model.conflicts(),
            self.model.refusals()
        );
    }

    fn check(&self) {
        let shown: BTreeMap<TaskId, _> = self
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    #[test]
    fn no_order_of_events_loses_an_edit(steps in prop::collection::vec(step(), 0..80)) {
        let mut world = World::default();
        for n in 1..=2 {
            world.server.insert(task(n, "given"));
            world.tasks.push(uuid::Uuid::from_u128(n).into());
        }
        world.reload();
        for step in steps {
            world.step(step);
        }
        world.settle();
        world.check();
    }
}
