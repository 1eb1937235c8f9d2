//! What a verdict on a quote rests on besides the quote: a trusted root, and collateral.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use collateral::settings::{Origin, Settings};
use collateral::{Cache, Item, Notice};
use sgx::Collateral;
use verify::TrustedRoots;

use crate::files;
use crate::output;
use crate::sources::Sources;

/// Where the collateral and the trusted root come from.
#[derive(Debug, Default, Args)]
pub(crate) struct Endorsements {
    /// Verifies with the collateral of this JSON file, as `platform collateral` and dcap-qvl write it.
    #[arg(long, value_name = "FILE", conflicts_with = "sources")]
    pub(crate) collateral: Option<PathBuf>,

    /// The directory with the cache of collateral [default: /var/cache/quote-helper/collateral for
    /// root, else $XDG_CACHE_HOME/quote-helper/collateral]
    /// [env: QUOTE_HELPER_COLLATERAL_CACHE_DIR]. With --source, the cache is used only if this option
    /// is given.
    #[arg(long, value_name = "PATH")]
    cache_dir: Option<PathBuf>,

    #[command(flatten)]
    sources: Sources,
}

impl Endorsements {
    /// Whether the command line says anything about them.
    pub(crate) fn are_named(&self) -> bool {
        self.collateral.is_some() || self.sources.are_named() || self.sources.have_trusted_root()
    }

    /// The collateral for `quote`: that of the file; or as the sources of the command line have it
    /// now, unchecked; or from the cache of this machine and its sources.
    pub(crate) fn collateral(&self, quote: &[u8]) -> anyhow::Result<Collateral> {
        if let Some(path) = &self.collateral {
            return read(path);
        }
        let settings = self.settings()?;
        if self.sources.are_named() && self.cache_dir.is_none() {
            return fetch_now(&settings, quote);
        }
        let cache = Cache::open(&settings, Box::new(tell))?;
        let get = |item: &Item| cache.get(item).map(|record| record.document.clone());
        Ok(collateral::for_quote(quote, settings.evaluation, get)?)
    }

    /// The collateral for `quote`, as the file, the command line or the variables have it now;
    /// `None` if none of these names a source.
    pub(crate) fn named_collateral(&self, quote: &[u8]) -> Option<anyhow::Result<Collateral>> {
        if self.are_named() {
            return Some(self.collateral(quote));
        }
        match self.settings() {
            Ok(settings) if matches!(settings.origin, Origin::Variables(_)) => {
                Some(fetch_now(&settings, quote))
            }
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// The root certificate to trust.
    pub(crate) fn trusted_roots(&self) -> anyhow::Result<TrustedRoots> {
        self.sources.trusted_roots()
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        Ok(self.sources.settings(self.cache_dir.clone())?)
    }
}

/// Asks the sources, and keeps nothing.
fn fetch_now(settings: &Settings, quote: &[u8]) -> anyhow::Result<Collateral> {
    let sources =
        settings.sources.iter().map(|source| source.open()).collect::<Result<Vec<_>, _>>()?;
    Ok(collateral::fetch_from(&sources, settings.evaluation, quote)?)
}

fn tell(notice: &Notice) {
    if !matches!(notice, Notice::Fetched(_)) {
        output::note(notice);
    }
}

fn read(path: &Path) -> anyhow::Result<Collateral> {
    serde_json::from_slice(&files::read(path)?)
        .with_context(|| format!("{} holds no collateral", files::Input(path)))
}
