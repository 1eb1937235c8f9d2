//! Inputs of a verification, changed at random: bytes of evidence that is signed already, and
//! contents that are signed after the change.

use serde_json::{Value, json};
use sgx::Collateral;
use test_support::sample::{SAMPLE_TIME, read, sample, tdx_sample};
use verify::{TcbStatus, TrustedRoots, Verifier};

use super::random::Random;
use crate::common::platform::Platform;
use crate::differential::evidence::{DAY, Evidence, NOW, date, level, qe_level};
use crate::differential::pki::Who;

/// Evidence that verifies, and a verifier that remembers it.
pub(crate) struct Base {
    input: Input,
    pub(crate) verifier: Verifier,
}

/// The inputs of one verification.
#[derive(Clone)]
pub(crate) struct Input {
    /// The change, for people.
    pub(crate) change: String,
    pub(crate) quote: Vec<u8>,
    pub(crate) collateral: Collateral,
    pub(crate) roots: TrustedRoots,
    /// Seconds since 1970.
    pub(crate) now: u64,
}

pub(crate) fn bases() -> Vec<Base> {
    let production = [sample(), tdx_sample(), read("tdx_quote_td15ex")];
    let times = [SAMPLE_TIME, SAMPLE_TIME, 1_792_022_400];
    let production = production.into_iter().zip(times).map(|(sample, now)| Input {
        change: String::new(),
        quote: sample.quote,
        collateral: sample.collateral,
        roots: TrustedRoots::intel(),
        now,
    });
    let own = [Platform::new(|_| ()), Platform::tdx(|_| ())];
    let own = own.into_iter().map(|platform| Input {
        change: String::new(),
        quote: platform.quote.to_bytes(),
        collateral: platform.collateral,
        roots: platform.roots,
        now: SAMPLE_TIME,
    });
    let base = |input: Input| {
        let verifier = Verifier::new(input.roots.clone());
        Base { input, verifier }
    };
    production.chain(own).map(base).collect()
}

/// The evidence of this base after a change of its bytes or of the time.
pub(crate) fn changed(base: &Base, random: &mut Random) -> Input {
    let mut input = base.input.clone();
    for _ in 0..=random.below(2) {
        let change = match random.below(8) {
            0 => change_time(&mut input, random),
            1..4 => format!("quote: {}", change_bytes(&mut input.quote, random)),
            _ => change_collateral(&mut input.collateral, random),
        };
        input.change = format!("{} {change};", input.change);
    }
    input
}

fn change_time(input: &mut Input, random: &mut Random) -> String {
    let seconds = random.of(&[1, 3_600, 86_400, 30 * 86_400, 400 * 86_400, 10_000 * 86_400]);
    input.now = match random.below(2) {
        0 => input.now.saturating_sub(seconds),
        _ => input.now.saturating_add(seconds),
    };
    format!("at {}", input.now)
}

fn change_collateral(collateral: &mut Collateral, random: &mut Random) -> String {
    type Text = fn(&mut Collateral) -> &mut String;
    type Binary = fn(&mut Collateral) -> &mut Vec<u8>;
    let texts: [(&str, Text); 5] = [
        ("PCK CRL issuer chain", |c| &mut c.pck_crl_issuer_chain),
        ("TCB info issuer chain", |c| &mut c.tcb_info_issuer_chain),
        ("TCB info", |c| &mut c.tcb_info),
        ("QE identity issuer chain", |c| &mut c.qe_identity_issuer_chain),
        ("QE identity", |c| &mut c.qe_identity),
    ];
    let binaries: [(&str, Binary); 4] = [
        ("root CRL", |c| &mut c.root_ca_crl),
        ("PCK CRL", |c| &mut c.pck_crl),
        ("TCB info signature", |c| &mut c.tcb_info_signature),
        ("QE identity signature", |c| &mut c.qe_identity_signature),
    ];
    if random.below(2) == 0 {
        let (name, text) = random.of(&texts);
        let text = text(collateral);
        let mut bytes = std::mem::take(text).into_bytes();
        let change = change_bytes(&mut bytes, random);
        *text = String::from_utf8_lossy(&bytes).into_owned();
        return format!("{name}: {change}");
    }
    let (name, bytes) = random.of(&binaries);
    format!("{name}: {}", change_bytes(bytes(collateral), random))
}

fn change_bytes(bytes: &mut Vec<u8>, random: &mut Random) -> String {
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    let at = random.below(bytes.len());
    match random.below(6) {
        0..3 => {
            let bit = random.below(8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at} flipped")
        }
        3 => {
            bytes.truncate(at);
            format!("cut off at {at}")
        }
        4 => {
            bytes.remove(at);
            format!("byte {at} removed")
        }
        _ => {
            let byte = random.of(&[0, b' ', b'\n', b'0', b'A', 0xff]);
            bytes.insert(at, byte);
            format!("{byte:#04x} inserted at {at}")
        }
    }
}

