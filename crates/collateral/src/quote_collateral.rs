//! Collateral for one quote.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;
use sgx::{CertificationDataType, Collateral, Quote, QuoteParseError};
use verify::{EnclaveId, PckCa, Tee};

use crate::settings::ServiceUrl;
use crate::{
    CollateralId, Document, PckCertificateRequest, PckContents, PckContentsError, PcsSource,
    Source, SourceError, TcbUpdate,
};

/// The maximum time for all requests together.
const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// There is no collateral for a quote; `E` is the failure to get an item.
#[derive(Debug, thiserror::Error)]
pub enum QuoteCollateralError<E> {
    /// The bytes are not a quote.
    #[error("these bytes are not a quote: {0}")]
    Quote(#[from] QuoteParseError),
    /// The quote does not identify its platform.
    #[error("the quote does not lead to the PCK certificate of its platform: {0}")]
    Platform(String),
    /// The PCK certificate cannot be read.
    #[error(transparent)]
    Pck(#[from] PckContentsError),
    /// An item could not be fetched.
    #[error(transparent)]
    Item(E),
    /// The document of an item is not JSON with a signature.
    #[error("the document of {0} is not signed JSON")]
    Malformed(CollateralId),
}

/// An item could not be fetched from a service.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch {item} from {service}: {reason}")]
pub struct ServiceError {
    /// The name of the item.
    pub item: String,
    /// The name of the service.
    pub service: String,
    /// The reason.
    pub reason: SourceError,
}

/// Fetches the collateral for `quote` from the service at `url`, without checking or storing it. It
/// takes at most `timeout`, and at most 30 seconds.
///
/// # Errors
/// [`QuoteCollateralError`].
pub fn fetch(
    url: &ServiceUrl,
    quote: &[u8],
    timeout: Duration,
) -> Result<Collateral, QuoteCollateralError<ServiceError>> {
    let source = PcsSource::at(url);
    let now = Instant::now();
    let deadline = now.checked_add(timeout.min(MAX_TIMEOUT)).unwrap_or(now);
    for_quote(quote, TcbUpdate::Standard, |item| {
        let (item_name, service) = (item.to_string(), source.name().to_owned());
        source.fetch(item, deadline).map_err(|reason| ServiceError {
            item: item_name,
            service,
            reason,
        })
    })
}

/// Collects the collateral for `quote` by this TCB update, item by item from `get`.
///
/// It has the PCK certificates only if the quote does not carry them. Otherwise it is good for
/// quotes of all platforms with the same FMSPC and CA.
///
/// # Errors
/// [`QuoteCollateralError`].
pub fn for_quote<E>(
    quote: &[u8],
    set: TcbUpdate,
    mut get: impl FnMut(&CollateralId) -> Result<Document, E>,
) -> Result<Collateral, QuoteCollateralError<E>> {
    let quote = Quote::parse_padded(quote)?;
    let mut get = |item: &CollateralId| get(item).map_err(QuoteCollateralError::Item);
    let (contents, chain) = match pck(&quote)? {
        Pck::Carried(chain) => (PckContents::read(chain)?, None),
        Pck::Named(request) => {
            let Document { body, issuer_chain } = get(&CollateralId::PckCertificate(request))?;
            let leaf = String::from_utf8_lossy(&body);
            (PckContents::read(&body)?, Some(format!("{}\n{issuer_chain}", leaf.trim_end())))
        }
    };
    let PckContents { fmspc, ca, .. } = contents;
    let [pck_crl, root_ca_crl, tcb_info_item, qe_identity_item] =
        platform_items(tee(&quote), fmspc, ca, set);
    let (pck_crl, root_ca_crl) = (get(&pck_crl)?, get(&root_ca_crl)?);
    let (tcb_info, qe_identity) = (get(&tcb_info_item)?, get(&qe_identity_item)?);
    let (tcb_info_json, tcb_info_signature) =
        signed_json(&tcb_info.body).ok_or(QuoteCollateralError::Malformed(tcb_info_item))?;
    let (qe_identity_json, qe_identity_signature) =
        signed_json(&qe_identity.body).ok_or(QuoteCollateralError::Malformed(qe_identity_item))?;
    Ok(Collateral {
        pck_crl_issuer_chain: pck_crl.issuer_chain,
        root_ca_crl: root_ca_crl.body,
        pck_crl: pck_crl.body,
        tcb_info_issuer_chain: tcb_info.issuer_chain,
        tcb_info: tcb_info_json,
        tcb_info_signature,
        qe_identity_issuer_chain: qe_identity.issuer_chain,
        qe_identity: qe_identity_json,
        qe_identity_signature,
        pck_certificate_chain: chain,
    })
}

/// The items that verify quotes of this kind of TEE, of all platforms with this FMSPC and CA:
/// the CRL of the PCK CA, the CRL of the root, TCB info, the identity of the QE.
#[must_use]
pub fn platform_items(tee: Tee, fmspc: [u8; 6], ca: PckCa, set: TcbUpdate) -> [CollateralId; 4] {
    let enclave = match tee {
        Tee::Sgx => EnclaveId::Qe,
        Tee::Tdx => EnclaveId::TdQe,
    };
    [
        CollateralId::PckCrl(ca),
        CollateralId::RootCaCrl,
        CollateralId::TcbInfo { tee, fmspc, set },
        CollateralId::EnclaveIdentity { enclave, set },
    ]
}

fn tee(quote: &Quote) -> Tee {
    if quote.body.td().is_some() { Tee::Tdx } else { Tee::Sgx }
}

/// The platform of a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedPlatform {
    /// The kind of TEE.
    pub tee: Tee,
    /// The platform's PCK certificate.
    pub pck: QuotedPck,
}

/// The PCK certificate in a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuotedPck {
    /// The quote carries it.
    Known(PckContents),
    /// The quote identifies it.
    Named(PckCertificateRequest),
}

