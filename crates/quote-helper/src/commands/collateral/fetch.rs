//! `collateral fetch`: collateral is fetched ahead.

mod outcome;

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

pub(super) use self::outcome::Outcomes;
use self::outcome::Row;
use super::held::{Held, HeldArguments};
use crate::failure::Failure;
use crate::files;
use crate::output::{self, Format};
use crate::values;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("platform").args(["quotes", "fmspc"]).multiple(true)))]
pub(crate) struct Arguments {
    /// Fetches what a verifier of this quote needs, in any of the forms that `verify` reads.
    ///
    /// May be given several times. Without --quote and --fmspc, what is kept and due is fetched
    /// again.
    #[arg(long = "quote", value_name = "FILE")]
    quotes: Vec<PathBuf>,

    /// Fetches what a verifier of quotes of this kind of platform needs, 6 bytes in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = values::bytes::<6>, requires = "ca")]
    fmspc: Option<[u8; 6]>,

    /// The CA that certifies platforms with this FMSPC: of one package, or of several.
    #[arg(long, value_enum, requires = "fmspc")]
    ca: Option<Ca>,

    /// Fetches the collateral for TDX, too.
    #[arg(long, requires = "platform")]
    tdx: bool,

    /// Fetches the newest TCB evaluation, too: with it, `collateral status` sees a TCB recovery coming.
    #[arg(long, requires = "platform")]
    early: bool,

    /// Fetches also what is kept and not due.
    #[arg(long)]
    force: bool,

    /// The form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    #[command(flatten)]
    held: HeldArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Ca {
    Processor,
    Platform,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let held = Held::open(&arguments.held)?;
    held.check_place()?;
    held.settings.to_string().lines().for_each(output::note);
    let mut fetching = Fetching { held: &held, arguments, rows: Vec::new(), down: None };
    fetching.all()?;
    held.take_unusable().iter().for_each(output::note);
    let outcomes = Outcomes(fetching.rows);
    output::result(arguments.output, &outcomes)?;
    match outcomes.failed() {
        0 => Ok(()),
        failed => Err(anyhow!("{failed} of {} items could not be had", outcomes.0.len()).into()),
    }
}

/// What is being fetched, and what has come of it so far.
struct Fetching<'a> {
    held: &'a Held,
    arguments: &'a Arguments,
    rows: Vec<Row>,
    /// How all sources were in trouble when they were last asked. They were asked several times, and are not asked for
    /// what is left: a cache of many items would wait for each of them.
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

    /// What is kept.
    fn again(&mut self) -> anyhow::Result<()> {
        let records = self.held.records()?;
        if records.is_empty() {
            let directory = self.held.directory()?.display();
            return Err(anyhow!(
                "nothing is kept in {directory} that could be fetched again; say what is wanted, with --quote FILE \
                 or --fmspc HEX --ca CA"
            ));
        }
        for record in records {
            self.item(&record.item);
        }
        Ok(())
    }

    /// What a verifier of this quote needs. Where the quote does not carry the PCK certificate, it has to be there
    /// before it is known what the rest is.
    fn quote(&mut self, path: &Path) -> anyhow::Result<()> {
        let file = files::read(path)?;
        let cannot_fetch = || format!("cannot fetch for {}", files::Input(path));
        let evidence = Evidence::read_quote(&file).with_context(cannot_fetch)?;
        output::note_origin(&evidence);
        let platform = QuotedPlatform::read(&evidence.bytes).with_context(cannot_fetch)?;
        let contents = match platform.pck {
            QuotedPck::Known(contents) => Some(contents),
            QuotedPck::Named(question) => self
                .item(&CollateralId::PckCertificate(question))
                .map(|record| PckContents::read(&record.document.body))
                .transpose()?,
        };
        if let Some(PckContents { fmspc, ca, .. }) = contents {
            self.platform(platform.tee, fmspc, ca);
        }
        Ok(())
    }

    /// Fetches the items that verify such quotes of this kind of platform.
    fn platform(&mut self, tee: Tee, fmspc: [u8; 6], ca: PckCa) {
        let set = self.held.settings.evaluation;
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

    /// One item, once: what there is of it afterwards.
    fn item(&mut self, item: &CollateralId) -> Option<Arc<Record>> {
        let cache = &self.held.cache;
        let kept = cache.peek(item);
        if self.rows.iter().any(|row| row.is_of(item)) {
            return kept;
        }
        if let Some(kept) = kept.clone().filter(|kept| !self.arguments.force && !cache.is_due(kept))
        {
            self.rows.push(Row::fresh(&kept));
            return Some(kept);
        }
        let fetched = match &self.down {
            Some(error) => Err(error.clone()),
            None => cache.refresh(item),
        };
        match &fetched {
            Ok(record) => self.rows.push(Row::fetched(record, &self.held.take_not_kept())),
            Err(error) => {
                self.down = Some(error.clone()).filter(FetchError::all_sources_failed);
                self.rows.push(Row::failed(item, error, kept.as_deref()));
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
