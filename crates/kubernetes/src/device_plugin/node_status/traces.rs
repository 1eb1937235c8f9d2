//! The device plugin's traces on a node besides EPC: the label, and the quote service's condition.

use k8s_openapi::api::core::v1::{Node, NodeCondition};
use serde_json::{Map, Value, json};

use super::ownership::is_owned;

/// The label of nodes with SGX, with the value `true`, as Intel's device plugin operator sets it.
pub const SGX_NODE_LABEL: &str = "sgx.intel.com/capable";
/// The condition of nodes with a quote service.
pub const QUOTE_SERVICE_CONDITION: &str = "QuoteServiceReady";

/// The traces on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traces {
    /// The device plugin has set the label.
    pub(crate) label: bool,
    /// The node has the condition.
    pub(crate) condition: bool,
}

impl Traces {
    pub(crate) fn of(node: &Node) -> Self {
        Self {
            label: is_owned(node, &["metadata", "labels", SGX_NODE_LABEL]),
            condition: condition(node).is_some(),
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        !self.label && !self.condition
    }

    /// The strategic merge patch that removes them.
    pub(crate) fn removal(self) -> Map<String, Value> {
        let mut patch = Map::new();
        if self.label {
            patch.insert("metadata".to_owned(), json!({ "labels": { SGX_NODE_LABEL: null } }));
        }
        if self.condition {
            let removed = json!({ "$patch": "delete", "type": QUOTE_SERVICE_CONDITION });
            patch.insert("status".to_owned(), json!({ "conditions": [removed] }));
        }
        patch
    }
}

/// The quote service's condition of the node.
pub(crate) fn condition(node: &Node) -> Option<&NodeCondition> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == QUOTE_SERVICE_CONDITION)
}
