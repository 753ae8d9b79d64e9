//! A task in one line, read with the user's own categories and tags. Nothing is stored.

use jiff::Timestamp;
use nudge_contract::quick_add::{
    LineChoice, LinePart, LinePartKind, LineQuestion, LineReminder, LineTask, LineWords, ParsedLine,
};
use nudge_domain::id::UserId;
use nudge_domain::quick_add::{self, Labels, Part, PartKind, Question, QuickAdd};
use nudge_domain::reminder::ReminderWhen;
use nudge_domain::series::{CompletedOccurrence, RecurrenceFrom, upcoming};
use nudge_domain::task::{FieldName, Mistake};
use nudge_domain::{Due, LocalInstant, Zone};
use uuid::Uuid;

use crate::caller::Caller;
use crate::db::{Database, DbError, milliseconds};
use crate::error::ServiceError;
use crate::profile;
use crate::tasks::labels::{Kind, store};

/// How many dates of a recurring task are shown.
const SHOWN_DATES: usize = 3;

/// What a line says, and the zone that it was read in.
pub(crate) struct Line {
    pub(crate) said: QuickAdd,
    pub(crate) zone: Zone,
}

/// Reads a line, in this zone or else in the user's.
pub(crate) async fn read(caller: &Caller, text: &str, zone: Option<Zone>) -> Result<Line, ServiceError> {
    let Caller { user, database, .. } = caller;
    let zone = match zone {
        Some(zone) => zone,
        None => profile::zone(database, user).await?,
    };
    let labels = labels(database, &user.id, text).await?;
    let now = milliseconds(Timestamp::now());
    match quick_add::read(text, &zone, now, &labels) {
        Ok(said) => Ok(Line { said, zone }),
        Err(error) => Err(vec![Mistake::new(
            FieldName::Named("text".to_owned()),
            error.code(),
            &error,
        )]
        .into()),
    }
}

/// The labels of the kinds that the line may name.
async fn labels(database: &Database, user_id: &UserId, text: &str) -> Result<Labels, DbError> {
    let tags = named(database, Kind::Tag, user_id, text.contains('#')).await?;
    let categories = named(database, Kind::Category, user_id, text.contains('@')).await?;
    Ok(Labels::new(
        categories.iter().map(|(id, name)| ((*id).into(), name.as_str())),
        tags.iter().map(|(id, name)| ((*id).into(), name.as_str())),
    ))
}

async fn named(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
    wanted: bool,
) -> Result<Vec<(Uuid, String)>, DbError> {
    if wanted {
        store::names(database, kind, user_id).await
    } else {
        Ok(Vec::new())
    }
}

/// What a line says, as the API shows it.
pub(crate) fn view(text: &str, line: &Line) -> ParsedLine {
    let Line { said, zone } = line;
    let at = |at| Due::new(at, zone.clone()).map_or_else(|_| at.into(), |due| LocalInstant::from(&due));
    let reminders: Vec<LineReminder> = said
        .reminders
        .iter()
        .map(|when| match when {
            ReminderWhen::MinutesBefore(minutes) => LineReminder::MinutesBefore(*minutes),
            ReminderWhen::At(instant) => LineReminder::At(at(*instant)),
        })
        .collect();
    let task = said.questions.is_empty().then(|| LineTask {
        title: said.title.to_string(),
        due: said.due.as_ref().map(LocalInstant::from),
        time_zone: zone.name().to_owned(),
        priority: said.priority,
        category_id: said.category,
        tag_ids: said.tags.clone(),
        recurrence: said.recurrence.as_ref().map(ToString::to_string),
        reminders: Some(reminders).filter(|reminders| !reminders.is_empty()),
    });
    ParsedLine {
        task,
        new_tags: said.new_tags.clone(),
        new_category: said.new_category.clone(),
        parts: parts(text, &said.parts),
        words: LineWords {
            due: said.due.as_ref().map(Due::in_words),
            recurrence: said.recurrence.as_ref().map(|rule| rule.in_words()),
            reminders: said.reminders.iter().map(|when| when.in_words(zone)).collect(),
        },
        occurrences: first_dates(said),
        questions: said.questions.iter().map(question).collect(),
    }
}

/// The due date and the next two.
fn first_dates(said: &QuickAdd) -> Vec<LocalInstant> {
    let (Some(rule), Some(due)) = (&said.recurrence, &said.due) else {
        return Vec::new();
    };
    let completed = CompletedOccurrence {
        series_id: Uuid::nil().into(),
        occurrence: 1,
        rule,
        first_due: due,
        due,
        counts_from: RecurrenceFrom::Due,
        completed_at: due.at(),
    };
    let later = upcoming(&completed, SHOWN_DATES - 1);
    let all = std::iter::once(due).chain(later.iter().map(|next| &next.due));
    all.map(LocalInstant::from).collect()
}

/// The parts, with positions in UTF-16 code units.
fn parts(text: &str, parts: &[Part]) -> Vec<LinePart> {
    let (mut byte, mut unit) = (0, 0_u32);
    let mut units_at = |to: usize| {
        let units = text.get(byte..to).map_or(0, |part| part.encode_utf16().count());
        byte = to;
        unit += u32::try_from(units).unwrap_or_default();
        unit
    };
    parts
        .iter()
        .map(|part| LinePart {
            kind: kind(part.kind),
            start: units_at(part.range.start),
            end: units_at(part.range.end),
            text: text.get(part.range.clone()).unwrap_or_default().to_owned(),
        })
        .collect()
}

fn kind(kind: PartKind) -> LinePartKind {
    match kind {
        PartKind::Title => LinePartKind::Title,
        PartKind::Due => LinePartKind::Due,
        PartKind::Recurrence => LinePartKind::Recurrence,
        PartKind::Priority => LinePartKind::Priority,
        PartKind::Tag => LinePartKind::Tag,
        PartKind::Category => LinePartKind::Category,
        PartKind::Reminder => LinePartKind::Reminder,
    }
}

/// The field of a task that a part of a line sets.
fn field(about: PartKind) -> &'static str {
    match about {
        PartKind::Title => "title",
        PartKind::Due => "due",
        PartKind::Recurrence => "recurrence",
        PartKind::Priority => "priority",
        PartKind::Tag => "tagIds",
        PartKind::Category => "categoryId",
        PartKind::Reminder => "reminders",
    }
}

fn question(question: &Question) -> LineQuestion {
    let choices = question.choices.iter().map(|choice| LineChoice {
        label: choice.label.clone(),
        text: choice.text.clone(),
    });
    LineQuestion {
        field: field(question.about).to_owned(),
        message: question.message.clone(),
        choices: choices.collect(),
    }
}
