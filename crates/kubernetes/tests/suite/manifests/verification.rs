//! The distribution of the software platform's root to verifiers.

use kube::core::DynamicObject;
use kubernetes::manifests::{AddOn, Cluster, Platform, TRUST_BUNDLE, VERIFICATION};

use crate::manifests::choices::{cluster, everything};
use crate::manifests::{find, is, kind};

fn objects(cluster: &Cluster, platform: Platform) -> Vec<DynamicObject> {
    AddOn { quote_service: true, platform, ..everything(platform) }.objects(cluster).unwrap()
}

#[test]
fn each_labelled_namespace_gets_the_settings_once() {
    let verifier_namespaces = ["shop", "default", "sgx-quote-helper"].map(str::to_owned).into();
    let cluster = Cluster { verifier_namespaces, ..cluster("1.33") };
    let objects = objects(&cluster, Platform::Software);
    let copies: Vec<_> = objects.iter().filter(|it| is(it, "ConfigMap", VERIFICATION)).collect();
    let namespaces: Vec<_> =
        copies.iter().map(|it| it.metadata.namespace.as_deref().unwrap()).collect();
    assert_eq!(namespaces, ["sgx-quote-helper", "default", "shop"]);
    assert!(copies.iter().all(|it| it.data["data"]["trusted-root.pem"] == "the root"));
}

#[test]
fn a_trust_bundle_with_the_root_is_there_where_the_cluster_serves_it() {
    let has_bundle = |version, serves_trust_bundles, platform| {
        let cluster = Cluster { serves_trust_bundles, ..cluster(version) };
        let objects = objects(&cluster, platform);
        objects.iter().any(|object| kind(object) == "ClusterTrustBundle")
    };
    for (version, serves, platform, expected) in [
        ("1.36", None, Platform::Software, false),
        ("1.37", None, Platform::Software, true),
        ("1.37", Some(false), Platform::Software, false),
        ("1.36", Some(true), Platform::Software, true),
        ("1.37", Some(true), Platform::Dcap, false),
    ] {
        let found = has_bundle(version, serves, platform);
        assert_eq!(found, expected, "{version} {serves:?} {platform:?}");
    }
}

#[test]
fn the_trust_bundle_is_marked_as_insecure_and_needs_no_signer() {
    let objects = objects(&cluster("1.37"), Platform::Software);
    let bundle = find(&objects, "ClusterTrustBundle", TRUST_BUNDLE);
    assert_eq!(bundle["apiVersion"], "certificates.k8s.io/v1");
    assert_eq!(bundle["spec"], serde_json::json!({ "trustBundle": "the root" }));
    assert!(TRUST_BUNDLE.contains("insecure"));
    let warning = bundle["metadata"]["annotations"]["sgx-quote-helper/insecure"].as_str();
    assert!(warning.unwrap().contains("prove nothing about genuine SGX"));
}
