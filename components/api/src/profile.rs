//! People: what their tokens last said, and what they set for themselves, which wins.

use jiff::Timestamp;
use nudge_component::Problem;
use nudge_domain::quiet_hours::TimeOfDay;
use nudge_domain::reminder::MAX_MINUTES_BEFORE;
use nudge_domain::{MailAddress, QuietHours, Zone};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::auth::User;
use crate::db::{Database, DbError, Row, Value};
use crate::input::conditions::Conditions;
use crate::input::fields::{Field, Fields};
use crate::tasks::service::{ATTEMPTS, contended};

/// A person as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: String,
    /// What the token said last.
    token_email: Option<String>,
    token_zone: Zone,
    /// What the person set instead. It was valid when it was set, perhaps under older rules. It is not checked when it is read:
    /// an address that is no longer valid must not break the person's requests. email-delivery checks it before it sends.
    pub(crate) own_email: Option<String>,
    pub(crate) own_zone: Option<Zone>,
    /// When reminders wait.
    pub(crate) quiet_hours: Option<QuietHours>,
    /// The reminder of a new task that has a due date and names none, in minutes before it.
    pub(crate) default_reminder: Option<u32>,
    /// One more with every change, from 1.
    pub(crate) version: u32,
    /// Whether their data is being deleted.
    pub(crate) leaving: bool,
}

/// A person as the API shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Me<'a> {
    id: &'a str,
    email: Option<&'a str>,
    time_zone: &'a str,
    quiet_hours: Option<QuietHours>,
    default_reminder: Option<u32>,
}

const COLUMNS: &str =
    "id, email, time_zone, own_email, own_time_zone, quiet_hours, default_reminder, version, leaving_since";

impl Person {
    /// A person who set nothing, and whose token has no address.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_zone(id: &str, zone: Zone) -> Self {
        Self {
            id: id.to_owned(),
            token_email: None,
            token_zone: zone,
            own_email: None,
            own_zone: None,
            quiet_hours: None,
            default_reminder: None,
            version: 1,
            leaving: false,
        }
    }

    /// Where reminders go.
    pub(crate) fn email(&self) -> Option<&str> {
        self.own_email.as_deref().or(self.token_email.as_deref())
    }

    /// Where the person lives: how texts are read and mails are written.
    pub(crate) fn zone(&self) -> &Zone {
        self.own_zone.as_ref().unwrap_or(&self.token_zone)
    }

    /// When the quiet hours end that an instant is in.
    pub(crate) fn quiet_until(&self, at: Timestamp) -> Option<Timestamp> {
        self.quiet_hours
            .and_then(|hours| hours.end_if_inside(at, self.zone()))
    }

    /// The person as the API shows them.
    pub(crate) fn view(&self) -> Me<'_> {
        Me {
            id: &self.id,
            email: self.email(),
            time_zone: self.zone().name(),
            quiet_hours: self.quiet_hours,
            default_reminder: self.default_reminder,
        }
    }

    fn read(row: &Row) -> Result<Self, DbError> {
        let unreadable = |error: &dyn std::fmt::Display| DbError::Unreadable(error.to_string());
        let number = |value: i64| u32::try_from(value).map_err(|error| unreadable(&error));
        let own = |column| -> Result<_, DbError> { row.maybe_text(column) };
        Ok(Self {
            id: row.text(0)?.to_owned(),
            token_email: row.maybe_text(1)?.map(str::to_owned),
            token_zone: row.parsed(2)?,
            own_email: own(3)?.map(str::to_owned),
            own_zone: own(4)?.map(|_| row.parsed(4)).transpose()?,
            quiet_hours: own(5)?
                .map(serde_json::from_str)
                .transpose()
                .map_err(|error| unreadable(&error))?,
            default_reminder: row.maybe_int(6)?.map(number).transpose()?,
            version: number(row.int(7)?)?,
            leaving: row.maybe_int(8)?.is_some(),
        })
    }
}

/// Notes what the token says, if it says anything new, and gives back the person. Whoever was never seen is there now. A
/// token without address or zone, of a script perhaps, takes away nothing that another one said.
pub(crate) async fn remember(database: &Database, user: &User, now: Timestamp) -> Result<Person, DbError> {
    // Reading first: a statement that could write waits for other writers on SQLite, and most tokens say nothing new.
    if let Some(person) = find(database, user.id.as_str()).await?
        && (user.email.is_none() || person.token_email == user.email)
        && (!user.says_zone || person.token_zone == user.zone)
    {
        return Ok(person);
    }
    let sql = format!(
        "INSERT INTO person (id, email, time_zone, updated_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id) DO UPDATE SET email = COALESCE(excluded.email, person.email), time_zone = {}, \
         updated_at = excluded.updated_at, version = person.version + 1 RETURNING {COLUMNS}",
        if user.says_zone {
            "excluded.time_zone"
        } else {
            "person.time_zone"
        },
    );
    let parameters = [
        user.id.as_str().into(),
        user.email.as_deref().into(),
        user.zone.name().into(),
        now.into(),
    ];
    let rows = database.query(&sql, parameters).await?;
    let row = rows
        .first()
        .ok_or_else(|| DbError::Unreadable("a person was stored and is not there".to_owned()))?;
    Person::read(row)
}

