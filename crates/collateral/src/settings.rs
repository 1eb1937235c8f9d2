//! Settings of sources and of the cache.
//!
//! Each setting is taken from the first layer that has it: a flag, a variable
//! `QUOTE_HELPER_COLLATERAL_*`, the section `[collateral]` of the configuration. If these name no
//! sources, the settings of another quote provider count: Intel's, in `sgx_default_qcnl.conf`, else
//! Azure's, in the variables `AZDCAP_*`. If there are none either, the machine decides.
//! [`Settings`] has the origin of the sources, and the settings that were not used.

mod azdcap;
mod base;
mod cache_settings;
mod choice;
mod config_text;
mod describe;
mod error;
mod layers;
mod machine;
mod origin;
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
use self::layers::LayeredSettings;
pub use self::layers::{PartialSettings, SourceSpec};
pub use self::machine::Machine;
pub use self::origin::Origin;
pub use self::service_url::ServiceUrl;
pub use self::source_settings::{PcsKind, Serves, ServiceSettings, SourceSettings, TrustSettings};
use crate::TcbUpdate;

/// The section of the configuration with these settings. The quote service checks the rest.
const SECTION: &str = "collateral";

/// The default timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The default retries.
const RETRY: Retry = Retry { times: 2, delay: None };

/// Note in a program that is set user id, set group id, or has file capabilities.
const ENVIRONMENT_IGNORED: &str = "environment variables are ignored, proxies included, since this program gained \
    privileges when it was started; use the configuration files in /etc";

/// The effective settings. Their [`Display`](std::fmt::Display) form explains them to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The sources, in the order in which they are asked. Items that none serves come from the
    /// cache only.
    pub sources: Vec<SourceSettings>,
    /// The place where the sources are set.
    pub origin: Origin,
    /// The cache.
    pub cache: CacheSettings,
    /// The timeout of a request, all sources together.
    pub timeout: Duration,
    /// The retries of failed sources.
    pub retry: Retry,
    /// The TCB update to request.
    pub evaluation: TcbUpdate,
    /// The format of collateral in C by Intel's settings; `None` if they do not set it.
    pub collateral_form: Option<CollateralForm>,
    /// PEM: the root to trust instead of Intel's. The software platform needs it.
    pub trusted_root: Option<PathBuf>,
    /// The log level of Azure's variable.
    pub log_level: Option<LogLevel>,
    /// Notes for people about settings that are not used, or that may surprise them.
    pub notes: Vec<String>,
}

/// The retries of failed sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The number of retries.
    pub times: u32,
    /// The wait before each time; `None` begins with a second, and doubles.
    pub delay: Option<Duration>,
}

/// The formats of CRLs in `sgx_ql_qve_collateral_t`. The numbers are the versions of that
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

    /// The root that a program with these flags trusts instead of Intel's: that of the flags, the
    /// variable, or the configuration.
    ///
    /// # Errors
    /// [`SettingsError`] when a variable or the configuration cannot be read or understood.
    pub fn choose_trusted_root(
        flags: PartialSettings,
        machine: &Machine,
    ) -> Result<Option<PathBuf>, SettingsError> {
        Ok(LayeredSettings::gather(flags, machine)?.settings.trusted_root)
    }

    /// The settings of a program with these flags, on this machine. Reads the files that the
    /// machine names, 64 KiB of each at the most.
    ///
    /// # Errors
    /// [`SettingsError`] when a flag, a file or a variable cannot be read or understood.
    pub fn choose(flags: PartialSettings, machine: &Machine) -> Result<Self, SettingsError> {
        let layered = LayeredSettings::gather(flags, machine)?;
        let mut base = Base::choose(&layered, machine)?;
        if machine.ignores_environment {
            base.notes.push(ENVIRONMENT_IGNORED.to_owned());
        }
        let cache = CacheSettings::choose(&layered.settings, &base, machine)?;
        let azure_log_level = azdcap::log_level(machine)?;
        let own = layered.settings;
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
