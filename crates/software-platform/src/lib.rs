//! An SGX platform in software. **Insecure by design**: nothing here keeps a secret from the
//! machine it runs on, and its built-in keys are public.
//!
//! It is to SGX what swtpm is to a TPM: every structure, derivation and signature is real, but no
//! hardware protects the keys. From the bottom up:
//!
//! - [`Cpu`] and [`SoftwareEnclave`]: EREPORT and EGETKEY with the keys of the simulation mode of
//!   Intel's SDK, so that REPORTs of enclaves built in that mode are accepted, and the other way
//!   round.
//! - The Provisioning Certification Enclave (PCE), which certifies attestation keys with the PCK
//!   key, and the Quoting Enclave (QE), which checks a REPORT and signs the quote.
//! - [`SoftwarePlatform`]: both enclaves of one machine, with their state in a directory.
//!
//! The software CPU's keys are the same on all machines, so a [`MachineSecret`] replaces the fuses
//! of a processor: all keys that differ between machines are derived from it.

mod attestation_key;
mod cpu;
mod deployment;
mod egetkey;
mod enclave;
mod hash;
mod identities;
mod key_derivation;
mod machine;
mod machine_secret;
mod microcode;
mod p256_key;
mod pki;
mod platform;
mod platform_error;
mod provisioning_certification_enclave;
mod provisioning_service;
mod published_tcb;
mod quoting_enclave;
mod sealing;
mod secret_hex;
mod state;
mod state_file;

pub use cpu::Cpu;
pub use deployment::{Deployment, PcsCollateral};
pub use egetkey::EgetkeyError;
pub use enclave::{EnclaveIdentity, ReportError, SoftwareEnclave};
pub use identities::{FMSPC, PCE_ID, PCE_SVN, QE_SVN, quoting_enclave_identity};
pub use machine_secret::MachineSecret;
pub use microcode::{Microcode, MicrocodeError};
pub use pki::{
    Certificate, CollateralIssue, MICROCODE_COMPONENT, PckCertificate, PckSubject, PcsUrl,
    PcsUrlError, PkiError, SignedJson, SubjectNames, TcbLevel, TcbStatus,
};
pub use platform::{CertificationKind, SoftwarePlatform};
pub use platform_error::PlatformError;
pub use provisioning_certification_enclave::CertifyError;
pub use provisioning_service::decrypt_ppid;
pub use published_tcb::PublishedTcb;
pub use quoting_enclave::QuoteError;
pub use sealing::UnsealError;
pub use state::{StateError, TcbStamp};
