//! What a client asks, as the memory of answers knows it.

use aws_lc_rs::digest::{SHA256, digest};
use collateral::{CollateralId, PckCertificateRequest, TcbUpdate};
use verify::{EnclaveId, PckCa, Tee};

use crate::crl_query::Encoding;

/// An item, and the form that it is wanted in.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) item: CollateralId,
    /// Of CRLs.
    pub(crate) encoding: Encoding,
}

/// The same for the same question. The encrypted PPID is a part of it: an answer that somebody has got with one that
/// does not belong to the QE id is for nobody else.
pub(crate) type Key = [u8; 70];

impl Question {
    /// For all but CRLs.
    pub(crate) fn of(item: CollateralId) -> Self {
        Self { item, encoding: Encoding::Der }
    }

    pub(crate) fn key(&self) -> Key {
        match &self.item {
            CollateralId::PckCertificate(question) => {
                let PckCertificateRequest { qe_id, encrypted_ppid, cpu_svn, pce_svn, pce_id } =
                    question;
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
    fn different_questions_have_different_keys() {
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
        let mut keys: Vec<_> = items.into_iter().map(|item| Question::of(item).key()).collect();
        let encoding = Encoding::Hex;
        keys.push(Question { item: CollateralId::RootCaCrl, encoding }.key());
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count + 1);
    }

    #[test]
    fn the_encrypted_ppid_is_a_part_of_it() {
        let with = |byte| Question::of(pck([1; 16], Some(Box::new([byte; 384])))).key();
        assert_eq!(with(9), with(9));
        assert_ne!(with(9), with(8));
        assert_ne!(with(9), Question::of(pck([1; 16], None)).key());
    }
}
