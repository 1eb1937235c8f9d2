//! The chart makes the objects that `manifests` prints.

use crate::cases::{self, Case};
use crate::helm::{manifests, template};
use crate::objects::{differences, objects};

/// The oldest version with disruption budgets, and those with conditions of webhooks, with
/// admission policies, and with trust bundles.
const VERSIONS: [&str; 4] = ["1.21", "1.30", "1.36", "1.37"];

const NAMESPACE: &str = "sgx-quote-helper";

#[test]
#[ignore = "it needs Helm: just chart-test"]
fn chart_makes_the_objects_of_manifests() {
    let directory = tempfile::tempdir().unwrap();
    let cases = cases::all(directory.path());
    let different: Vec<_> = cases
        .iter()
        .flat_map(|case| VERSIONS.map(|version| compared(case, NAMESPACE, version)))
        .flatten()
        .collect();
    assert!(cases.len() * VERSIONS.len() >= 50);
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
#[ignore = "it needs Helm: just chart-test"]
fn chart_makes_the_same_objects_in_other_namespaces_and_on_the_oldest_version() {
    let directory = tempfile::tempdir().unwrap();
    let different: Vec<_> = cases::all(directory.path())
        .iter()
        .take(6)
        .flat_map(|case| ["default", "kube-system", "sgx"].map(|it| compared(case, it, "1.20")))
        .flatten()
        .collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The differences between both for a case.
fn compared(case: &Case, namespace: &str, version: &str) -> Vec<String> {
    let expected = objects(&manifests(namespace, version, &case.options));
    let rendered = match template(namespace, version, &case.values.clone().into()) {
        Ok(rendered) => objects(&rendered),
        Err(error) => return vec![format!("{:?} {version}: {error}", case.options)],
    };
    let names: std::collections::BTreeSet<_> = expected.keys().chain(rendered.keys()).collect();
    let different = names.into_iter().flat_map(|name| {
        let [one, other] = [&expected, &rendered].map(|it| it.get(name).cloned());
        differences(name, &one.unwrap_or_default(), &other.unwrap_or_default())
    });
    different.map(|difference| format!("{:?} {version}: {difference}", case.options)).collect()
}
