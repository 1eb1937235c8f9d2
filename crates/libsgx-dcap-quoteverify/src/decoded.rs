//! Collateral decoded from the structure of C, and the memory of what was decoded.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use collateral::signed_json;
use sgx::{Collateral, Quote3Error};
use verify::CollateralDates;
use x509_cert::certificate::Rfc5280;
use x509_cert::crl::CertificateList;
use x509_cert::der::Decode;

use crate::c_types::RawCollateral;
use crate::chain::Chain;
use crate::failure::Failure;

/// The versions of collateral: 1.0, 3.0, 3.1 and 4.0. CRLs may be in any encoding with all of them.
const VERSIONS: [u32; 4] = [1, 3, 1 << 16 | 3, 4];

/// Shorter CRLs are taken for DER, whatever they look like.
const TEXT_CRL_MIN_SIZE: usize = 300;

const PEM_CRL: &str = "X509 CRL";

/// The most decoded collateral that is remembered: one for each kind of platform and TEE.
const MAX_REMEMBERED: usize = 64;

/// Larger collateral is not remembered. Intel's has some 40,000 bytes.
const MAX_SIZE: usize = 256 * 1024;

/// The decoded collateral of the last calls, found again by the bytes that it was decoded from. At
/// most 64 of at most 256 KiB.
#[derive(Debug, Default)]
pub(crate) struct DecodedCollateral {
    remembered: RwLock<Vec<Arc<Remembered>>>,
    /// Counts the uses.
    clock: AtomicU64,
}

/// Collateral as the verifier takes it.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) collateral: Collateral,
    /// The dates of the issuer chain of the PCK CRL. Nothing else depends on that chain: the quote
    /// has one, too.
    pub(crate) pck_crl_chain_dates: CollateralDates,
}

#[derive(Debug)]
struct Remembered {
    raw: [Box<[u8]>; 7],
    decoded: Arc<Decoded>,
    last_used: AtomicU64,
}

impl DecodedCollateral {
    /// The decoded collateral.
    pub(crate) fn get(&self, raw: RawCollateral<'_>) -> Result<Arc<Decoded>, Failure> {
        check_version(raw.version)?;
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        let pieces = pieces(raw);
        let remembered = self.remembered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = remembered.iter().find(|it| it.is(&pieces)) {
            found.last_used.store(now, Ordering::Relaxed);
            return Ok(Arc::clone(&found.decoded));
        }
        drop(remembered);
        let decoded = Arc::new(decode(raw)?);
        if pieces.iter().map(|piece| piece.len()).sum::<usize>() <= MAX_SIZE {
            self.remember(Remembered {
                raw: pieces.map(Box::from),
                decoded: Arc::clone(&decoded),
                last_used: AtomicU64::new(now),
            });
        }
        Ok(decoded)
    }

    /// Remembers it in the place of the one whose last use was the earliest.
    fn remember(&self, new: Remembered) {
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.iter().any(|it| it.raw == new.raw) {
            // Another thread was first.
            return;
        }
        if remembered.len() >= MAX_REMEMBERED {
            let last_use = |it: &Arc<Remembered>| it.last_used.load(Ordering::Relaxed);
            let oldest = remembered.iter().enumerate().min_by_key(|(_, it)| last_use(it));
            if let Some(place) = oldest.map(|(place, _)| place) {
                remembered.swap_remove(place);
            }
        }
        remembered.push(Arc::new(new));
    }
}

impl Remembered {
    fn is(&self, pieces: &[&[u8]; 7]) -> bool {
        self.raw.iter().zip(pieces).all(|(own, piece)| **own == **piece)
    }
}

/// All pieces; first the one that tells kinds of platforms apart.
fn pieces(raw: RawCollateral<'_>) -> [&[u8]; 7] {
    [
        raw.tcb_info,
        raw.qe_identity,
        raw.pck_crl,
        raw.root_ca_crl,
        raw.pck_crl_issuer_chain,
        raw.tcb_info_issuer_chain,
        raw.qe_identity_issuer_chain,
    ]
}

fn check_version(version: u32) -> Result<(), Failure> {
    if VERSIONS.contains(&version) {
        return Ok(());
    }
    Err(Failure::CollateralVersion { major: version & 0xffff, minor: version >> 16 })
}

