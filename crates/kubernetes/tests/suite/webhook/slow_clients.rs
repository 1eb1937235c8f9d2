//! Slow and large clients beside an honest API server.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;

use crate::webhook::reviews::{pod, review};
use crate::webhook::server::Webhook;

/// Longer than a review takes on a busy machine, and shorter than the API server waits.
const SOON: Duration = Duration::from_secs(2);
const LARGE: usize = 3 << 20;

/// A pod whose review has this size.
fn large_pod() -> Value {
    let mut pod = pod();
    pod["spec"]["containers"][0]["args"] = json!(["x".repeat(2 << 20)]);
    pod
}

/// Sends a part of a request of this size.
async fn begin(webhook: &Webhook, size: usize, sent: usize) -> TlsStream<TcpStream> {
    let mut stream = webhook.connect().await.unwrap();
    let head = format!(
        "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {size}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; sent]).await.unwrap();
    stream
}

async fn is_answered_soon(webhook: &Webhook, pod: &Value) {
    let begin = Instant::now();
    let answer = timeout(SOON, webhook.review(&review(pod))).await;
    let answer = answer.unwrap_or_else(|_| panic!("no answer after {:?}", begin.elapsed()));
    assert_eq!(answer["response"]["patchType"], "JSONPatch");
}

#[tokio::test]
async fn stalled_bodies_delay_no_others() {
    let webhook = Webhook::start_ready().await;
    let mut stalled = Vec::new();
    for _ in 0..100 {
        stalled.push(begin(&webhook, 1000, 1).await);
    }
    is_answered_soon(&webhook, &pod()).await;
}

#[tokio::test]
async fn stalled_large_bodies_are_evicted() {
    let webhook = Webhook::start_ready().await;
    let mut stalled = Vec::new();
    for _ in 0..30 {
        stalled.push(begin(&webhook, LARGE, 200 << 10).await);
    }
    is_answered_soon(&webhook, &pod()).await;
    is_answered_soon(&webhook, &large_pod()).await;
    let mut status = [0; 12];
    let read = stalled[0].read_exact(&mut status);
    timeout(SOON, read).await.expect("the oldest is told").unwrap();
    assert_eq!(&status, b"HTTP/1.1 408");
}

#[tokio::test]
async fn large_reviews_do_not_delay_small_ones() {
    let webhook = Webhook::start_ready().await;
    let body = review(&large_pod()).to_string();
    let mut streams = Vec::new();
    // Seven fit into the memory for large bodies; an eighth would evict one.
    for _ in 0..7 {
        let mut stream = begin(&webhook, body.len(), 0).await;
        stream.write_all(body.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    is_answered_soon(&webhook, &pod()).await;
    for mut stream in streams {
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
    }
}

#[tokio::test]
async fn large_arrays_that_injection_does_not_read_are_no_problem() {
    let webhook = Webhook::start_ready().await;
    for field in ["args", "command", "unknown"] {
        let mut pod = pod();
        pod["spec"]["containers"][0][field] = json!(vec![0; 1_500_000]);
        let answer = webhook.review(&review(&pod)).await;
        assert_eq!(answer["response"]["patchType"], "JSONPatch", "{field}");
    }
}
