//! The volumes of the quote service.

use k8s_openapi::api::core::v1::{ConfigMapVolumeSource, SecretVolumeSource, Volume, VolumeMount};

use crate::device_plugin::AESM_DIR;
use crate::manifests::pod::{host_directory, mount, read_only};
use crate::manifests::quote_provider::{self, AUTHORITY_FILE, CONFIGURATION_FILE, QUOTE_PROVIDER};
use crate::manifests::software_platform::{DEPLOYMENT_FILE, SOFTWARE_PLATFORM};
use crate::manifests::{AddOn, Platform};

/// The directory of the platform's keys, and the home directory for Intel's libraries.
pub(super) const STATE_DIR: &str = "/var/lib/quote-helper";
/// The software platform's secrets.
pub(super) const SOFTWARE_PLATFORM_DIR: &str = "/etc/sgx-software-platform";

/// The trusted TLS authorities of libcurl on Debian and Ubuntu.
pub(super) const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The host's state directory, which keeps the platform's identity when the pod is replaced.
const HOST_STATE_DIR: &str = "/var/lib/sgx-quote-helper";

/// The pod's volumes.
pub(super) fn volumes(add_on: &AddOn) -> Vec<Volume> {
    let mut volumes = vec![
        host_directory("aesmd", AESM_DIR, "DirectoryOrCreate"),
        host_directory("state", HOST_STATE_DIR, "DirectoryOrCreate"),
    ];
    if add_on.platform == Platform::Software {
        volumes.push(Volume {
            name: "software-platform".to_owned(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(SOFTWARE_PLATFORM.to_owned()),
                default_mode: Some(0o440),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        });
    }
    if quote_provider::files(add_on).is_some() {
        volumes.push(Volume {
            name: "quote-provider".to_owned(),
            config_map: Some(ConfigMapVolumeSource {
                name: QUOTE_PROVIDER.to_owned(),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        });
    }
    volumes
}

/// The container's mounts.
pub(super) fn mounts(add_on: &AddOn) -> Vec<VolumeMount> {
    let mut mounts = Vec::from(host_directories());
    if add_on.platform == Platform::Software {
        let state = format!("{STATE_DIR}/{DEPLOYMENT_FILE}");
        mounts.push(file("software-platform", DEPLOYMENT_FILE, &state));
        mounts.push(read_only(mount("software-platform", SOFTWARE_PLATFORM_DIR)));
    }
    for name in quote_provider::files(add_on).unwrap_or_default().into_keys() {
        let path = match name.as_str() {
            // Replaces the image's file.
            AUTHORITY_FILE => AUTHORITIES.to_owned(),
            _ => format!("/etc/{CONFIGURATION_FILE}"),
        };
        mounts.push(file("quote-provider", &name, &path));
    }
    mounts
}

/// The host's directories, for the socket and for the state.
pub(super) fn host_directories() -> [VolumeMount; 2] {
    [mount("aesmd", AESM_DIR), mount("state", STATE_DIR)]
}

/// One file of a volume, read-only.
fn file(volume: &str, name: &str, path: &str) -> VolumeMount {
    VolumeMount { sub_path: Some(name.to_owned()), ..read_only(mount(volume, path)) }
}
