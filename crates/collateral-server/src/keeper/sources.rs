//! From settings to sources.

use std::sync::Arc;

use collateral::settings::{Settings, SourceSettings};
use collateral::{Cache, CacheDirectory, Fetcher, OpenError, PcsKind, PcsSource, Source};

use super::allowance::Allowance;
use super::list_source::ListSource;
use super::pck::{AllPckSources, PckKeeper, PckSources};
use super::pck_lists::PckLists;
use crate::metrics::{CountedSource, Metrics};
use crate::mode::Mode;
use crate::platform_store::{Authority, PlatformStore};
use crate::upkeep::log_notice;

/// The cache for collateral, with the sources that may be asked for it.
pub(super) fn cache(
    mode: Mode,
    settings: &Settings,
    metrics: &Metrics,
) -> Result<Cache, OpenError> {
    let sources = asked(mode, settings).map(|source| counted(source, metrics));
    let fetcher = Fetcher::open_with(sources.collect::<Result<_, _>>()?, settings)?;
    let directory = settings.cache.directory.as_ref();
    let directory = directory.map(|path| CacheDirectory::new(path, settings.cache.max_size));
    Ok(Cache::new(fetcher, directory, settings.into(), Box::new(log_notice)))
}

/// PCK certificates: Intel's PCS is asked for lists, others for one certificate at a time.
pub(super) fn pck(
    mode: Mode,
    settings: &Settings,
    metrics: &Metrics,
    cache: &Arc<Cache>,
    store: &Arc<PlatformStore>,
    allowance: &Arc<Allowance>,
) -> Result<PckKeeper, OpenError> {
    let lists = Arc::new(PckLists::new(mode, Arc::clone(cache), Arc::clone(store)));
    let sources = |authority| pck_sources(mode, settings, metrics, &lists, authority);
    let anyone = sources(Authority::Anyone)?;
    let (refresh, user) = (sources(Authority::Refresh)?, sources(Authority::User)?);
    let all = AllPckSources { anyone, refresh, user };
    Ok(PckKeeper::new(mode, all, lists, Arc::clone(store), Arc::clone(allowance)))
}

/// The sources, to be asked by this right. Each right has its own: one that is left alone because of what strangers have
/// asked for is still there for those with a token.
fn pck_sources(
    mode: Mode,
    settings: &Settings,
    metrics: &Metrics,
    lists: &Arc<PckLists>,
    authority: Authority,
) -> Result<PckSources, OpenError> {
    let (mut sources, mut with_lists): (Vec<Box<dyn Source>>, Vec<_>) = (Vec::new(), Vec::new());
    for source in asked(mode, settings) {
        match source {
            SourceSettings::Service(service) if service.kind == PcsKind::Pcs => {
                let pcs = PcsSource::open(service.clone())?;
                let source = ListSource::new(pcs, metrics.clone(), Arc::clone(lists), authority);
                with_lists.push(source.clone());
                sources.push(Box::new(source));
            }
            other => sources.push(counted(other, metrics)?),
        }
    }
    Ok(PckSources { fetcher: Fetcher::open_with(sources, settings)?, with_lists })
}

fn asked(mode: Mode, settings: &Settings) -> impl Iterator<Item = &SourceSettings> {
    settings.sources.iter().filter(move |_| mode.asks())
}

fn counted(settings: &SourceSettings, metrics: &Metrics) -> Result<Box<dyn Source>, OpenError> {
    Ok(Box::new(CountedSource::new(settings.open()?, metrics.clone())))
}
