//! The SGX device, where the driver makes it after the service has started.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;
use quoting::SGX_ENCLAVE_DEVICE;
use tokio::time::sleep;
use tracing::warn;

use super::source::NO_SGX;
use crate::stop::Stop;

/// How often to look for the device.
const LOOK: Duration = Duration::from_millis(500);

/// Watches for a device that was missing when the process confined itself: neither its sandbox nor a
/// service manager's list of devices lets it open that one, and only a new process gets at it.
#[derive(Default)]
pub(super) struct LateDevice {
    appeared: Arc<AtomicBool>,
}

impl LateDevice {
    /// Looks for the device and, while it is missing, goes on to do so and ends the service when it
    /// appears. Has to be called within the runtime that serves.
    pub(super) fn watch(stop: &Stop) -> Self {
        let late = Self::default();
        let device = Path::new(SGX_ENCLAVE_DEVICE);
        if !device.exists() {
            warn!(
                "there is no {SGX_ENCLAVE_DEVICE}: no enclave can be loaded until there is. {NO_SGX}"
            );
            let (appeared, stop) = (Arc::clone(&late.appeared), stop.clone());
            tokio::spawn(async move {
                while !device.exists() {
                    sleep(LOOK).await;
                }
                appeared.store(true, Ordering::Relaxed);
                stop.begin();
            });
        }
        late
    }

    /// # Errors
    /// When the service has ended for the device's sake, and is to be started again.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            !self.appeared.load(Ordering::Relaxed),
            "{SGX_ENCLAVE_DEVICE} has appeared, which this process was started without and may not open; start it again"
        );
        Ok(())
    }
}
