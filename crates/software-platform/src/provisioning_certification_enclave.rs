//! The Provisioning Certification Enclave (PCE), which certifies attestation keys.

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use sgx::{Attributes, KeyName, KeyRequest, MrSigner, Report, TargetInfo, U16};
use zerocopy::IntoBytes;

use crate::identities::{PCE_SVN, provisioning_certification_enclave_identity};
use crate::p256_key::P256Key;
use crate::{EgetkeyError, MachineSecret, Microcode, ReportError, SoftwareEnclave};

/// Stands for the key of Intel's provisioning service: RSA-3072, DER of the public key.
const PPID_ENCRYPTION_KEY: &[u8] = include_bytes!("ppid_encryption_key.der");

/// The PCE does not certify an attestation key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertifyError {
    /// The QE's REPORT is not for the PCE.
    #[error("the PCE cannot check the REPORT that it was to certify: {0}")]
    Report(#[from] ReportError),
    /// The REPORT is of another enclave than the QE.
    #[error(
        "the PCE certifies only the keys of enclaves with the QE's signer and the attribute \
         PROVISION_KEY"
    )]
    NotQuotingEnclave,
    /// The PPID could not be encrypted.
    #[error("the PCE could not encrypt the PPID: the system gives no random bytes")]
    EncryptPpid,
}

/// The Provisioning Certification Enclave of one machine.
pub(crate) struct ProvisioningCertificationEnclave {
    enclave: SoftwareEnclave,
    pck_key: P256Key,
    ppid: [u8; 16],
}

impl ProvisioningCertificationEnclave {
    /// The PCK key comes out of the machine's secret, its provisioning key and its microcode, the
    /// PPID out of the secret alone.
    pub(crate) fn new(microcode: Microcode, secret: &MachineSecret) -> Result<Self, EgetkeyError> {
        let enclave = SoftwareEnclave::new(provisioning_certification_enclave_identity());
        let mut request = KeyRequest::new(KeyName::Provision);
        request.isv_svn = U16::new(PCE_SVN);
        request.cpu_svn = enclave.cpu.cpu_svn();
        let provisioning_key = enclave.key(&request)?;
        let context = [provisioning_key.as_slice(), microcode.key_context()];
        let pck_key = P256Key::from_secret(&secret.derive("PCK key", &context));
        Ok(Self { enclave, pck_key, ppid: *secret.derive_16("PPID", &[]) })
    }

    /// For whom the QE makes the REPORT that is to be certified.
    pub(crate) fn target_info(&self) -> TargetInfo {
        self.enclave.target_info()
    }

    /// The PCK key, which the PCK certificate names: x ‖ y, big-endian.
    pub(crate) fn pck_public_key(&self) -> [u8; 64] {
        self.pck_key.public_key()
    }

    /// PPID: by it the provisioning service knows the platform.
    pub(crate) fn ppid(&self) -> [u8; 16] {
        self.ppid
    }

    /// Signs the body of the QE's REPORT with the PCK key: r ‖ s, big-endian.
    ///
    /// # Errors
    /// [`CertifyError::Report`] when the REPORT was not made for the PCE,
    /// [`CertifyError::NotQuotingEnclave`] when it is of an enclave that must not quote.
    pub(crate) fn certify(&self, qe_report: &Report) -> Result<[u8; 64], CertifyError> {
        self.enclave.verify_report(qe_report)?;
        let body = &qe_report.body;
        let may_provision = body.attributes.flags.get() & Attributes::PROVISION_KEY != 0;
        if !may_provision || body.mr_signer != MrSigner::INTEL_QE {
            return Err(CertifyError::NotQuotingEnclave);
        }
        Ok(self.pck_key.sign(body.as_bytes()))
    }

    /// The PPID under RSA-3072-OAEP with SHA-256, 384 bytes, other ones each time.
    ///
    /// # Errors
    /// [`CertifyError::EncryptPpid`] when the system gives no random bytes.
    pub(crate) fn encrypted_ppid(&self) -> Result<[u8; 384], CertifyError> {
        let key = PublicEncryptingKey::from_der(PPID_ENCRYPTION_KEY)
            .map_err(|_| CertifyError::EncryptPpid)?;
        let mut encrypted = [0; 384];
        OaepPublicEncryptingKey::new(key)
            .and_then(|key| {
                key.encrypt(&OAEP_SHA256_MGF1SHA256, &self.ppid, &mut encrypted, None).map(drop)
            })
            .map_err(|_| CertifyError::EncryptPpid)?;
        Ok(encrypted)
    }
}

#[cfg(test)]
mod tests {
    use sgx::ReportData;

    use super::*;
    use crate::{EnclaveIdentity, decrypt_ppid, quoting_enclave_identity};

    fn pce() -> ProvisioningCertificationEnclave {
        let secret = MachineSecret::from_bytes([7; 32]);
        ProvisioningCertificationEnclave::new(Microcode::default(), &secret).unwrap()
    }

    fn report_of(identity: EnclaveIdentity, target: &TargetInfo) -> Report {
        SoftwareEnclave::new(identity).report(target, ReportData([1; 64]))
    }

    #[test]
    fn certifies_the_quoting_enclave_and_always_with_the_same_bytes() {
        let report = report_of(quoting_enclave_identity(), &pce().target_info());
        let signature = pce().certify(&report).unwrap();
        assert_eq!(signature, pce().certify(&report).unwrap());
    }

    #[test]
    fn certifies_no_other_enclave() {
        let qe = quoting_enclave_identity();
        let other_signer = EnclaveIdentity { mr_signer: MrSigner([1; 32]), ..qe };
        let attributes = EnclaveIdentity::default().attributes;
        let without_provision_key = EnclaveIdentity { attributes, ..qe };
        for identity in [other_signer, without_provision_key] {
            let report = report_of(identity, &pce().target_info());
            assert_eq!(pce().certify(&report), Err(CertifyError::NotQuotingEnclave));
        }
    }

    #[test]
    fn certifies_no_report_for_another_enclave() {
        let qe = SoftwareEnclave::new(quoting_enclave_identity());
        let report = qe.report(&qe.target_info(), ReportData([1; 64]));
        assert_eq!(pce().certify(&report), Err(CertifyError::Report(ReportError)));
    }

    #[test]
    fn ppid_decrypts_with_the_service_key() {
        let encrypted = pce().encrypted_ppid().unwrap();
        assert_eq!(decrypt_ppid(&encrypted), Some(pce().ppid()));
        assert_eq!(decrypt_ppid(&[0; 384]), None);
    }
}
