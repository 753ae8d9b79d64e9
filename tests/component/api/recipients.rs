//! Which address emails go to, when they stop, and how many are sent.

use http::Method;
use nudge_test_kit::dapr::{Function, Published, unavailable};
use nudge_test_kit::{signing, tokens};
use serde_json::{Value, json};
use uuid::Uuid;

use super::identity_provider::{self, Provider};
use super::{delivery, relay};
use crate::support::{Caller, PUBLIC_URL, Service, Setup, json, send, text};

pub(crate) const ME: &str = "/api/v1/me";

const RESUME: &str = "/api/v1/me/email/resume";

const NEW: &str = "new@example.org";

/// The ids of the published notices, oldest first, after there are `count`.
pub(crate) async fn notices(api: &Service, count: usize) -> Vec<String> {
    let published = api.dapr.wait_for("account-notices", count).await;
    let id = |published: &Published| text(&published.data().expect("JSON"), "noticeId").to_owned();
    published.expect("they are published").iter().map(id).collect()
}

/// What the api decides about a notice.
pub(crate) async fn notice(api: &Service, id: &str) -> Value {
    let asked = json!({ "items": [id] });
    let answer = api.sidecar().post("/internal/notices/deliveries", &asked).await;
    json(&answer, 200)["items"][0].clone()
}

/// The path of a link.
pub(crate) fn path<'a>(decision: &'a Value, link: &str) -> &'a str {
    let link = decision["notice"].get(link).or_else(|| decision.get(link));
    let link = link.and_then(Value::as_str);
    let path = link.and_then(|link| link.strip_prefix(PUBLIC_URL));
    path.unwrap_or_else(|| panic!("no such link in {decision}"))
}

/// Sets another address, which is the notice of that number, and returns the decision about its notice.
pub(crate) async fn set(api: &Service, who: &Caller<'_>, address: &str, number: usize) -> Value {
    json(&who.patch(ME, &json!({ "email": address })).await, 200);
    let ids = notices(api, number).await;
    notice(api, ids.last().expect("a notice")).await
}

/// Uses the button of a page. Returns the title of the next page.
pub(crate) async fn press(api: &Service, path: &str) -> String {
    title(&send(api.anybody().call(Method::POST, path)).await.body)
}

pub(crate) fn title(html: &[u8]) -> String {
    let html = String::from_utf8_lossy(html);
    let title = html
        .split_once("<h1>")
        .and_then(|(_, rest)| rest.split_once("</h1>"));
    title
        .unwrap_or_else(|| panic!("no heading in {html}"))
        .0
        .to_owned()
}

pub(crate) async fn me(who: &Caller<'_>) -> Value {
    json(&who.get(ME).await, 200)
}

/// A task of a user with a reminder that is due.
pub(crate) async fn due(api: &Service, who: &Caller<'_>) -> Value {
    let body = json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 60 }] });
    let task = who.create("/api/v1/tasks", &body).await;
    super::settled(api).await;
    task
}

async fn report(api: &Service, id: &str, outcome: Value) {
    let mut item = outcome;
    item["id"] = json!(id);
    let answer = api
        .sidecar()
        .post("/internal/notices/outcomes", &json!({ "items": [item] }))
        .await;
    assert_eq!(answer.status, 204, "{:?}", answer.body);
}

