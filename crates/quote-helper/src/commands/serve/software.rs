//! The software platform behind the service, whose TCB may change meanwhile.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use collateral_server::SoftwareCollateral;
use quoting::SoftwareQuoter;
use service::WorkerQuoter;
use software_platform::{CertificationKind, SoftwarePlatform, StateError, SubjectNames, TcbStamp};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use super::health::Proof;

/// The interval at which changes of the TCB by `platform tcb` are looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// A software platform in its directory.
pub(super) struct Software {
    platform: watch::Sender<Arc<SoftwarePlatform>>,
    /// Quotes in this process, unless workers do.
    pub(super) quoter: SoftwareQuoter,
    pub(super) collateral: Arc<SoftwareCollateral>,
    directory: Directory,
    stamp: TcbStamp,
}

#[derive(Clone)]
struct Directory {
    state_dir: PathBuf,
    kind: CertificationKind,
}

impl Software {
    /// Opens the platform in this directory, or makes one.
    pub(super) fn open(state_dir: PathBuf, kind: CertificationKind) -> Result<Self, StateError> {
        let stamp = TcbStamp::of(&state_dir);
        let now = OffsetDateTime::now_utc();
        let platform = SoftwarePlatform::open_or_init(&state_dir, SubjectNames::Software, now)?;
        let platform = Arc::new(platform.certified_by(kind)?);
        let quoter = SoftwareQuoter::new(Arc::clone(&platform));
        let collateral = SoftwareCollateral::new(Arc::clone(&platform), OffsetDateTime::now_utc);
        Ok(Self {
            platform: watch::Sender::new(platform),
            quoter,
            collateral: Arc::new(collateral),
            directory: Directory { state_dir, kind },
            stamp,
        })
    }

    pub(super) fn proof(&self) -> anyhow::Result<Proof> {
        Proof::of_software(&self.platform.borrow(), Arc::clone(&self.collateral))
    }

    /// The platform, as it is by now and after each change of its TCB.
    pub(super) fn platform(&self) -> watch::Receiver<Arc<SoftwarePlatform>> {
        self.platform.subscribe()
    }

    /// Follows the platform's TCB, for ever. Failures change nothing.
    pub(super) async fn follow_tcb(mut self, workers: Option<Arc<WorkerQuoter>>) {
        loop {
            let platform = Arc::new(self.next_tcb().await);
            let key_changed = platform.public_key_id() != self.platform.borrow().public_key_id();
            log_change(&platform, key_changed);
            self.collateral.replace(Arc::clone(&platform));
            self.quoter.replace(Arc::clone(&platform));
            if let Some(workers) = workers.as_ref().filter(|_| key_changed) {
                workers.replace();
            }
            self.platform.send_replace(platform);
        }
    }

    /// The platform after the next change of its TCB.
    async fn next_tcb(&mut self) -> SoftwarePlatform {
        let mut reported = String::new();
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            let (directory, seen) = (self.directory.clone(), self.stamp.clone());
            // Reading files and making certificates must not block the service.
            match spawn_blocking(move || directory.open_after(&seen)).await {
                Ok(Some((stamp, Ok(platform)))) => {
                    self.stamp = stamp;
                    return platform;
                }
                Ok(Some((_, Err(error)))) if error.to_string() != reported => {
                    reported = error.to_string();
                    warn!(error = reported, "cannot open the platform's new TCB; retrying");
                }
                _ => {}
            }
        }
    }
}

impl Directory {
    /// The platform, if its TCB has changed since it was seen.
    fn open_after(
        &self,
        seen: &TcbStamp,
    ) -> Option<(TcbStamp, Result<SoftwarePlatform, StateError>)> {
        let stamp = TcbStamp::of(&self.state_dir);
        (stamp != *seen).then(|| (stamp, self.open()))
    }

    fn open(&self) -> Result<SoftwarePlatform, StateError> {
        Ok(SoftwarePlatform::open(&self.state_dir)?.certified_by(self.kind)?)
    }
}

fn log_change(platform: &SoftwarePlatform, key_changed: bool) {
    info!(
        tcb_status = %platform.tcb_level().status,
        tcb_evaluation_data_number = platform.published_tcb().evaluation_data_number(),
        microcode_updates = platform.microcode().updates(),
        attestation_key_changed = key_changed,
        "the platform's TCB has changed"
    );
}
