//! The admission webhook: what [`injection`](crate::injection) does, for each pod that is created.
//!
//! It never refuses a pod. What it cannot read it answers with an HTTP error of the client, upon which the API
//! server does what the webhook's failure policy says; nothing that is asked makes it ask others.
//!
//! Its certificates are its own: an authority and a served certificate, which all replicas share in a Secret
//! and renew in time.

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

/// What a webhook works with.
pub struct Options {
    /// What to inject.
    pub settings: Settings,
    /// The service that the API server finds the webhook by.
    pub service: ServiceName,
    /// The Secret in the service's namespace that holds the certificates and their keys. The client must be
    /// allowed to get and update it, and to create Secrets.
    pub secret: String,
    /// The `MutatingWebhookConfiguration` that tells the API server whom to trust. The client must be allowed
    /// to get and patch it.
    pub configuration: String,
    /// The API server.
    pub client: Client,
    /// This machine's time. Certificates are valid by the API server's; while the two differ, none are renewed.
    pub clock: Clock,
    /// The memory that the process may have, in bytes; reviews take less than half of it. Below 64 MiB it counts
    /// as 64 MiB, above 512 MiB as 512 MiB.
    pub memory: u64,
}

/// What tells the time.
pub type Clock = fn() -> SystemTime;

/// Serves admission reviews at [`PATH`] over HTTPS until `shutdown` is ready. `metrics` tells how it goes.
///
/// # Errors
/// If the cryptographic library has nothing for TLS.
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