/// An address that a user sets, from PATCH until reminders go there.
pub(crate) async fn an_address_counts_once_its_holder_has_confirmed_it_of(api: &Service) {
    let alice = api.user("alice");
    let task = due(api, &alice).await;
    let answer = alice.patch(ME, &json!({ "email": NEW })).await;
    let shown = json(&answer, 200);
    assert_eq!(shown["email"], "alice@example.com", "until it is confirmed");
    assert_eq!(
        shown["unconfirmedEmail"],
        json!({ "email": NEW, "until": "2026-11-22T12:00:00Z", "stopped": null })
    );
    assert_eq!(me(&alice).await, shown);
    assert_eq!(delivery(api, &task).await["email"], "alice@example.com");

    let ids = notices(api, 1).await;
    let published = &api.dapr.published("account-notices")[0];
    assert_eq!(
        published.data().unwrap(),
        json!({ "schemaVersion": 1, "noticeId": ids[0], "userId": "alice" }),
        "no address"
    );
    let confirmation = notice(api, &ids[0]).await;
    assert_eq!(
        (
            &confirmation["decision"],
            &confirmation["email"],
            &confirmation["notice"]["kind"]
        ),
        (&json!("send"), &json!(NEW), &json!("confirm"))
    );
    let link = path(&confirmation, "link");
    assert!(!link.contains('@') && !link.contains("new"), "{link}");

    let page = api.anybody().get(link).await;
    assert_eq!(
        (page.status.as_u16(), title(&page.body).as_str()),
        (200, "Confirm your address")
    );
    assert_eq!(me(&alice).await, shown, "programs that check links follow them");
    assert_eq!(press(api, link).await, "Your address is confirmed");
    let now = me(&alice).await;
    assert_eq!(
        (&now["email"], &now["unconfirmedEmail"]),
        (&json!(NEW), &Value::Null)
    );
    assert_eq!(delivery(api, &task).await["email"], NEW);

    assert_eq!(
        press(api, link).await,
        "This link does not work any more",
        "it works once"
    );
    let changed = notice(api, &notices(api, 2).await[1]).await;
    assert_eq!(
        (&changed["email"], &changed["notice"]),
        (
            &json!("alice@example.com"),
            &json!({ "kind": "changed", "at": "2026-11-21T12:00:00Z" })
        ),
        "the former address is told, and not which is the new one"
    );
    assert_eq!(
        notice(api, &ids[0]).await["decision"],
        "skip",
        "a confirmation is not sent after it"
    );

    // Setting what is in use, or what the token says, needs no email.
    json(&alice.patch(ME, &json!({ "email": NEW })).await, 200);
    let back = json(
        &alice.patch(ME, &json!({ "email": "Alice@example.com" })).await,
        200,
    );
    assert_eq!(
        (&back["email"], &back["unconfirmedEmail"]),
        (&json!("Alice@example.com"), &Value::Null)
    );
    let changed = notice(api, &notices(api, 3).await[2]).await;
    assert_eq!(
        (&changed["email"], &changed["notice"]["kind"]),
        (&json!(NEW), &json!("changed"))
    );
}

#[tokio::test]
async fn an_address_counts_once_its_holder_has_confirmed_it() {
    an_address_counts_once_its_holder_has_confirmed_it_of(&Service::start("api").await).await;
}

#[tokio::test]
async fn a_link_works_for_a_day_and_the_last_one_only() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let first = set(&api, &alice, NEW, 1).await;
    api.pass(60);
    let second = set(&api, &alice, NEW, 2).await;
    assert_eq!(
        me(&alice).await["unconfirmedEmail"]["until"],
        "2026-11-22T12:01:00Z"
    );
    let skip = notice(&api, &notices(&api, 2).await[0]).await;
    assert_eq!(skip["decision"], "skip", "the first email is not needed any more");
    assert_eq!(
        press(&api, path(&first, "link")).await,
        "This link does not work any more"
    );
    api.pass(24 * 60 * 60);
    assert_eq!(
        press(&api, path(&second, "link")).await,
        "This link does not work any more"
    );
    let tag = alice_tag(&api).await;
    relay(&api).await;
    let token = api.user("alice");
    assert_eq!(
        me(&token).await["unconfirmedEmail"],
        Value::Null,
        "it is forgotten"
    );
    assert_ne!(
        alice_tag(&api).await,
        tag,
        "which is another version of the profile"
    );
    assert_eq!(me(&token).await["email"], "alice@example.com");
}

async fn alice_tag(api: &Service) -> String {
    api.user("alice").get(ME).await.header("etag").to_owned()
}

#[tokio::test]
async fn an_address_that_was_set_before_confirmations_counts() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    me(&alice).await;
    api.sql("UPDATE person SET own_email = 'old@example.org' WHERE id = 'alice'");
    let task = due(&api, &alice).await;
    assert_eq!(delivery(&api, &task).await["email"], "old@example.org");
}

#[tokio::test]
async fn a_user_without_a_counting_address_learns_why_a_reminder_fails() {
    let api = Service::start("api").await;
    let mut claims = tokens::claims("alice", "UTC", api.clock.now());
    claims["email_verified"] = json!(false);
    let token = tokens::signed(json!({ "alg": "HS256" }), claims, tokens::KEY);
    let call = |method, path| api.anybody().call(method, path).bearer(&token);
    let body = json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 60 }] });
    let task = json(&send(call(Method::POST, "/api/v1/tasks").json(&body)).await, 201);
    assert_eq!(delivery(&api, &task).await, json!({ "decision": "noAddress" }));
    json(
        &send(call(Method::PATCH, ME).json(&json!({ "email": NEW }))).await,
        200,
    );
    let decided = delivery(&api, &task).await;
    assert_eq!(decided["decision"], "noAddress");
    assert!(text(&decided, "reason").contains("is not confirmed"), "{decided}");
    assert!(text(&decided, "reason").contains("PATCH /api/v1/me"), "{decided}");
}

