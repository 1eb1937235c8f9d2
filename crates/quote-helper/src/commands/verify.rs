//! `verify`: decides if quotes are trusted.

mod advice;
mod policy_arguments;
mod policy_file;
mod result;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use collateral::{CollateralProvider, write_bundle};
use evidence::Evidence;
use verify::{Policy, Verdict};

use self::policy_arguments::PolicyArguments;
use self::result::{ResultCounts, VerificationResult};
use crate::endorsements::{Endorsements, for_quote};
use crate::failure::{Failure, explain};
use crate::files::{self, StandardInputTwice};
use crate::output::{self, Format, note_origin};
use crate::quote_inputs::{QuoteInput, QuoteInputs};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: QuoteInputs,

    /// Writes the collateral that was used to this file, for `--collateral` and `collateral
    /// import`; `-` is standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "collateral")]
    save_collateral: Option<PathBuf>,

    /// Reads requirements from this TOML file. Its keys are the names of the options under
    /// "Policy", and paths are relative to it. An option in the command line replaces the file's.
    #[arg(long, value_name = "FILE", help_heading = policy_arguments::HEADING)]
    policy: Option<PathBuf>,

    #[command(flatten, next_help_heading = policy_arguments::HEADING)]
    requirements: PolicyArguments,

    /// Verifies as of this time rather than now: a time such as 2026-01-31T12:00:00Z, a date such
    /// as 2026-01-31, or seconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = policy_arguments::time)]
    time: Option<SystemTime>,

    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    #[command(flatten, next_help_heading = "Options for collateral")]
    endorsements: Endorsements,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut verifier = match Verifier::new(arguments) {
        Ok(verifier) => verifier,
        Err((code, error)) => {
            let result = VerificationResult::of_error(None, code, explain(&error));
            print(arguments, &result)?;
            return Err(Failure::Error(error));
        }
    };
    let mut counts = ResultCounts::default();
    for input in arguments.inputs.each() {
        let result = verifier.result(input)?;
        counts.add(&result);
        if !print(arguments, &result)? {
            break;
        }
    }
    verifier.save()?;
    counts.into_result()
}

/// Prints a result, in a batch as one line. False if the reader is gone.
fn print(arguments: &Arguments, result: &VerificationResult) -> anyhow::Result<bool> {
    match (arguments.inputs.is_batch(), arguments.output) {
        (false, format) => output::result(format, result).map(|()| true),
        (true, format) => output::one_of_many(format, &result.line(), result),
    }
}

/// The inputs that all quotes share.
struct Verifier<'a> {
    arguments: &'a Arguments,
    policy: Policy,
    verifier: verify::Verifier,
    /// Opened for the first quote that needs it.
    provider: Option<CollateralProvider>,
}

impl<'a> Verifier<'a> {
    /// Reads the policy and the trusted root; an error comes with its code.
    fn new(arguments: &'a Arguments) -> Result<Self, (&'static str, anyhow::Error)> {
        let from_file = arguments.policy.as_deref().map(policy_file::read).transpose();
        let from_file = from_file.map_err(|error| ("policy_unusable", error))?;
        let mut given = arguments.requirements.clone();
        given.read_files(Path::new("")).map_err(|error| ("policy_unusable", error))?;
        let policy = given.or(from_file.unwrap_or_default()).into_policy();
        let roots = arguments.endorsements.trusted_roots();
        let roots = roots.map_err(|error| ("trusted_root_unusable", error))?;
        let verifier = verify::Verifier::new(roots);
        Ok(Self { arguments, policy, verifier, provider: None })
    }

    /// The result for one input.
    ///
    /// # Errors
    /// [`StandardInputTwice`]: the command line is wrong.
    fn result(&mut self, input: QuoteInput) -> anyhow::Result<VerificationResult> {
        let QuoteInput { name, bytes } = input;
        let file = match bytes {
            Ok(file) => file,
            Err(error) if error.is::<StandardInputTwice>() => return Err(error),
            Err(error) => {
                return Ok(VerificationResult::of_error(
                    Some(name),
                    "file_unreadable",
                    explain(&error),
                ));
            }
        };
        let read = Evidence::read_quote(&file);
        if !self.arguments.inputs.is_batch() {
            read.iter().for_each(note_origin);
        }
        let verdict = match &read {
            Ok(evidence) => self.verdict(evidence)?,
            Err(error) => Verdict::without_quote(error.to_string(), &self.policy),
        };
        let origin = read.ok().and_then(|evidence| evidence.origin());
        Ok(VerificationResult::of_verdict(name, origin, verdict))
    }

    fn verdict(&mut self, evidence: &Evidence) -> anyhow::Result<Verdict> {
        let policy = Policy { binding: evidence.binding(), ..self.policy.clone() };
        let quote = &evidence.bytes;
        if let Some(verdict) = verify::verify_root(quote, self.verifier.roots(), &policy) {
            return Ok(verdict);
        }
        let collateral = self.provider().and_then(|provider| for_quote(provider, quote));
        match collateral {
            Ok(collateral) => {
                let now = self.arguments.time.unwrap_or_else(SystemTime::now);
                Ok(self.verifier.verify(quote, &collateral, now, &policy))
            }
            Err(error) if error.is::<StandardInputTwice>() => Err(error),
            Err(error) => Ok(Verdict::without_collateral(quote, explain(&error), &policy)),
        }
    }

    fn provider(&mut self) -> anyhow::Result<&mut CollateralProvider> {
        let provider = match self.provider.take() {
            Some(provider) => provider,
            None => {
                let mut provider = self.arguments.endorsements.open()?;
                if self.arguments.save_collateral.is_some() {
                    provider.record_used();
                }
                provider
            }
        };
        Ok(self.provider.insert(provider))
    }

    /// Writes the collateral that was used, if that was asked for.
    fn save(self) -> anyhow::Result<()> {
        let Some(path) = &self.arguments.save_collateral else { return Ok(()) };
        let used = self.provider.map(CollateralProvider::used).unwrap_or_default();
        let mut bundle = Vec::new();
        write_bundle(&used, &mut bundle)?;
        files::replace(path, &bundle)?;
        let number = used.len();
        output::note(match files::is_standard(path) {
            true => format!("{number} items of collateral were written"),
            false => format!("{number} items of collateral are in {}", path.display()),
        });
        Ok(())
    }
}

/// The schemas of the JSON output.
#[cfg(test)]
pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    vec![("verify", crate::schemas::of::<result::VerificationResult>())]
}
