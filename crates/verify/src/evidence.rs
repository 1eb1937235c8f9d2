//! The verification of a quote with its collateral under one of several roots.
//!
//! The steps are those of Intel's verifier. A [`Memory`] has the outcome of those that do not
//! change from quote to quote; one signature check remains.

use std::sync::Arc;

use sgx::{Collateral, Quote, QuoteHeader, QuoteParseError};

use crate::checked_collateral::CheckedCollateral;
use crate::collateral::{CertifiedPck, Now, PckChain, embedded_chain};
use crate::failure::{At, Failure, Problem};
use crate::memory::{Certification, KeyId, Memory};
use crate::tcb_level::platform_level;
use crate::{
    ClaimedRoot, CollateralError, Examination, Step, TcbStatus, Tee, TrustedRoot, TrustedRoots,
    VerdictCode, attestation_key, quoting_enclave,
};

/// One verification: its inputs, and the memory of earlier ones.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub(crate) quote: &'a Quote,
    pub(crate) collateral: &'a Collateral,
    pub(crate) roots: &'a TrustedRoots,
    pub(crate) now: Now,
    pub(crate) memory: &'a Memory,
}

/// The root in the quote, and everything that the quote proves or the failure.
pub(crate) struct Outcome {
    pub(crate) claimed_root: Option<Arc<ClaimedRoot>>,
    pub(crate) result: Result<Examination, Failure>,
}