impl QuotedPlatform {
    /// Reads it from the quote.
    ///
    /// # Errors
    /// [`QuoteCollateralError`], but not for an item.
    pub fn read(quote: &[u8]) -> Result<Self, QuoteCollateralError<Infallible>> {
        let quote = Quote::parse_padded(quote)?;
        let pck = match pck(&quote)? {
            Pck::Carried(chain) => QuotedPck::Known(PckContents::read(chain)?),
            Pck::Named(request) => QuotedPck::Named(request),
        };
        Ok(Self { tee: tee(&quote), pck })
    }
}

/// The reference of a quote to its PCK certificate.
enum Pck<'a> {
    /// PEM: it is in the quote, with its chain.
    Carried(&'a [u8]),
    /// The quote identifies it.
    Named(PckCertificateRequest),
}

fn pck<E>(quote: &Quote) -> Result<Pck<'_>, QuoteCollateralError<E>> {
    let data = &quote.signature.certification_data;
    match data.data_type {
        CertificationDataType::PCK_CERTIFICATE_CHAIN => Ok(Pck::Carried(&data.data)),
        CertificationDataType::PPID_RSA3072_ENCRYPTED => named(quote)
            .map(Pck::Named)
            .ok_or_else(|| QuoteCollateralError::Platform("its data has another size".to_owned())),
        other => {
            let reason = format!("certification data of type {other} is not supported");
            Err(QuoteCollateralError::Platform(reason))
        }
    }
}

/// The QE id is in the quote's header.
fn named(quote: &Quote) -> Option<PckCertificateRequest> {
    let reference = quote.signature.certification_data.pck_reference()?;
    Some(PckCertificateRequest {
        qe_id: *quote.header.user_data.first_chunk()?,
        encrypted_ppid: Some(Box::new(reference.ppid.try_into().ok()?)),
        cpu_svn: reference.cpu_svn,
        pce_svn: reference.pce_svn,
        pce_id: reference.pce_id?,
    })
}

/// The document of TCB info or an enclave identity.
#[derive(Deserialize)]
struct SignedAnswer<'a> {
    #[serde(borrow, rename = "tcbInfo", alias = "enclaveIdentity")]
    json: &'a RawValue,
    #[serde(with = "hex")]
    signature: Vec<u8>,
}

/// The signed member of a document of TCB info or of an enclave identity, to the byte, and its
/// signature; `None` if it is something else.
#[must_use]
pub fn signed_json(body: &[u8]) -> Option<(String, Vec<u8>)> {
    let SignedAnswer { json, signature } = serde_json::from_slice(body).ok()?;
    Some((json.get().to_owned(), signature))
}
