//! `collateral status`: the TCB of platforms by what is kept, and what is about to expire.

mod condition;
mod holdings;
mod platform;
mod sources;
mod tcb;

use std::fmt;

use clap::Args;
use collateral::node_statuses;
use serde::Serialize;

use self::condition::{Condition, Problem};
use self::holdings::Holdings;
use self::platform::PlatformStatus;
use self::sources::SourceStatus;
use super::held::{Held, HeldArguments};
use crate::failure::Failure;
use crate::output::{self, Format};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Asks each source, too, whether it answers.
    #[arg(long)]
    probe: bool,

    /// The form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    #[command(flatten)]
    held: HeldArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let held = Held::open(&arguments.held)?;
    let status = Status::of(&held, arguments.probe)?;
    output::result(arguments.output, &status)?;
    status.condition.result()
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Status {
    /// The worst of all problems.
    condition: Condition,
    platforms: Vec<PlatformStatus>,
    cache: Holdings,
    sources: Vec<SourceStatus>,
    /// Who has named the sources.
    origin: String,
    problems: Vec<Problem>,
}

impl Status {
    fn of(held: &Held, probe: bool) -> anyhow::Result<Self> {
        let records = held.records()?;
        let (fetcher, set) = (held.cache.fetcher(), held.settings.evaluation);
        let roots = fetcher.roots();
        let nodes = node_statuses(&records, set, roots);
        let cache = Holdings::of(held, &records, &nodes)?;
        let sources = sources::all(&held.settings, &records, probe)?;
        let platforms: Vec<_> =
            nodes.into_iter().map(|node| PlatformStatus::of(node, held)).collect();
        let of_platforms = platforms.iter().flat_map(PlatformStatus::problems);
        let unjudged = platforms.is_empty().then(|| cache.unjudged()).flatten();
        let of_sources = sources.iter().filter_map(SourceStatus::problem);
        let problems = of_platforms.chain(unjudged).chain(cache.problems()).chain(of_sources);
        let problems: Vec<_> = problems.collect();
        Ok(Self {
            condition: problems.iter().map(Problem::condition).max().unwrap_or(Condition::Good),
            platforms,
            cache,
            sources,
            origin: held.settings.origin.to_string(),
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
