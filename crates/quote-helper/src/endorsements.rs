//! Options for the inputs of a verification besides the quote: the trusted root, and collateral.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use collateral::settings::{Origin, Settings};
use collateral::{CollateralProvider, Event};
use parking_lot::Mutex;
use sgx::Collateral;
use verify::TrustedRoots;

use crate::sources::Sources;
use crate::{files, output};

/// The largest file with collateral, in bytes: that of some thousand platforms.
const MAX_SIZE: u64 = 64 * 1024 * 1024;

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
    /// True if the command line names collateral, a source or a trusted root.
    pub(crate) fn are_named(&self) -> bool {
        self.collateral.is_some() || self.sources.are_named() || self.sources.have_trusted_root()
    }

    /// The collateral of the file; or of the sources on the command line, unchecked; or of the
    /// cache of this machine and its sources.
    pub(crate) fn open(&self) -> anyhow::Result<CollateralProvider> {
        if let Some(path) = &self.collateral {
            return CollateralProvider::of_file(&files::read_limited(path, MAX_SIZE)?)
                .with_context(|| format!("cannot use {}", files::Input(path)));
        }
        let settings = self.settings()?;
        Ok(match self.sources.are_named() && self.cache_dir.is_none() {
            true => CollateralProvider::of_sources(&settings)?,
            false => CollateralProvider::of_cache(settings, Box::new(note_once()))?,
        })
    }

    /// The collateral for `quote` from the file, or from the sources of the command line or the
    /// variables; `None` if none of these names a source.
    pub(crate) fn named_collateral(&self, quote: &[u8]) -> Option<anyhow::Result<Collateral>> {
        let provider = match self.are_named() {
            true => self.open(),
            false => match self.settings() {
                Ok(settings) if matches!(settings.origin, Origin::Variables(_)) => {
                    CollateralProvider::of_sources(&settings).map_err(Into::into)
                }
                Ok(_) => return None,
                Err(error) => Err(error),
            },
        };
        Some(provider.and_then(|mut provider| for_quote(&mut provider, quote)))
    }

    pub(crate) fn trusted_roots(&self) -> anyhow::Result<TrustedRoots> {
        self.sources.trusted_roots()
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        Ok(self.sources.settings(self.cache_dir.clone())?)
    }
}

pub(crate) fn for_quote(
    provider: &mut CollateralProvider,
    quote: &[u8],
) -> anyhow::Result<Collateral> {
    provider.for_quote(quote).map_err(|error| anyhow!("{error}"))
}

/// Notes problems of the cache; one that concerns several items only once.
fn note_once() -> impl Fn(&Event) {
    let last = Mutex::new(String::new());
    move |event| {
        let message = event.to_string();
        let mut last = last.lock();
        if !matches!(event, Event::Fetched(_)) && *last != message {
            output::note(&message);
            *last = message;
        }
    }
}
