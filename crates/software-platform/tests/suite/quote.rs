//! Quotes, checked by independent code.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::verify::{QuoteVerifier, VerifiedReport};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use sgx::{
    AttestationKeyId, CertificationDataType, MrEnclave, QeReportInfo, Quote, QuoteHeader, Report,
    ReportData,
};
use software_platform::{
    CertificationKind, Deployment, EnclaveIdentity, MachineSecret, PCE_SVN, QE_SVN, QuoteError,
    ReportError, SoftwareEnclave, SoftwarePlatform, SubjectNames,
};
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-03-01 00:00:00 UTC);

#[test]
fn quote_has_the_report_and_the_versions_of_the_platform() {
    let platform = platform(7);
    let report = report_for(&platform);
    let quote = quote(&platform, &report);
    assert!(quote.body == report.body.into());

    let header = quote.header;
    assert_eq!(header.version.get(), 3);
    assert_eq!(header.attestation_key_type.get(), 2);
    assert_eq!((header.qe_svn.get(), header.pce_svn.get()), (QE_SVN, PCE_SVN));
    assert_eq!(header.qe_vendor_id, QuoteHeader::INTEL_QE_VENDOR_ID);
    assert_eq!(header.user_data, *[platform.qe_id().as_slice(), &[0; 4]].concat());

    let qe = platform.target_info();
    let qe_report = quote.signature.qe_report;
    assert_eq!(qe_report.mr_enclave, qe.mr_enclave);
    assert_eq!(qe_report.attributes, qe.attributes);
    assert!(platform.attestation_key_id() == AttestationKeyId::ecdsa_p256());
}

#[test]
fn quote_size_is_the_size_of_every_quote() {
    for kind in [CertificationKind::PckCertificateChain, CertificationKind::EncryptedPpid] {
        let platform = platform(7).certified_by(kind).unwrap();
        let (bytes, _) = platform.quote(&report_for(&platform), None).unwrap();
        assert_eq!(bytes.len(), platform.quote_size());
        assert_eq!(Quote::parse(&bytes).unwrap().to_bytes(), bytes);
    }
}

#[test]
fn attestation_key_signs_and_is_bound_to_the_qe() {
    let platform = platform(7);
    let quote = quote(&platform, &report_for(&platform));
    let signature = &quote.signature;
    let bytes = quote.to_bytes();
    assert!(verifies(&signature.attestation_public_key, &bytes[..432], &signature.signature));

    let bound = [signature.attestation_public_key.as_slice(), &signature.authentication_data];
    let key_id = digest(&SHA256, &bound.concat());
    assert_eq!(signature.qe_report.report_data.0, *[key_id.as_ref(), &[0; 32]].concat());
    assert_eq!(platform.public_key_id(), key_id.as_ref());
    assert_eq!(signature.authentication_data, (0..32).collect::<Vec<u8>>());
}

#[test]
fn verifier_accepts_it_under_the_root_and_refuses_a_flipped_bit() {
    let platform = platform(7);
    let (mut bytes, _) = platform.quote(&report_for(&platform), None).unwrap();
    let verified = verify(&platform, &bytes).unwrap();
    assert_eq!(verified.status, "UpToDate");
    assert_eq!(verified.ppid, platform.pck_subject().ppid);
    for position in [48, 100, 431, 436, 500, 564, 948] {
        bytes[position] ^= 1;
        assert!(verify(&platform, &bytes).is_err(), "byte {position}");
        bytes[position] ^= 1;
    }
    assert!(verify(&platform, &bytes).is_ok());
}

#[test]
fn certificates_end_with_a_zero_byte_as_with_intel_s_qe() {
    let platform = platform(7);
    let data = quote(&platform, &report_for(&platform)).signature.certification_data;
    assert_eq!(data.data_type, CertificationDataType::PCK_CERTIFICATE_CHAIN);
    let (zero, pem) = data.data.split_last().unwrap();
    assert_eq!((*zero, pem), (0, platform.pck_certificate().chain_pem().as_bytes()));
}

#[test]
fn encrypted_ppid_leads_to_the_platform() {
    let platform = platform(7).certified_by(CertificationKind::EncryptedPpid).unwrap();
    let data = quote(&platform, &report_for(&platform)).signature.certification_data;
    assert_eq!(data.data_type, CertificationDataType::PPID_RSA3072_ENCRYPTED);
    let (encrypted, tcb) = data.data.split_at(384);
    assert_eq!(encrypted, platform.encrypted_ppid());
    assert_eq!(decrypt(encrypted), platform.pck_subject().ppid);
    let cpu_svn = platform.pck_subject().cpu_svn.0;
    assert_eq!(tcb, [&cpu_svn[..], &PCE_SVN.to_le_bytes(), &[0, 0]].concat());
}

