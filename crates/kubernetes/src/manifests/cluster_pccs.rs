//! The cluster's PCCS: one server with PCK certificates and collateral for all nodes and verifiers.

mod volumes;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::api::core::v1::{Container, PodSecurityContext, PodSpec, Probe};
use kube::core::DynamicObject;

use self::volumes::{SECRET_DIR, STATE_DIR, TRUSTED_ROOT, VOLUME};
use super::addresses::{CLUSTER_PCCS, PCCS_PORT, software_collateral_url};
use super::object::object;
use super::pod::{
    CLUSTER_PRIORITY_CLASS, METRICS_PORT, configured, container, directory_owner, http_probe,
    metrics_listen, port, selector, template,
};
use super::service::service;
use super::{AddOn, Cluster, ClusterPccs, Component, PccsSecretKey, Platform, rolling_update};

/// The objects, if a PCCS was chosen.
pub(super) fn objects(
    add_on: &AddOn,
    cluster: &Cluster,
) -> Result<Vec<DynamicObject>, serde_json::Error> {
    let Some(pccs) = &add_on.cluster_pccs else { return Ok(Vec::new()) };
    let mut objects = Vec::new();
    if let Some(claim) = volumes::claim(add_on, pccs) {
        objects.push(object(&claim)?);
    }
    objects.push(object(&service(add_on, CLUSTER_PCCS, CLUSTER_PCCS, PCCS_PORT))?);
    objects.push(object(&deployment(add_on, pccs, cluster))?);
    Ok(objects)
}

/// A single pod. Its database has one writer.
fn deployment(add_on: &AddOn, pccs: &ClusterPccs, cluster: &Cluster) -> Deployment {
    let pod = PodSpec {
        init_containers: pccs.storage.is_some().then(|| vec![state_owner(add_on, pccs)]),
        containers: vec![server(add_on, pccs)],
        volumes: Some(volumes::volumes(add_on, pccs)),
        automount_service_account_token: Some(false),
        affinity: add_on.affinity_or(Component::Pccs, None),
        priority_class_name: Some(CLUSTER_PRIORITY_CLASS.to_owned()),
        security_context: Some(PodSecurityContext {
            fs_group: Some(add_on.pccs_uid()),
            ..PodSecurityContext::default()
        }),
        ..PodSpec::default()
    };
    let root = cluster.software_platform_root.as_ref().map(|root| root.certificate.as_str());
    Deployment {
        metadata: add_on.metadata(CLUSTER_PCCS),
        spec: Some(DeploymentSpec {
            replicas: Some(1),
            strategy: Some(strategy(pccs)),
            selector: selector(CLUSTER_PCCS),
            template: configured(template(add_on, CLUSTER_PCCS, pod), root),
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

/// Pods with a data directory each can overlap. A volume is for one node and one writer at a time,
/// so that the old pod ends first.
fn strategy(pccs: &ClusterPccs) -> DeploymentStrategy {
    match pccs.storage {
        None => rolling_update::of_deployment(),
        Some(_) => DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None },
    }
}

/// The volume may be from a deployment with other users.
fn state_owner(add_on: &AddOn, pccs: &ClusterPccs) -> Container {
    let mut owner = directory_owner(add_on, add_on.pccs_uid(), &[VOLUME, STATE_DIR]);
    owner.volume_mounts = Some(vec![volumes::state_mount(pccs)]);
    owner
}

fn server(add_on: &AddOn, pccs: &ClusterPccs) -> Container {
    let mut server = container(add_on, "pccs", add_on.pccs_uid(), arguments(add_on, pccs));
    server.ports = Some(vec![port(PCCS_PORT), port(METRICS_PORT)]);
    // Frequent, since with a volume nobody serves during an update.
    server.readiness_probe = Some(Probe { period_seconds: Some(2), ..http_probe("/readyz") });
    server.liveness_probe = Some(http_probe("/livez"));
    server.volume_mounts = Some(volumes::mounts(add_on, pccs));
    server.resources = Some(add_on.requirements(Component::Pccs, &[]));
    server
}

fn arguments(add_on: &AddOn, pccs: &ClusterPccs) -> Vec<String> {
    let (_, port) = PCCS_PORT;
    let mut arguments = vec![
        "collateral".to_owned(),
        "serve".to_owned(),
        format!("--listen=[::]:{port}"),
        metrics_listen(),
        format!("--mode={}", pccs.mode),
        format!("--state-dir={STATE_DIR}"),
    ];
    arguments.extend(sources(add_on, pccs).into_iter().map(|source| format!("--source={source}")));
    if add_on.platform == Platform::Software {
        arguments.push(format!("--trusted-root={TRUSTED_ROOT}"));
    }
    let keys = pccs.secret.iter().flat_map(|secret| &secret.keys);
    arguments.extend(keys.map(|key| format!("{}={SECRET_DIR}/{}", flag(*key), key.name())));
    arguments
}

/// The chosen sources; by default, with the software platform, its collateral.
fn sources(add_on: &AddOn, pccs: &ClusterPccs) -> Vec<String> {
    match add_on.platform {
        Platform::Software if pccs.sources.is_empty() => vec![software_collateral_url(add_on)],
        _ => pccs.sources.clone(),
    }
}

/// The server's option for the file with this key.
fn flag(key: PccsSecretKey) -> &'static str {
    match key {
        PccsSecretKey::ApiKey => "--api-key-file",
        PccsSecretKey::UserTokenHash => "--user-token-file",
        PccsSecretKey::AdminTokenHash => "--admin-token-file",
    }
}
