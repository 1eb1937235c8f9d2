//! The quote service, on each node with SGX.

mod volumes;

use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec};
use k8s_openapi::api::core::v1::{
    Container, EnvVar, ExecAction, PodSecurityContext, PodSpec, Probe, ResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::core::DynamicObject;

use self::volumes::{AUTHORITIES, SOFTWARE_PLATFORM_DIR, STATE_DIR};
use super::addresses::COLLATERAL_PORT;
use super::object::object;
use super::pod::{
    METRICS_PORT, configured, container, directory_owner, http_probe, metrics_listen, port,
    selector, template, variable,
};
use super::sgx_nodes::on_sgx_nodes;
use super::software_platform::ROOT_FILE;
use super::{AddOn, Cluster, Component, Platform, quote_provider, rolling_update};
use crate::device_plugin::{
    AESM_DIR, ENCLAVE_RESOURCE, EpcAccounting, PROVISION_RESOURCE, ResourceProfile,
};

/// The name of the DaemonSet, as on AKS.
pub const QUOTE_SERVICE: &str = "sgx-quote-helper";
/// The container that serves quotes.
pub const QUOTE_SERVICE_CONTAINER: &str = "quote-service";

/// The subdirectory of collateral, which the workers' quote provider library fetches and the
/// service refreshes.
const COLLATERAL_CACHE: &str = "collateral";

/// The DaemonSet. A new pod takes over before the old one ends, if DaemonSets can surge.
pub(super) fn objects(
    add_on: &AddOn,
    cluster: &Cluster,
) -> Result<Vec<DynamicObject>, serde_json::Error> {
    let root = cluster.software_platform_root.as_ref().map(|root| root.certificate.as_str());
    let files = quote_provider::files(add_on).unwrap_or_default();
    let configuration = root.into_iter().chain(files.values().map(String::as_str));
    let template = template(add_on, QUOTE_SERVICE, pod(add_on));
    let daemon_set = DaemonSet {
        metadata: add_on.metadata(QUOTE_SERVICE),
        spec: Some(DaemonSetSpec {
            selector: selector(QUOTE_SERVICE),
            template: configured(template, configuration),
            update_strategy: Some(rolling_update::of_daemon_set(
                cluster.version,
                IntOrString::Int(1),
            )),
            ..DaemonSetSpec::default()
        }),
        ..DaemonSet::default()
    };
    Ok(vec![object(&daemon_set)?])
}

fn pod(add_on: &AddOn) -> PodSpec {
    PodSpec {
        init_containers: Some(vec![host_directory_owner(add_on)]),
        containers: vec![quote_service(add_on)],
        volumes: Some(volumes::volumes(add_on)),
        affinity: add_on.affinity_or(
            Component::QuoteService,
            (add_on.platform == Platform::Dcap).then(on_sgx_nodes),
        ),
        priority_class_name: Some(add_on.priority_class.clone()),
        automount_service_account_token: Some(false),
        // The kernel identifies the peer of a socket, and so its pod, only in the same pid
        // namespace.
        host_pid: add_on.host_pid.then_some(true),
        security_context: Some(PodSecurityContext {
            fs_group: Some(add_on.quote_service_uid()),
            supplemental_groups: (!add_on.device_groups.is_empty())
                .then(|| add_on.device_groups.clone()),
            ..PodSecurityContext::default()
        }),
        ..PodSpec::default()
    }
}

/// New directories of the host belong to root.
fn host_directory_owner(add_on: &AddOn) -> Container {
    let directories = [AESM_DIR, STATE_DIR];
    let mut owner = directory_owner(add_on, add_on.quote_service_uid(), &directories);
    owner.volume_mounts = Some(volumes::host_directories().into());
    owner
}

fn quote_service(add_on: &AddOn) -> Container {
    let mut service = container(
        add_on,
        QUOTE_SERVICE_CONTAINER,
        add_on.quote_service_uid(),
        arguments(add_on.platform),
    );
    let mut ports = vec![port(METRICS_PORT)];
    if add_on.platform == Platform::Software {
        ports.push(port(COLLATERAL_PORT));
    }
    service.ports = Some(ports);
    service.env = Some(variables(add_on));
    service.startup_probe = Some(startup_probe());
    // It makes a quote and, with the software platform, verifies it.
    service.readiness_probe =
        Some(Probe { period_seconds: Some(5), timeout_seconds: Some(5), ..http_probe("/readyz") });
    service.liveness_probe =
        Some(Probe { period_seconds: Some(10), timeout_seconds: Some(5), ..http_probe("/livez") });
    service.volume_mounts = Some(volumes::mounts(add_on));
    service.resources = Some(quantities(add_on));
    service
}

/// A new pod whose service fails the conformance run does not take over, and says why. The kubelet
/// puts the output of the failed probe into an Event, for which the pod itself would need an
/// account. The service ends before the probe has failed for the last time.
fn startup_probe() -> Probe {
    let command = ["quote-helper", "startup-probe"].map(str::to_owned);
    Probe {
        exec: Some(ExecAction { command: Some(command.into()) }),
        period_seconds: Some(5),
        timeout_seconds: Some(10),
        failure_threshold: Some(24),
        ..Probe::default()
    }
}

fn variables(add_on: &AddOn) -> Vec<EnvVar> {
    let mut variables = vec![variable("HOME", STATE_DIR)];
    match add_on.platform {
        Platform::Dcap => {
            // On the host, so that a replaced pod can quote while the PCCS is unavailable.
            let cache = format!("{STATE_DIR}/{COLLATERAL_CACHE}");
            variables.push(variable("QUOTE_HELPER_COLLATERAL_CACHE_DIR", cache));
            if quote_provider::authority(add_on).is_some() {
                variables.push(variable("QUOTE_HELPER_COLLATERAL_CA_FILE", AUTHORITIES));
            }
        }
        Platform::Software => {
            let (_, number) = COLLATERAL_PORT;
            let root = format!("{SOFTWARE_PLATFORM_DIR}/{ROOT_FILE}");
            let source = format!("http://localhost:{number}");
            variables.push(variable("QUOTE_HELPER_COLLATERAL_SOURCES", source));
            variables.push(variable("QUOTE_HELPER_COLLATERAL_TRUSTED_ROOT", root));
        }
    }
    variables
}

fn arguments(platform: Platform) -> Vec<String> {
    let mut arguments = vec![
        "serve".to_owned(),
        format!("--socket={AESM_DIR}/aesm.socket"),
        format!("--state-dir={STATE_DIR}"),
        metrics_listen(),
        // The kubelet restarts containers that exit, and the replaced pod would take over again.
        "--after-hand-over=wait".to_owned(),
    ];
    match platform {
        Platform::Dcap => arguments.push("--platform=dcap".to_owned()),
        Platform::Software => {
            let (_, number) = COLLATERAL_PORT;
            arguments.push("--platform=software".to_owned());
            arguments.push(format!("--collateral-listen=[::]:{number}"));
        }
    }
    arguments
}

/// EPC and, on real SGX, the provision resource: so that the service is scheduled after the device
/// plugin, and gets device nodes from it.
fn quantities(add_on: &AddOn) -> ResourceRequirements {
    let profile = add_on.resource_profile.first();
    let mut limits = vec![(profile.epc_resource(), epc(profile))];
    let is_counted_in_node_status =
        profile == ResourceProfile::Intel || add_on.epc_accounting == EpcAccounting::NodeStatus;
    if is_counted_in_node_status {
        limits.push((ENCLAVE_RESOURCE, "1"));
    }
    if add_on.platform == Platform::Dcap {
        limits.push((PROVISION_RESOURCE, "1"));
    }
    add_on.requirements(Component::QuoteService, &limits)
}

/// 16 MiB in the resource's unit: enough for QE and PCE of all workers.
fn epc(profile: ResourceProfile) -> &'static str {
    match profile {
        ResourceProfile::Azure | ResourceProfile::Aliyun => "16",
        ResourceProfile::Intel => "16Mi",
    }
}
