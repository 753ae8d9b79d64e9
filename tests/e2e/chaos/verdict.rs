//! What people were told and what the broker carried, against the tasks, the emails and the jobs that there are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::faults::Faults;
use crate::observer::{POISON, Reminder, text};
use crate::people::{Deeds, Person, differs};
use crate::world::World;
use test_real::MailServer;

/// How long after the last fault nothing may get better before everything is in order: a claim of 90 s, two rounds of the recurring
/// jobs, and a margin for a busy machine. A backlog may take longer as long as it gets shorter.
const PATIENCE: Duration = Duration::from_secs(300);

/// How far around a mail a fault explains a second one.
const NEAR: SignedDuration = SignedDuration::from_secs(10);

/// Emails on their way at one time, so the most that one fault can repeat: the two that are recorded together, and the next one.
const ON_THEIR_WAY: usize = 3;

/// A mail that was accepted.
struct Mail {
    reference: String,
    at: Timestamp,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// What is wrong for good.
    pub(crate) losses: Vec<String>,
    /// What is not yet as it must be.
    waiting: Vec<String>,
    pub(crate) tasks: usize,
    pub(crate) versions: usize,
    pub(crate) deliveries: usize,
    pub(crate) emails: usize,
    pub(crate) references: usize,
    /// Emails that came twice, each with a fault that explains it.
    pub(crate) repeated: usize,
    pub(crate) successors: usize,
    pub(crate) jobs_asked: usize,
    /// Events that consumers refused, each counted once.
    pub(crate) rejected: usize,
    /// Those that the api keeps, copies and all.
    pub(crate) kept: Option<usize>,
    /// How late emails were, in seconds, sorted.
    pub(crate) late: Vec<f64>,
    pub(crate) settled_after: Duration,
}

/// Looks until nothing is waited for any more, and at most so long.
pub(crate) async fn settle(
    world: &mut World,
    faults: &Faults,
    people: &[Person],
    deeds: &[Deeds],
) -> Verdict {
    let begun = Instant::now();
    let (mut told, mut better) = (begun, begun);
    let mut fewest = usize::MAX;
    let mut look = tokio::time::interval(Duration::from_secs(1));
    loop {
        look.tick().await;
        for target in world.targets() {
            world.revive(target).expect("it can be started");
        }
        world.revive_observer().expect("it can be started");
        world.observer.look();
        let mut verdict = judge(world, faults, people, deeds).await;
        verdict.settled_after = begun.elapsed();
        if verdict.waiting.is_empty() {
            return verdict;
        }
        if verdict.waiting.len() < fewest {
            fewest = verdict.waiting.len();
            better = Instant::now();
        }
        if better.elapsed() > PATIENCE {
            let late = std::mem::take(&mut verdict.waiting);
            verdict.losses.extend(
                late.into_iter()
                    .map(|what| format!("no better for {PATIENCE:?}: {what}")),
            );
            return verdict;
        }
        if told.elapsed() > Duration::from_secs(15) {
            told = Instant::now();
            let first = verdict.waiting.first().map_or("", String::as_str);
            eprintln!("waiting for {} things, such as: {first}", verdict.waiting.len());
        }
    }
}

async fn judge(world: &mut World, faults: &Faults, people: &[Person], deeds: &[Deeds]) -> Verdict {
    let mut verdict = Verdict::default();
    let mut live: BTreeMap<String, Value> = BTreeMap::new();
    for person in people {
        let Some(tasks) = person.tasks().await else {
            verdict.waiting.push("an answer of the api".to_owned());
            return verdict;
        };
        live.extend(tasks.into_iter().map(|task| (text(&task, "id"), task)));
    }
    verdict.people(deeds, &live);
    verdict.events(world, &live);
    let emails = emails(world);
    verdict.reminders(world, &live, &emails, faults);
    verdict.dead_letters(world, faults).await;
    if verdict.waiting.is_empty() {
        verdict.jobs(world, &live).await;
    }
    verdict
}

