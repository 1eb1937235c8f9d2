//! The SGX device, where the driver makes it after the service has started.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;
use quoting::{Platform, SGX_ENCLAVE_DEVICE};
use tokio::time::sleep;
use tracing::warn;

use super::quote_backend::NO_SGX;
use crate::shutdown::Shutdown;

/// The interval at which the device is looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Watches for a device that was missing when the process confined itself: neither its sandbox nor
/// a service manager's list of devices lets it open that one, and only a new process gets at it.
#[derive(Default)]
pub(super) struct LateDevice {
    appeared: Arc<AtomicBool>,
}

impl LateDevice {
    /// Stops the service on real SGX when a missing device appears. To be called within the runtime
    /// that serves.
    pub(super) fn watch(platform: Platform, shutdown: &Shutdown) -> Self {
        let late = Self::default();
        let device = Path::new(SGX_ENCLAVE_DEVICE);
        if platform == Platform::Dcap && !device.exists() {
            warn!("{SGX_ENCLAVE_DEVICE} is missing: enclaves cannot be loaded. {NO_SGX}");
            let (appeared, shutdown) = (Arc::clone(&late.appeared), shutdown.clone());
            tokio::spawn(async move {
                while !device.exists() {
                    sleep(POLL_INTERVAL).await;
                }
                appeared.store(true, Ordering::Relaxed);
                shutdown.begin();
            });
        }
        late
    }

    /// # Errors
    /// If the service has stopped because the device appeared.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            !self.appeared.load(Ordering::Relaxed),
            "{SGX_ENCLAVE_DEVICE} has appeared, and this process cannot open it; start it again"
        );
        Ok(())
    }
}
