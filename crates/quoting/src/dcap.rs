//! Quotes by Intel's QE and PCE, through Intel's quote generation library.

mod library;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use library::Library;
use sgx::{AesmError, AttestationKeyId, Quote, Quote3Error};

use crate::{
    AttestationKey, QuoteReply, QuoteRequest, Quoter, QuotingError, QuotingMode, SGX_AESM_ADDR,
    WrongReply, check_key_id,
};

/// The largest accepted quote, in bytes. A quote with its certificates has about 5,000.
const MAX_QUOTE_SIZE: u32 = 64 * 1024;

/// A Quoter over Intel's quote generation library, which is loaded at run time.
///
/// The library and its enclaves run in this process, so that their crash, or a call that never
/// returns, is the process's. Calls are made one at a time, because Intel's QE has one TCS (so open
/// a library once in a process): others wait, even those for the quote's size. Only
/// [`attestation_key_ids`](Quoter::attestation_key_ids) answers from memory.
pub struct DcapQuoter {
    path: PathBuf,
    library: Mutex<Library>,
}

impl DcapQuoter {
    /// Loads `library`, a name for the dynamic loader (`libsgx_qe3_logic.so.1`) or a path, and
    /// makes it keep its enclaves, which it loads when they are first needed.
    ///
    /// Everything works with the interface of `libsgx_qe3_logic.so.1`, which `libsgx_dcap_ql.so.1`
    /// has, too. With only the functions of `libsgx_dcap_ql.so.1` itself the public key id is 32
    /// zero bytes, and QE report info is refused with [`AesmError::UnableToGenerateQeReport`].
    ///
    /// # Errors
    /// [`QuotingError`] with [`AesmError::InterfaceUnavailable`] when the library or one of its
    /// functions is missing, or it would ask a service since [`SGX_AESM_ADDR`] is set;
    /// [`QuotingError::Dcap`] when the library refuses to keep its enclaves.
    pub fn open(library: &Path) -> Result<Self, QuotingError> {
        let mut loaded = Library::load(library)?;
        if loaded.may_ask_a_service() && QuotingMode::of_process() != Ok(QuotingMode::InProcess) {
            return Err(out_of_process());
        }
        loaded.keep_enclaves()?;
        Ok(Self { path: library.to_owned(), library: Mutex::new(loaded) })
    }

    fn library(&self) -> MutexGuard<'_, Library> {
        self.library.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn size(&self, library: &mut Library) -> Result<u32, QuotingError> {
        match library.quote_size()? {
            size @ 1..=MAX_QUOTE_SIZE => Ok(size),
            size => Err(self.invalid_output(format_args!(
                "wants {size} bytes for a quote; it can have 1 to {MAX_QUOTE_SIZE}"
            ))),
        }
    }

    fn quote_once(
        &self,
        library: &mut Library,
        request: &QuoteRequest,
    ) -> Result<QuoteReply, QuotingError> {
        let mut buffer = vec![0; self.size(library)? as usize];
        let qe_report_info = library.quote(&request.report, request.qe_report_info, &mut buffer)?;
        let reply = Quote::parse_padded(&buffer)
            .map_err(WrongReply::from)
            .map(|quote| QuoteReply { quote: quote.to_bytes(), qe_report_info })
            .and_then(|reply| request.check(&reply).map(|()| reply));
        reply.map_err(|wrong| {
            self.invalid_output(format_args!("returned a quote for another request: {wrong}"))
        })
    }

    fn invalid_output(&self, what: impl Display) -> QuotingError {
        QuotingError::new(AesmError::Unexpected, format!("{} {what}", self.path.display()))
    }
}

impl Quoter for DcapQuoter {
    fn attestation_key_ids(&self) -> Result<Vec<AttestationKeyId>, QuotingError> {
        Ok(vec![AttestationKeyId::ecdsa_p256()])
    }

    fn initialize(&self, key_id: &AttestationKeyId) -> Result<AttestationKey, QuotingError> {
        check_key_id(key_id)?;
        self.library().initialize()
    }

    fn quote_size(&self, key_id: &AttestationKeyId) -> Result<u32, QuotingError> {
        check_key_id(key_id)?;
        with_key(&mut self.library(), |library| self.size(library))
    }

    fn quote(&self, request: &QuoteRequest) -> Result<QuoteReply, QuotingError> {
        check_key_id(&request.key_id)?;
        with_key(&mut self.library(), |library| self.quote_once(library, request))
    }
}

/// Makes the call; if there is no attestation key, initializes it and makes the call once more.
/// Intel's library requires this at first, and whenever the platform's TCB has changed.
fn with_key<T>(
    library: &mut Library,
    call: impl Fn(&mut Library) -> Result<T, QuotingError>,
) -> Result<T, QuotingError> {
    match call(library) {
        Err(QuotingError::Dcap { error: Quote3Error::ATT_KEY_NOT_INITIALIZED, .. }) => {
            library.initialize()?;
            call(library)
        }
        result => result,
    }
}

/// The error for a library that would ask a quote service, perhaps the caller itself.
fn out_of_process() -> QuotingError {
    let detail = format!(
        "{SGX_AESM_ADDR} is set, so that the library would ask a quote service instead of quoting \
         in this process; unset it for this process"
    );
    QuotingError::new(AesmError::InterfaceUnavailable, detail)
}
