//! The distribution of the software platform's root to verifiers, and stale copies of it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kubernetes::manifests::{
    TRUST_BUNDLE, TRUSTED_ROOT_KEY, VERIFICATION, VERIFICATION_LABEL, VERIFIER_NAMESPACE,
};

use super::NAMED;
use super::facts::{Facts, name};
use crate::finding::Finding;

const NAME: &str = "trust-root";
const UPGRADE: &str = "`quote-helper upgrade` renews it";

/// One finding if all verifiers have the current settings, else one for each stale copy.
pub(crate) fn findings(facts: &Facts) -> Vec<Finding> {
    let copies = match &facts.verification {
        Ok(copies) => copies,
        Err(error) => return vec![error.finding(NAME)],
    };
    let is_own = |copy: &&ConfigMap| copy.metadata.namespace.as_ref() == Some(&facts.namespace);
    let own = copies.iter().find(is_own);
    let current = own.map(data).unwrap_or_default();
    let others = copies.iter().filter(|copy| !is_own(copy));
    let mut findings: Vec<_> = others.filter_map(|copy| stale(copy, &current)).collect();
    findings.extend(bundle(facts, &current));
    findings.extend(own.into_iter().flat_map(|_| lacking(facts, copies)));
    findings.truncate(NAMED);
    if findings.is_empty() && own.is_some() {
        let count = copies.len();
        let detail = format!("{VERIFICATION} is the same in {count} namespaces");
        findings.push(Finding::ok(NAME, detail));
    }
    findings
}

fn data(copy: &ConfigMap) -> BTreeMap<&str, &str> {
    let entries = copy.data.iter().flatten();
    entries.map(|(key, value)| (key.as_str(), value.trim())).collect()
}

/// The finding about a copy that differs from the add-on's own.
fn stale(copy: &ConfigMap, current: &BTreeMap<&str, &str>) -> Option<Finding> {
    let data = data(copy);
    let differs = |key| data.get(key) != current.get(key);
    let what = match (differs(TRUSTED_ROOT_KEY), differs("pccs-url")) {
        (true, _) if !current.contains_key(TRUSTED_ROOT_KEY) => {
            "a root that the add-on no longer has"
        }
        (true, _) => "another root than the add-on, so verifiers here refuse its quotes",
        (false, true) => "another address of collateral than the add-on",
        (false, false) => return None,
    };
    let namespace = copy.metadata.namespace.as_deref().unwrap_or_default();
    let (label, value) = VERIFICATION_LABEL;
    let fix = match is_managed(copy) {
        true => UPGRADE.to_owned(),
        false => format!(
            "it is a copy that nobody renews; let the add-on do it: `kubectl label namespace \
             {namespace} {label}={value}`, then `quote-helper upgrade`; or delete it: `kubectl -n \
             {namespace} delete configmap {VERIFICATION}`. Then restart the pods that mount it"
        ),
    };
    let finding = Finding::warning(NAME, format!("it has {what}"), fix).with_value("stale");
    Some(finding.about(format!("configmap/{namespace}/{VERIFICATION}")))
}

/// The finding about a ClusterTrustBundle with another root.
fn bundle(facts: &Facts, current: &BTreeMap<&str, &str>) -> Option<Finding> {
    let bundle = match &facts.trust_bundle {
        // Without the permission, the ConfigMaps are checked all the same.
        Err(_) | Ok(None) => return None,
        Ok(Some(bundle)) => bundle.data.get("spec")?.get("trustBundle")?.as_str()?.trim(),
    };
    let root = current.get(TRUSTED_ROOT_KEY).copied();
    (root != Some(bundle)).then(|| {
        let detail =
            "it has another root than the add-on, so verifiers that mount it refuse quotes";
        let finding = Finding::warning(NAME, detail, UPGRADE).with_value("stale");
        finding.about(format!("clustertrustbundle/{TRUST_BUNDLE}"))
    })
}

/// The findings about namespaces that should have a copy.
fn lacking<'a>(facts: &'a Facts, copies: &'a [ConfigMap]) -> impl Iterator<Item = Finding> + 'a {
    let (label, value) = VERIFICATION_LABEL;
    let namespaces = facts.namespaces.as_deref().unwrap_or_default();
    let asks = move |namespace: &&Namespace| {
        let labels = namespace.metadata.labels.as_ref();
        let is_labelled = labels.and_then(|it| it.get(label)).is_some_and(|it| it == value);
        namespace.metadata.deletion_timestamp.is_none()
            && (is_labelled || name(&namespace.metadata) == VERIFIER_NAMESPACE)
    };
    let asking = namespaces.iter().filter(asks).map(|namespace| name(&namespace.metadata));
    let lacking = asking.filter(|namespace| {
        !copies.iter().any(|copy| copy.metadata.namespace.as_deref() == Some(*namespace))
    });
    lacking.map(|namespace| {
        let detail = format!("it has no ConfigMap {VERIFICATION} yet");
        let fix = "`quote-helper upgrade` puts it there";
        let finding = Finding::warning(NAME, detail, fix).with_value("missing");
        finding.about(format!("namespace/{namespace}"))
    })
}

