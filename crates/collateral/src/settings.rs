//! Where PCK certificates and collateral come from, and where they are kept.
//!
//! Each setting is taken from the first that has it: a flag, a variable
//! `QUOTE_HELPER_COLLATERAL_*`, the section `[collateral]` of our configuration. Where those name
//! no sources, another quote provider's settings hold: those of Intel's, in
//! `sgx_default_qcnl.conf`; else those of Azure's, in the variables `AZDCAP_*`. Where there are
//! none of these either, it depends on the machine. [`Settings`] tells which it was, and what was
//! not used.

mod azdcap;
mod base;
mod cache_settings;
mod config_text;
mod describe;
mod error;
mod machine;
mod origin;
mod own;
pub mod parse;
mod qcnl;
mod service_url;
mod source_settings;
mod text_file;

use std::path::PathBuf;
use std::time::Duration;

use self::base::Base;
pub use self::cache_settings::CacheSettings;
pub use self::config_text::{ConfigProblem, ConfigText, Form, nearest};
pub use self::error::{Place, SettingsError, redact_urls};
pub use self::machine::Machine;
pub use self::origin::Origin;
use self::own::Own;
pub use self::own::{PartialSettings, SourceSpec};
pub use self::service_url::ServiceUrl;
pub use self::source_settings::{Serves, ServiceSettings, SourceSettings, TrustSettings};
use crate::TcbUpdate;

/// The time for one question, where nobody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a question is asked again, where nobody says otherwise.
const RETRY: Retry = Retry { times: 2, delay: None };

/// Told in a program that is set user id, set group id, or has file capabilities.
const ENVIRONMENT_IGNORED: &str = "environment variables are ignored, proxies included, since this program gained \
    privileges when it was started; use the configuration files in /etc";

/// What holds. Its [`Display`](std::fmt::Display) form tells people where things come from, and
/// why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whom to ask, in this order. What none of them serves comes from the cache alone.
    pub sources: Vec<SourceSettings>,
    /// Who named the sources.
    pub origin: Origin,
    /// Where answers are kept, and for how long.
    pub cache: CacheSettings,
    /// The time for one question, all sources that are asked together.
    pub timeout: Duration,
    /// When a source in trouble is asked again.
    pub retry: Retry,
    /// The TCB evaluation to ask for.
    pub evaluation: TcbUpdate,
    /// The form in which Intel's settings want collateral to be handed out in C; `None` if they do
    /// not say.
    pub collateral_form: Option<CollateralForm>,
    /// PEM: the root to trust instead of Intel's. The software platform needs it.
    pub trusted_root: Option<PathBuf>,
    /// What is to be logged, if Azure's variable asks for it.
    pub log_level: Option<LogLevel>,
    /// What people should know: what is not used, and what is not as they may think.
    pub notes: Vec<String>,
}

/// When a source in trouble is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often, after the first time.
    pub times: u32,
    /// The wait before each time; `None` begins with a second, and doubles.
    pub delay: Option<Duration>,
}

/// The forms that CRLs have in `sgx_ql_qve_collateral_t`. The numbers are the versions of that
/// structure, and the values of Intel's `pccs_api_version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollateralForm {
    /// 3.0: DER in hexadecimal digits.
    HexadecimalCrls,
    /// 3.1: DER.
    DerCrls,
}

/// The levels of `sgx_ql_log_level_t`. Each includes those below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Info,
    /// Warnings and errors.
    Warning,
    /// Errors.
    Error,
}

impl Settings {
    /// The settings of a program on this machine that has no flags for them, as a library has none.
    ///
    /// # Errors
    /// [`SettingsError`] when a file or a variable cannot be read or understood.
    pub fn of_this_machine() -> Result<Self, SettingsError> {
        Self::choose(PartialSettings::default(), &Machine::this())
    }

    /// The root that a program with these flags trusts instead of Intel's, on this machine: that of
    /// the flags, of the variable, or of our configuration.
    ///
    /// # Errors
    /// [`SettingsError`] when a variable or the configuration cannot be read or understood.
    pub fn choose_trusted_root(
        flags: PartialSettings,
        machine: &Machine,
    ) -> Result<Option<PathBuf>, SettingsError> {
        Ok(Own::gather(flags, machine)?.settings.trusted_root)
    }

    /// The settings of a program with these flags, on this machine. Reads the files that the
    /// machine names, 64 KiB of each at the most.
    ///
    /// # Errors
    /// [`SettingsError`] when a flag, a file or a variable cannot be read or understood.
    pub fn choose(flags: PartialSettings, machine: &Machine) -> Result<Self, SettingsError> {
        let own = Own::gather(flags, machine)?;
        let mut base = Base::choose(&own, machine)?;
        if machine.ignores_environment {
            base.notes.push(ENVIRONMENT_IGNORED.to_owned());
        }
        let cache = CacheSettings::choose(&own.settings, &base, machine)?;
        let azure_log_level = azdcap::log_level(machine)?;
        let own = own.settings;
        let retries = own.retries.map(|times| Retry { times, ..RETRY });
        Ok(Self {
            sources: base.sources,
            origin: base.origin,
            cache,
            timeout: own.timeout.unwrap_or(TIMEOUT),
            retry: retries.or(base.retry).unwrap_or(RETRY),
            evaluation: own.evaluation.or(base.evaluation).unwrap_or(TcbUpdate::Standard),
            collateral_form: base.collateral_form,
            trusted_root: own.trusted_root,
            log_level: azure_log_level,
            notes: base.notes,
        })
    }
}
