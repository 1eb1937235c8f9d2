//! A platform certified by a deployment and made of keys alone, without QE and PCE.

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use sgx::{
    Attributes, CertificationData, CertificationDataType, CpuSvn, IntoBytes, MrSigner, Quote,
    QuoteHeader, QuoteSignature, ReportBody, ReportData, U16, U32,
};
use software_platform::{Deployment, PckCertificate, PckSubject, SubjectNames};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const CREATED: OffsetDateTime = datetime!(2026-01-31 12:00:00 UTC);
pub(crate) const NOW: OffsetDateTime = datetime!(2026-03-01 00:00:00 UTC);

pub(crate) const SUBJECT: PckSubject = PckSubject {
    ppid: [0x11; 16],
    cpu_svn: CpuSvn([4, 8, 12, 16, 20, 24, 28, 32, 128, 200, 255, 0, 1, 2, 3, 7]),
    pce_svn: 13,
    pce_id: [0, 0],
    fmspc: [0x00, 0x90, 0x6e, 0xd5, 0x00, 0xff],
    platform_instance_id: [0x22; 16],
};

pub(crate) fn deployment(names: SubjectNames) -> Deployment {
    Deployment::from_seed([7; 32], names, CREATED).unwrap()
}

pub(crate) fn pck_certificate(deployment: &Deployment) -> PckCertificate {
    deployment.certify_pck(&SUBJECT, &public_key(&key(1))).unwrap()
}

pub(crate) fn key(scalar: u8) -> SigningKey {
    SigningKey::from_slice(&[scalar; 32]).unwrap()
}

pub(crate) fn public_key(key: &SigningKey) -> [u8; 64] {
    let point = key.verifying_key().to_sec1_point(false);
    point.as_bytes().strip_prefix(&[4]).unwrap().try_into().unwrap()
}

/// A quote of the platform, which carries this chain.
pub(crate) fn quote(certificate: &PckCertificate) -> Vec<u8> {
    let (pck, attestation_key) = (key(1), key(2));
    let authentication_data: Vec<u8> = (0..32).collect();
    let qe_report = qe_report(&public_key(&attestation_key), &authentication_data);
    let header = header();
    let report_body = ReportBody::default();
    let signed = [header.as_bytes(), report_body.as_bytes()].concat();
    let signature = QuoteSignature {
        signature: sign(&attestation_key, &signed),
        attestation_public_key: public_key(&attestation_key),
        qe_report,
        qe_report_signature: sign(&pck, qe_report.as_bytes()),
        authentication_data,
        certification_data: CertificationData {
            data_type: CertificationDataType::PCK_CERTIFICATE_CHAIN,
            data: certificate.chain_pem().into_bytes(),
        },
    };
    Quote { header, body: report_body.into(), signature }.to_bytes()
}

fn header() -> QuoteHeader {
    QuoteHeader {
        version: U16::new(QuoteHeader::VERSION),
        attestation_key_type: U16::new(QuoteHeader::ECDSA_P256),
        tee_type: U32::new(QuoteHeader::SGX),
        qe_svn: U16::new(8),
        pce_svn: U16::new(SUBJECT.pce_svn),
        qe_vendor_id: QuoteHeader::INTEL_QE_VENDOR_ID,
        user_data: [0; 20],
    }
}

fn qe_report(attestation_key: &[u8; 64], authentication_data: &[u8]) -> ReportBody {
    let flags = Attributes::INIT | Attributes::MODE64BIT | Attributes::PROVISION_KEY;
    let mut report_data = ReportData::default();
    let bound = [attestation_key, authentication_data].concat();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bound);
    report_data.0[..32].copy_from_slice(hash.as_ref());
    let mut report = ReportBody::default();
    report.cpu_svn = SUBJECT.cpu_svn;
    report.attributes = Attributes::new(flags, 0xe7);
    report.mr_signer = MrSigner::INTEL_QE;
    report.isv_prod_id = U16::new(1);
    report.isv_svn = U16::new(8);
    report.report_data = report_data;
    report
}

fn sign(key: &SigningKey, message: &[u8]) -> [u8; 64] {
    let signature: Signature = key.sign(message);
    signature.to_bytes().into()
}
