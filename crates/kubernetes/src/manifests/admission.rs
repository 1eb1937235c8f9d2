//! Injection into pods on admission, by a policy or by the webhook.

use kube::core::DynamicObject;

use super::admission_policy::admission_policies;
use super::{AddOn, InjectionMethod, KubernetesVersion, users, webhook};
use crate::device_plugin::AESM_DIR;
use crate::injection::Settings;

impl AddOn {
    /// The chosen method, else the best one that the version has.
    #[must_use]
    pub fn injection_method(&self, version: KubernetesVersion) -> InjectionMethod {
        self.injection.unwrap_or(match version.has_mutating_policies() {
            true => InjectionMethod::Policy,
            false => InjectionMethod::Webhook,
        })
    }

    /// The settings of injection for pods of this installation.
    fn injection_settings(&self) -> Settings {
        Settings {
            aesm_dir: AESM_DIR.into(),
            socket_by_device_plugin: self.quote_service,
            epc_accounting: self.epc_accounting,
            has_quote_service: self.quote_service,
            add_on_uids: users::uids(self.first_uid),
        }
    }
}

pub(super) fn objects(
    add_on: &AddOn,
    version: KubernetesVersion,
) -> Result<Vec<DynamicObject>, serde_json::Error> {
    match add_on.injection_method(version) {
        InjectionMethod::Policy => {
            admission_policies(&add_on.injection_settings(), &add_on.namespace)
        }
        InjectionMethod::Webhook => webhook::objects(add_on, version),
    }
}
