//! Messages about refused manifests. `UPDATE_EXPECT=1` updates them.

use expect_test::{Expect, expect};
use spin_host::Manifest;

fn check(text: &str, expected: Expect) {
    let text = format!("spin_manifest_version = 2\n[application]\nname = \"test\"\n{text}");
    match Manifest::parse("app/spin.toml", &text) {
        Ok(_) => expected.assert_eq("accepted"),
        Err(error) => expected.assert_eq(error.to_string().trim_end()),
    }
}

#[test]
fn accepts_everything_that_this_host_supports() {
    check(
        r#"
description = "tasks"
authors = ["The authors"]
[application.tool.editor]
anything = 1
[variables]
sidecar = { default = "http://127.0.0.1:3500" }
token = { required = true, secret = true }
[[trigger.http]]
id = "api"
route = "/api/:version/..."
component = "api"
[component.api]
source = "api.wasm"
description = "the api"
environment = { A = "b" }
files = ["web/**/*", { source = "web", destination = "/" }]
allowed_outbound_hosts = ["{{ sidecar }}"]
variables = { token = "{{ token }}" }
sqlite_databases = ["default"]
[component.api.dependencies]
"nudge:dapr" = { component = "bridge", inherit_configuration = ["allowed_outbound_hosts"] }
"test:log/log@0.1.0" = { path = "log.wasm", export = "my-log", inherit_configuration = true }
[component.api.build]
command = ["true", "cargo build"]
workdir = "components/api"
watch = ["src/**/*.rs"]
[component.api.tool.editor]
anything = 2
[component.bridge]
source = "bridge.wasm"
"#,
        expect!["accepted"],
    );
}

