//! The volumes of the PCCS.

use k8s_openapi::api::core::v1::{
    EmptyDirVolumeSource, KeyToPath, PersistentVolumeClaim, PersistentVolumeClaimSpec,
    PersistentVolumeClaimVolumeSource, SecretVolumeSource, Volume, VolumeMount,
    VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::manifests::addresses::CLUSTER_PCCS;
use crate::manifests::pod::{mount, read_only};
use crate::manifests::software_platform::{ROOT_FILE, SOFTWARE_PLATFORM};
use crate::manifests::{AddOn, ClusterPccs, PccsSecretKey, Platform};

/// The directory of certificates and collateral: the server's own, below the volume, which the
/// pod's group may write.
pub(super) const STATE_DIR: &str = "/var/lib/quote-helper/pccs";
/// The directory with the API key and the hashes of the tokens.
pub(super) const SECRET_DIR: &str = "/etc/sgx-pccs";
/// The certificate of the software platform's root, in PEM.
pub(super) const TRUSTED_ROOT: &str = "/etc/sgx-software-platform/root.pem";

/// The volume of [`STATE_DIR`].
pub(super) const VOLUME: &str = "/var/lib/quote-helper";
/// The directory of [`TRUSTED_ROOT`].
const ROOT_DIR: &str = "/etc/sgx-software-platform";

/// The PersistentVolumeClaim, if one was chosen.
pub(super) fn claim(add_on: &AddOn, pccs: &ClusterPccs) -> Option<PersistentVolumeClaim> {
    let size = Quantity(pccs.storage.clone()?);
    Some(PersistentVolumeClaim {
        metadata: add_on.metadata(CLUSTER_PCCS),
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            resources: Some(VolumeResourceRequirements {
                requests: Some([("storage".to_owned(), size)].into()),
                ..VolumeResourceRequirements::default()
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    })
}

/// The pod's volumes.
pub(super) fn volumes(add_on: &AddOn, pccs: &ClusterPccs) -> Vec<Volume> {
    let mut volumes = vec![state(pccs)];
    if let Some(secret) = &pccs.secret {
        let keys = secret.keys.iter().copied().map(PccsSecretKey::name);
        volumes.push(of_secret("secret", &secret.name, keys));
    }
    if add_on.platform == Platform::Software {
        // Only the certificate: the server must not have the signing key.
        volumes.push(of_secret("trusted-root", SOFTWARE_PLATFORM, [ROOT_FILE]));
    }
    volumes
}

/// The container's mounts.
pub(super) fn mounts(add_on: &AddOn, pccs: &ClusterPccs) -> Vec<VolumeMount> {
    let mut mounts = vec![state_mount(pccs)];
    if pccs.secret.is_some() {
        mounts.push(read_only(mount("secret", SECRET_DIR)));
    }
    if add_on.platform == Platform::Software {
        mounts.push(read_only(mount("trusted-root", ROOT_DIR)));
    }
    mounts
}

/// The mount of the volume with [`STATE_DIR`].
pub(super) fn state_mount(pccs: &ClusterPccs) -> VolumeMount {
    mount(state_name(pccs), VOLUME)
}

fn state(pccs: &ClusterPccs) -> Volume {
    let mut state = Volume { name: state_name(pccs).to_owned(), ..Volume::default() };
    match pccs.storage {
        None => state.empty_dir = Some(EmptyDirVolumeSource::default()),
        Some(_) => {
            state.persistent_volume_claim = Some(PersistentVolumeClaimVolumeSource {
                claim_name: CLUSTER_PCCS.to_owned(),
                ..PersistentVolumeClaimVolumeSource::default()
            });
        }
    }
    state
}

/// Two names, since server-side apply keeps `emptyDir` in a volume of the same name when it adds
/// the other type.
fn state_name(pccs: &ClusterPccs) -> &'static str {
    match pccs.storage {
        None => "passing-state",
        Some(_) => "lasting-state",
    }
}

/// A volume with these keys of a Secret.
fn of_secret(name: &str, secret: &str, keys: impl IntoIterator<Item = &'static str>) -> Volume {
    let items = keys.into_iter().map(|key| KeyToPath {
        key: key.to_owned(),
        path: key.to_owned(),
        ..KeyToPath::default()
    });
    Volume {
        name: name.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(secret.to_owned()),
            items: Some(items.collect()),
            default_mode: Some(0o440),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}
