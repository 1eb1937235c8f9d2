//! The metrics of the software platform, from its PCK certificate and collateral.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use collateral::{
    CheckError, CollateralId, PckCertificateRequest, Record, Source, TcbUpdate, check,
    node_statuses, platform_items,
};
use collateral_server::SoftwareCollateral;
use software_platform::SoftwarePlatform;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use verify::{CollateralError, PckCa, Tee, TrustedRoots, Validity};

use super::NodeMetrics;

/// The longest interval between updates, since collateral is reissued periodically.
const ROUND: Duration = Duration::from_secs(60);

impl NodeMetrics {
    /// Keeps the gauges current for the software platform: every minute, and after each change of
    /// its TCB.
    pub(in super::super) async fn follow(
        self,
        mut platforms: watch::Receiver<Arc<SoftwarePlatform>>,
        collateral: Arc<SoftwareCollateral>,
    ) {
        loop {
            let platform = Arc::clone(&platforms.borrow_and_update());
            let (collateral, metrics) = (Arc::clone(&collateral), self.clone());
            // Signing and checking collateral takes milliseconds.
            let _ = spawn_blocking(move || update(&platform, &*collateral, &metrics)).await;
            tokio::select! {
                changed = platforms.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(ROUND) => {}
            }
        }
    }
}

fn update(platform: &SoftwarePlatform, source: &dyn Source, metrics: &NodeMetrics) {
    let Ok(roots) = TrustedRoots::parse(platform.root_certificate().der()) else { return };
    let items = [pck_item(platform)].into_iter().chain(platform_items(
        Tee::Sgx,
        platform.pck_subject().fmspc,
        PckCa::Platform,
        TcbUpdate::Standard,
    ));
    let records: Vec<_> = items.filter_map(|item| record(item, source, &roots)).collect();
    metrics.update(&node_statuses(&records, TcbUpdate::Standard, &roots));
}

fn pck_item(platform: &SoftwarePlatform) -> CollateralId {
    let subject = platform.pck_subject();
    CollateralId::PckCertificate(PckCertificateRequest {
        qe_id: platform.qe_id(),
        encrypted_ppid: None,
        cpu_svn: subject.cpu_svn,
        pce_svn: subject.pce_svn,
        pce_id: subject.pce_id,
    })
}

/// The item as it is now; of expired items only the time of expiry.
fn record(item: CollateralId, source: &dyn Source, roots: &TrustedRoots) -> Option<Record> {
    let document = source.fetch(&item, Instant::now()).ok()?;
    let fetched = SystemTime::now();
    let validity = match check(&item, &document, roots, fetched) {
        Ok(validity) => validity,
        Err(CheckError::Collateral(CollateralError::Expired { until, .. })) => {
            Validity { from: UNIX_EPOCH, until }
        }
        Err(_) => return None,
    };
    Some(Record { item, document, validity, fetched, source: source.name().to_owned() })
}
