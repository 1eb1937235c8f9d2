//! Admission policies: the API server injects the settings of pods with enclaves by itself, and
//! warns of mistakes, without a webhook to run, to trust and to wait for.
//!
//! The mutations do the same as [`crate::injection`], in CEL. Tests compare the two on a real API
//! server.

mod relevance;
mod settings;

pub(super) use relevance::{mentions_sgx, requests_epc};

use std::collections::BTreeMap;

use kube::core::DynamicObject;
use serde::Deserialize;
use serde::de::Error;
use serde_json::{Map, Value, json};

use super::object::labels;
use crate::injection::{INJECT_LABEL, Settings};

/// The name of the `MutatingAdmissionPolicy` and its binding.
pub const INJECTION_POLICY: &str = "sgx-injection";
/// The name of the `ValidatingAdmissionPolicy` and its binding.
pub const WARNING_POLICY: &str = "sgx-warnings";

/// The variables and mutations of the first.
const INJECTION: &str = include_str!("admission_policy/injection.yaml");
/// The variables and validations of the second.
const WARNINGS: &str = include_str!("admission_policy/warnings.yaml");

/// Both policies and their bindings, for pods outside of the add-on's namespace.
///
/// # Errors
/// If an object cannot be serialized.
pub fn admission_policies(
    settings: &Settings,
    namespace: &str,
) -> Result<Vec<DynamicObject>, serde_json::Error> {
    let warn = json!({ "policyName": WARNING_POLICY, "validationActions": ["Warn"] });
    let inject = json!({ "policyName": INJECTION_POLICY });
    Ok(vec![
        object("ValidatingAdmissionPolicy", WARNING_POLICY, &warning(settings, namespace)?)?,
        object("ValidatingAdmissionPolicyBinding", WARNING_POLICY, &warn)?,
        object("MutatingAdmissionPolicy", INJECTION_POLICY, &injection(settings, namespace)?)?,
        object("MutatingAdmissionPolicyBinding", INJECTION_POLICY, &inject)?,
    ])
}

fn injection(settings: &Settings, namespace: &str) -> Result<Value, serde_json::Error> {
    let constraints = json!({
        "namespaceSelector": outside_of(namespace),
        "objectSelector": other_than(INJECT_LABEL, "false"),
        "resourceRules": [rule("", &["pods"], &["CREATE"])],
    });
    let fields = json!({
        // A pod with EPC that lacks its device node would start and fail.
        "failurePolicy": "Fail",
        // Another policy or webhook may add a container with EPC.
        "reinvocationPolicy": "IfNeeded",
        "matchConstraints": constraints,
        "matchConditions": [{ "name": "requests-epc", "expression": requests_epc() }],
    });
    specification(INJECTION, settings, fields)
}

/// Warnings about workloads reach their authors, those about pods of a controller nobody.
fn warning(settings: &Settings, namespace: &str) -> Result<Value, serde_json::Error> {
    let workloads = ["daemonsets", "deployments", "replicasets", "statefulsets"];
    let rules = json!([
        rule("", &["pods"], &["CREATE"]),
        rule("apps", &workloads, &["CREATE", "UPDATE"]),
        rule("batch", &["cronjobs", "jobs"], &["CREATE", "UPDATE"]),
    ]);
    let constraints = json!({
        "namespaceSelector": outside_of(namespace),
        "resourceRules": rules,
    });
    let fields = json!({ "failurePolicy": "Ignore", "matchConstraints": constraints });
    specification(WARNINGS, settings, fields)
}

/// The expressions of a policy.
#[derive(Deserialize)]
struct Expressions {
    variables: Vec<Value>,
    /// The mutations or validations.
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A policy's expressions with the settings before them, and these fields.
fn specification(
    expressions: &str,
    settings: &Settings,
    fields: Value,
) -> Result<Value, serde_json::Error> {
    let Expressions { variables, others } =
        serde_saphyr::from_str(expressions).map_err(serde_json::Error::custom)?;
    let variables = settings::variables(settings).into_iter().chain(variables);
    let variables = ("variables".to_owned(), variables.collect());
    let fields: Map<_, _> = serde_json::from_value(fields)?;
    Ok(fields.into_iter().chain([variables]).chain(others).collect())
}

fn object(kind: &str, name: &str, spec: &Value) -> Result<DynamicObject, serde_json::Error> {
    serde_json::from_value(json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": { "name": name, "labels": labels().collect::<BTreeMap<_, _>>() },
        "spec": spec,
    }))
}

fn rule(group: &str, resources: &[&str], operations: &[&str]) -> Value {
    json!({
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "operations": operations,
        "resources": resources,
    })
}

fn outside_of(namespace: &str) -> Value {
    other_than("kubernetes.io/metadata.name", namespace)
}

/// Selects objects without this label, or with another value.
fn other_than(label: &str, value: &str) -> Value {
    json!({ "matchExpressions": [{ "key": label, "operator": "NotIn", "values": [value] }] })
}
