//! What an agent may ask for over REST. Its token stands for its user, so everything else is as for them: the limits, and whose data it is.
//! `mcp/tools.rs` has the same rule for tools.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use nudge_component::Problem;
use nudge_contract::agent::Scope;

/// Paths whose POST changes nothing.
const READS: [&str; 1] = ["/api/v1/tasks/parse"];

/// Middleware of the routes for users: 403 when an agent with the scope `read` asks for a change.
pub(crate) async fn limit(request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let user = crate::auth::user(&mut parts).await?;
    let reads = [Method::GET, Method::HEAD].contains(&parts.method) || READS.contains(&parts.uri.path());
    match &user.agent {
        Some(agent) if agent.scope == Scope::Read && !reads => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "this agent may only read, its scope is read: a change needs an agent with the scope write",
        )
        // RFC 6750, section 3.1.
        .header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer error=\"insufficient_scope\", scope=\"write\""),
        )),
        _ => Ok(next.run(Request::from_parts(parts, body)).await),
    }
}

/// Middleware of the routes that are for users themselves: 403 for any agent. One that could create agents or revoke tokens would outlive
/// its own removal, and the account is not what it was given a token for.
pub(crate) async fn users_only(request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    if crate::auth::user(&mut parts).await?.agent.is_some() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "not_for_agents",
            "agents may use tasks, categories and tags, and not the account: do this with a token of your own",
        ));
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}