#[tokio::test]
async fn an_address_of_an_identity_provider_counts_if_it_is_verified_or_the_issuer_is_trusted() {
    let key = signing::SigningKey::ed25519(1);
    let provider = Provider::start().await;
    for (trusted, verified, counts) in [
        ("", Value::Null, false),
        ("", json!(true), true),
        ("", json!(false), false),
        ("https://other.example.com", Value::Null, false),
        (identity_provider::ISSUER, Value::Null, true),
        (identity_provider::ISSUER, json!(false), false),
    ] {
        provider.publish(&[key.jwk("a")]);
        let api = provider
            .setup()
            .variable("email_trusted_issuers", trusted)
            .start()
            .await;
        let mut claims = identity_provider::claims(&api);
        claims["email_verified"] = verified.clone();
        let token = key.token("a", &claims);
        let me = json(
            &send(api.anybody().call(Method::GET, ME).bearer(&token)).await,
            200,
        );
        let expected = if counts {
            json!("alice@example.com")
        } else {
            Value::Null
        };
        assert_eq!(me["email"], expected, "{trusted:?} {verified}");
    }
}

#[tokio::test]
async fn without_a_public_url_reminders_go_out_and_no_address_can_be_set() {
    let api = Setup::new("api").variable("public_url", "").start().await;
    let alice = api.user("alice");
    let task = due(&api, &alice).await;
    let decided = delivery(&api, &task).await;
    assert_eq!(
        (&decided["decision"], decided.get("stopLink")),
        (&json!("send"), None)
    );
    let problem = json(&alice.patch(ME, &json!({ "email": NEW })).await, 503);
    assert_eq!(problem["code"], "email_not_confirmable");
    assert_eq!(me(&alice).await["unconfirmedEmail"], Value::Null);
    let ready = json(&api.anybody().get("/health/ready").await, 200);
    let warning = ready["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains("public_url"), "{warning}");
    let set = json(
        &Service::start("api").await.anybody().get("/health/ready").await,
        200,
    );
    assert_eq!(set, json!({ "status": "ready" }));
}

/// The holder of a mailbox wants no email, of anybody.
pub(crate) async fn a_stranger_is_never_written_to_again_of(api: &Service) {
    let alice = api.user("alice");
    let confirmation = set(api, &alice, NEW, 1).await;
    let block = path(&confirmation, "stopLink").to_owned();
    let page = api.anybody().get(&block).await;
    assert_eq!(title(&page.body), "Never write to this address again?");
    assert_eq!(press(api, &block).await, "Nudge will not write to you again");
    let shown = me(&alice).await;
    assert_eq!(shown["unconfirmedEmail"]["stopped"]["reason"], "blocked");
    assert_eq!(
        press(api, path(&confirmation, "link")).await,
        "This address gets no email"
    );

    let bob = api.user("bob");
    for address in [NEW, "New+shop@example.org"] {
        let problem = json(&bob.patch(ME, &json!({ "email": address })).await, 409);
        assert_eq!(problem["code"], "email_blocked");
    }
    // The account that asked is deleted. The wish stays, and so does the way to undo it.
    alice.delete(ME).await;
    for _ in 0..4 {
        api.pass(10);
        relay(api).await;
    }
    assert_eq!(
        json(&bob.patch(ME, &json!({ "email": NEW })).await, 409)["code"],
        "email_blocked"
    );
    assert_eq!(
        title(&api.anybody().get(&block).await.body),
        "Nudge will not write to you again"
    );
    assert_eq!(press(api, &block.replace("stop", "resume")).await, "Undone");
    set(api, &bob, NEW, 2).await;
}

#[tokio::test]
async fn a_stranger_is_never_written_to_again() {
    a_stranger_is_never_written_to_again_of(&Service::start("api").await).await;
}

/// The link at the end of a reminder.
pub(crate) async fn a_recipient_stops_emails_and_their_user_resumes_them_of(api: &Service) {
    let (alice, bob) = (api.user("alice"), api.user("bob"));
    let task = due(api, &alice).await;
    let decided = delivery(api, &task).await;
    let stop = path(&decided, "stopLink").to_owned();
    assert_eq!(
        delivery(api, &task).await["stopLink"],
        decided["stopLink"],
        "it stays the same"
    );
    assert_eq!(
        title(&api.anybody().get(&stop).await.body),
        "Stop emails from Nudge?"
    );
    assert_eq!(
        delivery(api, &task).await["decision"],
        "send",
        "a GET changes nothing"
    );
    let tag = alice.get(ME).await.header("etag").to_owned();
    assert_eq!(press(api, &stop).await, "Emails are stopped");

    let decided = delivery(api, &task).await;
    assert_eq!(decided["decision"], "noAddress");
    assert!(
        text(&decided, "reason").contains("POST /api/v1/me/email/resume"),
        "{decided}"
    );
    let answer = alice.get(ME).await;
    assert_ne!(answer.header("etag"), tag);
    let stopped = &json(&answer, 200)["emailStopped"];
    assert_eq!(
        (&stopped["reason"], &stopped["since"]),
        (&json!("asked"), &json!("2026-11-21T12:00:00Z"))
    );

    let resumed = alice.post(RESUME, &json!({})).await;
    assert_eq!(json(&resumed, 200)["emailStopped"], Value::Null);
    assert_eq!(delivery(api, &task).await["decision"], "send");
    assert_eq!(
        json(&alice.post(RESUME, &json!({})).await, 200),
        me(&alice).await,
        "it is the same twice"
    );
    press(api, &stop).await;
    assert_eq!(press(api, &stop.replace("stop", "resume")).await, "Undone");
    assert_eq!(delivery(api, &task).await["decision"], "send");
    assert_eq!(
        me(&bob).await["emailStopped"],
        Value::Null,
        "others are not affected"
    );
    their_user_cannot_resume_an_address_of_another_person(api).await;
}

/// Of an address that the token does not name, only the holder undoes the stop.
async fn their_user_cannot_resume_an_address_of_another_person(api: &Service) {
    let carol = api.user("carol");
    let confirmation = set(api, &carol, NEW, 1).await;
    press(api, path(&confirmation, "link")).await;
    let task = due(api, &carol).await;
    let stop = path(&delivery(api, &task).await, "stopLink").to_owned();
    press(api, &stop).await;
    api.pass(1);
    // Neither by asking for it nor by writing the address in another way.
    let tag = carol.get(ME).await.header("etag").to_owned();
    let asked = carol.call(Method::POST, RESUME).header("if-match", &tag);
    let resumed = json(&send(asked.json(&json!({}))).await, 200);
    assert_eq!(resumed["unconfirmedEmail"]["email"], NEW);
    assert_eq!(resumed["unconfirmedEmail"]["stopped"], Value::Null);
    let other = carol
        .call(Method::PATCH, ME)
        .header("if-match", carol.get(ME).await.header("etag"));
    let other = send(other.json(&json!({ "email": "new+1@example.org" }))).await;
    assert_eq!(json(&other, 200)["emailStopped"]["reason"], "asked");
    assert_eq!(delivery(api, &task).await["decision"], "noAddress");
    // Confirming it does.
    json(&carol.post(RESUME, &json!({})).await, 429);
    api.pass(24 * 60 * 60);
    let carol = api.user("carol");
    json(&carol.post(RESUME, &json!({})).await, 200);
    let ids = notices(api, 5).await;
    let confirmation = notice(api, &ids[4]).await;
    press(api, path(&confirmation, "link")).await;
    assert_eq!(me(&carol).await["emailStopped"], Value::Null);
    // The page of a reminder's link offers never to write again, and undoes it.
    let page = api.anybody().get(&stop).await;
    let html = String::from_utf8_lossy(&page.body).into_owned();
    let block = html
        .split("action=\"..")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let block = format!("/email{}", block.expect("a button"));
    assert_eq!(press(api, &block).await, "Nudge will not write to you again");
    assert_eq!(
        title(&api.anybody().get(&stop).await.body),
        "Nudge will not write to you again"
    );
    assert_eq!(delivery(api, &task).await["decision"], "noAddress");
    assert_eq!(press(api, &block.replace("stop", "resume")).await, "Undone");
}

#[tokio::test]
async fn a_recipient_stops_emails_and_their_user_resumes_them() {
    a_recipient_stops_emails_and_their_user_resumes_them_of(&Service::start("api").await).await;
}

/// What email-delivery says about recipients.
pub(crate) async fn a_refused_recipient_gets_no_more_emails_of(api: &Service) {
    let alice = api.user("alice");
    let task = due(api, &alice).await;
    let refuse = async |fault: Value| {
        // Twice, as two emails of a batch to one recipient say it.
        let item = json!({ "userId": "alice", "email": "alice@example.com", "fault": fault });
        let answer = api
            .sidecar()
            .post("/internal/recipients/refused", &json!({ "items": [item, item] }))
            .await;
        assert_eq!(answer.status, 204, "{:?}", answer.body);
    };
    refuse(json!({ "kind": "refused", "code": 550 })).await;
    let stopped = me(&alice).await["emailStopped"].clone();
    assert_eq!(stopped["reason"], "refused");
    assert!(text(&stopped, "detail").contains("550"), "{stopped}");
    let decided = delivery(api, &task).await;
    assert_eq!(
        (&decided["decision"], &decided["reason"]),
        (&json!("noAddress"), &stopped["detail"])
    );
    json(&alice.post(RESUME, &json!({})).await, 200);
    assert_eq!(delivery(api, &task).await["decision"], "send");
    refuse(json!({ "kind": "invalid" })).await;
    assert_eq!(me(&alice).await["emailStopped"]["reason"], "invalid");
    // A confirmation that is refused says so, too.
    set(api, &alice, NEW, 1).await;
    let ids = notices(api, 1).await;
    report(
        api,
        &ids[0],
        json!({ "failure": "no", "fault": { "kind": "refused", "code": 553 } }),
    )
    .await;
    assert_eq!(
        me(&alice).await["unconfirmedEmail"]["stopped"]["reason"],
        "refused"
    );
    api.pass(1);
    set(api, &alice, NEW, 2).await;
    assert_eq!(
        me(&alice).await["unconfirmedEmail"]["stopped"],
        Value::Null,
        "another attempt"
    );
}

#[tokio::test]
async fn a_refused_recipient_gets_no_more_emails() {
    a_refused_recipient_gets_no_more_emails_of(&Service::start("api").await).await;
}

#[tokio::test]
async fn a_notice_is_published_until_it_is_sent_and_for_a_day() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    api.dapr
        .fail_next(Function::PublishAll, unavailable("the broker is away"));
    json(&alice.patch(ME, &json!({ "email": NEW })).await, 200);
    let mut count = 0;
    for (pause, is_published) in [
        (29, false),
        (1, true),
        (59, false),
        (1, true),
        (120, true),
        (299, false),
        (1, true),
        (900, true),
    ] {
        api.pass(pause);
        relay(&api).await;
        count += usize::from(is_published);
        assert_eq!(
            api.dapr.published("account-notices").len(),
            count,
            "after {pause} s"
        );
    }
    let ids = notices(&api, count).await;
    assert!(ids.iter().all(|id| *id == ids[0]), "the same event");
    assert_eq!(notice(&api, &ids[0]).await["decision"], "send");
    report(&api, &ids[0], json!({})).await;
    api.pass(900);
    relay(&api).await;
    assert_eq!(api.dapr.published("account-notices").len(), count, "it was sent");
    assert_eq!(notice(&api, &ids[0]).await["decision"], "skip");
    report(&api, &ids[0], json!({})).await;
    let unknown = notice(&api, &Uuid::nil().to_string()).await;
    assert_eq!(unknown["decision"], "skip");

    json(&alice.patch(ME, &json!({ "email": NEW })).await, 200);
    notices(&api, count + 1).await;
    api.pass(24 * 60 * 60 + 1);
    relay(&api).await;
    assert_eq!(
        api.dapr.published("account-notices").len(),
        count + 1,
        "it is given up"
    );
}

/// A user with everything that an address can go through, for the plans of its statements.
pub(crate) async fn everything(api: &Service) {
    let zoe = api.user("zoe");
    let confirmation = set(api, &zoe, "zoe@example.org", 1).await;
    api.anybody().get(path(&confirmation, "link")).await;
    press(api, path(&confirmation, "link")).await;
    let ids = notices(api, 2).await;
    assert_eq!(notice(api, &ids[1]).await["decision"], "send");
    report(api, &ids[1], json!({})).await;
    let task = due(api, &zoe).await;
    let decided = delivery(api, &task).await;
    let route = "/internal/events/reminder-outcomes";
    json(&api.sidecar().post(route, &super::sent(&task, 0)).await, 200);
    for stop in [path(&decided, "stopLink"), path(&confirmation, "stopLink")] {
        press(api, stop).await;
        press(api, &stop.replace("stop", "resume")).await;
    }
    let refused = json!({ "userId": "zoe", "email": "zoe@example.org", "fault": { "kind": "invalid" } });
    let body = json!({ "items": [refused] });
    assert_eq!(
        api.sidecar()
            .post("/internal/recipients/refused", &body)
            .await
            .status,
        204
    );
    json(&zoe.post(RESUME, &json!({})).await, 200);
}
