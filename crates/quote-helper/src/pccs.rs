//! Collateral from a PCCS.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use dcap_qvl::collateral::CollateralClient;
use dcap_qvl::configs::DefaultConfig;
use dcap_qvl::http::{HttpClient, HttpResponse};
use sgx::Collateral;

/// The time for all requests together.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The largest answer, in bytes. CRLs are the largest ones, with about 100,000 at the most.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// Fetches the collateral for `quote` from the PCCS at `url`.
pub(crate) fn fetch(url: &str, quote: &[u8]) -> anyhow::Result<Collateral> {
    let http = BoundedHttp(reqwest::Client::builder().build()?);
    let client: CollateralClient<DefaultConfig, _> = CollateralClient::new(http, url);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let fetched =
        runtime.block_on(async { tokio::time::timeout(TIMEOUT, client.fetch(quote)).await });
    let collateral = fetched
        .with_context(|| format!("the PCCS at {url} did not answer within {TIMEOUT:?}"))?
        .with_context(|| format!("cannot fetch the collateral from the PCCS at {url}"))?;
    // The JSON forms of the two are the same.
    Ok(serde_json::from_value(serde_json::to_value(collateral)?)?)
}

/// HTTP that does not take answers of any size.
struct BoundedHttp(reqwest::Client);

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