/// Evidence under a root of its own, signed after changes of its contents.
pub(crate) fn signed(random: &mut Random) -> Input {
    let mut evidence = Evidence::new();
    let mut changes = String::new();
    for _ in 0..=random.below(3) {
        let change = change_contents(&mut evidence, random);
        changes = format!("{changes} {change};");
    }
    let (quote, collateral, roots) = evidence.sign();
    Input { change: changes, quote, collateral, roots, now: NOW.cast_unsigned() }
}

fn change_contents(evidence: &mut Evidence, random: &mut Random) -> String {
    const SVNS: [u8; 6] = [0, 1, 3, 4, 5, 6];
    let who = random.of(&[Who::PckCa, Who::TcbSigner, Who::Pck]);
    let days = |random: &mut Random| random.of(&[-400, -2, -1, 0, 1, 2, 400]) * DAY;
    match random.below(14) {
        0 => {
            let (from, until) = (NOW + days(random), NOW + days(random));
            let certificate = evidence.certificate(who);
            (certificate.from, certificate.until) = (from.min(until), from.max(until));
            format!("{who:?} valid from {from} until {until}")
        }
        1 => {
            evidence.certificate(who).issuer = random.of(&[Who::Root, Who::PckCa, Who::Stranger]);
            format!("{who:?} by {:?}", evidence.certificate(who).issuer)
        }
        2 => {
            let names = ["Test SGX PCK Certificate", "Test SGX TCB Signing", "Nobody"];
            random.of(&names).clone_into(&mut evidence.certificate(who).name);
            format!("{who:?} named {}", evidence.certificate(who).name)
        }
        3 => {
            evidence.certificate(who).is_ca ^= true;
            format!("{who:?} is or is no CA")
        }
        4 => {
            let crl = random.of(&[true, false]);
            let list = if crl { &mut evidence.root_crl } else { &mut evidence.pck_crl };
            list.revoked = vec![who as u64 + 1];
            format!("{who:?} revoked by the root {crl}")
        }
        5 => {
            let crl = random.of(&[true, false]);
            let list = if crl { &mut evidence.root_crl } else { &mut evidence.pck_crl };
            list.from = NOW + days(random);
            list.until = list.from + random.of(&[1, 2, 400, 800]) * DAY;
            format!("CRL of the root {crl} from {} until {}", list.from, list.until)
        }
        6 => {
            let crl = random.of(&[true, false]);
            let list = if crl { &mut evidence.root_crl } else { &mut evidence.pck_crl };
            list.signer = who;
            format!("CRL of the root {crl} by {who:?}")
        }
        7 => {
            evidence.platform.components[random.below(16)] = random.of(&SVNS);
            evidence.platform.cpu_svn = evidence.platform.components;
            format!("platform {:?}", evidence.platform.components)
        }
        8 => {
            evidence.platform.pce_svn = random.of(&[0, 5, 8, 9, 10, 300]);
            format!("PCESVN {}", evidence.platform.pce_svn)
        }
        9 => {
            let status = random.of(&TcbStatus::ALL);
            let mut components = [random.of(&SVNS); 16];
            components[random.below(16)] = random.of(&SVNS);
            let at = random.below(4);
            if let Some(levels) = evidence.tcb_info["tcbLevels"].as_array_mut() {
                let level = level(components, random.of(&[0, 8, 10]), status);
                levels.insert(at.min(levels.len()), level);
            }
            format!("TCB level {status} {components:?} at {at}")
        }
        10 => {
            // The highest first, as Intel publishes them; dcap-qvl does not sort them.
            let svns = [99, 9, 8, 4, 0].into_iter().filter(|_| random.below(2) == 0);
            let svns: Vec<u16> = svns.collect();
            let levels: Vec<Value> =
                svns.iter().map(|svn| qe_level(*svn, random.of(&TcbStatus::ALL))).collect();
            evidence.qe_identity["tcbLevels"] = json!(levels);
            format!("QE levels {levels:?}")
        }
        11 => {
            let json = random.of(&[true, false]);
            let member = random.of(&["issueDate", "nextUpdate"]);
            let when = date(NOW + days(random));
            let json = if json { &mut evidence.tcb_info } else { &mut evidence.qe_identity };
            json[member] = when.clone();
            format!("{} {member} {when}", json["id"])
        }
        12 => {
            let is_info = random.of(&[true, false]);
            let json = if is_info { &mut evidence.tcb_info } else { &mut evidence.qe_identity };
            let members = json.as_object_mut().unwrap();
            let member = members.keys().nth(random.below(members.len())).unwrap().clone();
            let value = random.of(&[None, Some(0), Some(1), Some(3), Some(-1)]);
            match value {
                None => members.remove(&member),
                Some(number) => members.insert(member.clone(), json!(number)),
            };
            format!("{member} {value:?}")
        }
        _ => {
            let report = &mut evidence.quote.signature.qe_report;
            report.isv_svn = sgx::U16::new(random.of(&[0, 4, 7, 8, 9]));
            format!("QE {}", report.isv_svn)
        }
    }
}
