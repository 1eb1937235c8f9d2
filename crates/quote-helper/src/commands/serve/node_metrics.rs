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

/// Gauges of the machine. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeMetrics {
    expiry: Family<ExpiryLabels, Gauge>,
    tcb_status: Family<TcbStatusLabels, Gauge>,
    epc: Family<EpcLabels, Gauge>,
    pub(super) refresh_failures: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExpiryLabels {
    what: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TcbStatusLabels {
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EpcLabels {
    kind: &'static str,
}

impl NodeMetrics {
    /// Registers the gauges, with their initial values.
    pub(super) fn new(metrics: &Metrics) -> Self {
        let node = Self::default();
        metrics.register(|registry| node.register(registry));
        node.epc.get_or_create(&EpcLabels { kind: "total" }).set(epc::total());
        node.update(&[]);
        node
    }

    fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "expiry_timestamp",
            "Earliest expiry of each kind of collateral that verifiers of this machine's quotes need",
            Unit::Seconds,
            self.expiry.clone(),
        );
        registry.register(
            "tcb_status",
            "Status of this machine's TCB: 1 for the current one",
            self.tcb_status.clone(),
        );
        let help = "Enclave memory of this machine, and its use by this service's cgroup";
        registry.register_with_unit("epc", help, Unit::Bytes, self.epc.clone());
        registry.register(
            "collateral_refresh_failures",
            "Failed refreshes of collateral that was due",
            self.refresh_failures.clone(),
        );
    }

    /// Updates the gauges: `nodes` has one platform, or none yet.
    pub(super) fn update(&self, nodes: &[NodeStatus]) {
        let records: Vec<_> = nodes.iter().flat_map(|node| &node.records).collect();
        for what in COLLATERAL_KINDS {
            let labels = ExpiryLabels { what };
            let kind = records.iter().filter(|record| name(&record.item) == Some(what));
            match kind.map(|record| expiry(record)).min() {
                Some(at) => drop(self.expiry.get_or_create(&labels).set(at)),
                None => drop(self.expiry.remove(&labels)),
            }
        }
        let statuses: Vec<_> = nodes.iter().map(tcb_status).collect();
        let all = TcbStatus::published().map(|status| status.to_string());
        for status in all.chain([BELOW_ALL_LEVELS, UNKNOWN].map(str::to_owned)) {
            let has = statuses.contains(&status);
            self.tcb_status.get_or_create(&TcbStatusLabels { status }).set(has.into());
        }
        if let Some(in_use) = epc::in_use() {
            self.epc.get_or_create(&EpcLabels { kind: "in-use" }).set(in_use);
        }
    }
}

/// The kinds of collateral that verifiers need.
const COLLATERAL_KINDS: [&str; 5] =
    ["pck-certificate", "pck-crl", "root-ca-crl", "tcb-info", "qe-identity"];

/// Status of a TCB below all published levels.
const BELOW_ALL_LEVELS: &str = "below_all_levels";
/// Status without TCB info.
const UNKNOWN: &str = "unknown";

fn name(item: &CollateralId) -> Option<&'static str> {
    let [pck_certificate, pck_crl, root_ca_crl, tcb_info, qe_identity] = COLLATERAL_KINDS;
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
