//! The settings of a cluster as variables of CEL.

use serde_json::{Map, Value, json};

use crate::device_plugin::{ENCLAVE_RESOURCE, EpcAccounting, PROVISION_RESOURCE, ResourceProfile};
use crate::injection::{EPC_ANNOTATION, INJECT_LABEL, QUOTE_PROVIDER_ANNOTATION, Settings};

/// The variables, each with a constant as its expression: JSON is valid CEL.
pub(super) fn variables(settings: &Settings) -> Vec<Value> {
    let resources: Vec<_> = ResourceProfile::epc_resources().collect();
    let units = ResourceProfile::ALL.map(|it| (it.epc_resource().to_owned(), json!(it.unit())));
    let in_node_status = ResourceProfile::ALL.into_iter().filter(|profile| {
        *profile == ResourceProfile::Intel || settings.epc_accounting == EpcAccounting::NodeStatus
    });
    let in_node_status: Vec<_> = in_node_status.map(ResourceProfile::epc_resource).collect();
    let constants = [
        ("epcResources", json!(resources)),
        // Bytes.
        ("epcUnits", Value::Object(Map::from_iter(units))),
        ("epcInNodeStatus", json!(in_node_status)),
        ("enclaveResource", json!(ENCLAVE_RESOURCE)),
        ("provisionResource", json!(PROVISION_RESOURCE)),
        ("quoteProviderAnnotation", json!(QUOTE_PROVIDER_ANNOTATION)),
        ("epcAnnotation", json!(EPC_ANNOTATION)),
        ("injectLabel", json!(INJECT_LABEL)),
        ("hasQuoteService", json!(settings.has_quote_service)),
        ("nodeSocketDirectory", json!(settings.aesm_dir)),
        ("socketByDevicePlugin", json!(settings.socket_by_device_plugin)),
        ("addOnUsers", settings.add_on_uids.clone().collect()),
    ];
    let variable =
        |(name, value): (&str, Value)| json!({ "name": name, "expression": value.to_string() });
    constants.into_iter().map(variable).collect()
}
