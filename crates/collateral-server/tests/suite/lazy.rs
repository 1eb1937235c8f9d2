//! The mode lazy: the server fetches on a cache miss, and stores the result.

use std::time::{Duration, SystemTime};

use collateral_server::Mode;
use dcap_qvl::collateral::CollateralClient;
use dcap_qvl::verify::QuoteVerifier;
use tokio::task::JoinSet;

use crate::exchange::get;
use crate::full;
use crate::full::{Home, Upstream, V4, pck_request, platform};
use crate::software;
use crate::software::quote;

#[tokio::test]
async fn cached_collateral_serves_dcap_qvl_without_the_source() {
    let platform = platform();
    let upstream = Upstream::of(&platform).await;
    let home = Home::trusting(&platform);
    let (quote, root) = (quote(&platform), platform.root_certificate().der().to_vec());
    for is_down in [false, true] {
        // The second server starts with the cache of the first one.
        upstream.set_down(is_down);
        let server = home.serve(Mode::Lazy, vec![upstream.pccs()]).await;
        let client =
            CollateralClient::with_default_http(format!("http://{}", server.address)).unwrap();
        let found = client.fetch(&quote).await.unwrap();
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let report = QuoteVerifier::new(root.clone()).verify(&quote, &found, now).unwrap();
        assert_eq!(report.status, "UpToDate");
        drop(server);
        closed(&home).await;
    }
}

/// Waits until the server that was dropped has closed its database.
async fn closed(home: &Home) {
    while home.open(Mode::Offline, Vec::new()).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn responses_equal_those_of_the_source() {
    let platform = platform();
    let (upstream, _home, server) = full::lazy(&platform).await;
    for path in [
        &pck_request(&platform),
        &format!("{V4}/pckcrl?ca=platform&encoding=der"),
        &format!("{V4}/pckcrl?ca=platform"),
        &format!("{V4}/pckcrl?ca=platform&encoding=pem"),
        &format!("{V4}/rootcacrl"),
        &format!("{V4}/tcb?fmspc=534f46545752"),
        &format!("{V4}/tcb?fmspc=534f46545752&update=early"),
        &format!("{V4}/qe/identity"),
        "/SGXRootCA.der",
    ] {
        let mut expected = get(upstream.address, path).await;
        for _ in 0..2 {
            let mut found = get(server.address, path).await;
            assert_eq!(found.status, 200, "{path}: {}", found.text());
            assert_eq!(found.body, expected.body, "{path}");
            for headers in [&mut found.headers, &mut expected.headers] {
                headers.remove("request-id");
                headers.remove("date");
            }
            assert_eq!(found.headers, expected.headers, "{path}");
        }
    }
}

#[tokio::test]
async fn concurrent_misses_cause_one_upstream_request() {
    let platform = platform();
    let (upstream, _home, server) = full::lazy(&platform).await;
    for path in [pck_request(&platform), format!("{V4}/qe/identity")] {
        let before = upstream.asked();
        let mut clients = JoinSet::new();
        for _ in 0..32 {
            let (address, path) = (server.address, path.clone());
            clients.spawn(async move { get(address, &path).await.status });
        }
        assert!(clients.join_all().await.into_iter().all(|status| status == 200));
        assert_eq!(upstream.asked() - before, 1, "{path}");
    }
}

#[tokio::test]
async fn missing_items_have_the_status_of_the_source() {
    let platform = platform();
    let (upstream, _home, server) = full::lazy(&platform).await;
    let question = pck_request(&platform);
    let qe_id = hex::encode_upper(platform.qe_id());
    let unknown = question.replace(&qe_id, &"0".repeat(32));
    assert_eq!(get(server.address, &unknown).await.status, 461);
    let newer = question.replace("pcesvn=0d00", "pcesvn=0e00");
    assert_eq!(get(server.address, &newer).await.status, 462);
    for path in [
        format!("{V4}/tcb?fmspc=000000000000"),
        "/tdx/certification/v4/tcb?fmspc=534f46545752".to_owned(),
    ] {
        assert_eq!(get(server.address, &path).await.status, 404, "{path}");
    }
    upstream.set_down(true);
    let cold = get(server.address, &format!("{V4}/qe/identity")).await;
    assert_eq!((cold.status, cold.text().contains("127.0.0.1")), (502, false));
}

#[tokio::test]
async fn a_new_tcb_gets_a_stored_certificate_while_the_source_is_down() {
    let platform = platform();
    let (upstream, _home, server) = full::lazy(&platform).await;
    let question = pck_request(&platform);
    let first = get(server.address, &question).await;
    assert_eq!(
        get(server.address, &format!("{V4}/tcb?fmspc=534f46545752&update=early")).await.status,
        200
    );
    upstream.set_down(true);
    let newer = get(server.address, &question.replace("pcesvn=0d00", "pcesvn=0e00")).await;
    assert_eq!((newer.status, newer.body), (200, first.body));
    // A platform below all certificates gets none.
    let older = get(server.address, &question.replace("pcesvn=0d00", "pcesvn=0c00")).await;
    assert_eq!(older.status, 502);
}

#[tokio::test]
async fn items_of_another_root_are_not_served() {
    let platform = platform();
    let upstream = Upstream::of(&platform).await;
    let other = software::platform(
        software_platform::SubjectNames::Software,
        software_platform::CertificationKind::EncryptedPpid,
    );
    let home = Home::trusting(&other);
    let server = home.serve(Mode::Lazy, vec![upstream.pccs()]).await;
    for path in [pck_request(&platform), format!("{V4}/rootcacrl"), format!("{V4}/qe/identity")] {
        assert_eq!(get(server.address, &path).await.status, 502, "{path}");
    }
}

#[tokio::test]
async fn metrics_and_readiness_report_the_state() {
    let platform = platform();
    let (_upstream, home, server) = full::lazy(&platform).await;
    for _ in 0..3 {
        get(server.address, &pck_request(&platform)).await;
    }
    get(server.address, "/tdx/certification/v4/tcb?fmspc=534f46545752").await;
    let metrics = get(server.metrics, "/metrics").await;
    for line in [
        "requests_total{route=\"/sgx/certification/v4/pckcert\",status=\"200\"} 3",
        "requests_total{route=\"/tdx/certification/v4/tcb\",status=\"404\"} 1",
        "lookups_total{outcome=\"Hit\"} 2",
        "lookups_total{outcome=\"Miss\"} 2",
        "outcome=\"answered\"} 1",
        "outcome=\"not_found\"} 1",
    ] {
        assert!(metrics.text().contains(line), "{line}: {}", metrics.text());
    }
    assert_eq!(get(server.metrics, "/livez").await.status, 200);
    assert_eq!(get(server.metrics, "/readyz").await.status, 200);
    // The next server reports the stored items.
    get(server.address, &format!("{V4}/rootcacrl")).await;
    let fmspc = hex::encode(platform.pck_subject().fmspc);
    get(server.address, &format!("{V4}/tcb?fmspc={fmspc}")).await;
    drop(server);
    closed(&home).await;
    let server = home.serve(Mode::Lazy, Vec::new()).await;
    let ready = get(server.metrics, "/readyz").await;
    assert_eq!((ready.status, ready.text().contains("source")), (503, true), "{}", ready.text());
    let kept = async || {
        let metrics = get(server.metrics, "/metrics").await;
        metrics.text().contains("collateral_platforms 1")
            && metrics.text().contains("item_expiry_timestamp_seconds{item=\"root-ca-crl\"}")
            && metrics.text().contains("platforms_by_tcb_status{tcb_status=\"UpToDate\"} 1")
    };
    while !kept().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
