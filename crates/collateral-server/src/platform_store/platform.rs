//! The stored data of a platform.

use collateral::{Document, PckCertificateRequest, PckContents, PckContentsError, PckTcb};
use verify::PckCa;

/// The key of a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PlatformKey {
    /// QE_ID, 16 bytes.
    pub(crate) qe_id: [u8; 16],
    /// PCE id, 2 bytes, little-endian.
    pub(crate) pce_id: [u8; 2],
}

/// A platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredPlatform {
    /// The kind of platform.
    pub(crate) fmspc: [u8; 6],
    /// The CA of its certificates.
    pub(crate) ca: PckCa,
    /// PPID, encrypted, 384 bytes; empty if it is not known.
    pub(crate) encrypted_ppid: Vec<u8>,
    /// Platform manifest of a multi-package platform; else empty.
    pub(crate) manifest: Vec<u8>,
}

/// PCK certificates of one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PckCertificates {
    /// PEM: the PCK CA's certificate and the root's.
    pub(crate) issuer_chain: String,
    /// TCB and DER of each.
    pub(crate) certificates: Vec<(PckTcb, Vec<u8>)>,
}

/// A row: FMSPC, CA, number of the issuer chain, encrypted PPID, manifest.
pub(super) type PlatformRow<'a> = (&'a [u8; 6], u8, u32, &'a [u8], &'a [u8]);

/// The number of each CA in the table.
const PROCESSOR: u8 = 0;
const PLATFORM: u8 = 1;

impl PlatformKey {
    /// QE id and PCE id, 18 bytes.
    pub(super) fn to_bytes(self) -> [u8; 18] {
        let mut bytes = [0; 18];
        bytes.iter_mut().zip(self.qe_id.into_iter().chain(self.pce_id)).for_each(|(to, from)| {
            *to = from;
        });
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; 18]) -> Self {
        let ([qe_id @ .., first, second], mut key) = (bytes, [0; 16]);
        key.copy_from_slice(qe_id);
        Self { qe_id: key, pce_id: [*first, *second] }
    }
}

impl From<&PckCertificateRequest> for PlatformKey {
    fn from(request: &PckCertificateRequest) -> Self {
        Self { qe_id: request.qe_id, pce_id: request.pce_id }
    }
}

impl StoredPlatform {
    /// The platform of a request, from the contents of its certificate.
    pub(crate) fn of(contents: &PckContents, request: &PckCertificateRequest) -> Self {
        let ppid = request.encrypted_ppid.as_deref();
        let encrypted_ppid = ppid.map(|ppid| ppid.to_vec()).unwrap_or_default();
        Self { fmspc: contents.fmspc, ca: contents.ca, encrypted_ppid, manifest: Vec::new() }
    }

    pub(super) fn read((fmspc, ca, _, encrypted_ppid, manifest): PlatformRow<'_>) -> Self {
        Self {
            fmspc: *fmspc,
            ca: if ca == PLATFORM { PckCa::Platform } else { PckCa::Processor },
            encrypted_ppid: encrypted_ppid.to_vec(),
            manifest: manifest.to_vec(),
        }
    }

    pub(super) fn row(&self, issuer_chain: u32) -> PlatformRow<'_> {
        let ca = match self.ca {
            PckCa::Processor => PROCESSOR,
            PckCa::Platform => PLATFORM,
        };
        (&self.fmspc, ca, issuer_chain, &self.encrypted_ppid, &self.manifest)
    }
}

impl PckCertificates {
    /// A single certificate, and its contents.
    ///
    /// # Errors
    /// [`PckContentsError`] when the document is no PCK certificate.
    pub(crate) fn one(document: &Document) -> Result<(Self, PckContents), PckContentsError> {
        let contents = PckContents::read(&document.body)?;
        let tcb = PckTcb { cpu_svn: contents.cpu_svn, pce_svn: contents.pce_svn };
        let der = der(&document.body);
        let issuer_chain = document.issuer_chain.clone();
        Ok((Self { issuer_chain, certificates: vec![(tcb, der)] }, contents))
    }

    /// The PPID of the platform, by its first certificate.
    pub(crate) fn ppid(&self) -> Option<[u8; 16]> {
        self.certificates.first().and_then(|(_, der)| ppid(der))
    }

    /// The certificate for this TCB, with its issuer chain.
    pub(crate) fn document(&self, tcb: &PckTcb) -> Option<Document> {
        let (_, der) = self.certificates.iter().find(|(offered, _)| offered == tcb)?;
        Some(Document { body: pem(der), issuer_chain: self.issuer_chain.clone() })
    }

    /// The TCBs.
    pub(crate) fn offered(&self) -> Vec<PckTcb> {
        self.certificates.iter().map(|(tcb, _)| *tcb).collect()
    }
}

/// The PPID in a certificate; `None` for DER that is no PCK certificate.
pub(super) fn ppid(der: &[u8]) -> Option<[u8; 16]> {
    PckContents::read_der(der).ok().map(|contents| contents.ppid)
}

/// The PEM of a certificate.
pub(super) fn pem(der: &[u8]) -> Vec<u8> {
    let line_feeds = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new("CERTIFICATE", der), line_feeds).into_bytes()
}

/// The DER of a certificate that has been read.
pub(crate) fn der(pem: &[u8]) -> Vec<u8> {
    pem::parse(pem).map(pem::Pem::into_contents).unwrap_or_default()
}
