//! Queries to the API server. A failed query becomes a finding with a fix.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::api::ListParams;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Resource};
use kubernetes::api_server::{ApiError, ApiServer};
use kubernetes::manifests::INJECTION_POLICY;
use serde::de::DeserializeOwned;

use crate::finding::Finding;

#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) api_server: ApiServer,
    /// The namespace of the add-on.
    pub(crate) namespace: String,
}

/// The outcome of a query.
pub(crate) type QueryResult<T> = Result<T, QueryError>;

/// The reason of a failed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueryError {
    /// The user lacks this permission.
    Forbidden { verb: &'static str, resource: String },
    /// Anything else, as a message.
    Failed(String),
}

impl Cluster {
    /// The API server's version, such as `v1.33.2`.
    pub(crate) async fn version(&self) -> QueryResult<String> {
        let release = self.api_server.release().await;
        release.map_err(|error| QueryError::new("get", "the API server's version", error))
    }

    pub(crate) async fn in_cluster<K: Kind>(&self, name: &str) -> QueryResult<Option<K>> {
        let resource = format!("{} {name}", K::plural(&()));
        self.get(&Api::all(self.api_server.client()), name, &resource).await
    }

    /// The binding that puts the policy of injection in force. API servers before Kubernetes 1.36
    /// do not know its kind.
    pub(crate) async fn injection_policy(&self) -> QueryResult<Option<DynamicObject>> {
        let kind = "MutatingAdmissionPolicyBinding";
        let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
        let plural = "mutatingadmissionpolicybindings";
        let kind = ApiResource::from_gvk_with_plural(&kind, plural);
        let bindings = Api::<DynamicObject>::all_with(self.api_server.client(), &kind);
        let binding = self.api_server.ask(bindings.get_opt(INJECTION_POLICY)).await;
        let resource = format!("{plural} {INJECTION_POLICY}");
        binding.map_err(|error| QueryError::new("get", &resource, error))
    }

    pub(crate) async fn in_namespace<K>(&self, name: &str) -> QueryResult<Option<K>>
    where
        K: Kind + Resource<Scope = NamespaceResourceScope>,
    {
        let resource = format!("{} {name} in {}", K::plural(&()), self.namespace);
        self.get(&self.namespaced(), name, &resource).await
    }

    /// All objects of a kind for which `wanted` holds.
    pub(crate) async fn all<K: Kind>(&self, wanted: fn(&K) -> bool) -> QueryResult<Vec<K>> {
        let api = Api::all(self.api_server.client());
        self.list(&api, &ListParams::default(), &K::plural(&()), wanted).await
    }

    /// All objects of this name, in all namespaces.
    pub(crate) async fn all_named<K: Kind>(&self, name: &str) -> QueryResult<Vec<K>> {
        let api = Api::all(self.api_server.client());
        let named = ListParams::default().fields(&format!("metadata.name={name}"));
        self.list(&api, &named, &K::plural(&()), |_| true).await
    }

    /// The ClusterTrustBundle, which clusters before Kubernetes 1.37 do not have.
    pub(crate) async fn trust_bundle(&self, name: &str) -> QueryResult<Option<DynamicObject>> {
        let gvk = GroupVersionKind::gvk("certificates.k8s.io", "v1", "ClusterTrustBundle");
        let resource = ApiResource::from_gvk_with_plural(&gvk, "clustertrustbundles");
        let api = Api::all_with(self.api_server.client(), &resource);
        let object = self.api_server.ask(api.get_opt(name)).await;
        object.map_err(|error| QueryError::new("get", "clustertrustbundles", error))
    }

    pub(crate) async fn all_in_namespace<K>(&self) -> QueryResult<Vec<K>>
    where
        K: Kind + Resource<Scope = NamespaceResourceScope>,
    {
        let resource = format!("{} in {}", K::plural(&()), self.namespace);
        self.list(&self.namespaced(), &ListParams::default(), &resource, |_| true).await
    }

    pub(crate) fn namespaced<K>(&self) -> Api<K>
    where
        K: Kind + Resource<Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.api_server.client(), &self.namespace)
    }

    async fn get<K: Kind>(
        &self,
        api: &Api<K>,
        name: &str,
        resource: &str,
    ) -> QueryResult<Option<K>> {
        let object = self.api_server.ask(api.get_opt(name)).await;
        object.map_err(|error| QueryError::new("get", resource, error))
    }

    async fn list<K: Kind>(
        &self,
        api: &Api<K>,
        selected: &ListParams,
        resource: &str,
        wanted: fn(&K) -> bool,
    ) -> QueryResult<Vec<K>> {
        let objects = self.api_server.list(api, selected, wanted).await;
        objects.map_err(|error| QueryError::new("list", resource, error))
    }
}

pub(crate) trait Kind:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned
{
}

impl<K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned> Kind for K {}

impl QueryError {
    /// The failure of a query that did `verb` on `resource`.
    pub(crate) fn new(verb: &'static str, resource: &str, error: ApiError) -> Self {
        match error {
            ApiError::Forbidden(_) => Self::Forbidden { verb, resource: resource.to_owned() },
            error => Self::Failed(error.to_string()),
        }
    }

    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Forbidden { .. })
    }

    /// The finding with this name, in place of the one that the query was for.
    pub(crate) fn finding(&self, name: &'static str) -> Finding {
        match self {
            Self::Forbidden { verb, resource } => Finding::skipped(
                name,
                format!("you may not {verb} {resource}"),
                format!("ask a cluster administrator for permission to {verb} {resource}"),
            ),
            Self::Failed(reason) => Finding::failed(
                name,
                reason,
                "see whether `kubectl get nodes` works with the same kubeconfig, and try again",
            ),
        }
    }
}
