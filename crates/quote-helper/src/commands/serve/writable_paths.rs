//! The paths that the service and its workers write.

use std::path::{Path, PathBuf};

use quoting::{Platform, default_state_dir};

use super::intel_caches;
use crate::listen::ListenAddress;
use crate::server_process::{WritablePaths, parent};
use crate::settings::{Settings, default_socket};

/// Device nodes that workers open for writing: those of Linux and those of Intel's earlier drivers.
const DEVICES: [&str; 3] = ["/dev/sgx_enclave", "/dev/sgx_provision", "/dev/sgx"];

/// The paths of these settings. Makes missing directories. `None` if the sandbox is off.
///
/// # Errors
/// If a directory cannot be made.
pub(super) fn writable_paths(
    settings: &Settings,
    config: Option<&Path>,
) -> anyhow::Result<Option<WritablePaths>> {
    if !settings.sandbox() {
        return Ok(None);
    }
    let mut writable = WritablePaths::default();
    let socket = settings.socket.clone().map_or_else(default_socket, Ok)?;
    writable.add_readable(&parent(&socket))?;
    if let Some(ListenAddress::Unix(socket)) = &settings.metrics_listen {
        writable.add_readable(&parent(socket))?;
    }
    writable.add_existing(DEVICES);
    match settings.platform() {
        Platform::Software => {
            let state = settings.state_dir.clone().map_or_else(default_state_dir, Ok)?;
            writable.add_private(&state)?;
        }
        Platform::Dcap => {
            writable.add_existing(collateral_cache(config));
            writable.add_existing(hand_over_directory(settings));
            writable.add_existing(intel_caches::directories());
        }
    }
    writable.add_configured(settings.writable_paths.iter().flatten());
    Ok(Some(writable))
}

/// The cache of the quote provider library and the service. `None` with unusable settings, which
/// their users report.
fn collateral_cache(config: Option<&Path>) -> Option<PathBuf> {
    let directory = super::fresh_collateral::settings(config).ok()?.cache.directory?;
    private_directory::check_place(&directory).ok()?;
    private_directory::make_readable(&directory).ok()?;
    Some(directory)
}

/// The directory of the control socket. `None` with an unusable one, which its user reports.
fn hand_over_directory(settings: &Settings) -> Option<PathBuf> {
    let state_dir = settings.state_dir.clone().map_or_else(default_state_dir, Ok).ok()?;
    let directory = state_dir.join(sockets::handover::PRIVATE_DIRECTORY);
    private_directory::check_place(&state_dir).ok()?;
    private_directory::make(&directory).ok()?;
    Some(directory)
}
