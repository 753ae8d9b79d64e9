//! Cutting the power again and again.

use std::path::Path;

use crate::disk::{Disk, Unsynced};
use crate::recorder::Event;

/// Cuts the power after `from` or more of the recorded events: at each moment if there are at most `moments`, else at so many chosen
/// by `seed`; four times each, with another fate of what was not synced. `check` gets the moment, the fate, and a folder with the files
/// as they are found.
///
/// # Panics
///
/// If a folder cannot be made or written.
pub fn each_cut(
    record: &[Event],
    from: usize,
    moments: usize,
    seed: u64,
    mut check: impl FnMut(usize, Unsynced, &Path),
) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut chosen = chance.choose_multiple(from..=record.len(), moments);
    chosen.sort_unstable();
    let (mut disk, mut now) = (Disk::default(), 0);
    for moment in chosen {
        for event in record.iter().take(moment).skip(now) {
            disk.advance(event);
        }
        now = moment;
        for unsynced in [
            Unsynced::Lost,
            Unsynced::Kept,
            Unsynced::Torn,
            Unsynced::Shuffled(chance.u64(..)),
        ] {
            #[expect(clippy::expect_used, reason = "for tests alone")]
            let folder = tempfile::tempdir().expect("a folder");
            #[expect(clippy::expect_used, reason = "for tests alone")]
            disk.cut(unsynced)
                .write_to(folder.path())
                .expect("it can be written");
            check(moment, unsynced, folder.path());
        }
    }
}
