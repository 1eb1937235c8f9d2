//! `collateral status`: the TCB status of platforms, and collateral that expires soon.

mod cache_status;
mod condition;
mod evaluated_tcb;
mod platform_status;
mod source_status;

use std::fmt;

use clap::Args;
use collateral::node_statuses;
use serde::Serialize;

use self::cache_status::CacheStatus;
use self::condition::{Condition, Problem};
use self::platform_status::PlatformStatus;
use self::source_status::SourceStatus;
use super::cache_view::{CacheArguments, CacheView};
use crate::failure::Failure;
use crate::output::{self, Format};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Also checks that each source is reachable.
    #[arg(long)]
    probe: bool,

    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    #[command(flatten)]
    view: CacheArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let view = CacheView::open(&arguments.view)?;
    let status = Status::of(&view, arguments.probe)?;
    output::result(arguments.output, &status)?;
    status.condition.result()
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Status {
    /// The worst of all problems.
    condition: Condition,
    platforms: Vec<PlatformStatus>,
    cache: CacheStatus,
    sources: Vec<SourceStatus>,
    /// The origin of the settings of the sources.
    origin: String,
    problems: Vec<Problem>,
}

impl Status {
    fn of(view: &CacheView, probe: bool) -> anyhow::Result<Self> {
        let records = view.records()?;
        let (fetcher, set) = (view.cache.fetcher(), view.settings.evaluation);
        let roots = fetcher.roots();
        let nodes = node_statuses(&records, set, roots);
        let cache = CacheStatus::of(view, &records, &nodes)?;
        let sources = source_status::all(&view.settings, &records, probe)?;
        let platforms: Vec<_> =
            nodes.into_iter().map(|node| PlatformStatus::of(node, view)).collect();
        let of_platforms = platforms.iter().flat_map(PlatformStatus::problems);
        let no_platform = platforms.is_empty().then(|| cache.no_platform()).flatten();
        let of_sources = sources.iter().filter_map(SourceStatus::problem);
        let problems = of_platforms.chain(no_platform).chain(cache.problems()).chain(of_sources);
        let problems: Vec<_> = problems.collect();
        Ok(Self {
            condition: problems.iter().map(Problem::condition).max().unwrap_or(Condition::Good),
            platforms,
            cache,
            sources,
            origin: view.settings.origin.to_string(),
            problems,
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.condition)?;
        self.problems.iter().try_for_each(|problem| writeln!(f, "  {problem}"))?;
        self.platforms.iter().try_for_each(|platform| write!(f, "\n{platform}"))?;
        write!(f, "\n{}", self.cache)?;
        self.sources.iter().try_for_each(|source| {
            writeln!(f, "source       {}", printable::line(&source.to_string()))
        })
    }
}
