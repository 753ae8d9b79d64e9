//! Service invocation: <https://docs.dapr.io/reference/api/service_invocation_api/>.

use http::Method;

use crate::Bridge;
use crate::bindings::Error;
use crate::bindings::exports::nudge::dapr::invocation::{Guest, Request, Response};
use crate::error;
use crate::sidecar::{Call, segment};

impl Guest for Bridge {
    async fn invoke(app_id: String, request: Request) -> Result<Response, Error> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| error::invalid(format!("{:?} is not an HTTP method", request.method)))?;
        let path = format!(
            "/v1.0/invoke/{}/method/{}",
            segment(&app_id),
            request.path.trim_start_matches('/')
        );
        let mut call = Call::new(method, path);
        if let Some(traceparent) = request.traceparent {
            call = call.header("traceparent", traceparent);
        }
        if let Some(body) = request.body {
            call = call.json(body);
        }
        let answer = call.send().await?;
        let failure = error::failure(answer.status, &answer.body);
        // The app's own errors are passed on; those of the sidecar have its `errorCode`, or refuse the token.
        let sidecars = failure.code.as_deref() == Some("ERR_DIRECT_INVOKE")
            || (answer.status == 401 && failure.message == "invalid api token");
        if sidecars {
            return Err(error::classify(answer.status, &answer.body));
        }
        Ok(Response {
            status: answer.status,
            body: answer.body.to_vec(),
        })
    }
}
