//! The state of files after a power cut.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::recorder::Event;

/// Number of bytes that a disk writes atomically.
const SECTOR: usize = 512;

/// The fate of data that was not synced when the power failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsynced {
    /// All of it is lost.
    Lost,
    /// All of it was written.
    Kept,
    /// All of it was written, except for the last write, of which only a part was.
    Torn,
    /// Each sector of each write, each change of a length and each name was written or not, depending on the seed.
    Shuffled(u64),
}

/// The files of a folder between two events: the synced state, and the events since.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    files: BTreeMap<usize, File>,
    names: BTreeMap<String, usize>,
    renaming: Vec<Event>,
}

#[derive(Clone, Debug, Default)]
struct File {
    synced: Vec<u8>,
    pending: Vec<Event>,
}

/// The files of a folder as they are found after the power cut.
#[derive(Clone, Debug)]
pub struct Image(BTreeMap<String, Vec<u8>>);

impl Disk {
    /// The state after a number of events.
    #[must_use]
    pub fn at(record: &[Event], moment: usize) -> Self {
        let mut disk = Self::default();
        for event in record.iter().take(moment) {
            disk.advance(event);
        }
        disk
    }

    /// Advances by one event.
    pub fn advance(&mut self, event: &Event) {
        match event {
            Event::Create { file, .. } => {
                self.files.insert(*file, File::default());
                self.renaming.push(event.clone());
            }
            Event::Delete { .. } => self.renaming.push(event.clone()),
            Event::Write { file, .. } | Event::Resize { file, .. } => {
                if let Some(file) = self.files.get_mut(file) {
                    file.pending.push(event.clone());
                }
            }
            Event::Sync { file } => {
                if let Some(file) = self.files.get_mut(file) {
                    for event in std::mem::take(&mut file.pending) {
                        apply(&mut file.synced, &event);
                    }
                }
            }
            Event::SyncNames => {
                for event in std::mem::take(&mut self.renaming) {
                    rename(&mut self.names, &event);
                }
            }
        }
    }

    /// Cuts the power.
    #[must_use]
    pub fn cut(&self, unsynced: Unsynced) -> Image {
        let mut chance = fastrand::Rng::with_seed(match unsynced {
            Unsynced::Shuffled(seed) => seed,
            Unsynced::Lost | Unsynced::Kept | Unsynced::Torn => 0,
        });
        let mut names = self.names.clone();
        for event in &self.renaming {
            let kept = match unsynced {
                Unsynced::Lost => false,
                Unsynced::Kept | Unsynced::Torn => true,
                Unsynced::Shuffled(_) => chance.bool(),
            };
            if kept {
                rename(&mut names, event);
            }
        }
        let files = names.into_iter().filter_map(|(name, file)| {
            let file = self.files.get(&file)?;
            Some((name, file.cut(unsynced, &mut chance)))
        });
        Image(files.collect())
    }
}

impl File {
    fn cut(&self, unsynced: Unsynced, chance: &mut fastrand::Rng) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for (number, event) in self.pending.iter().enumerate() {
            match unsynced {
                Unsynced::Lost => {}
                Unsynced::Kept => apply(&mut bytes, event),
                Unsynced::Torn if number + 1 < self.pending.len() => apply(&mut bytes, event),
                Unsynced::Torn => {
                    if let Some(first) = sectors(event).next() {
                        apply(&mut bytes, &first);
                    }
                }
                Unsynced::Shuffled(_) => {
                    for piece in sectors(event).filter(|_| chance.bool()) {
                        apply(&mut bytes, &piece);
                    }
                }
            }
        }
        bytes
    }
}

