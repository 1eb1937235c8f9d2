//! The configuration file, and everything that is wrong with it.

use std::fmt;
use std::path::{Path, PathBuf};

use collateral::settings::{ConfigProblem, ConfigText, Form, PartialSettings};

use super::Settings;

const BOOLEAN: &str = "true or false, without quotes";
const MEASUREMENTS: &str = "measurements in quotes and brackets, each of 64 hexadecimal digits";

/// The settings outside of sections, and the forms of their values.
const FORMS: &[Form] = &[
    ("platform", r#""dcap" or "software", with the quotes"#),
    ("dcap_library", r#"the name or path of a library in quotes, such as "libsgx_dcap_ql.so.1""#),
    ("socket", r#"the path of a socket in quotes, such as "/var/run/aesmd/aesm.socket""#),
    ("take_over", BOOLEAN),
    ("after_hand_over", r#""exit" or "wait", with the quotes"#),
    ("socket_group", r#"a group in quotes, by name or number, such as "sgx""#),
    ("state_dir", r#"the path of a directory in quotes, such as "/var/lib/quote-helper""#),
    ("certification_data", r#""pck-certificate-chain" or "encrypted-ppid", with the quotes"#),
    ("collateral_listen", r#"an address and a port in quotes, such as "127.0.0.1:17492""#),
    ("metrics_listen", r#"an address and a port, or a path, in quotes, such as "127.0.0.1:17490""#),
    ("log_format", r#""text" or "json", with the quotes"#),
    ("max_connections", "a whole number from 1, without quotes, such as 32768"),
    ("max_connections_per_caller", "a whole number from 1, without quotes, such as 1024"),
    ("workers", "a whole number from 1, without quotes, such as 4"),
    ("isolate", BOOLEAN),
    ("worker_timeout", r#"a time in quotes, such as "3s""#),
    ("max_queued_quotes", "a whole number from 1, without quotes, such as 1024"),
    ("max_queued_quotes_per_caller", "a whole number from 1, without quotes, such as 512"),
    ("request_timeout", r#"a time in quotes, such as "5s""#),
    ("quote_timeout", r#"a time in quotes, such as "10s""#),
    ("reply_timeout", r#"a time in quotes, such as "5s""#),
    ("idle_timeout", r#"a time in quotes, such as "60s""#),
    ("sandbox", BOOLEAN),
    ("writable_paths", r#"paths in quotes and brackets, such as ["/var/log/provider"]"#),
    ("allowed_uids", "numbers of users in brackets, without quotes, such as [1000, 1001]"),
    ("allowed_mrsigners", MEASUREMENTS),
    ("allowed_mrenclaves", MEASUREMENTS),
    ("refuse_debug", BOOLEAN),
    (SECTION, "its settings below a line [collateral]"),
];

const SECTION: &str = "collateral";

/// A configuration file is wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) struct WrongConfig {
    path: PathBuf,
    problems: Vec<ConfigProblem>,
}

impl WrongConfig {
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.problems.iter().map(|problem| format!("{}, {problem}", self.path.display()))
    }
}

impl fmt::Display for WrongConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration {} is wrong", self.path.display())?;
        for (index, problem) in self.problems.iter().enumerate() {
            write!(f, "{} {problem}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// The settings in this text.
///
/// # Errors
/// Everything that is wrong, each with its line.
pub(super) fn parse(path: &Path, text: &str) -> Result<Settings, WrongConfig> {
    let wrong = |problems| WrongConfig { path: path.to_owned(), problems };
    let config = ConfigText::parse(text).map_err(|problem| wrong(vec![problem]))?;
    let below = ("below the line [collateral]", PartialSettings::FORMS);
    let above = ("above the line [collateral]", FORMS);
    let mut problems = config.problems::<Settings>(None, FORMS, below);
    problems.extend(PartialSettings::problems(&config, above));
    problems.sort();
    if !problems.is_empty() {
        return Err(wrong(problems));
    }
    toml::from_str(text).map_err(|error| {
        let problem = error.message().to_owned();
        wrong(vec![ConfigProblem { line: 1, problem }])
    })
}

#[cfg(test)]
mod tests;
