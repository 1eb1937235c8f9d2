//! The common parts of several targets.

use std::iter;

use aesm::{FRAME_HEADER_SIZE, body_size};
use collateral::{CollateralId, Document, PckCertificateRequest, TcbUpdate};
use sgx::{Collateral, CpuSvn, Report, ReportData};
use software_platform::{
    Deployment, EnclaveIdentity, MachineSecret, SoftwareEnclave, SoftwarePlatform, SubjectNames,
};
use time::OffsetDateTime;
use time::macros::datetime;
use verify::{EnclaveId, PckCa, Tee};

/// The time at which certificates and collateral are issued.
pub const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

/// The platform that quotes come from: the same in every run, but for the quotes' signatures.
pub fn platform() -> SoftwarePlatform {
    let deployment = Deployment::from_seed([1; 32], SubjectNames::Software, NOW).expect("valid");
    SoftwarePlatform::new(deployment, MachineSecret::from_bytes([2; 32])).expect("valid")
}

/// Its collateral: the same in every run.
pub fn collateral(platform: &SoftwarePlatform) -> Collateral {
    let issue = platform.deployment().up_to_date(&platform.pck_subject(), NOW);
    platform.collateral(&issue).expect("it can issue collateral")
}

/// A REPORT that it makes a quote of.
pub fn report(platform: &SoftwarePlatform) -> Report {
    let application = SoftwareEnclave::new(EnclaveIdentity::default());
    application.report(&platform.target_info(), ReportData([3; 64]))
}

/// A quote of that REPORT.
pub fn quote(platform: &SoftwarePlatform) -> Vec<u8> {
    platform.quote(&report(platform), None).expect("a REPORT for this platform").0
}

/// The messages of one frame after the other, up to one that is cut short or that a reader with
/// this limit refuses.
pub fn messages(mut bytes: &[u8], limit: usize) -> impl Iterator<Item = &[u8]> {
    iter::from_fn(move || {
        let (header, rest) = bytes.split_first_chunk::<FRAME_HEADER_SIZE>()?;
        let (message, rest) = rest.split_at_checked(body_size(*header, limit).ok()?)?;
        bytes = rest;
        Some(message)
    })
}

/// An answer of Intel's PCS.
pub struct Recorded {
    /// To which question.
    pub item: CollateralId,
    /// The answer.
    pub document: Document,
    /// A time at which it is valid, in seconds from 1970.
    pub valid_at: u64,
}

/// The answers that `verify` has recorded.
pub fn recorded() -> Vec<Recorded> {
    const PCK_CHAIN: &str =
        include_str!("../../crates/verify/tests/recorded/pck-platform-ca-chain.pem");
    const TCB_CHAIN: &str =
        include_str!("../../crates/verify/tests/recorded/tcb-signing-chain.pem");
    let set = TcbUpdate::Standard;
    let question = PckCertificateRequest {
        qe_id: [1; 16],
        encrypted_ppid: None,
        cpu_svn: CpuSvn([2; 16]),
        pce_svn: 13,
        pce_id: [0; 2],
    };
    let recorded = |item, body: &[u8], chain: &str, valid_at| Recorded {
        item,
        document: Document { body: body.to_vec(), issuer_chain: chain.to_owned() },
        valid_at,
    };
    vec![
        recorded(
            CollateralId::PckCertificate(question),
            include_bytes!("../../crates/verify/tests/recorded/pck-90806F000000-highest.pem"),
            PCK_CHAIN,
            1_755_000_000,
        ),
        recorded(
            CollateralId::TcbInfo { tee: Tee::Sgx, fmspc: [0x90, 0x80, 0x6f, 0, 0, 0], set },
            include_bytes!("../../crates/verify/tests/recorded/tcb-info-90806F000000.json"),
            TCB_CHAIN,
            1_755_000_000,
        ),
        recorded(
            CollateralId::EnclaveIdentity { enclave: EnclaveId::Qe, set },
            include_bytes!("../../crates/verify/tests/recorded/qe-identity.json"),
            TCB_CHAIN,
            1_750_000_000,
        ),
        recorded(
            CollateralId::PckCrl(PckCa::Platform),
            include_bytes!("../../crates/verify/tests/recorded/pck-crl-platform.der"),
            PCK_CHAIN,
            1_747_000_000,
        ),
    ]
}
