//! Common parts of the add-on's pods.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use k8s_openapi::api::core::v1::{
    Affinity, Capabilities, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction,
    HostPathVolumeSource, LocalObjectReference, ObjectFieldSelector, PodSpec, PodTemplateSpec,
    Probe, ResourceRequirements, SeccompProfile, SecurityContext, Toleration, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::object::labels;
use super::{AddOn, Component};
use crate::device_plugin::ResourceProfile;

/// The priority class of components that exist once in a cluster.
pub(super) const CLUSTER_PRIORITY_CLASS: &str = "system-cluster-critical";

/// A hash of the pods' configuration.
const CONFIGURATION_ANNOTATION: &str = "sgx-quote-helper/configuration";

/// The name and the number of the port with metrics and health.
pub(super) const METRICS_PORT: (&str, i32) = ("metrics", 17490);

/// The option to serve metrics and health at all addresses of the pod.
pub(super) fn metrics_listen() -> String {
    format!("--metrics-listen=[::]:{}", METRICS_PORT.1)
}

/// The label of a component's pods.
pub(super) fn selected(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("app.kubernetes.io/name".to_owned(), name.to_owned())])
}

/// Selects a component's pods.
pub(super) fn selector(name: &str) -> LabelSelector {
    LabelSelector { match_labels: Some(selected(name)), ..LabelSelector::default() }
}

/// The pods of a component, on the nodes of the add-on.
pub(super) fn template(add_on: &AddOn, name: &str, mut pod: PodSpec) -> PodTemplateSpec {
    let platform = [("kubernetes.io/os", "linux"), ("kubernetes.io/arch", "amd64")];
    let platform = platform.map(|(label, value)| (label.to_owned(), value.to_owned()));
    let secrets = add_on.image_pull_secrets.iter();
    for container in pod.init_containers.iter_mut().flatten().chain(&mut pod.containers) {
        let level = variable("QUOTE_HELPER_LOG", add_on.log_level.name());
        container.env.get_or_insert_default().push(level);
    }
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels().chain(selected(name)).collect()),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            node_selector: Some(platform.into_iter().chain(add_on.node_selector.clone()).collect()),
            tolerations: Some(tolerations(add_on)),
            image_pull_secrets: (!add_on.image_pull_secrets.is_empty())
                .then(|| secrets.map(|name| LocalObjectReference { name: name.clone() }).collect()),
            ..pod
        }),
    }
}

impl AddOn {
    /// The chosen affinity of a component, else this one.
    pub(super) fn affinity_or(
        &self,
        component: Component,
        default: Option<Affinity>,
    ) -> Option<Affinity> {
        self.affinity.get(&component).cloned().or(default)
    }
}

/// Adds a hash of the configuration, so that a change replaces the pods: they read it only at
/// start.
pub(super) fn configured<'a>(
    mut template: PodTemplateSpec,
    configuration: impl IntoIterator<Item = &'a str>,
) -> PodTemplateSpec {
    let mut hash = Context::new(&SHA256);
    for text in configuration {
        hash.update(text.as_bytes());
    }
    let hash = hex::encode(hash.finish());
    template.metadata.get_or_insert_default().annotations =
        Some([(CONFIGURATION_ANNOTATION.to_owned(), hash)].into());
    template
}

/// Taints of nodes with SGX are named after the resource.
fn tolerations(add_on: &AddOn) -> Vec<Toleration> {
    let of_resources = ResourceProfile::epc_resources().map(|resource| Toleration {
        key: Some(resource.to_owned()),
        operator: Some("Exists".to_owned()),
        effect: Some("NoSchedule".to_owned()),
        ..Toleration::default()
    });
    of_resources.chain(add_on.tolerations.iter().cloned()).collect()
}

/// A container of the add-on's image with minimal privileges, run as this user.
pub(super) fn container(
    add_on: &AddOn,
    name: &str,
    user: i64,
    arguments: Vec<String>,
) -> Container {
    Container {
        name: name.to_owned(),
        image: Some(add_on.image().to_owned()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        args: Some(arguments),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            read_only_root_filesystem: Some(true),
            run_as_user: Some(user),
            run_as_group: Some(user),
            run_as_non_root: Some(user != 0),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                localhost_profile: None,
            }),
            ..SecurityContext::default()
        }),
        ..Container::default()
    }
}

/// An init container that gives existing directories and their contents to a user.
pub(super) fn directory_owner(add_on: &AddOn, user: i64, directories: &[&str]) -> Container {
    let options = ["chown".to_owned(), format!("--user={user}"), "--if-present".to_owned()];
    let directories = directories.iter().map(|path| (*path).to_owned());
    let arguments = options.into_iter().chain(directories);
    let mut owner = container(add_on, "directories", 0, arguments.collect());
    owner.resources = Some(resources(&[("cpu", "5m"), ("memory", "16Mi")], &[("memory", "32Mi")]));
    if let Some(security) = &mut owner.security_context {
        security.capabilities = Some(Capabilities {
            add: Some(vec!["CHOWN".to_owned()]),
            drop: Some(vec!["ALL".to_owned()]),
        });
    }
    owner
}

/// Requests and limits; the latter include extended resources.
pub(super) fn resources(
    requests: &[(&str, &str)],
    limits: &[(&str, &str)],
) -> ResourceRequirements {
    let quantities = |list: &[(&str, &str)]| {
        let each = list.iter();
        Some(each.map(|(name, it)| ((*name).to_owned(), Quantity((*it).to_owned()))).collect())
    };
    ResourceRequirements {
        requests: quantities(requests),
        limits: quantities(limits),
        ..ResourceRequirements::default()
    }
}

/// A variable with a field of the pod, known at run time.
pub(super) fn field(variable: &str, path: &str) -> EnvVar {
    let field = ObjectFieldSelector { field_path: path.to_owned(), api_version: None };
    EnvVar {
        name: variable.to_owned(),
        value_from: Some(EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() }),
        value: None,
    }
}

/// A variable.
pub(super) fn variable(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.into()), value_from: None }
}

/// A port. The protocol has a default, but server-side apply needs it to merge ports.
pub(super) fn port((name, number): (&str, i32)) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: number,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

/// A probe at the port for metrics and health.
pub(super) fn http_probe(path: &str) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(METRICS_PORT.0.to_owned()),
            ..HTTPGetAction::default()
        }),
        ..Probe::default()
    }
}

/// A directory of the host. `kind` is `Directory`, or `DirectoryOrCreate` to create it if missing.
pub(super) fn host_directory(name: &str, path: &str, kind: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        host_path: Some(HostPathVolumeSource {
            path: path.to_owned(),
            type_: Some(kind.to_owned()),
        }),
        ..Volume::default()
    }
}

/// A mount of a volume.
pub(super) fn mount(volume: &str, path: &str) -> VolumeMount {
    VolumeMount { name: volume.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() }
}

/// The same mount, read-only.
pub(super) fn read_only(mount: VolumeMount) -> VolumeMount {
    VolumeMount { read_only: Some(true), ..mount }
}
