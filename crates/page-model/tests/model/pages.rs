//! Pages side by side, and clocks that are set.

use jiff::SignedDuration;
use nudge_page_model::{Answer, Model, Patch, Scope, Write};
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
