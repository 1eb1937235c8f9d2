//! What a verdict on a quote rests on besides the quote: a trusted root, and collateral.

mod collateral_file;
mod supply;

use std::path::PathBuf;

use clap::Args;
use collateral::settings::{Origin, Settings};
use sgx::Collateral;
use verify::TrustedRoots;

pub(crate) use self::collateral_file::write_bundle;
pub(crate) use self::supply::CollateralSupply;
use crate::sources::Sources;

/// The sources of collateral and trusted root.
#[derive(Debug, Default, Args)]
pub(crate) struct Endorsements {
    /// Verifies with the collateral in this file: a bundle, as `collateral export` and `verify
    /// --save-collateral` write it, or JSON, as `platform collateral` and dcap-qvl write it.
    #[arg(long, value_name = "FILE", conflicts_with = "sources")]
    pub(crate) collateral: Option<PathBuf>,

    /// The directory with the cache of collateral [default: /var/cache/quote-helper/collateral for
    /// root, else $XDG_CACHE_HOME/quote-helper/collateral] [env:
    /// QUOTE_HELPER_COLLATERAL_CACHE_DIR]. With --source, the cache is used only if this option is
    /// given.
    #[arg(long, value_name = "PATH")]
    cache_dir: Option<PathBuf>,

    #[command(flatten)]
    sources: Sources,
}

impl Endorsements {
    /// True if the command line says anything about them.
    pub(crate) fn are_named(&self) -> bool {
        self.collateral.is_some() || self.sources.are_named() || self.sources.have_trusted_root()
    }

    /// The collateral of the file; or as the sources of the command line have it now, unchecked; or
    /// from the cache of this machine and its sources.
    pub(crate) fn open(&self) -> anyhow::Result<CollateralSupply> {
        if let Some(path) = &self.collateral {
            return CollateralSupply::of_file(path);
        }
        let settings = self.settings()?;
        match self.sources.are_named() && self.cache_dir.is_none() {
            true => CollateralSupply::of_sources(&settings),
            false => CollateralSupply::of_cache(settings),
        }
    }

    /// The collateral for `quote`, as the file, the command line or the variables have it now;
    /// `None` if none of these names a source.
    pub(crate) fn named_collateral(&self, quote: &[u8]) -> Option<anyhow::Result<Collateral>> {
        let supply = match self.are_named() {
            true => self.open(),
            false => match self.settings() {
                Ok(settings) if matches!(settings.origin, Origin::Variables(_)) => {
                    CollateralSupply::of_sources(&settings)
                }
                Ok(_) => return None,
                Err(error) => Err(error),
            },
        };
        Some(supply.and_then(|mut supply| supply.for_quote(quote)))
    }

    /// The root certificate to trust.
    pub(crate) fn trusted_roots(&self) -> anyhow::Result<TrustedRoots> {
        self.sources.trusted_roots()
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        Ok(self.sources.settings(self.cache_dir.clone())?)
    }
}
