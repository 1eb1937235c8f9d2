//! The attestation key on disk, sealed by the QE.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | ASCII `SGXSWAK1` |
//! | 8 | 20 | TCB: CPUSVN 16, QE SVN 2, PCE SVN 2, little-endian |
//! | 28 | 12 | nonce |
//! | 40 | 864 | encrypted: private key 32, QE report 384, its signature 64, encrypted PPID 384 |
//! | 904 | 16 | tag |
//!
//! AES-128-GCM; the first 28 bytes are authenticated too. The key is derived from the machine's
//! secret and the QE's seal key (policy MRSIGNER) at the QE SVN that the header names, so that a QE
//! at a later TCB can tell an older attestation key from a damaged one. The CPUSVN is that of PCK
//! certificates.

use aws_lc_rs::aead::{AES_128_GCM, Aad, Nonce, RandomizedNonceKey};
use sgx::{KeyName, KeyPolicy, KeyRequest, ReportBody, SizeError};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};
use zeroize::Zeroizing;

use crate::attestation_key::AttestationKey;
use crate::machine::{AttestationTcb, Machine};
use crate::p256_key::P256Key;
use crate::{EgetkeyError, Microcode, PlatformError};

const MAGIC: [u8; 8] = *b"SGXSWAK1";

/// A sealed attestation key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// Cut short, or too long.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// Another kind of file, or another version of this one.
    #[error("it does not begin as a sealed attestation key does")]
    Magic,
    /// The QE cannot have the seal key of the TCB that the header names.
    #[error("it names a TCB that this platform never had: {0}")]
    AttestationTcb(#[from] EgetkeyError),
    /// Bytes were changed, or another machine sealed it.
    #[error("its bytes were changed, or another machine sealed it")]
    Damaged,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Sealed {
    header: Header,
    nonce: [u8; 12],
    /// [`Contents`] encrypted, then the tag.
    ciphertext: [u8; size_of::<Contents>() + 16],
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    tcb: AttestationTcb,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Contents {
    scalar: [u8; 32],
    qe_report: ReportBody,
    qe_report_signature: [u8; 64],
    encrypted_ppid: [u8; 384],
}

/// Seals an attestation key of this machine.
pub(crate) fn seal(machine: &Machine, key: &AttestationKey) -> Result<Vec<u8>, PlatformError> {
    let mut ciphertext = plaintext(key);
    let header = Header { magic: MAGIC, tcb: key.tcb };
    let nonce = aead_key(machine, key.tcb)?
        .seal_in_place_append_tag(Aad::from(header.as_bytes()), &mut ciphertext)
        .map_err(|_| PlatformError::Random)?;
    Ok([header.as_bytes(), nonce.as_ref(), &ciphertext].concat())
}

/// [`Contents`] in a buffer with room for the tag, so that encrypting it in place leaves no copy of
/// it behind.
fn plaintext(key: &AttestationKey) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_of::<Sealed>());
    bytes.extend_from_slice(key.key.scalar().as_slice());
    bytes.extend_from_slice(key.qe_report.as_bytes());
    bytes.extend_from_slice(&key.qe_report_signature);
    bytes.extend_from_slice(&key.encrypted_ppid);
    bytes
}

/// Opens a result of [`seal`] on this machine, at this TCB or an earlier one.
pub(crate) fn unseal(machine: &Machine, bytes: &[u8]) -> Result<AttestationKey, UnsealError> {
    let sealed: Sealed = sgx::parse("a sealed attestation key", bytes)?;
    if sealed.header.magic != MAGIC {
        return Err(UnsealError::Magic);
    }
    let tcb = sealed.header.tcb;
    let nonce = Nonce::from(&sealed.nonce);
    let aad = Aad::from(sealed.header.as_bytes());
    check_not_later(machine, tcb)?;
    let mut opened = Zeroizing::new(sealed.ciphertext);
    let plaintext = aead_key(machine, tcb)?
        .open_in_place(nonce, aad, opened.as_mut_slice())
        .map_err(|_| UnsealError::Damaged)?;
    let contents: &Contents =
        Contents::ref_from_bytes(plaintext).map_err(|_| UnsealError::Damaged)?;
    Ok(AttestationKey {
        tcb,
        key: P256Key::from_scalar(&contents.scalar).ok_or(UnsealError::Damaged)?,
        qe_report: contents.qe_report,
        qe_report_signature: contents.qe_report_signature,
        encrypted_ppid: contents.encrypted_ppid,
    })
}

