//! The software platform behind the server, on a port of its own.

#![allow(dead_code, reason = "each test file uses a part")]

use std::sync::Arc;

use collateral::{
    EvaluationSet, PckAnswer, PckCa, PckCrl, PckQuestion, PcsError, PcsSource, SignedJson,
};
use sgx::ReportData;
use software_platform::{
    CertificationKind, Deployment, EnclaveIdentity, MachineSecret, SoftwareEnclave,
    SoftwarePlatform, SubjectNames,
};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// 2026-01-31, when the deployment was made.
pub(crate) const CREATED: i64 = 1_769_860_800;
/// A month later, when collateral is issued and quotes are verified.
pub(crate) const NOW: i64 = 1_772_323_200;

pub(crate) fn platform(names: SubjectNames, kind: CertificationKind) -> SoftwarePlatform {
    let deployment = Deployment::from_seed([7; 32], names, time(CREATED)).unwrap();
    let platform = SoftwarePlatform::new(deployment, MachineSecret::from_bytes([9; 32])).unwrap();
    platform.certified_by(kind).unwrap()
}

pub(crate) fn quote(platform: &SoftwarePlatform) -> Vec<u8> {
    let application = SoftwareEnclave::new(EnclaveIdentity::default());
    let report = application.report(&platform.target_info(), ReportData([5; 64]));
    platform.quote(&report, None).unwrap().0
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) stopped: JoinHandle<()>,
}

/// Serves what this platform's deployment says of it.
pub(crate) async fn serve(platform: SoftwarePlatform) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = oneshot::channel();
    let shutdown = async { stopping.await.unwrap_or_default() };
    let source = Arc::new(SoftwareSource(platform));
    let stopped = tokio::spawn(collateral::serve(listener, source, shutdown));
    Server { address, stop, stopped }
}

struct SoftwareSource(SoftwarePlatform);

impl SoftwareSource {
    fn collateral(&self) -> sgx::Collateral {
        let subject = self.0.pck_subject();
        let issue = self.0.deployment().up_to_date(&subject, time(NOW));
        self.0.collateral(&issue).unwrap()
    }
}

impl PcsSource for SoftwareSource {
    fn pck_certificate(&self, question: &PckQuestion) -> Result<PckAnswer, PcsError> {
        let (subject, certificate) = (self.0.pck_subject(), self.0.pck_certificate());
        if question.qe_id != self.0.qe_id() {
            return Err(PcsError::UnknownPlatform);
        }
        if (question.cpu_svn, question.pce_svn) != (subject.cpu_svn, subject.pce_svn) {
            return Err(PcsError::NoCertificate);
        }
        Ok(PckAnswer {
            certificate: certificate.leaf().pem().to_owned(),
            issuer_chain: certificate.issuer_chain_pem().to_owned(),
            ca: PckCa::Platform,
            fmspc: subject.fmspc,
            cpu_svn: subject.cpu_svn,
            pce_svn: subject.pce_svn,
        })
    }

    fn pck_crl(&self, ca: PckCa) -> Result<PckCrl, PcsError> {
        let collateral = self.collateral();
        match ca {
            PckCa::Platform => Ok(PckCrl {
                crl: collateral.pck_crl,
                issuer_chain: collateral.pck_crl_issuer_chain,
            }),
            PckCa::Processor => Err(PcsError::NotFound),
        }
    }

    fn root_ca_crl(&self) -> Result<Vec<u8>, PcsError> {
        Ok(self.collateral().root_ca_crl)
    }

    fn tcb_info(&self, fmspc: [u8; 6], set: EvaluationSet) -> Result<SignedJson, PcsError> {
        let collateral = self.collateral();
        if fmspc != self.0.pck_subject().fmspc || matches!(set, EvaluationSet::Number(2..)) {
            return Err(PcsError::NotFound);
        }
        Ok(SignedJson {
            json: collateral.tcb_info,
            signature: collateral.tcb_info_signature,
            issuer_chain: collateral.tcb_info_issuer_chain,
        })
    }

    fn qe_identity(&self, set: EvaluationSet) -> Result<SignedJson, PcsError> {
        let collateral = self.collateral();
        match set {
            EvaluationSet::Standard | EvaluationSet::Number(1) => Ok(SignedJson {
                json: collateral.qe_identity,
                signature: collateral.qe_identity_signature,
                issuer_chain: collateral.qe_identity_issuer_chain,
            }),
            EvaluationSet::Number(_) => Err(PcsError::NotFound),
            EvaluationSet::Early => Err(PcsError::Failed("the secret reason".into())),
        }
    }
}

fn time(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}
