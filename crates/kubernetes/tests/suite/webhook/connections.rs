//! Connections: TLS, and its end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::webhook::reviews::{pod, review};
use crate::webhook::server::{Webhook, send_on};

#[tokio::test]
async fn plain_http_gets_no_response() {
    let webhook = Webhook::start_ready().await;
    let mut stream = webhook.connect_plainly().await;
    stream.write_all(b"POST /mutate HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(webhook.post(review(&pod()).to_string()).await.status, 200);
}

#[tokio::test]
async fn a_stalled_handshake_times_out_alone() {
    let webhook = Webhook::start_ready().await;
    let mut stalled = Vec::new();
    for _ in 0..100 {
        stalled.push(webhook.connect_plainly().await);
    }
    assert_eq!(webhook.post(review(&pod()).to_string()).await.status, 200);
    let mut answer = Vec::new();
    let end = timeout(Duration::from_secs(20), stalled[0].read_to_end(&mut answer)).await;
    assert!(end.is_ok(), "the connection is closed");
}

#[tokio::test]
async fn a_connection_serves_several_reviews() {
    let webhook = Webhook::start_ready().await;
    let mut stream = webhook.connect().await.unwrap();
    let body = review(&pod()).to_string();
    for _ in 0..3 {
        let answer =
            send_on(&mut stream, "POST /mutate", "application/json", body.as_bytes()).await;
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn it_stops_with_open_connections() {
    let webhook = Webhook::start_ready().await;
    let _idle = webhook.connect().await.unwrap();
    let _stalled = webhook.connect_plainly().await;
    timeout(Duration::from_secs(10), webhook.stop()).await.unwrap();
}
