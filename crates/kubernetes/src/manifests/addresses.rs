//! The addresses and ports of the add-on's Services.

use super::AddOn;

/// The Deployment of the cluster's PCCS, its Service, and the PersistentVolumeClaim if it has one.
pub const CLUSTER_PCCS: &str = "sgx-pccs";
/// The Service with the software platform's collateral, which has the interface of a PCCS.
pub const COLLATERAL: &str = "sgx-collateral";

/// The name and the number of the port of the cluster's PCCS; Intel's PCCS has the same number.
pub(super) const PCCS_PORT: (&str, i32) = ("collateral", 8081);
/// The name and the number of the port with the software platform's collateral.
pub(super) const COLLATERAL_PORT: (&str, i32) = ("collateral", 17492);

/// The PCCS that the settings name, else the cluster's own if there is one.
pub(super) fn pccs_url(add_on: &AddOn) -> Option<String> {
    let named = add_on.pccs.as_ref().map(|pccs| pccs.url.clone());
    named.or_else(|| cluster_pccs_url(add_on))
}

/// The cluster's own PCCS, if there is one.
pub(super) fn cluster_pccs_url(add_on: &AddOn) -> Option<String> {
    add_on.cluster_pccs.as_ref().map(|_| service_url(add_on, CLUSTER_PCCS, PCCS_PORT))
}

/// The software platform's collateral.
pub(super) fn software_collateral_url(add_on: &AddOn) -> String {
    service_url(add_on, COLLATERAL, COLLATERAL_PORT)
}

fn service_url(add_on: &AddOn, service: &str, (_, port): (&str, i32)) -> String {
    format!("http://{service}.{}.svc:{port}", add_on.namespace)
}
