//! Warnings about applications that run as a user of the add-on.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use kubernetes::api_server::ApiServer;
use kubernetes::injection::shared_users;
use kubernetes::manifests::{AddOn, uids};

use crate::output;

/// The maximum number of pods to name.
const NAMED: usize = 10;

/// Names the pods that run as one of the add-on's users. Without the permission to list pods it is
/// silent; `check` reports that.
pub(super) async fn warn(api_server: &ApiServer, add_on: &AddOn) {
    let uids = uids(add_on.first_uid);
    let shares = |pod: &Pod| {
        let is_own = pod.metadata.namespace.as_deref() == Some(&add_on.namespace);
        let mut shared = pod.spec.iter().flat_map(|spec| shared_users(spec, &uids));
        !is_own && shared.next().is_some()
    };
    let pods = Api::<Pod>::all(api_server.client());
    let found = api_server.list(&pods, &ListParams::default(), shares).await.unwrap_or_default();
    for pod in found.iter().take(NAMED) {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        output::note(format_args!(
            "warning: pod {namespace}/{name} runs as a user from {} to {}, which are the add-on's: \
             the kernel cannot tell the two apart. Change its runAsUser, or the add-on's \
             --first-uid",
            uids.start(),
            uids.end()
        ));
    }
    if let Some(more) = found.len().checked_sub(NAMED).filter(|more| *more > 0) {
        output::note(format_args!("warning: so do {more} more pods"));
    }
}
