//! The settings and the cache of this process.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use collateral::settings::{CollateralForm, Settings};
use collateral::{Cache, CollateralId, Event, PckCertificateRequest, PckContents, Record};

use crate::failure::Failure;
use crate::log;

static FIRST: OnceLock<Box<Provider>> = OnceLock::new();

/// The cache of one process.
///
/// A forked child has one of its own, since another thread may have held a lock of the parent's when it forked, and
/// since the two must not talk over the same connection. What it has inherited stays as it is, for ever.
pub(crate) struct Provider {
    process: u32,
    settings: Settings,
    cache: Cache,
    /// The platform's PCK certificate; a process asks for the same again and again.
    pck: Mutex<Option<Arc<Pck>>>,
    of_child: OnceLock<Box<Provider>>,
}

/// A PCK certificate, ready to be handed out.
pub(crate) struct Pck {
    record: Arc<Record>,
    /// Its contents.
    pub(crate) contents: PckContents,
    /// PEM: the certificate, that of its CA, the root's.
    pub(crate) chain: Vec<u8>,
}

impl Provider {
    /// The one of this process. Settings are read at the first call, and kept.
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
        // Opened outside of the lock, so that no fork in the meantime leaves a child waiting for it.
        let opened = match inherited {
            Some(settings) => Self::open(settings.clone(), process)?,
            None => Self::open(first_settings()?, process)?,
        };
        Ok(place.get_or_init(|| Box::new(opened)))
    }

    fn open(settings: Settings, process: u32) -> Result<Self, Failure> {
        let cache = Cache::open(&settings, Box::new(notice))?;
        let (pck, of_child) = (Mutex::default(), OnceLock::new());
        Ok(Self { process, settings, cache, pck, of_child })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The form of CRLs. Where no settings say otherwise it is the one that every verifier takes, and that Intel's
    /// library has then.
    pub(crate) fn form(&self) -> CollateralForm {
        self.settings.collateral_form.unwrap_or(CollateralForm::HexadecimalCrls)
    }

    pub(crate) fn get(&self, item: CollateralId) -> Result<Arc<Record>, Failure> {
        self.cache.get(&item).map_err(|error| Failure::Fetch { item, error })
    }

    pub(crate) fn pck(&self, question: PckCertificateRequest) -> Result<Arc<Pck>, Failure> {
        let record = self.get(CollateralId::PckCertificate(question))?;
        let lock = || self.pck.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pck) = lock().as_ref().filter(|pck| Arc::ptr_eq(&pck.record, &record)) {
            return Ok(Arc::clone(pck));
        }
        let pck = Arc::new(Pck::of(record)?);
        *lock() = Some(Arc::clone(&pck));
        Ok(pck)
    }

    /// Forgets what is chosen.
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

/// The text, if it has no zero byte, at which C would end it.
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

fn notice(notice: &Event) {
    match notice {
        Event::Fetched(_) => log::info(notice),
        Event::Expired(_) | Event::NotStored(_) | Event::Unusable(_) | Event::OtherPlatform(_) => {
            log::error(notice);
        }
    }
}