impl Verdict {
    /// Every change that was accepted is there, and nothing else.
    fn people(&mut self, deeds: &[Deeds], live: &BTreeMap<String, Value>) {
        let mut known = BTreeSet::new();
        for expected in deeds.iter().flat_map(|deeds| &deeds.tasks) {
            self.tasks += 1;
            known.insert(&expected.id);
            match live.get(&expected.id) {
                None if expected.deleted => {}
                None => self.losses.push(format!("{expected:?} is gone")),
                Some(task) if expected.deleted => self.losses.push(format!("{expected:?} is there: {task}")),
                Some(task) => self.losses.extend(differs(expected, task)),
            }
            if expected.recurring && expected.completed && !expected.deleted {
                self.successor(live, &expected.id);
            }
        }
        let mut places = BTreeSet::new();
        for (id, task) in live {
            let occurrence = task["occurrence"].as_u64().expect("a number");
            if !known.contains(id) && occurrence == 1 {
                self.losses.push(format!("no event told of {task}"));
            }
            let place = task["seriesId"].as_str().map(|series| (series, occurrence));
            if place.is_some_and(|place| !places.insert(place)) {
                self.losses.push(format!("a second task has the place of {task}"));
            }
        }
        self.losses
            .extend(deeds.iter().flat_map(|deeds| deeds.complaints.iter().cloned()));
    }

    fn successor(&mut self, live: &BTreeMap<String, Value>, id: &str) {
        let Some(series) = live.get(id).map(|task| &task["seriesId"]) else {
            return;
        };
        let next = live
            .values()
            .filter(|task| task["seriesId"] == *series && task["occurrence"] == 2)
            .count();
        match next {
            0 => self.waiting.push(format!("the next occurrence of {id}")),
            1 => self.successors += 1,
            _ => self.losses.push(format!("{id} has {next} next occurrences")),
        }
    }

    /// Every version is on the broker once by id, and each task's in their order.
    fn events(&mut self, world: &World, live: &BTreeMap<String, Value>) {
        let observer = &world.observer;
        self.deliveries = observer.deliveries;
        self.losses.extend(observer.contradictions.iter().cloned());
        for (id, versions) in &observer.versions {
            self.versions += versions.len();
            let order: Vec<u64> = versions.iter().map(|version| version.version).collect();
            if !order.iter().copied().eq(1..=order.len() as u64) {
                let mut sorted = order.clone();
                sorted.sort_unstable();
                let whole = sorted.iter().copied().eq(1..=order.len() as u64);
                let list = if whole {
                    &mut self.losses
                } else {
                    &mut self.waiting
                };
                list.push(format!("the versions of {id} came as {order:?}"));
            }
            let deleted = versions.last().is_some_and(|last| last.deleted);
            if deleted == live.contains_key(id) {
                self.waiting.push(format!("the last event of {id}"));
            }
        }
        for (id, task) in live {
            let published = observer.versions.get(id).map_or(0, Vec::len) as u64;
            if task["version"].as_u64() != Some(published) {
                self.waiting
                    .push(format!("the events of {id}: {published} of {}", task["version"]));
            }
        }
    }

    fn reminders(&mut self, world: &World, live: &BTreeMap<String, Value>, emails: &[Mail], faults: &Faults) {
        let now = Timestamp::now();
        let mut by_reference: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
        for mail in emails {
            by_reference.entry(&mail.reference).or_default().push(mail.at);
        }
        self.emails = emails.len();
        self.references = by_reference.len();

        // What is due is sent.
        for task in live.values() {
            for reminder in task["reminders"].as_array().expect("a list") {
                let reminder = Reminder::read(reminder);
                match reminder.status.as_str() {
                    "scheduled" if reminder.at < now => {
                        self.waiting.push(format!("the mail of {}", reminder.reference()));
                    }
                    "failed" => self.losses.push(format!("{} failed", reminder.reference())),
                    _ => {}
                }
            }
        }

        // What was sent was emailed, and what was emailed was to be sent then.
        let mut wanted: BTreeMap<String, bool> = BTreeMap::new();
        for versions in world.observer.versions.values() {
            for (index, version) in versions.iter().enumerate() {
                let next = versions.get(index + 1);
                for reminder in &version.reminders {
                    let reference = reminder.reference();
                    if reminder.status == "sent" && !by_reference.contains_key(reference.as_str()) {
                        self.losses
                            .push(format!("{reference} shows as sent, but there is no mail"));
                    }
                    // It was still wanted when its time came; the event's time is in milliseconds.
                    let second = SignedDuration::from_secs(1);
                    let in_time = next.is_none_or(|next| next.at + second >= reminder.at);
                    let was = wanted.entry(reference).or_default();
                    *was |= reminder.status == "scheduled" && in_time;
                }
            }
        }
        for (reference, times) in by_reference {
            match wanted.get(reference) {
                Some(true) => {}
                Some(false) => self
                    .losses
                    .push(format!("{reference} was sent and not asked for")),
                None => self
                    .waiting
                    .push(format!("the event of {reference}, which was emailed")),
            }
            let due = reference.split(' ').nth(1).and_then(|second| second.parse().ok());
            let due = Timestamp::from_second(due.expect("an instant")).expect("an instant");
            let late = times[0].duration_since(due).as_secs_f64();
            if late < 0.0 {
                self.losses
                    .push(format!("{reference} was emailed {late} s early"));
            }
            self.late.push(late);
            for pair in times.windows(2) {
                let explained = faults.struck.iter().any(|fault| {
                    fault.may_repeat_a_mail && fault.from - NEAR <= pair[0] && pair[0] <= fault.until + NEAR
                });
                if explained {
                    self.repeated += 1;
                } else {
                    self.losses.push(format!(
                        "{reference} was emailed twice, at {} and {}",
                        pair[0], pair[1]
                    ));
                }
            }
        }
        self.late.sort_by(f64::total_cmp);
        let may_repeat = faults
            .struck
            .iter()
            .filter(|fault| fault.may_repeat_a_mail)
            .count();
        if self.repeated > ON_THEIR_WAY * may_repeat {
            self.losses.push(format!(
                "{may_repeat} faults do not explain {} emails twice",
                self.repeated
            ));
        }
    }

