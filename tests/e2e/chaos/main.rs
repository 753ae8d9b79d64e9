//! A simulation: people use Nudge while its processes are killed and frozen, its mail server goes away, and old events come again.
//! In the end every change that was answered is there and on the broker, every reminder was emailed once, every completed
//! recurring task has one next occurrence, and no job is left.
//!
//! | variable | means |
//! | --- | --- |
//! | `NUDGE_CHAOS_SEED` | what people do and what strikes, in which order; 1 when absent. When exactly is the machine's |
//! | `NUDGE_CHAOS_SECONDS` | how long; 40 when absent. Then everything has to come to order, and to get nearer to it every 300 s |
//! | `NUDGE_CHAOS_PEOPLE` | how many people; 6 when absent |
//!
//! `embedded` runs always, and once more with faults that cannot make a mail go out twice: then each comes exactly once. `real`, on daprd, Kafka and PostgreSQL, is what `scripts/chaos.sh` runs for half an hour.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod faults;
mod observer;
mod people;
mod roles;
mod verdict;
mod world;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use libtest_mimic::{Arguments, Failed, Trial};
use nudge::{TokenRequest, mint};

use faults::{Faults, Reach};
use people::Person;
use world::{Kind, World};

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is {text}, not a number")),
        Err(_) => default,
    }
}

async fn simulate(kind: Kind, reach: Reach) -> Result<(), Failed> {
    let seed = setting("NUDGE_CHAOS_SEED", 1);
    let during = Duration::from_secs(setting("NUDGE_CHAOS_SECONDS", 40));
    let mut random = fastrand::Rng::with_seed(seed);
    let begun = Instant::now();
    eprintln!(
        "{kind:?}: seed {seed}, {} s; starting everything",
        during.as_secs()
    );
    let mut world = World::start(kind).await;
    let people: Vec<Person> = (1..=setting("NUDGE_CHAOS_PEOPLE", 6))
        .map(|number| person(&world, &format!("person{number}")))
        .collect();
    eprintln!(
        "{kind:?}: ready after {:.1} s; faults begin",
        begun.elapsed().as_secs_f64()
    );
    let lives: Vec<_> = people
        .iter()
        .map(|person| tokio::spawn(person.clone().live(random.fork(), during)))
        .collect();
    let faults = Faults::strike(&mut world, &mut random, reach, during).await;
    let mut deeds = Vec::new();
    for life in lives {
        deeds.push(life.await.expect("a life without panic"));
    }
    eprintln!(
        "{kind:?}: {} faults; waiting until everything is in order",
        faults.struck.len()
    );
    let verdict = verdict::settle(&mut world, &faults, &people, &deeds).await;

    let mut accepted = std::collections::BTreeMap::new();
    for (what, count) in deeds.iter().flat_map(|deeds| &deeds.accepted) {
        *accepted.entry(*what).or_insert(0) += count;
    }
    let again: u64 = deeds.iter().map(|deeds| deeds.again).sum();
    eprintln!(
        "{kind:?}: seed {seed}, {during} s of faults, in order {settled:.0} s after the last\n\
         \x20 accepted  {accepted:?}; {again} requests sent again\n\
         \x20 tasks     {tasks} with {versions} versions, {deliveries} deliveries, {copies} copies thrown in\n\
         \x20 emails     {emails} for {references} reminders, {repeated} twice because of a crash; \
         late p50 {p50:.1} s, p95 {p95:.1} s, most {most:.1} s\n\
         \x20 series    {successors} next occurrences; {jobs} jobs asked after; {rejected} rejected and {kept} kept of {poison} poisonous events\n\
         {faults}\x20 losses    {losses}",
        during = during.as_secs(),
        settled = verdict.settled_after.as_secs_f64(),
        tasks = verdict.tasks,
        versions = verdict.versions,
        deliveries = verdict.deliveries,
        copies = faults.copies,
        emails = verdict.emails,
        references = verdict.references,
        repeated = verdict.repeated,
        p50 = verdict.late(50),
        p95 = verdict.late(95),
        most = verdict.late(100),
        successors = verdict.successors,
        jobs = verdict.jobs_asked,
        rejected = verdict.rejected,
        kept = verdict.kept.unwrap_or_default(),
        poison = faults.poison,
        faults = faults.summary(),
        losses = verdict.losses.len(),
    );
    if verdict.losses.is_empty() {
        return Ok(());
    }
    let mut losses = verdict.losses;
    let more = losses.len().saturating_sub(20);
    losses.truncate(20);
    let folder = world.keep();
    Err(format!(
        "seed {seed}: what is left is in {}\n{}\nand {more} more",
        folder.display(),
        losses.join("\n")
    )
    .into())
}

fn person(world: &World, name: &str) -> Person {
    let request = TokenRequest {
        user: name.to_owned(),
        email: Some(format!("{name}@example.com")),
        time_zone: Some("Europe/Berlin".to_owned()),
        hours: 24,
    };
    let token = mint(&world.data, &request, Timestamp::now().as_second()).expect("a token");
    Person {
        name: name.to_owned(),
        token,
        api: world.api,
    }
}

fn trial(name: &str, kind: Kind, reach: Reach) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Runtime::new()?;
        let verdict = runtime.block_on(simulate(kind, reach));
        runtime.shutdown_timeout(Duration::from_secs(1));
        verdict
    })
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(roles::ROLE) {
        let role = arguments.next().expect("a role");
        return roles::play(&role);
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let asked_for = std::env::var_os("NUDGE_CHAOS_REAL").is_some();
    if !asked_for {
        eprintln!("real is ignored: it is run by scripts/chaos.sh, which sets NUDGE_CHAOS_REAL");
    }
    let trials = vec![
        trial("embedded", Kind::Embedded, Reach::Everything),
        trial("embedded, all but mail", Kind::Embedded, Reach::AllButMail),
        trial("real", Kind::Real, Reach::Everything).with_ignored_flag(!asked_for),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}
