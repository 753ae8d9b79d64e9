//! `spin:postgres`, against a PostgreSQL server of this machine. Without one it is ignored, and counted so.

#![allow(clippy::expect_used, clippy::panic)] // clippy.toml allows them in tests, not in what tests share.
#![allow(dead_code, reason = "`host` uses the rest of `support`")]

mod support;

use expect_test::expect;
use libtest_mimic::Arguments;
use test_postgres::{Server, trial};

use support::{Setup, app, post};

fn main() {
    let trials = vec![
        trial(
            "values_go_to_the_database_and_come_back",
            values_go_to_the_database_and_come_back,
        ),
        trial(
            "a_handle_is_one_connection_and_errors_of_the_server_have_their_code",
            a_handle_is_one_connection_and_errors_of_the_server_have_their_code,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

async fn values_go_to_the_database_and_come_back(server: Server) {
    let host = Setup::new(app("allowed_outbound_hosts = [\"postgres://127.0.0.1:*\"]"))
        .start()
        .await;
    let query = |parameters: &str| format!("/pg/{parameters}?{}", server.url());
    let statement = "SELECT $1::bool AS a, $2::int2, $3::int4, $4::int8, $5::float4, $6::float8, $7::text, \
                     $8::bytea, $9::date, $10::time, $11::timestamp, $12::timestamptz AT TIME ZONE 'UTC', \
                     $13::uuid, $14::jsonb, $15::int4[], $16::text[], $17::text";
    expect![[r#"
        a DbDataType::Boolean, int2 DbDataType::Int16, int4 DbDataType::Int32, int8 DbDataType::Int64, float4 DbDataType::Floating32, float8 DbDataType::Floating64, text DbDataType::Str, bytea DbDataType::Binary, date DbDataType::Date, time DbDataType::Time, timestamp DbDataType::Datetime, timezone DbDataType::Datetime, uuid DbDataType::Uuid, jsonb DbDataType::Jsonb, int4 DbDataType::ArrayInt32, text DbDataType::ArrayStr, text DbDataType::Str
        DbValue::Boolean(true)
        DbValue::Int16(-2)
        DbValue::Int32(-4)
        DbValue::Int64(-8)
        DbValue::Floating32(0.5)
        DbValue::Floating64(0.25)
        DbValue::Str("text")
        DbValue::Binary([0, 255])
        DbValue::Date((2026, 2, 28))
        DbValue::Time((23, 59, 58, 123456000))
        DbValue::Datetime((1969, 12, 31, 1, 2, 3, 4000))
        DbValue::Datetime((1970, 1, 2, 0, 0, 0, 0))
        DbValue::Uuid("01890a5d-ac96-774b-bcce-b302099a8057")
        DbValue::Jsonb([123, 34, 97, 34, 58, 91, 49, 44, 110, 117, 108, 108, 93, 125])
        DbValue::ArrayInt32([Some(1), None])
        DbValue::ArrayStr([Some("x"), None])
        DbValue::DbNull"#]].assert_eq(&post(&host, &query("all"), statement).await);
    expect![[
        r#"PgError(Error::ValueConversionFailed("column price has type numeric, which cannot be read"))"#
    ]]
    .assert_eq(&post(&host, &query("none"), "SELECT 1.5 AS price").await);
    expect![[
        r#"PgError(Error::ValueConversionFailed("column at has type timestamptz, which cannot be read"))"#
    ]]
    .assert_eq(&post(&host, &query("none"), "SELECT now() AS at").await);
    expect![[r#"PgError(Error::BadParameter("numeric parameters are not supported by this host"))"#]]
        .assert_eq(&post(&host, &query("decimal"), "SELECT $1::numeric").await);
    expect![[""]].assert_eq(&post(&host, &query("none"), "SELECT 1 WHERE false").await);
    expect![[r#"
        address DbDataType::Other("inet")
        DbValue::Unsupported([2, 32, 0, 4, 127, 0, 0, 1])"#]]
    .assert_eq(&post(&host, &query("none"), "SELECT '127.0.0.1'::inet AS address").await);
}

async fn a_handle_is_one_connection_and_errors_of_the_server_have_their_code(server: Server) {
    let host = Setup::new(app("allowed_outbound_hosts = [\"postgres://127.0.0.1:*\"]"))
        .start()
        .await;
    let query = format!("/pg/none?{}", server.url());
    assert_eq!(
        post(&host, &query, "execute CREATE TABLE t (a int PRIMARY KEY)").await,
        "Ok(0)"
    );
    assert_eq!(
        post(&host, &query, "execute INSERT INTO t VALUES (1), (2)").await,
        "Ok(2)"
    );
    let error = post(&host, &query, "execute INSERT INTO t VALUES (1)").await;
    assert!(
        error.contains("code: \"23505\"") && error.contains("(\"constraint\", \"t_pkey\")"),
        "{error}"
    );
    // What one handle has set is gone for the next, which has the same connection.
    post(&host, &query, "execute SET application_name = 'mine'").await;
    let name = post(&host, &query, "SELECT current_setting('application_name')").await;
    assert!(name.ends_with("DbValue::Str(\"\")"), "{name}");
}
