//! Edits: applied at once, sent in order, compared with what others did, never dropped silently.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use nudge_domain::task::{Priority, Status};
use nudge_page_model::{
    Answer, Call, Choice, EditId, Model, Patch, Problem, RefusalKind, ReminderEdit, Request, Scope, Stamp,
    Write,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::{Server, now, problem, task};

pub(crate) fn stamp() -> Stamp {
    Stamp {
        now: now(),
        random: [7; 10],
    }
}

pub(crate) fn id(n: u128) -> TaskId {
    Uuid::from_u128(n).into()
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// A page and a server with the same task.
pub(crate) fn both(task: Task) -> (Model, Server) {
    let (mut model, mut server) = (Model::default(), Server::default());
    model.read([task.clone()]);
    server.insert(task);
    (model, server)
}

fn sent(model: &mut Model) -> Request {
    model.next(now()).expect("a request")
}

/// Everything that can be sent is answered.
pub(crate) fn exchange(model: &mut Model, server: &mut Server, at: Timestamp) {
    while let Some(request) = model.next(at) {
        let answer = server.call(&request);
        model.answer(request.edit, answer, at);
    }
}

fn title(model: &Model, task: TaskId) -> String {
    model
        .snapshot()
        .get(task)
        .map(|task| task.title.clone())
        .unwrap_or_default()
}

fn from_elsewhere(model: &mut Model, server: &mut Server, task: TaskId, values: &Value) {
    server.change(task, values);
    model.item(server.log.last().expect("a change").clone());
}

#[test]
fn an_edit_shows_at_once_and_is_sent_on_the_version_that_was_seen() {
    let (mut model, mut server) = both(task(1, "old"));
    model.patch(id(1), Patch::new().title("new"), stamp());
    assert_eq!(title(&model, id(1)), "new");
    assert!(model.snapshot().waiting(id(1)));
    let request = sent(&mut model);
    assert_eq!(
        request.call,
        Call::Patch {
            id: id(1),
            version: 1,
            body: json!({"title": "new"}).as_object().expect("an object").clone()
        }
    );
    assert_eq!(model.next(now()), None, "one request for a task at a time");
    let answer = server.call(&request);
    model.answer(request.edit, answer, now());
    assert_eq!((title(&model, id(1)), model.pending()), ("new".to_owned(), 0));
    assert!(!model.snapshot().waiting(id(1)));
}

#[test]
fn edits_of_a_task_go_in_order_and_those_of_others_need_not_wait() {
    let (mut model, mut server) = both(task(1, "a"));
    model.read([task(2, "b")]);
    server.insert(task(2, "b"));
    model.patch(id(1), Patch::new().title("a2"), stamp());
    model.complete(id(1), stamp());
    model.patch(id(2), Patch::new().title("b2"), stamp());
    let (first, second) = (sent(&mut model), sent(&mut model));
    assert!(
        matches!((&first.call, &second.call), (Call::Patch { id: one, .. }, Call::Patch { id: other, .. }) if *one == id(1) && *other == id(2))
    );
    let answer = server.call(&first);
    model.answer(first.edit, answer, now());
    assert_eq!(sent(&mut model).call, Call::Complete { id: id(1) });
}

#[test]
fn what_someone_else_changed_in_other_fields_stays() {
    let (mut model, mut server) = both(task(1, "old"));
    model.patch(id(1), Patch::new().title("mine"), stamp());
    from_elsewhere(&mut model, &mut server, id(1), &json!({"priority": "urgent"}));
    exchange(&mut model, &mut server, now());
    let result = &server.tasks[&id(1)];
    assert_eq!(
        (result.title.as_str(), result.priority),
        ("mine", Priority::Urgent)
    );
    assert!(model.conflicts().is_empty());
}

#[test]
fn a_change_that_the_page_has_not_heard_of_is_read_after_a_412() {
    let (mut model, mut server) = both(task(1, "old"));
    server.change(id(1), &json!({"priority": "urgent"}));
    model.patch(id(1), Patch::new().title("mine"), stamp());
    exchange(&mut model, &mut server, now());
    let result = &server.tasks[&id(1)];
    assert_eq!(
        (result.title.as_str(), result.priority),
        ("mine", Priority::Urgent)
    );
}

#[test]
fn the_same_field_is_a_conflict_and_the_others_need_not_wait_for_its_decision() {
    let (mut model, mut server) = both(task(1, "old"));
    server.change(id(1), &json!({"title": "theirs"}));
    model.patch(
        id(1),
        Patch::new().title("mine").priority(Priority::High),
        stamp(),
    );
    exchange(&mut model, &mut server, now());
    assert_eq!(server.tasks[&id(1)].priority, Priority::High);
    assert_eq!(title(&model, id(1)), "theirs");
    let conflicts = model.conflicts();
    let [conflict] = conflicts.as_slice() else {
        panic!("one conflict: {conflicts:?}")
    };
    let [field] = conflict.fields.as_slice() else {
        panic!("one field: {conflict:?}")
    };
    assert_eq!(
        (field.field.as_str(), &field.base, &field.mine, &field.theirs),
        ("title", &json!("old"), &json!("mine"), &json!("theirs"))
    );

    let edit = conflict.edit;
    let mut theirs = model.clone();
    theirs.resolve(edit, &[("title".to_owned(), Choice::Theirs)]);
    assert!(theirs.conflicts().is_empty() && theirs.next(now()).is_none());

    model.resolve(edit, &[("title".to_owned(), Choice::Mine)]);
    assert_eq!(title(&model, id(1)), "mine");
    exchange(&mut model, &mut server, now());
    assert_eq!(server.tasks[&id(1)].title, "mine");
}

#[test]
fn both_sides_may_make_the_same_change() {
    let (mut model, mut server) = both(task(1, "old"));
    server.change(id(1), &json!({"title": "same", "due": "2026-12-02T08:00:00Z"}));
    let due = "2026-12-02T09:00:00+01:00".parse().expect("an instant");
    model.patch(id(1), Patch::new().title(" same ").due(Some(due)), stamp());
    exchange(&mut model, &mut server, now());
    assert!(model.conflicts().is_empty());
    assert_eq!((model.pending(), server.tasks[&id(1)].version), (0, 2));
}

#[test]
fn a_request_without_an_answer_is_made_again_and_has_one_effect() {
    let (mut model, mut server) = both(task(1, "old"));
    model.patch(id(1), Patch::new().title("new"), stamp());
    let request = sent(&mut model);
    let lost = server.call(&request);
    assert!(matches!(lost, Answer::Done(_)));
    model.answer(request.edit, Answer::Offline, now());
    assert_eq!(model.next(now()), None, "there is a pause");
    let again = model.wakes_at(now()).expect("it is tried again");
    exchange(&mut model, &mut server, again);
    assert!(model.conflicts().is_empty(), "{:?}", model.conflicts());
    assert_eq!((model.pending(), server.tasks[&id(1)].version), (0, 2));
}

#[test]
fn tags_of_both_sides_are_kept() {
    let tags = |numbers: &[u128]| {
        numbers
            .iter()
            .map(|n| Uuid::from_u128(*n).into())
            .collect::<Vec<_>>()
    };
    let (mut model, mut server) = both(Task {
        tag_ids: tags(&[51, 52]),
        ..task(1, "a")
    });
    server.change(id(1), &json!({"tagIds": tags(&[51, 52, 53])}));
    model.patch(id(1), Patch::new().tags(&tags(&[52, 54])), stamp());
    exchange(&mut model, &mut server, now());
    assert_eq!(server.tasks[&id(1)].tag_ids, tags(&[52, 53, 54]));
}

#[test]
fn a_reminder_that_was_sent_meanwhile_is_no_conflict() {
    let reminder = json!([{"id": Uuid::from_u128(60), "minutesBefore": 10, "remindAt": "2026-12-01T08:50:00Z", "status": "scheduled"}]);
    let mut with_one: Task = task(1, "a");
    with_one.due = Some("2026-12-01T09:00:00Z".parse().expect("an instant"));
    with_one.reminders = serde_json::from_value(reminder).expect("reminders");
    let (mut model, mut server) = both(with_one.clone());
    server.change(id(1), &json!({"reminders": [{"id": Uuid::from_u128(60), "minutesBefore": 10, "remindAt": "2026-12-01T08:50:00Z", "status": "sent"}]}));
    let kept = ReminderEdit::from(&with_one.reminders[0]);
    let new = ReminderEdit {
        minutes_before: Some(30),
        ..ReminderEdit::default()
    };
    model.patch(id(1), Patch::new().reminders(&[kept, new]), stamp());
    let shown = model.snapshot().get(id(1)).expect("the task").reminders.clone();
    assert_eq!(shown[1].remind_at.to_string(), "2026-12-01T08:30:00Z");
    while let Some(request) = model.next(now()) {
        if let Call::Patch { body, version, .. } = &request.call
            && *version == 2
        {
            assert_eq!(body["reminders"][1], json!({"minutesBefore": 30}));
            return;
        }
        let answer = server.call(&request);
        model.answer(request.edit, answer, now());
    }
    panic!("not sent: {:?}", model.conflicts());
}

#[test]
fn a_refusal_keeps_what_was_entered_beside_its_field() {
    let (mut model, mut server) = both(task(1, "old"));
    model.patch(id(1), Patch::new().title("bad").priority(Priority::Low), stamp());
    exchange(&mut model, &mut server, now());
    let refusals = model.refusals();
    let [refusal] = refusals.as_slice() else {
        panic!("one refusal: {refusals:?}")
    };
    assert_eq!(refusal.beside("title"), Some("this is not allowed here"));
    assert_eq!(refusal.input["title"], "bad");
    assert_eq!(title(&model, id(1)), "old");
    model.correct(refusal.edit, Patch::new().title("good"), stamp());
    exchange(&mut model, &mut server, now());
    let result = &server.tasks[&id(1)];
    assert_eq!((result.title.as_str(), result.priority), ("good", Priority::Low));
    assert!(model.refusals().is_empty());
}

#[test]
fn a_task_that_was_created_offline_is_edited_before_and_after_it_has_its_id() {
    let (mut model, mut server) = (Model::default(), Server::default());
    let body = json!({"title": "new", "due": "tomorrow 9am"})
        .as_object()
        .expect("an object")
        .clone();
    let temporary = model.create(body, stamp());
    assert!(model.snapshot().is_temporary(temporary));
    model.patch(temporary, Patch::new().title("newer"), stamp());
    let create = sent(&mut model);
    assert_eq!(model.next(now()), None, "what follows needs its id");
    let mut real = task(9, "new");
    real.due = Some("2026-12-02T09:00:00+01:00".parse().expect("an instant"));
    server.insert(real.clone());
    model.answer(create.edit, Answer::Done(Some(Box::new(real))), now());
    assert_eq!(title(&model, temporary), "newer");
    assert_eq!(model.real_id(temporary), id(9));
    // The due date is new to the page, but it is no conflict with this.
    model.patch(temporary, Patch::new().due(None), stamp());
    exchange(&mut model, &mut server, now());
    assert_eq!(server.tasks[&id(9)].title, "newer");
    assert_eq!(server.tasks[&id(9)].due, None);
    assert!(!model.snapshot().is_temporary(temporary));
    assert_eq!(model.snapshot().all().count(), 1);
}

#[test]
fn a_refused_creation_keeps_its_body_and_the_edits_that_follow_it() {
    let (mut model, mut server) = (Model::default(), Server::default());
    let temporary = model.create(
        json!({"title": "bad", "priority": "high"})
            .as_object()
            .expect("an object")
            .clone(),
        stamp(),
    );
    model.complete(temporary, stamp());
    exchange(&mut model, &mut server, now());
    let refusal = model.refusals().remove(0);
    assert_eq!(
        (refusal.task, &refusal.input["priority"]),
        (temporary, &json!("high"))
    );
    assert!(server.tasks.is_empty());
    let first = refusal.edit;
    model.correct(first, Patch::new().title("good"), stamp());
    let request = sent(&mut model);
    assert_ne!(request.edit, first, "another body needs another Idempotency-Key");
    let answer = server.call(&request);
    model.answer(request.edit, answer, now());
    exchange(&mut model, &mut server, now());
    let created = server.tasks.values().next().expect("it was created");
    assert_eq!(
        (created.title.as_str(), created.status),
        ("good", Status::Completed)
    );
    assert_eq!(
        title(&model, temporary),
        "good",
        "the first temporary id stays valid"
    );
}

#[test]
fn a_task_that_was_deleted_elsewhere_can_be_created_again_with_the_edit() {
    let (mut model, mut server) = both(Task {
        description: Some("text".to_owned()),
        ..task(1, "old")
    });
    model.patch(id(1), Patch::new().title("mine"), stamp());
    server.delete(id(1));
    exchange(&mut model, &mut server, now());
    let refusal = model.refusals().remove(0);
    assert_eq!((refusal.kind, refusal.title.as_str()), (RefusalKind::Gone, "old"));
    let new = model.create_again(refusal.edit, stamp()).expect("a temporary id");
    exchange(&mut model, &mut server, now());
    let created = &server.tasks[&model.real_id(new)];
    assert_eq!(
        (created.title.as_str(), created.description.as_deref()),
        ("mine", Some("text"))
    );
}

#[test]
fn a_deletion_asks_if_the_task_was_changed_and_is_done_if_it_is_gone() {
    let (mut model, mut server) = both(task(1, "old"));
    server.change(id(1), &json!({"title": "theirs"}));
    model.delete(id(1), Scope::Series, stamp());
    assert_eq!(model.next(now()), None, "it is held, so that it can be undone");
    exchange(&mut model, &mut server, later(9));
    let conflict = model.conflicts().remove(0);
    assert!(conflict.deletion && conflict.fields[0].theirs == "theirs");
    assert_eq!(
        title(&model, id(1)),
        "theirs",
        "it is shown until that is decided"
    );
    model.resolve(conflict.edit, &[("title".to_owned(), Choice::Mine)]);
    exchange(&mut model, &mut server, later(9));
    assert!(server.tasks.is_empty() && model.pending() == 0);

    let (mut model, mut server) = both(task(1, "old"));
    model.delete(id(1), Scope::Series, stamp());
    server.delete(id(1));
    exchange(&mut model, &mut server, later(9));
    assert!(model.refusals().is_empty() && model.conflicts().is_empty() && model.pending() == 0);
}

#[test]
fn what_is_held_is_undone_without_a_trace_and_sent_when_the_page_closes() {
    let (mut model, mut server) = both(task(1, "a"));
    let undo = model.delete(id(1), Scope::Series, stamp());
    assert_eq!(model.snapshot().all().count(), 0);
    let mut closing = model.clone();
    model.undo(undo, stamp());
    exchange(&mut model, &mut server, later(60));
    assert_eq!((title(&model, id(1)).as_str(), server.log.len()), ("a", 1));
    closing.release();
    exchange(&mut closing, &mut server, now());
    assert!(server.tasks.is_empty());
}

#[test]
fn a_completed_task_is_reopened_and_a_deleted_one_created_again() {
    let (mut model, mut server) = both(task(1, "a"));
    let undo = model.complete(id(1), stamp());
    exchange(&mut model, &mut server, now());
    assert_eq!(server.tasks[&id(1)].status, Status::Completed);
    model.undo(undo, stamp());
    exchange(&mut model, &mut server, now());
    assert_eq!(server.tasks[&id(1)].status, Status::Pending);
    let undo = model.delete(id(1), Scope::Series, stamp());
    exchange(&mut model, &mut server, later(9));
    let new = model.undo(undo, stamp()).expect("another task");
    exchange(&mut model, &mut server, later(9));
    assert_eq!(server.tasks[&model.real_id(new)].title, "a");
}

#[test]
fn moving_keeps_the_local_time_and_the_end_of_the_day() {
    for (due, days, text, shown) in [
        (
            "2026-12-31T09:30:00+01:00",
            1,
            "2027-01-01T09:30:00",
            "2027-01-01T09:30:00+01:00",
        ),
        (
            "2026-12-01T23:59:59+01:00",
            -7,
            "2026-11-24",
            "2026-11-24T23:59:59+01:00",
        ),
        (
            "2026-12-01T09:00:00Z",
            7,
            "2026-12-08T09:00:00",
            "2026-12-08T09:00:00Z",
        ),
    ] {
        let (mut model, _) = both(Task {
            due: Some(due.parse().expect("an instant")),
            ..task(1, "a")
        });
        model.move_days(id(1), days, stamp()).expect("it is due");
        let Call::Patch { body, .. } = sent(&mut model).call else {
            panic!("a patch")
        };
        assert_eq!(body["due"], text);
        assert_eq!(
            model
                .snapshot()
                .get(id(1))
                .and_then(|task| task.due)
                .map(|due| due.to_string())
                .as_deref(),
            Some(shown)
        );
    }
}

#[test]
fn a_later_edit_of_a_refused_or_conflicting_field_takes_its_place() {
    let (mut model, mut server) = both(task(1, "old"));
    model.patch(id(1), Patch::new().title("bad"), stamp());
    model.patch(id(1), Patch::new().title("good"), stamp());
    exchange(&mut model, &mut server, now());
    assert_eq!(server.tasks[&id(1)].title, "good");
    assert!(model.refusals().is_empty() && model.conflicts().is_empty());

    server.change(id(1), &json!({"title": "theirs"}));
    model.patch(id(1), Patch::new().title("mine"), stamp());
    exchange(&mut model, &mut server, now());
    assert_eq!(model.conflicts().len(), 1);
    model.patch(id(1), Patch::new().title("decided"), stamp());
    exchange(&mut model, &mut server, now());
    assert_eq!(server.tasks[&id(1)].title, "decided");
    assert!(model.conflicts().is_empty());
}

#[test]
fn a_conflict_ends_when_the_other_side_takes_its_change_back() {
    let (mut model, mut server) = both(task(1, "old"));
    from_elsewhere(&mut model, &mut server, id(1), &json!({"title": "theirs"}));
    // Made from what another page of the user had shown.
    let mut stale = both(task(1, "old")).0;
    stale.patch(id(1), Patch::new().title("mine"), stamp());
    for write in stale.take_writes() {
        let Write::Put(edit, json) = write else { continue };
        assert!(model.stored(edit, Some(&json)));
    }
    exchange(&mut model, &mut server, now());
    assert_eq!(model.conflicts().len(), 1);
    from_elsewhere(&mut model, &mut server, id(1), &json!({"title": "old"}));
    assert!(model.conflicts().is_empty());
    exchange(&mut model, &mut server, now());
    assert_eq!(server.tasks[&id(1)].title, "mine");
}

#[test]
fn without_a_token_everything_waits() {
    let (mut model, mut server) = both(task(1, "old"));
    model.patch(id(1), Patch::new().title("new"), stamp());
    let request = sent(&mut model);
    model.answer(request.edit, Answer::SignedOut, now());
    model.online();
    assert_eq!((model.next(later(3600)), model.wakes_at(now())), (None, None));
    assert_eq!((title(&model, id(1)).as_str(), model.pending()), ("new", 1));
    model.signed_in();
    exchange(&mut model, &mut server, now());
    assert_eq!(server.tasks[&id(1)].title, "new");
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_says() {
    let (mut model, _) = both(task(1, "old"));
    model.patch(id(1), Patch::new().title("new"), stamp());
    let request = sent(&mut model);
    let busy = Problem {
        status: 429,
        code: "rate_limited".to_owned(),
        retry_after: Some(17),
        ..Problem::default()
    };
    model.answer(request.edit, Answer::from_problem(busy), now());
    assert_eq!(model.wakes_at(now()), Some(later(17)));
    assert_eq!(model.next(later(16)), None);
    assert_eq!(
        model.next(later(17)).map(|again| again.edit),
        Some(request.edit),
        "with the same key"
    );
}

#[test]
fn a_server_that_always_fails_is_not_asked_for_ever() {
    let (mut model, _) = both(task(1, "old"));
    model.patch(id(1), Patch::new().title("new"), stamp());
    let mut at = now();
    for _ in 0..8 {
        let request = model.next(at).expect("it is tried again");
        model.answer(
            request.edit,
            Answer::from_problem(problem(500, "internal_error", "")),
            at,
        );
        at = model.wakes_at(at).unwrap_or(at);
    }
    let refusal = model.refusals().remove(0);
    assert_eq!(
        (refusal.kind, &refusal.input["title"]),
        (RefusalKind::Failed, &json!("new"))
    );
    model.retry(refusal.edit);
    assert!(model.next(at).is_some());
}

#[test]
fn edits_outlive_the_page_in_their_order() {
    let mut model = Model::default();
    let temporary = model.create(
        json!({"title": "a"}).as_object().expect("an object").clone(),
        stamp(),
    );
    model.patch(temporary, Patch::new().title("b"), stamp());
    model.patch(temporary, Patch::new().title("c"), stamp());
    let request = sent(&mut model);
    let mut stored = BTreeMap::new();
    for write in model.take_writes() {
        if let Write::Put(edit, json) = write {
            stored.insert(edit, json);
        }
    }
    let mut reloaded = Model::default();
    for (edit, json) in stored.iter().rev() {
        assert!(reloaded.stored(*edit, Some(json)));
    }
    assert_eq!(title(&reloaded, temporary), "c");
    reloaded.become_sender();
    assert_eq!(sent(&mut reloaded).edit, request.edit, "with the same key");
}

#[test]
fn an_entry_that_cannot_be_read_is_left_alone() {
    let mut model = Model::default();
    let edit: EditId = Uuid::from_u128(1).to_string().parse().expect("an id");
    for json in ["", "{}", "null", "{\"id\":\"x\"}"] {
        assert!(!model.stored(edit, Some(json)), "{json}");
    }
    assert!(model.take_writes().is_empty());
}
