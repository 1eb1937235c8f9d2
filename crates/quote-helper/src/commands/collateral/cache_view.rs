//! The cache for the commands, with the problems that it reports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use collateral::settings::Settings;
use collateral::{Cache, Event, Record};
use parking_lot::Mutex;
use private_directory::quoted;

use super::messages::Messages;
use crate::sources::Sources;

/// The options of `collateral fetch` for an empty cache.
pub(super) const FETCH_OPTIONS: &str = "--quote FILE";

/// The options for the cache and its sources.
#[derive(Debug, Args)]
pub(super) struct CacheArguments {
    /// The directory of the cache of collateral [default: /var/cache/quote-helper/collateral for
    /// root and the owner of /var/cache/quote-helper, else
    /// $XDG_CACHE_HOME/quote-helper/collateral].
    #[arg(long, value_name = "PATH")]
    cache_dir: Option<PathBuf>,

    #[command(flatten, next_help_heading = "Options for sources")]
    sources: Sources,
}

/// The cache, its settings, and its problems since they were last taken.
pub(super) struct CacheView {
    pub(super) cache: Cache,
    pub(super) settings: Settings,
    problems: Arc<Mutex<Problems>>,
    /// The options with which it was opened, as shell words.
    options: String,
}

/// Problems that did not fail a request.
#[derive(Default)]
struct Problems {
    unusable: Messages,
    not_kept: Messages,
}

impl CacheArguments {
    /// The options that were given, as shell words.
    fn given(&self) -> String {
        let cache_dir = self.cache_dir.as_deref().map(|path| ("--cache-dir", quoted(path)));
        let options = cache_dir.into_iter().chain(self.sources.given_options());
        options.map(|(option, value)| format!("{option} {value}")).collect::<Vec<_>>().join(" ")
    }
}

impl CacheView {
    /// Opens the cache, without a request or a write.
    pub(super) fn open(arguments: &CacheArguments) -> anyhow::Result<Self> {
        let settings = arguments.sources.settings(arguments.cache_dir.clone())?;
        let problems: Arc<Mutex<Problems>> = Arc::default();
        let shared = Arc::clone(&problems);
        let cache = Cache::open(&settings, Box::new(move |event| shared.lock().add(event)))?;
        let view = Self { cache, settings, problems, options: arguments.given() };
        view.directory()?;
        Ok(view)
    }

    /// The directory of the cache.
    pub(super) fn directory(&self) -> anyhow::Result<&Path> {
        let directory = self.settings.cache.directory.as_deref();
        directory.context(
            "there is no directory for the cache, since HOME is not set; pass --cache-dir PATH",
        )
    }

    /// Checks that this user may write here, so that there is one error and not one for each item.
    pub(super) fn check_place(&self) -> anyhow::Result<()> {
        Ok(private_directory::check_place(self.directory()?)?)
    }

    /// The command that fetches into this cache with these settings, as the cache's owner.
    pub(super) fn fetch_command(&self, options: &str) -> String {
        let owner = self.directory().ok().and_then(private_directory::other_owner);
        let prefix = owner.map(|owner| format!("{} ", owner.command_prefix()));
        let command =
            format!("{}quote-helper collateral fetch {options}", prefix.unwrap_or_default());
        format!("{} {}", command.trim_end(), self.options).trim_end().to_owned()
    }

    /// All usable records, sorted by name.
    pub(super) fn records(&self) -> anyhow::Result<Vec<Record>> {
        let directory = self.directory()?.display();
        let mut records =
            self.cache.records().with_context(|| format!("cannot read the cache {directory}"))?;
        records.sort_by_cached_key(|record| record.item.to_string());
        Ok(records)
    }

    /// Takes the messages about unusable files.
    pub(super) fn take_unusable(&self) -> Vec<String> {
        std::mem::take(&mut self.problems.lock().unusable).into()
    }

    /// Takes the messages about failed writes.
    pub(super) fn take_not_kept(&self) -> Vec<String> {
        std::mem::take(&mut self.problems.lock().not_kept).into()
    }
}

impl Problems {
    fn add(&mut self, event: &Event) {
        match event {
            Event::Unusable(reason) => self.unusable.push(reason),
            Event::NotStored(_) | Event::OtherPlatform(_) => {
                self.not_kept.push(&event.to_string());
            }
            Event::Fetched(_) | Event::Expired(_) => {}
        }
    }
}
