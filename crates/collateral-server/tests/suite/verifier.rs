//! `dcap-qvl` fetches its collateral from the server.

use dcap_qvl::collateral::{CollateralClient, TcbEvaluationDataSet};
use dcap_qvl::verify::QuoteVerifier;
use software_platform::{CertificationKind, SubjectNames};

use crate::software::{NOW, platform, quote, serve};

#[tokio::test]
async fn a_quote_that_carries_its_chain_is_accepted() {
    for names in [SubjectNames::Software, SubjectNames::Intel] {
        accepted(names, CertificationKind::PckCertificateChain).await;
    }
}

#[tokio::test]
async fn a_quote_that_carries_its_encrypted_ppid_is_accepted() {
    for names in [SubjectNames::Software, SubjectNames::Intel] {
        accepted(names, CertificationKind::EncryptedPpid).await;
    }
}

async fn accepted(names: SubjectNames, kind: CertificationKind) {
    let platform = platform(names, kind);
    let (quote, root) = (quote(&platform), platform.root_certificate().der().to_vec());
    let server = serve(platform).await;
    let client = CollateralClient::with_default_http(format!("http://{}", server.address)).unwrap();
    let found = client.fetch(&quote).await.unwrap();
    let now = NOW.try_into().unwrap();
    let report = QuoteVerifier::new(root).verify(&quote, &found, now).unwrap();
    assert_eq!(report.status, "UpToDate");
    assert!(QuoteVerifier::new_prod().verify(&quote, &found, now).is_err());
}

#[tokio::test]
async fn a_numbered_evaluation_is_found_or_refused() {
    let platform = platform(SubjectNames::Software, CertificationKind::PckCertificateChain);
    let quote = quote(&platform);
    let server = serve(platform).await;
    let client = CollateralClient::with_default_http(format!("http://{}", server.address)).unwrap();
    let numbered = |number| {
        let set = TcbEvaluationDataSet::Number(number);
        client.clone().with_evaluation_data_set(set)
    };
    assert!(numbered(1).fetch(&quote).await.is_ok());
    let error = numbered(2).fetch(&quote).await.unwrap_err();
    assert!(format!("{error:#}").contains("404"), "{error:#}");
}
