//! Emails that are due at the same time reach the right recipients.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use mail_parser::MessageParser;
use nudge_contract::names::route;
use nudge_test_kit::http::Call;
use serde_json::{Value, json};

use crate::system::{Combination, Data, System};
use test_real::{Broker, Parts, State, in_seconds};

/// Redis Streams deliver ten events at a time, more than the others do with the files as they are.
pub(crate) const PARTS: Parts = Parts {
    broker: Broker::RedisStreams,
    state: State::Redis,
};

const PEOPLE: usize = 200;

/// Reminders of each.
const EACH: usize = 5;

/// Time for creating them on a busy machine, in seconds.
const AHEAD: i64 = 40;

/// The recipient and the content of an email.
#[derive(Debug, PartialEq, Eq)]
struct Email {
    recipient: String,
    subject: String,
    title_in_body: String,
    description_in_body: String,
}

impl Email {
    fn expected(person: usize, number: usize) -> Self {
        let title = format!("Matter {number} of person-{person}");
        Self {
            recipient: format!("person-{person}@example.com"),
            subject: format!("Reminder: {title}"),
            title_in_body: title,
            description_in_body: secret(person, number),
        }
    }

    /// The reminder that the body names, and the email.
    fn read(mail: &[u8]) -> (String, Self) {
        let message = MessageParser::new().parse(mail).expect("an email");
        let html = message.body_html(0).expect("an HTML body").into_owned();
        let between = |start: &str, end: &str| {
            let (_, rest) = html
                .split_once(start)
                .unwrap_or_else(|| panic!("no {start} in {html}"));
            rest.split_once(end).expect("it ends").0.to_owned()
        };
        // What stands in the first element that begins so, whatever its other attributes are.
        let within = |start: &str, end: &str| {
            let text = between(start, end);
            text.split_once('>').expect("a start tag ends").1.to_owned()
        };
        let reference = between("name=\"nudge-reminder\" content=\"", "\"");
        let (reminder, _) = reference.split_once(' ').expect("an id and an instant");
        let to = message.to().and_then(mail_parser::Address::first);
        let email = Self {
            recipient: to.and_then(|to| to.address()).expect("a recipient").to_owned(),
            subject: message.subject().expect("a subject").to_owned(),
            title_in_body: within("<title", "</title>"),
            description_in_body: within("<p dir=\"auto\"", "</p>"),
        };
        (reminder.to_owned(), email)
    }
}

fn secret(person: usize, number: usize) -> String {
    format!("Number {number} is for person-{person} alone")
}

/// Creates a person's tasks, and says what the email of each reminder must be, by its id.
async fn remind(system: &System, person: usize, at: Timestamp) -> BTreeMap<String, Email> {
    let token = system.token_of(&format!("person-{person}"));
    let due = at + SignedDuration::from_hours(1);
    let operations: Vec<Value> = (0..EACH)
        .map(|number| {
            json!({ "op": "create", "task": {
                "title": Email::expected(person, number).title_in_body,
                "description": secret(person, number),
                "due": due.to_string(),
                "reminders": [{ "at": at.to_string() }],
            }})
        })
        .collect();
    let body = json!({ "operations": operations });
    let answer = system
        .send_as(&token, Method::POST, "/api/v1/tasks/bulk", Some(body), 200)
        .await;
    let results = answer["results"].as_array().expect("a result for each");
    let reminders = results.iter().enumerate().map(|(number, result)| {
        let id = result["task"]["reminders"][0]["id"].as_str();
        let id = id.unwrap_or_else(|| panic!("no reminder: {result:#}"));
        (id.to_owned(), Email::expected(person, number))
    });
    reminders.collect()
}

/// Without `--app-max-concurrency 1` email-delivery sends none, and if it did, some would go to another user.
pub(crate) async fn the_right_people() {
    let combination = Combination {
        parts: PARTS,
        data: Data::Sqlite,
    };
    let system = System::start(combination).await;
    let ready = Call::new(system.address(), Method::GET, route::EMAIL_DELIVERY_READY);
    let ready = ready.send().await.expect("an answer");
    assert_eq!(ready.status, 200, "{}", String::from_utf8_lossy(&ready.body));

    let at = in_seconds(AHEAD);
    let begun = Instant::now();
    let mut expected = BTreeMap::new();
    for person in 0..PEOPLE {
        expected.append(&mut remind(&system, person, at).await);
    }
    let created = begun.elapsed();
    assert!(Timestamp::now() < at, "the machine is too slow: {created:?}");
    assert_eq!(expected.len(), PEOPLE * EACH);
    system
        .until("every email is there", async |system| {
            let emails = system.platform.mail.emails();
            // Copies of one do not stand for another; until there are enough, nothing is read.
            let reminders = || -> BTreeSet<String> {
                let emails = emails
                    .iter()
                    .map(|path| std::fs::read(path).expect("a whole mail"));
                emails.map(|mail| Email::read(&mail).0).collect()
            };
            emails.len() >= expected.len() && reminders().len() >= expected.len()
        })
        .await;

    let mut wrong = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for path in system.platform.mail.emails() {
        let (reminder, email) = Email::read(&std::fs::read(path).expect("a whole mail"));
        let right = expected.get(&reminder).expect("a reminder of this test");
        if *right != email {
            wrong.push(format!("{email:?}, whose body is of {right:?}"));
        }
        *seen.entry(reminder).or_default() += 1;
    }
    let late = system.platform.mail.late(at);
    eprintln!(
        "{} reminders of {PEOPLE} people in one second, created in {:.1} s: the last email {:.1} s after it; {} of them mixed up",
        expected.len(),
        created.as_secs_f64(),
        late[late.len() - 1],
        wrong.len(),
    );
    assert!(
        wrong.is_empty(),
        "{} emails are mixed up: {wrong:#?}",
        wrong.len()
    );
    // Of 1,000 that overlap some two are mixed up, or none. By this a lost setting is seen each time.
    let most = system.platform.mail.most_at_once();
    assert_eq!(most, 1, "{most} emails were sent at the same time");
    assert_eq!(seen.len(), expected.len(), "each once");
    assert!(seen.values().all(|times| *times == 1), "each once");
}
