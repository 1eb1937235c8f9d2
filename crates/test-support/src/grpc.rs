//! gRPC over Unix sockets without generated code: the client and server of single methods, named
//! as in `/v1beta1.Registration/Register`.

use std::path::Path;

use axum::Router;
use axum::extract::Request as HttpRequest;
use axum::routing::post;
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::AbortHandle;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

/// A connection to a server. Responses have at most 4 MiB.
#[derive(Debug, Clone)]
pub struct Client(Grpc<Channel>);

impl Client {
    /// Connects to a socket.
    ///
    /// # Errors
    /// If no server accepts.
    pub async fn connect(socket: &Path) -> Result<Self, tonic::transport::Error> {
        let path = socket.to_owned();
        let connector = tower::service_fn(move |_| {
            let path = path.clone();
            async move { Ok::<_, std::io::Error>(TokioIo::new(UnixStream::connect(path).await?)) }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        Ok(Self(Grpc::new(endpoint.connect_with_connector(connector).await?)))
    }

    /// Calls a method that has one response.
    ///
    /// # Errors
    /// Those of gRPC and of the server.
    pub async fn call<Q, R>(&mut self, method: &'static str, request: Q) -> Result<R, Status>
    where
        Q: Message + 'static,
        R: Message + Default + 'static,
    {
        self.ready().await?;
        let (request, method) = (Request::new(request), PathAndQuery::from_static(method));
        Ok(self.0.unary(request, method, ProstCodec::<Q, R>::default()).await?.into_inner())
    }

    /// Calls a method that has a stream of responses.
    ///
    /// # Errors
    /// Those of gRPC and of the server.
    pub async fn stream<Q, R>(
        &mut self,
        method: &'static str,
        request: Q,
    ) -> Result<Streaming<R>, Status>
    where
        Q: Message + 'static,
        R: Message + Default + 'static,
    {
        self.ready().await?;
        let (request, method) = (Request::new(request), PathAndQuery::from_static(method));
        let codec = ProstCodec::<Q, R>::default();
        Ok(self.0.server_streaming(request, method, codec).await?.into_inner())
    }

    async fn ready(&mut self) -> Result<(), Status> {
        self.0.ready().await.map_err(|error| Status::unknown(error.to_string()))
    }
}

/// Serves one method, which has one response, until the task is aborted.
pub fn serve<Q, R, F>(
    listener: UnixListener,
    method: &str,
    respond: impl Fn(Q) -> F + Clone + Send + Sync + 'static,
) -> AbortHandle
where
    Q: Message + Default + 'static,
    R: Message + 'static,
    F: Future<Output = Result<R, Status>> + Send + 'static,
{
    let respond = post(move |request: HttpRequest| async move {
        let service = tower::service_fn(move |request: Request<Q>| {
            let response = respond(request.into_inner());
            async move { response.await.map(Response::new) }
        });
        let codec = ProstCodec::<R, Q>::default();
        tonic::server::Grpc::new(codec).unary(service, request).await
    });
    let server = Server::builder()
        .add_routes(Router::new().route(method, respond).into())
        .serve_with_incoming(UnixListenerStream::new(listener));
    tokio::spawn(server).abort_handle()
}
