//! Whatever one user has due, the reminder of another is leased in the next round.

use super::leases::{COPIES, lease, remind, titles};
use crate::support::{Service, Setup};

/// How many reminders notification leases at a time.
const ROUND: u32 = 64;

/// Whether a round leases the reminder of this title.
async fn is_next(api: &Service, title: &str) -> bool {
    titles(&lease(api, ROUND).await).0.contains(&title)
}

/// A user has reminders due in every second of more than an hour, and others have one each, anywhere between them.
pub(crate) async fn beside_a_backlog(api: &Service, sql: impl AsyncFn(&str)) {
    remind(api, "alice", "burst", 1).await;
    for (user, seconds) in [("bob", 1_800), ("carol", 2_500), ("dave", 3_590)] {
        remind(api, user, user, seconds).await;
    }
    sql(&COPIES.replace("created_at + n)", "created_at + n * 720)")).await;
    api.pass(3_600);
    // Nothing is in flight.
    let first = lease(api, ROUND).await;
    let (first, more) = titles(&first);
    assert_eq!((first.len(), more), (64, true));
    for user in ["bob", "carol", "dave"] {
        assert!(first.contains(&user), "{user} in {first:?}");
    }
    // The backlog takes all places that it can get.
    while !titles(&lease(api, ROUND).await).0.is_empty() {}
    for (user, seconds) in [("erin", 1), ("frank", 2)] {
        remind(api, user, user, seconds).await;
        api.pass(2);
        assert!(is_next(api, user).await, "{user}");
    }
}

#[tokio::test]
async fn the_reminder_of_another_is_leased_in_the_next_round_whatever_one_user_has_due() {
    let api = Service::start("api").await;
    beside_a_backlog(&api, async |sql: &str| api.sql(sql)).await;
}

#[tokio::test]
async fn places_that_are_reserved_are_within_the_bound() {
    let setup = Setup::new("api").variable("reminders_in_flight", "8");
    let api = setup.start().await;
    for n in 0..10 {
        remind(&api, "alice", &n.to_string(), 1).await;
    }
    api.pass(1);
    assert_eq!(
        titles(&lease(&api, ROUND).await).0.len(),
        7,
        "one is for another user"
    );
    remind(&api, "bob", "bob", 1).await;
    remind(&api, "carol", "carol", 1).await;
    api.pass(1);
    assert_eq!(titles(&lease(&api, ROUND).await).0.len(), 1);
    assert_eq!(
        titles(&lease(&api, ROUND).await),
        (vec![], true),
        "eight are in flight"
    );
}
