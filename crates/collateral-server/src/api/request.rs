//! A request for a document, and its key in the cache of responses.

use aws_lc_rs::digest::{SHA256, digest};
use collateral::{CollateralId, PckCertificateRequest, TcbUpdate};
use verify::{EnclaveId, PckCa, Tee};

/// An item, and its encoding in the response.
#[derive(Debug, Clone)]
pub(crate) struct ApiRequest {
    pub(crate) item: CollateralId,
    /// Of CRLs; ignored for other items.
    pub(crate) encoding: Encoding,
}

/// The encoding of a CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// DER as hexadecimal digits, the default of a PCCS.
    Hex,
    Der,
    Pem,
}

/// The key of a request. It includes the encrypted PPID, so that a response to one that does not
/// belong to the QE id is not sent to anyone else.
pub(crate) type Key = [u8; 70];

impl ApiRequest {
    /// A request for anything but a CRL.
    pub(crate) fn new(item: CollateralId) -> Self {
        Self { item, encoding: Encoding::Der }
    }

    pub(crate) fn key(&self) -> Key {
        match &self.item {
            CollateralId::PckCertificate(request) => {
                let PckCertificateRequest { qe_id, encrypted_ppid, cpu_svn, pce_svn, pce_id } =
                    request;
                let ppid = encrypted_ppid.as_deref().map(|ppid| digest(&SHA256, ppid));
                let ppid = ppid.as_ref().map(AsRef::as_ref).unwrap_or_default();
                key([0, 0], &[qe_id, &cpu_svn.0, &pce_svn.to_le_bytes(), pce_id, ppid])
            }
            CollateralId::PckCrl(PckCa::Processor) => key([1, self.encoding as u8], &[]),
            CollateralId::PckCrl(PckCa::Platform) => key([2, self.encoding as u8], &[]),
            CollateralId::RootCaCrl => key([3, self.encoding as u8], &[]),
            CollateralId::TcbInfo { tee: Tee::Sgx, fmspc, set } => {
                key([4, 0], &[fmspc, &number(*set)])
            }
            CollateralId::TcbInfo { tee: Tee::Tdx, fmspc, set } => {
                key([5, 0], &[fmspc, &number(*set)])
            }
            CollateralId::EnclaveIdentity { enclave, set } => {
                let enclave = match enclave {
                    EnclaveId::Qe => 6,
                    EnclaveId::Qve => 7,
                    EnclaveId::TdQe => 8,
                };
                key([enclave, 0], &[&number(*set)])
            }
        }
    }
}

fn key(kind: [u8; 2], parts: &[&[u8]]) -> Key {
    let mut key = [0; 70];
    let bytes = kind.iter().chain(parts.iter().copied().flatten());
    key.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    key
}

fn number(set: TcbUpdate) -> [u8; 5] {
    let (kind, number) = match set {
        TcbUpdate::Standard => (0, 0),
        TcbUpdate::Early => (1, 0),
        TcbUpdate::Number(number) => (2, number),
    };
    let [a, b, c, d] = number.to_le_bytes();
    [kind, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use sgx::CpuSvn;

    use super::*;

    fn pck(qe_id: [u8; 16], encrypted_ppid: Option<Box<[u8; 384]>>) -> CollateralId {
        let (cpu_svn, pce_svn, pce_id) = (CpuSvn([1; 16]), 0x0203, [4, 5]);
        CollateralId::PckCertificate(PckCertificateRequest {
            qe_id,
            encrypted_ppid,
            cpu_svn,
            pce_svn,
            pce_id,
        })
    }

    #[test]
    fn different_requests_have_different_keys() {
        let mut items = vec![pck([1; 16], None), pck([2; 16], None), CollateralId::RootCaCrl];
        items.extend([PckCa::Processor, PckCa::Platform].map(CollateralId::PckCrl));
        let sets = [TcbUpdate::Standard, TcbUpdate::Early, TcbUpdate::Number(0)];
        for set in sets.into_iter().chain([TcbUpdate::Number(1)]) {
            for tee in [Tee::Sgx, Tee::Tdx] {
                items.push(CollateralId::TcbInfo { tee, fmspc: [0; 6], set });
                items.push(CollateralId::TcbInfo { tee, fmspc: [1; 6], set });
            }
            for enclave in [EnclaveId::Qe, EnclaveId::Qve, EnclaveId::TdQe] {
                items.push(CollateralId::EnclaveIdentity { enclave, set });
            }
        }
        let count = items.len();
        let mut keys: Vec<_> = items.into_iter().map(|item| ApiRequest::new(item).key()).collect();
        let encoding = Encoding::Hex;
        keys.push(ApiRequest { item: CollateralId::RootCaCrl, encoding }.key());
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count + 1);
    }

    #[test]
    fn the_key_includes_the_encrypted_ppid() {
        let with = |byte| ApiRequest::new(pck([1; 16], Some(Box::new([byte; 384])))).key();
        assert_eq!(with(9), with(9));
        assert_ne!(with(9), with(8));
        assert_ne!(with(9), ApiRequest::new(pck([1; 16], None)).key());
    }
}
