//! Edits, answers, feed, other clients, lost requests, reloads and two pages side by side in any order: in the end the page shows what the
//! server has, and no edit was lost silently.

use jiff::SignedDuration;
use nudge_domain::id::TaskId;
use nudge_domain::task::Priority;
use nudge_page_model::{Patch, Scope};
use proptest::prelude::*;
use serde_json::json;

use crate::server::task;
use crate::world::{Flight, Given, World};

#[derive(Debug, Clone)]
enum Step {
    Create {
        bad: bool,
    },
    Title {
        of: usize,
        bad: bool,
    },
    Priority {
        of: usize,
        to: u8,
    },
    Complete {
        of: usize,
    },
    Reopen {
        of: usize,
    },
    Delete {
        of: usize,
    },
    Undo,
    Elsewhere {
        of: usize,
        what: u8,
    },
    Send,
    Arrive {
        which: usize,
        fate: u8,
    },
    Answer {
        which: usize,
    },
    Feed,
    Reload,
    Wait {
        seconds: i64,
    },
    Online,
    SignIn,
    Decide {
        mine: bool,
    },
    /// The user goes to the other page.
    Switch,
    /// The page hears what the other one has stored.
    Hear {
        events: usize,
    },
    /// The page gets the lock; the other one may not know that it has lost it.
    Lead {
        knows: bool,
    },
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
        2 => Just(Step::Switch),
        3 => (1_usize..9).prop_map(|events| Step::Hear { events }),
        1 => any::<bool>().prop_map(|knows| Step::Lead { knows }),
    ]
}

impl World {
    fn step(&mut self, step: Step) {
        match step {
            Step::Create { bad } => {
                let title = self.title(bad);
                let stamp = self.stamp();
                let body = json!({ "title": title }).as_object().cloned().unwrap_or_default();
                let task = self.page.model.create(body, stamp);
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
                    self.page.undo = Some(self.page.model.complete(task, stamp));
                }
            }
            Step::Reopen { of } => {
                if let Some(task) = self.of(of) {
                    let stamp = self.stamp();
                    self.page.undo = Some(self.page.model.reopen(task, stamp));
                }
            }
            Step::Delete { of } => {
                if let Some(task) = self.of(of) {
                    let stamp = self.stamp();
                    self.page.undo = Some(self.page.model.delete(task, Scope::Series, stamp));
                    self.deleted.insert(task);
                }
            }
            Step::Undo => {
                if let Some(undo) = self.page.undo.take() {
                    // The title of before takes the place of all that were given in either page.
                    let undone = self.given.iter().find(|given| given.edit == undo.edit());
                    let task = undone.map(|given| given.task);
                    let of_it = self.given.iter().filter(|given| Some(given.task) == task);
                    self.told.extend(of_it.map(|given| given.title.clone()));
                    let stamp = self.stamp();
                    if let Some(again) = self.page.model.undo(undo, stamp) {
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
            Step::Send if self.page.leads => {
                let now = self.now();
                if let Some(request) = self.page.model.next(now) {
                    self.page.flights.push(Flight {
                        request,
                        answer: None,
                    });
                }
            }
            Step::Send => {}
            Step::Arrive { which, fate } => self.arrive(which, fate),
            Step::Answer { which } => {
                let answered: Vec<usize> = (0..self.page.flights.len())
                    .filter(|at| self.page.flights[*at].answer.is_some())
                    .collect();
                if let Some(at) = answered.get(which % answered.len().max(1)) {
                    let flight = self.page.flights.remove(*at);
                    let now = self.now();
                    self.page
                        .model
                        .answer(flight.request.edit, flight.answer.expect("it is answered"), now);
                }
            }
            Step::Feed => {
                if let Some(item) = self.server.log.get(self.page.heard) {
                    self.page.heard += 1;
                    self.page.model.item(item.clone());
                }
            }
            Step::Reload => self.reload(),
            Step::Wait { seconds } => self.at += SignedDuration::from_secs(seconds),
            Step::Online => self.page.model.online(),
            Step::SignIn => self.page.model.signed_in(),
            Step::Decide { mine } => self.decide(mine),
            Step::Switch => {
                // A user cannot edit in two pages in the same millisecond.
                self.at += SignedDuration::from_secs(1);
                std::mem::swap(&mut self.page, &mut self.other);
            }
            Step::Hear { events } => self.hear(events),
            Step::Lead { knows } => {
                if !self.page.leads {
                    self.page.leads = true;
                    self.other.leads &= !knows;
                    self.page.model.become_sender();
                }
            }
        }
        self.keep();
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
        std::mem::swap(&mut world.page, &mut world.other);
        world.reload();
        for step in steps {
            world.step(step);
        }
        world.settle();
        world.check();
    }
}
