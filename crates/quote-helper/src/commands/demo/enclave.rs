//! The sample application: what runs inside each of the two enclaves that attest each other.

use anyhow::{Context, anyhow, bail, ensure};
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::rand::{self, SystemRandom};
use quoting::{QuoteRequest, Quoter};
use sgx::{MrEnclave, QeReportInfo, ReportData};
use software_platform::{EnclaveIdentity, SoftwareEnclave};

/// An enclave with a key pair that it made for one conversation.
pub(super) struct Application {
    enclave: SoftwareEnclave,
    private_key: EphemeralPrivateKey,
    public_key: Vec<u8>,
}

/// What one enclave sends to the other: its key, and the quote that vouches for it.
#[derive(Clone)]
pub(super) struct Offer {
    pub(super) public_key: Vec<u8>,
    pub(super) quote: Vec<u8>,
}

impl Application {
    /// An enclave whose code is known by this name. Real enclaves are measured; this one's MRENCLAVE
    /// is the SHA-256 of the name.
    pub(super) fn start(code: &str) -> anyhow::Result<Self> {
        let identity =
            EnclaveIdentity { mr_enclave: mr_enclave(code)?, ..EnclaveIdentity::default() };
        let private_key = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new())
            .map_err(|_| anyhow!("the system gives no random bytes"))?;
        let public_key = private_key.compute_public_key().map_err(|_| anyhow!("no public key"))?;
        Ok(Self {
            enclave: SoftwareEnclave::new(identity),
            private_key,
            public_key: public_key.as_ref().to_vec(),
        })
    }

    /// Gets a quote over its public key, and checks that the platform's QE itself has made it.
    pub(super) fn offer(&self, quoter: &dyn Quoter) -> anyhow::Result<Offer> {
        let key_ids = quoter.attestation_key_ids()?;
        let key_id = *key_ids.first().context("the service has no attestation key")?;
        let target_info = quoter.initialize(&key_id)?.target_info;
        let mut info =
            QeReportInfo { target_info: self.enclave.target_info(), ..Default::default() };
        rand::fill(&mut info.nonce).map_err(|_| anyhow!("the system gives no random bytes"))?;
        let report = self.enclave.report(&target_info, binding(&self.public_key)?);
        let request = QuoteRequest { report, key_id, qe_report_info: Some(info) };
        let reply = quoter.quote(&request)?;
        let proof = reply.qe_report_info.context("the reply lacks the QE's REPORT")?.qe_report;
        self.enclave.verify_report(&proof)?;
        let expected = digest(&SHA256, &[&info.nonce[..], &reply.quote].concat());
        ensure!(
            proof.body.report_data.0.starts_with(expected.as_ref()),
            "the QE's REPORT is about another quote"
        );
        Ok(Offer { public_key: self.public_key.clone(), quote: reply.quote })
    }

    /// Agrees on a key with the other enclave, once its quote is trusted.
    pub(super) fn agree(self, other: &Offer) -> anyhow::Result<RandomizedNonceKey> {
        let public_key = UnparsedPublicKey::new(&X25519, &other.public_key);
        agree_ephemeral(self.private_key, public_key, anyhow!("no agreement"), |secret| {
            let key = Salt::new(HKDF_SHA256, b"remote attestation sample").extract(secret);
            let mut bytes = [0; 32];
            key.expand(&[b"AES-256-GCM"], HKDF_SHA256)
                .and_then(|key| key.fill(&mut bytes))
                .and_then(|()| RandomizedNonceKey::new(&AES_256_GCM, &bytes))
                .map_err(|_| anyhow!("no key"))
        })
    }
}

/// MRENCLAVE of the enclave whose code is known by this name.
pub(super) fn mr_enclave(code: &str) -> anyhow::Result<MrEnclave> {
    Ok(MrEnclave(digest(&SHA256, code.as_bytes()).as_ref().try_into()?))
}

/// The report data that binds a public key: its SHA-256, then zeros.
pub(super) fn binding(public_key: &[u8]) -> anyhow::Result<ReportData> {
    let hash = digest(&SHA256, public_key);
    let mut report_data = ReportData::default();
    match report_data.0.split_at_mut_checked(hash.as_ref().len()) {
        Some((start, _)) => start.copy_from_slice(hash.as_ref()),
        None => bail!("the hash is longer than report data"),
    }
    Ok(report_data)
}

/// Encrypts a message; the nonce goes first.
pub(super) fn seal(key: &RandomizedNonceKey, message: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = message.as_bytes().to_vec();
    let nonce = key
        .seal_in_place_append_tag(Aad::empty(), &mut bytes)
        .map_err(|_| anyhow!("the message cannot be encrypted"))?;
    Ok([&nonce.as_ref()[..], &bytes].concat())
}

/// Decrypts what [`seal`] gave.
pub(super) fn open(key: &RandomizedNonceKey, sealed: &[u8]) -> anyhow::Result<String> {
    let (nonce, rest) = sealed.split_first_chunk::<12>().context("the message is too short")?;
    let mut bytes = rest.to_vec();
    let message = key
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut bytes)
        .map_err(|_| anyhow!("the message was changed, or is under another key"))?;
    Ok(String::from_utf8(message.to_vec())?)
}
