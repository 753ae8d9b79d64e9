//! Pages side by side, and clocks that are set.

use jiff::SignedDuration;
use nudge_page_model::{Answer, Model, Patch, Scope, Stamp, Write};
use serde_json::json;

use crate::edits::{both, exchange, id, stamp};
use crate::server::{now, task};

/// Tells a page what another one has stored.
fn tell(from: &mut Model, to: &mut Model) {
    for write in from.take_writes() {
        match write {
            Write::Put(id, json) => drop(to.stored(id, Some(&json))),
            Write::Remove(id) => drop(to.stored(id, None)),
            Write::Alias(temporary, real) => to.stored_alias(temporary, real),
        }
    }
}

#[test]
fn an_edit_that_another_page_has_sent_meanwhile_is_not_sent_again() {
    let (mut frozen, mut server) = both(task(1, "old"));
    let mut leading = Model::default();
    frozen.create(
        json!({"title": "once"}).as_object().cloned().unwrap_or_default(),
        stamp(),
    );
    let request = frozen.next(now()).expect("the creation");
    tell(&mut frozen, &mut leading);
    leading.become_sender();
    exchange(&mut leading, &mut server, now());
    tell(&mut leading, &mut frozen);

    frozen.answer(request.edit, Answer::Offline, now());
    assert_eq!(frozen.pending(), 0);
    assert_eq!(frozen.next(now() + SignedDuration::from_hours(48)), None);
    tell(&mut frozen, &mut leading);
    assert_eq!(leading.pending(), 0);
}

#[test]
fn a_creation_that_was_corrected_in_another_page_does_not_come_back() {
    let (mut here, mut server) = both(task(1, "old"));
    let mut there = here.clone();
    let task = here.create(
        json!({"title": "bad"}).as_object().cloned().unwrap_or_default(),
        stamp(),
    );
    let request = here.next(now()).expect("the creation");
    tell(&mut here, &mut there);
    there.become_sender();
    exchange(&mut there, &mut server, now());
    let refused = there.refusals()[0].edit;
    let elsewhere = Stamp {
        random: [8; 10],
        ..stamp()
    };
    there.correct(refused, Patch::new().title("good"), elsewhere);

    // This page has not heard of it yet.
    here.answer(request.edit, Answer::Offline, now());
    here.patch(task, Patch::new().estimate(Some(5)), stamp());
    let writes = there.take_writes();
    tell(&mut here, &mut there);
    for write in writes {
        if let Write::Alias(temporary, real) = write {
            here.stored_alias(temporary, real);
        }
    }
    tell(&mut here, &mut there);
    assert_eq!(
        (here.pending(), there.pending()),
        (1, 2),
        "the edit, and the creation there"
    );
    exchange(&mut there, &mut server, now());
    assert_eq!(there.refusals().len(), 0);
    let made = server.tasks.values().find(|task| task.title == "good");
    assert_eq!(made.and_then(|task| task.estimate_minutes), Some(5));
}

#[test]
fn an_answer_counts_even_if_another_page_has_had_it_too() {
    let (mut frozen, mut server) = both(task(1, "old"));
    let mut leading = frozen.clone();
    frozen.patch(id(1), Patch::new().title("new"), stamp());
    let request = frozen.next(now()).expect("the edit");
    let answer = server.call(&request);
    tell(&mut frozen, &mut leading);
    leading.become_sender();
    exchange(&mut leading, &mut server, now());
    tell(&mut leading, &mut frozen);

    frozen.answer(request.edit, answer, now());
    assert_eq!((frozen.pending(), frozen.conflicts().len()), (0, 0));
    assert_eq!(
        frozen.snapshot().get(id(1)).map(|task| task.title.as_str()),
        Some("new")
    );
}

#[test]
fn a_clock_that_is_set_back_delays_nothing_for_long() {
    let yesterday = now() - SignedDuration::from_hours(24);
    let (mut model, _) = both(task(1, "old"));
    model.delete(id(1), Scope::Series, stamp());
    assert_eq!(model.next(now()), None, "it can still be undone");
    let request = model.next(yesterday).expect("the deletion");

    let later = Answer::Later {
        seconds: Some(30),
        all: true,
        limited: false,
    };
    model.answer(request.edit, later, now());
    assert_eq!(model.next(now()), None, "the server asked for a pause");
    assert!(model.next(yesterday).is_some());
}

#[test]
fn a_corrected_creation_does_not_change_the_order_of_the_edits_that_follow_it() {
    let (mut here, mut server) = both(task(1, "old"));
    let mut there = here.clone();
    let task = here.create(
        json!({"title": "bad"}).as_object().cloned().unwrap_or_default(),
        stamp(),
    );
    here.patch(task, Patch::new().title("first"), stamp());
    let request = here.next(now()).expect("the creation");
    let answer = server.call(&request);
    here.answer(request.edit, answer, now());
    tell(&mut here, &mut there);
    // The other page has not heard of this one when it corrects the creation.
    here.patch(task, Patch::new().title("last"), stamp());
    let elsewhere = Stamp {
        now: now() + SignedDuration::from_secs(1),
        random: [8; 10],
    };
    there.correct(there.refusals()[0].edit, Patch::new().title("good"), elsewhere);
    let shown = there.snapshot().get(task).map(|task| task.title.clone());
    assert_eq!(shown.as_deref(), Some("first"), "the edits show, too");

    tell(&mut here, &mut there);
    exchange(&mut there, &mut server, now());
    let titles: Vec<&str> = server.tasks.values().map(|task| task.title.as_str()).collect();
    assert!(titles.contains(&"last"), "{titles:?}");
}
