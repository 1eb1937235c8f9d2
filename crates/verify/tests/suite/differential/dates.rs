//! Dates: each piece in its first and its last second, and a second outside of them.

use serde_json::Value;
use verify::Step;

use crate::differential::evidence::{DAY, Evidence, NOW, date};
use crate::differential::pki::Who;
use crate::differential::{Case, INTEL_OK, UP_TO_DATE, case, run, undecided};

/// Sets from when to when a piece is valid.
type SetDates = fn(&mut Evidence, i64, i64);

#[test]
fn every_piece_is_valid_from_its_first_to_its_last_second() {
    let pieces: [(&str, SetDates, &str, Step); 8] = [
        ("root", |e, from, until| certificate(e, Who::Root, from, until), CHAIN, Step::RootCrl),
        ("PCK CA", |e, from, until| certificate(e, Who::PckCa, from, until), CHAIN, PCK),
        ("PCK certificate", |e, from, until| certificate(e, Who::Pck, from, until), CHAIN, PCK),
        (
            "TCB signer",
            |e, from, until| certificate(e, Who::TcbSigner, from, until),
            "SGX_SIGNING_CERT_CHAIN_EXPIRED",
            Step::TcbInfo,
        ),
        (
            "root CRL",
            |e, from, until| (e.root_crl.from, e.root_crl.until) = (from, until),
            "SGX_CRL_EXPIRED",
            Step::RootCrl,
        ),
        (
            "PCK CRL",
            |e, from, until| (e.pck_crl.from, e.pck_crl.until) = (from, until),
            "SGX_CRL_EXPIRED",
            PCK,
        ),
        (
            "TCB info",
            |e, from, until| json(&mut e.tcb_info, from, until),
            "SGX_TCB_INFO_EXPIRED",
            Step::TcbInfo,
        ),
        (
            "QE identity",
            |e, from, until| json(&mut e.qe_identity, from, until),
            "SGX_ENCLAVE_IDENTITY_EXPIRED",
            Step::QeIdentity,
        ),
    ];
    let cases = pieces.into_iter().flat_map(|(name, set, expired, step)| -> [Case; 6] {
        let at = |when: &str, from, until, intel, ours| {
            case(format!("{name} {when}"), move |e| set(e, from, until), intel, ours)
        };
        // A CRL is no longer valid at its `nextUpdate`, for dcap-qvl and so for us.
        let last = if name.ends_with("CRL") { undecided(step) } else { UP_TO_DATE };
        [
            at("in its first second", NOW, NOW + DAY, INTEL_OK, UP_TO_DATE),
            at("in its last second", NOW - DAY, NOW, INTEL_OK, last),
            at("a second too late", NOW - DAY, NOW - 1, Err(expired), undecided(step)),
            at("a year too late", NOW - 366 * DAY, NOW - 365 * DAY, Err(expired), undecided(step)),
            // Intel's verifier checks only the ends. An early certificate means a wrong clock.
            at("a second too early", NOW + 1, NOW + DAY, INTEL_OK, undecided(step)),
            at("a year too early", NOW + 365 * DAY, NOW + 366 * DAY, INTEL_OK, undecided(step)),
        ]
    });
    run(&cases.collect::<Vec<_>>());
}

const CHAIN: &str = "SGX_PCK_CERT_CHAIN_EXPIRED";
const PCK: Step = Step::PckCertificate;

fn certificate(evidence: &mut Evidence, who: Who, from: i64, until: i64) {
    let certificate = evidence.certificate(who);
    (certificate.from, certificate.until) = (from, until);
}

fn json(value: &mut Value, from: i64, until: i64) {
    (value["issueDate"], value["nextUpdate"]) = (date(from), date(until));
}
