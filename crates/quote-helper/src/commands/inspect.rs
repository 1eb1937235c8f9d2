//! `inspect`: shows what is in a quote, a REPORT or another SGX structure.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use serde::ser::{Serialize, SerializeMap, Serializer};
use sgx::{
    AttestationKeyId, Describe, Description, FromBytes, QeReportInfo, Quote, Report, ReportBody,
    TargetInfo, Value,
};

use crate::failure::Failure;
use crate::files;
use crate::output::{self, Format};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file: a quote (version 3), a REPORT, target info, QE report info or an attestation key id.
    file: PathBuf,

    /// The form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let file = &arguments.file;
    let bytes = files::read(file)?;
    let (name, description) =
        describe(&bytes).with_context(|| format!("cannot tell what {} is", file.display()))?;
    Ok(output::result(arguments.output, &Inspected { name, description })?)
}

struct Inspected {
    name: &'static str,
    description: Description,
}

/// Tells the structures apart by their sizes, which all differ; anything else must be a quote.
fn describe(bytes: &[u8]) -> anyhow::Result<(&'static str, Description)> {
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
            return Ok((name, description));
        }
    }
    match Quote::parse_padded(bytes) {
        Ok(quote) => Ok(("quote", quote.describe())),
        Err(error) => bail!(
            "its {} bytes are none of the structures of a fixed size (REPORT 432, REPORT body 384, \
             target info 512, QE report info 960, attestation key id 256), and no quote: {error}",
            bytes.len()
        ),
    }
}

impl std::fmt::Display for Inspected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\n{}", self.name, self.description)
    }
}

impl Serialize for Inspected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("structure", self.name)?;
        map.serialize_entry("fields", &Fields(&self.description))?;
        map.end()
    }
}

/// A description as a JSON object.
struct Fields<'a>(&'a Description);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.0.len()))?;
        for (name, value) in &self.0.0 {
            match value {
                Value::Text(text) | Value::Block(text) => map.serialize_entry(name, text)?,
                Value::Fields(fields) => map.serialize_entry(name, &Fields(fields))?,
            }
        }
        map.end()
    }
}
