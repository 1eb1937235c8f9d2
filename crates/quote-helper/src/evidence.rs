//! What a verdict on a quote rests on besides the quote: a trusted root, and collateral.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use sgx::Collateral;
use verify::TrustedRoots;

use crate::files;

/// Where the collateral comes from.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct CollateralSource {
    /// Verifies with the collateral of this JSON file, as `platform collateral` and dcap-qvl write it.
    #[arg(long, value_name = "FILE")]
    pub(crate) collateral: Option<PathBuf>,

    /// Verifies with collateral from this PCCS, for instance https://localhost:8081.
    #[arg(long, value_name = "URL", env = "QUOTE_HELPER_PCCS")]
    pub(crate) pccs: Option<String>,
}

impl CollateralSource {
    /// The collateral for `quote`; `None` where there is no source.
    pub(crate) fn load(&self, quote: &[u8]) -> Option<anyhow::Result<Collateral>> {
        match (&self.collateral, &self.pccs) {
            (Some(path), _) => Some(read(path)),
            (None, Some(url)) => Some(collateral::fetch(url, quote).map_err(Into::into)),
            (None, None) => None,
        }
    }
}

/// The root certificate in this file, PEM or DER; without a file Intel's.
pub(crate) fn trusted_roots(path: Option<&Path>) -> anyhow::Result<TrustedRoots> {
    match path {
        Some(path) => TrustedRoots::parse(&files::read(path)?)
            .with_context(|| format!("cannot trust {}", path.display())),
        None => Ok(TrustedRoots::intel()),
    }
}

fn read(path: &Path) -> anyhow::Result<Collateral> {
    serde_json::from_slice(&files::read(path)?)
        .with_context(|| format!("{} holds no collateral", path.display()))
}
