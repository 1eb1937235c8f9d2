//! Expired collateral of Intel's for TDX.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};
use test_support::c_programs::{Build, succeeded};

use collateral::{
    Cache, CacheDirectory, CollateralId, Document, Fetcher, Record, RefreshPolicy, RetryPolicy,
    TcbUpdate,
};
use serde_json::Value;
use verify::{EnclaveId, PckCa, Tee, TrustedRoots, Validity};

use crate::PROGRAMS;

/// 2025-06-25, when all of it was valid.
fn time_of_validity() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_809_600)
}

#[test]
fn expired_collateral_is_returned() {
    let directory = tempfile::tempdir().unwrap();
    let published = published();
    let text = |name: &str| published[name].as_str().unwrap().to_owned();
    let bytes = |name: &str| hex::decode(text(name)).unwrap();
    let signed = |name: &str, json: &str| {
        let signature = text(&format!("{json}_signature"));
        format!("{{\"{name}\":{},\"signature\":\"{signature}\"}}", text(json)).into_bytes()
    };
    let set = TcbUpdate::Standard;
    let tcb_info = CollateralId::TcbInfo { tee: Tee::Tdx, fmspc: [0xb0, 0xc0, 0x6f, 0, 0, 0], set };
    let qe_identity = CollateralId::EnclaveIdentity { enclave: EnclaveId::TdQe, set };
    let (tcb, qe) = (signed("tcbInfo", "tcb_info"), signed("enclaveIdentity", "qe_identity"));
    let cache = cache(&directory.path().join("cache"));
    insert(
        &cache,
        CollateralId::PckCrl(PckCa::Platform),
        bytes("pck_crl"),
        text("pck_crl_issuer_chain"),
    );
    insert(&cache, CollateralId::RootCaCrl, bytes("root_ca_crl"), String::new());
    insert(&cache, tcb_info, tcb.clone(), text("tcb_info_issuer_chain"));
    insert(&cache, qe_identity, qe.clone(), text("qe_identity_issuer_chain"));

    let program = PROGRAMS.compile("tdx", Build::Sanitized);
    let mut command = program.command();
    command.arg(directory.path()).env("QUOTE_HELPER_COLLATERAL_LOCAL_ONLY", "true");
    command.env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", directory.path().join("cache"));
    succeeded(&mut command);
    let written = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
    assert_eq!(written("tcb_info"), tcb);
    assert_eq!(written("qe_identity"), qe);
    assert_eq!(written("root_ca_crl"), text("root_ca_crl").as_bytes());
}

fn cache(directory: &Path) -> Cache {
    let roots = TrustedRoots::intel();
    let fetcher = Fetcher::new(Vec::new(), roots, RetryPolicy::default(), time_of_validity);
    let directory = CacheDirectory::new(directory, 1024 * 1024);
    Cache::new(fetcher, Some(directory), RefreshPolicy::default(), Box::new(|_| ()))
}

fn insert(cache: &Cache, item: CollateralId, body: Vec<u8>, issuer_chain: String) {
    let document = Document { body, issuer_chain };
    let validity = Validity { from: time_of_validity(), until: time_of_validity() };
    let source = "Intel".to_owned();
    let record = Record { item, document, validity, fetched: time_of_validity(), source };
    assert!(cache.insert(&record).unwrap());
}

/// The collateral in the package dcap-qvl.
fn published() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "dcap-qvl").unwrap();
    let mut path = PathBuf::from(package["manifest_path"].as_str().unwrap());
    path.set_file_name("sample/tdx_quote_collateral.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
