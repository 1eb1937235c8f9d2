//! The kubelet's gRPC interfaces, generated from `proto/` by `just generate`; a test compares the
//! two.

mod counted_codec;

pub use counted_codec::{CountedCodec, CountedDecoder};

use prost::Message;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Calls a method that has one response, such as `/v1beta1.Registration/Register`.
///
/// # Errors
/// Those of gRPC and of the server.
pub(crate) async fn call<Q, R>(
    client: &mut Grpc<Channel>,
    method: &'static str,
    request: Q,
) -> Result<R, Status>
where
    Q: Message + 'static,
    R: Message + Default + 'static,
{
    let not_ready = |error| Status::unknown(format!("Service was not ready: {error}"));
    client.ready().await.map_err(not_ready)?;
    let (request, method) = (Request::new(request), PathAndQuery::from_static(method));
    let codec = CountedCodec::<Q, R>::default();
    Ok(client.unary(request, method, codec).await?.into_inner())
}

/// The device plugin API.
pub mod v1beta1 {
    #![allow(missing_docs, reason = "generated; documented in proto/device_plugin.proto")]

    include!("api/v1beta1.rs");
}

/// The pod resources API.
pub mod v1 {
    #![allow(missing_docs, reason = "generated; documented in proto/pod_resources.proto")]

    include!("api/v1.rs");
}
