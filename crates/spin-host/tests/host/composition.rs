//! Components that depend on others.

use std::sync::Arc;

use spin_host::{ComponentState, Extension};
use wasmtime::component::{Accessor, HasSelf, Linker};

use crate::support::{Recorder, Setup, chain, component, fixture, get, head, start};

mod user {
    wasmtime::component::bindgen!({
        path: "tests/fixtures/wit",
        world: "user",
        imports: { default: async | trappable },
    });
}

mod bridge {
    wasmtime::component::bindgen!({ path: "tests/fixtures/wit", world: "bridge", exports: { default: async | store } });
}

/// A manifest with the fixture `user` at `/user/...`, its capabilities and these dependencies.
fn manifest(dependencies: &str) -> String {
    let capabilities = "sqlite_databases = [\"default\"]\nenvironment = { A = \"b\" }\nvariables = { word = \"hi\" }\n\
                        allowed_outbound_hosts = [\"http://127.0.0.1:*\"]\n";
    format!(
        "{}[[trigger.http]]\nroute = \"/user/...\"\ncomponent = \"user\"\n{}{capabilities}\
         [component.user.dependencies]\n{dependencies}\n{}",
        head(),
        component("user"),
        component("bridge"),
    )
}

async fn refused(dependencies: &str) -> String {
    chain(
        &Setup::new(manifest(dependencies))
            .builder()
            .build()
            .await
            .err()
            .expect("refused"),
    )
}

#[tokio::test]
async fn a_dependency_inherits_nothing_by_default() {
    let mut recorder = Recorder::start().await;
    let host = Setup::new(manifest("\"test:bridge\" = { component = \"bridge\" }"))
        .start()
        .await;
    assert_eq!(get(&host, "/user/say?x").await.1, "bridge: x");
    assert_eq!(
        get(&host, &format!("/user/http?http://{}/", recorder.address))
            .await
            .1,
        "ErrorCode::InternalError(Some(\"\\\"wasi:http/client\\\" is not permitted\"))"
    );
    assert_eq!(recorder.arrived(), None);
    assert_eq!(
        get(&host, "/user/variable?word").await.1,
        "Error::Undefined(\"word\")"
    );
    assert_eq!(get(&host, "/user/database").await.1, "Error::AccessDenied");
    assert_eq!(get(&host, "/user/environment").await.1, "0");
}

#[tokio::test]
async fn a_dependency_uses_what_it_inherits_and_nothing_else() {
    let recorder = Recorder::start().await;
    let inherit = "\"test:bridge@0.1.0\" = { component = \"bridge\", inherit_configuration = [\"allowed_outbound_hosts\", \"variables\"] }";
    let host = Setup::new(manifest(inherit)).start().await;
    assert_eq!(
        get(&host, &format!("/user/http?http://{}/", recorder.address))
            .await
            .1,
        "200"
    );
    assert_eq!(
        get(&host, "/user/http?http://localhost:1/").await.1,
        "ErrorCode::HttpRequestDenied"
    );
    assert_eq!(get(&host, "/user/variable?word").await.1, "hi");
    assert_eq!(get(&host, "/user/database").await.1, "Error::AccessDenied");
    assert_eq!(get(&host, "/user/environment").await.1, "0");
}

#[tokio::test]
async fn a_dependency_by_path_can_inherit_all() {
    let dependency = format!(
        "\"test:bridge\" = {{ path = {:?}, inherit_configuration = true }}",
        fixture("bridge")
    );
    let host = Setup::new(manifest(&dependency)).start().await;
    assert_eq!(get(&host, "/user/variable?word").await.1, "hi");
    assert_eq!(get(&host, "/user/database").await.1, "open");
    assert_eq!(get(&host, "/user/environment").await.1, "1");
}

#[tokio::test]
async fn each_entry_is_an_instance_with_its_own_inheritance() {
    let dependencies = "\"test:bridge/echo\" = { component = \"bridge\" }\n\
                        \"test:bridge/reach\" = { component = \"bridge\", inherit_configuration = [\"variables\"] }";
    let host = Setup::new(manifest(dependencies)).start().await;
    assert_eq!(get(&host, "/user/say?x").await.1, "bridge: x");
    assert_eq!(get(&host, "/user/variable?word").await.1, "hi");
}

#[tokio::test]
async fn a_dependency_that_nothing_imports_is_refused() {
    let text = refused("\"test:other\" = { component = \"bridge\" }").await;
    assert!(
        text.starts_with(
            "component \"user\": dependency test:other does not match any import; the imports are "
        ),
        "{text}"
    );
    assert!(text.contains("test:bridge/echo@0.1.0"), "{text}");
}

