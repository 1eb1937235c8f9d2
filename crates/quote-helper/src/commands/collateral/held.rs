//! The cache, and what it has to say meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use collateral::settings::Settings;
use collateral::{Cache, Event, Record};
use parking_lot::{Mutex, MutexGuard};
use private_directory::quoted;

use super::messages::Messages;
use crate::sources::Sources;

/// The options of `collateral fetch` for a cache that has nothing yet.
pub(super) const FETCHED: &str = "--quote FILE";

/// Where things are kept, and where they come from.
#[derive(Debug, Args)]
pub(super) struct HeldArguments {
    /// The directory of the cache of collateral [default: /var/cache/quote-helper/collateral for
    /// root and the owner of /var/cache/quote-helper, else
    /// $XDG_CACHE_HOME/quote-helper/collateral].
    #[arg(long, value_name = "PATH")]
    cache_dir: Option<PathBuf>,

    #[command(flatten, next_help_heading = "Options for sources")]
    sources: Sources,
}

/// The cache in its directory.
pub(super) struct Held {
    pub(super) cache: Cache,
    pub(super) settings: Settings,
    notices: Arc<Mutex<Noticed>>,
    /// The options with which it was opened, as words of a command.
    options: String,
}

/// What kept nobody from an answer.
#[derive(Default)]
struct Noticed {
    unusable: Messages,
    not_kept: Messages,
}

impl HeldArguments {
    /// The options that were given, as words of a command.
    fn given(&self) -> String {
        let cache_dir = self.cache_dir.as_deref().map(|path| ("--cache-dir", quoted(path)));
        let options = cache_dir.into_iter().chain(self.sources.given_options());
        options.map(|(option, value)| format!("{option} {value}")).collect::<Vec<_>>().join(" ")
    }
}

impl Held {
    /// Opens it. Nothing is asked or written yet.
    pub(super) fn open(arguments: &HeldArguments) -> anyhow::Result<Self> {
        let settings = arguments.sources.settings(arguments.cache_dir.clone())?;
        let notices: Arc<Mutex<Noticed>> = Arc::default();
        let noticed = Arc::clone(&notices);
        let cache = Cache::open(&settings, Box::new(move |notice| lock(&noticed).add(notice)))?;
        let held = Self { cache, settings, notices, options: arguments.given() };
        held.directory()?;
        Ok(held)
    }

    /// Where things are kept.
    pub(super) fn directory(&self) -> anyhow::Result<&Path> {
        let directory = self.settings.cache.directory.as_deref();
        directory.context(
            "there is no place for the cache, since HOME is not set; pass --cache-dir PATH",
        )
    }

    /// Checks that this user may keep something here, so that this is said once and not for each
    /// item.
    pub(super) fn check_place(&self) -> anyhow::Result<()> {
        Ok(private_directory::check_place(self.directory()?)?)
    }

    /// The command that fetches into this cache with these settings, for a message: as the user
    /// whom it belongs to.
    pub(super) fn fetch_command(&self, options: &str) -> String {
        let owner = self.directory().ok().and_then(private_directory::other_owner);
        let prefix = owner.map(|owner| format!("{} ", owner.command_prefix()));
        let command =
            format!("{}quote-helper collateral fetch {options}", prefix.unwrap_or_default());
        format!("{} {}", command.trim_end(), self.options).trim_end().to_owned()
    }

    /// All that is kept and can be used, by name.
    pub(super) fn records(&self) -> anyhow::Result<Vec<Record>> {
        let directory = self.directory()?.display();
        let mut records =
            self.cache.records().with_context(|| format!("cannot read the cache {directory}"))?;
        records.sort_by_cached_key(|record| record.item.to_string());
        Ok(records)
    }

    /// What is in the cache and could not be used, in words, since this was last asked.
    pub(super) fn take_unusable(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.notices).unusable).into()
    }

    /// What could not be written, in words, since this was last asked.
    pub(super) fn take_not_kept(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.notices).not_kept).into()
    }
}

impl Noticed {
    fn add(&mut self, notice: &Event) {
        match notice {
            Event::Unusable(reason) => self.unusable.push(reason),
            Event::NotStored(_) | Event::OtherPlatform(_) => {
                self.not_kept.push(&notice.to_string());
            }
            Event::Fetched(_) | Event::Expired(_) => {}
        }
    }
}

/// No panic happens while the lock is held.
fn lock(notices: &Mutex<Noticed>) -> MutexGuard<'_, Noticed> {
    notices.lock()
}
