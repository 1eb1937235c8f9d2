//! The inputs of the verification of the peer's quote: a trusted root, and collateral.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use collateral::settings::ServiceUrl;
use collateral::{QuoteCollateralError, ServiceError, SourceError};
use remote_attestation::{Offer, Verifier};
use sgx::Collateral;
use verify::{TrustedRoot, TrustedRoots, Verdict};

use crate::arguments::EvidenceArguments;
use crate::output;
use crate::wait::retry;

/// The minimum time for an attempt to fetch collateral.
const MIN_TIMEOUT: Duration = Duration::from_secs(1);

/// A trusted root, and the source of collateral.
pub(crate) struct Evidence {
    roots: TrustedRoots,
    source: Source,
    /// Made for the first offer, since collateral is fetched for a quote, and kept: it is valid for
    /// weeks, and the peer stays on its machine.
    verifier: Option<Verifier>,
}

enum Source {
    File(PathBuf),
    Pccs { url: ServiceUrl, patience: Duration },
}

impl Evidence {
    /// Reads the requested root, and warns if it is not Intel's. Without a request it is Intel's,
    /// whatever files exist: the right to write files or a ConfigMap must not imply trust.
    pub(crate) fn load(arguments: &EvidenceArguments, patience: Duration) -> anyhow::Result<Self> {
        let paths = &arguments.trusted_root;
        let roots = match paths.iter().find(|path| path.exists()).or(paths.first()) {
            Some(path) => trusted_roots(path)?,
            None => TrustedRoots::intel(),
        };
        let source = match &arguments.collateral {
            Some(path) => Source::File(path.clone()),
            None => Source::Pccs { url: arguments.pccs.clone(), patience },
        };
        Ok(Self { roots, source, verifier: None })
    }

    /// Verifies the offer of the enclave with this code.
    pub(crate) fn verify(&mut self, offer: &Offer, code: &str) -> anyhow::Result<Verdict> {
        let verifier = match self.verifier.take() {
            Some(verifier) => verifier,
            None => Verifier {
                roots: self.roots.clone(),
                collateral: self.source.collateral(&offer.quote)?,
            },
        };
        Ok(self.verifier.insert(verifier).verify(offer, code))
    }
}

impl Source {
    fn collateral(&self, quote: &[u8]) -> anyhow::Result<Collateral> {
        match self {
            Self::File(path) => serde_json::from_slice(&read(path)?)
                .with_context(|| format!("{} holds no collateral", path.display())),
            Self::Pccs { url, patience } => {
                let (subject, begin) = (format!("collateral from {url}"), Instant::now());
                let left = || patience.saturating_sub(begin.elapsed()).max(MIN_TIMEOUT);
                let attempt = || collateral::fetch(url, quote, left());
                let fetched = retry(subject, *patience, attempt, is_transient);
                fetched.map_err(|error| match is_transient(&error) {
                    true => anyhow::Error::from(error)
                        .context(format!("no collateral from {url} within {patience:?}")),
                    false => error.into(),
                })
            }
        }
    }
}

/// True if the PCCS may still be starting: its name is not known yet, nobody listens there, or it
/// answers with a failure of its own.
fn is_transient(error: &QuoteCollateralError<ServiceError>) -> bool {
    let QuoteCollateralError::Item(ServiceError { reason, .. }) = error else { return false };
    matches!(
        reason,
        SourceError::Unreachable(_)
            | SourceError::Timeout
            | SourceError::Busy { .. }
            | SourceError::Status(500..)
    )
}

fn trusted_roots(path: &Path) -> anyhow::Result<TrustedRoots> {
    let pem = read(path).context("the requested trusted root is missing")?;
    let roots =
        TrustedRoots::parse(&pem).with_context(|| format!("cannot trust {}", path.display()))?;
    let intel = TrustedRoots::intel();
    let is_intels = |root: &TrustedRoot| intel.iter().any(|intels| intels.sha256 == root.sha256);
    for root in roots.iter().filter(|root| !is_intels(root)) {
        output::note(format_args!(
            "INSECURE: trusting \"{}\" of {}, which is not Intel's root: a quote under it says nothing \
             about genuine SGX",
            root.subject,
            path.display()
        ));
    }
    Ok(roots)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
