//! Conflicts that come one after the other, with a deletion, or with an undo.

use nudge_domain::task::Priority;
use nudge_page_model::{Patch, RefusalKind, Scope};
use serde_json::json;

use crate::edits::{both, exchange, id, stamp};
use crate::server::{now, task};

#[test]
fn each_field_of_an_edit_may_come_into_conflict_at_another_time() {
    let (mut model, mut server) = both(task(1, "old"));
    server.change(id(1), &json!({"title": "theirs"}));
    let patch = Patch::new()
        .title("mine")
        .priority(Priority::High)
        .estimate(Some(5));
    model.patch(id(1), patch, stamp());
    for change in [json!({}), json!({"priority": "low"}), json!({})] {
        // Stale, then read, then sent on the version of before.
        server.change(id(1), &change);
        for _ in 0..2 {
            if let Some(request) = model.next(now()) {
                let answer = server.call(&request);
                model.answer(request.edit, answer, now());
            }
        }
    }
    exchange(&mut model, &mut server, now());
    let fields = model.conflicts().into_iter().flat_map(|conflict| conflict.fields);
    let mut fields: Vec<String> = fields.map(|field| field.field).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["priority", "title"]);
    assert_eq!(server.tasks[&id(1)].estimate_minutes, Some(5));
}

#[test]
fn a_deletion_that_is_undone_does_not_take_a_conflict_with_it() {
    let (mut model, mut server) = both(task(1, "old"));
    model.patch(id(1), Patch::new().title("mine"), stamp());
    let undo = model.delete(id(1), Scope::Series, stamp());
    server.change(id(1), &json!({"title": "theirs"}));
    exchange(&mut model, &mut server, now());
    model.undo(undo, stamp());
    assert_eq!(model.conflicts().len(), 1);
}

#[test]
fn a_field_that_was_edited_again_is_not_in_conflict_any_more() {
    let (mut model, mut server) = both(task(1, "old"));
    let patch = Patch::new().title("mine").priority(Priority::High);
    model.patch(id(1), patch, stamp());
    server.change(id(1), &json!({"title": "theirs", "priority": "low"}));
    exchange(&mut model, &mut server, now());
    assert_eq!(model.conflicts()[0].fields.len(), 2);
    model.patch(id(1), Patch::new().title("mine again"), stamp());
    let conflicts = model.conflicts();
    let fields: Vec<&str> = conflicts[0]
        .fields
        .iter()
        .map(|field| field.field.as_str())
        .collect();
    assert_eq!(fields, ["priority"]);
}

#[test]
fn undoing_what_could_not_be_made_gives_it_up() {
    let (mut model, mut server) = both(task(1, "old"));
    server.delete(id(1));
    let undo = model.patch(id(1), Patch::new().title("mine"), stamp());
    exchange(&mut model, &mut server, now());
    assert_eq!(model.refusals()[0].kind, RefusalKind::Gone);
    model.undo(undo, stamp());
    assert_eq!((model.refusals().len(), model.pending()), (0, 0));

    let (mut model, mut server) = both(task(1, "old"));
    server.change(id(1), &json!({"title": "theirs"}));
    let undo = model.patch(id(1), Patch::new().title("mine"), stamp());
    exchange(&mut model, &mut server, now());
    assert_eq!(model.conflicts().len(), 1);
    model.undo(undo, stamp());
    exchange(&mut model, &mut server, now());
    assert_eq!(model.conflicts().len(), 0);
    assert_eq!(server.tasks[&id(1)].title, "theirs");
}

#[test]
fn a_task_that_is_gone_is_created_again_with_all_that_was_seen_of_it() {
    for undoes in [true, false] {
        let (mut model, mut server) = both(task(1, "old"));
        let undo = model.patch(id(1), Patch::new().priority(Priority::High), stamp());
        exchange(&mut model, &mut server, now());
        server.delete(id(1));
        if undoes {
            model.item(server.log.last().cloned().expect("the deletion"));
            model.undo(undo, stamp());
        } else {
            model.patch(id(1), Patch::new().estimate(Some(5)), stamp());
            exchange(&mut model, &mut server, now());
            model.patch(id(1), Patch::new().estimate(Some(6)), stamp());
        }
        exchange(&mut model, &mut server, now());
        let gone = model.refusals()[0].edit;
        model.create_again(gone, stamp());
        exchange(&mut model, &mut server, now());
        let again = server.tasks.values().next().expect("it is there again");
        let expected = if undoes {
            (Priority::Medium, None)
        } else {
            (Priority::High, Some(6))
        };
        assert_eq!(again.title, "old");
        assert_eq!((again.priority, again.estimate_minutes), expected);
    }
}
