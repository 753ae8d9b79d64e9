//! Tags, categories and priorities: `#home`, `@work`, `!high`.

use super::line::{Line, Use};
use super::{Choice, Labels, PartKind, Question, QuickAddError};
use crate::characters::name_key;
use crate::due::phrase::is_time_alone;
use crate::id::{CategoryId, TagId};
use crate::task::{CategoryName, Priority, TagName};

/// Maximum number of words of a name that is not in quotation marks.
const MAX_NAME_WORDS: usize = 6;

/// What the marks of a line say.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) priority: Option<Priority>,
    pub(super) category: Option<CategoryId>,
    pub(super) new_category: Option<String>,
    pub(super) tags: Vec<TagId>,
    pub(super) new_tags: Vec<String>,
    pub(super) questions: Vec<Question>,
}

/// A mark: what it says, and its words.
struct Mark<T> {
    says: T,
    first: usize,
    last: usize,
}

/// A name behind a mark.
enum Named<T> {
    Known(T),
    New(String),
}

/// Takes the marks of a line.
///
/// # Errors
///
/// Names that no tag or category can have.
pub(super) fn take(line: &mut Line<'_>, labels: &Labels) -> Result<Marks, QuickAddError> {
    let mut marks = Marks::default();
    let (mut priorities, mut categories) = (Vec::new(), Vec::new());
    let mut index = 0;
    while index < line.len() {
        index += 1;
        let first = index - 1;
        let Some(word) = line.free(first) else { continue };
        if let Some(priority) = priority(word.raw) {
            line.take(first..index, PartKind::Priority);
            priorities.push(Mark {
                says: priority,
                first,
                last: first,
            });
        } else if word.raw.starts_with('#') {
            let Some((name, last)) = name(line, first, |key| labels.tags.get(key).copied()) else {
                continue;
            };
            if let Named::New(name) = &name
                && name.bytes().all(|byte| byte.is_ascii_digit())
            {
                // `Fix #123`
                continue;
            }
            line.take(first..last + 1, PartKind::Tag);
            index = last + 1;
            match name {
                Named::Known(tag) if !marks.tags.contains(&tag) => marks.tags.push(tag),
                Named::Known(_) => {}
                Named::New(name) => {
                    let name = name.parse::<TagName>().map_err(QuickAddError::Value)?;
                    let key = name_key(name.as_str());
                    if !marks.new_tags.iter().any(|other| name_key(other) == key) {
                        marks.new_tags.push(name.into());
                    }
                }
            }
        } else if word.raw.starts_with('@') {
            let Some((name, last)) = name(line, first, |key| labels.categories.get(key).copied()) else {
                continue;
            };
            if let Named::New(name) = &name
                && is_time_alone(&format!("at {name}"))
            {
                // `@5pm`
                continue;
            }
            line.take(first..last + 1, PartKind::Category);
            index = last + 1;
            categories.push(Mark {
                says: name,
                first,
                last,
            });
        }
    }
    if priorities
        .iter()
        .any(|mark| priorities.first().is_some_and(|first| mark.says != first.says))
    {
        marks
            .questions
            .push(one_of(line, &priorities, PartKind::Priority, "priority"));
    } else {
        marks.priority = priorities.first().map(|mark| mark.says);
    }
    if categories.len() > 1 {
        marks
            .questions
            .push(one_of(line, &categories, PartKind::Category, "category"));
    } else {
        match categories.pop().map(|mark| mark.says) {
            Some(Named::Known(category)) => marks.category = Some(category),
            Some(Named::New(name)) => {
                let name = name.parse::<CategoryName>().map_err(QuickAddError::Value)?;
                marks.new_category = Some(name.into());
            }
            None => {}
        }
    }
    Ok(marks)
}

fn priority(raw: &str) -> Option<Priority> {
    let name = raw.strip_prefix('!')?.trim_end_matches([',', ';', '.', ')']);
    match name.to_lowercase().as_str() {
        "low" | "4" => Some(Priority::Low),
        "medium" | "3" => Some(Priority::Medium),
        "high" | "2" => Some(Priority::High),
        "urgent" | "1" => Some(Priority::Urgent),
        _ => None,
    }
}

/// The name behind the one-letter mark of a word, and its last word: one in quotation marks, the longest name that the user has, or one
/// word.
fn name<T>(line: &Line<'_>, first: usize, known: impl Fn(&str) -> Option<T>) -> Option<(Named<T>, usize)> {
    let word = line.words.get(first)?;
    if let Some(last) = line.closing(first, 1) {
        let end = line.words.get(last)?.core_end();
        let quoted = line.text.get(word.start + 1..end)?;
        let mut letters = quoted.chars();
        letters.next();
        letters.next_back();
        let inner = letters.as_str();
        return Some((
            known(&name_key(inner)).map_or_else(|| Named::New(inner.to_owned()), Named::Known),
            last,
        ));
    }
    let mut lasts = (first..line.len().min(first + MAX_NAME_WORDS)).rev();
    let longest = lasts.find_map(|last| {
        let others_are_free = (first + 1..=last).all(|index| line.free(index).is_some());
        let (end, core_end) = line
            .words
            .get(last)
            .map(|word| (word.start + word.raw.len(), word.core_end()))?;
        let of_the_user = [end, core_end].into_iter().find_map(|end| {
            let name = line.text.get(word.start + 1..end)?;
            known(&name_key(name))
        })?;
        others_are_free.then_some((Named::Known(of_the_user), last))
    });
    longest.or_else(|| {
        let name = line.text.get(word.start + 1..word.core_end())?;
        // `#`, `@-`, and `#!` are no names.
        name.contains(char::is_alphanumeric)
            .then(|| (Named::New(name.to_owned()), first))
            .or_else(|| {
                let emoji = !name.is_empty() && !name.is_ascii();
                emoji.then(|| (Named::New(name.to_owned()), first))
            })
    })
}

/// A question which of several marks counts. Each choice leaves the others out.
fn one_of<T>(line: &Line<'_>, marks: &[Mark<T>], about: PartKind, what: &str) -> Question {
    let choices = marks.iter().map(|kept| {
        let mut text = String::new();
        let mut end = 0;
        for mark in marks.iter().filter(|mark| mark.first != kept.first) {
            let (Some(first), Some(last)) = (line.words.get(mark.first), line.words.get(mark.last)) else {
                continue;
            };
            text.push_str(line.text.get(end..first.start).unwrap_or_default());
            let rest = line.text.get(last.core_end()..).unwrap_or_default();
            end = line.text.len() - rest.trim_start().len();
        }
        text.push_str(line.text.get(end..).unwrap_or_default());
        Choice {
            label: line.written(kept.first..kept.last + 1).to_owned(),
            text: text.trim_end().to_owned(),
        }
    });
    Question {
        about,
        message: format!("a task has one {what}: choose which"),
        choices: choices.collect(),
    }
}

/// Whether a word was taken for a mark or another part.
pub(super) fn is_taken(line: &Line<'_>, index: usize) -> bool {
    line.words
        .get(index)
        .is_some_and(|word| matches!(word.role, Use::Taken(_)))
}
