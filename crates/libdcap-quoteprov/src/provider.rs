//! Settings and cache of this process.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use collateral::settings::{CollateralForm, Settings};
use collateral::{Cache, CollateralId, Event, PckCertificateRequest, PckContents, Record};

use crate::failure::Failure;
use crate::log;

static FIRST: OnceLock<Box<Provider>> = OnceLock::new();

/// The cache of one process.
///
/// A forked child gets its own: another thread may have held a lock of the parent's at the fork,
/// and the two must not share a connection. The inherited one is never freed.
pub(crate) struct Provider {
    process: u32,
    settings: Settings,
    cache: Cache,
    /// The PCK certificate that was requested last: a process requests the same one repeatedly.
    pck: Mutex<Option<Arc<Pck>>>,
    of_child: OnceLock<Box<Provider>>,
}

/// A PCK certificate in the form for C.
pub(crate) struct Pck {
    record: Arc<Record>,
    pub(crate) contents: PckContents,
    /// PEM: the certificates of the platform, its CA and the root.
    pub(crate) chain: Vec<u8>,
}

impl Provider {
    /// The provider of this process. Only the first call reads the settings.
    pub(crate) fn of_process() -> Result<&'static Self, Failure> {
        let process = std::process::id();
        let (mut place, mut inherited) = (&FIRST, None);
        while let Some(provider) = place.get() {
            if provider.process == process {
                return Ok(provider);
            }
            inherited = Some(&provider.settings);
            place = &provider.of_child;
        }
        // Outside of the lock, so that a child forked meanwhile does not wait for it forever.
        let opened = match inherited {
            Some(settings) => Self::open(settings.clone(), process)?,
            None => Self::open(first_settings()?, process)?,
        };
        Ok(place.get_or_init(|| Box::new(opened)))
    }

    fn open(settings: Settings, process: u32) -> Result<Self, Failure> {
        let cache = Cache::open(&settings, Box::new(log_event))?;
        let (pck, of_child) = (Mutex::default(), OnceLock::new());
        Ok(Self { process, settings, cache, pck, of_child })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The format of CRLs. The default is Intel's, which all verifiers accept.
    pub(crate) fn form(&self) -> CollateralForm {
        self.settings.collateral_form.unwrap_or(CollateralForm::HexadecimalCrls)
    }

    pub(crate) fn get(&self, item: CollateralId) -> Result<Arc<Record>, Failure> {
        self.cache.get(&item).map_err(|error| Failure::Fetch { item, error })
    }

    pub(crate) fn pck(&self, request: PckCertificateRequest) -> Result<Arc<Pck>, Failure> {
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
    pub(crate) fn clear(&self, which: impl Fn(&CollateralId) -> bool) -> Result<(), Failure> {
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

fn first_settings() -> Result<Settings, Failure> {
    let settings = Settings::of_this_machine()?;
    settings.to_string().lines().for_each(log::info);
    Ok(settings)
}

fn log_event(event: &Event) {
    match event {
        Event::Fetched(_) => log::info(event),
        Event::Expired(_) | Event::NotStored(_) | Event::Unusable(_) | Event::OtherPlatform(_) => {
            log::error(event);
        }
    }
}