#[tokio::test]
async fn a_dependency_without_the_export_is_refused() {
    let dependency = format!("\"test:bridge\" = {{ path = {:?} }}", fixture("app"));
    assert_eq!(
        refused(&dependency).await,
        "component \"user\": dependency test:bridge does not export test:bridge/echo@0.1.0, which import \
         test:bridge/echo@0.1.0 needs"
    );
}

#[tokio::test]
async fn an_import_that_no_component_satisfies_is_refused_by_name() {
    let text = refused("\"test:bridge/echo\" = { component = \"bridge\" }").await;
    assert!(text.starts_with("component \"user\": cannot be loaded"), "{text}");
    assert!(text.contains("test:bridge/reach@0.1.0"), "{text}");
}

#[tokio::test]
async fn a_missing_source_is_refused_with_its_path() {
    let manifest = manifest("\"test:bridge\" = { path = \"missing.wasm\" }");
    let setup = Setup::new(manifest);
    let text = chain(&setup.builder().build().await.err().expect("refused"));
    let path = setup.folder.path().join("missing.wasm");
    assert!(
        text.starts_with(&format!(
            "component \"user\": {} cannot be read; has it been built?",
            path.display()
        )),
        "{text}"
    );
}

/// Replaces the bridge, with a name for each instance.
struct StandIn {
    name: Arc<str>,
}

impl Extension for StandIn {
    fn packages(&self) -> &[&str] {
        &["test:bridge"]
    }

    fn link(&self, linker: &mut Linker<ComponentState>, _: &str) -> wasmtime::Result<()> {
        user::User::add_to_linker::<_, HasSelf<ComponentState>>(linker, |state| state)
    }

    fn prepare(&self, state: &mut ComponentState) {
        state.data().insert(self.name.clone());
    }
}

impl user::test::bridge::echo::Host for ComponentState {}

impl<T: 'static> user::test::bridge::echo::HostWithStore<T> for HasSelf<ComponentState> {
    async fn say(accessor: &Accessor<T, Self>, text: String) -> wasmtime::Result<String> {
        let name = accessor.with(|mut access| access.get().data().get::<Arc<str>>().cloned());
        Ok(format!("{}: {text}", name.expect("prepared")))
    }
}

impl user::test::bridge::reach::Host for ComponentState {}

impl<T: 'static> user::test::bridge::reach::HostWithStore<T> for HasSelf<ComponentState> {
    async fn http(_: &Accessor<T, Self>, url: String) -> wasmtime::Result<String> {
        Ok(url)
    }

    async fn variable(_: &Accessor<T, Self>, name: String) -> wasmtime::Result<String> {
        Ok(name)
    }

    async fn database(_: &Accessor<T, Self>) -> wasmtime::Result<String> {
        Ok("none".into())
    }

    async fn environment(_: &Accessor<T, Self>) -> wasmtime::Result<u32> {
        Err(wasmtime::format_err!("the stand-in has no environment"))
    }
}

#[tokio::test]
async fn an_extension_of_the_host_replaces_a_dependency() {
    let setup = Setup::new(manifest("\"test:bridge\" = { path = \"missing.wasm\" }"));
    let host = start(setup.builder().extension(Arc::new(StandIn {
        name: "stand-in".into(),
    })))
    .await;
    assert_eq!(get(&host, "/user/say?x").await.1, "stand-in: x");
    assert_eq!(get(&host, "/user/environment").await.0, 500);
}

#[tokio::test]
async fn a_test_calls_an_export_directly() {
    let setup = Setup::new(manifest("\"test:bridge\" = { component = \"bridge\" }"));
    let host = start(setup.builder().components(["bridge"])).await;
    let (mut store, instance) = host
        .component("bridge")
        .expect("selected")
        .instantiate()
        .await
        .expect("an instance");
    let exports = bridge::Bridge::new(&mut store, &instance).expect("the world of the fixture");
    let said = store
        .run_concurrent(async |accessor| exports.test_bridge_echo().call_say(accessor, "x".into()).await)
        .await
        .expect("no trap")
        .expect("no trap");
    assert_eq!(said, "bridge: x");
    let missing = host.component("user").err().expect("not selected");
    assert_eq!(
        missing.to_string(),
        "there is no component \"user\"; the components are bridge"
    );
}
