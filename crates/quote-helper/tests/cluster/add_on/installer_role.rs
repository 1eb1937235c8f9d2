//! The ClusterRole for whoever installs is enough for it.

use serde_json::json;

use super::refusals::{Kubeconfig, nothing_is_installed};
use super::{fails, image, quote_helper, quote_helper_with, succeeds};
use crate::cluster::{kubectl, try_kubectl};

/// The binding of the role to the user of this name.
const INSTALLER: &str = "add-on-test-installer";

/// The role and its binding; removed when dropped.
struct Installer;

impl Installer {
    fn create() -> Self {
        let role = quote_helper(&["manifests", "--installer-role"]);
        kubectl(&["apply", "-f=-"], &String::from_utf8(role.stdout).unwrap());
        let role = "--clusterrole=sgx-quote-helper-installer";
        let user = format!("--user={INSTALLER}");
        kubectl(&["create", "clusterrolebinding", INSTALLER, role, &user], "");
        Self
    }
}

impl Drop for Installer {
    fn drop(&mut self) {
        let objects = ["clusterrolebinding/add-on-test-installer"];
        let role = ["clusterrole/sgx-quote-helper-installer"];
        let _ = try_kubectl(&[&["delete"], &objects[..], &role[..]].concat(), "");
        let _ = quote_helper(&["uninstall"]);
    }
}

#[test]
#[ignore = "needs a Kubernetes test cluster; see `just cluster-test`"]
fn an_account_with_the_role_installs_upgrades_rolls_back_and_uninstalls() {
    let kubeconfig = Kubeconfig::changed(|config| {
        config["users"][0]["user"]["as"] = json!(INSTALLER);
    });
    let runs = |arguments: &[&str]| quote_helper_with(&kubeconfig.path(), arguments).output();
    let image = image();
    let install = ["install", "--platform=software", "--enable-sgxquotehelper", "--image", &image];
    fails(&runs(&install).unwrap(), 1, &["missing permissions", "--installer-role"]);
    let _installer = Installer::create();
    for injection in ["policy", "webhook"] {
        let chosen = format!("--injection={injection}");
        succeeds(&runs(&[&install[..], &[&chosen]].concat()).unwrap());
    }
    succeeds(&runs(&["upgrade", "--log-level=debug", "--enable-pccs"]).unwrap());
    succeeds(&runs(&["rollback"]).unwrap());
    succeeds(&runs(&["uninstall"]).unwrap());
    nothing_is_installed_but_the_role();
}

/// The role has the label of the add-on, for those who look for it.
#[track_caller]
fn nothing_is_installed_but_the_role() {
    kubectl(&["delete", "clusterrole", "sgx-quote-helper-installer"], "");
    nothing_is_installed();
}
