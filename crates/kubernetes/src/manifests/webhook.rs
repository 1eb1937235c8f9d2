//! The admission webhook: replicas that share nothing but a Secret.

use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MutatingWebhook, MutatingWebhookConfiguration, RuleWithOperations,
    ServiceReference, WebhookClientConfig,
};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{
    Affinity, Container, PodAffinityTerm, PodAntiAffinity, PodSpec, Secret, ServiceAccount,
    WeightedPodAffinityTerm,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::core::DynamicObject;

use super::admission_policy::{mentions_sgx, requests_epc};
use super::node_access::{account_of, role_ref, rule};
use super::object::{cluster_metadata, object};
use super::pod::{
    CLUSTER_PRIORITY_CLASS, METRICS_PORT, container, field, http_probe, metrics_listen, port,
    selector, template,
};
use super::service::service;
use super::{AddOn, Component, KubernetesVersion, rolling_update};
use crate::injection::INJECT_LABEL;
use crate::webhook::PATH;

/// The name of the Deployment, the Service and the `MutatingWebhookConfiguration`, as on AKS.
pub const WEBHOOK: &str = "sgx-webhook";
/// The Secret with the webhook's certificates. It is created empty; the webhook fills it.
pub const WEBHOOK_CERTIFICATES: &str = "sgx-webhook-certificates";

/// The webhook's name in its configuration, which must have the form of a domain.
const WEBHOOK_DOMAIN: &str = "sgx-webhook.sgx-quote-helper.local";
/// The name of the webhook that only warns.
const WARNINGS_DOMAIN: &str = "sgx-warnings.sgx-quote-helper.local";
/// The name and the number of the port with admission reviews.
pub(super) const REVIEWS_PORT: (&str, i32) = ("reviews", 8443);
/// The Service's number of that port.
const SERVICE_PORT: i32 = 443;
/// The time that a new pod waits for the webhook, in seconds.
const TIMEOUT: i32 = 3;

/// The configuration comes last, when the webhook exists.
pub(super) fn objects(
    add_on: &AddOn,
    version: KubernetesVersion,
) -> Result<Vec<DynamicObject>, serde_json::Error> {
    let account =
        ServiceAccount { metadata: add_on.metadata(WEBHOOK), ..ServiceAccount::default() };
    let certificates =
        Secret { metadata: add_on.metadata(WEBHOOK_CERTIFICATES), ..Secret::default() };
    let mut objects = vec![object(&account)?, object(&certificates)?];
    objects.extend(access(add_on)?);
    let service = service(add_on, WEBHOOK, WEBHOOK, (REVIEWS_PORT.0, SERVICE_PORT));
    objects.extend([object(&service)?, object(&deployment(add_on))?]);
    if version.has_disruption_budgets() {
        objects.push(object(&disruption_budget(add_on))?);
    }
    objects.push(object(&configuration(add_on, version))?);
    Ok(objects)
}

/// Access to the certificates and to the configuration, each limited to the one object.
fn access(add_on: &AddOn) -> Result<[DynamicObject; 4], serde_json::Error> {
    let secret = named(rule("", "secrets", &["get", "update"]), WEBHOOK_CERTIFICATES);
    let group = "admissionregistration.k8s.io";
    let configuration =
        named(rule(group, "mutatingwebhookconfigurations", &["get", "patch"]), WEBHOOK);
    let account = vec![account_of(add_on, WEBHOOK)];
    Ok([
        object(&Role { metadata: add_on.metadata(WEBHOOK), rules: Some(vec![secret]) })?,
        object(&RoleBinding {
            metadata: add_on.metadata(WEBHOOK),
            role_ref: role_ref("Role", WEBHOOK),
            subjects: Some(account.clone()),
        })?,
        object(&ClusterRole {
            metadata: cluster_metadata(WEBHOOK),
            rules: Some(vec![configuration]),
            ..ClusterRole::default()
        })?,
        object(&ClusterRoleBinding {
            metadata: cluster_metadata(WEBHOOK),
            role_ref: role_ref("ClusterRole", WEBHOOK),
            subjects: Some(account),
        })?,
    ])
}

/// The rule for the resource of this name only.
fn named(rule: PolicyRule, name: &str) -> PolicyRule {
    PolicyRule { resource_names: Some(vec![name.to_owned()]), ..rule }
}

fn deployment(add_on: &AddOn) -> Deployment {
    let pod = PodSpec {
        containers: vec![webhook(add_on)],
        service_account_name: Some(WEBHOOK.to_owned()),
        priority_class_name: Some(CLUSTER_PRIORITY_CLASS.to_owned()),
        affinity: add_on.affinity_or(Component::Webhook, Some(on_different_nodes())),
        ..PodSpec::default()
    };
    Deployment {
        metadata: add_on.metadata(WEBHOOK),
        spec: Some(DeploymentSpec {
            replicas: Some(add_on.webhook_replicas.into()),
            strategy: Some(rolling_update::of_deployment()),
            selector: selector(WEBHOOK),
            template: template(add_on, WEBHOOK, pod),
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

fn webhook(add_on: &AddOn) -> Container {
    let (_, number) = REVIEWS_PORT;
    let mut arguments =
        vec!["webhook".to_owned(), format!("--listen=[::]:{number}"), metrics_listen()];
    match add_on.quote_service {
        true => arguments.push("--socket-by-device-plugin".to_owned()),
        false => arguments.push("--quote-service=false".to_owned()),
    }
    arguments.push(format!("--epc-accounting={}", add_on.epc_accounting));
    arguments.push(format!("--first-uid={}", add_on.first_uid));
    let mut webhook = container(add_on, "webhook", add_on.webhook_uid(), arguments);
    webhook.env = Some(vec![field("POD_NAMESPACE", "metadata.namespace")]);
    webhook.ports = Some(vec![port(REVIEWS_PORT), port(METRICS_PORT)]);
    webhook.readiness_probe = Some(http_probe("/readyz"));
    webhook.liveness_probe = Some(http_probe("/livez"));
    webhook.resources = Some(add_on.requirements(Component::Webhook, &[]));
    webhook
}

/// Prefers different nodes.
fn on_different_nodes() -> Affinity {
    let term = PodAffinityTerm {
        label_selector: Some(selector(WEBHOOK)),
        topology_key: "kubernetes.io/hostname".to_owned(),
        ..PodAffinityTerm::default()
    };
    Affinity {
        pod_anti_affinity: Some(PodAntiAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(vec![
                WeightedPodAffinityTerm { pod_affinity_term: term, weight: 100 },
            ]),
            ..PodAntiAffinity::default()
        }),
        ..Affinity::default()
    }
}

/// Lets drains evict one replica at a time.
fn disruption_budget(add_on: &AddOn) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: add_on.metadata(WEBHOOK),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(selector(WEBHOOK)),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    }
}

/// Without `caBundle`, which the webhook sets: applying again keeps it.
fn configuration(add_on: &AddOn, version: KubernetesVersion) -> MutatingWebhookConfiguration {
    let webhooks = match version.has_match_conditions() {
        true => {
            let needed = condition("requests-epc", requests_epc());
            let others = format!("!({})", requests_epc());
            let others = [condition("requests-no-epc", others), condition("sgx", mentions_sgx())];
            vec![
                mutating_webhook(add_on, WEBHOOK_DOMAIN, "Fail", vec![needed]),
                mutating_webhook(add_on, WARNINGS_DOMAIN, "Ignore", others.into()),
            ]
        }
        // It is called for each pod of the cluster, so none may depend on it.
        false => vec![mutating_webhook(add_on, WEBHOOK_DOMAIN, "Ignore", Vec::new())],
    };
    MutatingWebhookConfiguration { metadata: cluster_metadata(WEBHOOK), webhooks: Some(webhooks) }
}

fn mutating_webhook(
    add_on: &AddOn,
    name: &str,
    failure_policy: &str,
    conditions: Vec<MatchCondition>,
) -> MutatingWebhook {
    let service = ServiceReference {
        name: WEBHOOK.to_owned(),
        namespace: add_on.namespace.clone(),
        path: Some(PATH.to_owned()),
        port: Some(SERVICE_PORT),
    };
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    MutatingWebhook {
        name: name.to_owned(),
        admission_review_versions: vec!["v1".to_owned()],
        client_config: WebhookClientConfig {
            service: Some(service),
            ..WebhookClientConfig::default()
        },
        failure_policy: Some(failure_policy.to_owned()),
        side_effects: "None".to_owned(),
        timeout_seconds: Some(TIMEOUT),
        // Another webhook may add a container with EPC.
        reinvocation_policy: Some("IfNeeded".to_owned()),
        namespace_selector: Some(other_than(
            "kubernetes.io/metadata.name",
            &["kube-system", &add_on.namespace],
        )),
        object_selector: Some(other_than(INJECT_LABEL, &["false"])),
        match_conditions: (!conditions.is_empty()).then_some(conditions),
        rules: Some(vec![RuleWithOperations {
            api_groups: names(&[""]),
            api_versions: names(&["v1"]),
            operations: names(&["CREATE"]),
            resources: names(&["pods"]),
            scope: Some("Namespaced".to_owned()),
        }]),
        ..MutatingWebhook::default()
    }
}

fn condition(name: &str, expression: String) -> MatchCondition {
    MatchCondition { name: name.to_owned(), expression }
}

/// Selects objects without this label, or with another value.
fn other_than(label: &str, values: &[&str]) -> LabelSelector {
    let requirement = LabelSelectorRequirement {
        key: label.to_owned(),
        operator: "NotIn".to_owned(),
        values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
    };
    LabelSelector { match_expressions: Some(vec![requirement]), ..LabelSelector::default() }
}
