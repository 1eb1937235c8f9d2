//! The software platform behind the server, on a port of its own.

use std::sync::Arc;

use collateral_server::SoftwareCollateral;
use sgx::ReportData;
use software_platform::{
    CertificationKind, Deployment, EnclaveIdentity, MachineSecret, SoftwareEnclave,
    SoftwarePlatform, SubjectNames,
};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// 2026-01-31, when the deployment was made.
pub(crate) const CREATED: i64 = 1_769_860_800;
/// A month later, when collateral is issued and quotes are verified.
pub(crate) const NOW: i64 = 1_772_323_200;

pub(crate) fn platform(names: SubjectNames, kind: CertificationKind) -> SoftwarePlatform {
    let deployment = Deployment::from_seed([7; 32], names, time(CREATED)).unwrap();
    let platform = SoftwarePlatform::new(deployment, MachineSecret::from_bytes([9; 32])).unwrap();
    platform.certified_by(kind).unwrap()
}

pub(crate) fn quote(platform: &SoftwarePlatform) -> Vec<u8> {
    let application = SoftwareEnclave::new(EnclaveIdentity::default());
    let report = application.report(&platform.target_info(), ReportData([5; 64]));
    platform.quote(&report, None).unwrap().0
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) stopped: JoinHandle<()>,
}

/// Serves the collateral of this platform a month later.
pub(crate) async fn serve(platform: SoftwarePlatform) -> Server {
    serve_at(platform, || time(NOW)).await
}

/// Serves the collateral of this platform at the time of this clock.
pub(crate) async fn serve_at(platform: SoftwarePlatform, clock: fn() -> OffsetDateTime) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = oneshot::channel();
    let shutdown = async { stopping.await.unwrap_or_default() };
    let source = Arc::new(SoftwareCollateral::new(Arc::new(platform), clock));
    let stopped =
        tokio::spawn(http_server::serve(listener, collateral_server::router(source), shutdown));
    Server { address, stop, stopped }
}

fn time(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}