/// What is known about a person.
pub(crate) async fn find(database: &Database, user_id: &str) -> Result<Option<Person>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM person WHERE id = $1");
    database
        .query(&sql, [user_id.into()])
        .await?
        .first()
        .map(Person::read)
        .transpose()
}

/// The zone in which texts of a person are read.
pub(crate) async fn zone(user: &User) -> Result<Zone, DbError> {
    let person = find(&Database::open().await?, user.id.as_str()).await?;
    Ok(match person {
        Some(Person {
            own_zone: Some(zone), ..
        }) => zone,
        Some(person) if !user.says_zone => person.token_zone,
        _ => user.zone.clone(),
    })
}

/// Stores the next version of what a person set, if they are still at the version before and stay. Says no when not.
pub(crate) async fn update(database: &Database, person: &Person, now: Timestamp) -> Result<bool, DbError> {
    let quiet_hours = person
        .quiet_hours
        .map(|hours| serde_json::to_string(&hours).unwrap_or_default());
    let parameters = [
        person.id.as_str().into(),
        person.version.into(),
        person.own_email.as_deref().into(),
        person.own_zone.as_ref().map(Zone::name).into(),
        quiet_hours.into(),
        person.default_reminder.into(),
        now.into(),
    ];
    let rows = database
        .query(
            "UPDATE person SET own_email = $3, own_time_zone = $4, quiet_hours = $5, default_reminder = $6, \
             updated_at = $7, version = $2 \
             WHERE id = $1 AND version + 1 = $2 AND leaving_since IS NULL RETURNING version",
            parameters,
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Marks a person as leaving, if they are still at this version when one is given. From here on the database refuses what
/// would be stored for them. Says no when they are not, or are leaving already.
pub(crate) async fn leave(
    database: &Database,
    user_id: &str,
    version: Option<u32>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let mut sql =
        "UPDATE person SET leaving_since = $2, version = version + 1 WHERE id = $1 AND leaving_since IS NULL"
            .to_owned();
    let mut parameters: Vec<Value> = vec![user_id.into(), now.into()];
    if let Some(version) = version {
        sql.push_str(" AND version = $3");
        parameters.push(version.into());
    }
    sql.push_str(" RETURNING version");
    Ok(!database.query(&sql, parameters).await?.is_empty())
}

/// Who is leaving since before a time, those who wait longest first.
pub(crate) async fn leaving(
    database: &Database,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<String>, DbError> {
    let rows = database
        .query(
            "SELECT id FROM person WHERE leaving_since IS NOT NULL AND leaving_since < $1 ORDER BY leaving_since LIMIT $2",
            [before.into(), limit.into()],
        )
        .await?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// Changes what a person set by a merge patch, the body of `PATCH /api/v1/me`.
pub(crate) async fn patch(
    user: &User,
    expected: &Conditions,
    body: &Map<String, Json>,
) -> Result<Person, Problem> {
    let database = Database::open().await?;
    for _ in 0..ATTEMPTS {
        let now = Timestamp::now();
        let before = remember(&database, user, now).await?;
        expected.check("profile", before.version)?;
        if before.leaving {
            return Err(DbError::Leaving.into());
        }
        let mut person = before.clone();
        apply(&mut person, body.clone())?;
        if person == before {
            return Ok(person);
        }
        person.version = person.version.saturating_add(1);
        if update(&database, &person, now).await? {
            return Ok(person);
        }
    }
    Err(contended("profile", &user.id))
}

/// Changes what a person set by a merge patch. `null` for an address or a zone is the token's again; for the others, none.
pub(crate) fn apply(person: &mut Person, body: Map<String, Json>) -> Result<(), Problem> {
    let mut fields = Fields::new(body);
    match fields.parsed::<MailAddress>("email", |error| error.code()) {
        Field::Value(email) => person.own_email = Some(email.into()),
        Field::Null => person.own_email = None,
        Field::Absent => {}
    }
    set(
        &mut person.own_zone,
        fields.parsed::<Zone>("timeZone", |error| error.code()),
    );
    match fields.json("quietHours") {
        Field::Value(Json::Object(object)) => {
            if let Some(hours) = quiet_hours(&mut fields, object) {
                person.quiet_hours = Some(hours);
            }
        }
        Field::Value(_) => fields.error(
            "quietHours",
            "wrong_type",
            "must be an object with from and until, or null",
        ),
        Field::Null => person.quiet_hours = None,
        Field::Absent => {}
    }
    let minutes = fields.number("defaultReminder");
    if matches!(minutes, Field::Value(minutes) if minutes > MAX_MINUTES_BEFORE) {
        fields.error(
            "defaultReminder",
            "invalid_reminder",
            format!("give at most {MAX_MINUTES_BEFORE} minutes (4 weeks), or null for none"),
        );
    }
    set(&mut person.default_reminder, minutes);
    fields.finish()
}

/// Reads both times; quiet hours are replaced as a whole, since one time without the other says nothing.
fn quiet_hours(fields: &mut Fields, object: Map<String, Json>) -> Option<QuietHours> {
    let mut inner = Fields::within("quietHours.".to_owned(), object);
    let mut time = |name| {
        let time = inner.parsed::<TimeOfDay>(name, |error| error.code());
        let given = time != Field::Absent && time != Field::Null;
        if !given && inner.errors.is_empty() {
            inner.error(name, "required", "quiet hours need from and until");
        }
        time.value()
    };
    let (from, until) = (time("from"), time("until"));
    inner.refuse_others();
    fields.take_errors(inner);
    match QuietHours::new(from?, until?) {
        Ok(hours) => Some(hours),
        Err(error) => {
            fields.error("quietHours", error.code(), &error);
            None
        }
    }
}

fn set<T>(place: &mut Option<T>, field: Field<T>) {
    match field {
        Field::Value(value) => *place = Some(value),
        Field::Null => *place = None,
        Field::Absent => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        Person {
            token_email: Some("alice@example.com".to_owned()),
            ..Person::of_zone("alice", Zone::utc())
        }
    }

    fn patched(person: &mut Person, body: Json) -> Result<Json, Problem> {
        let Json::Object(body) = body else { unreachable!() };
        apply(person, body)?;
        Ok(serde_json::to_value(person.view()).unwrap())
    }

    #[test]
    fn what_a_person_sets_wins_over_the_token_until_it_is_taken_back() {
        let mut person = person();
        let set = serde_json::json!({
            "email": "a@example.org", "timeZone": "Europe/Berlin",
            "quietHours": { "from": "22:00", "until": "07:00" }, "defaultReminder": 30,
        });
        let shown = patched(&mut person, set.clone()).unwrap();
        assert_eq!(shown["id"], "alice");
        for (name, value) in set.as_object().unwrap() {
            assert_eq!(&shown[name], value);
        }
        let nothing = serde_json::json!({ "email": null, "timeZone": null, "quietHours": null, "defaultReminder": null });
        let shown = patched(&mut person, nothing).unwrap();
        assert_eq!(
            shown,
            serde_json::json!({ "id": "alice", "email": "alice@example.com", "timeZone": "UTC", "quietHours": null, "defaultReminder": null })
        );
    }

    #[test]
    fn every_mistake_is_named_with_its_field() {
        for (body, field, code) in [
            (serde_json::json!({ "email": "alice" }), "email", "invalid_email"),
            (
                serde_json::json!({ "email": "a..b@example.com" }),
                "email",
                "invalid_email",
            ),
            (serde_json::json!({ "email": "" }), "email", "invalid_email"),
            (serde_json::json!({ "email": 7 }), "email", "wrong_type"),
            (
                serde_json::json!({ "timeZone": "Mars/Base" }),
                "timeZone",
                "invalid_time_zone",
            ),
            (
                serde_json::json!({ "quietHours": "22-7" }),
                "quietHours",
                "wrong_type",
            ),
            (
                serde_json::json!({ "quietHours": { "from": "22:00" } }),
                "quietHours.until",
                "required",
            ),
            (
                serde_json::json!({ "quietHours": { "from": "24:00", "until": "07:00" } }),
                "quietHours.from",
                "invalid_time",
            ),
            (
                serde_json::json!({ "quietHours": { "from": "07:00", "until": "07:00" } }),
                "quietHours",
                "invalid_quiet_hours",
            ),
            (
                serde_json::json!({ "quietHours": { "from": "22:00", "until": "07:00", "days": 1 } }),
                "quietHours.days",
                "unknown_field",
            ),
            (
                serde_json::json!({ "defaultReminder": 40_321 }),
                "defaultReminder",
                "invalid_reminder",
            ),
            (
                serde_json::json!({ "defaultReminder": -1 }),
                "defaultReminder",
                "wrong_type",
            ),
            (serde_json::json!({ "id": "bob" }), "id", "unknown_field"),
        ] {
            let problem = patched(&mut person(), body.clone()).unwrap_err();
            let shown = format!("{problem:?}");
            assert!(shown.contains(&format!("field: {field:?}")), "{body}: {shown}");
            assert!(shown.contains(&format!("code: {code:?}")), "{body}: {shown}");
        }
    }
}
