//! The DaemonSet of the SGX device plugin, which is idle on nodes without SGX.

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::{PodSpec, Probe, Volume, VolumeMount};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::core::DynamicObject;

use super::object::object;
use super::pod::{
    METRICS_PORT, container, field, host_directory, http_probe, metrics_listen, mount, port,
    read_only, selector, template,
};
use super::{AddOn, Component, KubernetesVersion, Platform, rolling_update};
use crate::device_plugin::{AESM_DIR, PLUGIN_DIR};

/// The name of the DaemonSet, as on AKS.
pub const DEVICE_PLUGIN: &str = "sgx-plugin";

/// The directory of specifications of the Container Device Interface.
const CDI_DIR: &str = "/var/run/cdi";

/// The directory of the kubelet's pod resources API.
const POD_RESOURCES_DIR: &str = "/var/lib/kubelet/pod-resources";

/// For the quote service, and its successor during an update.
const PROVISION_LIMIT: u32 = 2;

/// The DaemonSet. A new pod registers its resources before the old one ends. Where pods cannot
/// overlap, several nodes at once may lack EPC: containers that have some are not affected.
pub(super) fn objects(
    add_on: &AddOn,
    version: KubernetesVersion,
) -> Result<Vec<DynamicObject>, serde_json::Error> {
    let unavailable = IntOrString::String("10%".to_owned());
    let daemon_set = DaemonSet {
        metadata: add_on.metadata(DEVICE_PLUGIN),
        spec: Some(DaemonSetSpec {
            selector: selector(DEVICE_PLUGIN),
            template: template(add_on, DEVICE_PLUGIN, pod(add_on)),
            update_strategy: Some(rolling_update::of_daemon_set(version, unavailable)),
            ..DaemonSetSpec::default()
        }),
        ..DaemonSet::default()
    };
    Ok(vec![object(&daemon_set)?])
}

/// Runs as root, since the kubelet's directory is root's, but without capabilities.
fn pod(add_on: &AddOn) -> PodSpec {
    let mut plugin = container(add_on, "device-plugin", 0, arguments(add_on));
    plugin.env = Some(vec![field("NODE_NAME", "spec.nodeName")]);
    plugin.ports = Some(vec![port(METRICS_PORT)]);
    // Frequent, since the old pod of an update runs until the new one is ready.
    plugin.readiness_probe = Some(Probe { period_seconds: Some(2), ..http_probe("/readyz") });
    plugin.liveness_probe = Some(http_probe("/livez"));
    plugin.resources = Some(add_on.requirements(Component::DevicePlugin, &[]));
    let (volumes, mounts): (Vec<_>, Vec<_>) = volumes(add_on).into_iter().unzip();
    plugin.volume_mounts = Some(mounts);
    let asks_api_server = add_on.counts_in_node_status();
    PodSpec {
        containers: vec![plugin],
        volumes: Some(volumes),
        affinity: add_on.affinity_or(Component::DevicePlugin, None),
        priority_class_name: Some(add_on.priority_class.clone()),
        service_account_name: asks_api_server.then(|| DEVICE_PLUGIN.to_owned()),
        automount_service_account_token: Some(asks_api_server),
        ..PodSpec::default()
    }
}

fn arguments(add_on: &AddOn) -> Vec<String> {
    let mut arguments = vec![
        "device-plugin".to_owned(),
        "--host-root=/host".to_owned(),
        format!("--resource-profile={}", add_on.resource_profile),
        format!("--provision-limit={PROVISION_LIMIT}"),
        metrics_listen(),
    ];
    arguments.push(format!("--epc-accounting={}", add_on.epc_accounting));
    if add_on.platform == Platform::Software {
        arguments.push(format!("--software-epc={}", add_on.software_epc));
    }
    if add_on.cdi {
        arguments.push(format!("--cdi-dir={CDI_DIR}"));
    }
    if !add_on.quote_service {
        arguments.push("--no-aesm-dir".to_owned());
    }
    if add_on.watches_quote_service() {
        arguments.push(format!("--quote-service-socket={AESM_DIR}/aesm.socket"));
    }
    arguments
}

fn volumes(add_on: &AddOn) -> Vec<(Volume, VolumeMount)> {
    let mut volumes = vec![
        (host_directory("plugins", PLUGIN_DIR, "Directory"), mount("plugins", PLUGIN_DIR)),
        (host_directory("dev", "/dev", "Directory"), read_only(mount("dev", "/host/dev"))),
        (
            host_directory("pod-resources", POD_RESOURCES_DIR, "DirectoryOrCreate"),
            read_only(mount("pod-resources", POD_RESOURCES_DIR)),
        ),
    ];
    if add_on.cdi {
        let directory = host_directory("cdi", CDI_DIR, "DirectoryOrCreate");
        volumes.push((directory, mount("cdi", CDI_DIR)));
    }
    if add_on.watches_quote_service() {
        let directory = host_directory("aesmd", AESM_DIR, "DirectoryOrCreate");
        volumes.push((directory, read_only(mount("aesmd", AESM_DIR))));
    }
    volumes
}
