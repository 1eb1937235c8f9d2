//! Where a service writes.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use collateral::settings::{Machine, OwnSettings};
use quoting::{Platform, default_state_dir};

use super::intel_caches;
use crate::listen::ListenAddress;
use crate::settings::{Settings, default_socket};

/// Device nodes that are opened for writing, in workers: those of Linux and those of Intel's drivers of before.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/sgx_enclave", "/dev/sgx_provision", "/dev/sgx"];

/// The places below which the service and its workers write.
#[derive(Default)]
pub(super) struct Places {
    pub(super) writable: Vec<PathBuf>,
    /// What the settings add, and is not there.
    pub(super) missing: Vec<PathBuf>,
}

impl Places {
    /// Those that these settings lead to. Directories of ours that are missing are made.
    ///
    /// # Errors
    /// When one of these cannot be made.
    pub(super) fn of(settings: &Settings, config: Option<&Path>) -> anyhow::Result<Self> {
        let socket = settings.socket.clone().map_or_else(default_socket, Ok)?;
        let mut places = vec![socket_directory(&socket)?];
        if let Some(ListenAddress::Unix(socket)) = &settings.metrics_listen {
            places.push(socket_directory(socket)?);
        }
        places.extend(DEVICES.map(PathBuf::from));
        match settings.platform() {
            Platform::Software => places.push(state_directory(settings)?),
            Platform::Dcap => {
                places.extend(hand_over_directory(settings));
                places.extend(collateral_cache(config));
                places.extend(intel_caches::directories());
            }
        }
        places.retain(|place| place.exists());
        let added = settings.writable_paths.iter().flatten().cloned();
        let (there, missing) = added.partition::<Vec<_>, _>(|place| place.exists());
        places.extend(there);
        Ok(Self { writable: places, missing })
    }
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, place) in self.writable.iter().enumerate() {
            let space = if number == 0 { "" } else { " " };
            write!(f, "{space}{}", place.display())?;
        }
        Ok(())
    }
}

fn socket_directory(socket: &Path) -> anyhow::Result<PathBuf> {
    let directory = match socket.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => PathBuf::from("/"),
    };
    private_directory::make_readable(&directory).with_context(|| cannot_make(&directory))?;
    Ok(directory)
}

fn state_directory(settings: &Settings) -> anyhow::Result<PathBuf> {
    let directory = settings.state_dir.clone().map_or_else(default_state_dir, Ok)?;
    match private_directory::make(&directory) {
        // What it is instead, who opens it will tell.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made.with_context(|| cannot_make(&directory))?,
    }
    Ok(directory)
}

/// Where a successor is met. Without a socket of the service manager it is needed, and then told what is wrong with it.
fn hand_over_directory(settings: &Settings) -> Option<PathBuf> {
    let state_dir = settings.state_dir.clone().map_or_else(default_state_dir, Ok).ok()?;
    let directory = state_dir.join(service::hand_over::PRIVATE_DIRECTORY);
    private_directory::make(&directory).ok()?;
    Some(directory)
}

/// Where the quote provider library and the service keep collateral. With settings that cannot be used there is none,
/// which is told where they are needed.
fn collateral_cache(config: Option<&Path>) -> Option<PathBuf> {
    let machine = Machine { config_file: config.map(Path::to_owned), ..Machine::this() };
    let settings = collateral::settings::Settings::choose(OwnSettings::default(), &machine).ok()?;
    let directory = settings.cache.directory?;
    private_directory::make_readable(&directory).ok()?;
    Some(directory)
}

fn cannot_make(directory: &Path) -> String {
    format!("cannot make the directory {}", directory.display())
}
