//! Questions to the API server: each has a deadline, and an answer that is none says what to do.

use std::error::Error as _;
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use anyhow::Context;
use k8s_openapi::NamespaceResourceScope;
use kube::api::ListParams;
use kube::config::{Config, KubeConfigOptions};
use kube::{Api, Client, Error, Resource};
use serde::de::DeserializeOwned;

use super::super::finding::Finding;

/// The time for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many objects are asked for at a time.
const PAGE: u32 = 500;
/// So many pages are enough for the largest clusters that Kubernetes supports (150,000 pods); a server that
/// goes on is not followed.
const MAX_PAGES: usize = 1_000;

/// The API server, and the namespace of the add-on.
pub(crate) struct ApiServer {
    pub(crate) client: Client,
    pub(crate) url: String,
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

impl ApiServer {
    /// The API server of this context of the kubeconfig, else of the current one, else of the pod that this
    /// runs in.
    pub(crate) async fn connect(context: Option<&str>, namespace: &str) -> anyhow::Result<Self> {
        let config = match context {
            Some(context) => {
                let options =
                    KubeConfigOptions { context: Some(context.to_owned()), ..Default::default() };
                Config::from_kubeconfig(&options)
                    .await
                    .with_context(|| format!("cannot use the context {context} of the kubeconfig"))?
            }
            None => Config::infer().await.context(
                "there is no usable kubeconfig (KUBECONFIG, or ~/.kube/config); for this machine, pass \
                 --machine",
            )?,
        };
        let url = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = Client::try_from(config).context("the kubeconfig cannot be used")?;
        Ok(Self { client, url, namespace: namespace.to_owned() })
    }

    /// Its version, such as `v1.33.2`.
    pub(crate) async fn version(&self) -> Answer<String> {
        let version = within(TIMEOUT, self.client.apiserver_version()).await;
        let version = version.map_err(|error| error.unanswered("get", "the API server's version"));
        let reason = match version {
            // Everything of it may be missing, as in what is something else.
            Ok(version) if version.git_version.is_empty() => {
                "it does not say its version".to_owned()
            }
            Ok(version) => return Ok(version.git_version),
            Err(Unanswered::Failed(reason)) => reason,
            Err(no_right) => return Err(no_right),
        };
        let url = &self.url;
        Err(Unanswered::Failed(format!("the API server {url} does not answer: {reason}")))
    }

    /// The object with this name that is in no namespace.
    pub(crate) async fn in_cluster<K: Kind>(&self, name: &str) -> Answer<Option<K>> {
        let resource = format!("{} {name}", K::plural(&()));
        get(&Api::all(self.client.clone()), name, &resource).await
    }

    /// The object with this name in the add-on's namespace.
    pub(crate) async fn in_namespace<K>(&self, name: &str) -> Answer<Option<K>>
    where
        K: Kind + Resource<Scope = NamespaceResourceScope>,
    {
        let resource = format!("{} {name} in {}", K::plural(&()), self.namespace);
        get(&self.namespaced(), name, &resource).await
    }

    /// All objects of a kind that are wanted.
    pub(crate) async fn all<K: Kind>(&self, wanted: fn(&K) -> bool) -> Answer<Vec<K>> {
        list(&Api::all(self.client.clone()), &K::plural(&()), wanted).await
    }

    /// The objects of a kind in the add-on's namespace.
    pub(crate) async fn all_in_namespace<K>(&self) -> Answer<Vec<K>>
    where
        K: Kind + Resource<Scope = NamespaceResourceScope>,
    {
        let resource = format!("{} in {}", K::plural(&()), self.namespace);
        list(&self.namespaced(), &resource, |_| true).await
    }

    /// What is asked about a kind in the add-on's namespace.
    pub(crate) fn namespaced<K>(&self) -> Api<K>
    where
        K: Kind + Resource<Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

/// A kind of object that has a type.
pub(crate) trait Kind:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned
{
}

impl<K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned> Kind for K {}

async fn get<K: Kind>(api: &Api<K>, name: &str, resource: &str) -> Answer<Option<K>> {
    let object = within(TIMEOUT, api.get_opt(name)).await;
    object.map_err(|error| error.unanswered("get", resource))
}

async fn list<K: Kind>(
    api: &Api<K>,
    resource: &str,
    wanted: impl Fn(&K) -> bool,
) -> Answer<Vec<K>> {
    let mut objects = Vec::new();
    let mut params = ListParams::default().limit(PAGE);
    for _ in 0..MAX_PAGES {
        let page = within(TIMEOUT, api.list(&params)).await;
        let page = page.map_err(|error| error.unanswered("list", resource))?;
        objects.extend(page.items.into_iter().filter(&wanted));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(objects),
        }
    }
    Err(Unanswered::Failed(format!("there is no end of {resource}")))
}

/// A call that failed, or took too long.
pub(crate) enum CallError {
    Timeout(Duration),
    Api(Error),
}

/// The result of a call, if there is one in time.
pub(crate) async fn within<T>(
    timeout: Duration,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, CallError> {
    match tokio::time::timeout(timeout, call).await {
        Ok(result) => result.map_err(CallError::Api),
        Err(_) => Err(CallError::Timeout(timeout)),
    }
}

impl CallError {
    /// Why there is no answer, if this was asked for.
    pub(crate) fn unanswered(self, verb: &'static str, resource: &str) -> Unanswered {
        let reason = match self {
            Self::Timeout(timeout) => format!("no answer within {timeout:?}"),
            Self::Api(Error::Api(status)) if status.is_forbidden() => {
                return Unanswered::NoRight { verb, resource: resource.to_owned() };
            }
            Self::Api(Error::Api(status)) if status.code == 401 => {
                "it does not accept the credentials of the kubeconfig".to_owned()
            }
            Self::Api(Error::Api(status)) => status.message.clone(),
            Self::Api(Error::SerdeError(error)) => {
                format!("what it answers is not of the API of Kubernetes: {error}")
            }
            Self::Api(error) => innermost(&error),
        };
        // Whatever answers may answer at any length.
        Unanswered::Failed(reason.chars().take(300).collect())
    }
}

/// What it comes from: the layers above say that there is an error, and little more.
fn innermost(error: &Error) -> String {
    let mut source = error.source();
    let mut innermost = error.to_string();
    while let Some(error) = source {
        innermost = error.to_string();
        source = error.source();
    }
    innermost
}

impl Unanswered {
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
