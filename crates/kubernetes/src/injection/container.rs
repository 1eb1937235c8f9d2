//! The settings of a container that injection reads.

use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{Container, EnvVar, PodSpec, VolumeMount};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::quantity;
use crate::device_plugin::{AESM_DIR, ResourceProfile};

/// The variable that makes an application use the quote service.
pub(crate) const SGX_AESM_ADDR: &str = "SGX_AESM_ADDR";

/// The init containers, then the others.
pub(crate) fn all(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}

/// The init containers, then the others.
pub(crate) fn all_mut(spec: &mut PodSpec) -> impl Iterator<Item = &mut Container> {
    spec.init_containers.iter_mut().flatten().chain(&mut spec.containers)
}

/// The quantity of a resource that a container requests, as written.
pub(crate) fn quantity_of<'a>(container: &'a Container, resource: &str) -> Option<&'a Quantity> {
    let resources = container.resources.as_ref()?;
    let limit = resources.limits.as_ref().and_then(|limits| limits.get(resource));
    limit.or_else(|| resources.requests.as_ref()?.get(resource))
}

/// True if a container requests enclave memory of this profile.
pub(crate) fn has_epc_of(container: &Container, profile: ResourceProfile) -> bool {
    let asked = quantity_of(container, profile.epc_resource());
    asked.is_some_and(|asked| quantity::parse(&asked.0).is_some_and(|quantity| quantity > 0))
}

/// True if a container requests enclave memory.
pub(crate) fn has_epc(container: &Container) -> bool {
    ResourceProfile::ALL.into_iter().any(|profile| has_epc_of(container, profile))
}

/// Requests one unit of a resource, unless a quantity is there.
pub(crate) fn request_one(container: &mut Container, resource: &str) {
    if quantity_of(container, resource).is_some() {
        return;
    }
    let resources = container.resources.get_or_insert_default();
    for quantities in [&mut resources.limits, &mut resources.requests] {
        let one = Quantity("1".to_owned());
        quantities.get_or_insert_default().insert(resource.to_owned(), one);
    }
}

/// The container's `SGX_AESM_ADDR`, whatever its source.
pub(crate) fn aesm_variable(container: &Container) -> Option<&EnvVar> {
    container.env.iter().flatten().find(|variable| variable.name == SGX_AESM_ADDR)
}

/// True if the container mounts a volume at the socket's directory, above it or in it.
pub(crate) fn mounts_socket(container: &Container) -> bool {
    let mounts = container.volume_mounts.iter().flatten();
    mounts
        .map(mount_path)
        .any(|path| path.starts_with(AESM_DIR) || Path::new(AESM_DIR).starts_with(path))
}

/// A volume's mount path. `/run` counts as `/var/run`, since most images link them.
pub(crate) fn mount_path(mount: &VolumeMount) -> PathBuf {
    let path = Path::new(&mount.mount_path);
    match path.strip_prefix("/run") {
        Ok(below) => Path::new("/var/run").join(below),
        Err(_) => path.to_owned(),
    }
}
