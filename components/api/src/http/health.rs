//! Health: `live` says that the component runs, `ready` that it can do its work.

use nudge_component::Problem;
use nudge_component::dapr::health;
use nudge_component::publish::describe;
use nudge_component::readiness::Readiness;
use nudge_component::serve::Json;
use serde::Serialize;

use crate::db::Database;
use crate::tasks::store;

#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
}

pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// 503 while database or sidecar are away.
pub(super) async fn ready() -> Result<Json<Health>, Problem> {
    static READINESS: Readiness = Readiness::new();
    READINESS
        .check(async || {
            store::ping(&Database::open().await?).await?;
            health::check()
                .await
                .map_err(|error| Problem::unavailable("the Dapr sidecar", describe(&error)))
        })
        .await?;
    Ok(Json(Health { status: "ready" }))
}
