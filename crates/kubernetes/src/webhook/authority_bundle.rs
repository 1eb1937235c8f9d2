//! The authorities that the API server trusts, in the `MutatingWebhookConfiguration`.

use std::time::SystemTime;

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use kube::api::{Patch, PatchParams};
use kube::{Api, Error};
use serde_json::json;

use super::certificate::with_older_authorities;

/// The field manager of the bundle.
const FIELD_MANAGER: &str = "quote-helper-webhook";

/// The configuration of this name.
pub(crate) struct AuthorityBundle {
    pub(crate) configurations: Api<MutatingWebhookConfiguration>,
    pub(crate) name: String,
}

impl AuthorityBundle {
    /// Adds missing authorities to all webhooks of the configuration. Older ones stay until they
    /// expire: other replicas may still serve their certificates. Returns `false` if there is
    /// no such configuration.
    pub(crate) async fn publish(&self, authorities: &str, now: SystemTime) -> Result<bool, Error> {
        let Some(configuration) = self.configurations.get_opt(&self.name).await? else {
            return Ok(false);
        };
        let mut stale = Vec::new();
        for webhook in configuration.webhooks.unwrap_or_default() {
            let current = webhook.client_config.ca_bundle.unwrap_or_default();
            let bundle = with_older_authorities(authorities, &current.0, now);
            if bundle.as_bytes() != current.0 {
                let bundle = ByteString(bundle.into_bytes());
                stale.push(json!({ "name": webhook.name, "clientConfig": { "caBundle": bundle } }));
            }
        }
        if !stale.is_empty() {
            // Strategic merge patches merge webhooks by name and keep the others.
            let patch = Patch::Strategic(json!({ "webhooks": stale }));
            let params = PatchParams {
                field_manager: Some(FIELD_MANAGER.to_owned()),
                ..PatchParams::default()
            };
            self.configurations.patch(&self.name, &params, &patch).await?;
        }
        Ok(true)
    }
}
