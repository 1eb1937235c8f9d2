//! The API server: each answer within a time, and each failure in words.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use kube::api::ListParams;
use kube::{Api, Client, Config};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::manifests::KubernetesVersion;

/// The time for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many objects are asked for at a time.
const PAGE: u32 = 500;
/// So many pages are enough for the largest clusters that Kubernetes supports (150,000 pods); a server that
/// goes on is not followed.
const MAX_PAGES: usize = 1_000;

/// An API server, and who we are to it.
#[derive(Clone)]
pub struct ApiServer {
    client: Client,
    url: String,
}

/// Why there is not the answer that was hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// There is no connection to it.
    #[error(
        "the API server {url} cannot be reached: {cause}; check that the cluster runs, and that its address \
         is this one (kubectl config view --minify)"
    )]
    Unreachable {
        /// Its address.
        url: String,
        /// What came of it.
        cause: String,
    },
    /// It takes too long.
    #[error(
        "the API server {0} does not answer within 10 seconds; check whether it is overloaded, and what is \
         between here and there"
    )]
    Timeout(String),
    /// It does not know us.
    #[error(
        "the API server {url} does not accept the credentials of the kubeconfig: {cause}; log in again, or \
         choose another context with --context"
    )]
    Credentials {
        /// Its address.
        url: String,
        /// What it says.
        cause: String,
    },
    /// We may not. The API server's own words name the verb, the resource and the namespace.
    #[error("{0}; whoever administers the cluster can grant this right")]
    Forbidden(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// Somebody else was faster.
    #[error("{0}")]
    Conflict(String),
    /// It refuses for another reason.
    #[error("the API server answers {code}: {message}")]
    Refused {
        /// The status code of HTTP.
        code: u16,
        /// The API server's own words.
        message: String,
    },
    /// It is not an answer of an API server.
    #[error(
        "what {url} answers is not what an API server says: {cause}; check that the address is that of a \
         Kubernetes API server, and that no proxy answers in its place"
    )]
    Unreadable {
        /// Its address.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl ApiServer {
    /// The API server that this configuration leads to. It is not asked anything yet.
    ///
    /// # Errors
    /// If certificates or keys of the configuration cannot be used.
    pub fn new(config: Config) -> Result<Self, kube::Error> {
        let url = config.cluster_url.to_string();
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { client: Client::try_from(config)?, url })
    }

    /// Its version, as far as objects differ between versions.
    ///
    /// # Errors
    /// If it cannot be asked, or says something else.
    pub async fn version(&self) -> Result<KubernetesVersion, ApiError> {
        self.parsed(&self.release().await?)
    }

    /// Its version in full, such as `v1.33.2`.
    ///
    /// # Errors
    /// If it cannot be asked, or says something else.
    pub async fn release(&self) -> Result<String, ApiError> {
        let release = self.ask(self.client.apiserver_version()).await?.git_version;
        // Everything of it may be missing, as in what is something else.
        self.parsed(&release)?;
        Ok(release)
    }

    /// Its address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it is asked with. Only what goes through [`ask`](Self::ask) has a deadline.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The objects that are selected and wanted, all of them, in pages of 500.
    ///
    /// # Errors
    /// If it cannot be asked for one of the pages, or there is no end of them.
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
        let cause = "there is no end of a list".to_owned();
        Err(ApiError::Unreadable { url: self.url.clone(), cause })
    }

    /// The answer, if it comes within 10 seconds.
    ///
    /// # Errors
    /// Those of the question, and if there is no answer in time.
    pub async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ApiError> {
        match timeout(TIMEOUT, question).await {
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
        // A proxy that answers in its place may say much.
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
    /// Whether it may go away by itself, so that whoever waits can go on waiting.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout(_) => true,
            Self::Refused { code, .. } => *code == 429 || *code >= 500,
            _ => false,
        }
    }
}

/// An error and its causes, but for those that it has named already.
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
