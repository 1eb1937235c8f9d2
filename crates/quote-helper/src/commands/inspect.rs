//! `inspect`: shows what is in a quote, a REPORT or another SGX structure.

mod certification;
mod encoding;
mod inspected;

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use sgx::{
    AttestationKeyId, Describe, Description, FromBytes, QeReportInfo, Quote, Report, ReportBody,
    TargetInfo,
};

use self::encoding::Encoding;
use self::inspected::Inspected;
use crate::failure::Failure;
use crate::files;
use crate::output::{self, Format};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file: a quote (SGX version 3, SGX and TDX version 4 and 5), a REPORT, target info, QE
    /// report info or an attestation key id.
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
    let bytes = files::read(file)?;
    let (name, structure) =
        recognize(&bytes).with_context(|| format!("cannot tell what {} is", file.display()))?;
    if arguments.raw {
        let pem =
            structure.pem().with_context(|| format!("cannot use --raw with {}", file.display()))?;
        return Ok(output::text(&pem)?);
    }
    let description = structure.describe(arguments.output != Format::Text);
    let inspected = match (arguments.output, arguments.encoding) {
        (Format::Text, None) => Inspected::shortened(name, description),
        (_, encoding) => Inspected::whole(name, description, encoding.unwrap_or(Encoding::Hex)),
    };
    Ok(output::result(arguments.output, &inspected)?)
}

enum Structure {
    Fixed(Description),
    Quote(Box<Quote>),
}

impl Structure {
    fn describe(self, with_pem: bool) -> Description {
        match self {
            Self::Fixed(description) => description,
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

/// Tells the structures apart by their sizes, which all differ; anything else must be a quote.
fn recognize(bytes: &[u8]) -> anyhow::Result<(&'static str, Structure)> {
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
    for (name, description) in structures {
        if let Some(description) = description {
            return Ok((name, Structure::Fixed(description)));
        }
    }
    match Quote::parse_padded(bytes) {
        Ok(quote) => Ok(("quote", Structure::Quote(Box::new(quote)))),
        Err(error) => bail!(
            "its {} bytes are none of the structures of a fixed size (REPORT 432, REPORT body 384, \
             target info 512, QE report info 960, attestation key id 256), and no quote: {error}",
            bytes.len()
        ),
    }
}
