//! The software platform's root, the same on all nodes. Insecure by design.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::core::DynamicObject;
use serde_json::json;

use super::object::{cluster_metadata, object};
use super::{AddOn, Cluster, Platform};

/// The Secret with the root: whoever can read it can issue certificates.
pub const SOFTWARE_PLATFORM: &str = "sgx-software-platform";

/// The ClusterTrustBundle with the root's certificate, for verifiers in all namespaces.
pub const TRUST_BUNDLE: &str = "sgx-software-platform-insecure";
/// The annotation of the ClusterTrustBundle that warns of the root.
const WARNING: (&str, &str) = (
    "sgx-quote-helper/insecure",
    "a root for trying, developing and testing: quotes under it prove nothing about genuine SGX",
);

/// The seed of all certificates, named as in a state directory.
pub(super) const DEPLOYMENT_FILE: &str = "deployment.json";
/// The root's certificate in PEM.
pub(super) const ROOT_FILE: &str = "root.pem";

/// The root of a software platform.
#[derive(Clone)]
pub struct SoftwarePlatformRoot {
    /// `deployment.json` of a state directory. A secret.
    pub deployment: String,
    /// The root's certificate in PEM.
    pub certificate: String,
}

/// Hides the secret.
impl std::fmt::Debug for SoftwarePlatformRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoftwarePlatformRoot").finish_non_exhaustive()
    }
}

impl SoftwarePlatformRoot {
    /// The root in this Secret, if it is complete.
    #[must_use]
    pub fn of_secret(secret: &Secret) -> Option<Self> {
        let data = secret.data.as_ref()?;
        let text = |file| {
            String::from_utf8(data.get(file).map(|bytes: &ByteString| bytes.0.clone())?).ok()
        };
        Some(Self { deployment: text(DEPLOYMENT_FILE)?, certificate: text(ROOT_FILE)? })
    }
}

/// The Secret and the ClusterTrustBundle, if quotes come from the software platform.
pub(super) fn objects(
    add_on: &AddOn,
    cluster: &Cluster,
) -> Result<Vec<DynamicObject>, serde_json::Error> {
    let root = cluster.software_platform_root.as_ref();
    let Some(root) = root.filter(|_| add_on.platform == Platform::Software) else {
        return Ok(Vec::new());
    };
    let files = [(DEPLOYMENT_FILE, &root.deployment), (ROOT_FILE, &root.certificate)];
    let files = files.map(|(file, text)| (file.to_owned(), ByteString(text.clone().into_bytes())));
    let secret = Secret {
        metadata: add_on.metadata(SOFTWARE_PLATFORM),
        data: Some(files.into()),
        ..Secret::default()
    };
    let mut objects = vec![object(&secret)?];
    if cluster.has_trust_bundles() {
        objects.push(trust_bundle(root)?);
    }
    Ok(objects)
}

fn trust_bundle(root: &SoftwarePlatformRoot) -> Result<DynamicObject, serde_json::Error> {
    let mut metadata = cluster_metadata(TRUST_BUNDLE);
    let (name, text) = WARNING;
    metadata.annotations = Some([(name.to_owned(), text.to_owned())].into());
    // Without a signer: a bundle of one needs the permission to attest for it.
    serde_json::from_value(json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "ClusterTrustBundle",
        "metadata": metadata,
        "spec": { "trustBundle": root.certificate },
    }))
}
