//! Routes of the profile, of agents, and of the account.

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use super::client::Limit;
use super::tasks::object;
use super::{Agent, Api, ApiError, Call, Me, NewAgent, Token};

/// An export may be long.
const EXPORT: std::time::Duration = std::time::Duration::from_secs(300);

impl Api {
    /// The profile and its entity tag.
    pub(crate) async fn me(&self) -> Result<(Me, Option<String>), ApiError> {
        let answered = self.send(Call::get("/api/v1/me")).await?;
        Ok((answered.read()?, answered.etag))
    }

    /// Changes the profile, if it is still that of the entity tag.
    pub(crate) async fn patch_me(
        &self,
        patch: &Map<String, Value>,
        tag: Option<String>,
    ) -> Result<(Me, Option<String>), ApiError> {
        let call = Call::new("PATCH", "/api/v1/me").if_match(tag).json(patch);
        let answered = self.send(call).await?;
        Ok((answered.read()?, answered.etag))
    }

    /// Sends emails to the address again.
    pub(crate) async fn resume_email(&self) -> Result<Me, ApiError> {
        self.read(Call::post("/api/v1/me/email/resume", None)).await
    }

    /// Refuses all tokens that were issued until now.
    pub(crate) async fn revoke_tokens(&self) -> Result<(), ApiError> {
        self.send(Call::post("/api/v1/me/tokens/revoke", None)).await?;
        Ok(())
    }

    pub(crate) async fn agents(&self) -> Result<Vec<Agent>, ApiError> {
        #[derive(Deserialize)]
        struct Agents {
            items: Vec<Agent>,
        }
        let agents: Agents = self.read(Call::get("/api/v1/agents")).await?;
        Ok(agents.items)
    }

    pub(crate) async fn create_agent(
        &self,
        name: &str,
        scope: &str,
        days: Option<u32>,
    ) -> Result<NewAgent, ApiError> {
        let body = object([
            ("name", Some(name.into())),
            ("scope", Some(scope.into())),
            ("days", days.map(Value::from)),
        ]);
        let answered = self.send(Call::post("/api/v1/agents", None).json(&body)).await?;
        // Read one by one: serde's `flatten` reads a type with code of its own.
        let Token { token } = answered.read()?;
        Ok(NewAgent {
            agent: answered.read()?,
            token,
        })
    }

    pub(crate) async fn revoke_agent(&self, id: Uuid) -> Result<(), ApiError> {
        self.send(Call::new("DELETE", format!("/api/v1/agents/{id}")))
            .await?;
        Ok(())
    }

    /// All data of the user, as one JSON document.
    pub(crate) async fn export(&self) -> Result<Blob, ApiError> {
        let limit = Limit::new(EXPORT)?;
        let call = Call::get("/api/v1/me/export");
        let response = self.open(&call, &limit.controller.signal()).await?;
        let unreadable = |_| ApiError::Unreadable("the export broke off".to_owned());
        let blob = JsFuture::from(response.blob().map_err(unreadable)?)
            .await
            .map_err(|_| ApiError::Offline)?;
        blob.dyn_into().map_err(unreadable)
    }

    /// Deletes the account with all data.
    pub(crate) async fn delete_account(&self) -> Result<(), ApiError> {
        self.send(Call::new("DELETE", "/api/v1/me")).await?;
        Ok(())
    }
}
