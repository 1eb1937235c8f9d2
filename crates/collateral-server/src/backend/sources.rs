//! Opens the cache and the sources that the settings name.

use std::sync::Arc;

use collateral::settings::{Settings, SourceSettings};
use collateral::{Cache, CacheDirectory, Fetcher, OpenError, PcsKind, PcsSource, Source};

use super::counted_source::CountedSource;
use super::pck::{PckBackend, PckSources, SourcesByAuthority};
use super::pck_list_source::PckListSource;
use super::pck_lists::PckLists;
use super::rate_limits::RateLimits;
use crate::metrics::Metrics;
use crate::mode::Mode;
use crate::platform_store::{Authority, PlatformStore};
use crate::refresh::log_event;

/// The cache of collateral, with its sources.
pub(super) fn cache(
    mode: Mode,
    settings: &Settings,
    metrics: &Metrics,
) -> Result<Cache, OpenError> {
    let sources = allowed(mode, settings).map(|source| counted(source, metrics));
    let fetcher = Fetcher::open_with(sources.collect::<Result<_, _>>()?, settings)?;
    let directory = settings.cache.directory.as_ref();
    let directory = directory.map(|path| CacheDirectory::new(path, settings.cache.max_size));
    Ok(Cache::new(fetcher, directory, settings.into(), Box::new(log_event)))
}

/// The backend of PCK certificates.
pub(super) fn pck(
    mode: Mode,
    settings: &Settings,
    metrics: &Metrics,
    cache: &Arc<Cache>,
    store: &Arc<PlatformStore>,
    rate_limits: &Arc<RateLimits>,
) -> Result<PckBackend, OpenError> {
    let lists = Arc::new(PckLists::new(mode, Arc::clone(cache), Arc::clone(store)));
    let sources = |authority| pck_sources(mode, settings, metrics, &lists, authority);
    let anyone = sources(Authority::Anyone)?;
    let (refresh, user) = (sources(Authority::Refresh)?, sources(Authority::User)?);
    let all = SourcesByAuthority { anyone, refresh, user };
    Ok(PckBackend::new(mode, all, lists, Arc::clone(store), Arc::clone(rate_limits)))
}

/// The sources for one authority: Intel's PCS for lists, others for single certificates. Each
/// authority has its own, so that a source that backs off after requests without a token still
/// serves token holders.
fn pck_sources(
    mode: Mode,
    settings: &Settings,
    metrics: &Metrics,
    lists: &Arc<PckLists>,
    authority: Authority,
) -> Result<PckSources, OpenError> {
    let (mut sources, mut with_lists): (Vec<Box<dyn Source>>, Vec<_>) = (Vec::new(), Vec::new());
    for source in allowed(mode, settings) {
        match source {
            SourceSettings::Service(service) if service.kind == PcsKind::Pcs => {
                let pcs = PcsSource::open(service.clone())?;
                let source = PckListSource::new(pcs, metrics.clone(), Arc::clone(lists), authority);
                with_lists.push(source.clone());
                sources.push(Box::new(source));
            }
            other => sources.push(counted(other, metrics)?),
        }
    }
    Ok(PckSources { fetcher: Fetcher::open_with(sources, settings)?, with_lists })
}

fn allowed(mode: Mode, settings: &Settings) -> impl Iterator<Item = &SourceSettings> {
    settings.sources.iter().filter(move |_| mode.may_fetch())
}

fn counted(settings: &SourceSettings, metrics: &Metrics) -> Result<Box<dyn Source>, OpenError> {
    Ok(Box::new(CountedSource::new(settings.open()?, metrics.clone())))
}
