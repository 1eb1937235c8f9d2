//! The TCB of this machine, from the cache of collateral: it needs no quote, and so is known with
//! Intel's Quoting Enclave too.

use collateral::settings::{Machine, PartialSettings, Settings};
use collateral::{Cache, NodeStatus, node_statuses};
use verify::TcbStatus;

use crate::finding::Finding;

const NAME: &str = "tcb";
const FIX: &str = "`quote-helper collateral status`, with the cache of the quote service, lists \
                   the shortfalls and their fixes";

/// The platforms whose PCK certificates are in the cache of this process's settings; empty if that
/// cannot be read.
pub(crate) fn gather() -> Vec<NodeStatus> {
    let Ok(settings) = Settings::choose(PartialSettings::default(), &Machine::this()) else {
        return Vec::new();
    };
    let Ok(cache) = Cache::open(&settings, Box::new(|_| {})) else { return Vec::new() };
    let records = cache.records().unwrap_or_default();
    node_statuses(&records, settings.evaluation, cache.fetcher().roots())
}

/// The finding about the TCB status, whose name is its value. A machine has one platform.
pub(crate) fn finding(nodes: &[NodeStatus]) -> Finding {
    let Some(node) = nodes.first() else {
        return Finding::skipped(
            NAME,
            "there is no PCK certificate in the cache of collateral",
            "this project's libdcap_quoteprov.so.1 stores it when Intel's Quoting Enclave requests it, if \
             it has the same cache (QUOTE_HELPER_COLLATERAL_CACHE_DIR)",
        );
    };
    let fmspc = hex::encode(node.certificate.extension.fmspc);
    if node.revoked == Some(true) {
        return Finding::warning(
            NAME,
            format!("the PCK certificate is revoked; FMSPC {fmspc}"),
            FIX,
        )
        .with_value("Revoked");
    }
    let Some(tcb) = &node.tcb else {
        let detail = format!("there is no TCB info for FMSPC {fmspc} in the cache of collateral");
        let ca = node.certificate.ca;
        let fix = format!("fetch it: `quote-helper collateral fetch --fmspc {fmspc} --ca {ca}`");
        return Finding::skipped(NAME, detail, fix);
    };
    let assessment = &tcb.assessment;
    let Some(status) = assessment.reached.as_ref().map(|level| level.status) else {
        return Finding::warning(NAME, "below every published level", FIX);
    };
    let short: Vec<_> = assessment.shortfalls.iter().map(ToString::to_string).collect();
    let detail = match &short[..] {
        [] => format!("{status}; FMSPC {fmspc}"),
        short => format!("{status}: {}; FMSPC {fmspc}", short.join("; ")),
    };
    match status {
        TcbStatus::UpToDate | TcbStatus::SWHardeningNeeded => Finding::ok(NAME, detail),
        _ => Finding::warning(NAME, detail, FIX),
    }
    .with_value(status.to_string())
}
