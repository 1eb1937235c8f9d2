//! The proof that a canary quote is good.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use anyhow::{Context, anyhow};
use collateral::{Source, TcbUpdate};
use collateral_server::SoftwareCollateral;
use software_platform::SoftwarePlatform;
use verify::{Policy, TrustedRoots};

/// The check of a canary quote.
#[derive(Clone)]
pub(in super::super) enum Proof {
    /// Real SGX: its QE refuses the REPORT of a software enclave, and so shows that it is there.
    Answers,
    /// The software platform: the quote is verified, with the platform's own root and collateral.
    Verifies { roots: TrustedRoots, collateral: Arc<SoftwareCollateral> },
}

impl Proof {
    /// The proof of the software platform, whose root does not change with its TCB.
    pub(in super::super) fn of_software(
        platform: &SoftwarePlatform,
        collateral: Arc<SoftwareCollateral>,
    ) -> anyhow::Result<Self> {
        let roots = TrustedRoots::parse(platform.root_certificate().der())
            .context("the root of the software platform is unusable")?;
        Ok(Self::Verifies { roots, collateral })
    }

    /// Describes the proof of a quote. Takes milliseconds.
    pub(in super::super) fn of(&self, quote: &[u8]) -> anyhow::Result<String> {
        match self {
            Self::Answers => Ok("a quote was made".to_owned()),
            Self::Verifies { roots, collateral } => verify(quote, roots, collateral),
        }
    }
}

/// Accepts every TCB status: a genuine quote is all that the service can promise.
fn verify(
    quote: &[u8],
    roots: &TrustedRoots,
    source: &SoftwareCollateral,
) -> anyhow::Result<String> {
    let get = |item: &_| source.fetch(item, Instant::now());
    let collateral = collateral::for_quote(quote, TcbUpdate::Standard, get)
        .context("there is no collateral for the canary quote")?;
    let verdict = verify::verify(quote, &collateral, roots, SystemTime::now(), &Policy::default());
    match verdict.attested {
        Some(attested) => Ok(format!(
            "INSECURE software platform: a quote was verified, TCB status {}",
            attested.tcb.status
        )),
        None => {
            let reason = verdict.reason.unwrap_or_default();
            Err(anyhow!("the canary quote is not valid: {reason}"))
        }
    }
}
