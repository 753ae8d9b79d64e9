//! Requests whose bodies never arrive, and answers that are never read.

use std::time::Duration;

use crate::honest::{LATE, Reminders, Visitor, check_late};
use crate::raw;
use crate::target::{Target, in_seconds};

/// More than all instances of the api take at once: 32 × 16.
const REQUESTS: usize = 530;

pub(crate) async fn bodies_that_never_arrive() {
    let attack = "530 requests whose bodies never arrive";
    let target = Target::start(&[]).await;
    let mallory = target.user("mallory");
    let first = in_seconds(8);
    let others = Reminders::create(&target, "bob", first, 4, 2, 4).await;
    let head = format!(
        "POST /api/v1/tasks HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n",
        mallory.address, mallory.token
    );
    let mut open = Vec::new();
    for _ in 0..REQUESTS {
        open.push(raw::send(mallory.address, head.as_bytes()).await);
    }
    let visitor = Visitor::of(&target.user("alice"));
    let late = others.late(&target, Duration::from_secs(15)).await;
    let visits = visitor.stop().await;
    drop(open);
    visits.check(attack);
    check_late(attack, &late, LATE);
}
