//! `inspect`: shows the contents of quotes, REPORTs and other SGX structures.

mod certification;
mod encoding;
mod fields;
mod inspected;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use evidence::{Content, Evidence};
use sgx::{
    AttestationKeyId, Describe, Description, FromBytes, QeReportInfo, Quote, QuoteHeader, Report,
    ReportBody, TargetInfo,
};

use self::encoding::{Encoding, shortened};
use self::fields::Fields;
use self::inspected::{Inspected, Inspection};
use crate::failure::{Failure, explain};
use crate::files::StandardInputTwice;
use crate::output::{self, Format};
use crate::quote_inputs::{InputName, QuoteInput, QuoteInputs};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: QuoteInputs,

    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    /// Shows every byte string whole, in this encoding.
    ///
    /// Without this option they are in hexadecimal; text shortens those of more than 64 bytes.
    #[arg(long, value_enum)]
    encoding: Option<Encoding>,

    /// Prints only the certificates of the quote, as PEM.
    #[arg(long, conflicts_with_all = ["output", "encoding"])]
    raw: bool,
}

/// The encoding of byte strings.
type Encode<'a> = &'a dyn Fn(&[u8]) -> String;

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let is_batch = arguments.inputs.is_batch();
    let (mut total, mut errors) = (0_u64, 0_u64);
    for input in arguments.inputs.each() {
        total = total.saturating_add(1);
        let name = input.name.clone();
        let (inspected, error) = match read(arguments, input) {
            Ok(None) => continue,
            Ok(Some(content)) => (Inspected::new(name, content), None),
            Err((_, error)) if error.is::<StandardInputTwice>() => return Err(error.into()),
            Err((code, error)) => {
                errors = errors.saturating_add(1);
                (Inspected::of_error(name, code, explain(&error)), Some(error))
            }
        };
        match (is_batch, arguments.output, error) {
            (false, Format::Text, Some(error)) => return Err(error.into()),
            (false, format, error) => {
                output::result(format, &inspected)?;
                return error.map_or(Ok(()), |error| Err(error.into()));
            }
            (true, format, _) => {
                if !output::one_of_many(format, &inspected.block(), &inspected)? {
                    break;
                }
            }
        }
    }
    match errors {
        0 => Ok(()),
        errors => Err(anyhow!("{errors} of {total} inputs could not be shown").into()),
    }
}

/// Reads one input; `None` after printing its certificates with `--raw`. An error has its code.
fn read(
    arguments: &Arguments,
    QuoteInput { name, bytes }: QuoteInput,
) -> Result<Option<Inspection>, (&'static str, anyhow::Error)> {
    let bytes = bytes.map_err(|error| ("file_unreadable", error))?;
    show(arguments, &bytes, &name).map_err(|error| ("not_recognized", error))
}

fn show(
    arguments: &Arguments,
    bytes: &[u8],
    name: &InputName,
) -> anyhow::Result<Option<Inspection>> {
    let unrecognized = || format!("cannot recognize {name}");
    let evidence = Evidence::read(bytes).with_context(unrecognized)?;
    let (kind, structure) = recognize(&evidence).with_context(unrecognized)?;
    if arguments.raw {
        let pem = structure.pem().with_context(|| format!("cannot use --raw with {name}"))?;
        output::text(&pem)?;
        return Ok(None);
    }
    let is_attestation = evidence.content != Content::Structure;
    if let Some(reason) = evidence.not_verifiable().filter(|_| is_attestation) {
        output::note(reason);
    }
    let description = structure.describe(arguments.output != Format::Text);
    let encoding = arguments.encoding.unwrap_or(Encoding::Hex);
    let encode: Encode<'_> = &|bytes| encoding.encode(bytes);
    let description = match arguments.encoding {
        None => description.with_bytes_as(&shortened),
        Some(_) => description.with_bytes_as(&encode),
    };
    Ok(Some(Inspection {
        kind,
        read_from: evidence.origin(),
        bound: evidence.binding().map(|binding| binding.is_ok()),
        bindings: evidence.bindings.iter().map(ToString::to_string).collect(),
        encoding: encoding.name(),
        description,
        fields: structure.fields(encode),
    }))
}

enum Structure {
    Quote(Box<Quote>),
    Report(Box<Report>),
    ReportBody(Box<ReportBody>),
    TargetInfo(Box<TargetInfo>),
    QeReportInfo(Box<QeReportInfo>),
    AttestationKeyId(Box<AttestationKeyId>),
}

impl Structure {
    fn describe(&self, with_pem: bool) -> Description {
        match self {
            Self::Quote(quote) => {
                quote.describe_with(|data| certification::describe(data, with_pem))
            }
            Self::Report(report) => report.describe(),
            Self::ReportBody(body) => body.describe(),
            Self::TargetInfo(target) => target.describe(),
            Self::QeReportInfo(info) => info.describe(),
            Self::AttestationKeyId(key_id) => key_id.describe(),
        }
    }

    fn fields(&self, encode: Encode<'_>) -> Fields {
        match self {
            Self::Quote(quote) => Fields::of_quote(quote, encode),
            Self::Report(report) => Fields::of_report(report, encode),
            Self::ReportBody(body) => Fields::of_report_body(body, encode),
            Self::TargetInfo(target) => Fields::of_target_info(target, encode),
            Self::QeReportInfo(info) => Fields::of_qe_report_info(info, encode),
            Self::AttestationKeyId(key_id) => Fields::of_key_id(key_id, encode),
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
        Content::EpidQuote { .. } => {
            Ok(("EPID quote", Structure::ReportBody(Box::new(epid_quote(bytes)?))))
        }
        Content::LocalReport | Content::Structure => fixed_size(bytes),
    }
}

/// Its report body, at the same offset as in other quotes of SGX.
fn epid_quote(bytes: &[u8]) -> anyhow::Result<ReportBody> {
    let body = bytes.get(size_of::<QuoteHeader>()..).unwrap_or_default();
    let (body, _) = ReportBody::read_from_prefix(body).map_err(|_| anyhow!("it is truncated"))?;
    Ok(body)
}

/// The structure of this size; all sizes differ.
fn fixed_size(bytes: &[u8]) -> anyhow::Result<(&'static str, Structure)> {
    fn fixed<T: FromBytes>(bytes: &[u8], structure: fn(Box<T>) -> Structure) -> Option<Structure> {
        T::read_from_bytes(bytes).ok().map(|found| structure(Box::new(found)))
    }
    let structures = [
        ("REPORT", fixed(bytes, Structure::Report)),
        ("REPORT body", fixed(bytes, Structure::ReportBody)),
        ("target info", fixed(bytes, Structure::TargetInfo)),
        ("QE report info", fixed(bytes, Structure::QeReportInfo)),
        ("attestation key id", fixed(bytes, Structure::AttestationKeyId)),
    ];
    let found = structures.into_iter().find_map(|(name, found)| Some((name, found?)));
    found.with_context(|| format!("no structure has {} bytes", bytes.len()))
}

/// The schemas of the JSON output.
#[cfg(test)]
pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    vec![("inspect", crate::schemas::of::<inspected::Inspected>())]
}
