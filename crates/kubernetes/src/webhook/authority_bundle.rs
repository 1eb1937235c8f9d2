//! Whom the API server trusts, as the `MutatingWebhookConfiguration` tells it.

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use kube::api::{Patch, PatchParams};
use kube::{Api, Error};
use serde_json::json;

/// Who has set the bundle, in the object's managed fields.
const FIELD_MANAGER: &str = "quote-helper-webhook";

/// The configuration with this name.
pub(crate) struct AuthorityBundle {
    pub(crate) configurations: Api<MutatingWebhookConfiguration>,
    pub(crate) name: String,
}

impl AuthorityBundle {
    /// Sets the authorities of all webhooks of the configuration, where they are others. `false` if there is no
    /// such configuration.
    pub(crate) async fn publish(&self, authorities: &str) -> Result<bool, Error> {
        let Some(configuration) = self.configurations.get_opt(&self.name).await? else {
            return Ok(false);
        };
        let bundle = ByteString(authorities.as_bytes().to_vec());
        let webhooks = configuration.webhooks.unwrap_or_default().into_iter();
        let stale = webhooks.filter(|it| it.client_config.ca_bundle.as_ref() != Some(&bundle));
        let stale: Vec<_> = stale
            .map(|it| json!({ "name": it.name, "clientConfig": { "caBundle": bundle } }))
            .collect();
        if !stale.is_empty() {
            // Strategic: webhooks are merged by their names, and what is not named here stays.
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
