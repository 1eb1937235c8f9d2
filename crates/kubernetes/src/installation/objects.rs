//! Access to the add-on's objects at the API server.

use kube::Api;
use kube::core::DynamicObject;

use super::kind::{Kind, ObjectName};
use crate::api_server::{ApiError, ApiServer};

impl ApiServer {
    /// Objects of this kind, in a namespace or in all.
    pub(super) fn objects(&self, kind: &Kind, namespace: Option<&str>) -> Api<DynamicObject> {
        let resource = kind.resource();
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client(), namespace, &resource),
            None => Api::all_with(self.client(), &resource),
        }
    }

    /// The current object, if it exists.
    pub(super) async fn live(&self, name: &ObjectName) -> Result<Option<DynamicObject>, ApiError> {
        let objects = self.objects(name.kind, name.namespace.as_deref());
        self.ask(objects.get_opt(&name.name)).await
    }
}
