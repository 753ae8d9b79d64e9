//! `wasi:http/client` and `outgoing-handler`: checks the destination and sends the request.
//!
//! Plain HTTP uses kept connections ([`http_client`](crate::http_client)), HTTPS opens one for each request. Timeouts are those of
//! the request options, 600 s where they are not set.

use std::sync::Arc;

use http::uri::Scheme;
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::allowed_hosts::{AllowedHosts, Destination};
use crate::http_client::HttpClient;

/// Outbound HTTP of one component.
pub(crate) struct OutboundHttp {
    pub(crate) component: Arc<str>,
    pub(crate) allowed: Arc<AllowedHosts>,
    pub(crate) http_client: Arc<HttpClient>,
}

/// A future that the caller polls until the exchange is over.
type InputOutput = Box<dyn Future<Output = Result<(), Error>> + Send>;

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
        _response_processed: InputOutput,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, InputOutput), Error>> + Send> {
        let allowed = self.check(request.uri());
        let http_client = self.http_client.clone();
        Box::new(async move {
            allowed?;
            if request.uri().scheme() == Some(&Scheme::HTTP) {
                let response = http_client.send(request, options).await?;
                return Ok((response, Box::new(std::future::ready(Ok(()))) as InputOutput));
            }
            let (response, io) = default_send_request(request, options).await?;
            Ok((response.map(BodyExt::boxed_unsync), Box::new(io) as InputOutput))
        })
    }
}