    /// What no consumer can handle is kept with its reason, and nothing else is.
    async fn dead_letters(&mut self, world: &World, faults: &Faults) {
        let dead = &world.observer.dead;
        let others = dead.iter().filter(|dead| !dead.contains(POISON));
        self.losses.extend(others.map(|dead| format!("rejected: {dead}")));
        self.rejected = dead.iter().collect::<BTreeSet<_>>().len();
        if self.rejected < faults.poison {
            self.waiting
                .push(format!("{} of {} rejected events", self.rejected, faults.poison));
        }
        match world.dead_letters().await {
            Some(kept) => {
                self.kept = kept["count"]
                    .as_u64()
                    .and_then(|count| usize::try_from(count).ok());
                let items = kept["items"].as_array().expect("a list");
                if let Some(item) = items.iter().find(|item| text(item, "reason").is_empty()) {
                    self.losses.push(format!("kept without a reason: {item}"));
                }
                if self.kept.is_none_or(|kept| kept < faults.poison) {
                    self.waiting
                        .push(format!("{:?} of {} dead letters", self.kept, faults.poison));
                }
            }
            None => self.waiting.push("the api's dead letters".to_owned()),
        }
    }

    /// There is a job for each second in which something is due soon, and none for a second that has passed.
    async fn jobs(&mut self, world: &World, live: &BTreeMap<String, Value>) {
        let now = Timestamp::now();
        let second = |at: Timestamp| at.as_second() + i64::from(at.subsec_nanosecond() > 0);
        // A second that is armed every half a minute, for two minutes, and not so soon that its job may have fired.
        let soon = SignedDuration::from_secs(10)..SignedDuration::from_secs(80);
        let mut expected = BTreeMap::new();
        let versions = world.observer.versions.values().flatten();
        for reminder in versions.flat_map(|version| &version.reminders) {
            if reminder.at < now {
                expected.insert(second(reminder.at), false);
            }
        }
        for task in live.values() {
            let reminders = task["reminders"].as_array().expect("a list");
            for reminder in reminders.iter().map(Reminder::read) {
                if reminder.status == "scheduled" && soon.contains(&reminder.at.duration_since(now)) {
                    expected.insert(second(reminder.at), true);
                }
            }
        }
        for (second, expected) in expected {
            self.jobs_asked += 1;
            match world.has_job(&format!("due-{second}")).await {
                None => self
                    .waiting
                    .push(format!("an answer about the job of second {second}")),
                Some(true) if !expected => self
                    .waiting
                    .push(format!("the end of the job of second {second}")),
                Some(false) if expected => self.waiting.push(format!("the job of second {second}")),
                Some(_) => {}
            }
            if self.waiting.len() > 3 {
                return;
            }
        }
    }

    /// The lateness below which so many of a hundred emails are, in seconds.
    pub(crate) fn late(&self, percent: usize) -> f64 {
        let index = (self.late.len() * percent / 100).min(self.late.len().saturating_sub(1));
        self.late.get(index).copied().unwrap_or_default()
    }
}

fn emails(world: &mut World) -> Vec<Mail> {
    let files = world.mail().emails();
    files
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a whole mail");
            // Soft line breaks of quoted-printable (RFC 2045, section 6.7).
            let text = text.replace("=\r\n", "").replace("=3D", "=");
            let reference = text
                .split("name=\"nudge-reminder\" content=\"")
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .unwrap_or_else(|| panic!("a mail without reference: {text}"));
            Mail {
                reference: reference.to_owned(),
                at: MailServer::came(path),
            }
        })
        .collect()
}