impl Evidence<'_> {
    /// Verifies the quote under one of the roots; else the failure is that at the latest step.
    pub(crate) fn examine(self) -> Outcome {
        let key = KeyId::of(self.quote, self.collateral);
        if let Some(outcome) = self.examine_remembered(&key) {
            return outcome;
        }
        let quoted = embedded_chain(self.quote).map(|chain| PckChain::parse(chain, self.roots));
        let given = self.collateral.pck_certificate_chain.as_ref();
        let given = given.map(|chain| PckChain::parse(chain.as_bytes(), self.roots));
        let chains = [quoted, given];
        let claimed = chains.each_ref().map(|chain| {
            let chain = chain.as_ref()?.as_ref().ok()?;
            Some(Arc::new(ClaimedRoot::of_chain(chain)))
        });
        let result = self.examine_chains(key, chains, &claimed);
        let [claimed_root, _] = claimed;
        Outcome { claimed_root, result }
    }

    /// By an attestation key and collateral that were checked before; `None` if one was not, or is
    /// not valid now.
    fn examine_remembered(self, key: &KeyId) -> Option<Outcome> {
        let Certification { root, claimed_root, pck } = self.memory.certification(key)?;
        let root = self.roots.iter().find(|trusted| trusted.sha256 == root)?;
        let collateral = self.remembered_collateral(root)?;
        if !pck.dates.include(self.now) || !collateral.pck_crl.is_by(&pck.ca) {
            return None;
        }
        let revocation = collateral.check_revocation(&pck).at(Step::PckCertificate);
        let result = revocation.and_then(|()| self.prove(root, collateral, pck));
        Some(Outcome { claimed_root, result })
    }

    /// By the chain in the quote and the one in the collateral, of which the latter counts if there
    /// are both.
    fn examine_chains(
        self,
        key: KeyId,
        chains: [Option<Result<PckChain, CollateralError>>; 2],
        claimed: &[Option<Arc<ClaimedRoot>>; 2],
    ) -> Result<Examination, Failure> {
        let [claimed_root, _] = claimed;
        let [quoted, given] = chains;
        if claimed.iter().all(Option::is_none) {
            let unreadable = quoted.or(given).and_then(Result::err).map(Problem::from);
            let problem = unreadable.unwrap_or_else(|| no_pck_certificate(self.quote));
            return Err(problem).at(Step::TrustedRoot);
        }
        let chain = given.or(quoted).ok_or_else(|| no_pck_certificate(self.quote));
        let chain = chain.at(Step::PckCertificate)?.at(Step::PckCertificate);
        let claimed: Vec<&ClaimedRoot> = claimed.iter().flatten().map(Arc::as_ref).collect();
        let is_claimed = |root: &TrustedRoot| claimed.iter().any(|claimed| claimed.is(root));
        let mut failures = Vec::new();
        for root in self.roots.iter().filter(|root| is_claimed(root)) {
            let proved = self.checked_collateral(root).and_then(|collateral| {
                let pck = self.certify(root, chain.as_ref(), &collateral)?;
                let (root_id, pck) = (root.sha256, Arc::new(pck));
                let claimed_root = claimed_root.clone();
                let certification = Certification { root: root_id, claimed_root, pck };
                self.memory.remember_certification(key, certification.clone());
                self.prove(root, collateral, certification.pck)
            });
            match proved {
                Ok(examination) => return Ok(examination),
                Err(failure) => failures.push(failure),
            }
        }
        // Of several editions of a root, that of the collateral knows better.
        let is_foreign = |failure: &Failure| failure.code == VerdictCode::ForeignCollateral;
        let furthest = failures.into_iter().max_by_key(|it| (it.step, !is_foreign(it)));
        Err(furthest.unwrap_or_else(|| untrusted(claimed_root.is_some(), &claimed, self.roots)))
    }

    /// The kind of TEE of the quote.
    fn tee(self) -> Tee {
        if self.quote.body.td().is_some() { Tee::Tdx } else { Tee::Sgx }
    }

    fn remembered_collateral(self, root: &TrustedRoot) -> Option<Arc<CheckedCollateral>> {
        let remembered = self.memory.collateral(root, self.collateral)?;
        let is_usable = remembered.tcb_info.tee == self.tee() && remembered.dates.include(self.now);
        is_usable.then_some(remembered)
    }

    fn checked_collateral(self, root: &TrustedRoot) -> Result<Arc<CheckedCollateral>, Failure> {
        if let Some(remembered) = self.remembered_collateral(root) {
            return Ok(remembered);
        }
        let checked = CheckedCollateral::check(self.collateral, self.tee(), root, self.now)?;
        let checked = Arc::new(checked);
        self.memory.remember_collateral(root, self.collateral, &checked);
        Ok(checked)
    }

    /// Checks that the PCK certificate leads to the root and is not revoked, and that the PCK
    /// certifies the attestation key.
    fn certify(
        self,
        root: &TrustedRoot,
        chain: Result<&PckChain, &Failure>,
        collateral: &CheckedCollateral,
    ) -> Result<CertifiedPck, Failure> {
        let chain = chain.map_err(Failure::clone)?;
        let pck = CertifiedPck::check(chain, &collateral.pck_crl, root, self.now);
        let pck = pck.at(Step::PckCertificate)?;
        collateral.check_revocation(&pck).at(Step::PckCertificate)?;
        attestation_key::check_qe_report(self.quote, &chain.key).at(Step::QeReportSignature)?;
        attestation_key::check(self.quote).at(Step::AttestationKey)?;
        Ok(pck)
    }

    /// The checks that each quote needs.
    fn prove(
        self,
        root: &TrustedRoot,
        collateral: Arc<CheckedCollateral>,
        pck: Arc<CertifiedPck>,
    ) -> Result<Examination, Failure> {
        let qe_report = &self.quote.signature.qe_report;
        let qe = quoting_enclave::check(qe_report, &collateral.qe_identity).at(Step::QeMatch)?;
        attestation_key::check_quote(self.quote).at(Step::QuoteSignature)?;
        let extension = &pck.certificate.extension;
        let level = platform_level(self.quote, &collateral.tcb_info, extension);
        let level = level.at(Step::TcbLevel)?;
        if qe.status == TcbStatus::Revoked {
            let reason = "the Quoting Enclave's security version is revoked";
            return Err(Problem::new(VerdictCode::TcbRevoked, reason)).at(Step::TcbLevel);
        }
        let body = self.quote.body.clone();
        Ok(Examination::new(body, &level, &qe.clone(), root, collateral, pck))
    }
}

