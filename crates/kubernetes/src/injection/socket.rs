//! The volume with the quote service's socket.

use std::path::Path;

use k8s_openapi::api::core::v1::{
    EmptyDirVolumeSource, HostPathVolumeSource, PodSpec, Volume, VolumeMount,
};

use super::quote_provider::{has_own_quote_service, is_aesmd};
use super::{Settings, container};
use crate::device_plugin::AESM_DIR;

/// The name of an added volume.
const VOLUME: &str = "aesmd-socket";

/// Mounts the socket's directory into containers with EPC, unless they mount a volume there: the
/// node's directory, or one of the pod if a container of it is the quote service.
///
/// Mounting the directory avoids stale sockets: a mounted socket file does not follow replacements.
pub(crate) fn mount(spec: &mut PodSpec, settings: &Settings) {
    let is_of_pod = has_own_quote_service(spec);
    let volume =
        if is_of_pod { volume_of_pod(spec) } else { volume_of_node(spec, &settings.aesm_dir) };
    let mut is_used = false;
    for container in container::all_mut(spec).filter(|container| container::has_epc(container)) {
        let is_service = is_aesmd(container);
        // The device plugin mounts the node's directory, read-only.
        let is_given = settings.socket_by_device_plugin && !is_of_pod && !is_service;
        if is_given || container::mounts_socket(container) {
            continue;
        }
        container.volume_mounts.get_or_insert_default().push(VolumeMount {
            name: volume.name.clone(),
            mount_path: AESM_DIR.to_owned(),
            read_only: (!is_service).then_some(true),
            ..VolumeMount::default()
        });
        is_used = true;
    }
    if is_used && !spec.volumes.iter().flatten().any(|other| other.name == volume.name) {
        spec.volumes.get_or_insert_default().push(volume);
    }
}

/// The volume with the socket of the pod's own quote service.
fn volume_of_pod(spec: &PodSpec) -> Volume {
    let services = container::all(spec).filter(|container| is_aesmd(container));
    let mut mounts = services.flat_map(|service| service.volume_mounts.iter().flatten());
    let mount = mounts.find(|mount| container::mount_path(mount) == Path::new(AESM_DIR));
    Volume {
        name: mount.map_or(VOLUME, |mount| &mount.name).to_owned(),
        empty_dir: Some(EmptyDirVolumeSource {
            medium: Some("Memory".to_owned()),
            ..EmptyDirVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// The volume with the node's directory, which the pod may have already.
fn volume_of_node(spec: &PodSpec, directory: &Path) -> Volume {
    let existing = spec.volumes.iter().flatten().find(|volume| is_directory(volume, directory));
    existing.cloned().unwrap_or_else(|| Volume {
        name: VOLUME.to_owned(),
        host_path: Some(HostPathVolumeSource {
            path: directory.to_string_lossy().into_owned(),
            type_: Some("DirectoryOrCreate".to_owned()),
        }),
        ..Volume::default()
    })
}

fn is_directory(volume: &Volume, directory: &Path) -> bool {
    let types = [None, Some(""), Some("Directory"), Some("DirectoryOrCreate")];
    volume.host_path.as_ref().is_some_and(|host_path| {
        Path::new(&host_path.path) == directory && types.contains(&host_path.type_.as_deref())
    })
}
