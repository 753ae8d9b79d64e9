//! Values that are compared with files, which `UPDATE_EXPECT=1` rewrites.

use std::collections::HashMap;

use serde_json::Value;

/// Pretty JSON with the random parts, the ids, numbered in order of appearance: `id-1`, `id-2`.
pub(crate) fn stable(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("a JSON value");
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut stable = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(next) = rest.chars().next() {
        match rest.get(..36).filter(|start| uuid_at_all(start)) {
            Some(id) => {
                let count = known.len() + 1;
                let number = *known.entry(id.to_owned()).or_insert(count);
                stable.push_str(&format!("id-{number}"));
                rest = &rest[36..];
            }
            None => {
                stable.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    stable.push('\n');
    stable
}

fn uuid_at_all(text: &str) -> bool {
    text.char_indices().all(|(index, c)| {
        if [8, 13, 18, 23].contains(&index) {
            c == '-'
        } else {
            c.is_ascii_hexdigit()
        }
    })
}

/// An event whose task is the one given, without repeating that: the fields of a task are those of the API, which
/// `docs/openapi.json` has.
pub(crate) fn without_task(mut event: Value, task: &Value) -> Value {
    let carried = event
        .pointer_mut("/data/task")
        .map(Value::take)
        .expect("an event with a task");
    let (Value::Object(mut carried), Value::Object(task)) = (carried, task.clone()) else {
        panic!("tasks are objects");
    };
    let added: Vec<String> = ["userId", "seriesStart"]
        .into_iter()
        .filter(|name| !task.contains_key(*name) && carried.remove(*name).is_some())
        .map(str::to_owned)
        .collect();
    assert_eq!(
        Value::from(carried),
        Value::from(task),
        "the event carries the task"
    );
    event["data"]["task"] = match added.as_slice() {
        [] => "the task".into(),
        added => format!("the task, with {}", added.join(" and ")).into(),
    };
    event
}
