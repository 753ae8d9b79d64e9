//! The server's tasks: lists, reads and the feed in any order.

use nudge_contract::event::Change;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use nudge_page_model::Model;
use nudge_page_model::feed::Item;
use uuid::Uuid;

use crate::server::task;

fn id(n: u128) -> TaskId {
    Uuid::from_u128(n).into()
}

#[test]
fn older_versions_and_deleted_tasks_do_not_come_back() {
    let mut model = Model::default();
    model.read([Task {
        version: 3,
        ..task(1, "new")
    }]);
    let item = |kind, version, title: &str| Item {
        id: "x".to_owned(),
        kind,
        task_id: id(1),
        version,
        task: Task {
            version,
            ..task(1, title)
        },
    };
    assert!(!model.item(item(Change::Updated, 2, "old")));
    assert_eq!(
        model.snapshot().get(id(1)).map(|task| task.title.as_str()),
        Some("new")
    );
    assert!(model.item(item(Change::Deleted, 4, "new")));
    model.read([Task {
        version: 3,
        ..task(1, "a page that was read before")
    }]);
    assert_eq!(model.snapshot().all().count(), 0);
}

#[test]
fn reading_again_forgets_what_is_not_pending_any_more() {
    let mut model = Model::default();
    model.begin_reading();
    model.read([task(1, "a"), task(2, "b")]);
    model.finish_reading();
    model.begin_reading();
    model.read([task(2, "b")]);
    model.item(Item {
        id: "x".to_owned(),
        kind: Change::Created,
        task_id: id(3),
        version: 1,
        task: task(3, "c"),
    });
    model.finish_reading();
    let mut left: Vec<&str> = model.snapshot().all().map(|task| task.title.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, ["b", "c"]);
}
