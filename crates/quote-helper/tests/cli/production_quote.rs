//! A production quote and Intel's collateral of its time, through a server to which that was
//! brought then.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use collateral::{
    Cache, CacheDirectory, CollateralId, Document, Fetcher, Record, RefreshPolicy, RetryPolicy,
    TcbUpdate, platform_items,
};
use dcap_qvl::collateral::CollateralClient;
use dcap_qvl::verify::QuoteVerifier;
use sgx::Collateral;
use verify::{PckCa, Tee, TrustedRoots, Validity};

use serde_json::json;
use test_support::sample::{SAMPLE_TIME, sample, tdx_sample};

use crate::collateral_serve::{SERVE, Server};
use crate::support::Machine;

/// The kinds of platform of the samples.
const SGX_FMSPC: [u8; 6] = [0x00, 0xa0, 0x67, 0x11, 0, 0];
const TDX_FMSPC: [u8; 6] = [0xb0, 0xc0, 0x6f, 0, 0, 0];

fn then() -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(SAMPLE_TIME)).unwrap()
}

/// The responses of Intel's PCS at that time.
fn documents(collateral: &Collateral) -> [Document; 4] {
    let signed = |name: &str, json: &str, signature: &[u8]| {
        format!("{{\"{name}\":{json},\"signature\":\"{}\"}}", hex::encode(signature)).into_bytes()
    };
    let tcb_info = signed("tcbInfo", &collateral.tcb_info, &collateral.tcb_info_signature);
    let identity =
        signed("enclaveIdentity", &collateral.qe_identity, &collateral.qe_identity_signature);
    let document = |body: Vec<u8>, chain: &str| Document { body, issuer_chain: chain.to_owned() };
    [
        document(collateral.pck_crl.clone(), &collateral.pck_crl_issuer_chain),
        document(collateral.root_ca_crl.clone(), ""),
        document(tcb_info, &collateral.tcb_info_issuer_chain),
        document(identity, &collateral.qe_identity_issuer_chain),
    ]
}

/// Keeps the collateral of these items in this directory, by a clock of its time.
fn import(collateral: &Collateral, items: [CollateralId; 4], directory: &Path) {
    let fetcher = Fetcher::new(Vec::new(), TrustedRoots::intel(), RetryPolicy::default(), then);
    let directory = CacheDirectory::new(directory, 1 << 20);
    let cache = Cache::new(fetcher, Some(directory), RefreshPolicy::default(), Box::new(|_| {}));
    for (item, document) in items.into_iter().zip(documents(collateral)) {
        let validity = Validity { from: then(), until: then() };
        let source = "a recording".to_owned();
        let record = Record { item, document, validity, fetched: then(), source };
        assert!(cache.insert(&record).unwrap(), "{}", record.item);
    }
}

/// A server that has this collateral of the sample's time, and asks nobody.
fn server(machine: &Machine, collateral: &Collateral, items: [CollateralId; 4]) -> Server {
    import(collateral, items, &machine.path("server/cache"));
    let offline = format!("{SERVE} --mode offline");
    let offline = offline.replace(" --user-token-file user --admin-token-file admin", "");
    Server::start(&mut machine.command(&offline))
}

#[test]
fn is_verified_by_another_verifier_with_what_the_server_has_of_its_time() {
    let (machine, sample) = (Machine::new(), sample());
    let items = platform_items(Tee::Sgx, SGX_FMSPC, PckCa::Processor, TcbUpdate::Standard);
    let server = server(&machine, &sample.collateral, items);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let found = runtime.block_on(async {
        let client = CollateralClient::with_default_http(server.url()).unwrap();
        client.fetch(&sample.quote).await.unwrap()
    });
    let report = QuoteVerifier::new_prod().verify(&sample.quote, &found, SAMPLE_TIME).unwrap();
    assert_eq!(report.status, "ConfigurationAndSWHardeningNeeded");
}

