//! TCB status of machines, by cached records.

use verify::{PckCertificate, SgxExtension, TcbAssessment, TcbInfo, Tee, TrustedRoots};

use crate::{CollateralId, Document, PckTcb, Record, TcbUpdate, platform_items};

/// A machine with a cached PCK certificate, and its TCB status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// QE id, 16 bytes.
    pub qe_id: [u8; 16],
    /// The PCK certificate for the highest TCB.
    pub certificate: PckCertificate,
    /// Revoked by the CRL; `None` without a CRL.
    pub revoked: Option<bool>,
    /// The TCB by the requested evaluation; `None` without TCB info.
    pub tcb: Option<EvaluatedTcb>,
    /// The TCB by the early evaluation, if that is cached and not the requested one.
    pub early: Option<EvaluatedTcb>,
    /// The records used: the PCK certificate, CRLs, TCB info, the QE identity.
    pub records: Vec<Record>,
    /// The items that are not cached.
    pub missing: Vec<CollateralId>,
}

/// The TCB of a platform by some TCB info.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluatedTcb {
    /// TCB evaluation data number of the TCB info.
    pub tcb_evaluation_data_number: u32,
    /// The level reached, and the components below a better one.
    pub assessment: TcbAssessment,
}

/// The machines whose PCK certificates are among these records, all checked with these roots.
#[must_use]
pub fn node_statuses(records: &[Record], set: TcbUpdate, roots: &TrustedRoots) -> Vec<NodeStatus> {
    let mut nodes: Vec<Node<'_>> = Vec::new();
    for node in records.iter().filter_map(|record| Node::read(record, roots)) {
        match nodes.iter_mut().find(|known| known.qe_id == node.qe_id) {
            Some(known) if node.is_after(known) => *known = node,
            Some(_) => {}
            None => nodes.push(node),
        }
    }
    let kept = CheckedRecords { records, roots };
    nodes.into_iter().map(|node| node.status(&kept, set)).collect()
}

/// A machine's PCK certificate.
struct Node<'a> {
    record: &'a Record,
    qe_id: [u8; 16],
    certificate: PckCertificate,
}

impl<'a> Node<'a> {
    fn read(record: &'a Record, roots: &TrustedRoots) -> Option<Self> {
        let CollateralId::PckCertificate(question) = &record.item else { return None };
        let Document { body, issuer_chain } = &record.document;
        let certificate =
            verify::check_pck_certificate(body, issuer_chain, roots, record.fetched).ok()?;
        Some(Self { record, qe_id: question.qe_id, certificate })
    }

    /// Tells if this is the certificate after an update, and the other one that from before.
    fn is_after(&self, other: &Self) -> bool {
        let order = (self.tcb().partial_cmp(&other.tcb()))
            .filter(|order| order.is_ne())
            .unwrap_or(self.record.fetched.cmp(&other.record.fetched));
        order.is_gt()
    }

    fn tcb(&self) -> PckTcb {
        let SgxExtension { tcb_components, pce_svn, .. } = self.certificate.extension;
        PckTcb { cpu_svn: sgx::CpuSvn(tcb_components), pce_svn }
    }

    fn status(self, kept: &CheckedRecords<'_>, set: TcbUpdate) -> NodeStatus {
        let (fmspc, ca) = (self.certificate.extension.fmspc, self.certificate.ca);
        let items = platform_items(Tee::Sgx, fmspc, ca, set);
        let [pck_crl, _, tcb_info, _] = items.each_ref().map(|item| kept.find(item));
        let early = platform_items(Tee::Sgx, fmspc, ca, TcbUpdate::Early);
        let [_, _, early, _] = early.each_ref().map(|item| kept.find(item));
        let early = early.filter(|_| set != TcbUpdate::Early);
        let standing = |record| Some(self.standing(&kept.tcb_info(record)?));
        let others = items.iter().filter_map(|item| kept.find(item));
        NodeStatus {
            qe_id: self.qe_id,
            revoked: pck_crl.and_then(|crl| kept.revokes(crl, &self.certificate)),
            tcb: tcb_info.and_then(standing),
            early: early.and_then(standing),
            records: std::iter::once(self.record).chain(others).cloned().collect(),
            missing: items.iter().filter(|item| kept.find(item).is_none()).cloned().collect(),
            certificate: self.certificate,
        }
    }

    fn standing(&self, info: &TcbInfo) -> EvaluatedTcb {
        let SgxExtension { tcb_components, pce_svn, .. } = &self.certificate.extension;
        EvaluatedTcb {
            tcb_evaluation_data_number: info.tcb_evaluation_data_number,
            assessment: info.assess(tcb_components, *pce_svn),
        }
    }
}

struct CheckedRecords<'a> {
    records: &'a [Record],
    roots: &'a TrustedRoots,
}

impl<'a> CheckedRecords<'a> {
    fn find(&self, item: &CollateralId) -> Option<&'a Record> {
        self.records.iter().find(|record| record.item == *item)
    }

    fn tcb_info(&self, record: &Record) -> Option<TcbInfo> {
        let Document { body, issuer_chain } = &record.document;
        verify::check_tcb_info(body, issuer_chain, self.roots, record.fetched).ok()
    }

    fn revokes(&self, crl: &Record, certificate: &PckCertificate) -> Option<bool> {
        let Document { body, issuer_chain } = &crl.document;
        let crl = verify::check_pck_crl(body, issuer_chain, self.roots, crl.fetched).ok()?;
        Some(crl.revokes(&certificate.serial))
    }
}
