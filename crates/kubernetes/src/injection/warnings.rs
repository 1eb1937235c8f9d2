//! Warnings for a pod's author.

mod metadata;
mod resources;

pub(super) use metadata::is_relevant;
pub use resources::is_sgx_resource;

use std::path::Path;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, VolumeMount};

use super::container::{self, SGX_AESM_ADDR};
use super::quote_provider::{
    AESMD, QUOTE_PROVIDER_ANNOTATION, annotated, is_aesmd, is_quote_service,
};
use super::users::shared_users;
use super::{Settings, epc};
use crate::device_plugin::{AESM_DIR, PROVISION_RESOURCE, ResourceProfile};

const SOCKET: &str = "aesm.socket";
/// The maximum length of quoted text, in characters.
const SHOWN: usize = 40;

/// Warnings about a pod after injection.
pub(crate) fn of(pod: &Pod, settings: &Settings) -> Vec<String> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let mut warnings = metadata::of(&pod.metadata);
    for container in container::all(spec) {
        warnings.extend(resources::of(container));
        warnings.extend(socket_file(container, spec));
        warnings.extend(two_quote_providers(container));
    }
    warnings.extend(shared_users(spec, &settings.add_on_uids).map(shared_user));
    warnings.extend(too_much_epc(spec));
    warnings.extend(unknown_quote_provider(pod, spec));
    warnings.extend(no_epc(pod, spec));
    warnings.extend(no_quote_service(pod, spec, settings));
    warnings
}

fn socket_file(container: &Container, spec: &PodSpec) -> Option<String> {
    let mut mounts = container.volume_mounts.iter().flatten();
    mounts.find(|mount| is_socket_file(mount, spec))?;
    Some(format!(
        "{} mounts the socket file {AESM_DIR}/{SOCKET}, which goes stale when the quote service is \
         restarted; mount the directory {AESM_DIR} instead",
        named(container)
    ))
}

fn is_socket_file(mount: &VolumeMount, spec: &PodSpec) -> bool {
    let mut volumes = spec.volumes.iter().flatten();
    let volume = volumes.find(|volume| volume.name == mount.name);
    let host_path = volume.and_then(|volume| volume.host_path.as_ref());
    container::mount_path(mount) == Path::new(AESM_DIR).join(SOCKET)
        || host_path.is_some_and(|host_path| Path::new(&host_path.path).ends_with(SOCKET))
}

fn two_quote_providers(container: &Container) -> Option<String> {
    container::quantity_of(container, PROVISION_RESOURCE)?;
    container::aesm_variable(container).filter(|_| !is_aesmd(container))?;
    Some(format!(
        "{} has {PROVISION_RESOURCE}, for quotes made in its own process, and {SGX_AESM_ADDR}, for \
         those of the quote service; leave out one of them",
        named(container)
    ))
}

fn shared_user((container, user): (&Container, u32)) -> String {
    format!(
        "{} runs as user {user}, which is one of the SGX add-on's: the kernel cannot tell the two \
         apart; choose another runAsUser",
        named(container)
    )
}

fn too_much_epc(spec: &PodSpec) -> Option<String> {
    epc::of_pod(spec).is_none().then(|| {
        "the pod's containers request more EPC than a quantity can hold; request less".to_owned()
    })
}

fn unknown_quote_provider(pod: &Pod, spec: &PodSpec) -> Option<String> {
    let provider = annotated(&pod.metadata).filter(|provider| *provider != AESMD)?;
    let is_unknown = container::all(spec).all(|container| container.name != provider);
    is_unknown.then(|| {
        format!(
            "the annotation {QUOTE_PROVIDER_ANNOTATION} names {:?}, which is not a container of \
             the pod; write {AESMD} for the quote service",
            shown(provider)
        )
    })
}

fn no_epc(pod: &Pod, spec: &PodSpec) -> Option<String> {
    if container::all(spec).any(container::has_epc) || !uses_quote_service(pod, spec) {
        return None;
    }
    Some(format!(
        "the pod uses the quote service, but no container requests EPC, which enclaves need; add \
         the limit {}",
        ResourceProfile::Azure.epc_resource()
    ))
}

fn no_quote_service(pod: &Pod, spec: &PodSpec, settings: &Settings) -> Option<String> {
    let is_needed = uses_quote_service(pod, spec) && !container::all(spec).any(is_aesmd);
    (is_needed && !settings.has_quote_service).then(|| {
        "the pod uses the quote service, but this cluster's nodes have none; run \
         `quote-helper upgrade --enable-sgxquotehelper`"
            .to_owned()
    })
}

/// True if the pod uses a quote service, by label, annotation or variable.
fn uses_quote_service(pod: &Pod, spec: &PodSpec) -> bool {
    let has_variable = |container| container::aesm_variable(container).is_some();
    is_quote_service(&pod.metadata) || container::all(spec).any(has_variable)
}

fn named(container: &Container) -> String {
    format!("container {:?}", shown(&container.name))
}

/// The beginning of a text, which may be of any length.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
