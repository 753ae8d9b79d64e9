//! The topics of each app: `publishingScopes` and `subscriptionScopes` of every broker, held against the Subscriptions and the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use nudge_contract::names::{app, component, topic};
use serde_json::Value;

use crate::check::{Findings, Manifests, list, name, text, texts};
use crate::yaml::{documents, put, root};

/// A case, by its name.
type Case = (&'static str, fn() -> Result<()>);

pub(super) const TESTS: [Case; 4] = [
    ("every broker has the scopes of the code", brokers),
    (
        "beside another system the scopes are those of prefixed topics",
        migration,
    ),
    ("the topics of the other system are the adapter's", legacy),
    ("found: scopes that are wrong", broken),
];

/// The prefix of topics during a migration.
const PREFIX: &str = "nudge-";

/// Topics by app.
type Topics = BTreeMap<String, BTreeSet<String>>;

/// What each app publishes besides dead letters, without what `nudge dead-letters replay` publishes again.
const PUBLISHED: [(&str, &[&str]); 4] = [
    (
        app::API,
        &[
            topic::TASK_EVENTS,
            topic::TASK_UPDATES,
            topic::TASK_RECURRENCE,
            topic::ACCOUNT_NOTICES,
        ],
    ),
    (app::NOTIFICATION, &[topic::TASK_REMINDERS]),
    (app::EMAIL_DELIVERY, &[topic::REMINDER_OUTCOMES]),
    (app::RECURRING_TASK, &[]),
];

/// Finds what is wrong with the scopes of a pubsub component, if these are the Subscriptions beside it.
fn findings(pubsub: &Value, subscriptions: &[&Value], prefix: &str) -> Findings {
    let prefixed = |topic: &str| format!("{prefix}{topic}");
    let mut consumed = Topics::new();
    for subscription in subscriptions {
        for scope in texts(subscription, "/scopes") {
            let topics = consumed.entry(scope.to_owned()).or_default();
            topics.insert(text(subscription, "/spec/topic").to_owned());
        }
    }
    let mut published = Topics::new();
    for app_id in consumed.keys() {
        // A consumer refuses events itself, and its sidecar dead-letters as the app.
        let topics = published.entry(app_id.clone()).or_default();
        topics.insert(prefixed(topic::DEAD_LETTER));
    }
    for (app_id, topics) in PUBLISHED {
        let all = published.entry(app_id.to_owned()).or_default();
        all.extend(topics.iter().map(|topic| prefixed(topic)));
        if app_id == app::API {
            // Dead letters that are published again, on the topics that they were on.
            let ours = consumed
                .iter()
                .filter(|(consumer, _)| app::ALL.contains(&consumer.as_str()));
            all.extend(ours.flat_map(|(_, topics)| topics.clone()));
        }
    }
    let mut findings = Findings::new();
    for (field, expected) in [
        ("publishingScopes", &published),
        ("subscriptionScopes", &consumed),
    ] {
        let found = scopes(pubsub, field);
        if found != *expected {
            findings.push(format!(
                "{field} of {} are {found:?}, not {expected:?}",
                name(pubsub)
            ));
        }
    }
    findings
}

/// The value of a scope in a component's metadata, as daprd reads it.
fn scopes(pubsub: &Value, field: &str) -> Topics {
    let items = list(pubsub, "/spec/metadata").iter();
    let value: String = items
        .filter(|item| text(item, "/name") == field)
        .map(|item| text(item, "/value").replace(' ', ""))
        .collect();
    let apps = value.split(';').filter_map(|part| part.split_once('='));
    apps.map(|(app_id, topics)| (app_id.to_owned(), topics.split(',').map(str::to_owned).collect()))
        .collect()
}

impl Manifests {
    pub(crate) fn topics(&self, found: &mut Findings) {
        let subscriptions: Vec<&Value> = self.of("Subscription").collect();
        for pubsub in self
            .of("Component")
            .filter(|object| name(object) == component::PUBSUB)
        {
            found.extend(findings(pubsub, &subscriptions, ""));
        }
    }
}

/// The objects of a folder of `dapr-components`.
fn resources(folder: &str) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    let folder = root()?.join("dapr-components").join(folder);
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            objects.extend(documents(&fs::read_to_string(path)?)?);
        }
    }
    Ok(objects)
}

