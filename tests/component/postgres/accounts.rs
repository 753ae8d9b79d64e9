//! Account deletion while requests of the same user run at the same time, which SQLite does one after the other.

use http::Method;
use nudge_test_kit::dapr::Function;
use serde_json::{Value, json};
use test_postgres::Server;

use super::{api_beside, api_on};
use crate::api::agents::{an_agent_acts_until_it_is_removed, names_and_number};
use crate::api::me_leaving::{
    a_run_that_goes_on_late_deletes_nothing_new, delete_account, deleted_events, furnish,
};
use crate::api::tokens::a_user_revokes_on_every_replica;
use crate::api::{relay, settled};
use crate::support::{json, text};

pub(crate) async fn what_is_stored_during_account_deletion_is_deleted_as_well(server: Server) {
    let api = api_on(&server).await;
    let (alice, bob) = (api.user("alice"), api.user("bob"));
    let mut ids = furnish(&alice).await;
    furnish(&bob).await;
    settled(&api).await;
    let before = json(&bob.get("/api/v1/me/export").await, 200);

    // Requests that race with the mark are stored before it, and go with the rest, or are refused. The held event of the
    // first deletion keeps the account from being gone before the race is over.
    let hold = api.dapr.hold_next(Function::PublishAll);
    let body = json!({ "title": "Race" });
    let write = || tokio::spawn(alice.call(Method::POST, "/api/v1/tasks").json(&body).send());
    let writes: Vec<_> = (0..12).map(|_| write()).collect();
    delete_account(&alice).await;
    for write in writes {
        let answer = write.await.expect("no panic").expect("an answer");
        match answer.status.as_u16() {
            201 => ids.push(text(&answer.json().unwrap(), "id").to_owned()),
            _ => assert_eq!(json(&answer, 409)["code"], "account_leaving"),
        }
    }
    hold.release();
    settled(&api).await;
    for _ in 0..3 {
        api.pass(10);
        relay(&api).await;
    }
    let export = json(&alice.get("/api/v1/me/export").await, 200);
    for list in ["categories", "tags", "agents", "tasks", "history"] {
        assert_eq!(export[list], json!([]), "{list}");
    }
    assert_eq!(export["me"]["email"], "alice@example.com");
    ids.sort();
    assert_eq!(deleted_events(&api), ids);
    let mut after: Value = json(&bob.get("/api/v1/me/export").await, 200);
    after["exportedAt"] = before["exportedAt"].clone();
    assert_eq!(after, before);
    alice
        .create("/api/v1/tasks", &json!({ "title": "Another start" }))
        .await;
}

pub(crate) async fn what_a_user_who_comes_back_stores_is_not_deleted_by_a_late_run(server: Server) {
    a_run_that_goes_on_late_deletes_nothing_new(&api_on(&server).await).await;
}

pub(crate) async fn a_user_revokes_the_tokens_that_were_issued_until_now(server: Server) {
    let api = api_on(&server).await;
    a_user_revokes_on_every_replica(&api, &api_beside(&server, &api).await).await;
}

pub(crate) async fn an_agent_acts_for_its_user_until_it_is_removed(server: Server) {
    let api = api_on(&server).await;
    an_agent_acts_until_it_is_removed(&api, &api_beside(&server, &api).await).await;
}

pub(crate) async fn agents_have_names_and_a_number(server: Server) {
    names_and_number(&api_on(&server).await).await;
}
