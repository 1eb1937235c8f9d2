//! The client's side: collateral from a PCCS, or from Intel's PCS.

mod http;

use std::error::Error;
use std::time::Duration;

use dcap_qvl::collateral::CollateralClient;
use dcap_qvl::configs::DefaultConfig;
use sgx::{CertificationDataType, Collateral, Quote};

use self::http::{BoundedHttp, cannot_connect};

/// The time for all requests together.
const TIMEOUT: Duration = Duration::from_secs(30);

/// There is no collateral for a quote.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// This process can ask nobody: there are no CA certificates for HTTPS, or no descriptors.
    #[error(
        "cannot make an HTTP client; HTTPS needs the system's CA certificates (ca-certificates)"
    )]
    Client(#[source] Box<dyn Error + Send + Sync>),
    /// Nobody listens at the URL, or its name is not known. It may be worth another attempt later.
    #[error("cannot connect to the PCCS at {url}")]
    Connect {
        /// The URL of the PCCS.
        url: String,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The time was up.
    #[error("the PCCS at {url} did not answer within {TIMEOUT:?}")]
    Timeout {
        /// The URL of the PCCS.
        url: String,
    },
    /// The quote cannot be read, the PCCS does not know its platform, or its answer is none.
    #[error("cannot fetch the collateral from the PCCS at {url}")]
    Fetch {
        /// The URL of the PCCS.
        url: String,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Fetches the collateral for `quote` from the PCCS at `url`, for instance `https://localhost:8081`,
/// or from Intel's PCS at `https://api.trustedservices.intel.com`. It takes 30 seconds at the most,
/// and of each answer 4 MiB at the most.
///
/// The collateral has the PCK certificates only if the quote does not carry them itself. So, where quotes do,
/// what was fetched for one serves for those of all platforms with the same FMSPC and CA.
///
/// Waits for the answer with a runtime of its own, so it is not to be called by an asynchronous task.
///
/// # Errors
/// [`FetchError`] when there is no collateral.
pub fn fetch(url: &str, quote: &[u8]) -> Result<Collateral, FetchError> {
    let http = BoundedHttp::new(url).map_err(|error| FetchError::Client(error.into()))?;
    let url = || url.to_owned();
    let client: CollateralClient<DefaultConfig, _> = CollateralClient::new(http, url());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| FetchError::Client(error.into()))?;
    let fetched =
        runtime.block_on(async { tokio::time::timeout(TIMEOUT, client.fetch(quote)).await });
    let collateral = match fetched {
        Ok(Ok(collateral)) => collateral,
        Ok(Err(error)) if cannot_connect(&error) => {
            return Err(FetchError::Connect { url: url(), source: error.into() });
        }
        Ok(Err(error)) => return Err(FetchError::Fetch { url: url(), source: error.into() }),
        Err(_) => return Err(FetchError::Timeout { url: url() }),
    };
    // The JSON forms of the two are the same.
    let mut collateral: Collateral = serde_json::to_value(collateral)
        .and_then(serde_json::from_value)
        .map_err(|error| FetchError::Fetch { url: url(), source: error.into() })?;
    if carries_pck_certificates(quote) {
        collateral.pck_certificate_chain = None;
    }
    Ok(collateral)
}

fn carries_pck_certificates(quote: &[u8]) -> bool {
    Quote::parse_padded(quote).is_ok_and(|quote| {
        let data_type = quote.signature.certification_data.data_type;
        data_type == CertificationDataType::PCK_CERTIFICATE_CHAIN
    })
}