/// True if `quote-helper` renews the object.
fn is_managed(copy: &ConfigMap) -> bool {
    let (label, value) = kubernetes::manifests::MANAGED_BY;
    copy.metadata.labels.as_ref().and_then(|it| it.get(label)).is_some_and(|it| it == value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::api_server::QueryError;
    use super::super::fixtures::{NAMESPACE, in_order, typed};
    use super::*;
    use crate::finding::Status;

    fn copy(namespace: &str, root: &str, is_managed: bool) -> ConfigMap {
        let labels = match is_managed {
            true => json!({ "app.kubernetes.io/managed-by": "quote-helper" }),
            false => json!({}),
        };
        typed(json!({
            "metadata": { "name": VERIFICATION, "namespace": namespace, "labels": labels },
            "data": { "trusted-root.pem": root, "pccs-url": "http://p" },
        }))
    }

    fn found(copies: Vec<ConfigMap>) -> Vec<Finding> {
        findings(&Facts { verification: Ok(copies), ..in_order() })
    }

    #[test]
    fn equal_copies_are_one_line() {
        let found = found(vec![copy(NAMESPACE, "new", true), copy("default", "new\n", true)]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].status, found[0].object.as_deref()), (Status::Ok, None));
        assert!(found[0].detail.contains("2 namespaces"), "{found:?}");
    }

    #[test]
    fn a_stale_copy_has_the_command_that_renews_it() {
        let own = || copy(NAMESPACE, "new", true);
        for (is_managed, fix) in [
            (false, "kubectl label namespace shop sgx-quote-helper/verification=true"),
            (true, "`quote-helper upgrade`"),
        ] {
            let found = found(vec![own(), copy("shop", "old", is_managed)]);
            let [finding] = <[Finding; 1]>::try_from(found).unwrap();
            assert_eq!(
                (finding.status, finding.value.as_deref()),
                (Status::Warning, Some("stale"))
            );
            assert_eq!(finding.object.as_deref(), Some("configmap/shop/sgx-verification"));
            assert!(finding.detail.contains("another root"), "{finding:?}");
            assert!(finding.fix.unwrap().contains(fix));
        }
        let mut other_address = copy("shop", "new", false);
        other_address.data.as_mut().unwrap().insert("pccs-url".to_owned(), "http://q".to_owned());
        assert!(found(vec![own(), other_address])[0].detail.contains("another address"));
        let leftover = found(vec![copy("shop", "old", false)]);
        assert!(leftover[0].detail.contains("no longer has"), "{leftover:?}");
    }

    #[test]
    fn a_stale_trust_bundle_is_named() {
        let bundle = |root: &str| {
            let bundle =
                json!({ "metadata": { "name": TRUST_BUNDLE }, "spec": { "trustBundle": root } });
            let verification = Ok(vec![copy(NAMESPACE, "new", true)]);
            let trust_bundle = Ok(Some(typed(bundle)));
            findings(&Facts { verification, trust_bundle, ..in_order() })
        };
        assert_eq!(bundle("new\n")[0].status, Status::Ok);
        let stale = &bundle("old")[0];
        let object = "clustertrustbundle/sgx-software-platform-insecure";
        assert_eq!((stale.status, stale.object.as_deref()), (Status::Warning, Some(object)));
    }

    #[test]
    fn a_labelled_namespace_without_a_copy_is_named() {
        let labels = json!({ "sgx-quote-helper/verification": "true" });
        let namespaces = [("shop", labels), ("other", json!({}))]
            .map(|(name, labels)| typed(json!({ "metadata": { "name": name, "labels": labels } })));
        let verification = Ok(vec![copy(NAMESPACE, "new", true)]);
        let namespaces = Ok(namespaces.into());
        let found = findings(&Facts { verification, namespaces, ..in_order() });
        let [finding] = <[Finding; 1]>::try_from(found).unwrap();
        assert_eq!(finding.object.as_deref(), Some("namespace/shop"));
        assert!(finding.fix.unwrap().contains("quote-helper upgrade"));
    }

    #[test]
    fn a_forbidden_list_skips_the_finding_and_no_settings_are_none() {
        let resource = "configmaps".to_owned();
        let verification = Err(QueryError::Forbidden { verb: "list", resource });
        let found = findings(&Facts { verification, ..in_order() });
        assert_eq!((found.len(), found[0].status), (1, Status::Skipped));
        assert_eq!(findings(&in_order()), []);
    }
}
