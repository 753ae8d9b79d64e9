//! Health: `live` says that the component runs, `ready` that it can do its work.

use nudge_component::Problem;
use nudge_component::dapr::health;
use nudge_component::publish::describe;
use nudge_component::readiness::Readiness;
use nudge_component::serve::Json;
use serde::Serialize;

use crate::db::Database;
use crate::public_url;
use crate::tasks::store;

#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
    /// What an operator should set, although the service works.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

pub(super) async fn live() -> Json<Health> {
    Json(Health {
        status: "live",
        warnings: Vec::new(),
    })
}

/// 503 while database or sidecar are away. A missing `public_url` is a warning: reminders are sent without it.
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
    let warning = match public_url::read().await {
        Ok(Some(_)) => None,
        Ok(None) => Some(
            "public_url is not set: no email has a link, so recipients cannot stop emails and users cannot set an address".to_owned(),
        ),
        Err(reason) => Some(reason),
    };
    Ok(Json(Health {
        status: "ready",
        warnings: warning.into_iter().collect(),
    }))
}
