//! The software platform's root, the same on all nodes. Insecure by design.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::core::DynamicObject;

use super::object::object;
use super::{AddOn, Cluster, Platform};

/// The Secret with the root: whoever can read it can issue certificates.
pub const SOFTWARE_PLATFORM: &str = "sgx-software-platform";

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

/// The Secret, if quotes come from the software platform.
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
    Ok(vec![object(&secret)?])
}
