//! A deployment of the software platform: the root of trust that many machines may share.

mod file;
mod pcs_collateral;

use std::fmt;

use aws_lc_rs::rand;
use sgx::Collateral;
use time::OffsetDateTime;
use zeroize::Zeroizing;

pub use self::pcs_collateral::PcsCollateral;
use crate::pki::{
    Authority, Certificate, CertificateProfile, CollateralIssue, Identity, PckCertificate,
    PckSubject, PcsUrl, PkiError, PlatformEnclave, PrivateKey, PublicKey, ROOT_END, Role,
    SignedJson, SubjectNames, TcbInfo, TcbLevel, TcbStatus, crl, whole_seconds_utc,
};

/// A root of trust of the software platform, with the authorities below it.
///
/// It follows from a seed, the choice of names, the creation time and the URL of its PCS: machines
/// with the same inputs issue identical certificates and collateral. The certificates live as long
/// as Intel's: the root's until 2049-12-31, the PCK CAs' for 15 years from the creation, the others
/// for 7.
///
/// The serialized form contains the seed, and is thus as secret as the root's key. It also contains
/// the SHA-256 of the root certificate, and is rejected when it does not lead to that root.
pub struct Deployment {
    seed: Zeroizing<[u8; 32]>,
    profile: CertificateProfile,
    root: Authority,
    platform_ca: Authority,
    processor_ca: Authority,
    tcb_signing: Authority,
}

impl Deployment {
    /// The deployment of this seed, which must be secret and random except for reproducible
    /// fixtures. `created` counts in whole seconds. The URL of its PCS is [`PcsUrl::DEFAULT`].
    ///
    /// # Errors
    /// [`PkiError::Created`] when the creation time is before 1970 or not before the root's end in
    /// 2049; otherwise only when encoding fails.
    pub fn from_seed(
        seed: [u8; 32],
        names: SubjectNames,
        created: OffsetDateTime,
    ) -> Result<Self, PkiError> {
        Self::with_pcs_url(seed, names, created, PcsUrl::default())
    }

    /// The same, whose certificates name CRLs below this URL.
    ///
    /// # Errors
    /// As [`Deployment::from_seed`].
    pub fn with_pcs_url(
        seed: [u8; 32],
        names: SubjectNames,
        created: OffsetDateTime,
        pcs_url: PcsUrl,
    ) -> Result<Self, PkiError> {
        let seed = Zeroizing::new(seed);
        let created = whole_seconds_utc(created)
            .filter(|time| *time < ROOT_END)
            .ok_or(PkiError::Created(created))?;
        let key = |label| PrivateKey::derive(&seed, label);
        let profile = CertificateProfile { names, created, pcs_url };
        let root = Authority::root(key("root")?, &profile)?;
        let certify = |label, role| root.certify(key(label)?, role, &profile);
        let platform_ca = certify("PCK platform CA", Role::PlatformCa)?;
        let processor_ca = certify("PCK processor CA", Role::ProcessorCa)?;
        let tcb_signing = certify("TCB signing", Role::TcbSigning)?;
        Ok(Self { seed, profile, root, platform_ca, processor_ca, tcb_signing })
    }

    /// A new deployment, with a seed from the operating system.
    ///
    /// # Errors
    /// [`PkiError::Random`] when there are no random bytes; else as [`Deployment::from_seed`].
    pub fn generate(names: SubjectNames, created: OffsetDateTime) -> Result<Self, PkiError> {
        Self::from_seed(*Self::random_seed()?, names, created)
    }

    /// A seed from the operating system.
    ///
    /// # Errors
    /// [`PkiError::Random`] when there are no random bytes.
    pub fn random_seed() -> Result<Zeroizing<[u8; 32]>, PkiError> {
        let mut seed = Zeroizing::new([0; 32]);
        rand::fill(seed.as_mut()).map_err(|_| PkiError::Random)?;
        Ok(seed)
    }

    /// The creation time; whole seconds.
    pub(crate) fn created(&self) -> OffsetDateTime {
        self.profile.created
    }

    /// The URL below which its certificates name their CRLs.
    #[must_use]
    pub fn pcs_url(&self) -> &PcsUrl {
        &self.profile.pcs_url
    }

    /// The root certificate, which verifiers must trust explicitly.
    #[must_use]
    pub fn root_certificate(&self) -> &Certificate {
        &self.root.certificate
    }

    /// Certifies the PCK of a platform at its TCB; `public_key` is x ‖ y, big-endian.
    ///
    /// # Errors
    /// [`PkiError::PublicKey`] when the key is not on the curve; otherwise only when encoding
    /// fails.
    pub fn certify_pck(
        &self,
        subject: &PckSubject,
        public_key: &[u8; 64],
    ) -> Result<PckCertificate, PkiError> {
        let key = PublicKey::from_coordinates(public_key)?;
        let issuer_chain = self.chain_pem(&self.platform_ca);
        self.platform_ca.certify_pck(subject, &key, &self.profile, issuer_chain)
    }

    /// An issue with this platform up to date since the deployment's creation.
    #[must_use]
    pub fn up_to_date(&self, subject: &PckSubject, now: OffsetDateTime) -> CollateralIssue {
        CollateralIssue {
            now,
            fmspc: subject.fmspc,
            pce_id: subject.pce_id,
            tcb_evaluation_data_number: 1,
            tcb_levels: vec![TcbLevel {
                cpu_svn: subject.cpu_svn,
                pce_svn: subject.pce_svn,
                date: self.profile.created,
                status: TcbStatus::UpToDate,
                advisory_ids: Vec::new(),
            }],
            revoked_pck_serials: Vec::new(),
        }
    }

    /// Issues collateral, valid for 30 days.
    ///
    /// # Errors
    /// [`PkiError::Issued`] when the time of issue is before 1970 or at the end of the year 9999;
    /// otherwise only when encoding fails.
    pub fn collateral(&self, issue: &CollateralIssue) -> Result<Collateral, PkiError> {
        let validity = issue.validity()?;
        let tcb_info = SignedJson::sign(&TcbInfo::new(issue, validity), &self.tcb_signing)?;
        let qe_identity = Identity::new(PlatformEnclave::Qe, issue, validity, self.profile.created);
        let qe_identity = SignedJson::sign(&qe_identity, &self.tcb_signing)?;
        let tcb_signing_chain = self.chain_pem(&self.tcb_signing);
        Ok(Collateral {
            pck_crl_issuer_chain: self.chain_pem(&self.platform_ca),
            root_ca_crl: crl(&self.root, &[], validity)?,
            pck_crl: crl(&self.platform_ca, &issue.revoked_pck_serials, validity)?,
            tcb_info_issuer_chain: tcb_signing_chain.clone(),
            tcb_info: tcb_info.json,
            tcb_info_signature: tcb_info.signature.to_vec(),
            qe_identity_issuer_chain: tcb_signing_chain,
            qe_identity: qe_identity.json,
            qe_identity_signature: qe_identity.signature.to_vec(),
            pck_certificate_chain: None,
        })
    }

    fn chain_pem(&self, authority: &Authority) -> String {
        [authority.certificate.pem(), self.root.certificate.pem()].concat()
    }
}

impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployment").field("profile", &self.profile).finish_non_exhaustive()
    }
}
