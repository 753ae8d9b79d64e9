//! Profiles that this instance has read, so that a user's next task needs no statement to read theirs.
//!
//! An instance is short-lived (Spin: 128 requests, or a second without one), and nothing is done on the word of such a profile alone:
//! see [`recall`](super::recall).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use nudge_domain::id::UserId;

use super::Profile;

/// Maximum number of profiles: the requests of an instance.
const LARGEST: usize = 128;

static PROFILES: Mutex<BTreeMap<UserId, Profile>> = Mutex::new(BTreeMap::new());

/// Keeps a profile as it is in the database.
pub(super) fn keep(profile: &Profile) {
    let mut profiles = PROFILES.lock().unwrap_or_else(PoisonError::into_inner);
    if profiles.len() >= LARGEST && !profiles.contains_key(&profile.id) {
        profiles.clear();
    }
    profiles.insert(profile.id.clone(), profile.clone());
}

/// The profile of a user, as it was when it was kept.
pub(super) fn find(user_id: &UserId) -> Option<Profile> {
    let profiles = PROFILES.lock().unwrap_or_else(PoisonError::into_inner);
    profiles.get(user_id).cloned()
}

/// Forgets a user whose account is closing.
pub(super) fn forget(user_id: &UserId) {
    let mut profiles = PROFILES.lock().unwrap_or_else(PoisonError::into_inner);
    profiles.remove(user_id);
}

#[cfg(test)]
mod tests {
    use super::*;
    use nudge_domain::Zone;

    #[test]
    fn the_number_of_profiles_is_limited() {
        for number in 0..=LARGEST {
            let id = format!("user-{number}").parse().unwrap();
            keep(&Profile::of_zone(id, Zone::utc()));
        }
        assert!(find(&"user-0".parse().unwrap()).is_none());
        let last = format!("user-{LARGEST}").parse().unwrap();
        assert!(find(&last).is_some());
        forget(&last);
        assert!(find(&last).is_none());
    }
}
