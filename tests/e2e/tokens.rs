//! Each app and its sidecar have tokens of their own.

use http::Method;
use nudge::DataDir;
use nudge_contract::names::app;
use nudge_test_kit::http::Call;

use crate::support::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_the_api_opens_no_other_sidecar() {
    let bench = Bench::start().await;
    let data = DataDir::open(bench.folder.path()).unwrap();
    let token = data.running().unwrap().expect("it is running").token;
    let mut asked = 0;
    for (id, sidecar) in bench.system().sidecars() {
        let call = Call::new(sidecar, Method::GET, "/v1.0/metadata").header("dapr-api-token", token.as_str());
        let expected = if id == app::API { 200 } else { 401 };
        assert_eq!(call.send().await.unwrap().status, expected, "{id}");
        asked += 1;
    }
    assert_eq!(asked, app::ALL.len());
}
