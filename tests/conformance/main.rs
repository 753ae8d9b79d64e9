//! What Nudge relies on in a sidecar, case by case, with six subjects: the embedded sidecar, the real daprd, and for what a broker or a
//! store may do in its own way, daprd on Kafka, on Redis, on RabbitMQ, and on PostgreSQL.
//!
//! What a case expects is what the real one did. Each goes through the bridge component, as Nudge does, or over HTTP by hand
//! where the wire matters. `expected-failures/<subject>.txt` lists the cases that a subject fails, each with the reason; a case
//! of the list that passes is a failure.
//!
//! The real daprd is built by `scripts/get-dapr.sh`. Without it, its cases are ignored, and counted so.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod bench;
mod bindings;
mod bulk;
mod concurrency;
mod emails;
mod health;
mod invocation;
mod jobs;
mod pubsub;
mod scopes;
mod secrets;
mod state;
mod tokens;

use std::collections::BTreeMap;
use std::pin::Pin;

use libtest_mimic::{Arguments, Failed, Trial};
use test_dapr::{Dapr, Kafka, RabbitMq, Redis};
use test_postgres::Server;

use bench::Subject;

/// A behaviour that a subject has or lacks.
struct Case {
    /// Its block and name.
    name: &'static str,
    run: fn(Subject) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Turns functions of a module into cases.
macro_rules! cases {
    ($block:ident: $($case:ident),* $(,)?) => {
        vec![$(Case {
            name: concat!(stringify!($block), "/", stringify!($case)),
            run: |subject| Box::pin($block::$case(subject)),
        }),*]
    };
}

fn cases() -> Vec<Case> {
    let mut all = cases![pubsub:
        an_event_arrives_as_it_was_published,
        plain_data_is_wrapped,
        the_query_overrides_the_envelope_but_not_its_subject,
        other_types_of_content_keep_theirs,
        an_incomplete_event_gets_what_dapr_gives,
        a_raw_payload_arrives_bare,
        a_raw_subscription_gets_bytes,
        several_events_at_once_arrive_one_by_one,
        entries_of_one_id_are_refused,
        rules_route_by_type,
        an_unknown_pubsub_is_named,
        a_topic_must_be_named,
        without_retries_a_failure_is_a_dead_letter,
        a_404_is_no_dead_letter,
        retries_come_before_the_dead_letter,
        what_is_not_handled_comes_again_before_what_follows_it,
    ];
    all.extend(cases![bulk:
        a_batch_is_an_envelope_of_events,
        each_entry_has_a_status_of_its_own,
        a_response_without_statuses_fails_every_entry,
        a_404_drops_the_batch,
        one_entry_to_retry,
        retries_send_what_failed_and_then_it_is_a_dead_letter,
        events_of_one_key_stay_in_order,
        a_batch_is_as_large_as_configured,
        a_batch_that_is_not_full_waits_for_the_tick,
        the_next_batch_waits,
        what_matches_no_rule_goes_to_the_root,
        what_cannot_be_read_is_lost,
        a_dropped_entry_may_become_another_dead_letter,
    ]);
    all.extend(cases![scopes:
        a_topic_outside_the_scope_is_refused,
        an_app_without_a_scope_may_publish_anything,
        a_subscription_outside_the_scope_gets_nothing,
        a_dead_letter_needs_the_scope,
    ]);
    all.extend(cases![state:
        what_is_put_is_there,
        an_absent_key_is_claimed_once,
        an_old_etag_loses,
        many_keys_are_each_written_on_their_own,
        a_transaction_is_all_or_nothing,
        a_transaction_with_a_taken_key_writes_nothing,
        a_key_that_a_transaction_created_is_taken,
        a_conditional_delete_needs_the_current_etag,
        a_value_expires,
        several_keys_at_once,
        keys_belong_to_their_app,
        what_is_refused_is_named,
    ]);
    all.extend(cases![jobs:
        a_job_fires_once_with_its_data,
        a_name_is_taken_until_it_is_overwritten,
        a_deleted_job_does_not_fire,
        a_404_is_a_success,
        a_failure_is_tried_three_times_more,
        a_policy_says_how_often,
        a_job_without_data_never_fires,
        repeats_are_counted,
        a_job_that_is_not_there,
        what_is_refused_is_named,
    ]);
    all.extend(cases![secrets:
        a_secret_is_read,
        what_is_not_there_is_told_apart,
    ]);
    all.extend(cases![bindings:
        a_mail_arrives,
        two_emails_in_a_row_do_not_mix,
        emails_that_are_sent_at_the_same_time_mix,
        a_field_that_is_left_out_is_that_of_the_mail_before,
        what_the_mail_server_says_is_passed_on,
        what_is_refused_is_named,
    ]);
    all.extend(cases![emails:
        a_header_is_encoded_and_folded_like_this,
        encoded_words_are_folded_as_rfc_2047_asks,
        every_body_arrives,
        an_address_that_is_none_is_named,
        an_address_may_have_a_name,
    ]);
    all.extend(cases![invocation:
        another_app_is_called,
        what_an_app_refuses_is_passed_on,
        an_unknown_app_is_named,
    ]);
    all.extend(cases![health:
        a_sidecar_says_how_it_is,
        metadata_say_the_version,
        metadata_say_how_many_calls_of_the_app_may_be_in_flight,
        an_unhealthy_app_gets_nothing,
    ]);
    all.extend(cases![concurrency:
        without_a_limit_calls_of_the_app_overlap,
        with_a_limit_of_one_no_two_calls_of_the_app_overlap,
        a_delivery_that_took_too_long_makes_room_for_the_next,
    ]);
    all.extend(cases![tokens:
        callers_must_show_the_token,
        the_app_is_shown_its_token,
    ]);
    all
}

/// The cases that a subject fails, and why.
fn expected(text: &'static str) -> BTreeMap<&'static str, &'static str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            line.split_once(": ")
                .unwrap_or_else(|| panic!("no reason in `{line}`"))
        })
        .collect()
}

