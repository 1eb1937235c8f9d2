//! What several targets need.

use std::iter;

use aesm::{FRAME_HEADER_SIZE, body_size};
use sgx::{Collateral, Report, ReportData};
use software_platform::{
    Deployment, EnclaveIdentity, MachineSecret, SoftwareEnclave, SoftwarePlatform, SubjectNames,
};
use time::OffsetDateTime;
use time::macros::datetime;

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
