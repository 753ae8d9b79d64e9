//! `wasi:http/client` and `outgoing-handler`: the check of the destination, and the request itself.
//!
//! Plain HTTP goes over kept connections ([`connections`](crate::connections)), HTTPS over one of its own each. Timeouts are the
//! request options', 600 s where they are not set.

use std::sync::Arc;

use http::uri::Scheme;
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::allowed_hosts::{AllowedHosts, Destination};
use crate::connections::Connections;

/// Outbound HTTP of one component.
pub(crate) struct OutboundHttp {
    pub(crate) component: Arc<str>,
    pub(crate) allowed: Arc<AllowedHosts>,
    pub(crate) connections: Arc<Connections>,
}

type Sent = Result<
    (
        http::Response<WasiBody>,
        Box<dyn Future<Output = Result<(), Error>> + Send>,
    ),
    Error,
>;

impl OutboundHttp {
    fn check(&self, uri: &http::Uri) -> Result<(), Error> {
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        let scheme = uri.scheme_str().unwrap_or("https");
        let destination = Destination::new(scheme, authority.host(), authority.port_u16())
            .ok_or(Error::HttpRequestUriInvalid)?;
        if self.allowed.allow(&destination) {
            return Ok(());
        }
        tracing::warn!(component = &*self.component, %destination, "outbound request denied: add the address to allowed_outbound_hosts");
        Err(Error::HttpRequestDenied)
    }
}

impl WasiHttpHooks for OutboundHttp {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let allowed = self.check(request.uri());
        let connections = self.connections.clone();
        Box::new(async move {
            allowed?;
            if request.uri().scheme() == Some(&Scheme::HTTP) {
                return connections.send(request, options).await;
            }
            let (response, io) = default_send_request(request, options).await?;
            Ok((
                response.map(BodyExt::boxed_unsync),
                Box::new(io) as Box<dyn Future<Output = _> + Send>,
            ))
        })
    }
}