fn trial(subject: &Subject, case: &Case, reason: Option<&'static str>) -> Trial {
    let (subject, run) = (subject.clone(), case.run);
    Trial::test(format!("{}/{}", subject.name(), case.name), move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(run(subject))));
        runtime.shutdown_background();
        match (result, reason) {
            (Ok(()), None) | (Err(_), Some(_)) => Ok(()),
            (Ok(()), Some(reason)) => Err(Failed::from(format!(
                "it passes, and is expected to fail: {reason}. Take it off the list."
            ))),
            (Err(panic), None) => std::panic::resume_unwind(panic),
        }
    })
}

fn main() {
    let mut arguments = Arguments::from_args();
    // Each has a sidecar of its own; with more at once, times mean little on a small machine.
    arguments.test_threads.get_or_insert(2);
    let cases = cases();
    let listed = [
        (
            "embedded",
            expected(include_str!("expected-failures/embedded.txt")),
        ),
        ("daprd", expected(include_str!("expected-failures/daprd.txt"))),
        (
            "daprd-kafka",
            expected(include_str!("expected-failures/daprd-kafka.txt")),
        ),
        (
            "daprd-redis",
            expected(include_str!("expected-failures/daprd-redis.txt")),
        ),
        (
            "daprd-rabbitmq",
            expected(include_str!("expected-failures/daprd-rabbitmq.txt")),
        ),
        (
            "daprd-postgresql",
            expected(include_str!("expected-failures/daprd-postgresql.txt")),
        ),
    ];
    for (subject, listed) in &listed {
        for name in listed.keys() {
            assert!(
                cases.iter().any(|case| case.name == *name),
                "{subject} lists {name}, which is no case"
            );
        }
    }
    let [
        (_, embedded),
        (_, daprd),
        (_, on_kafka),
        (_, on_redis),
        (_, on_rabbitmq),
        (_, on_postgresql),
    ] = listed;
    let mut trials: Vec<Trial> = cases
        .iter()
        .map(|case| trial(&Subject::Embedded, case, embedded.get(case.name).copied()))
        .collect();
    let dapr = Dapr::find();
    let kafka = dapr.as_ref().ok().zip(Kafka::find().ok());
    let redis = dapr.as_ref().ok().zip(Redis::find().ok());
    let rabbitmq = dapr.as_ref().ok().zip(RabbitMq::find().ok());
    let postgresql = dapr.as_ref().ok().filter(|_| Server::missing().is_none());
    let real = [
        (
            "daprd",
            dapr.as_ref().ok().cloned().map(Subject::Daprd),
            // Its broker delivers batches of one event.
            &[
                "pubsub/",
                "scopes/",
                "state/",
                "jobs/",
                "secrets/",
                "bindings/",
                "emails/",
                "invocation/",
                "health/",
                "concurrency/",
                "tokens/",
            ][..],
            daprd,
        ),
        (
            "daprd-kafka",
            kafka.map(|(dapr, _)| Subject::Kafka(dapr.clone())),
            &["pubsub/", "scopes/", "bulk/"],
            on_kafka,
        ),
        (
            "daprd-redis",
            redis.map(|(dapr, _)| Subject::Redis(dapr.clone())),
            &["bulk/", "scopes/", "state/"],
            on_redis,
        ),
        (
            "daprd-rabbitmq",
            rabbitmq.map(|(dapr, _)| Subject::RabbitMq(dapr.clone())),
            &["bulk/"],
            on_rabbitmq,
        ),
        (
            "daprd-postgresql",
            postgresql.cloned().map(Subject::Postgresql),
            &["state/"],
            on_postgresql,
        ),
    ];
    for (name, subject, blocks, listed) in real {
        if subject.is_none() {
            let missing = [
                dapr.as_ref().err().map(ToString::to_string),
                Kafka::find().err().map(|error| error.to_string()),
                Redis::find().err().map(|error| error.to_string()),
                RabbitMq::find().err().map(|error| error.to_string()),
                Server::missing().map(str::to_owned),
            ];
            let missing: Vec<String> = missing.into_iter().flatten().collect();
            eprintln!("the cases of {name} are ignored: {}", missing.join("; "));
        }
        let of_blocks = |case: &&Case| blocks.iter().any(|block| case.name.starts_with(block));
        for case in cases.iter().filter(of_blocks) {
            trials.push(match &subject {
                Some(subject) => trial(subject, case, listed.get(case.name).copied()),
                None => Trial::test(format!("{name}/{}", case.name), || Ok(())).with_ignored_flag(true),
            });
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}
