//! Conflicts that come one after the other, or with a deletion.

use nudge_domain::task::Priority;
use nudge_page_model::{Patch, Scope};
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
