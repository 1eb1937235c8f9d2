//! Invalid and hostile reviews: the webhook returns client errors and keeps serving.

use std::time::Duration;

use serde_json::{Value, json};

use crate::webhook::reviews::{pod, review};
use crate::webhook::server::Webhook;

async fn goes_on(webhook: &Webhook) {
    let answer = webhook.review(&review(&pod())).await;
    assert_eq!(answer["response"]["patchType"], "JSONPatch");
}

/// The review without one of the fields of its request.
fn without(field: &str) -> String {
    let mut review = review(&pod());
    review["request"].as_object_mut().unwrap().remove(field);
    review.to_string()
}

#[tokio::test]
async fn an_invalid_review_is_a_bad_request() {
    let webhook = Webhook::start_ready().await;
    let mut no_request = review(&pod());
    no_request.as_object_mut().unwrap().remove("request");
    let mut number = review(&pod());
    number["request"]["object"] = json!(5);
    let mut empty_uid = review(&pod());
    empty_uid["request"]["uid"] = json!("");
    let whole = review(&pod()).to_string();
    for body in [
        String::new(),
        "garbage".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        pod().to_string(),
        whole[..whole.len() / 2].to_owned(),
        "[".repeat(1 << 20),
        whole.replace("\"containers\":", &format!("\"deep\":{}", "[".repeat(1 << 20))),
        no_request.to_string(),
        number.to_string(),
        empty_uid.to_string(),
        without("uid"),
        without("kind"),
        without("operation"),
    ] {
        let answer = webhook.post(&body).await;
        assert_eq!(answer.status, 400, "{body:.80}: {answer:?}");
        assert!(answer.body.len() < 1000, "{answer:?}");
    }
    assert_eq!(webhook.post(b"\xff\xfe\x00").await.status, 400);
    goes_on(&webhook).await;
    let metrics = webhook.ask("/metrics").await.body;
    assert!(metrics.contains("reviews_total{outcome=\"Refused\"} 16"), "{metrics}");
}

#[tokio::test]
async fn another_version_is_refused() {
    let webhook = Webhook::start_ready().await;
    for (pointer, value) in [
        ("/apiVersion", "admission.k8s.io/v1beta1"),
        ("/apiVersion", "v1"),
        ("/kind", "ConversionReview"),
    ] {
        let mut review = review(&pod());
        *review.pointer_mut(pointer).unwrap() = json!(value);
        let answer = webhook.post(review.to_string()).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains(value) && answer.body.contains("must be [v1]"), "{answer:?}");
    }
}

#[tokio::test]
async fn another_method_path_or_type_is_refused() {
    let webhook = Webhook::start_ready().await;
    let body = review(&pod()).to_string();
    for (line, content_type, status) in [
        ("GET /mutate", "application/json", 405),
        ("POST /", "application/json", 405),
        ("POST /other", "application/json", 404),
        ("POST /metrics", "application/json", 404),
        ("POST /mutate", "application/yaml", 415),
        ("POST /mutate", "", 415),
        ("POST /mutate", "application/json; charset=utf-8", 200),
    ] {
        let answer = webhook.send(line, content_type, &body).await;
        assert_eq!(answer.status, status, "{line} {content_type}: {answer:?}");
    }
}

#[tokio::test]
async fn oversized_reviews_are_refused() {
    let webhook = Webhook::start_ready().await;
    let mut large = review(&pod());
    large["request"]["object"]["metadata"]["annotations"]["large"] = json!("x".repeat(3 << 20));
    assert_eq!(webhook.post(large.to_string()).await.status, 413);
    large["request"]["object"]["metadata"]["annotations"]["large"] = json!("x".repeat(2 << 20));
    assert_eq!(webhook.post(large.to_string()).await.status, 200);
    for field in ["containers", "volumes", "tolerations"] {
        let mut many = review(&pod());
        many["request"]["object"]["spec"][field] = Value::Array(vec![json!({}); 500_000]);
        let answer = webhook.post(many.to_string()).await;
        assert_eq!(answer.status, 413, "{answer:?}");
        assert!(answer.body.contains("more parts than fit into 8 MiB"), "{answer:?}");
    }
    goes_on(&webhook).await;
}

#[tokio::test]
async fn a_large_honest_pod_is_no_problem() {
    let webhook = Webhook::start_ready().await;
    let mut pod = pod();
    let variable = |number| json!({ "name": format!("V{number}"), "value": "x".repeat(500) });
    pod["spec"]["containers"][0]["env"] = (0..2000).map(variable).collect();
    let answer = webhook.review(&review(&pod)).await;
    assert_eq!(answer["response"]["patchType"], "JSONPatch");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_times_out() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let webhook = Webhook::start_ready().await;
    let mut streams = Vec::new();
    // More than can be received at a time.
    for _ in 0..20 {
        let mut stream = webhook.connect().await.unwrap();
        let head = "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                    Content-Length: 1000\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    for mut stream in streams {
        let mut answer = [0; 12];
        let read = stream.read_exact(&mut answer);
        tokio::time::timeout(Duration::from_secs(15), read).await.unwrap().unwrap();
        assert_eq!(&answer, b"HTTP/1.1 408");
    }
    goes_on(&webhook).await;
}
