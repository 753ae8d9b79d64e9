//! Edits on the device, so that they outlive the page. Each has an entry of its own: pages side by side do not overwrite each other's.
//! Without a storage, as in some private windows, or if it is full, edits live as long as the page.

use leptos::prelude::window;
use nudge_domain::id::TaskId;
use nudge_page_model::{EditId, Write};
use web_sys::Storage;

/// An entry of another page of the same user.
pub(super) enum Entry {
    Edit(EditId),
    Alias(TaskId),
}

/// A temporary id is remembered for a week.
const REMEMBERED_MS: u128 = 7 * 24 * 60 * 60 * 1000;

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

fn prefix(user: &str) -> String {
    format!("nudge/{}/", String::from(js_sys::encode_uri_component(user)))
}

/// Stores what has changed. Returns what other pages do not get from the storage: what it did not take, and removals of what it did not
/// have.
pub(super) fn store(user: &str, mut writes: Vec<Write>) -> Vec<Write> {
    if !writes.is_empty()
        && let Some(storage) = storage()
    {
        let prefix = prefix(user);
        writes.retain(|write| !take(&storage, &prefix, write));
    }
    writes
}

fn take(storage: &Storage, prefix: &str, write: &Write) -> bool {
    match write {
        Write::Put(id, json) => storage.set_item(&format!("{prefix}edit/{id}"), json).is_ok(),
        Write::Remove(id) => {
            let key = format!("{prefix}edit/{id}");
            let is_there = storage.get_item(&key).is_ok_and(|value| value.is_some());
            is_there && storage.remove_item(&key).is_ok()
        }
        Write::Alias(temporary, real) => storage
            .set_item(&format!("{prefix}alias/{temporary}"), &real.to_string())
            .is_ok(),
    }
}

/// Which entry a key of the storage names, if it is one of this user.
pub(super) fn entry(user: &str, key: &str) -> Option<Entry> {
    let rest = key.strip_prefix(&prefix(user))?;
    if let Some(id) = rest.strip_prefix("edit/") {
        return id.parse().ok().map(Entry::Edit);
    }
    rest.strip_prefix("alias/")?.parse().ok().map(Entry::Alias)
}

/// The value of an entry as it is now, whatever it was when an event was made: so pages end with what is stored.
pub(super) fn value(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// All entries of a user.
pub(super) fn entries(user: &str) -> Vec<(Entry, String)> {
    let Some(storage) = storage() else {
        return Vec::new();
    };
    let keys: Vec<String> = (0..storage.length().unwrap_or_default())
        .filter_map(|index| storage.key(index).ok().flatten())
        .collect();
    let now = js_sys::Date::now() as u128;
    let mut entries = Vec::new();
    for key in keys {
        let Some(entry) = entry(user, &key) else {
            continue;
        };
        let old = |id: &TaskId| (id.as_uuid().as_u128() >> 80) + REMEMBERED_MS < now;
        if matches!(&entry, Entry::Alias(temporary) if old(temporary)) {
            let _ = storage.remove_item(&key);
        } else if let Ok(Some(value)) = storage.get_item(&key) {
            entries.push((entry, value));
        }
    }
    entries
}
