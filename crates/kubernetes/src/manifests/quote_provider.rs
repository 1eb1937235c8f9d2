//! The configuration of the quote provider library, which fetches the platform's certificates, in
//! the format of Intel's library.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::core::DynamicObject;
use serde_json::json;

use super::addresses::pccs_url;
use super::object::object;
use super::{AddOn, Platform};

/// The ConfigMap with the configuration.
pub(super) const QUOTE_PROVIDER: &str = "sgx-quote-provider";
/// The configuration file's name, which the library expects.
pub(super) const CONFIGURATION_FILE: &str = "sgx_default_qcnl.conf";
/// The certificates of the PCCS's TLS authorities, in PEM.
pub(super) const AUTHORITY_FILE: &str = "pccs-authority.pem";

/// The ConfigMap, if certificates come from a PCCS.
pub(super) fn objects(add_on: &AddOn) -> Result<Vec<DynamicObject>, serde_json::Error> {
    let Some(files) = files(add_on) else { return Ok(Vec::new()) };
    let configuration = ConfigMap {
        metadata: add_on.metadata(QUOTE_PROVIDER),
        data: Some(files),
        ..ConfigMap::default()
    };
    Ok(vec![object(&configuration)?])
}

/// The files in the ConfigMap.
pub(super) fn files(add_on: &AddOn) -> Option<BTreeMap<String, String>> {
    let url = pccs_url(add_on).filter(|_| add_on.platform == Platform::Dcap)?;
    let authority = authority(add_on).map(|pem| (AUTHORITY_FILE.to_owned(), pem.to_owned()));
    let configuration = (CONFIGURATION_FILE.to_owned(), configuration(&url));
    Some([configuration].into_iter().chain(authority).collect())
}

/// The authorities of the PCCS in the settings.
pub(super) fn authority(add_on: &AddOn) -> Option<&str> {
    add_on.pccs.as_ref()?.authority.as_deref()
}

/// As documented for Intel's library; `use_secure_cert` requires a valid TLS certificate.
fn configuration(url: &str) -> String {
    let url = format!("{}/sgx/certification/v4/", url.trim_end_matches('/'));
    format!("{:#}\n", json!({ "pccs_url": url, "use_secure_cert": true }))
}
