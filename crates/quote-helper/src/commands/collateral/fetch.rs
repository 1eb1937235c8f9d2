//! `collateral fetch`: fills the cache.

mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::{ArgGroup, Args, ValueEnum};
use collateral::{
    CollateralId, FetchError, PckContents, QuotedPck, QuotedPlatform, Record, TcbUpdate,
    platform_items,
};
use evidence::Evidence;
use verify::{PckCa, Tee};

pub(super) use self::report::FetchReport;
use self::report::FetchedItem;
use super::cache_view::{CacheArguments, CacheView};
use crate::failure::Failure;
use crate::files;
use crate::output::{self, Format};
use crate::values;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("platform").args(["quotes", "fmspc"]).multiple(true)))]
pub(crate) struct Arguments {
    /// Fetches what a verifier of this quote needs. All formats of `verify` are accepted.
    ///
    /// May be repeated. Without --quote and --fmspc, all cached items that are due are refetched.
    #[arg(long = "quote", value_name = "FILE")]
    quotes: Vec<PathBuf>,

    /// Fetches what a verifier needs for platforms with this FMSPC, 6 bytes in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = values::bytes::<6>, requires = "ca")]
    fmspc: Option<[u8; 6]>,

    /// The PCK CA for this FMSPC: processor for one package, platform for several.
    #[arg(long, value_enum, requires = "fmspc")]
    ca: Option<Ca>,

    /// Also fetches the collateral for TDX.
    #[arg(long, requires = "platform")]
    tdx: bool,

    /// Also fetches the early TCB evaluation, with which `collateral status` announces a TCB
    /// recovery.
    #[arg(long, requires = "platform")]
    early: bool,

    /// Also refetches cached items that are not due.
    #[arg(long)]
    force: bool,

    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    #[command(flatten)]
    view: CacheArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Ca {
    Processor,
    Platform,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let view = CacheView::open(&arguments.view)?;
    view.check_place()?;
    view.settings.to_string().lines().for_each(output::note);
    let mut fetching = Fetching { view: &view, arguments, items: Vec::new(), down: None };
    fetching.all()?;
    view.take_unusable().iter().for_each(output::note);
    let report = FetchReport(fetching.items);
    output::result(arguments.output, &report)?;
    match report.failed() {
        0 => Ok(()),
        failed => Err(anyhow!("{failed} of {} items could not be fetched", report.0.len()).into()),
    }
}

/// A run of fetches, with the results so far.
struct Fetching<'a> {
    view: &'a CacheView,
    arguments: &'a Arguments,
    items: Vec<FetchedItem>,
    /// The error when all sources failed. They have been retried by then, and the remaining items
    /// fail at once: a large cache would otherwise wait for each of them.
    down: Option<FetchError>,
}

impl Fetching<'_> {
    fn all(&mut self) -> anyhow::Result<()> {
        let Arguments { quotes, fmspc, ca, .. } = self.arguments;
        if quotes.is_empty() && fmspc.is_none() {
            return self.again();
        }
        for quote in quotes {
            self.quote(quote)?;
        }
        if let (Some(fmspc), Some(ca)) = (fmspc, ca) {
            self.platform(Tee::Sgx, *fmspc, (*ca).into());
        }
        Ok(())
    }

    /// Refetches the cached items.
    fn again(&mut self) -> anyhow::Result<()> {
        let records = self.view.records()?;
        if records.is_empty() {
            let directory = self.view.directory()?.display();
            return Err(anyhow!(
                "the cache {directory} is empty; say what to fetch, with --quote FILE or --fmspc HEX \
                 --ca CA"
            ));
        }
        for record in records {
            self.item(&record.item);
        }
        Ok(())
    }

    /// Fetches what a verifier of this quote needs. If the quote lacks the PCK certificate, that
    /// comes first, since it tells the rest.
    fn quote(&mut self, path: &Path) -> anyhow::Result<()> {
        let file = files::read(path)?;
        let cannot_fetch = || format!("cannot fetch for {}", files::Input(path));
        let evidence = Evidence::read_quote(&file).with_context(cannot_fetch)?;
        output::note_origin(&evidence);
        let platform = QuotedPlatform::read(&evidence.bytes).with_context(cannot_fetch)?;
        let contents = match platform.pck {
            QuotedPck::Known(contents) => Some(contents),
            QuotedPck::Named(request) => self
                .item(&CollateralId::PckCertificate(request))
                .map(|record| PckContents::read(&record.document.body))
                .transpose()?,
        };
        if let Some(PckContents { fmspc, ca, .. }) = contents {
            self.platform(platform.tee, fmspc, ca);
        }
        Ok(())
    }

    /// Fetches the items that verify quotes of this FMSPC.
    fn platform(&mut self, tee: Tee, fmspc: [u8; 6], ca: PckCa) {
        let set = self.view.settings.evaluation;
        let mut sets = vec![set];
        if self.arguments.early && set != TcbUpdate::Early {
            sets.push(TcbUpdate::Early);
        }
        let tees = [Some(tee), self.arguments.tdx.then_some(Tee::Tdx)];
        for set in sets {
            for tee in tees.into_iter().flatten() {
                platform_items(tee, fmspc, ca, set).iter().for_each(|item| {
                    self.item(item);
                });
            }
        }
    }

    /// Fetches an item once, and returns the cached record.
    fn item(&mut self, item: &CollateralId) -> Option<Arc<Record>> {
        let cache = &self.view.cache;
        let kept = cache.peek(item);
        if self.items.iter().any(|row| row.is_of(item)) {
            return kept;
        }
        if let Some(kept) = kept.clone().filter(|kept| !self.arguments.force && !cache.is_due(kept))
        {
            self.items.push(FetchedItem::fresh(&kept));
            return Some(kept);
        }
        let fetched = match &self.down {
            Some(error) => Err(error.clone()),
            None => cache.refresh(item),
        };
        match &fetched {
            Ok(record) => self.items.push(FetchedItem::fetched(record, &self.view.take_not_kept())),
            Err(error) => {
                self.down = Some(error.clone()).filter(FetchError::all_sources_failed);
                self.items.push(FetchedItem::failed(item, error, kept.as_deref()));
            }
        }
        fetched.ok().or(kept)
    }
}

impl From<Ca> for PckCa {
    fn from(ca: Ca) -> Self {
        match ca {
            Ca::Processor => Self::Processor,
            Ca::Platform => Self::Platform,
        }
    }
}
