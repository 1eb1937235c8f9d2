//! HTTP for dcap-qvl's client, whose interface has anyhow's errors.

use std::collections::BTreeMap;

use anyhow::ensure;
use dcap_qvl::http::{HttpClient, HttpResponse};

/// The largest answer, in bytes. CRLs are the largest ones, with about 100,000 at the most.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// HTTP that does not take answers of any size.
pub(super) struct BoundedHttp(reqwest::Client);

impl BoundedHttp {
    /// HTTP for this URL. Small container images have no CA certificates; without encryption none are
    /// needed.
    pub(super) fn new(url: &str) -> reqwest::Result<Self> {
        // Names are what the system says, /etc/hosts included, whatever resolver others have built in.
        let builder = || reqwest::Client::builder().no_hickory_dns();
        let client = match builder().build() {
            Err(_) if url.starts_with("http://") => builder().tls_certs_only([]).build(),
            client => client,
        };
        client.map(Self)
    }
}

impl HttpClient for BoundedHttp {
    async fn get(&self, url: &str) -> anyhow::Result<HttpResponse> {
        let mut response = self.0.get(url).send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| Ok((name.to_string(), value.to_str()?.to_owned())))
            .collect::<anyhow::Result<BTreeMap<_, _>>>()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            let size = body.len().saturating_add(chunk.len());
            ensure!(size <= MAX_ANSWER, "the answer to {url} has more than {MAX_ANSWER} bytes");
            body.extend(chunk);
        }
        Ok(HttpResponse { status, headers, body })
    }
}

/// Whether a request failed because there is nobody to ask.
pub(super) fn cannot_connect(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref().is_some_and(|error: &reqwest::Error| error.is_connect()))
}