#[test]
fn qe_report_proves_the_quote_to_the_application() {
    let platform = platform(7);
    let application = application();
    let info = QeReportInfo {
        nonce: [5; 16],
        target_info: application.target_info(),
        qe_report: Report::default(),
    };
    let (quote, info) = platform.quote(&report_for(&platform), Some(info)).unwrap();
    let qe_report = info.unwrap().qe_report;
    assert_eq!(application.verify_report(&qe_report), Ok(()));
    let proof = digest(&SHA256, &[&[5; 16], quote.as_slice()].concat());
    assert_eq!(qe_report.body.report_data.0, *[proof.as_ref(), &[0; 32]].concat());
    assert_eq!(qe_report.body.mr_enclave, platform.target_info().mr_enclave);
}

#[test]
fn refuses_reports_that_are_not_for_the_qe() {
    let platform = platform(7);
    let refused = Err(QuoteError::Report(ReportError));
    let for_itself = application().report(&application().target_info(), ReportData::default());
    assert!(platform.quote(&for_itself, None) == refused);
    let mut changed = report_for(&platform);
    changed.body.report_data.0[0] ^= 1;
    assert!(platform.quote(&changed, None) == refused);
}

#[test]
fn the_same_secret_gives_the_same_platform_and_another_one_another() {
    let bytes = |secret| {
        let platform = platform(secret);
        let mut quote = quote(&platform, &report_for(&platform));
        quote.signature.signature = [0; 64];
        quote.to_bytes()
    };
    assert!(bytes(7) == bytes(7));

    let (one, other) = (platform(7), platform(8));
    assert_ne!(one.public_key_id(), other.public_key_id());
    assert_ne!(one.qe_id(), other.qe_id());
    assert_ne!(one.pck_subject().ppid, other.pck_subject().ppid);
    assert_ne!(one.pck_certificate(), other.pck_certificate());
}

#[test]
fn threads_quote_at_the_same_time() {
    let platform = platform(7);
    let report = report_for(&platform);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (bytes, _) = platform.quote(&report, None).unwrap();
                verify(&platform, &bytes).unwrap();
            });
        }
    });
}

fn platform(secret: u8) -> SoftwarePlatform {
    let created = datetime!(2026-01-31 12:00:00 UTC);
    let deployment = Deployment::from_seed([3; 32], SubjectNames::Software, created).unwrap();
    SoftwarePlatform::new(deployment, MachineSecret::from_bytes([secret; 32])).unwrap()
}

fn application() -> SoftwareEnclave {
    let mr_enclave = MrEnclave([0xaa; 32]);
    SoftwareEnclave::new(EnclaveIdentity { mr_enclave, ..EnclaveIdentity::default() })
}

fn report_for(platform: &SoftwarePlatform) -> Report {
    application().report(&platform.target_info(), ReportData([0xdd; 64]))
}

fn quote(platform: &SoftwarePlatform, report: &Report) -> Quote {
    let (bytes, _) = platform.quote(report, None).unwrap();
    Quote::parse(&bytes).unwrap()
}

fn verify(platform: &SoftwarePlatform, quote: &[u8]) -> Result<VerifiedReport, String> {
    let issue = platform.deployment().up_to_date(&platform.pck_subject(), NOW);
    let collateral = serde_json::to_string(&platform.collateral(&issue).unwrap()).unwrap();
    let collateral: QuoteCollateralV3 = serde_json::from_str(&collateral).unwrap();
    let now = NOW.unix_timestamp().try_into().unwrap();
    QuoteVerifier::new(platform.root_certificate().der().to_vec())
        .verify(quote, &collateral, now)
        .map_err(|error| format!("{error:#}"))
}

fn verifies(public_key: &[u8; 64], message: &[u8], signature: &[u8; 64]) -> bool {
    let key = VerifyingKey::from_sec1_bytes(&[&[4], public_key.as_slice()].concat()).unwrap();
    key.verify(message, &Signature::from_slice(signature).unwrap()).is_ok()
}

fn decrypt(encrypted: &[u8]) -> Vec<u8> {
    let key = include_bytes!("../../src/ppid_decryption_key.der");
    let key = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(key).unwrap());
    let mut plaintext = [0; 384];
    key.unwrap().decrypt(&OAEP_SHA256_MGF1SHA256, encrypted, &mut plaintext, None).unwrap().to_vec()
}
