//! Headers of the Open Enclave SDK.

use evidence::Content;

use super::{Case, ENDED, SGX_ECDSA, bound, error, other, quote, unbound};
use crate::samples::{Samples, base64, epid, oe_evidence, oe_report, tdx};

const TDX: &str = "8ba70286c1cf11edafa10242ac120002";
const SGX_LOCAL: &str = "09268c336e0b45e58a2715644d0ef89a";
const SGX_EPID: &str = "f228aa3fde4d49d3884cb2aa87a50da6";

pub(crate) fn headers(samples: &Samples) -> Vec<Case> {
    let q = samples.quote_of(b"claims");
    let with_claims = [q.as_slice(), b"claims"].concat();
    let other_claims = [q.as_slice(), b"others"].concat();
    let no_claims = samples.quote_of(b"");
    let tdx = tdx(&q, 4);
    let report = oe_report(2, &q);
    let local = samples.report(&[]);
    let ecdsa = "Open Enclave evidence (SGX ECDSA)";
    let padded_report = [report.as_slice(), &[0; 50]].concat();
    vec![
        quote("a report", &q, &report, "an Open Enclave report"),
        quote("a report in base64", &q, base64(&report), "an Open Enclave report, in base64"),
        quote(
            "a report in hexadecimal",
            &q,
            hex::encode(&report),
            "an Open Enclave report, in hexadecimal",
        ),
        quote("a report in a buffer", &q, padded_report, "an Open Enclave report"),
        bound("evidence", &q, oe_evidence(3, SGX_ECDSA, &with_claims), ecdsa),
        bound("evidence without claims", &no_claims, oe_evidence(3, SGX_ECDSA, &no_claims), ecdsa),
        unbound("evidence with other claims", &q, oe_evidence(3, SGX_ECDSA, &other_claims), ecdsa),
        quote("evidence for TDX", &tdx, oe_evidence(3, TDX, &tdx), "Open Enclave evidence (TDX)"),
        error("evidence, version 2", oe_evidence(2, SGX_ECDSA, &report), "has version 2, not 3"),
        other("a local report", oe_report(1, &local), Content::LocalReport, "on the same machine"),
        other(
            "local evidence",
            oe_evidence(3, SGX_LOCAL, &local),
            Content::LocalReport,
            "local report",
        ),
        other(
            "EPID evidence",
            oe_evidence(3, SGX_EPID, &epid(2)),
            Content::EpidQuote { version: 2 },
            ENDED,
        ),
        error("a report cut off", &report[..1000], "bytes, and 984 follow"),
        error("evidence cut off", &oe_evidence(3, SGX_ECDSA, &q)[..1000], "bytes, and 972 follow"),
        error("a short local report", oe_report(1, &local[..100]), "it has 100 bytes of 432"),
        error(
            "a report without a quote",
            oe_report(2, &[9; 100]),
            "(read from an Open Enclave report)",
        ),
    ]
}
