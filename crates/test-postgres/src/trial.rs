//! Tests that need a server.

use libtest_mimic::{Failed, Trial};

use crate::Server;

/// A test with a server of its own, on one thread. On a machine without PostgreSQL it is ignored, and counted so; if
/// `NUDGE_REQUIRE_POSTGRES` is `yes`, it fails there.
pub fn trial<T: Future<Output = ()>>(name: &str, test: impl FnOnce(Server) -> T + Send + 'static) -> Trial {
    let missing = Server::missing();
    if let Some(missing) = missing
        && is_required()
    {
        let reason = format!("NUDGE_REQUIRE_POSTGRES is yes, and {missing}");
        return Trial::test(name, || Err(Failed::from(reason)));
    }
    test_trial::trial_on_one_thread(name, missing.map(str::to_owned), || async {
        test(Server::start().await).await;
    })
}

fn is_required() -> bool {
    std::env::var_os("NUDGE_REQUIRE_POSTGRES").is_some_and(|required| required == "yes")
}