#[test]
fn refuses_an_unsupported_capability() {
    check(
        "[component.a]\nsource = \"a.wasm\"\nkey_value_stores = [\"default\"]",
        expect![[r#"
            app/spin.toml: TOML parse error at line 6, column 1
              |
            6 | key_value_stores = ["default"]
              | ^^^^^^^^^^^^^^^^
            unknown field `key_value_stores`, expected one of `source`, `description`, `variables`, `environment`, `files`, `allowed_outbound_hosts`, `sqlite_databases`, `dependencies`, `build`, `tool`"#]],
    );
}

#[test]
fn refuses_an_unknown_table() {
    check(
        "[aplication]\nname = \"x\"",
        expect![[r#"
        app/spin.toml: TOML parse error at line 4, column 2
          |
        4 | [aplication]
          |  ^^^^^^^^^^
        unknown field `aplication`, expected one of `spin_manifest_version`, `application`, `variables`, `trigger`, `component`"#]],
    );
}

#[test]
fn refuses_another_trigger() {
    check(
        "[[trigger.redis]]\nchannel = \"c\"\ncomponent = \"a\"",
        expect![[r#"
            app/spin.toml: TOML parse error at line 4, column 11
              |
            4 | [[trigger.redis]]
              |           ^^^^^
            unknown field `redis`, expected `http`"#]],
    );
}

#[test]
fn refuses_a_source_that_is_not_a_path() {
    check(
        "[component.a]\nsource = { url = \"http://127.0.0.1/a.wasm\", digest = \"sha256:0\" }",
        expect![[r#"
            app/spin.toml: TOML parse error at line 5, column 10
              |
            5 | source = { url = "http://127.0.0.1/a.wasm", digest = "sha256:0" }
              |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
            invalid type: map, expected path string"#]],
    );
}

#[test]
fn refuses_a_dependency_from_a_registry() {
    check(
        "[component.a]\nsource = \"a.wasm\"\n[component.a.dependencies]\n\"x:y\" = \"1.0\"",
        expect![[r#"
            app/spin.toml: TOML parse error at line 7, column 9
              |
            7 | "x:y" = "1.0"
              |         ^^^^^
            invalid type: string "1.0", expected a table with `component` or `path`; registries and addresses are not supported"#]],
    );
    check(
        "[component.a]\nsource = \"a.wasm\"\n[component.a.dependencies]\n\"x:y\" = { version = \"1\", package = \"x:y\" }",
        expect![[r#"
            app/spin.toml: TOML parse error at line 7, column 26
              |
            7 | "x:y" = { version = "1", package = "x:y" }
              |                          ^^^^^^^
            unknown field `package`, expected one of `component`, `path`, `export`, `inherit_configuration`"#]],
    );
}

#[test]
fn refuses_an_incomplete_or_contradictory_dependency() {
    let with = |dependency: &str, expected| {
        check(
            &format!("[component.a]\nsource = \"a.wasm\"\n[component.a.dependencies]\n{dependency}"),
            expected,
        );
    };
    with(
        "\"x:y\" = {}",
        expect![[r#"app/spin.toml: [component.a.dependencies."x:y"] needs a `component` or a `path`"#]],
    );
    with(
        "\"x:y\" = { component = \"a\", path = \"b.wasm\" }",
        expect![[
            r#"app/spin.toml: [component.a.dependencies."x:y"] has a `component` and a `path`; remove one of them"#
        ]],
    );
    with(
        "\"x:y\" = { component = \"missing\" }",
        expect![[
            r#"app/spin.toml: [component.a.dependencies."x:y"] names component "missing", which is not defined"#
        ]],
    );
    with(
        "\"x:y\" = { path = \"b.wasm\", export = \"z\" }",
        expect![[
            r#"app/spin.toml: [component.a.dependencies."x:y"] an `export` cannot satisfy a whole package; name the interface"#
        ]],
    );
    with(
        "\"x:y\" = { path = \"b.wasm\", inherit_configuration = [\"everything\"] }",
        expect![[
            r#"app/spin.toml: [component.a.dependencies."x:y"] cannot inherit "everything"; known are ai_models, allowed_outbound_hosts, environment, files, key_value_stores, sqlite_databases, variables"#
        ]],
    );
    with(
        "\"x/y\" = { path = \"b.wasm\" }",
        expect![[
            r#"app/spin.toml: [component.a.dependencies."x/y"] is neither a plain name nor namespace:package[/interface][@version]"#
        ]],
    );
}

#[test]
fn refuses_a_trigger_without_its_component() {
    check(
        "[[trigger.http]]\nroute = \"/\"\ncomponent = \"missing\"",
        expect![[
            r#"app/spin.toml: [trigger.http] route "/" names component "missing", which is not defined"#
        ]],
    );
}

#[test]
fn refuses_an_invalid_route() {
    check(
        "[[trigger.http]]\nroute = \"/a/*/b\"\ncomponent = \"a\"\n[component.a]\nsource = \"a.wasm\"",
        expect![[
            r#"app/spin.toml: [trigger.http] route "/a/*/b" has a wildcard that is not a trailing "/...""#
        ]],
    );
}

#[test]
fn refuses_a_variable_that_is_neither_required_nor_has_a_default() {
    check(
        "[variables]\na = {}",
        expect!["app/spin.toml: [variables.a] needs a `default` or `required = true`"],
    );
    check(
        "[variables]\na = { required = true, default = \"x\" }",
        expect!["app/spin.toml: [variables.a] has a default, so it cannot be `required`"],
    );
    check(
        "[variables]\nBad = { default = \"x\" }",
        expect![[
            r#"app/spin.toml: [variables.Bad] variable name "Bad" is not made of lower-case letters, digits and single underscores"#
        ]],
    );
}

#[test]
fn refuses_another_manifest_version() {
    let error = Manifest::parse(
        "spin.toml",
        "spin_manifest_version = 1\n[application]\nname = \"a\"\n",
    );
    expect!["spin.toml: [spin_manifest_version] is 1, only 2 is supported"]
        .assert_eq(&error.expect_err("version 1").to_string());
}

#[test]
fn refuses_a_missing_file() {
    let error = Manifest::load("nowhere/spin.toml").expect_err("no such file");
    expect!["nowhere/spin.toml: cannot be read"].assert_eq(&error.to_string());
}
