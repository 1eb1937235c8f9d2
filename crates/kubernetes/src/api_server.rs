//! A client of the API server, with a timeout for each request and readable errors.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use kube::api::ListParams;
use kube::{Api, Client, Config};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::manifests::KubernetesVersion;

/// The timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum number of objects in a page of a list.
const PAGE: u32 = 500;
/// Enough for the largest clusters that Kubernetes supports (150,000 pods).
const MAX_PAGES: usize = 1_000;

/// An API server, with the credentials of a kubeconfig or a pod.
#[derive(Clone)]
pub struct ApiServer {
    client: Client,
    url: String,
}

/// A failed request.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// There is no connection.
    #[error(
        "the API server {url} cannot be reached: {cause}; check that the cluster runs, and that \
         its address is this one (kubectl config view --minify)"
    )]
    Unreachable {
        /// Its address.
        url: String,
        /// The cause.
        cause: String,
    },
    /// There is no answer within 10 seconds.
    #[error("the API server {0} does not answer within 10 seconds; check its load and the network")]
    Timeout(String),
    /// The credentials are rejected.
    #[error(
        "the API server {url} does not accept the credentials of the kubeconfig: {cause}; log in \
         again, or choose another context with --context"
    )]
    Credentials {
        /// Its address.
        url: String,
        /// The API server's message.
        cause: String,
    },
    /// A permission is missing. The API server's message names verb, resource and namespace.
    #[error("{0}; ask a cluster administrator for this permission")]
    Forbidden(String),
    /// There is no such object or kind.
    #[error("{0}")]
    NotFound(String),
    /// The object has changed meanwhile, or exists already.
    #[error("{0}")]
    Conflict(String),
    /// Another HTTP error.
    #[error("the API server answers {code}: {message}")]
    Refused {
        /// The HTTP status code.
        code: u16,
        /// The API server's message.
        message: String,
    },
    /// The response is not one of an API server.
    #[error(
        "the response of {url} is not one of an API server: {cause}; check that the address is \
         that of a Kubernetes API server, and that no proxy answers for it"
    )]
    Unreadable {
        /// Its address.
        url: String,
        /// The cause.
        cause: String,
    },
}

impl ApiServer {
    /// Makes a client, which does not connect yet.
    ///
    /// # Errors
    /// If certificates or keys of the configuration cannot be used.
    pub fn new(config: Config) -> Result<Self, kube::Error> {
        let url = config.cluster_url.to_string();
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { client: Client::try_from(config)?, url })
    }

    /// Returns the minor release.
    ///
    /// # Errors
    /// If the request fails, or the response is no version.
    pub async fn version(&self) -> Result<KubernetesVersion, ApiError> {
        self.parsed(&self.release().await?)
    }

    /// Returns the full version, such as `v1.33.2`.
    ///
    /// # Errors
    /// If the request fails, or the response is no version.
    pub async fn release(&self) -> Result<String, ApiError> {
        let release = self.ask(self.client.apiserver_version()).await?.git_version;
        // Every field may be missing in a response of another server.
        self.parsed(&release)?;
        Ok(release)
    }

    /// True if the server has this resource of this group and version, such as `pods` of `v1`.
    ///
    /// # Errors
    /// If the request fails.
    pub async fn serves(&self, group_version: &str, plural: &str) -> Result<bool, ApiError> {
        match self.ask(self.client.list_api_group_resources(group_version)).await {
            Ok(list) => Ok(list.resources.iter().any(|resource| resource.name == plural)),
            Err(ApiError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The address, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The underlying client. Only requests through [`ask`](Self::ask) have a timeout.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Returns all objects that match `selected` and `wanted`, fetched in pages of 500.
    ///
    /// # Errors
    /// If a page cannot be fetched, or the list has more than 1,000 pages.
    pub async fn list<K>(
        &self,
        objects: &Api<K>,
        selected: &ListParams,
        wanted: impl Fn(&K) -> bool,
    ) -> Result<Vec<K>, ApiError>
    where
        K: Clone + Debug + DeserializeOwned,
    {
        let mut found = Vec::new();
        let mut params = selected.clone().limit(PAGE);
        for _ in 0..MAX_PAGES {
            let page = self.ask(objects.list(&params)).await?;
            found.extend(page.items.into_iter().filter(&wanted));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(found),
            }
        }
        let cause = "a list does not end".to_owned();
        Err(ApiError::Unreadable { url: self.url.clone(), cause })
    }

    /// Awaits a request, for 10 seconds at most.
    ///
    /// # Errors
    /// Those of the request, and [`ApiError::Timeout`].
    pub async fn ask<T>(
        &self,
        request: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ApiError> {
        match timeout(TIMEOUT, request).await {
            Ok(answer) => answer.map_err(|error| self.error(error)),
            Err(_) => Err(ApiError::Timeout(self.url.clone())),
        }
    }

    fn parsed(&self, release: &str) -> Result<KubernetesVersion, ApiError> {
        release.parse().map_err(|error| self.unreadable(&error))
    }

    fn error(&self, error: kube::Error) -> ApiError {
        let url = self.url.clone();
        match error {
            kube::Error::Api(status) => self.refusal(&status),
            kube::Error::Auth(error) => ApiError::Credentials { url, cause: chain(&error) },
            kube::Error::Service(error) => {
                ApiError::Unreachable { url, cause: chain(error.as_ref()) }
            }
            kube::Error::HyperError(error) => ApiError::Unreachable { url, cause: chain(&error) },
            other => self.unreadable(&other),
        }
    }

    fn refusal(&self, status: &kube::core::Status) -> ApiError {
        // A proxy may send a long page.
        let message: String = status.message.chars().take(1000).collect();
        match status.code {
            401 => ApiError::Credentials { url: self.url.clone(), cause: message },
            403 => ApiError::Forbidden(message),
            404 => ApiError::NotFound(message),
            409 => ApiError::Conflict(message),
            code => ApiError::Refused { code, message },
        }
    }

    fn unreadable(&self, error: &dyn std::error::Error) -> ApiError {
        ApiError::Unreadable { url: self.url.clone(), cause: chain(error) }
    }
}

impl ApiError {
    /// True if a retry may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout(_) => true,
            Self::Refused { code, .. } => *code == 429 || *code >= 500,
            _ => false,
        }
    }
}

/// Joins an error and its causes, except those that its text contains already.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let because = error.to_string();
        if !text.contains(&because) {
            text = format!("{text}: {because}");
        }
        cause = error.source();
    }
    text
}
