//! What is typed and not saved yet, on the device: it survives a reload and a session that ends.

use leptos::prelude::*;

use super::editor::Editor;

/// The key of a field. None while it is not known whose task it is.
fn key(editor: Editor, field: &str) -> Option<String> {
    let user = editor
        .store
        .me()
        .with_untracked(|me| me.as_ref().map(|me| me.id.clone()))?;
    let task = editor.store.real_id(editor.id);
    Some(["nudge.draft", &user, &task.to_string(), field].join("/"))
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

pub(super) fn read(editor: Editor, field: &str) -> Option<String> {
    storage()?.get_item(&key(editor, field)?).ok().flatten()
}

pub(super) fn write(editor: Editor, field: &str, text: &str) {
    if let (Some(storage), Some(key)) = (storage(), key(editor, field)) {
        // A full device keeps the text on the screen only.
        let _ = storage.set_item(&key, text);
    }
}

pub(super) fn forget(editor: Editor, field: &str) {
    if let (Some(storage), Some(key)) = (storage(), key(editor, field)) {
        let _ = storage.remove_item(&key);
    }
}
