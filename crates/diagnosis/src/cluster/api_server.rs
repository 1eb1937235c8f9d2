//! Questions to the API server: an answer that is none says what to do.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use kube::api::ListParams;
use kube::{Api, Resource};
use kubernetes::api_server::{ApiError, ApiServer};
use serde::de::DeserializeOwned;

use crate::finding::Finding;

/// The cluster that is looked at.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) api_server: ApiServer,
    /// The namespace of the add-on.
    pub(crate) namespace: String,
}

/// An answer, or why there is none.
pub(crate) type Answer<T> = Result<T, Unanswered>;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The user may not ask.
    NoRight { verb: &'static str, resource: String },
    /// What went wrong.
    Failed(String),
}

impl Cluster {
    /// The API server's version, such as `v1.33.2`.
    pub(crate) async fn version(&self) -> Answer<String> {
        let release = self.api_server.release().await;
        release.map_err(|error| Unanswered::new("get", "the API server's version", error))
    }

    /// The object with this name that is in no namespace.
    pub(crate) async fn in_cluster<K: Kind>(&self, name: &str) -> Answer<Option<K>> {
        let resource = format!("{} {name}", K::plural(&()));
        self.get(&Api::all(self.api_server.client()), name, &resource).await
    }

    /// The object with this name in the add-on's namespace.
    pub(crate) async fn in_namespace<K>(&self, name: &str) -> Answer<Option<K>>
    where
        K: Kind + Resource<Scope = NamespaceResourceScope>,
    {
        let resource = format!("{} {name} in {}", K::plural(&()), self.namespace);
        self.get(&self.namespaced(), name, &resource).await
    }

    /// All objects of a kind that are wanted.
    pub(crate) async fn all<K: Kind>(&self, wanted: fn(&K) -> bool) -> Answer<Vec<K>> {
        self.list(&Api::all(self.api_server.client()), &K::plural(&()), wanted).await
    }

    /// The objects of a kind in the add-on's namespace.
    pub(crate) async fn all_in_namespace<K>(&self) -> Answer<Vec<K>>
    where
        K: Kind + Resource<Scope = NamespaceResourceScope>,
    {
        let resource = format!("{} in {}", K::plural(&()), self.namespace);
        self.list(&self.namespaced(), &resource, |_| true).await
    }

    /// What is asked about a kind in the add-on's namespace.
    pub(crate) fn namespaced<K>(&self) -> Api<K>
    where
        K: Kind + Resource<Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.api_server.client(), &self.namespace)
    }

    async fn get<K: Kind>(&self, api: &Api<K>, name: &str, resource: &str) -> Answer<Option<K>> {
        let object = self.api_server.ask(api.get_opt(name)).await;
        object.map_err(|error| Unanswered::new("get", resource, error))
    }

    async fn list<K: Kind>(
        &self,
        api: &Api<K>,
        resource: &str,
        wanted: fn(&K) -> bool,
    ) -> Answer<Vec<K>> {
        let objects = self.api_server.list(api, &ListParams::default(), wanted).await;
        objects.map_err(|error| Unanswered::new("list", resource, error))
    }
}

/// A kind of object that has a type.
pub(crate) trait Kind:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned
{
}

impl<K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned> Kind for K {}

impl Unanswered {
    /// Why there is no answer, if this was asked for.
    pub(crate) fn new(verb: &'static str, resource: &str, error: ApiError) -> Self {
        match error {
            ApiError::Forbidden(_) => Self::NoRight { verb, resource: resource.to_owned() },
            error => Self::Failed(error.to_string()),
        }
    }

    pub(crate) fn is_no_right(&self) -> bool {
        matches!(self, Self::NoRight { .. })
    }

    /// The finding with this name, which cannot be made.
    pub(crate) fn finding(&self, name: &'static str) -> Finding {
        match self {
            Self::NoRight { verb, resource } => Finding::skipped(
                name,
                format!("you may not {verb} {resource}"),
                format!("ask the cluster's administrator for the right to {verb} {resource}"),
            ),
            Self::Failed(reason) => Finding::failed(
                name,
                reason,
                "see whether `kubectl get nodes` works with the same kubeconfig, and try again",
            ),
        }
    }
}
