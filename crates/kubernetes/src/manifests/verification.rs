//! What verifiers in this cluster need.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::core::DynamicObject;

use super::object::object;
use super::pod::selected;
use super::{AddOn, Cluster, Platform, QUOTE_SERVICE};

/// The Service with the collateral of the software platform, as a PCCS has it.
pub const COLLATERAL: &str = "sgx-collateral";
/// The ConfigMap that tells verifiers where there is collateral (`pccs-url`) and, with the software platform,
/// which root to trust (`trusted-root.pem`).
pub const VERIFICATION: &str = "sgx-verification";
/// The namespace that has this ConfigMap besides the add-on's: that of the samples.
pub const VERIFIER_NAMESPACE: &str = "default";

/// The port with the software platform's collateral, and its number.
pub(super) const COLLATERAL_PORT: (&str, i32) = ("collateral", 8081);

/// The Service, and the ConfigMap in both namespaces, if there is anything to tell.
pub(super) fn objects(
    add_on: &AddOn,
    cluster: &Cluster,
) -> Result<Vec<DynamicObject>, serde_json::Error> {
    let mut objects = Vec::new();
    if add_on.platform == Platform::Software {
        objects.push(object(&collateral(add_on))?);
    }
    let needed = needed(add_on, cluster);
    if needed.is_empty() {
        return Ok(objects);
    }
    let mut namespaces = vec![add_on.namespace.as_str(), VERIFIER_NAMESPACE];
    namespaces.dedup();
    for namespace in namespaces {
        objects.push(object(&ConfigMap {
            metadata: ObjectMeta {
                namespace: Some(namespace.to_owned()),
                ..add_on.metadata(VERIFICATION)
            },
            data: Some(needed.clone()),
            ..ConfigMap::default()
        })?);
    }
    Ok(objects)
}

fn needed(add_on: &AddOn, cluster: &Cluster) -> BTreeMap<String, String> {
    let (_, port) = COLLATERAL_PORT;
    let (url, root) = match add_on.platform {
        Platform::Dcap => (add_on.pccs.as_ref().map(|pccs| pccs.url.clone()), None),
        Platform::Software => (
            Some(format!("http://{COLLATERAL}.{}.svc:{port}", add_on.namespace)),
            cluster.software_platform_root.as_ref().map(|root| root.certificate.clone()),
        ),
    };
    let known = [("pccs-url", url), ("trusted-root.pem", root)];
    known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn collateral(add_on: &AddOn) -> Service {
    let (name, number) = COLLATERAL_PORT;
    Service {
        metadata: add_on.metadata(COLLATERAL),
        spec: Some(ServiceSpec {
            selector: Some(selected(QUOTE_SERVICE)),
            ports: Some(vec![ServicePort {
                name: Some(name.to_owned()),
                port: number,
                target_port: Some(IntOrString::String(name.to_owned())),
                protocol: Some("TCP".to_owned()),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}
