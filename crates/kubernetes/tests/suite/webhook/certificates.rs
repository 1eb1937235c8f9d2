//! Issuing, sharing, renewing, replacing and publishing certificates.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::clock::pace;
use crate::webhook::api_server::ApiServer;
use crate::webhook::reviews::{pod, review};
use crate::webhook::server::{Webhook, eventually, send_on};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test]
async fn a_first_webhook_issues_and_publishes_certificates() {
    let webhook = Webhook::start_ready().await;
    let authorities = webhook.api_server.secret("ca.crt").unwrap();
    assert_eq!(webhook.api_server.bundles(), [Some(authorities.clone()), Some(authorities)]);
    assert!(webhook.api_server.secret("ca.key").unwrap().contains("PRIVATE KEY"));
    let shown = shown(&webhook.connect().await.unwrap());
    let stored = webhook.api_server.secret("tls.crt").unwrap();
    assert_eq!(pem::parse(stored).unwrap().contents(), &*shown);
    let metrics = webhook.ask("/metrics").await.body;
    let expiry = metrics.lines().find_map(|line| {
        line.strip_prefix("quote_helper_webhook_certificate_expiry_timestamp_seconds ")
    });
    let expiry = Duration::from_secs(expiry.unwrap().parse().unwrap());
    let left = expiry - SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert!(left > DAY * 89 && left <= DAY * 90, "{left:?}");
}

#[tokio::test]
async fn a_second_webhook_takes_what_is_there() {
    let first = Webhook::start_ready().await;
    let requests = first.api_server.requests();
    let second = Webhook::start(&first.api_server).await;
    second.is_ready().await;
    let [one, two] = [first.connect().await.unwrap(), second.connect().await.unwrap()];
    assert_eq!(shown(&one), shown(&two));
    assert_eq!(first.api_server.requests(), requests + 2, "it reads both objects, and writes none");
}

#[tokio::test]
async fn replicas_that_start_at_once_agree() {
    for _ in 0..5 {
        let api_server = ApiServer::start().await;
        let begin = Instant::now();
        let mut replicas = Vec::new();
        for _ in 0..4 {
            replicas.push(Webhook::start(&api_server).await);
        }
        let mut certificates = Vec::new();
        for replica in &replicas {
            replica.is_ready().await;
            certificates.push(shown(&replica.connect().await.unwrap()));
        }
        certificates.dedup();
        assert_eq!(certificates.len(), 1);
        assert!(begin.elapsed() < Duration::from_secs(4), "the slower ones do not pause");
    }
}

#[tokio::test]
async fn a_damaged_secret_is_replaced() {
    for (key, text, keeps_authority) in [
        ("tls.crt", "garbage", true),
        ("tls.crt", "", true),
        ("tls.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", true),
        ("ca.crt", "", false),
        ("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", false),
        ("ca.key", "garbage", false),
    ] {
        let api_server = ApiServer::start().await;
        Webhook::start(&api_server).await.is_ready().await;
        let authorities = api_server.secret("ca.crt").unwrap();
        api_server.set_secret(key, text);
        let webhook = Webhook::start(&api_server).await;
        webhook.is_ready().await;
        webhook.connect().await.unwrap();
        assert_ne!(api_server.secret(key).unwrap(), text);
        let is_kept = api_server.secret("ca.crt").unwrap() == authorities;
        assert_eq!(is_kept, keeps_authority, "{key} {text:?}");
    }
}

