//! The admission webhook: [`injection`](crate::injection) for each created pod.
//!
//! It never refuses a pod. Unreadable reviews get an HTTP client error, upon which the API server
//! applies the webhook's failure policy. Reviews trigger no other requests.
//!
//! The webhook issues its own certificates: an authority and a serving certificate, which the
//! replicas share in a Secret and renew in time.

mod authority_bundle;
mod body;
mod body_budget;
mod certificate;
mod certificate_manager;
mod limits;
mod metrics;
mod review;
mod router;
mod secret;
mod served_certificate;
mod server_clock;

pub use certificate::ServiceName;
pub use metrics::Metrics;
pub use router::PATH;

use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use kube::Client;
use tokio::net::TcpListener;

use crate::injection::Settings;
use certificate_manager::CertificateManager;
use limits::Limits;
use served_certificate::ServedCertificate;

/// The configuration of a webhook.
pub struct Options {
    /// The settings of injection.
    pub settings: Settings,
    /// The service by which the API server reaches the webhook.
    pub service: ServiceName,
    /// The Secret in the service's namespace with the certificates and their keys. The client needs
    /// the permissions to get and update it, and to create Secrets.
    pub secret: String,
    /// The `MutatingWebhookConfiguration` with the trusted authorities. The client needs the
    /// permissions to get and patch it.
    pub configuration: String,
    /// The API server.
    pub client: Client,
    /// The local clock. Certificates are issued by the API server's time; while the clocks differ,
    /// none are renewed.
    pub clock: Clock,
    /// The memory limit of the process in bytes, taken as between 64 and 512 MiB. Reviews use less
    /// than half of it.
    pub memory: u64,
}

/// Returns the current time.
pub type Clock = fn() -> SystemTime;

/// Serves admission reviews at [`PATH`] over HTTPS until `shutdown` is ready.
///
/// # Errors
/// If the cryptographic library does not support TLS.
pub async fn run(
    listener: TcpListener,
    options: Options,
    metrics: Metrics,
    shutdown: impl Future<Output = ()>,
) -> Result<(), rustls::Error> {
    let served = Arc::new(ServedCertificate::default());
    let limits = Limits::of_memory(options.memory);
    let router = router::router(options.settings.clone(), metrics.clone(), limits);
    let config = Arc::new(served_certificate::config(Arc::clone(&served))?);
    let manager = CertificateManager::new(options, served, metrics);
    tokio::select! {
        never = manager.run() => match never {},
        () = http_server::serve_tls(listener, config, router, shutdown) => Ok(()),
    }
}
