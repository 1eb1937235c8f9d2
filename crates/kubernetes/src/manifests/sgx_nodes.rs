//! Labels of nodes with SGX.

use k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm,
};

use crate::device_plugin::SGX_NODE_LABEL;

/// Labels with the value `true` on nodes with SGX: Intel's, which the device plugin sets, and
/// those of node-feature-discovery without and with Intel's rules.
pub const SGX_NODE_LABELS: [&str; 3] = [
    SGX_NODE_LABEL,
    "feature.node.kubernetes.io/cpu-security.sgx.enabled",
    "intel.feature.node.kubernetes.io/sgx",
];

/// The label with the size of a virtual machine, set by cloud providers.
pub const INSTANCE_TYPE_LABEL: &str = "node.kubernetes.io/instance-type";

/// Azure's sizes with SGX: the series DCsv2, DCsv3 and DCdsv3.
pub const AZURE_SGX_SIZES: [&str; 20] = [
    "Standard_DC1s_v2",
    "Standard_DC2s_v2",
    "Standard_DC4s_v2",
    "Standard_DC8_v2",
    "Standard_DC1s_v3",
    "Standard_DC2s_v3",
    "Standard_DC4s_v3",
    "Standard_DC8s_v3",
    "Standard_DC16s_v3",
    "Standard_DC24s_v3",
    "Standard_DC32s_v3",
    "Standard_DC48s_v3",
    "Standard_DC1ds_v3",
    "Standard_DC2ds_v3",
    "Standard_DC4ds_v3",
    "Standard_DC8ds_v3",
    "Standard_DC16ds_v3",
    "Standard_DC24ds_v3",
    "Standard_DC32ds_v3",
    "Standard_DC48ds_v3",
];

/// Restricts pods to nodes with a label of SGX.
pub(super) fn on_sgx_nodes() -> Affinity {
    let labelled = SGX_NODE_LABELS.into_iter().map(|label| term(label, &["true"]));
    let of_azure = term(INSTANCE_TYPE_LABEL, &AZURE_SGX_SIZES);
    Affinity {
        node_affinity: Some(NodeAffinity {
            required_during_scheduling_ignored_during_execution: Some(NodeSelector {
                node_selector_terms: labelled.chain([of_azure]).collect(),
            }),
            ..NodeAffinity::default()
        }),
        ..Affinity::default()
    }
}

/// Nodes with one of these values of the label; terms are alternatives.
fn term(label: &str, values: &[&str]) -> NodeSelectorTerm {
    NodeSelectorTerm {
        match_expressions: Some(vec![NodeSelectorRequirement {
            key: label.to_owned(),
            operator: "In".to_owned(),
            values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
        }]),
        ..NodeSelectorTerm::default()
    }
}
