//! The client, with the server of this crate and with faulty servers.

use std::net::TcpListener;
use std::time::Duration;

use axum::Router;
use collateral::settings::ServiceUrl;
use collateral::{QuoteCollateralError, ServiceError, SourceError, fetch};
use software_platform::{CertificationKind, SubjectNames};
use tokio::task::spawn_blocking;

use crate::software::{platform, quote, serve};

/// The timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The result of fetching the collateral for this quote.
async fn fetched(
    url: &str,
    quote: &[u8],
) -> Result<sgx::Collateral, QuoteCollateralError<ServiceError>> {
    let (url, quote) = (ServiceUrl::parse(url).unwrap(), quote.to_vec());
    spawn_blocking(move || fetch(&url, &quote, TIMEOUT)).await.unwrap()
}

fn reason(error: &QuoteCollateralError<ServiceError>) -> Option<&SourceError> {
    match error {
        QuoteCollateralError::Item(error) => Some(&error.reason),
        _ => None,
    }
}

fn some_quote() -> Vec<u8> {
    quote(&platform(SubjectNames::Software, CertificationKind::PckCertificateChain))
}

/// The URL of a server that gives this response to every request.
async fn server_with(answer: String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(move || std::future::ready(answer.clone()));
    tokio::spawn(http_server::serve(listener, router, std::future::pending()));
    url
}

#[tokio::test]
async fn the_collateral_is_that_of_the_platform() {
    let platform = platform(SubjectNames::Software, CertificationKind::EncryptedPpid);
    let root = platform.root_certificate().pem().to_owned();
    let quote = quote(&platform);
    let server = serve(platform).await;
    let collateral = fetched(&format!("http://{}", server.address), &quote).await.unwrap();
    assert!(collateral.tcb_info_issuer_chain.ends_with(&root));
    assert!(collateral.pck_certificate_chain.unwrap().ends_with(&root));
}

#[tokio::test]
async fn the_collateral_serves_another_platform_of_the_same_kind() {
    let platform = platform(SubjectNames::Software, CertificationKind::PckCertificateChain);
    let quote = quote(&platform);
    let server = serve(platform).await;
    let collateral = fetched(&format!("http://{}", server.address), &quote).await.unwrap();
    assert_eq!(collateral.pck_certificate_chain, None);
}

#[tokio::test]
async fn an_unreachable_url_has_its_own_error() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = fetched(&format!("http://{address}"), &some_quote()).await.unwrap_err();
    assert!(matches!(reason(&error), Some(SourceError::Unreachable(_))), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn collateral_for_an_invalid_quote_is_an_error() {
    let error = fetched("http://127.0.0.1:9", b"no quote").await.unwrap_err();
    assert!(matches!(error, QuoteCollateralError::Quote(_)), "{error:?}");
}

#[tokio::test]
async fn a_malformed_response_is_rejected() {
    let url = server_with("hello".to_owned()).await;
    let error = fetched(&url, &some_quote()).await.unwrap_err();
    assert!(matches!(reason(&error), Some(SourceError::Malformed(_))), "{error:?}");
}

#[tokio::test]
async fn an_oversized_response_is_not_read_completely() {
    let url = server_with("0".repeat(4 * 1024 * 1024 + 1)).await;
    let error = fetched(&url, &some_quote()).await.unwrap_err();
    assert!(format!("{error:?}").contains("more than 4194304 bytes"), "{error:?}");
}
