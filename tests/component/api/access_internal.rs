//! Routes that only the sidecar calls, of all services.

use http::Method;
use nudge_contract::names::{app, route};
use nudge_test_kit::http::Call;

use crate::support::{APP_TOKEN, Service, Setup, json, send};

/// The routes of a service, with something in the place of their parameters.
fn routes(id: &str) -> Vec<(Method, String)> {
    let own = route::SIDECAR_ONLY.iter().filter(|(app, _, _)| *app == id);
    own.map(|(_, method, path)| {
        let path = path
            .replace("{id}", "018f0000-0000-7000-8000-000000000001")
            .replace("{name}", "relay");
        (method.parse().expect("a method"), path)
    })
    .collect()
}

#[test]
fn every_route_is_either_the_sidecars_or_open() {
    let source = include_str!("../../../crates/contract/src/names.rs");
    let (_, module) = source.split_once("pub mod route {").expect("the module");
    let named: Vec<&str> = module
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub const ")?.split_once(": &str = \""))
        .map(|(_, value)| value.trim_end_matches("\";"))
        .collect();
    assert!(named.len() > 10, "{named:?}");
    for path in named {
        let closed = route::SIDECAR_ONLY.iter().any(|(_, _, route)| *route == path);
        assert!(
            closed != route::OPEN.contains(&path),
            "{path}: list it in SIDECAR_ONLY or OPEN"
        );
    }
}

#[tokio::test]
async fn only_the_sidecar_calls_internal_routes() {
    for id in app::ALL.into_iter().chain([app::LEGACY_ADAPTER]) {
        let service = Service::start(id).await;
        let routes = routes(id);
        assert!(!routes.is_empty(), "{id}");
        for (method, path) in routes {
            let status = async |call: Call| send(call).await.status.as_u16();
            let anybody = || service.anybody().call(method.clone(), &path);
            let without_token = status(anybody()).await;
            let person = status(service.user("alice").call(method.clone(), &path)).await;
            let wrong = status(anybody().header("dapr-api-token", format!("{APP_TOKEN}x"))).await;
            let short = status(anybody().header("dapr-api-token", &APP_TOKEN[1..])).await;
            assert_eq!(
                (without_token, person, wrong, short),
                (401, 401, 403, 403),
                "{id} {path}"
            );
            let sidecar = status(service.sidecar().call(method.clone(), &path)).await;
            assert!(![401, 403, 405].contains(&sidecar), "{id} {path}: {sidecar}");
        }
    }
}

#[tokio::test]
async fn without_an_app_token_no_caller_is_the_sidecar() {
    for id in app::ALL.into_iter().chain([app::LEGACY_ADAPTER]) {
        let service = Setup::new(id).variable("dapr_app_token", "").start().await;
        for (method, path) in routes(id) {
            let answer = send(service.anybody().call(method, &path).header("dapr-api-token", "")).await;
            assert_eq!(json(&answer, 403)["code"], "no_app_token", "{id} {path}");
        }
    }
}
