//! What goes wrong: one seeded series of faults, and those who mend them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use mail_sink::{Fault, Stage};

use crate::world::{Target, World};

/// How often what has ended is started again, and the observer looks.
const WATCH: Duration = Duration::from_millis(100);

/// What is done about a fault when its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mending {
    Revive(Target),
    Thaw(Target),
    ReviveMail,
}

/// A fault, from when to when.
#[derive(Debug, Clone)]
pub(crate) struct Struck {
    pub(crate) what: String,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// Whether a mail may have been accepted without that being noted.
    pub(crate) may_repeat_a_mail: bool,
}

/// What may be struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All there is.
    Everything,
    /// Faults that cannot make an email go out twice: they hit neither the sender nor the place that records it.
    AllButMail,
}

/// The series, as far as it went.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) struck: Vec<Struck>,
    /// Copies of events that were published once more.
    pub(crate) copies: usize,
    /// Events that no consumer can handle.
    pub(crate) poison: usize,
}

impl Faults {
    /// Strikes for a while, then mends everything.
    pub(crate) async fn strike(
        world: &mut World,
        random: &mut fastrand::Rng,
        reach: Reach,
        during: Duration,
    ) -> Self {
        let mut faults = Self::default();
        let mut mendings: Vec<(Instant, Mending)> = Vec::new();
        let begun = Instant::now();
        let mut next = begun + pause(world, random);
        let mut watch = tokio::time::interval(WATCH);
        while begun.elapsed() < during || !mendings.is_empty() {
            watch.tick().await;
            let now = Instant::now();
            let over = begun.elapsed() >= during;
            for (_, mending) in mendings.extract_if(.., |(at, _)| over || *at <= now) {
                mend(world, mending).await;
            }
            // A process may end by itself: a sidecar that starts while its broker is away does.
            for target in world.targets() {
                let down = mendings
                    .iter()
                    .any(|(_, mending)| *mending == Mending::Revive(target));
                if !down {
                    world.revive(target).expect("it can be started");
                }
            }
            world.revive_observer().expect("it can be started");
            world.observer.look();
            if !over && now >= next {
                faults.one(world, random, reach, &mut mendings).await;
                next = Instant::now() + pause(world, random);
            }
        }
        faults
    }

    async fn one(
        &mut self,
        world: &mut World,
        random: &mut fastrand::Rng,
        reach: Reach,
        mendings: &mut Vec<(Instant, Mending)>,
    ) {
        let mut targets = world.targets();
        if reach == Reach::AllButMail {
            targets.retain(|target| !repeats_mail(*target));
        }
        let target = targets[random.usize(..targets.len())];
        let busy = mendings.iter().any(|(_, mending)| {
            matches!(mending, Mending::Revive(other) | Mending::Thaw(other) if *other == target)
        });
        let mail_is_down = mendings
            .iter()
            .any(|(_, mending)| *mending == Mending::ReviveMail);
        let longest = if world.is_real() { 15_000 } else { 6_000 };
        let lasts = Duration::from_millis(random.u64(100..longest));
        match random.u32(..20) {
            0..=9 if !busy => {
                world.kill(target);
                mendings.push((Instant::now() + lasts, Mending::Revive(target)));
                self.note(
                    format!("killed {}", World::name(target)),
                    lasts,
                    repeats_mail(target),
                );
            }
            10..=13 if !busy && world.freeze(target) => {
                mendings.push((Instant::now() + lasts, Mending::Thaw(target)));
                self.note(
                    format!("froze {}", World::name(target)),
                    lasts,
                    repeats_mail(target),
                );
            }
            14 if !mail_is_down && reach == Reach::Everything => {
                world.mail().kill();
                mendings.push((Instant::now() + lasts, Mending::ReviveMail));
                self.note("killed the mail server".to_owned(), lasts, true);
            }
            15 if !mail_is_down => {
                let stage = if random.bool() { Stage::Rcpt } else { Stage::Data };
                world.mail().inject(Fault {
                    stage,
                    code: 451,
                    text: "busy, try again later".to_owned(),
                    times: random.usize(1..5),
                });
                self.note("the mail server was busy".to_owned(), Duration::ZERO, false);
            }
            16..=18 => {
                let count = random.usize(1..20);
                self.copies += world.observer.repeat(count, random).await;
                self.note("repeated old events".to_owned(), Duration::ZERO, false);
            }
            19 => {
                self.poison += world.observer.poison(self.struck.len() as u64).await;
                self.note(
                    "published what no consumer can handle".to_owned(),
                    Duration::ZERO,
                    false,
                );
            }
            // What is down cannot be struck.
            _ => {}
        }
    }

    fn note(&mut self, what: String, lasts: Duration, may_repeat_a_mail: bool) {
        let from = Timestamp::now();
        let lasts = SignedDuration::try_from(lasts).expect("some seconds");
        self.struck.push(Struck {
            what,
            from,
            until: from + lasts,
            may_repeat_a_mail,
        });
    }

    /// How often what happened.
    pub(crate) fn summary(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for struck in &self.struck {
            *counts.entry(&struck.what).or_default() += 1;
        }
        let mut lines = String::new();
        for (what, count) in counts {
            let _ = writeln!(lines, "  {count:5}  {what}");
        }
        lines
    }
}

/// The time between two faults. Real brokers and sidecars need longer to find each other again, and nothing is learnt from a system that
/// never works.
fn pause(world: &World, random: &mut fastrand::Rng) -> Duration {
    let longest = if world.is_real() { 12_000 } else { 2_500 };
    Duration::from_millis(random.u64(200..longest))
}

/// email-delivery, its sidecar, and where it notes what it did.
fn repeats_mail(target: Target) -> bool {
    matches!(
        target,
        Target::Service(2) | Target::Sidecar(2) | Target::EmbeddedSidecars | Target::Database
    )
}

async fn mend(world: &mut World, mending: Mending) {
    match mending {
        Mending::Revive(target) => world.revive(target).expect("it can be started"),
        Mending::Thaw(target) => world.thaw(target),
        Mending::ReviveMail => {
            // The port is free as soon as the former one has let go of it.
            let mut again = tokio::time::interval(Duration::from_millis(10));
            while world.mail().revive().await.is_err() {
                again.tick().await;
            }
        }
    }
}
