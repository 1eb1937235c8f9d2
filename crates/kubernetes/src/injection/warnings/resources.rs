//! Warnings about the resources of a pod's containers.

use bytesize::ByteSize;
use k8s_openapi::api::core::v1::Container;

use super::{named, shown};
use crate::device_plugin::{ENCLAVE_RESOURCE, PROVISION_RESOURCE, ResourceProfile};
use crate::injection::{container, quantity};

/// The minimum memory of an enclave, in bytes.
const MIN_EPC: u64 = 64 << 10;
/// The maximum EPC of a node, in bytes: 512 GiB for each of two processors.
const MAX_EPC: u64 = 1 << 40;
/// The maximum number of unknown resources to name for a container.
const MAX_UNKNOWN: usize = 4;

/// Warnings about a container's requests.
pub(super) fn of(container: &Container) -> Vec<String> {
    let quantities = ResourceProfile::ALL.into_iter().filter_map(|it| quantity(container, it));
    let limits = names().filter_map(|name| limit(container, name));
    let unknown = unknown(container).take(MAX_UNKNOWN);
    quantities.chain(limits).chain(unknown).collect()
}

/// The resources of the device plugin.
fn names() -> impl Iterator<Item = &'static str> {
    ResourceProfile::epc_resources().chain([ENCLAVE_RESOURCE, PROVISION_RESOURCE])
}

/// An implausible quantity of EPC.
fn quantity(container: &Container, profile: ResourceProfile) -> Option<String> {
    let resource = profile.epc_resource();
    let text = &container::quantity_of(container, resource)?.0;
    let is_in_bytes = profile.unit() == 1;
    let example = if is_in_bytes { "10Mi" } else { "10 (a number of MiB)" };
    let example = format!("write for instance {example}");
    let problem = match quantity::parse(text) {
        None => format!("which is not a quantity; {example}"),
        Some(0) if container::has_epc(container) => return None,
        Some(0) => format!("which gives it no enclave memory; {example}"),
        // The API server itself writes 1k for 1000.
        Some(quantity) if !is_in_bytes && text.ends_with(['i', 'm']) => {
            let size = size(quantity.checked_mul(profile.unit()));
            format!("which counts MiB already: that is {size}; {example}")
        }
        Some(quantity) => match quantity.checked_mul(profile.unit()) {
            Some(bytes) if bytes < MIN_EPC => {
                format!("which counts bytes: {bytes} are too few for an enclave; {example}")
            }
            Some(bytes) if bytes < MAX_EPC => return None,
            bytes => format!("that is {}, which no node has; {example}", size(bytes)),
        },
    };
    Some(format!("{} asks for {:?} of {resource}, {problem}", named(container), shown(text)))
}

fn size(bytes: Option<u64>) -> String {
    bytes.map_or_else(
        || "more than a quantity can hold".to_owned(),
        |bytes| ByteSize(bytes).to_string(),
    )
}

/// A request without an equal limit: the API server refuses it, since these resources cannot be
/// overcommitted.
fn limit(container: &Container, resource: &str) -> Option<String> {
    let resources = container.resources.as_ref()?;
    let request = resources.requests.as_ref()?.get(resource)?;
    let (has, fix) = match resources.limits.as_ref().and_then(|limits| limits.get(resource)) {
        None => ("no limit".to_owned(), "put it into limits"),
        Some(limit) if quantity::parse(&limit.0) == quantity::parse(&request.0) => return None,
        Some(limit) => (format!("the limit {:?}", shown(&limit.0)), "leave out the request"),
    };
    Some(format!(
        "{} requests {:?} of {resource} and has {has}, which the API server refuses; {fix}",
        named(container),
        shown(&request.0)
    ))
}

/// Resources with a name similar to one of the device plugin's.
fn unknown(container: &Container) -> impl Iterator<Item = String> {
    let resources = container.resources.iter();
    let lists = resources.flat_map(|resources| [&resources.limits, &resources.requests]);
    let asked: std::collections::BTreeSet<_> =
        lists.flatten().flat_map(|list| list.keys()).collect();
    let unknown =
        asked.into_iter().filter(|name| is_sgx_resource(name) && !names().any(|it| it == *name));
    unknown.map(|name| {
        format!(
            "{} asks for {:?}, which the SGX add-on does not offer; ask for {}",
            named(container),
            shown(name),
            nearest(name)
        )
    })
}

/// True if a resource's name is about SGX, whoever offers it.
#[must_use]
pub fn is_sgx_resource(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("sgx") || name.split(|c: char| !c.is_ascii_alphanumeric()).any(|it| it == "epc")
}

/// The resource whose last part is most similar, or the one of EPC in bytes.
fn nearest(name: &str) -> &'static str {
    let last = |name: &str| {
        let part = name.rsplit_once('/').map_or(name, |(_, part)| part);
        shown(part).to_ascii_lowercase()
    };
    let likeness = |known| strsim::normalized_levenshtein(&last(name), &last(known));
    let known = names().map(|known| (likeness(known), known)).filter(|(alike, _)| *alike >= 0.5);
    let nearest = known.max_by(|(one, _), (other, _)| one.total_cmp(other));
    nearest.map_or(ResourceProfile::Intel.epc_resource(), |(_, known)| known)
}
