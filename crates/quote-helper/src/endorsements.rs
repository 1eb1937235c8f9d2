//! What a verdict on a quote rests on besides the quote: a trusted root, and collateral.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use collateral::settings::{Machine, OwnSettings, ServiceUrl, Settings};
use collateral::{Cache, Item, Notice};
use sgx::Collateral;
use verify::TrustedRoots;

use crate::files;
use crate::output;

/// Where the collateral comes from.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct CollateralSource {
    /// Verifies with the collateral of this JSON file, as `platform collateral` and dcap-qvl write it.
    #[arg(long, value_name = "FILE")]
    pub(crate) collateral: Option<PathBuf>,

    /// Verifies with collateral from this PCCS, for instance https://localhost:8081.
    #[arg(long, value_name = "URL", env = "QUOTE_HELPER_PCCS", value_parser = ServiceUrl::parse)]
    pub(crate) pccs: Option<ServiceUrl>,
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

/// The collateral that is in the cache of this machine, or that its sources have; it is of this root, or else Intel's.
pub(crate) fn collateral_of_this_machine(
    quote: &[u8],
    trusted_root: Option<&Path>,
) -> anyhow::Result<Collateral> {
    let trusted_root = trusted_root.map(Path::to_owned);
    let flags = OwnSettings { trusted_root, ..OwnSettings::default() };
    let settings = Settings::choose(flags, &Machine::this())?;
    let cache = Cache::open(&settings, Box::new(tell))?;
    let get = |item: &Item| cache.get(item).map(|record| record.document.clone());
    Ok(collateral::for_quote(quote, settings.evaluation, get)?)
}

fn tell(notice: &Notice) {
    if !matches!(notice, Notice::Fetched(_)) {
        output::note(notice);
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