fn decode(raw: RawCollateral<'_>) -> Result<Decoded, Failure> {
    let unreadable = |what, error| move || Failure::Unreadable { what, error };
    let (tcb_info, tcb_info_signature) = signed_json(raw.tcb_info)
        .ok_or_else(unreadable("tcb_info", Quote3Error::TCBINFO_UNSUPPORTED_FORMAT))?;
    let (qe_identity, qe_identity_signature) = signed_json(raw.qe_identity)
        .ok_or_else(unreadable("qe_identity", Quote3Error::QEIDENTITY_UNSUPPORTED_FORMAT))?;
    let qe_identity_chain = Chain::read(raw.qe_identity_issuer_chain, "qe_identity_issuer_chain")?;
    let tcb_info_chain = Chain::read(raw.tcb_info_issuer_chain, "tcb_info_issuer_chain")?;
    let pck_crl_chain = Chain::read(raw.pck_crl_issuer_chain, "pck_crl_issuer_chain")?;
    let crl = |bytes, what| {
        let is_crl = |der: &Vec<u8>| CertificateList::<Rfc5280>::from_der(der).is_ok();
        let der = decode_crl(bytes).filter(is_crl);
        der.ok_or_else(unreadable(what, Quote3Error::CRL_UNSUPPORTED_FORMAT))
    };
    Ok(Decoded {
        pck_crl_chain_dates: pck_crl_chain.dates()?,
        collateral: Collateral {
            root_ca_crl: crl(raw.root_ca_crl, "root_ca_crl")?,
            pck_crl: crl(raw.pck_crl, "pck_crl")?,
            qe_identity_issuer_chain: qe_identity_chain.signer_and_root()?,
            tcb_info_issuer_chain: tcb_info_chain.signer_and_root()?,
            pck_crl_issuer_chain: pck_crl_chain.pem(),
            tcb_info: without_white_space(tcb_info),
            tcb_info_signature,
            qe_identity: without_white_space(qe_identity),
            qe_identity_signature,
            pck_certificate_chain: None,
        },
    })
}

/// JSON without white space between its tokens, as Intel signs it. Some services and databases add
/// some.
fn without_white_space(mut json: String) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    json.retain(|character| {
        let is_quotation_mark = character == '"' && !is_escaped;
        is_escaped = in_string && character == '\\' && !is_escaped;
        in_string ^= is_quotation_mark;
        in_string || !character.is_ascii_whitespace()
    });
    json
}

/// The DER of a CRL in PEM, hexadecimal digits or DER. Texts end at their first zero byte.
fn decode_crl(crl: &[u8]) -> Option<Vec<u8>> {
    let text = crl.split(|byte| *byte == 0).next().unwrap_or_default();
    let (_, but_last) = crl.split_last()?;
    if crl.len() < TEXT_CRL_MIN_SIZE {
        return Some(first_der(crl)?.to_owned());
    }
    if text.starts_with(b"-----BEGIN X509 CRL-----") {
        let section = pem::parse(text).ok().filter(|section| section.tag() == PEM_CRL)?;
        return Some(section.into_contents());
    }
    match but_last.iter().all(u8::is_ascii_hexdigit) {
        true => Some(first_der(&hex::decode(text).ok()?)?.to_owned()),
        false => Some(first_der(crl)?.to_owned()),
    }
}

/// The sequence at the beginning, in DER. Others follow it with a zero byte.
fn first_der(bytes: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    let (header, length) = match *bytes {
        [SEQUENCE, length @ ..=0x7f, ..] => (2, usize::from(length)),
        [SEQUENCE, 0x81, length, ..] => (3, usize::from(length)),
        [SEQUENCE, 0x82, a, b, ..] => (4, usize::from(u16::from_be_bytes([a, b]))),
        [SEQUENCE, 0x83, a, b, c, ..] => {
            (5, usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?)
        }
        _ => return None,
    };
    bytes.get(..length.checked_add(header)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crl_is_the_same_in_each_encoding() {
        let mut der = vec![0x30, 0x82, 0x01, 0x40];
        der.extend([7; 0x140]);
        let terminated = |text: String| [text.as_bytes(), &[0]].concat();
        let hex = hex::encode(&der);
        let pem = pem::encode(&pem::Pem::new(PEM_CRL, der.clone()));
        for encoded in [
            der.clone(),
            [&der[..], &[0]].concat(),
            terminated(hex.clone()),
            terminated(hex.to_uppercase()),
            terminated(pem),
        ] {
            assert_eq!(decode_crl(&encoded).as_ref(), Some(&der));
        }
    }

    #[test]
    fn white_space_goes_outside_of_strings_only() {
        let json = "{ \"a b\":\t\"\\\" c\\\\\" ,\n\"d\" : [ 1 , 2 ]}".to_owned();
        assert_eq!(without_white_space(json), "{\"a b\":\"\\\" c\\\\\",\"d\":[1,2]}");
    }

    #[test]
    fn other_bytes_are_no_crl() {
        for bytes in [&b""[..], &[0], &[0x30], &[0x30, 0x84, 0, 0, 0, 1, 7], &[b'a'; 400]] {
            assert_eq!(decode_crl(bytes), None);
        }
    }
}