/// A processor has no keys of microcode that it does not run yet.
fn check_not_later(machine: &Machine, tcb: AttestationTcb) -> Result<(), EgetkeyError> {
    Microcode::with_cpu_svn(tcb.cpu_svn)
        .filter(|microcode| *microcode <= machine.microcode)
        .map(drop)
        .ok_or(EgetkeyError::CpuSvn(tcb.cpu_svn))
}

fn aead_key(machine: &Machine, tcb: AttestationTcb) -> Result<RandomizedNonceKey, EgetkeyError> {
    let mut request = KeyRequest::new(KeyName::Seal);
    request.key_policy.set(KeyPolicy::MRSIGNER);
    request.isv_svn = tcb.qe_svn;
    request.cpu_svn = machine.qe.cpu.cpu_svn();
    let seal_key = machine.qe.key(&request)?;
    let key = machine.secret.derive_16("sealed attestation key", &[&*seal_key]);
    Ok(aes_128_gcm(&key))
}

#[expect(clippy::expect_used, reason = "fails only when memory runs out, as any allocation may")]
fn aes_128_gcm(key: &[u8; 16]) -> RandomizedNonceKey {
    RandomizedNonceKey::new(&AES_128_GCM, key).expect("AES-128-GCM takes any key of 16 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MachineSecret;

    fn machine(updates: u8, secret: u8) -> Machine {
        let microcode = Microcode::try_from(updates).unwrap();
        Machine::new(microcode, MachineSecret::from_bytes([secret; 32])).unwrap()
    }

    fn sealed(machine: &Machine) -> Vec<u8> {
        seal(machine, &AttestationKey::make(machine).unwrap()).unwrap()
    }

    fn unseal_error(machine: &Machine, bytes: &[u8]) -> UnsealError {
        unseal(machine, bytes).err().unwrap()
    }

    #[test]
    fn unseals_what_was_sealed() {
        let machine = machine(0, 7);
        let key = AttestationKey::make(&machine).unwrap();
        assert!(unseal(&machine, &seal(&machine, &key).unwrap()).unwrap() == key);
    }

    #[test]
    fn unseals_the_key_of_an_earlier_tcb_but_not_of_a_later_one() {
        let (before, after) = (machine(0, 7), machine(1, 7));
        let key = unseal(&after, &sealed(&before)).unwrap();
        assert_eq!(key.tcb, before.tcb());
        assert!(matches!(unseal_error(&before, &sealed(&after)), UnsealError::AttestationTcb(_)));
    }

    #[test]
    fn refuses_every_changed_byte() {
        let machine = machine(0, 7);
        let sealed = sealed(&machine);
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            let error = unseal_error(&machine, &changed);
            assert_eq!(error == UnsealError::Magic, position < MAGIC.len(), "{position}: {error}");
        }
    }

    #[test]
    fn refuses_other_sizes_and_other_machines() {
        let machine_7 = machine(0, 7);
        let sealed = sealed(&machine_7);
        assert!(matches!(unseal_error(&machine_7, &sealed[1..]), UnsealError::Size(_)));
        assert!(matches!(unseal_error(&machine_7, &[]), UnsealError::Size(_)));
        assert_eq!(unseal_error(&machine(0, 8), &sealed), UnsealError::Damaged);
    }
}
