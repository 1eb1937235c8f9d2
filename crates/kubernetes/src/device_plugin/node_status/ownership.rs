//! The fields of a node that the device plugin has set.

use k8s_openapi::api::core::v1::Node;

use super::NODE_STATUS_MANAGER;

/// True if the device plugin has set this field last, such as `["metadata", "labels", "pool"]`.
pub(crate) fn is_owned(node: &Node, path: &[&str]) -> bool {
    let entries = node.metadata.managed_fields.iter().flatten();
    let ours = entries.filter(|it| it.manager.as_deref() == Some(NODE_STATUS_MANAGER));
    ours.filter_map(|entry| entry.fields_v1.as_ref()).any(|fields| {
        let field = path.iter().try_fold(&fields.0, |fields, name| fields.get(format!("f:{name}")));
        field.is_some()
    })
}
