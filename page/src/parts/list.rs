//! What a list of tasks consists of: parts, each under a heading or none, and the lines that they take.

use std::sync::Arc;

use jiff::civil::Date;
use nudge_domain::id::TaskId;
use nudge_page_model::lines::Lines;

/// A line: a heading, or a task.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Line {
    Heading(Group),
    Task(TaskId),
}

impl Line {
    /// A number of its own.
    pub(crate) fn key(&self) -> u128 {
        let (kind, date) = match self {
            // Far greater than those of headings: it begins with the time or with a hash.
            Self::Task(id) => return id.as_uuid().as_u128(),
            Self::Heading(group) => match group {
                Group::Overdue => (0, None),
                Group::Today => (1, None),
                Group::Day(date) => (2, Some(date)),
                Group::Month(date) => (3, Some(date)),
                Group::Dated => (4, None),
                Group::Undated => (5, None),
                Group::Completed => (6, None),
                Group::Done(date) => (7, Some(date)),
            },
        };
        let day = date.map_or(0, |date| {
            let (year, month, day) = (date.year(), date.month(), date.day());
            u128::from(year.unsigned_abs()) << 16
                | u128::from(month.unsigned_abs()) << 8
                | u128::from(day.unsigned_abs())
        });
        day << 8 | kind
    }
}

/// What a heading is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Group {
    Overdue,
    Today,
    Day(Date),
    Month(Date),
    Dated,
    Undated,
    Completed,
    Done(Date),
}

/// What a heading says. Its key stays the same when its number changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Heading {
    pub(crate) title: String,
    pub(crate) note: String,
    pub(crate) count: usize,
}

/// Tasks under a heading; the first part of a list may have none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) group: Option<(Group, Heading)>,
    pub(crate) tasks: Vec<TaskId>,
}

/// The whole list.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct List(pub(crate) Arc<Vec<Part>>);

impl List {
    /// Parts without tasks are left out.
    pub(crate) fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        Self(Arc::new(
            parts.into_iter().filter(|part| !part.tasks.is_empty()).collect(),
        ))
    }

    /// Whether there is no task.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it has a task.
    pub(crate) fn contains(&self, id: TaskId) -> bool {
        self.0.iter().any(|part| part.tasks.contains(&id))
    }

    /// What a heading says now.
    pub(crate) fn heading(&self, group: &Group) -> Option<Heading> {
        let mut groups = self.0.iter().filter_map(|part| part.group.as_ref());
        groups
            .find(|(found, _)| found == group)
            .map(|(_, heading)| heading.clone())
    }

    /// The lines, with rows of this height.
    pub(crate) fn lines(&self, row: u32) -> Lines<Line> {
        let lines = self.0.iter().flat_map(|part| {
            let heading = part
                .group
                .iter()
                .map(|(group, _)| (Line::Heading(group.clone()), HEADING));
            heading.chain(part.tasks.iter().map(move |id| (Line::Task(*id), row)))
        });
        Lines::new(lines)
    }
}

/// The height of a heading in pixels, as in the style sheet.
const HEADING: u32 = 58;
/// The height of a row in pixels.
pub(crate) const ROW: u32 = 44;
/// The same in a narrow window.
pub(crate) const TALL_ROW: u32 = 62;
/// A narrow window.
pub(crate) const NARROW: &str = "(max-width: 719px)";
