//! The ClusterRole for whoever installs: exactly the permissions that the installer checks.

use std::collections::BTreeSet;
use std::future::pending;

use kubernetes::installation::installer_role;
use kubernetes::manifests::{AddOn, InjectionMethod, MANAGED_BY, Platform};

use crate::installation::installer::{NO_WAIT, Observed};
use crate::manifests::choices::{cluster, customized};

/// The role's permissions: verb, group, resource and name.
fn granted() -> BTreeSet<[String; 4]> {
    let mut granted = BTreeSet::new();
    for rule in installer_role().unwrap().rules.unwrap() {
        let names = rule.resource_names.unwrap_or_else(|| vec![String::new()]);
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                for verb in &rule.verbs {
                    for name in &names {
                        let permission = [verb, group, resource, name].map(String::clone);
                        assert!(granted.insert(permission.clone()), "{permission:?} twice");
                    }
                }
            }
        }
    }
    granted
}

#[tokio::test(start_paused = true)]
async fn the_role_has_the_checked_permissions_and_no_others() {
    let (api_server, installer) = Observed::start().await;
    api_server.is_strict();
    for platform in [Platform::Dcap, Platform::Software] {
        for injection in [InjectionMethod::Policy, InjectionMethod::Webhook] {
            let add_on = AddOn { injection: Some(injection), ..customized(platform) };
            let objects = add_on.objects(&cluster("1.37")).unwrap();
            installer.installer.install(&objects, NO_WAIT, pending()).await.unwrap();
        }
    }
    installer.uninstall().await.unwrap();
    let mut granted = granted();
    // It only explains why pods are not ready.
    let explains = ["list", "", "events", ""].map(str::to_owned);
    assert!(granted.remove(&explains));
    assert_eq!(api_server.reviewed(), granted);
}

#[test]
fn the_role_outlives_an_uninstall() {
    let (managed_by, _) = MANAGED_BY;
    let labels = installer_role().unwrap().metadata.labels.unwrap();
    assert!(!labels.contains_key(managed_by));
}