#[tokio::test]
async fn an_empty_secret_is_filled() {
    let api_server = ApiServer::start().await;
    api_server.set_secret("note", "somebody made it in advance");
    let webhook = Webhook::start(&api_server).await;
    webhook.is_ready().await;
    webhook.connect().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn connections_survive_the_renewal_of_a_certificate() {
    static DAYS_AGO: AtomicU32 = AtomicU32::new(61);
    pace();
    let api_server = ApiServer::start().await;
    let clock = || SystemTime::now() - DAY * DAYS_AGO.load(Ordering::Relaxed);
    api_server.set_clock(clock);
    let webhook = Webhook::start_at(&api_server, clock).await;
    let other = Webhook::start_at(&api_server, clock).await;
    webhook.is_ready().await;
    other.is_ready().await;
    let first = shown(&webhook.connect().await.unwrap());
    // Longer than the interval of checks.
    tokio::time::sleep(Duration::from_secs(70)).await;
    assert_eq!(shown(&webhook.connect().await.unwrap()), first);
    let mut stream = webhook.connect().await.unwrap();
    let body = review(&pod()).to_string();
    DAYS_AGO.store(0, Ordering::Relaxed);
    eventually("another certificate is shown", async || {
        let answer = send_on(&mut stream, "POST /mutate", "application/json", body.as_bytes());
        assert_eq!(answer.await.status, 200);
        shown(&webhook.connect().await.unwrap()) != first
    })
    .await;
    let answer = send_on(&mut stream, "POST /mutate", "application/json", body.as_bytes()).await;
    assert_eq!((answer.status, shown(&stream)), (200, first));
    eventually("the other replica shows it too", async || {
        let both = [webhook.connect().await.unwrap(), other.connect().await.unwrap()];
        shown(&both[0]) == shown(&both[1])
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn missing_permissions_are_reported_until_granted() {
    pace();
    let api_server = ApiServer::start().await;
    api_server.forbid(true);
    let webhook = Webhook::start(&api_server).await;
    eventually("it tells", async || webhook.ask("/readyz").await.body.contains("Forbidden")).await;
    let problem = webhook.ask("/readyz").await;
    assert_eq!(problem.status, 503);
    assert!(problem.body.contains("Secret \"certificates\""), "{problem:?}");
    assert_eq!(webhook.ask("/livez").await.status, 200);
    api_server.forbid(false);
    webhook.is_ready().await;
    api_server.forbid(true);
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(webhook.ask("/readyz").await.status, 200, "what it has lasts");
}

#[tokio::test(start_paused = true)]
async fn the_configuration_may_come_later() {
    pace();
    let api_server = ApiServer::start().await;
    let configuration = api_server.remove_configuration();
    let webhook = Webhook::start(&api_server).await;
    eventually("it tells", async || webhook.ask("/readyz").await.body.contains("sgx-webhook"))
        .await;
    api_server.set_configuration(configuration.clone());
    webhook.is_ready().await;
    let bundles = api_server.bundles();
    // Another client applies the original configuration again.
    api_server.set_configuration(configuration);
    eventually("it is told again", async || api_server.bundles() == bundles).await;
}

#[tokio::test]
async fn a_replica_with_a_wrong_clock_only_serves() {
    for clock in [|| SystemTime::now() + DAY * 400, || SystemTime::now() - DAY * 400] {
        let api_server = ApiServer::start().await;
        let right = Webhook::start(&api_server).await;
        right.is_ready().await;
        let stored = |key| api_server.secret(key).unwrap();
        let before = ["ca.crt", "ca.key", "tls.crt", "tls.key"].map(stored);
        let bundles = api_server.bundles();
        let wrong = Webhook::start_at(&api_server, clock).await;
        wrong.is_ready().await;
        assert_eq!(["ca.crt", "ca.key", "tls.crt", "tls.key"].map(stored), before);
        assert_eq!(api_server.bundles(), bundles);
        let [one, other] = [right.connect().await.unwrap(), wrong.connect().await.unwrap()];
        assert_eq!(shown(&one), shown(&other));
    }
}

#[tokio::test]
async fn a_wrong_clock_makes_no_first_certificate() {
    let api_server = ApiServer::start().await;
    let webhook = Webhook::start_at(&api_server, || SystemTime::now() + DAY * 2).await;
    eventually("it tells", async || {
        webhook.ask("/readyz").await.body.contains("48 h ahead of the API server's")
    })
    .await;
    assert_eq!(api_server.secret("ca.crt"), None);
}

#[tokio::test]
async fn older_authorities_stay_in_the_bundle() {
    let api_server = ApiServer::start().await;
    let first = Webhook::start(&api_server).await;
    first.is_ready().await;
    let before = api_server.bundles()[0].clone().unwrap();
    api_server.set_secret("ca.crt", "");
    Webhook::start(&api_server).await.is_ready().await;
    let bundle = api_server.bundles()[0].clone().unwrap();
    assert!(bundle.len() > before.len() && bundle.ends_with(&before));
    first.connect().await.expect("what the first one shows is still trusted");
}