fn of<'a>(objects: &'a [Value], kind: &str, pubsub: &str) -> Vec<&'a Value> {
    let is = |object: &&Value| {
        let pubsub_of = match kind {
            "Subscription" => text(object, "/spec/pubsubname"),
            _ => name(object),
        };
        text(object, "/kind") == kind && pubsub_of == pubsub
    };
    objects.iter().filter(is).collect()
}

fn brokers() -> Result<()> {
    let subscriptions = resources("subscriptions")?;
    for broker in ["kafka", "redis-streams", "rabbitmq", "local"] {
        let objects = resources(broker)?;
        let [pubsub] = of(&objects, "Component", component::PUBSUB)[..] else {
            anyhow::bail!("{broker} has not one pubsub");
        };
        let found = findings(pubsub, &of(&subscriptions, "Subscription", component::PUBSUB), "");
        ensure!(found.is_empty(), "{broker}: {found:#?}");
    }
    Ok(())
}

/// The broker and the Subscriptions of a migration, and what is wrong with them.
fn beside_another_system(objects: &[Value]) -> Result<Findings> {
    let [pubsub] = of(objects, "Component", component::PUBSUB)[..] else {
        anyhow::bail!("not one pubsub");
    };
    Ok(findings(
        pubsub,
        &of(objects, "Subscription", component::PUBSUB),
        PREFIX,
    ))
}

fn migration() -> Result<()> {
    let objects = resources("migration")?;
    let found = beside_another_system(&objects)?;
    ensure!(found.is_empty(), "{found:#?}");
    // Otherwise as without a migration.
    let usual = resources("kafka")?;
    let settings = |objects: &[Value]| -> Vec<Value> {
        let pubsub = of(objects, "Component", component::PUBSUB);
        let items = pubsub
            .into_iter()
            .flat_map(|pubsub| list(pubsub, "/spec/metadata"));
        items
            .filter(|item| !text(item, "/name").ends_with("Scopes"))
            .cloned()
            .collect()
    };
    ensure!(
        settings(&objects) == settings(&usual),
        "{:?} and {:?}",
        settings(&objects),
        settings(&usual)
    );
    Ok(())
}

fn legacy() -> Result<()> {
    for (folder, pubsub, published) in [
        (
            "migration",
            component::LEGACY,
            BTreeSet::from([topic::TASK_EVENTS, topic::TASK_RECURRENCE, topic::TASK_REMINDERS]),
        ),
        (
            "take-over",
            "legacy-recurring",
            BTreeSet::from(["nudge-dead-letter"]),
        ),
    ] {
        let objects = resources(folder)?;
        let [component] = of(&objects, "Component", pubsub)[..] else {
            anyhow::bail!("{folder} has not one {pubsub}");
        };
        let consumed = of(&objects, "Subscription", pubsub);
        let consumed: BTreeSet<&str> = consumed
            .iter()
            .map(|subscription| text(subscription, "/spec/topic"))
            .collect();
        for (field, expected) in [("publishingScopes", published), ("subscriptionScopes", consumed)] {
            let expected = expected.into_iter().map(str::to_owned).collect();
            let expected = Topics::from([(app::LEGACY_ADAPTER.to_owned(), expected)]);
            let found = scopes(component, field);
            ensure!(
                found == expected,
                "{field} of {pubsub}: {found:?}, not {expected:?}"
            );
        }
        ensure!(
            texts(component, "/scopes") == [app::LEGACY_ADAPTER],
            "{component:#}"
        );
    }
    Ok(())
}

fn broken() -> Result<()> {
    let objects = resources("migration")?;
    let at = objects
        .iter()
        .position(|object| name(object) == component::PUBSUB);
    let at = at.context("a pubsub")?;
    for item in ["publishingScopes", "subscriptionScopes"] {
        let items = list(&objects[at], "/spec/metadata");
        let index = items
            .iter()
            .position(|one| text(one, "/name") == item)
            .context("a scope")?;
        let value = text(&items[index], "/value").to_owned();
        for wrong in [
            value.replace("nudge-dead-letter", "dead-letter"),
            value.replace("notification=", "notification=nudge-other,"),
            value.replace("legacy-adapter=", "adapter="),
            String::new(),
        ] {
            let mut objects = objects.clone();
            put(
                &mut objects[at],
                &format!("/spec/metadata/{index}/value"),
                wrong.clone().into(),
            )?;
            let found = beside_another_system(&objects)?;
            ensure!(
                matches!(found.as_slice(), [one] if one.starts_with(item)),
                "{wrong}: {found:#?}"
            );
        }
    }
    Ok(())
}
