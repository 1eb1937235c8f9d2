//! `inspect`: shows what is in a quote, a REPORT or another SGX structure.

mod certification;
mod encoding;
mod inspected;

use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use evidence::{Content, Evidence};
use sgx::{
    AttestationKeyId, Describe, Description, FromBytes, QeReportInfo, Quote, QuoteHeader, Report,
    ReportBody, TargetInfo,
};

use self::encoding::Encoding;
use self::inspected::Inspected;
use crate::failure::Failure;
use crate::files;
use crate::output::{self, Format};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file: a quote (SGX version 3, SGX and TDX version 4 and 5) in any of the forms that
    /// `verify` reads, a REPORT, target info, QE report info or an attestation key id.
    file: PathBuf,

    /// The form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    /// Shows every byte string whole, in this encoding.
    ///
    /// Without it they are in hexadecimal, and in text those of more than 64 bytes are shortened.
    #[arg(long, value_enum)]
    encoding: Option<Encoding>,

    /// Prints the certificates that the quote carries as PEM, and nothing else.
    #[arg(long, conflicts_with_all = ["output", "encoding"])]
    raw: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let file = &arguments.file;
    let name = files::Input(file);
    let bytes = files::read(file)?;
    let cannot_tell = || format!("cannot tell what {name} is");
    let evidence = Evidence::read(&bytes).with_context(cannot_tell)?;
    let (kind, structure) = recognize(&evidence).with_context(cannot_tell)?;
    if arguments.raw {
        let pem = structure.pem().with_context(|| format!("cannot use --raw with {name}"))?;
        return Ok(output::text(&pem)?);
    }
    let is_attestation = evidence.content != Content::Structure;
    if let Some(reason) = evidence.not_verifiable().filter(|_| is_attestation) {
        output::note(reason);
    }
    let description = structure.describe(arguments.output != Format::Text);
    let inspected = match (arguments.output, arguments.encoding) {
        (Format::Text, None) => Inspected::shortened(kind, &evidence, description),
        (_, encoding) => {
            Inspected::whole(kind, &evidence, description, encoding.unwrap_or(Encoding::Hex))
        }
    };
    Ok(output::result(arguments.output, &inspected)?)
}

enum Structure {
    Described(Description),
    Quote(Box<Quote>),
}

impl Structure {
    fn describe(self, with_pem: bool) -> Description {
        match self {
            Self::Described(description) => description,
            Self::Quote(quote) => {
                quote.describe_with(|data| certification::describe(data, with_pem))
            }
        }
    }

    fn pem(&self) -> anyhow::Result<String> {
        let Self::Quote(quote) = self else { bail!("only quotes carry certificates") };
        let data = &quote.signature.certification_data;
        certification::pem(data).with_context(|| {
            format!(
                "it carries no certificates: its certification data is of type {}",
                data.data_type
            )
        })
    }
}

fn recognize(evidence: &Evidence) -> anyhow::Result<(&'static str, Structure)> {
    let bytes = &evidence.bytes;
    match evidence.content {
        Content::Quote { .. } => Ok(("quote", Structure::Quote(Box::new(Quote::parse(bytes)?)))),
        Content::EpidQuote { .. } => Ok(("EPID quote", Structure::Described(epid_quote(bytes)?))),
        Content::LocalReport | Content::Structure => fixed_size(bytes),
    }
}

/// Its report body, which is where that of other quotes of SGX is.
fn epid_quote(bytes: &[u8]) -> anyhow::Result<Description> {
    let body = bytes.get(size_of::<QuoteHeader>()..).unwrap_or_default();
    let (body, _) = ReportBody::read_from_prefix(body).map_err(|_| anyhow!("it is cut short"))?;
    Ok(Description::default().fields("application enclave report", &body))
}

/// Tells the structures apart by their sizes, which all differ.
fn fixed_size(bytes: &[u8]) -> anyhow::Result<(&'static str, Structure)> {
    fn fixed<T: FromBytes + Describe>(bytes: &[u8]) -> Option<Description> {
        T::read_from_bytes(bytes).ok().map(|structure| structure.describe())
    }
    let structures = [
        ("REPORT", fixed::<Report>(bytes)),
        ("REPORT body", fixed::<ReportBody>(bytes)),
        ("target info", fixed::<TargetInfo>(bytes)),
        ("QE report info", fixed::<QeReportInfo>(bytes)),
        ("attestation key id", fixed::<AttestationKeyId>(bytes)),
    ];
    let found = structures.into_iter().find_map(|(name, found)| Some((name, found?)));
    let (name, description) =
        found.with_context(|| format!("no structure has {} bytes", bytes.len()))?;
    Ok((name, Structure::Described(description)))
}
