//! Settings and cache of this process.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use collateral::settings::{CollateralForm, Settings};
use collateral::{Cache, CollateralId, Event, PckCertificateRequest, PckContents, Record};
use per_process::PerProcess;

use crate::failure::Failure;

static PROVIDER: PerProcess<Provider> = PerProcess::new();

/// The level of a message: `sgx_ql_log_level_t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// `SGX_QL_LOG_ERROR`: problems.
    Error = 0,
    /// `SGX_QL_LOG_INFO`: settings in effect, fetched items.
    Info = 1,
}

/// Gets the messages of a provider.
pub type Log = fn(LogLevel, &dyn Display);

/// The cache of one process.
pub struct Provider {
    settings: Settings,
    cache: Cache,
    /// The PCK certificate that was requested last: a process requests the same one repeatedly.
    pck: Mutex<Option<Arc<Pck>>>,
}

/// A PCK certificate in the form for C.
pub struct Pck {
    record: Arc<Record>,
    /// The platform and the TCB that it is for.
    pub contents: PckContents,
    /// PEM: the certificates of the platform, its CA and the root.
    pub chain: Vec<u8>,
}

impl Provider {
    /// The provider of this process. Only the first call reads the settings; messages go to the
    /// `log` of that call.
    ///
    /// # Errors
    /// [`Failure::Settings`], [`Failure::Open`].
    pub fn of_process(log: Log) -> Result<&'static Self, Failure> {
        PROVIDER.get_or_try_init(|inherited| match inherited {
            Some(parent) => Self::open(parent.settings.clone(), log),
            None => Self::open(first_settings(log)?, log),
        })
    }

    fn open(settings: Settings, log: Log) -> Result<Self, Failure> {
        let cache = Cache::open(&settings, Box::new(move |event| log_event(log, event)))?;
        Ok(Self { settings, cache, pck: Mutex::default() })
    }

    /// The settings, which hold for the life of the process.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The format of CRLs. The default is Intel's, which all verifiers accept.
    pub fn form(&self) -> CollateralForm {
        self.settings.collateral_form.unwrap_or(CollateralForm::HexadecimalCrls)
    }

    /// An item from the cache or a source.
    ///
    /// # Errors
    /// [`Failure::Fetch`].
    pub fn get(&self, item: CollateralId) -> Result<Arc<Record>, Failure> {
        self.cache.get(&item).map_err(|error| Failure::Fetch { item, error })
    }

    /// A PCK certificate from the cache or a source.
    ///
    /// # Errors
    /// [`Failure::Fetch`], [`Failure::PckContents`], [`Failure::ZeroByte`].
    pub fn pck(&self, request: PckCertificateRequest) -> Result<Arc<Pck>, Failure> {
        let record = self.get(CollateralId::PckCertificate(request))?;
        let lock = || self.pck.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pck) = lock().as_ref().filter(|pck| Arc::ptr_eq(&pck.record, &record)) {
            return Ok(Arc::clone(pck));
        }
        let pck = Arc::new(Pck::of(record)?);
        *lock() = Some(Arc::clone(&pck));
        Ok(pck)
    }

    /// Removes these items from the cache.
    ///
    /// # Errors
    /// [`Failure::Clear`].
    pub fn clear(&self, which: impl Fn(&CollateralId) -> bool) -> Result<(), Failure> {
        self.cache.clear(which).map_err(Failure::Clear)
    }
}

impl Pck {
    fn of(record: Arc<Record>) -> Result<Self, Failure> {
        let contents = PckContents::read(&record.document.body)?;
        let mut chain = record.document.body.clone();
        if !chain.ends_with(b"\n") {
            chain.push(b'\n');
        }
        chain.extend(record.document.issuer_chain.as_bytes());
        let pck = Self { record, contents, chain };
        without_zero_byte(&pck.record.item, &pck.chain)?;
        Ok(pck)
    }
}

/// Checks that the text does not end early in C.
pub(crate) fn without_zero_byte<'a>(
    item: &CollateralId,
    text: &'a [u8],
) -> Result<&'a [u8], Failure> {
    if text.contains(&0) { Err(Failure::ZeroByte(item.clone())) } else { Ok(text) }
}

fn first_settings(log: Log) -> Result<Settings, Failure> {
    let settings = Settings::of_this_machine()?;
    settings.to_string().lines().for_each(|line| log(LogLevel::Info, &line));
    Ok(settings)
}

fn log_event(log: Log, event: &Event) {
    let level = match event {
        Event::Fetched(_) => LogLevel::Info,
        Event::Expired(_) | Event::NotStored(_) | Event::Unusable(_) | Event::OtherPlatform(_) => {
            LogLevel::Error
        }
    };
    log(level, event);
}
