//! Metrics of the machine: expiry of its collateral, status of its TCB, EPC.

mod epc;
mod software;

use std::time::UNIX_EPOCH;

use collateral::{CollateralId, NodeStatus, Record};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use service::Metrics;
use verify::TcbStatus;

/// Gauges of the machine. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeMetrics {
    expiry: Family<Piece, Gauge>,
    tcb_status: Family<OfStatus, Gauge>,
    epc: Family<OfEpc, Gauge>,
    pub(super) refresh_failures: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Piece {
    what: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStatus {
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfEpc {
    kind: &'static str,
}

impl NodeMetrics {
    /// Registers the gauges, with the values that are known at the start.
    pub(super) fn new(metrics: &Metrics) -> Self {
        let node = Self::default();
        metrics.register(|registry| node.register(registry));
        node.epc.get_or_create(&OfEpc { kind: "total" }).set(epc::total());
        node.update(&[]);
        node
    }

    fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "expiry_timestamp",
            "When the first of its kind expires that quotes of this machine are verified with",
            Unit::Seconds,
            self.expiry.clone(),
        );
        registry.register(
            "tcb_status",
            "The status of this machine's TCB: 1 for the one that it has",
            self.tcb_status.clone(),
        );
        let help = "Enclave memory of this machine, and what this service's cgroup has of it";
        registry.register_with_unit("epc", help, Unit::Bytes, self.epc.clone());
        registry.register(
            "collateral_refresh_failures",
            "Collateral that was due and could not be fetched",
            self.refresh_failures.clone(),
        );
    }

    /// Shows the platforms of this machine: one, or none yet.
    pub(super) fn update(&self, nodes: &[NodeStatus]) {
        let records: Vec<_> = nodes.iter().flat_map(|node| &node.records).collect();
        for what in PIECES {
            let piece = Piece { what };
            let of_piece = records.iter().filter(|record| name(&record.item) == Some(what));
            match of_piece.map(|record| expiry(record)).min() {
                Some(at) => drop(self.expiry.get_or_create(&piece).set(at)),
                None => drop(self.expiry.remove(&piece)),
            }
        }
        let statuses: Vec<_> = nodes.iter().map(tcb_status).collect();
        let all = TcbStatus::published().map(|status| status.to_string());
        for status in all.chain([BELOW_ALL_LEVELS, UNKNOWN].map(str::to_owned)) {
            let has = statuses.contains(&status);
            self.tcb_status.get_or_create(&OfStatus { status }).set(has.into());
        }
        if let Some(in_use) = epc::in_use() {
            self.epc.get_or_create(&OfEpc { kind: "in-use" }).set(in_use);
        }
    }
}

/// The collateral of a quote.
const PIECES: [&str; 5] = ["pck-certificate", "pck-crl", "root-ca-crl", "tcb-info", "qe-identity"];

/// The TCB is below every level that is published.
const BELOW_ALL_LEVELS: &str = "below_all_levels";
/// There is no TCB info.
const UNKNOWN: &str = "unknown";

fn name(item: &CollateralId) -> Option<&'static str> {
    let [pck_certificate, pck_crl, root_ca_crl, tcb_info, qe_identity] = PIECES;
    Some(match item {
        CollateralId::PckCertificate(_) => pck_certificate,
        CollateralId::PckCrl(_) => pck_crl,
        CollateralId::RootCaCrl => root_ca_crl,
        CollateralId::TcbInfo { .. } => tcb_info,
        CollateralId::EnclaveIdentity { .. } => qe_identity,
    })
}

/// The status that a verifier finds.
fn tcb_status(node: &NodeStatus) -> String {
    if node.revoked == Some(true) {
        return TcbStatus::Revoked.to_string();
    }
    let Some(tcb) = &node.tcb else { return UNKNOWN.to_owned() };
    let reached = tcb.assessment.reached.as_ref();
    reached.map_or_else(|| BELOW_ALL_LEVELS.to_owned(), |level| level.status.to_string())
}

/// In seconds since 1970.
fn expiry(record: &Record) -> i64 {
    let at = record.validity.until.duration_since(UNIX_EPOCH).unwrap_or_default();
    at.as_secs().try_into().unwrap_or(i64::MAX)
}