/// Checks that the certificates in the quote, if any, lead to a trusted root. Needs no collateral.
pub(crate) fn check_root(quote: &Quote, roots: &TrustedRoots) -> Result<(), Failure> {
    match ClaimedRoot::of_quote(quote) {
        Some(claimed) if !roots.iter().any(|root| claimed.is(root)) => {
            Err(untrusted(true, &[&claimed], roots))
        }
        _ => Ok(()),
    }
}

/// Reads a quote of a supported kind, which may be padded with zeros.
pub(crate) fn parse(quote: &[u8]) -> Result<Quote, Failure> {
    supported(Quote::parse_padded(quote)).at(Step::QuoteFormat)
}

/// Reads a quote of a supported kind from the beginning of a buffer.
pub(crate) fn parse_prefix(buffer: &[u8]) -> Result<Quote, Failure> {
    supported(Quote::parse_prefix(buffer).map(|(quote, _)| quote)).at(Step::QuoteFormat)
}

fn supported(quote: Result<Quote, QuoteParseError>) -> Result<Quote, Problem> {
    let unsupported = |reason: String| Problem::new(VerdictCode::UnsupportedQuote, reason);
    let quote = quote.map_err(|error| match error {
        QuoteParseError::Epid(_)
        | QuoteParseError::AttestationKeyType(_)
        | QuoteParseError::TeeType(_) => unsupported(error.to_string()),
        QuoteParseError::Version(_) => {
            Problem::new(VerdictCode::NotAQuote, format!("not a quote: {error}"))
        }
        _ => Problem::new(VerdictCode::NotAQuote, format!("not a complete quote: {error}")),
    })?;
    if quote.header.qe_vendor_id != QuoteHeader::INTEL_QE_VENDOR_ID {
        let vendor = hex::encode(quote.header.qe_vendor_id);
        return Err(unsupported(format!("QE vendor {vendor} is not supported")));
    }
    match (quote.header.version.get(), quote.header.tee_type.get()) {
        (QuoteHeader::VERSION, QuoteHeader::SGX) | (4 | 5, QuoteHeader::TDX) => Ok(quote),
        (QuoteHeader::VERSION, other) => {
            Err(unsupported(format!("TEE type {other:#x} is not that of SGX (0)")))
        }
        (version, _) => Err(unsupported(format!(
            "this is an SGX quote of version {version}; SGX quotes of version 3 alone can be \
             verified"
        ))),
    }
}

/// The problem that neither quote nor collateral has a PCK certificate.
fn no_pck_certificate(quote: &Quote) -> Problem {
    let carried = quote.signature.certification_data.data_type;
    let reason = format!(
        "there is no PCK certificate: the quote has certification data of type {carried}, and the \
         collateral has no pck_certificate_chain"
    );
    Problem::new(VerdictCode::NoPckCertificate, reason)
}

/// The failure that no claimed root is trusted. A quote is not refused for the root of certificates
/// in the collateral.
fn untrusted(is_quoted: bool, claimed: &[&ClaimedRoot], roots: &TrustedRoots) -> Failure {
    let named =
        |root: &TrustedRoot| format!("\"{}\", SHA-256 {}", root.subject, hex::encode(root.sha256));
    let trusted: Vec<String> = roots.iter().map(named).collect();
    let (code, what) = match is_quoted {
        true => (VerdictCode::UntrustedRoot, "the quote"),
        false => (VerdictCode::ForeignCollateral, "the PCK certificate in the collateral"),
    };
    // The root of the quote itself comes first.
    let claimed = claimed.first().map(ToString::to_string).unwrap_or_default();
    let reason =
        format!("{what} leads to {claimed}, which is not trusted; trusted: {}", trusted.join("; "));
    Failure { step: Step::TrustedRoot, code, reason, is_of_crl: false }
}
