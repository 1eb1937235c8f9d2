//! A production quote and Intel's collateral of its time, through a server to which that was brought then.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use collateral::{
    Cache, CacheDirectory, Document, EvaluationSet, Fetcher, Freshness, Record, Timing,
    platform_items,
};
use dcap_qvl::collateral::CollateralClient;
use dcap_qvl::verify::QuoteVerifier;
use sgx::Collateral;
use verify::{PckCa, TrustedRoots, Validity};

use crate::collateral_serve::{SERVE, Server};
use crate::production::{SAMPLE_TIME, sample};
use crate::support::Machine;

/// The sample's kind of platform.
const FMSPC: [u8; 6] = [0x00, 0xa0, 0x67, 0x11, 0, 0];

fn then() -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(SAMPLE_TIME)).unwrap()
}

/// What Intel's PCS answered then.
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

/// Keeps the collateral in this directory, by a clock of its time.
fn import(collateral: &Collateral, directory: &Path) {
    let fetcher = Fetcher::new(Vec::new(), TrustedRoots::intel(), Timing::default(), then);
    let directory = CacheDirectory::new(directory, 1 << 20);
    let cache = Cache::new(fetcher, Some(directory), Freshness::default(), Box::new(|_| {}));
    let items = platform_items(FMSPC, PckCa::Processor, EvaluationSet::Standard);
    for (item, document) in items.into_iter().zip(documents(collateral)) {
        let validity = Validity { from: then(), until: then() };
        let source = "a recording".to_owned();
        let record = Record { item, document, validity, fetched: then(), source };
        assert!(cache.keep(&record).unwrap(), "{}", record.item);
    }
}

#[test]
fn is_verified_by_another_verifier_with_what_the_server_has_of_its_time() {
    let (machine, sample) = (Machine::new(), sample());
    import(&sample.collateral, &machine.path("server/cache"));
    let offline = format!("{SERVE} --mode offline");
    let offline = offline.replace(" --user-token-file user --admin-token-file admin", "");
    let server = Server::start(&mut machine.command(&offline));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let found = runtime.block_on(async {
        let client = CollateralClient::with_default_http(server.url()).unwrap();
        client.fetch(&sample.quote).await.unwrap()
    });
    let report = QuoteVerifier::new_prod().verify(&sample.quote, &found, SAMPLE_TIME).unwrap();
    assert_eq!(report.status, "ConfigurationAndSWHardeningNeeded");
}
