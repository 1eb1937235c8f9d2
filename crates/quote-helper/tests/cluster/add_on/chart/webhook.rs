//! Certificates that the webhook writes into objects of the release stay.

use super::release::Release;
use crate::add_on::{NAMESPACE, next_image};
use crate::cluster::{eventually, kubectl};

/// The webhook's certificates: its Secret, and what the API server trusts.
fn certificates() -> [String; 2] {
    let secret = ["get", "secret", "sgx-webhook-certificates", "-n", NAMESPACE];
    let configuration = ["get", "mutatingwebhookconfiguration", "sgx-webhook"];
    let data = "-o=jsonpath={.data}";
    let bundles = "-o=jsonpath={.webhooks[*].clientConfig.caBundle}";
    [
        kubectl(&[&secret[..], &[data]].concat(), ""),
        kubectl(&[&configuration[..], &[bundles]].concat(), ""),
    ]
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn certificates_of_the_webhook_stay_over_an_upgrade() {
    let release = Release::install(&["--set=injection=webhook"]);
    let before = eventually("the webhook has certificates", || {
        let certificates = certificates();
        certificates.iter().all(|it| !it.is_empty()).then_some(certificates)
    });
    release.upgrade(&format!("--set=image={}", next_image()));
    assert_eq!(certificates(), before);
}
