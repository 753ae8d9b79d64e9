//! An edit meets a version of its task that the person had not seen.

use crate::fields::{self, EDITED, Values};
use crate::outbox::edit::{Edit, EditId, What};
use crate::patch::Patch;

/// What is left of an edit on a newer version.
#[derive(Debug, PartialEq)]
pub(crate) enum Rebased {
    /// It can be sent on that version.
    Send,
    /// That version already has all of it.
    Done,
    /// Someone else changed the same fields; here are theirs.
    Conflict(Values),
}

/// Compares an edit with the fields of the task as it is now. What the other side did not touch can be sent; what both sides made equal
/// is left out; tags are merged.
pub(crate) fn rebase(edit: &mut Edit, theirs: &Values) -> Rebased {
    let theirs_of = |field: &str| theirs.get(field).cloned().unwrap_or_default();
    let changed = |edit: &Edit, field: &str| !fields::same(field, &edit.base_value(field), &theirs_of(field));
    if matches!(edit.what, What::Delete(_)) {
        let conflicts = EDITED.iter().filter(|field| changed(edit, field));
        let conflicts: Values = conflicts
            .map(|field| ((*field).to_owned(), theirs_of(field)))
            .collect();
        return if conflicts.is_empty() {
            Rebased::Send
        } else {
            Rebased::Conflict(conflicts)
        };
    }
    let Some(patch) = edit.patch().cloned() else {
        return Rebased::Send;
    };
    let mut conflicts = Values::new();
    let mut rest = patch.clone();
    for field in patch.sent.keys() {
        let now = theirs_of(field);
        if patch
            .shown
            .get(field)
            .is_some_and(|mine| fields::same(field, mine, &now))
        {
            rest.remove(field);
        } else if changed(edit, field) {
            if field == "tagIds" {
                let merged = fields::merge_tags(&edit.base_value(field), &patch.value(field), &now);
                rest = rest.set(field, merged);
                edit.base.insert(field.clone(), now);
            } else {
                conflicts.insert(field.clone(), now);
            }
        }
    }
    let done = rest.is_empty();
    edit.what = What::Patch(rest);
    match (done, conflicts.is_empty()) {
        (true, _) => Rebased::Done,
        (false, true) => Rebased::Send,
        (false, false) => Rebased::Conflict(conflicts),
    }
}

/// Takes the fields in conflict out of an edit into one of its own, so that the others need not wait for a decision. None if nothing
/// else is in it. The new edit gets this id.
pub(crate) fn split(edit: &mut Edit, conflicts: &Values, id: EditId) -> Option<Edit> {
    let patch = edit.patch_mut()?;
    if patch.sent.keys().all(|field| conflicts.contains_key(field)) {
        return None;
    }
    let mut apart = Patch::new();
    for field in conflicts.keys() {
        if let Some(value) = patch.sent.get(field) {
            apart.sent.insert(field.clone(), value.clone());
        }
        if let Some(value) = patch.shown.get(field) {
            apart.shown.insert(field.clone(), value.clone());
        }
        patch.remove(field);
    }
    Some(Edit {
        id,
        what: What::Patch(apart),
        ..edit.clone()
    })
}
