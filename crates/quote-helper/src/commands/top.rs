//! `top`: a live view of one quote service, from its metrics.

mod change;
mod endpoint;
mod facts;
mod latency;
mod live;
mod palette;
mod samples;
mod screen;
mod tables;
#[cfg(test)]
mod tests;
mod view;
mod watch;

use std::io::{self, IsTerminal};
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;

pub(super) use self::endpoint::Endpoint;
use self::palette::Palette;
use self::screen::Screen;
use self::view::{ServiceState, View};
use self::watch::Watch;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::runtime::runtime;
use crate::settings::Settings;
use crate::values;

/// The address of the metrics in the example configuration.
const DEFAULT_METRICS: &str = "127.0.0.1:17490";
/// The variable of `serve` with the address of its metrics.
const METRICS_LISTEN: &str = "QUOTE_HELPER_METRICS_LISTEN";
/// The width of text that is not for a terminal, in columns.
const COLUMNS: u16 = 100;
const INTERVAL: Duration = Duration::from_secs(1);
/// More frequent scrapes would be a load on the service.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The metrics of the service: a URL, an address, or the path of a Unix socket [default: the
    /// setting of `serve` in QUOTE_HELPER_METRICS_LISTEN or the configuration file, else
    /// 127.0.0.1:17490].
    #[arg(long, value_name = "URL|ADDRESS:PORT|PATH", env = "QUOTE_HELPER_METRICS")]
    metrics: Option<Endpoint>,

    /// The configuration file of `serve` [default: /etc/quote-helper/config.toml if it exists].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_CONFIG")]
    config: Option<PathBuf>,

    /// The interval between views, which rates and latencies cover [default: 1s].
    #[arg(long, value_name = "TIME", value_parser = interval)]
    interval: Option<Duration>,

    /// Prints this many views and exits, with code 1 if the service never answered.
    ///
    /// If standard output is not a terminal, and neither this nor --interval is given, prints one
    /// view, which covers one interval.
    #[arg(long, value_name = "NUMBER")]
    count: Option<NonZero<u32>>,

    /// Output format: text is the whole terminal if there is one, json an object a line.
    #[arg(
        long,
        value_parser = Format::one_of([Format::Text, Format::Json]),
        default_value = "text"
    )]
    output: Format,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let endpoint = arguments.endpoint()?;
    let is_live = arguments.output == Format::Text
        && arguments.count.is_none()
        && io::stdout().is_terminal()
        && io::stdin().is_terminal();
    let interval = arguments.interval.unwrap_or(INTERVAL);
    let runtime = runtime()?;
    Ok(runtime.block_on(async {
        let watch = Watch::new(endpoint, interval);
        if is_live {
            return live::show(watch, interval).await;
        }
        match arguments.is_once() {
            true => print_once(watch, arguments.output).await,
            false => print(watch, arguments).await,
        }
    })?)
}

impl Arguments {
    /// True if one view is printed: into a pipe or a file, without an interval or a count.
    fn is_once(&self) -> bool {
        self.interval.is_none() && self.count.is_none() && !io::stdout().is_terminal()
    }

    fn endpoint(&self) -> anyhow::Result<Endpoint> {
        if let Some(endpoint) = &self.metrics {
            return Ok(endpoint.clone());
        }
        if let Ok(listen) = std::env::var(METRICS_LISTEN) {
            return listen.parse().with_context(|| format!("{METRICS_LISTEN} is wrong: {listen}"));
        }
        match Settings::default().complete(self.config.as_deref())?.metrics_listen {
            Some(listen) => Ok(listen.into()),
            None => DEFAULT_METRICS.parse(),
        }
    }
}

/// Prints the second view, which has rates, or nothing if the service does not answer.
async fn print_once(mut watch: Watch, format: Format) -> anyhow::Result<()> {
    let mut view = watch.next().await;
    if matches!(view.state, ServiceState::Service(_)) {
        view = watch.next().await;
    }
    match view.state {
        ServiceState::Away(reason) => Err(anyhow!(reason)),
        ServiceState::Service(_) => print_view(format, &view).map(drop),
    }
}

/// Prints views, up to the count or until the reader closes standard output.
async fn print(mut watch: Watch, arguments: &Arguments) -> anyhow::Result<()> {
    let mut left = arguments.count.map(NonZero::get);
    let mut reason = None;
    let mut has_answered = false;
    while left != Some(0) {
        let view = watch.next().await;
        if !print_view(arguments.output, &view)? {
            return Ok(());
        }
        match view.state {
            ServiceState::Service(_) => has_answered = true,
            ServiceState::Away(why) => reason = Some(why),
        }
        left = left.map(|left| left.saturating_sub(1));
    }
    match reason.filter(|_| !has_answered) {
        Some(reason) => Err(anyhow!(reason)),
        None => Ok(()),
    }
}

/// Prints a view. Returns false if the reader has closed standard output.
fn print_view(format: Format, view: &View) -> anyhow::Result<bool> {
    let columns = match crossterm::terminal::size() {
        Ok((columns, _)) if io::stdout().is_terminal() => columns,
        _ => COLUMNS,
    };
    let text = Screen { view, palette: Palette::plain() }.text(columns);
    output::one_of_many(format, &format_args!("{text}\n"), view)
}

fn interval(text: &str) -> anyhow::Result<Duration> {
    let interval = values::duration(text)?;
    anyhow::ensure!(interval >= SHORTEST_INTERVAL, "the minimum is 100ms");
    Ok(interval)
}

/// The schema of the output.
#[cfg(test)]
pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    vec![("top", crate::schemas::of::<View>())]
}
