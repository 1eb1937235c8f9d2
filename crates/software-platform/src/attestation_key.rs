//! The attestation key: the P-256 key that signs quotes, certified by the PCE.

use sgx::{CertificationData, CertificationDataType, KeyName, KeyRequest, ReportBody, U16};
use zerocopy::IntoBytes;

use crate::hash::report_data;
use crate::identities::{PCE_ID, QE_SVN};
use crate::machine::{AttestationTcb, Machine};
use crate::p256_key::P256Key;
use crate::platform_error::PlatformError;

/// The authentication data of the QE, bound to the key: 32 bytes counting up, as in Intel's QE.
pub(crate) const AUTHENTICATION_DATA: [u8; 32] = *b"\
    \x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\
    \x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f";

/// An attestation key with its certification.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AttestationKey {
    /// The security versions that it was derived for.
    pub(crate) tcb: AttestationTcb,
    pub(crate) key: P256Key,
    /// The QE's REPORT for the PCE; its report data binds public key and authentication data.
    pub(crate) qe_report: ReportBody,
    /// The PCE's signature of that REPORT: r ‖ s, big-endian.
    pub(crate) qe_report_signature: [u8; 64],
    /// The platform's PPID for the provisioning service.
    pub(crate) encrypted_ppid: [u8; 384],
}

impl AttestationKey {
    /// Derives the key of this machine at its TCB, and has the PCE certify it.
    ///
    /// The inputs are the machine's secret, the QE's provisioning seal key, the PCE's security
    /// version and the microcode: the same machine at the same TCB has the same key.
    pub(crate) fn make(machine: &Machine) -> Result<Self, PlatformError> {
        let tcb = machine.tcb();
        let mut request = KeyRequest::new(KeyName::ProvisionSeal);
        request.isv_svn = U16::new(QE_SVN);
        request.cpu_svn = machine.qe.cpu.cpu_svn();
        let seal_key = machine.qe.key(&request)?;
        let context =
            [seal_key.as_slice(), tcb.pce_svn.as_bytes(), machine.microcode.key_context()];
        let key = P256Key::from_secret(&machine.secret.derive("attestation key", &context));

        let binding = report_data(&[&key.public_key(), &AUTHENTICATION_DATA]);
        let qe_report = machine.qe.report(&machine.pce.target_info(), binding);
        Ok(Self {
            tcb,
            key,
            qe_report: qe_report.body,
            qe_report_signature: machine.pce.certify(&qe_report)?,
            encrypted_ppid: machine.pce.encrypted_ppid()?,
        })
    }
    /// Certification data of type 3.
    pub(crate) fn encrypted_ppid_data(&self) -> CertificationData {
        let Self { tcb, encrypted_ppid, .. } = self;
        CertificationData {
            data_type: CertificationDataType::PPID_RSA3072_ENCRYPTED,
            data: [encrypted_ppid, &tcb.cpu_svn.0[..], tcb.pce_svn.as_bytes(), &PCE_ID].concat(),
        }
    }
}