#[test]
fn a_td_is_verified_with_what_the_server_has_for_tdx() {
    const VERIFY: &str = "verify q.bin --time 2025-06-25T00:00:00Z --output json";
    let (machine, sample) = (Machine::new(), tdx_sample());
    machine.write("q.bin", &sample.quote);
    let items = platform_items(Tee::Tdx, TDX_FMSPC, PckCa::Platform, TcbUpdate::Standard);
    let server = server(&machine, &sample.collateral, items);
    let verify = format!("{VERIFY} --source {}", server.url());
    let verdict = machine.succeed(&verify).json();
    assert_eq!(verdict["attested"]["tcb"]["status"], "UpToDate");
    let td = &verdict["attested"]["td"];
    let mr_td = format!("--mr-td {}", td["mr_td"].as_str().unwrap());
    let rtmr = |number: usize| format!(" --rtmr{number} {}", td["rtmr"][number].as_str().unwrap());
    let all = mr_td + &rtmr(0) + &rtmr(1) + &rtmr(2) + &rtmr(3);
    machine.succeed(&format!("{verify} {all}"));

    // Each refusal names the option that accepts.
    let measurement = "11".repeat(48);
    let of_measurements = [
        "mr-td",
        "rtmr0",
        "rtmr1",
        "rtmr2",
        "rtmr3",
        "mr-config-id",
        "mr-owner",
        "mr-owner-config",
        "mr-seam",
        "mr-signer-seam",
    ];
    let of_measurements = of_measurements.map(|name| format!("--{name} {measurement}"));
    let others = [
        format!("--minimum-tee-tcb-svn {}", "ff".repeat(16)),
        "--td-attributes 0x1/0x1".to_owned(),
        "--xfam 0xffff".to_owned(),
        format!("--fmspc {}", "11".repeat(6)),
        format!("--ppid {}", "11".repeat(16)),
        format!("--platform-instance-id {}", "11".repeat(16)),
        "--minimum-tcb-evaluation-data-number 1000".to_owned(),
    ];
    let mut accepted = String::new();
    for option in of_measurements.iter().chain(&others) {
        let refused = machine.run(&format!("{verify} {option}")).with_code(3).json();
        let advice = refused["advice"][0].as_str().unwrap();
        let accepting = advice.strip_prefix("accepted with ").unwrap_or_else(|| panic!("{advice}"));
        let (name, _) = option.split_once(' ').unwrap();
        assert!(accepting.starts_with(&format!("{name} ")), "{advice}");
        accepted = format!("{accepted} {accepting}");
    }
    machine.succeed(&format!("{verify} {accepted}"));
    let service_td = machine.run(&format!("{verify} --mr-service-td {measurement}"));
    let reason = service_td.with_code(3).json()["reason"].clone();
    assert!(reason.as_str().unwrap().contains("a quote of TDX 1.0, which has no MRSERVICETD"));
    // Numbers of a policy file may be hexadecimal.
    machine.write("policy.toml", "td-attributes = 0x10000000\nxfam = [\"0/0x60000\", 0x602e7]\n");
    let with_file = machine.succeed(&format!("{verify} --policy policy.toml")).json();
    assert_eq!(with_file["attested"]["td"]["td_attributes"], 0x1000_0000);

    let of_sgx = machine.run(&format!("{verify} --isv-prod-id 0")).with_code(3).json();
    let reason = of_sgx["reason"].as_str().unwrap();
    assert!(reason.contains("the quote of a TD, which has no ISVPRODID"), "{reason}");

    let nothing = machine.path("nothing");
    std::fs::create_dir(&nothing).unwrap();
    let fetch = "collateral fetch --quote q.bin --output json --cache-dir cache";
    let fetched = machine.run(&format!("{fetch} --source {}", nothing.display()));
    let fetched = fetched.with_code(1).json();
    let names: Vec<_> = fetched.as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    let expected = ["tcb-info-tdx-b0c06f000000-standard", "enclave-identity-td_qe-standard"];
    assert_eq!(names[2..], expected.map(|name| json!(name)));
}