/// The parts of an event that a disk performs atomically.
fn sectors(event: &Event) -> Box<dyn Iterator<Item = Event> + '_> {
    let Event::Write { file, offset, bytes } = event else {
        return Box::new(std::iter::once(event.clone()));
    };
    let end = offset + bytes.len();
    let mut from = *offset;
    Box::new(std::iter::from_fn(move || {
        let until = (from / SECTOR * SECTOR + SECTOR).min(end);
        let piece = bytes
            .get(from - offset..until - offset)
            .filter(|piece| !piece.is_empty())?;
        let event = Event::Write {
            file: *file,
            offset: from,
            bytes: piece.into(),
        };
        from = until;
        Some(event)
    }))
}

fn apply(contents: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Write { offset, bytes, .. } => {
            let end = offset + bytes.len();
            if contents.len() < end {
                contents.resize(end, 0);
            }
            if let Some(place) = contents.get_mut(*offset..end) {
                place.copy_from_slice(bytes);
            }
        }
        Event::Resize { length, .. } => contents.resize(*length, 0),
        Event::Create { .. } | Event::Delete { .. } | Event::Sync { .. } | Event::SyncNames => {}
    }
}

fn rename(names: &mut BTreeMap<String, usize>, event: &Event) {
    match event {
        Event::Create { name, file } => {
            names.insert(name.clone(), *file);
        }
        Event::Delete { name } => {
            names.remove(name);
        }
        Event::Write { .. } | Event::Resize { .. } | Event::Sync { .. } | Event::SyncNames => {}
    }
}

impl Image {
    /// Writes the files into an empty folder.
    ///
    /// # Errors
    ///
    /// An error of the operating system.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        for (name, bytes) in &self.0 {
            std::fs::write(folder.join(name), bytes)?;
        }
        Ok(())
    }

    /// The names of the files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(offset: usize, byte: u8, length: usize) -> Event {
        Event::Write {
            file: 0,
            offset,
            bytes: vec![byte; length].into(),
        }
    }

    /// A file of 512 ones that is on disk under its name, and then 1,024 twos that are not.
    fn record() -> Vec<Event> {
        vec![
            Event::Create {
                name: "f".to_owned(),
                file: 0,
            },
            write(0, 1, 512),
            Event::Sync { file: 0 },
            Event::SyncNames,
            write(256, 2, 1024),
        ]
    }

    fn contents(disk: &Disk, unsynced: Unsynced) -> Option<Vec<u8>> {
        disk.cut(unsynced).0.get("f").cloned()
    }

    #[test]
    fn what_was_synced_is_there_and_nothing_of_the_rest_if_it_is_lost() {
        let disk = Disk::at(&record(), 5);
        assert_eq!(contents(&disk, Unsynced::Lost), Some(vec![1; 512]));
    }

    #[test]
    fn all_of_it_is_there_if_it_is_kept_and_the_first_sector_of_the_last_write_if_that_is_torn() {
        let disk = Disk::at(&record(), 5);
        let kept = contents(&disk, Unsynced::Kept).expect("a file");
        assert_eq!(
            (kept.len(), kept.get(255), kept.get(256)),
            (1280, Some(&1), Some(&2))
        );
        let torn = contents(&disk, Unsynced::Torn).expect("a file");
        assert_eq!((torn.len(), torn.get(256)), (512, Some(&2)));
    }

    #[test]
    fn sectors_are_there_or_not_by_the_seed() {
        let disk = Disk::at(&record(), 5);
        let mut seen: Vec<_> = (0..64)
            .map(|seed| contents(&disk, Unsynced::Shuffled(seed)))
            .collect();
        assert_eq!(seen.first(), Some(&contents(&disk, Unsynced::Shuffled(0))));
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 8, "three sectors, each there or not");
    }

    #[test]
    fn a_file_whose_name_was_not_synced_is_gone_and_a_deleted_one_is_there() {
        let mut record = record();
        assert_eq!(contents(&Disk::at(&record, 3), Unsynced::Lost), None);
        record.push(Event::Delete { name: "f".to_owned() });
        assert!(contents(&Disk::at(&record, 6), Unsynced::Lost).is_some());
        record.push(Event::SyncNames);
        assert_eq!(contents(&Disk::at(&record, 7), Unsynced::Lost), None);
    }
}
